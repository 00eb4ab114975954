// A ring of bytes in memory that two processes share, and the two that use it: plain C++ over shared memory, without
// descriptors of sockets, the event loop or JavaScript, so that it can be fuzzed alone.
//
// Each side makes one block of memory and alone writes to it: a page of indices, and the ring of the bytes that it
// sends. The peer maps it read-only. So what a reader must tell (how far it has read, that it sleeps) stands in its own
// block, and neither side can harm the memory of the other. Every index of the peer is read once and checked: a peer
// may be another program, and hostile.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sealed_memory.h"

namespace zwire {

// The page at the start of a block. Positions count bytes from the beginning of the connection and never wrap: at 10
// GB/s a counter lasts for 58 years. Fields that different sides read in a hurry lie in cache lines of their own.
struct RingPage {
  // The version of this layout.
  static constexpr uint32_t kVersion = 1;

  uint32_t version;
  // Bytes that the owner has written to its ring.
  alignas(64) std::atomic<uint64_t> written;
  // While the owner waits for room in its ring: the position that the reader must reach for it; otherwise 0.
  std::atomic<uint64_t> room_at;
  // Bytes that the owner has read from the peer's ring.
  alignas(64) std::atomic<uint64_t> read;
  // While the owner sleeps until the peer writes: a number that differs from one sleep to the next; otherwise 0.
  std::atomic<uint64_t> asleep;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "atomics in shared memory must not need a lock");

// One block: ours, writable, or the peer's, read-only.
class RingBlock {
 public:
  static constexpr size_t kPageBytes = 4096;
  static constexpr size_t kLeastCapacity = 64 * 1024;
  static constexpr size_t kMostCapacity = 64 * 1024 * 1024;

  // Makes our block. `capacity` is a power of two. `fd` is what the peer gets. nullptr: *fd is a negative errno.
  static std::unique_ptr<RingBlock> Create(size_t capacity, int* fd);
  // Maps the peer's block, after checking size and seals. nullptr if it is not one, or if there is no room for it. Does
  // not close `fd`.
  static std::unique_ptr<RingBlock> Map(int fd);
  // A block over memory that somebody else owns, for the fuzzer.
  static std::unique_ptr<RingBlock> Over(void* memory, size_t capacity);

  RingPage* page() const { return static_cast<RingPage*>(memory_); }
  uint8_t* data() const { return static_cast<uint8_t*>(memory_) + kPageBytes; }
  size_t capacity() const { return capacity_; }

 private:
  RingBlock(void* memory, size_t capacity) : memory_(memory), capacity_(capacity) {}
  explicit RingBlock(std::unique_ptr<SealedMemory> sealed)
      : memory_(sealed->data()), capacity_(sealed->size() - kPageBytes), sealed_(std::move(sealed)) {}

  void* memory_;
  size_t capacity_;
  // Its owner, except for the fuzzer's blocks.
  std::unique_ptr<SealedMemory> sealed_;
};

// The sending half. `own` has the ring, `peer` the reader's indices.
class RingWriter {
 public:
  RingWriter(RingBlock* own, const RingBlock* peer) : own_(own), peer_(peer) {}
  // Copies as many bytes as there is room for. -EAGAIN if there is none, -EPROTO if the peer's indices are impossible.
  ssize_t Write(const iovec* segments, size_t count);
  // Whether the reader sleeps and has not been woken for this sleep. The caller wakes it.
  bool MustWake();
  // Asks the reader to wake us when half of the ring is free. False if there is room by now.
  bool AwaitRoom();
  // Bytes written, and bytes of them that the peer has read.
  uint64_t written() const { return written_; }
  uint64_t passed();
  bool broken() const { return broken_; }

 private:
  RingBlock* own_;
  const RingBlock* peer_;
  uint64_t written_ = 0;
  // The last good value of the peer's index.
  uint64_t passed_ = 0;
  uint64_t woken_ = 0;
  bool awaiting_ = false;
  bool broken_ = false;
};

// The receiving half. `own` has our indices, `peer` the ring.
class RingReader {
 public:
  RingReader(RingBlock* own, const RingBlock* peer) : own_(own), peer_(peer) {}
  // Copies bytes out into the segments, in order. 0 if there are none, -EPROTO if the peer's indices are impossible.
  ssize_t Read(const iovec* segments, size_t count);
  // Whether the writer waits for room that it has now, and has not been told. The caller wakes it.
  bool MustWake();
  // Says that we sleep. False if there are bytes by now: then we do not.
  bool Sleep();
  // Whether there is something to read, without any other effect.
  bool Ready() const { return peer_->page()->written.load(std::memory_order_acquire) != read_; }

 private:
  RingBlock* own_;
  const RingBlock* peer_;
  uint64_t read_ = 0;
  uint64_t sleeps_ = 0;
  bool asleep_ = false;
  uint64_t woken_ = 0;
};

}  // namespace zwire
