// See ring.h.
#include "ring.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "address_space.h"

namespace zwire {

namespace {

bool ValidCapacity(size_t capacity) {
  return capacity >= RingBlock::kLeastCapacity && capacity <= RingBlock::kMostCapacity &&
         (capacity & (capacity - 1)) == 0;
}

// Where `size` bytes at a position of the stream lie in a ring: up to two pieces.
struct Pieces {
  size_t offset;
  size_t first;
  size_t second;
};

Pieces At(uint64_t position, size_t size, size_t capacity) {
  const size_t offset = static_cast<size_t>(position) & (capacity - 1);
  const size_t first = size < capacity - offset ? size : capacity - offset;
  return {offset, first, size - first};
}

}  // namespace

std::unique_ptr<RingBlock> RingBlock::Create(size_t capacity, int* fd) {
  *fd = -EINVAL;
  if (!ValidCapacity(capacity)) return nullptr;
  // The peer's block comes, too.
  if (!SparesAddressSpace(2 * (kPageBytes + capacity))) {
    *fd = -ENOMEM;
    return nullptr;
  }
  auto sealed = SealedMemory::Create("zwire", kPageBytes + capacity, fd);
  if (sealed == nullptr) return nullptr;
  auto block = std::unique_ptr<RingBlock>(new RingBlock(std::move(sealed)));
  block->page()->version = RingPage::kVersion;
  return block;
}

std::unique_ptr<RingBlock> RingBlock::Map(int fd) {
  auto sealed = SealedMemory::Map(fd, kPageBytes + kLeastCapacity, kPageBytes + kMostCapacity);
  if (sealed == nullptr || !ValidCapacity(sealed->size() - kPageBytes)) return nullptr;
  auto block = std::unique_ptr<RingBlock>(new RingBlock(std::move(sealed)));
  return block->page()->version == RingPage::kVersion ? std::move(block) : nullptr;
}

std::unique_ptr<RingBlock> RingBlock::Over(void* memory, size_t capacity) {
  return std::unique_ptr<RingBlock>(new RingBlock(memory, capacity));
}

// Writer

uint64_t RingWriter::passed() {
  if (broken_) return passed_;
  const uint64_t read = peer_->page()->read.load(std::memory_order_acquire);
  if (read < passed_ || read > written_) {
    broken_ = true;
  } else {
    passed_ = read;
  }
  return passed_;
}

ssize_t RingWriter::Write(const iovec* segments, size_t count) {
  const size_t capacity = own_->capacity();
  size_t room = capacity - static_cast<size_t>(written_ - passed_);
  // The peer's index lies in a cache line that the peer writes: look at it only when the room known so far is too little.
  size_t wanted = 0;
  for (size_t i = 0; i < count; i++) wanted += segments[i].iov_len;
  if (wanted > room) {
    room = capacity - static_cast<size_t>(written_ - passed());
    if (broken_) return -EPROTO;
  }
  if (room == 0) return -EAGAIN;
  if (awaiting_) {
    awaiting_ = false;
    own_->page()->room_at.store(0, std::memory_order_relaxed);
  }
  uint64_t at = written_;
  for (size_t i = 0; i < count && room > 0; i++) {
    const auto* from = static_cast<const uint8_t*>(segments[i].iov_base);
    const size_t size = segments[i].iov_len < room ? segments[i].iov_len : room;
    const Pieces to = At(at, size, capacity);
    if (to.first > 0) std::memcpy(own_->data() + to.offset, from, to.first);
    if (to.second > 0) std::memcpy(own_->data(), from + to.first, to.second);
    at += size;
    room -= size;
  }
  const auto taken = static_cast<ssize_t>(at - written_);
  written_ = at;
  own_->page()->written.store(at, std::memory_order_release);
  return taken;
}

bool RingWriter::MustWake() {
  // Between our store of `written` and this load; the reader does the same between its `asleep` and its load of
  // `written`. So at least one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const uint64_t asleep = peer_->page()->asleep.load(std::memory_order_relaxed);
  if (asleep == 0 || asleep == woken_) return false;
  woken_ = asleep;
  return true;
}

bool RingWriter::AwaitRoom() {
  const uint64_t goal = written_ - own_->capacity() / 2;
  awaiting_ = true;
  own_->page()->room_at.store(goal, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (passed() < goal && !broken_) return true;
  awaiting_ = false;
  own_->page()->room_at.store(0, std::memory_order_relaxed);
  return false;
}

// Reader

ssize_t RingReader::Read(const iovec* segments, size_t count) {
  const uint64_t written = peer_->page()->written.load(std::memory_order_acquire);
  const size_t capacity = peer_->capacity();
  // Also true if `written` went backwards, because the difference is unsigned.
  if (written - read_ > capacity) return -EPROTO;
  auto left = static_cast<size_t>(written - read_);
  if (left == 0) return 0;
  if (asleep_) {
    asleep_ = false;
    own_->page()->asleep.store(0, std::memory_order_relaxed);
  }
  uint64_t at = read_;
  for (size_t i = 0; i < count && left > 0; i++) {
    auto* to = static_cast<uint8_t*>(segments[i].iov_base);
    const size_t size = segments[i].iov_len < left ? segments[i].iov_len : left;
    const Pieces from = At(at, size, capacity);
    if (from.first > 0) std::memcpy(to, peer_->data() + from.offset, from.first);
    if (from.second > 0) std::memcpy(to + from.first, peer_->data(), from.second);
    at += size;
    left -= size;
  }
  const auto got = static_cast<ssize_t>(at - read_);
  read_ = at;
  // Before the bytes are handed on: what a process that dies may have used must never be sent again.
  own_->page()->read.store(at, std::memory_order_release);
  return got;
}

bool RingReader::MustWake() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const uint64_t goal = peer_->page()->room_at.load(std::memory_order_relaxed);
  if (goal == 0 || goal == woken_ || read_ < goal) return false;
  woken_ = goal;
  return true;
}

bool RingReader::Sleep() {
  asleep_ = true;
  // A new number each time, even if we only found nothing: the bell that woke us may have been for bytes that we had read
  // before it rang, and the writer rings once for each number.
  own_->page()->asleep.store(++sleeps_, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!Ready()) return true;
  asleep_ = false;
  own_->page()->asleep.store(0, std::memory_order_relaxed);
  return false;
}

}  // namespace zwire
