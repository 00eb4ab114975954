/*
 * Messages that nobody copies: blocks of a shared pool go by reference (offset and length through a small ring), the
 * reader looks at the beginning and the end of each body where it lies and gives the block back through a ring of its
 * own. Several readers share a block; it is free once the last of them has given it back. Like libzmq's own tools it
 * does not fill a body beyond a number at both ends. The limit for loaned messages on this machine. Linux only. TOPICS
 * and CLIENTS are not used.
 */
#include "shared.h"

#define POOL_SIZE (64 * 1024 * 1024)
#define MOST_BLOCKS 4096
/* Blocks before the other side is told of them. */
#define MOST_IN_BATCH 256

struct reference {
  uint64_t offset, length;
};

/* Room for a reference to every block, and for as many that have been read and not told. */
#define RING_CAPACITY (2 * MOST_BLOCKS * sizeof(struct reference))

/* One reader, or one writer, at the other end. */
struct peer {
  struct ring out, in;
  char *pool; /* of the writer, as a reader sees it */
  uint64_t messages;
};

static struct peer *peers;
static struct ring **incoming; /* of all peers */
static int number_of_peers, own_bell;
static size_t block_size, blocks, batch;

/* The writer's: its pool, the blocks that nobody has, and how many readers have each other one. */
static char *pool;
static uint32_t *free_blocks, *readers_of;
static size_t number_free;

static size_t between(size_t least, size_t value, size_t most) {
  return value < least ? least : value > most ? most : value;
}

static void expect_peers(int number) {
  number_of_peers = number;
  own_bell = bell_make();
  peers = calloc((size_t)number, sizeof *peers);
  incoming = calloc((size_t)number, sizeof *incoming);
  check(peers != NULL && incoming != NULL, "calloc");
  block_size = (job.whole + LINE - 1) / LINE * LINE;
  blocks = between(2, POOL_SIZE / block_size, MOST_BLOCKS);
  batch = between(1, blocks / 8, MOST_IN_BATCH);
}

static int make_pool(void) {
  int fd = memory_of(blocks * block_size);
  pool = map_at(NULL, blocks * block_size, fd, 0);
  free_blocks = calloc(blocks, sizeof *free_blocks);
  readers_of = calloc(blocks, sizeof *readers_of);
  check(free_blocks != NULL && readers_of != NULL, "calloc");
  for (size_t i = 0; i < blocks; i++) free_blocks[number_free++] = (uint32_t)(blocks - 1 - i);
  return fd;
}

static void join_rings(int number, int own_ring, const int *taken) {
  struct peer *peer = &peers[number];
  peer->out = ring_over(own_ring, taken[1]);
  peer->in = ring_over(taken[0], taken[1]);
  incoming[number] = &peer->in;
}

/* Each side makes the ring that it writes to. The writer's pool goes with its own. */
static void agree_as_writer(int socket, int number, int own_pool) {
  int given[3] = {ring_memory(RING_CAPACITY), own_bell, own_pool}, taken[2];
  give_descriptors(socket, given, 3);
  take_descriptors(socket, taken, 2);
  join_rings(number, given[0], taken);
}

static void agree_as_reader(int socket, int number) {
  int given[2] = {ring_memory(RING_CAPACITY), own_bell}, taken[3];
  give_descriptors(socket, given, 2);
  take_descriptors(socket, taken, 3);
  join_rings(number, given[0], taken);
  peers[number].pool = map_at(NULL, size_of(taken[2]), taken[2], 0);
}

/* What is in the rings, to all. */
static void tell_peers(void) {
  for (int i = 0; i < number_of_peers; i++) ring_tell_reader(&peers[i].out);
}

static void put(struct ring *ring, struct reference block) {
  check(ring_room(ring, sizeof block) >= sizeof block, "more references than blocks");
  ring_put(ring, &block, sizeof block);
  if (ring->position - ring->told >= batch * sizeof block) ring_tell_reader(ring);
}

/* The next reference of a ring; false where there is none. */
static int take(struct ring *ring, struct reference *block) {
  if (ring_filled(ring, sizeof *block) == 0) {
    ring_tell_writer(ring);
    return 0;
  }
  ring_take(ring, block, sizeof *block);
  if (ring->position - ring->told >= RING_CAPACITY / 4) ring_tell_writer(ring);
  return 1;
}

/* Numbers at both ends of a body; a short one has one. */
static void mark(char *body, uint64_t number) {
  memcpy(body, &number, sizeof number);
  if (job.whole >= 2 * sizeof number) memcpy(body + job.whole - sizeof number, &number, sizeof number);
}

