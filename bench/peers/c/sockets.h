/* Sockets by the endpoints of ZeroMQ, tcp on loopback and ipc. Blocking ones. */
#ifndef ZWIRE_BENCH_SOCKETS_H
#define ZWIRE_BENCH_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "channel.h"

/* The address of an endpoint; port 0 where it says `*`. */
static inline socklen_t address_of(const char *endpoint, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (strncmp(endpoint, "ipc://", 6) == 0) {
    struct sockaddr_un *local = (struct sockaddr_un *)storage;
    local->sun_family = AF_UNIX;
    snprintf(local->sun_path, sizeof local->sun_path, "%s", endpoint + 6);
    return sizeof *local;
  }
  struct sockaddr_in *internet = (struct sockaddr_in *)storage;
  internet->sin_family = AF_INET;
  internet->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  internet->sin_port = htons((unsigned short)atoi(strrchr(endpoint, ':') + 1));
  return sizeof *internet;
}

static inline int open_socket(const struct sockaddr_storage *address) {
  int fd = socket(address->ss_family, SOCK_STREAM, 0), yes = 1;
  check(fd >= 0, "socket");
  if (address->ss_family == AF_INET) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static inline int listen_at(const char *endpoint) {
  struct sockaddr_storage address;
  socklen_t length = address_of(endpoint, &address);
  int listener = open_socket(&address);
  check(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
  check(listen(listener, 1024) == 0, "listen");
  if (address.ss_family == AF_INET) {
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    tell("{\"event\":\"ready\",\"endpoint\":\"tcp://127.0.0.1:%d\"}\n",
         ntohs(((struct sockaddr_in *)&address)->sin_port));
  } else {
    tell("{\"event\":\"ready\",\"endpoint\":\"%s\"}\n", endpoint);
  }
  return listener;
}

static inline int accept_from(int listener) {
  int fd = accept(listener, NULL, NULL), yes = 1;
  check(fd >= 0, "accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static inline int connect_to(const char *endpoint) {
  struct sockaddr_storage address;
  socklen_t length = address_of(endpoint, &address);
  int fd = open_socket(&address);
  check(connect(fd, (struct sockaddr *)&address, length) == 0, "connect");
  return fd;
}

#endif
