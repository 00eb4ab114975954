// Splits bytes into ZMTP 3.x frames (RFC 37 §Framing). Plain C++: knows neither Node nor libuv nor memory that
// belongs to JavaScript, so that it can be fuzzed alone. The same contract as src/engine/decoder.ts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zwire {

// Shared with FrameFault in src/transport/transport.ts.
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

// All inclusive maxima, checked as soon as a header is complete and before memory is taken.
struct FrameLimits {
  uint64_t max_frame_bytes;
  uint64_t max_command_bytes;
  uint64_t max_parts;
  uint64_t max_message_bytes;
};

// One whole small frame; the offset is relative to the decoded input.
struct FrameEntry {
  uint32_t offset;
  uint32_t length;
  uint32_t flags;  // kFlagMore or kFlagCommand
};

// Where frames go. A sink that wants no more (its stream was closed) answers false or nullptr.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Whole small frames, between `begin` and `end` of the input. Its memory is reused afterwards unless the sink sees
  // to it that it is not.
  virtual bool Frames(const uint8_t* data, size_t begin, size_t end, size_t count) = 0;
  // Memory for a body of its own, at least `capacity` bytes.
  virtual uint8_t* BeginLarge(size_t capacity) = 0;
  // The same body in larger memory; the first `filled` bytes are kept.
  virtual uint8_t* GrowLarge(size_t filled, size_t capacity) = 0;
  // The body is complete.
  virtual bool EndLarge(size_t length, uint32_t flags) = 0;
};

// Memory that all decoders of a thread have taken for bytes that have not arrived: nine bytes announce any size, and
// cost their sender nothing.
struct Ahead {
  size_t bytes = 0;
};

class FrameDecoder {
 public:
  // Bodies from here on get memory of their own unless they lie whole in the input.
  static constexpr size_t kLargeBytes = 16 * 1024;
  // A cut-off small frame that is carried to the next read is never longer.
  static constexpr size_t kCarryMax = kLargeBytes + 9;
  // Memory is never taken further ahead of what has arrived.
  static constexpr size_t kAheadBytes = 16 * 1024 * 1024;
  // Beyond this, all decoders together, a body begins small and its memory follows what arrives by doubling.
  static constexpr size_t kAheadTotal = kAheadBytes;

  // The table belongs to the caller and holds the entries of the running Frames call.
  FrameDecoder(FrameEntry* table, size_t table_entries, FrameSink* sink, Ahead* ahead)
      : table_(table), table_entries_(table_entries), sink_(sink), ahead_(ahead) {}
  ~FrameDecoder() { ahead_->bytes -= ahead_of_us_; }
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  // Limits of 2^63 and more are taken as 2^63-1, so that a size with bit 63 is above any (E4).
  void SetLimits(const FrameLimits& limits);

  // Bytes carried over from the last Decode, to be put in front of the next input.
  size_t carry_size() const { return carry_.size(); }
  const uint8_t* carry() const { return carry_.data(); }

  // While a large body is filling: where the next bytes go, and how many.
  bool filling() const { return body_ != nullptr; }
  uint8_t* fill_at() const { return body_ + filled_; }
  size_t fill_size() const { return capacity_ - filled_; }

  // `size` bytes have been put at fill_at(). False: the sink wants no more.
  bool Filled(size_t size);

  // Whole input, the carried bytes in front. Not to be called while filling. False: the sink wants no more.
  bool Decode(const uint8_t* data, size_t size);

  // Once set, nothing more may be fed.
  Fault fault() const { return fault_; }
  // The size, or the number of parts, that was too large.
  uint64_t fault_size() const { return fault_size_; }

 private:
  Fault Check(uint32_t flags, uint64_t length) const;
  void Count(uint32_t flags, uint64_t length);
  bool Flush(const uint8_t* data, size_t begin, size_t end, size_t count);
  // What has been taken for the body, and not arrived.
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
