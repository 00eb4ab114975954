/*
 * What the kernel does with the same octets and nothing around them: blocking write() of one message at a time and
 * read() of up to 256 KiB, over tcp or a unix socket; and many connections that are echoed by one epoll loop. The floor
 * under any library on this machine.
 *
 *   kernel ROLE ENDPOINT SIZE PARTS WARMUP COUNT SUBSCRIBERS TOPICS CLIENTS     (SUBSCRIBERS and TOPICS are not used)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "channel.h"

#define READ_SIZE (256 * 1024)

#define EVENTS 512

static size_t message_size;
static long warmup, count, clients;

/* The address of an endpoint; port 0 where it says `*`. */
static socklen_t address_of(const char *endpoint, struct sockaddr_storage *storage) {
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

static int open_socket(const struct sockaddr_storage *address) {
  int fd = socket(address->ss_family, SOCK_STREAM, 0), yes = 1;
  check(fd >= 0, "socket");
  if (address->ss_family == AF_INET) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int listen_at(const char *endpoint) {
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

static int accept_from(int listener) {
  int fd = accept(listener, NULL, NULL), yes = 1;
  check(fd >= 0, "accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int connect_to(const char *endpoint) {
  struct sockaddr_storage address;
  socklen_t length = address_of(endpoint, &address);
  int fd = open_socket(&address);
  check(connect(fd, (struct sockaddr *)&address, length) == 0, "connect");
  return fd;
}

static void role_receive(const char *endpoint) {
  int fd = accept_from(listen_at(endpoint));
  char *buffer = malloc(READ_SIZE), more[64];
  check(buffer != NULL, "malloc");
  double first = (double)message_size * (double)warmup, all = first + (double)message_size * (double)count;
  double have = 0;
  while (have < all) {
    ssize_t got = read(fd, buffer, READ_SIZE);
    check(got > 0, "read");
    if (have <= first && have + (double)got > first) meter_start();
    have += (double)got;
  }
  snprintf(more, sizeof more, ",\"messages\":%ld", count);
  done(more);
}

static void role_send(const char *endpoint) {
  int fd = connect_to(endpoint);
  char *message = calloc(1, message_size);
  check(message != NULL, "calloc");
  for (long i = 0; i < warmup + count; i++) {
    if (i == warmup) meter_start();
    for (size_t sent = 0; sent < message_size;) {
      ssize_t taken = write(fd, message + sent, message_size - sent);
      check(taken > 0, "write");
      sent += (size_t)taken;
    }
  }
  wait_for("finish");
  done("");
}

static void watch(int loop, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  check(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

/* Reads one message; false when the peer has gone. It is as long on the wire as ZMTP's, with a header of two octets, and
 * comes whole over loopback. */
static int take(int fd, char *buffer, size_t size) {
  ssize_t got = read(fd, buffer, size);
  if (got <= 0) return 0;
  check(got == (ssize_t)size, "a message in pieces");
  return 1;
}

/* Answers each client with what it said. */
static void role_route(const char *endpoint) {
  struct epoll_event events[EVENTS];
  const size_t size = message_size + 2;
  char *buffer = malloc(size);
  int loop = epoll_create1(0), listener = listen_at(endpoint);
  check(buffer != NULL && loop >= 0, "epoll_create1");
  watch(loop, listener);
  finish_when_told();
  for (long served = 0;;) {
    int ready = epoll_wait(loop, events, EVENTS, -1);
    check(ready >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        watch(loop, accept_from(listener));
        continue;
      }
      if (!take(fd, buffer, size)) {
        close(fd);
        continue;
      }
      if (served++ == warmup) meter_start();
      check(write(fd, buffer, size) == (ssize_t)size, "write");
    }
  }
}

/* Each sends one message in turn, then each takes its answer, and so on. */
static void role_clients(const char *endpoint) {
  const size_t size = message_size + 2;
  char *buffer = calloc(1, size), more[64];
  int *all = calloc((size_t)clients, sizeof *all);
  check(buffer != NULL && all != NULL, "calloc");
  for (long i = 0; i < clients; i++) all[i] = connect_to(endpoint);
  const long before = (warmup + clients - 1) / clients, rounds = (count + clients - 1) / clients;
  for (long round = 0; round < before + rounds; round++) {
    if (round == before) meter_start();
    for (long i = 0; i < clients; i++) check(write(all[i], buffer, size) == (ssize_t)size, "write");
    for (long i = 0; i < clients; i++) check(take(all[i], buffer, size), "read");
  }
  snprintf(more, sizeof more, ",\"messages\":%ld", rounds * clients);
  done(more);
}

int main(int argc, char **argv) {
  if (argc != 10) return 2;
  message_size = (size_t)atol(argv[3]) * (size_t)atoi(argv[4]);
  warmup = atol(argv[5]);
  count = atol(argv[6]);
  clients = atol(argv[9]);
  channel_open();
  if (strcmp(argv[1], "route") == 0) role_route(argv[2]);
  if (strcmp(argv[1], "clients") == 0) role_clients(argv[2]);
  if (strcmp(argv[1], "receive") == 0) role_receive(argv[2]);
  if (strcmp(argv[1], "send") == 0) role_send(argv[2]);
  return 2;
}