static void look(const char *body, uint64_t length, uint64_t number) {
  uint64_t first, last;
  if (length != job.whole) die("a message of another size");
  memcpy(&first, body, sizeof first);
  memcpy(&last, length >= 2 * sizeof last ? body + length - sizeof last : body, sizeof last);
  if (first != number || last != number) die("another message");
}

/* A reader has given it back: free when that was the last one. */
static void is_back(struct reference block) {
  uint32_t which = (uint32_t)(block.offset / block_size);
  if (--readers_of[which] == 0) free_blocks[number_free++] = which;
}

static void take_back(void) {
  struct reference block;
  for (int i = 0; i < number_of_peers; i++) {
    while (take(&peers[i].in, &block)) is_back(block);
  }
}

/* A block that nobody has: asleep until there is one. */
static uint32_t free_block(void) {
  if (number_free == 0) take_back();
  while (number_free == 0) {
    tell_peers();
    wait_until_filled(incoming, number_of_peers, own_bell);
    take_back();
  }
  return free_blocks[--number_free];
}

/* The same block to each reader. */
static void lend(uint64_t number) {
  uint32_t which = free_block();
  struct reference block = {.offset = which * block_size, .length = job.whole};
  mark(pool + block.offset, number);
  readers_of[which] = (uint32_t)number_of_peers;
  for (int i = 0; i < number_of_peers; i++) put(&peers[i].out, block);
}

static void lend_all(void) {
  for (long i = 0; i < job.total; i++) {
    if (i == job.warmup) meter_start();
    lend((uint64_t)i);
  }
  tell_peers();
  wait_for("finish");
  done("");
}

/* Looks at each message of each peer where it lies and gives it back, all that are there. Returns how many. */
static long look_at_some(long most) {
  struct reference block;
  long seen = 0;
  for (int i = 0; i < number_of_peers; i++) {
    struct peer *peer = &peers[i];
    while (seen < most && take(&peer->in, &block)) {
      look(peer->pool + block.offset, block.length, peer->messages++);
      put(&peer->out, block);
      seen++;
    }
  }
  return seen;
}

static void look_at(long messages) {
  while (messages > 0) {
    long seen = look_at_some(messages);
    messages -= seen;
    if (seen > 0) continue;
    tell_peers();
    wait_until_filled(incoming, number_of_peers, own_bell);
  }
}

static void look_at_all(void) {
  look_at(job.warmup * number_of_peers);
  meter_start();
  look_at(job.count * number_of_peers);
  done_with_count(job.count * number_of_peers);
}

static void role_send(void) {
  expect_peers(1);
  agree_as_writer(connect_to(job.endpoint), 0, make_pool());
  lend_all();
}

static void role_receive(void) {
  expect_peers(1);
  agree_as_reader(accept_from(listen_at(job.endpoint)), 0);
  look_at_all();
}

static void role_publish(void) {
  expect_peers(job.subscribers);
  int own_pool = make_pool(), listener = listen_at(job.endpoint);
  for (int i = 0; i < job.subscribers; i++) agree_as_writer(accept_from(listener), i, own_pool);
  wait_for("go");
  lend_all();
}

static void role_subscribe(void) {
  expect_peers(job.subscribers);
  for (int i = 0; i < job.subscribers; i++) agree_as_reader(connect_to(job.endpoint), i);
  tell("{\"event\":\"subscribed\"}\n");
  look_at_all();
}

/* Answers in the block that was lent, by giving it back. */
static void role_reply(void) {
  struct reference block;
  expect_peers(1);
  agree_as_reader(accept_from(listen_at(job.endpoint)), 0);
  finish_when_told();
  for (uint64_t i = 0;; i++) {
    while (!take(&peers[0].in, &block)) wait_until_filled(incoming, 1, own_bell);
    if (i == (uint64_t)job.warmup) meter_start();
    char *body = peers[0].pool + block.offset;
    look(body, block.length, i);
    mark(body, ~i);
    put(&peers[0].out, block);
    tell_peers();
  }
}

static void ask(long number) {
  struct reference block;
  lend((uint64_t)number);
  tell_peers();
  while (!take(&peers[0].in, &block)) wait_until_filled(incoming, 1, own_bell);
  look(pool + block.offset, block.length, ~(uint64_t)number);
  is_back(block);
}

static void role_request(void) {
  expect_peers(1);
  agree_as_writer(connect_to(job.endpoint), 0, make_pool());
  ask_all(ask);
}

int main(int argc, char **argv) {
  static const struct role roles[] = {{"receive", role_receive},     {"send", role_send},   {"publish", role_publish},
                                      {"subscribe", role_subscribe}, {"reply", role_reply}, {"request", role_request}};
  return PLAY(argc, argv, roles);
}
