/*
 * What the kernel does with the same octets and nothing around them: blocking write() of one message at a time and
 * read() of up to 256 KiB, over tcp or a unix socket. The floor under any library on this machine.
 *
 *   kernel ROLE ENDPOINT SIZE PARTS WARMUP COUNT SUBSCRIBERS TOPICS     (the last two are not used)
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "channel.h"

#define READ_SIZE (256 * 1024)

static size_t message_size;
static long warmup, count;

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

static int accept_one(const char *endpoint) {
  struct sockaddr_storage address;
  socklen_t length = address_of(endpoint, &address);
  int listener = open_socket(&address);
  check(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
  check(listen(listener, 1) == 0, "listen");
  if (address.ss_family == AF_INET) {
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0, "getsockname");
    tell("{\"event\":\"ready\",\"endpoint\":\"tcp://127.0.0.1:%d\"}\n",
         ntohs(((struct sockaddr_in *)&address)->sin_port));
  } else {
    tell("{\"event\":\"ready\",\"endpoint\":\"%s\"}\n", endpoint);
  }
  int fd = accept(listener, NULL, NULL);
  check(fd >= 0, "accept");
  return fd;
}

static void role_receive(const char *endpoint) {
  int fd = accept_one(endpoint);
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
  struct sockaddr_storage address;
  socklen_t length = address_of(endpoint, &address);
  int fd = open_socket(&address);
  char *message = calloc(1, message_size);
  check(message != NULL, "calloc");
  check(connect(fd, (struct sockaddr *)&address, length) == 0, "connect");
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

int main(int argc, char **argv) {
  if (argc != 9) return 2;
  message_size = (size_t)atol(argv[3]) * (size_t)atoi(argv[4]);
  warmup = atol(argv[5]);
  count = atol(argv[6]);
  channel_open();
  if (strcmp(argv[1], "receive") == 0) role_receive(argv[2]);
  if (strcmp(argv[1], "send") == 0) role_send(argv[2]);
  return 2;
}
