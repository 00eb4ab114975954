// Splits bytes into ZMTP 3.x frames (RFC 37 §Framing). Plain C++ without Node, libuv or JavaScript memory, so that it
// can be fuzzed alone. src/engine/incoming/decoder.ts has the same contract.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zwire {

// The same numbers as FrameFault in src/wire/frame-limits.ts.
enum class Fault : int {
  kNone = 0,
  kFrameTooLarge = 1,
  kCommandTooLarge = 2,
  kTooManyParts = 3,
  kMessageTooLarge = 4,
};

constexpr uint32_t kFlagMore = 0x01;
constexpr uint32_t kFlagLong = 0x02;
constexpr uint32_t kFlagCommand = 0x04;

// All maxima are inclusive. They are checked as soon as a header is complete, before memory is allocated for the body.
struct FrameLimits {
  uint64_t max_frame_bytes;
  uint64_t max_command_bytes;
  uint64_t max_parts;
  uint64_t max_message_bytes;
};

// One complete small frame. The offset of its body is relative to the input of Decode.
struct FrameEntry {
  uint32_t offset;
  uint32_t length;
  uint32_t flags;  // kFlagMore or kFlagCommand
};

// Receives the frames. It returns false or nullptr to stop the decoder (its stream was closed, or there is no memory).
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Complete small frames, between `begin` and `end` of the input; the table has their entries. The input's memory is
  // reused after the call unless the sink prevents that (Loop::lent).
  virtual bool Frames(const uint8_t* data, size_t begin, size_t end, size_t count) = 0;
  // Gives separate memory for one large body, at least `capacity` bytes.
  virtual uint8_t* BeginLarge(size_t capacity) = 0;
  // Moves the body to larger memory, and keeps its first `filled` bytes.
  virtual uint8_t* GrowLarge(size_t filled, size_t capacity) = 0;
  // The body is complete.
  virtual bool EndLarge(size_t length, uint32_t flags) = 0;
};

// Memory that all decoders of a thread have allocated for bytes that have not arrived yet. It is counted because a
// header of nine bytes can announce any size, and costs its sender nothing.
struct Ahead {
  size_t bytes = 0;
};

class FrameDecoder {
 public:
  // A body of at least this size gets separate memory, unless all of it is already in the input.
  static constexpr size_t kLargeBytes = 16 * 1024;
  // The most bytes of an incomplete small frame that are carried over to the next read.
  static constexpr size_t kCarryMax = kLargeBytes + 9;
  // At most this much memory is allocated ahead of the bytes that have arrived.
  static constexpr size_t kAheadBytes = 16 * 1024 * 1024;
  // If all decoders of the thread together exceed this, a body starts with kLargeBytes, and its memory doubles as bytes
  // arrive.
  static constexpr size_t kAheadTotal = kAheadBytes;

  // The caller owns the table. It holds the entries of the current Frames call.
  FrameDecoder(FrameEntry* table, size_t table_entries, FrameSink* sink, Ahead* ahead)
      : table_(table), table_entries_(table_entries), sink_(sink), ahead_(ahead) {}
  ~FrameDecoder() { ahead_->bytes -= ahead_of_us_; }
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  // A size limit of 2^63 or more becomes 2^63-1, so that a size with bit 63 set exceeds every limit (E4).
  void SetLimits(const FrameLimits& limits);

  // Bytes carried over from the last Decode. The caller puts them in front of the next input.
  size_t carry_size() const { return carry_.size(); }
  const uint8_t* carry() const { return carry_.data(); }

  // While a large body is being filled: where its next bytes go, and how many fit.
  bool filling() const { return body_ != nullptr; }
  uint8_t* fill_at() const { return body_ + filled_; }
  size_t fill_size() const { return capacity_ - filled_; }

  // Call after putting `size` bytes at fill_at(). False: the sink stopped the decoder.
  bool Filled(size_t size);

  // Decodes the input, which begins with the carried bytes. Must not be called while filling(). False: the sink stopped
  // it.
  bool Decode(const uint8_t* data, size_t size);

  // What was wrong with the last header. Once this is set, Decode must not be called again.
  Fault fault() const { return fault_; }
  // The size, or the number of parts, that was too large.
  uint64_t fault_size() const { return fault_size_; }

 private:
  Fault Check(uint32_t flags, uint64_t length) const;
  void Count(uint32_t flags, uint64_t length);
  bool Flush(const uint8_t* data, size_t begin, size_t end, size_t count);
  // Records how much memory this decoder has allocated for bytes that have not arrived.
  void SetAhead(size_t bytes);

  FrameLimits limits_{};
  FrameEntry* table_;
  size_t table_entries_;
  FrameSink* sink_;
  Ahead* ahead_;
  size_t ahead_of_us_ = 0;
  std::vector<uint8_t> carry_;
  uint8_t* body_ = nullptr;
  size_t capacity_ = 0;
  size_t filled_ = 0;
  uint64_t body_length_ = 0;
  uint32_t body_flags_ = 0;
  uint64_t parts_ = 0;
  uint64_t message_bytes_ = 0;
  Fault fault_ = Fault::kNone;
  uint64_t fault_size_ = 0;
};

}  // namespace zwire
