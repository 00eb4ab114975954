/*
 * A side of a trial over libzmq from C, as its own performance tools do it: messages of zmq_msg_t that are neither
 * filled nor copied, blocking calls, one socket (subscribers: one poll over all of theirs), default options. CLIENTS and
 * SPIN are not used.
 */
#include <stdatomic.h>
#include <zmq.h>

#include "channel.h"

static void *context;

static void *open_socket(int type) {
  void *socket = zmq_socket(context, type);
  check(socket != NULL, "zmq_socket");
  return socket;
}

static void bind_socket(void *socket) {
  char actual[256];
  size_t length = sizeof actual;
  check(zmq_bind(socket, job.endpoint) == 0, "zmq_bind");
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, actual, &length) == 0, "ZMQ_LAST_ENDPOINT");
  tell("{\"event\":\"ready\",\"endpoint\":\"%s\"}\n", actual);
}

static void *connect_socket(int type) {
  void *socket = open_socket(type);
  check(zmq_connect(socket, job.endpoint) == 0, "zmq_connect");
  return socket;
}

/* A topic has as many octets as this; the text is followed by a zero. */
#define TOPIC_LENGTH 8
#define TOPIC_TEXT 32

static void topic_text(char *text, long topic) { snprintf(text, TOPIC_TEXT, "t%07ld", topic); }

/* Sends one message; `topic` below zero for none. */
static void send_message(void *socket, long topic) {
  for (int part = 1; part <= job.parts; part++) {
    zmq_msg_t message;
    check(zmq_msg_init_size(&message, job.size) == 0, "zmq_msg_init_size");
    if (topic >= 0) {
      char text[TOPIC_TEXT];
      topic_text(text, topic);
      memcpy(zmq_msg_data(&message), text, TOPIC_LENGTH);
    }
    check(zmq_msg_send(&message, socket, part < job.parts ? ZMQ_SNDMORE : 0) >= 0, "zmq_msg_send");
  }
}

/* Receives one message; false when there was none and `flags` forbid to wait. Its first part's size goes to `got`. */
static int receive_message(void *socket, int flags, size_t *got) {
  zmq_msg_t message;
  int more = 1, have = 0;
  zmq_msg_init(&message);
  while (more) {
    if (zmq_msg_recv(&message, socket, have == 0 ? flags : 0) < 0) {
      check(zmq_errno() == EAGAIN, "zmq_msg_recv");
      return 0;
    }
    size_t length = zmq_msg_size(&message);
    if (have++ == 0) *got = length;
    else if (length != job.size) die("a part of another size");
    more = zmq_msg_more(&message);
  }
  zmq_msg_close(&message);
  if (*got == job.size && have != job.parts) die("another number of parts");
  return 1;
}

static void role_receive(void) {
  void *pull = open_socket(ZMQ_PULL);
  bind_socket(pull);
  for (long left = job.total; left > 0; left--) {
    size_t got;
    receive_message(pull, 0, &got);
    if (got != job.size) die("a message of another size");
    if (left == job.count) meter_start();
  }
  done_with_count(job.count);
}

static void send_all(void *socket) {
  for (long i = 0; i < job.total; i++) {
    if (i == job.warmup) meter_start();
    send_message(socket, job.topics > 0 ? i % job.topics : -1);
  }
  wait_for("finish");
  done("");
}

static void role_send(void) { send_all(connect_socket(ZMQ_PUSH)); }

static atomic_int told_to_go;

static void *go_thread(void *unused) {
  wait_for("go");
  told_to_go = 1;
  return unused;
}

/* A message of one octet goes out until each subscriber has seen one and the parent says "go".
 * No drop: a publisher that throws away what its subscribers cannot take would win by doing nothing. */
static void role_publish(void) {
  int yes = 1;
  void *publisher = open_socket(ZMQ_PUB);
  check(zmq_setsockopt(publisher, ZMQ_XPUB_NODROP, &yes, sizeof yes) == 0, "ZMQ_XPUB_NODROP");
  bind_socket(publisher);
  pthread_t thread;
  check(pthread_create(&thread, NULL, go_thread, NULL) == 0, "pthread_create");
  while (!told_to_go) {
    check(zmq_send(publisher, "", 1, 0) == 1, "zmq_send");
    usleep(5000);
  }
  pthread_join(thread, NULL);
  send_all(publisher);
}

static void subscribe(void *subscriber, int number) {
  char text[TOPIC_TEXT];
  if (job.topics == 0) {
    check(zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, "", 0) == 0, "ZMQ_SUBSCRIBE");
    return;
  }
  check(zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, "", 1) == 0, "ZMQ_SUBSCRIBE");
  for (int topic = number; topic < job.topics; topic += job.subscribers) {
    topic_text(text, topic);
    check(zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, text, TOPIC_LENGTH) == 0, "ZMQ_SUBSCRIBE");
  }
}

static void role_subscribe(void) {
  zmq_pollitem_t *items = calloc((size_t)job.subscribers, sizeof *items);
  char *seen = calloc((size_t)job.subscribers, 1);
  int waiting = job.subscribers;
  long copies = job.topics > 0 ? 1 : job.subscribers;
  long left = job.total * copies, measured = job.count * copies;
  check(items != NULL && seen != NULL, "calloc");
  for (int i = 0; i < job.subscribers; i++) {
    items[i].socket = open_socket(ZMQ_SUB);
    items[i].events = ZMQ_POLLIN;
    subscribe(items[i].socket, i);
    check(zmq_connect(items[i].socket, job.endpoint) == 0, "zmq_connect");
  }
  while (left > 0) {
    check(zmq_poll(items, job.subscribers, -1) >= 0, "zmq_poll");
    for (int i = 0; i < job.subscribers && left > 0; i++) {
      size_t got;
      if ((items[i].revents & ZMQ_POLLIN) == 0) continue;
      while (left > 0 && receive_message(items[i].socket, ZMQ_DONTWAIT, &got)) {
        if (got == job.size) {
          if (left-- == measured) meter_start();
        } else if (!seen[i]) {
          seen[i] = 1;
          if (--waiting == 0) tell("{\"event\":\"subscribed\"}\n");
        }
      }
    }
  }
  done_with_count(measured);
}

static void role_reply(void) {
  void *reply = open_socket(ZMQ_REP);
  bind_socket(reply);
  finish_when_told();
  for (long served = 0;; served++) {
    size_t got;
    receive_message(reply, 0, &got);
    if (served == job.warmup) meter_start();
    send_message(reply, -1);
  }
}

static void *asking;

static void ask(long number) {
  size_t got;
  (void)number;
  send_message(asking, -1);
  receive_message(asking, 0, &got);
  if (got != job.size) die("a wrong answer");
}

static void role_request(void) {
  asking = connect_socket(ZMQ_REQ);
  ask_all(ask);
}

int main(int argc, char **argv) {
  static const struct role roles[] = {{"receive", role_receive},     {"send", role_send},   {"publish", role_publish},
                                      {"subscribe", role_subscribe}, {"reply", role_reply}, {"request", role_request}};
  context = zmq_ctx_new();
  return PLAY(argc, argv, roles);
}
