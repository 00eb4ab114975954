/*
 * Memory that two processes share: a ring of bytes with one writer and one reader, and the doorbell of a process. What
 * is written lies in a memfd; a doorbell is an eventfd, and is rung only for a process that has said that it sleeps.
 * Both sides trust each other here. Linux only.
 *
 * Each position counts bytes since the beginning and never goes back. A side looks at the other's position only when the
 * one it knows is not enough, and tells its own once BATCH bytes have gathered: a cache line that two cores share is
 * dearer than a small message.
 */
#ifndef ZWIRE_BENCH_SHARED_H
#define ZWIRE_BENCH_SHARED_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "channel.h"
#include "sockets.h"

#define BATCH (64 * 1024)
#define LINE 64

/* What both sides write, a cache line each. */
struct control {
  _Alignas(LINE) _Atomic uint64_t written;
  _Alignas(LINE) _Atomic uint64_t read;
  _Alignas(LINE) atomic_int reader_sleeps;
  /* A writer that found no room sleeps until so much has been read; 0 while it is awake. */
  _Alignas(LINE) _Atomic uint64_t wake_writer_at;
};

/* One side's view of a ring. */
struct ring {
  struct control *control;
  char *data;
  uint64_t capacity;
  uint64_t position; /* where this side writes or reads next */
  uint64_t told; /* what the other side knows of that */
  uint64_t seen; /* the other side's position when this one last looked */
  int bell; /* of the other side's process */
};

static inline size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* A memfd that nobody can make smaller under the feet of who has mapped it. */
static inline int memory_of(size_t size) {
  int fd = memfd_create("zwire-bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  check(fd >= 0, "memfd_create");
  check(ftruncate(fd, (off_t)size) == 0, "ftruncate");
  check(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0, "F_ADD_SEALS");
  return fd;
}

static inline size_t size_of(int fd) {
  struct stat about;
  check(fstat(fd, &about) == 0, "fstat");
  return (size_t)about.st_size;
}

static inline char *map_at(void *where, size_t size, int fd, size_t offset) {
  int flags = MAP_SHARED | (where == NULL ? 0 : MAP_FIXED);
  void *memory = mmap(where, size, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset);
  check(memory != MAP_FAILED, "mmap");
  return memory;
}

/* Memory for a ring: a page of control, then its bytes. */
static inline int ring_memory(size_t capacity) { return memory_of(page_size() + capacity); }

/* The bytes are mapped twice in a row, so that none of them are ever in two pieces. */
static inline struct ring ring_over(int fd, int bell) {
  size_t capacity = size_of(fd) - page_size();
  char *data = mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(data != MAP_FAILED, "mmap");
  map_at(data, capacity, fd, page_size());
  map_at(data + capacity, capacity, fd, page_size());
  struct control *control = (struct control *)map_at(NULL, page_size(), fd, 0);
  return (struct ring){.control = control, .data = data, .capacity = capacity, .bell = bell};
}

static inline int bell_make(void) {
  int bell = eventfd(0, EFD_CLOEXEC);
  check(bell >= 0, "eventfd");
  return bell;
}

static inline void bell_ring(int bell) {
  uint64_t once = 1;
  check(write(bell, &once, sizeof once) == sizeof once, "write to a doorbell");
}

/* Returns at once where the bell was rung before: who waits looks again, and comes back. */
static inline void bell_wait(int bell) {
  uint64_t times;
  while (read(bell, &times, sizeof times) != sizeof times) check(errno == EINTR, "read of a doorbell");
}

/* Where the other side's bytes end, or this side's room: what may be read or written next. */
static inline char *ring_here(const struct ring *ring) { return ring->data + (ring->position & (ring->capacity - 1)); }

/* What the reader can have now: at least `wanted` bytes, or all that there are. */
static inline size_t ring_filled(struct ring *ring, size_t wanted) {
  if (ring->seen - ring->position < wanted) {
    ring->seen = atomic_load_explicit(&ring->control->written, memory_order_acquire);
  }
  return ring->seen - ring->position;
}

/* What the writer can have now: at least `wanted` bytes, or all that there are. */
static inline size_t ring_room(struct ring *ring, size_t wanted) {
  if (ring->capacity - (ring->position - ring->seen) < wanted) {
    ring->seen = atomic_load_explicit(&ring->control->read, memory_order_acquire);
  }
  return ring->capacity - (ring->position - ring->seen);
}

/* The reader may have what was written. */
static inline void ring_tell_reader(struct ring *ring) {
  if (ring->told == ring->position) return;
  ring->told = ring->position;
  atomic_store_explicit(&ring->control->written, ring->position, memory_order_release);
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&ring->control->reader_sleeps, memory_order_relaxed) &&
      atomic_exchange(&ring->control->reader_sleeps, 0)) {
    bell_ring(ring->bell);
  }
}

