/*
 * Messages through a ring in shared memory, one for each direction: the writer copies them in, the reader copies them
 * out into memory of its own. The limit for ipc with ordinary Buffers on this machine. Linux only. SUBSCRIBERS, TOPICS
 * and CLIENTS are not used.
 */
#include "shared.h"

/* What fits a core's own cache. With 4 MiB both sides take twice the processor time as soon as they share a core, and
 * gain nothing when they do not: a long message goes through in pieces. */
#ifndef CAPACITY
#define CAPACITY (1024 * 1024)
#endif
/* What a reader has for messages: as much as `kernel` has for what it reads. */
#define READ_SIZE (256 * 1024)

static struct ring out, in;
static int own_bell;
/* The reader's memory, and which part of it the next message gets. */
static char *memory;
static size_t memory_size, memory_used;
static char *outgoing;

/* Each side makes the ring that it writes to, and gives it to the other one with its doorbell. */
static void agree(int socket) {
  int given[2] = {ring_memory(CAPACITY), own_bell = bell_make()}, taken[2];
  give_descriptors(socket, given, 2);
  take_descriptors(socket, taken, 2);
  out = ring_over(given[0], taken[1]);
  in = ring_over(taken[0], taken[1]);
  memory_size = job.whole > READ_SIZE ? job.whole : READ_SIZE;
  memory = malloc(memory_size);
  outgoing = calloc(1, job.whole + sizeof(uint64_t));
  check(memory != NULL && outgoing != NULL, "malloc");
}

static void put(const char *bytes, size_t size) {
  ring_put(&out, bytes, size);
  if (out.position - out.told >= BATCH) ring_tell_reader(&out);
}

/* Its length, then its bytes. A long one goes in pieces: the reader takes the first while the next is written. */
static void send_message(uint64_t number) {
  uint64_t size = job.whole;
  memcpy(outgoing, &number, sizeof number);
  size_t piece = size < BATCH ? size : BATCH;
  ring_reserve(&out, sizeof size + piece, own_bell);
  ring_put(&out, &size, sizeof size);
  put(outgoing, piece);
  for (size_t sent = piece; sent < size; sent += piece) {
    piece = size - sent < BATCH ? size - sent : BATCH;
    ring_reserve(&out, piece, own_bell);
    put(outgoing + sent, piece);
  }
}

static size_t filled(size_t wanted) {
  size_t have = ring_filled(&in, wanted);
  if (have > 0) return have;
  ring_tell_writer(&in);
  wait_until_filled((struct ring *[]){&in}, 1, own_bell);
  return ring_filled(&in, wanted);
}

/* Copies the next message out, and sees that it is that of this number. */
static void receive_message(uint64_t number) {
  uint64_t size, told = 0;
  check(filled(sizeof size) >= sizeof size, "a length in pieces");
  ring_take(&in, &size, sizeof size);
  if (size != job.whole) die("a message of another size");
  if (memory_size - memory_used < size) memory_used = 0;
  char *message = memory + memory_used;
  for (size_t have = 0; have < size;) {
    size_t piece = filled(size - have);
    if (piece > size - have) piece = size - have;
    if (piece > BATCH) piece = BATCH;
    ring_take(&in, message + have, piece);
    have += piece;
    if (in.position - in.told >= BATCH) ring_tell_writer(&in);
  }
  memory_used += size;
  memcpy(&told, message, size < sizeof told ? size : sizeof told);
  if (size >= sizeof told && told != number) die("another message");
}

static void role_receive(void) {
  agree(accept_from(listen_at(job.endpoint)));
  for (long i = 0; i < job.total; i++) {
    receive_message((uint64_t)i);
    if (i == job.warmup) meter_start();
  }
  done_with_count(job.count);
}

static void role_send(void) {
  agree(connect_to(job.endpoint));
  for (long i = 0; i < job.total; i++) {
    if (i == job.warmup) meter_start();
    send_message((uint64_t)i);
  }
  ring_tell_reader(&out);
  wait_for("finish");
  done("");
}

static void role_reply(void) {
  agree(accept_from(listen_at(job.endpoint)));
  finish_when_told();
  for (long i = 0;; i++) {
    receive_message((uint64_t)i);
    if (i == job.warmup) meter_start();
    send_message((uint64_t)i);
    ring_tell_reader(&out);
  }
}

static void ask(long number) {
  send_message((uint64_t)number);
  ring_tell_reader(&out);
  receive_message((uint64_t)number);
}

static void role_request(void) {
  agree(connect_to(job.endpoint));
  ask_all(ask);
}

int main(int argc, char **argv) {
  static const struct role roles[] = {
      {"receive", role_receive}, {"send", role_send}, {"reply", role_reply}, {"request", role_request}};
  return PLAY(argc, argv, roles);
}
