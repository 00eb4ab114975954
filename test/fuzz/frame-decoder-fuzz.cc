// libFuzzer target for native/codec: the same octets whole and cut at every kind of place must give the same frames
// and the same fault, within the announced limits, whatever they are. Run by test/fuzz/run.sh under ASan and UBSan.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../../native/codec/frame_decoder.h"

using zwire::Fault;
using zwire::FrameDecoder;
using zwire::FrameEntry;
using zwire::FrameLimits;
using zwire::FrameSink;

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

// Collects frames as text, and checks what every sink relies on.
class Collector : public FrameSink {
 public:
  Collector(const FrameEntry* table, size_t table_entries, const FrameLimits& limits)
      : table_(table), table_entries_(table_entries), limits_(limits) {}

  bool Frames(const uint8_t* data, size_t size, size_t count) override {
    Require(count > 0 && count <= table_entries_, "a table is neither empty nor overfull");
    const std::vector<uint8_t> chunk(data, data + size);  // ASan sees any offset outside
    for (size_t i = 0; i < count; i++) {
      const FrameEntry& entry = table_[i];
      Require(entry.offset <= size && entry.length <= size - entry.offset, "a frame lies in its chunk");
      Add(chunk.data() + entry.offset, entry.length, entry.flags);
    }
    return true;
  }

  uint8_t* BeginLarge(size_t capacity) override {
    Require(capacity <= FrameDecoder::kAheadBytes, "memory is not taken far ahead");
    body_.reset(new uint8_t[capacity]);
    capacity_ = capacity;
    return body_.get();
  }

  uint8_t* GrowLarge(size_t filled, size_t capacity) override {
    Require(filled == capacity_ && capacity > capacity_, "a body grows when it is full");
    std::unique_ptr<uint8_t[]> grown(new uint8_t[capacity]);
    std::memcpy(grown.get(), body_.get(), filled);
    body_ = std::move(grown);
    capacity_ = capacity;
    return body_.get();
  }

  bool EndLarge(size_t length, uint32_t flags) override {
    Require(length == capacity_, "a body fills its memory");
    Add(body_.get(), length, flags);
    body_.reset();
    return true;
  }

  std::string seen;

 private:
  void Add(const uint8_t* body, size_t length, uint32_t flags) {
    Require(flags == 0 || flags == zwire::kFlagMore || flags == zwire::kFlagCommand, "flags are normalised");
    const bool command = flags == zwire::kFlagCommand;
    Require(length <= (command ? limits_.max_command_bytes : limits_.max_frame_bytes), "a body keeps its limit");
    if (!command) {
      parts_++;
      octets_ += length;
      Require(parts_ <= limits_.max_parts && octets_ <= limits_.max_message_bytes, "a message keeps its limits");
      if (flags == 0) parts_ = octets_ = 0;
    }
    seen += std::to_string(flags) + ":" + std::to_string(length) + ":";
    seen.append(reinterpret_cast<const char*>(body), length);
  }

  const FrameEntry* table_;
  size_t table_entries_;
  FrameLimits limits_;
  std::unique_ptr<uint8_t[]> body_;
  size_t capacity_ = 0;
  uint64_t parts_ = 0;
  uint64_t octets_ = 0;
};

struct Result {
  std::string seen;
  Fault fault;
  uint64_t fault_octets;
};

// Feeds the decoder as a stream does: the carry in front of new octets, or straight into a large body.
template <typename NextSize>
Result Run(const uint8_t* data, size_t size, const FrameLimits& limits, size_t table_entries, NextSize next_size) {
  std::vector<FrameEntry> table(table_entries);
  Collector sink(table.data(), table_entries, limits);
  FrameDecoder decoder(table.data(), table_entries, &sink);
  decoder.SetLimits(limits);
  size_t at = 0;
  while (at < size && decoder.fault() == Fault::kNone) {
    const size_t take = std::min(size - at, std::max<size_t>(1, next_size()));
    if (decoder.filling()) {
      const size_t fill = std::min(take, decoder.fill_size());
      std::memcpy(decoder.fill_at(), data + at, fill);
      at += fill;
      Require(decoder.Filled(fill), "the sink wants all");
      continue;
    }
    Require(decoder.carry_size() <= FrameDecoder::kCarryMax, "the carry is bounded");
    std::vector<uint8_t> input(decoder.carry(), decoder.carry() + decoder.carry_size());
    input.insert(input.end(), data + at, data + at + take);
    at += take;
    Require(decoder.Decode(input.data(), input.size()), "the sink wants all");
  }
  return {sink.seen, decoder.fault(), decoder.fault_octets()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  // The first octets choose limits, table size and cuts; the rest is the stream.
  const FrameLimits limits{data[0] < 128 ? uint64_t{1} << (data[0] % 32) : 100000u, uint64_t{1} << (data[1] % 20),
                           static_cast<uint64_t>(data[2]) + 1, data[3] < 128 ? uint64_t{1} << (data[3] % 32) : 200000u};
  const size_t table_entries = static_cast<size_t>(data[4]) + 1;
  uint32_t state = static_cast<uint32_t>(data[5]) << 16 | static_cast<uint32_t>(data[6]) << 8 | data[7];
  // Stretched, so that large bodies are reached: every octet from the middle on stands for many.
  std::vector<uint8_t> stream(data + 8, data + size);
  if ((data[7] & 3) == 0) stream.resize(stream.size() + 70000, 0x5a);

  const Result whole = Run(stream.data(), stream.size(), limits, table_entries, [&] { return stream.size(); });
  const Result single = stream.size() > 4096 ? whole : Run(stream.data(), stream.size(), limits, 1, [] { return 1; });
  const Result cut = Run(stream.data(), stream.size(), limits, table_entries, [&state] {
    state = state * 1664525u + 1013904223u;
    return static_cast<size_t>((state >> 8) % ((state >> 28) == 0 ? 40000u : 37u));
  });
  for (const Result* other : {&single, &cut}) {
    Require(whole.seen == other->seen, "the same frames however the stream is cut");
    Require(whole.fault == other->fault && whole.fault_octets == other->fault_octets, "the same fault");
  }
  return 0;
}
