// Fuzzes native/codec with libFuzzer: each input is decoded whole, then cut at pseudo-random points, and both results
// must equal those of a reference parser that is too plain to be wrong (E1 to E8, E11, E15). Also checked: no entry
// points outside its chunk, no memory is asked for beyond the limits, and a sink that wants no more gets no more.
// Feeds the decoder as native/io/stream.cc does. Knows neither Node nor libuv.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../native/codec/frame_decoder.h"

namespace {

using zwire::Fault;
using zwire::FrameDecoder;
using zwire::FrameEntry;
using zwire::FrameLimits;
using zwire::kFlagCommand;
using zwire::kFlagLong;
using zwire::kFlagMore;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

struct Frame {
  uint32_t flags;
  std::string body;
  bool operator==(const Frame& other) const { return flags == other.flags && body == other.body; }
};

// What came out of one run.
struct Result {
  std::vector<Frame> frames;
  Fault fault = Fault::kNone;
  // What was too large: a size, or a number of parts.
  uint64_t fault_size = 0;
};

// Takes bytes from the input's head, which says how to run; zero when there are none left.
class Recipe {
 public:
  Recipe(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint32_t Take(int octets) {
    uint32_t value = 0;
    for (int i = 0; i < octets && size_ > 0; i++, size_--) value = (value << 8) | *data_++;
    return value;
  }
  const uint8_t* rest() const { return data_; }
  size_t rest_size() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_;
};

// Compares every frame and every request for memory with what the limits allow.
class CheckingSink : public zwire::FrameSink {
 public:
  CheckingSink(const FrameEntry* table, size_t entries, const FrameLimits& limits, size_t wanted)
      : table_(table),
        entries_(entries),
        body_max_(std::max(limits.max_frame_bytes, limits.max_command_bytes)),
        wanted_(wanted) {}

  bool Frames(const uint8_t* data, size_t begin, size_t limit, size_t count) override {
    Require(!refused_, "frames after the sink refused");
    Require(!large_open_, "small frames while a large body is open");
    Require(count > 0 && count <= entries_, "count lies within the table");
    Require(begin < limit, "frames have octets");
    // An exact copy, as the bindings make it: reading beyond it is an error that the sanitizer sees.
    const size_t size = limit - begin;
    const std::unique_ptr<uint8_t[]> chunk(new uint8_t[size]);
    std::memcpy(chunk.get(), data + begin, size);
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
      FrameEntry entry = table_[i];
      Require(entry.offset >= begin, "a body lies behind the chunk's begin");
      entry.offset -= static_cast<uint32_t>(begin);
      Require(entry.offset >= end + 2 && entry.offset <= end + 9, "only a header lies between two bodies");
      Require(entry.offset <= size && entry.length <= size - entry.offset, "a body lies within its chunk");
      Require((entry.flags & ~(kFlagMore | kFlagCommand)) == 0, "flags are MORE and COMMAND only");
      result.frames.push_back(
          {entry.flags, std::string(reinterpret_cast<char*>(chunk.get()) + entry.offset, entry.length)});
      end = size_t{entry.offset} + entry.length;
    }
    Require(end == size, "the chunk ends with its last frame");
    return Continue();
  }

  uint8_t* BeginLarge(size_t capacity) override {
    Require(!refused_ && !large_open_, "one large body at a time");
    Require(capacity > 0 && capacity <= FrameDecoder::kAheadBytes, "not too far ahead of what has arrived");
    Require(capacity <= body_max_, "no memory beyond the limits");
    large_open_ = true;
    capacity_ = capacity;
    body_.reset(new uint8_t[capacity]);
    return body_.get();
  }

  uint8_t* GrowLarge(size_t filled, size_t capacity) override {
    Require(large_open_ && filled <= capacity_, "only an open body grows");
    Require(capacity > filled && capacity <= filled * 2 && capacity <= body_max_, "grows by doubling at most");
    std::unique_ptr<uint8_t[]> grown(new uint8_t[capacity]);
    std::memcpy(grown.get(), body_.get(), filled);
    body_ = std::move(grown);
    capacity_ = capacity;
    return body_.get();
  }

