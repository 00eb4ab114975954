/* What libzmq's tools local_thr, remote_thr, local_lat and remote_lat do, in one program:
 *   perf TOOL ENDPOINT SIZE COUNT
 * local_* bind and remote_* connect. A tool that measures prints its result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static void receive(void *socket, char *memory, int size) {
  int got = zmq_recv(socket, memory, size, 0);
  if (got < 0) fail("zmq_recv");
  if (got != size) {
    fprintf(stderr, "message of incorrect size received: %d\n", got);
    exit(1);
  }
}

static void transmit(void *socket, const char *memory, int size) {
  if (zmq_send(socket, memory, size, 0) != size) fail("zmq_send");
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  const char *tool = argv[1];
  int size = atoi(argv[3]);
  int count = atoi(argv[4]);
  int local = strncmp(tool, "local", 5) == 0;
  int thr = strstr(tool, "_thr") != NULL;
  int type = thr ? (local ? ZMQ_PULL : ZMQ_PUSH) : (local ? ZMQ_REP : ZMQ_REQ);
  char *memory = calloc(1, size + 1);
  void *context = zmq_ctx_new();
  void *socket = zmq_socket(context, type);
  if (socket == NULL) fail("zmq_socket");
  if ((local ? zmq_bind : zmq_connect)(socket, argv[2]) != 0) fail(argv[2]);
  if (local) {
    char bound[256];
    size_t length = sizeof bound;
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length);
    printf("bound to %s\n", bound);
    fflush(stdout);
  }
  void *watch = NULL;
  if (thr && local) {
    receive(socket, memory, size);
    watch = zmq_stopwatch_start();
    for (int i = 1; i < count; i++) receive(socket, memory, size);
  } else if (thr) {
    for (int i = 0; i < count; i++) transmit(socket, memory, size);
  } else if (local) {
    for (int i = 0; i < count; i++) {
      receive(socket, memory, size);
      transmit(socket, memory, size);
    }
  } else {
    watch = zmq_stopwatch_start();
    for (int i = 0; i < count; i++) {
      transmit(socket, memory, size);
      receive(socket, memory, size);
    }
  }
  if (watch != NULL) {
    double us = zmq_stopwatch_stop(watch);
    if (thr) printf("mean throughput: %d [msg/s]\n", (int)(count / (us / 1e6)));
    else printf("average latency: %.3f [us]\n", us / (count * 2.0));
  }
  zmq_close(socket);
  zmq_ctx_term(context);
  puts("done");
  return 0;
}
