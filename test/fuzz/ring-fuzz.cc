// Fuzzes native/io/ring with libFuzzer. The peer's block is the fuzzer's: its indices and its bytes change between any
// two of our steps. Checked: nothing outside the two blocks is touched (the sanitizers see to it), a result is never
// more than what was asked for or than the ring holds, a broken peer stays broken, and between two honest sides every
// byte arrives once and in order.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "../../native/io/ring.h"

namespace {

using zwire::RingBlock;
using zwire::RingPage;
using zwire::RingReader;
using zwire::RingWriter;

constexpr size_t kCapacity = 1024;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

// Takes numbers from the input; zero when there is nothing left.
class Recipe {
 public:
  Recipe(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  uint64_t Take(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes && size_ > 0; i++, size_--) value = (value << 8) | *data_++;
    return value;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

// Memory of exactly one block, so that a step beyond it is seen.
struct Block {
  Block() : memory(new (std::align_val_t(64)) uint8_t[RingBlock::kPageBytes + kCapacity]) {
    std::memset(memory, 0, RingBlock::kPageBytes + kCapacity);
    block = RingBlock::Over(memory, kCapacity);
  }
  ~Block() { operator delete[](memory, std::align_val_t(64)); }
  RingPage* page() { return block->page(); }
  uint8_t* memory;
  std::unique_ptr<RingBlock> block;
};

// Two segments that cover `size` bytes of a buffer of its own.
struct Buffer {
  Buffer(size_t size, size_t cut) : bytes(size) {
    if (cut > size) cut = size;
    segments[0] = {bytes.data(), cut};
    segments[1] = {bytes.data() + cut, size - cut};
  }
  std::vector<uint8_t> bytes;
  iovec segments[2];
};

void AgainstHostile(Recipe& recipe) {
  Block own;
  Block peer;
  RingWriter writer(own.block.get(), peer.block.get());
  RingReader reader(own.block.get(), peer.block.get());
  bool broken = false;
  while (!recipe.empty()) {
    const uint64_t step = recipe.Take(1);
    std::atomic<uint64_t>* const fields[] = {&peer.page()->written, &peer.page()->read, &peer.page()->asleep,
                                             &peer.page()->room_at};
    switch (step % 8) {
      case 0:
      case 1:
        // Near what is plausible, or anything.
        fields[(step >> 3) % 4]->store(step % 8 == 0 ? recipe.Take(8) : recipe.Take(2));
        break;
      case 2:
        peer.block->data()[recipe.Take(2) % kCapacity] = static_cast<uint8_t>(recipe.Take(1));
        break;
      case 3: {
        Buffer buffer(recipe.Take(2) % 3000, recipe.Take(2) % 3000);
        const ssize_t taken = writer.Write(buffer.segments, 2);
        Require(taken <= static_cast<ssize_t>(kCapacity) && taken <= static_cast<ssize_t>(buffer.bytes.size()),
                "a write takes no more than there is and than the ring holds");
        Require(taken >= 0 || taken == -EAGAIN || taken == -EPROTO, "a write fails in two ways only");
        break;
      }
      case 4: {
        Buffer buffer(recipe.Take(2) % 3000, recipe.Take(2) % 3000);
        const ssize_t got = reader.Read(buffer.segments, 2);
        Require(got <= static_cast<ssize_t>(kCapacity) && got <= static_cast<ssize_t>(buffer.bytes.size()),
                "a read gives no more than was asked for and than the ring holds");
        Require(got >= 0 || got == -EPROTO, "a read fails in one way only");
        break;
      }
      case 5:
        reader.MustWake();
        reader.Sleep();
        break;
      case 6:
        writer.MustWake();
        writer.AwaitRoom();
        break;
      default:
        Require(writer.passed() <= writer.written(), "nobody has read what was not written");
        Require(!broken || writer.broken(), "a peer that has lied is believed again");
        broken = writer.broken();
    }
    Require(writer.written() - writer.passed() <= kCapacity, "the ring holds no more than its size");
  }
}

// Two honest sides of which either may stop between any two steps: the writer between a write and its look at whether the
// reader sleeps, the reader between a bell and what it does about it. Nobody may sleep for ever beside bytes that wait.
void Interleaved(Recipe& recipe) {
  Block left;
  Block right;
  RingWriter writer(left.block.get(), right.block.get());
  RingReader reader(right.block.get(), left.block.get());
  bool looks = false;  // the writer has written, and will look
  size_t bells = 0;
  bool asleep = false;
  while (!recipe.empty()) {
    const uint64_t step = recipe.Take(1);
    if (step % 3 == 0 && !looks) {
      Buffer buffer(1 + step * 7, step);
      looks = writer.Write(buffer.segments, 2) > 0;
    } else if (step % 3 == 1 && looks) {
      looks = false;
      if (writer.MustWake()) bells++;
    } else if (step % 3 == 2 && (!asleep || bells > 0)) {
      bells = 0;
      Buffer buffer(1 + step * 11, step);
      asleep = reader.Read(buffer.segments, 2) == 0 && reader.Sleep();
    }
    Require(!asleep || bells > 0 || looks || !reader.Ready(), "a reader sleeps beside bytes, and nobody will wake it");
  }
}

void BetweenHonest(Recipe& recipe) {
  Block left;
  Block right;
  RingWriter writer(left.block.get(), right.block.get());
  RingReader reader(right.block.get(), left.block.get());
  uint8_t next = 0;
  uint8_t expected = 0;
  bool slept = false;
  bool waited = false;
  while (!recipe.empty()) {
    const bool writes = recipe.Take(1) % 2 == 0;
    Buffer buffer(1 + recipe.Take(2) % 1500, recipe.Take(2) % 1500);
    if (writes) {
      for (size_t i = 0; i < buffer.bytes.size(); i++) buffer.bytes[i] = static_cast<uint8_t>(next + i);
      const ssize_t taken = writer.Write(buffer.segments, 2);
      Require(taken > 0 || taken == -EAGAIN, "an honest reader lets us write, or is slow");
      if (taken > 0) {
        next = static_cast<uint8_t>(next + taken);
        Require(writer.MustWake() == slept, "who sleeps is woken once, and nobody else");
        slept = false;
      } else {
        waited = writer.AwaitRoom();
        Require(waited || writer.passed() + kCapacity / 2 >= writer.written(), "who does not wait has room");
      }
    } else {
      const ssize_t got = reader.Read(buffer.segments, 2);
      Require(got >= 0, "an honest writer is read");
      for (ssize_t i = 0; i < got; i++) Require(buffer.bytes[i] == expected++, "bytes arrive once and in order");
      if (reader.MustWake()) {
        Require(waited, "who does not wait is not woken");
        waited = false;
      }
      if (got == 0) slept = reader.Sleep();
      Require(got > 0 || slept, "an empty ring lets the reader sleep");
    }
    Require(writer.passed() <= writer.written() && !writer.broken(), "honest sides believe each other");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Recipe recipe(data, size);
  switch (recipe.Take(1) % 3) {
    case 0:
      AgainstHostile(recipe);
      break;
    case 1:
      BetweenHonest(recipe);
      break;
    default:
      Interleaved(recipe);
  }
  return 0;
}
