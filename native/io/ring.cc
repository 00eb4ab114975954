// See ring.h.
#include "ring.h"

#include <cerrno>
#include <cstring>

#include "address_space.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace zwire {

namespace {

#ifdef __linux__

bool ValidCapacity(size_t capacity) {
  return capacity >= RingBlock::kLeastCapacity && capacity <= RingBlock::kMostCapacity &&
         (capacity & (capacity - 1)) == 0;
}

// Not in the headers of older C libraries.
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#endif
#ifndef MFD_ALLOW_SEALING
#define MFD_ALLOW_SEALING 0x0002U
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

// Without F_SEAL_FUTURE_WRITE the peer could map the memory writable.
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

int NewMemory() {
#ifdef SYS_memfd_create
  return static_cast<int>(syscall(SYS_memfd_create, "zwire", MFD_CLOEXEC | MFD_ALLOW_SEALING));
#else
  errno = ENOSYS;
  return -1;
#endif
}

#endif

}  // namespace

#ifdef __linux__

std::unique_ptr<RingBlock> RingBlock::Create(size_t capacity, int* fd) {
  *fd = -EINVAL;
  if (!ValidCapacity(capacity)) return nullptr;
  // The peer's block comes, too.
  if (!SparesAddressSpace(2 * (kPageBytes + capacity))) {
    *fd = -ENOMEM;
    return nullptr;
  }
  const int memory = NewMemory();
  if (memory < 0) {
    *fd = -errno;
    return nullptr;
  }
  const size_t size = kPageBytes + capacity;
  void* mapped = MAP_FAILED;
  if (ftruncate(memory, static_cast<off_t>(size)) == 0) {
    mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  }
  // The last seal allows our mapping, which exists already, and no other that could write.
  if (mapped == MAP_FAILED || fcntl(memory, F_ADD_SEALS, kSeals) != 0) {
    *fd = -errno;
    if (mapped != MAP_FAILED) munmap(mapped, size);
    close(memory);
    return nullptr;
  }
  *fd = memory;
  auto block = std::unique_ptr<RingBlock>(new RingBlock(mapped, capacity, true));
  block->page()->version = RingPage::kVersion;
  return block;
}

std::unique_ptr<RingBlock> RingBlock::Map(int fd) {
  const int seals = fcntl(fd, F_GET_SEALS);
  struct stat status;
  if (seals < 0 || (seals & kSeals) != kSeals || fstat(fd, &status) != 0) return nullptr;
  const auto size = static_cast<size_t>(status.st_size);
  if (size <= kPageBytes || !ValidCapacity(size - kPageBytes) || !SparesAddressSpace(size)) return nullptr;
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto block = std::unique_ptr<RingBlock>(new RingBlock(mapped, size - kPageBytes, true));
  return block->page()->version == RingPage::kVersion ? std::move(block) : nullptr;
}

RingBlock::~RingBlock() {
  if (mapped_) munmap(memory_, kPageBytes + capacity_);
}

#else

// Only Linux has sealed memory without a name. The rest of this file does not depend on it.
std::unique_ptr<RingBlock> RingBlock::Create(size_t, int* fd) {
  *fd = -ENOTSUP;
  return nullptr;
}

std::unique_ptr<RingBlock> RingBlock::Map(int) { return nullptr; }

RingBlock::~RingBlock() = default;

#endif

std::unique_ptr<RingBlock> RingBlock::Over(void* memory, size_t capacity) {
  return std::unique_ptr<RingBlock>(new RingBlock(memory, capacity, false));
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
    const size_t offset = static_cast<size_t>(at) & (capacity - 1);
    const size_t first = size < capacity - offset ? size : capacity - offset;
    if (first > 0) std::memcpy(own_->data() + offset, from, first);
    if (size > first) std::memcpy(own_->data(), from + first, size - first);
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
    const size_t offset = static_cast<size_t>(at) & (capacity - 1);
    const size_t first = size < capacity - offset ? size : capacity - offset;
    if (first > 0) std::memcpy(to, peer_->data() + offset, first);
    if (size > first) std::memcpy(to + first, peer_->data(), size - first);
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