/* The writer may have the room of what was read. */
static inline void ring_tell_writer(struct ring *ring) {
  if (ring->told == ring->position) return;
  ring->told = ring->position;
  atomic_store_explicit(&ring->control->read, ring->position, memory_order_release);
  atomic_thread_fence(memory_order_seq_cst);
  uint64_t wake_at = atomic_load_explicit(&ring->control->wake_writer_at, memory_order_relaxed);
  if (wake_at != 0 && ring->position >= wake_at && atomic_exchange(&ring->control->wake_writer_at, 0) != 0) {
    bell_ring(ring->bell);
  }
}

/* Makes room for `size` bytes, asleep if need be: until half of the ring is free, so that it is worth waking up. */
static inline void ring_reserve(struct ring *ring, size_t size, int own_bell) {
  if (ring_room(ring, size) >= size) return;
  uint64_t enough = size > ring->capacity / 2 ? size : ring->capacity / 2;
  ring_tell_reader(ring);
  do {
    atomic_store(&ring->control->wake_writer_at, ring->position + enough - ring->capacity);
    atomic_thread_fence(memory_order_seq_cst);
    if (ring_room(ring, size) >= size) break;
    bell_wait(own_bell);
  } while (ring_room(ring, size) < size);
  atomic_store(&ring->control->wake_writer_at, 0);
}

/* Only where there is room. */
static inline void ring_put(struct ring *ring, const void *bytes, size_t size) {
  memcpy(ring_here(ring), bytes, size);
  ring->position += size;
}

/* Only where there are so many. */
static inline void ring_take(struct ring *ring, void *bytes, size_t size) {
  memcpy(bytes, ring_here(ring), size);
  ring->position += size;
}

static inline int any_filled(struct ring *const *rings, int number) {
  for (int i = 0; i < number; i++) {
    if (ring_filled(rings[i], 1) > 0) return 1;
  }
  return 0;
}

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#define LOOKS_BETWEEN_CLOCKS 32

/* Looks without a system call, for as long as the job allows. */
static inline int spin_until_filled(struct ring *const *rings, int number) {
  double until = seconds_now() + job.spin_seconds;
  do {
    for (int look = 0; look < LOOKS_BETWEEN_CLOCKS; look++) {
      if (any_filled(rings, number)) return 1;
      pause_briefly();
    }
  } while (seconds_now() < until);
  return 0;
}

static inline void say_sleeping(struct ring *const *rings, int number, int sleeps) {
  for (int i = 0; i < number; i++) atomic_store(&rings[i]->control->reader_sleeps, sleeps);
}

/* Returns when one of these rings has bytes that were not there: the reader has drained and told them all before. */
static inline void wait_until_filled(struct ring *const *rings, int number, int own_bell) {
  if (job.spin_seconds > 0 && spin_until_filled(rings, number)) return;
  while (!any_filled(rings, number)) {
    say_sleeping(rings, number, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (!any_filled(rings, number)) bell_wait(own_bell);
    say_sleeping(rings, number, 0);
  }
}

#define MOST_DESCRIPTORS 4

/* Descriptors for the process at the other end of a unix socket. */
static inline void give_descriptors(int socket, const int *descriptors, int number) {
  char octet = 0;
  union {
    char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    struct cmsghdr aligned;
  } space = {0};
  struct iovec octets = {.iov_base = &octet, .iov_len = 1};
  size_t size = (size_t)number * sizeof(int);
  struct msghdr message = {
      .msg_iov = &octets, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = CMSG_SPACE(size)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), descriptors, size);
  check(sendmsg(socket, &message, 0) == 1, "sendmsg");
}

/* Those that the other process gave, exactly so many. */
static inline void take_descriptors(int socket, int *descriptors, int number) {
  char octet;
  union {
    char bytes[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    struct cmsghdr aligned;
  } space;
  struct iovec octets = {.iov_base = &octet, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &octets, .msg_iovlen = 1, .msg_control = space.bytes, .msg_controllen = sizeof space.bytes};
  check(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  size_t size = (size_t)number * sizeof(int);
  check(header != NULL && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(size), "descriptors");
  memcpy(descriptors, CMSG_DATA(header), size);
}

#endif