  bool EndLarge(size_t length, uint32_t flags) override {
    Require(large_open_ && length == capacity_, "a large body has exactly its length");
    Require((flags & ~(kFlagMore | kFlagCommand)) == 0, "flags are MORE and COMMAND only");
    large_open_ = false;
    result.frames.push_back({flags, std::string(reinterpret_cast<char*>(body_.get()), length)});
    body_.reset();
    return Continue();
  }

  Result result;

 private:
  bool Continue() {
    if (wanted_ > 0) wanted_--;
    refused_ = wanted_ == 0;
    return !refused_;
  }

  const FrameEntry* table_;
  size_t entries_;
  uint64_t body_max_;
  size_t wanted_;
  bool refused_ = false;
  bool large_open_ = false;
  size_t capacity_ = 0;
  std::unique_ptr<uint8_t[]> body_;
};

// The reference: straight from RFC 37, all of the input at hand, no state but the unfinished message.
Result Reference(const std::string& input, const FrameLimits& limits) {
  Result result;
  uint64_t parts = 0;
  uint64_t octets = 0;
  size_t at = 0;
  while (at < input.size()) {
    const auto first = static_cast<uint8_t>(input[at]);
    const size_t size_octets = (first & kFlagLong) != 0 ? 8 : 1;
    if (input.size() - at < 1 + size_octets) break;
    uint64_t length = 0;
    for (size_t i = 0; i < size_octets; i++) length = length << 8 | static_cast<uint8_t>(input[at + 1 + i]);
    const bool command = (first & kFlagCommand) != 0;
    const bool more = !command && (first & kFlagMore) != 0;
    const bool bit63 = length >> 63 != 0;
    if (command && (bit63 || length > limits.max_command_bytes)) result.fault = Fault::kCommandTooLarge;
    else if (!command && (bit63 || length > limits.max_frame_bytes)) result.fault = Fault::kFrameTooLarge;
    else if (!command && parts + 1 > limits.max_parts) result.fault = Fault::kTooManyParts;
    else if (!command && length > limits.max_message_bytes - octets) result.fault = Fault::kMessageTooLarge;
    if (result.fault != Fault::kNone) {
      result.fault_size = result.fault == Fault::kTooManyParts      ? parts + 1
                          : result.fault == Fault::kMessageTooLarge ? octets + length
                                                                    : length;
      break;
    }
    at += 1 + size_octets;
    if (length > input.size() - at) break;
    result.frames.push_back({command ? kFlagCommand
                             : more  ? kFlagMore
                                     : 0,
                             input.substr(at, static_cast<size_t>(length))});
    at += static_cast<size_t>(length);
    if (command) continue;
    parts = more ? parts + 1 : 0;
    octets = more ? octets + length : 0;
  }
  return result;
}

// Decodes the input in pieces whose sizes come from `next_piece`.
template <typename NextPiece>
Result Run(const std::string& input, const FrameLimits& limits, size_t entries, size_t wanted, NextPiece next_piece) {
  std::vector<FrameEntry> table(entries);
  CheckingSink sink(table.data(), entries, limits, wanted);
  zwire::Ahead ahead;
  FrameDecoder decoder(table.data(), entries, &sink, &ahead);
  decoder.SetLimits(limits);
  size_t at = 0;
  while (at < input.size()) {
    size_t piece = std::min(std::max<size_t>(next_piece(), 1), input.size() - at);
    if (decoder.filling()) {
      piece = std::min(piece, decoder.fill_size());
      Require(piece > 0, "an open body has room");
      std::memcpy(decoder.fill_at(), input.data() + at, piece);
      at += piece;
      if (!decoder.Filled(piece)) break;
      continue;
    }
    const size_t carried = decoder.carry_size();
    Require(carried <= FrameDecoder::kCarryMax, "what is carried over fits in front of the receive buffer");
    // Memory of the exact size: reading beyond it is an error that the sanitizer sees.
    const std::unique_ptr<uint8_t[]> data(new uint8_t[carried + piece]);
    if (carried > 0) std::memcpy(data.get(), decoder.carry(), carried);
    std::memcpy(data.get() + carried, input.data() + at, piece);
    at += piece;
    if (!decoder.Decode(data.get(), carried + piece)) break;
    if (decoder.fault() != Fault::kNone) break;
  }
  sink.result.fault = decoder.fault();
  sink.result.fault_size = decoder.fault_size();
  return sink.result;
}

// The rest of the input as it is, or as a list of short orders for frames that random bytes would never hit upon:
// large ones, and sizes just beside the borders.
std::string Stream(Recipe* recipe, bool raw) {
  if (raw) return std::string(reinterpret_cast<const char*>(recipe->rest()), recipe->rest_size());
  static constexpr uint32_t kBorders[] = {
      0, 1, 255, 256, FrameDecoder::kLargeBytes - 1, FrameDecoder::kLargeBytes, FrameDecoder::kLargeBytes + 1, 65536};
  std::string stream;
  while (recipe->rest_size() > 0 && stream.size() < (1 << 19)) {
    const uint32_t order = recipe->Take(1);
    const uint32_t size = (order & 0x80) != 0 ? kBorders[(order >> 4) & 7] : recipe->Take(2);
    const bool is_long = size > 255 || (order & kFlagLong) != 0;
    // Bit 3 is reserved on the wire (E5).
    stream.push_back(static_cast<char>((order & 0x0d) | (is_long ? kFlagLong : 0)));
    for (int shift = is_long ? 56 : 0; shift >= 0; shift -= 8) {
      stream.push_back(static_cast<char>(static_cast<uint64_t>(size) >> shift));
    }
    for (uint32_t i = 0; i < size; i++) stream.push_back(static_cast<char>(i * 31 + order));
  }
  return stream;
}

void RequireSame(const Result& expected, const Result& actual, const char* what) {
  Require(expected.frames == actual.frames, what);
  Require(expected.fault == actual.fault && expected.fault_size == actual.fault_size, what);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Recipe recipe(data, size);
  const uint32_t shape = recipe.Take(1);
  const uint32_t seed = recipe.Take(2);
  const size_t entries = 1 + (shape >> 4);
  // From limits that hold everything back to none at all; sizes with bit 63 are refused by any (E4).
  const auto limit = [&recipe] {
    const uint32_t value = recipe.Take(2);
    if (value == 0xffff) return UINT64_MAX;
    return value == 0xfffe ? (uint64_t{1} << 63) - 1 : uint64_t{value} * (value & 7);
  };
  FrameLimits limits;
  limits.max_frame_bytes = limit();
  limits.max_command_bytes = limit();
  limits.max_parts = 1 + recipe.Take(1);
  limits.max_message_bytes = limit();
  const std::string input = Stream(&recipe, (shape & 1) != 0);

  const size_t all = static_cast<size_t>(-1);
  const Result expected = Reference(input, limits);
  RequireSame(expected, Run(input, limits, entries, all, [&] { return input.size(); }), "whole as the reference");
  uint32_t random = seed | 1;
  const size_t longest = (shape & 2) != 0 ? 7 : 1 + (seed & 0xfff) * 16;
  const auto pieces = [&random, longest] {
    random = random * 1664525 + 1013904223;
    return 1 + (random >> 8) % longest;
  };
  RequireSame(expected, Run(input, limits, entries, all, pieces), "cut as whole (E11)");
  if (input.size() <= 2048) {
    RequireSame(expected, Run(input, limits, entries, all, [] { return size_t{1}; }), "octet by octet as whole (E11)");
  }
  const Result cut_short = Run(input, limits, entries, 1 + (shape >> 2 & 3), pieces);
  Require(cut_short.frames.size() <= expected.frames.size() &&
              std::equal(cut_short.frames.begin(), cut_short.frames.end(), expected.frames.begin()),
          "a sink that refuses has seen the beginning");
  return 0;
}
