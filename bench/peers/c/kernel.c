/*
 * What the kernel does with the same octets and nothing around them: blocking write() of one message at a time and
 * read() of up to 256 KiB, over tcp or a unix socket; and many connections that are echoed by one epoll loop. The floor
 * under any library on this machine. SUBSCRIBERS, TOPICS and SPIN are not used.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "channel.h"
#include "sockets.h"

#define READ_SIZE (256 * 1024)

#define EVENTS 512

static void role_receive(void) {
  int fd = accept_from(listen_at(job.endpoint));
  char *buffer = malloc(READ_SIZE);
  check(buffer != NULL, "malloc");
  double first = (double)job.whole * (double)job.warmup, all = first + (double)job.whole * (double)job.count;
  double have = 0;
  while (have < all) {
    ssize_t got = read(fd, buffer, READ_SIZE);
    check(got > 0, "read");
    if (have <= first && have + (double)got > first) meter_start();
    have += (double)got;
  }
  done_with_count(job.count);
}

static void role_send(void) {
  int fd = connect_to(job.endpoint);
  char *message = calloc(1, job.whole);
  check(message != NULL, "calloc");
  for (long i = 0; i < job.total; i++) {
    if (i == job.warmup) meter_start();
    for (size_t sent = 0; sent < job.whole;) {
      ssize_t taken = write(fd, message + sent, job.whole - sent);
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
static void role_route(void) {
  struct epoll_event events[EVENTS];
  const size_t size = job.whole + 2;
  char *buffer = malloc(size);
  int loop = epoll_create1(0), listener = listen_at(job.endpoint);
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
      if (served++ == job.warmup) meter_start();
      check(write(fd, buffer, size) == (ssize_t)size, "write");
    }
  }
}

/* Each sends one message in turn, then each takes its answer, and so on. */
static void role_clients(void) {
  const size_t size = job.whole + 2;
  char *buffer = calloc(1, size);
  int *all = calloc((size_t)job.clients, sizeof *all);
  check(buffer != NULL && all != NULL, "calloc");
  for (long i = 0; i < job.clients; i++) all[i] = connect_to(job.endpoint);
  const long before = (job.warmup + job.clients - 1) / job.clients,
             rounds = (job.count + job.clients - 1) / job.clients;
  for (long round = 0; round < before + rounds; round++) {
    if (round == before) meter_start();
    for (long i = 0; i < job.clients; i++) check(write(all[i], buffer, size) == (ssize_t)size, "write");
    for (long i = 0; i < job.clients; i++) check(take(all[i], buffer, size), "read");
  }
  done_with_count(rounds * job.clients);
}

int main(int argc, char **argv) {
  static const struct role roles[] = {
      {"receive", role_receive}, {"send", role_send}, {"route", role_route}, {"clients", role_clients}};
  return PLAY(argc, argv, roles);
}
