// See frame_decoder.h. Items E1 to E15 of the conformance list.
#include "frame_decoder.h"

#include <algorithm>
#include <cstring>

namespace zwire {

namespace {

uint64_t ReadLength(const uint8_t* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = (value << 8) | at[i];
  return value;
}

}  // namespace

void FrameDecoder::SetLimits(const FrameLimits& limits) {
  constexpr uint64_t kMost = (uint64_t{1} << 63) - 1;
  limits_ = {std::min(limits.max_frame_bytes, kMost), std::min(limits.max_command_bytes, kMost), limits.max_parts,
             limits.max_message_bytes};
}

Fault FrameDecoder::Check(uint32_t flags, uint64_t length) const {
  if (flags == kFlagCommand) {
    return length > limits_.max_command_bytes ? Fault::kCommandTooLarge : Fault::kNone;
  }
  // Covers a size with bit 63, too: the limit is below 2^63 (E4).
  if (length > limits_.max_frame_bytes) return Fault::kFrameTooLarge;
  if (parts_ >= limits_.max_parts) return Fault::kTooManyParts;
  // The subtraction cannot wrap: message_bytes_ never exceeds the limit.
  return length > limits_.max_message_bytes - message_bytes_ ? Fault::kMessageTooLarge : Fault::kNone;
}

void FrameDecoder::Count(uint32_t flags, uint64_t length) {
  if (flags == kFlagCommand) return;  // E7: a command between parts belongs to no message
  if (flags == kFlagMore) {
    parts_++;
    message_bytes_ += length;
  } else {
    parts_ = 0;
    message_bytes_ = 0;
  }
}

bool FrameDecoder::Flush(const uint8_t* data, size_t begin, size_t end, size_t count) {
  return count == 0 || sink_->Frames(data, begin, end, count);
}

bool FrameDecoder::Decode(const uint8_t* data, size_t size) {
  carry_.clear();
  size_t at = 0;
  size_t begin = 0;  // where the header of the first frame in the table begins
  size_t count = 0;
  while (size - at >= 2) {
    const uint8_t first = data[at];
    const bool is_long = (first & kFlagLong) != 0;
    const size_t header = is_long ? 9 : 2;
    if (size - at < header) break;
    const uint64_t length = is_long ? ReadLength(data + at + 1) : data[at + 1];
    // E5: reserved bits are ignored. E6: MORE means nothing on a command.
    const uint32_t flags = (first & kFlagCommand) != 0 ? kFlagCommand : (first & kFlagMore);
    fault_ = Check(flags, length);
    if (fault_ != Fault::kNone) {
      if (fault_ == Fault::kTooManyParts) fault_size_ = parts_ + 1;
      else if (fault_ == Fault::kMessageTooLarge) fault_size_ = message_bytes_ + length;
      else fault_size_ = length;
      return Flush(data, begin, at, count);
    }
    const size_t body = at + header;
    if (length > size - body) {
      if (length < kLargeBytes) break;
      Count(flags, length);
      if (!Flush(data, begin, at, count)) return false;
      capacity_ = static_cast<size_t>(std::min<uint64_t>(length, kAheadBytes));
      if (ahead_->bytes + capacity_ > kAheadTotal) capacity_ = kLargeBytes;
      SetAhead(capacity_);
      body_ = sink_->BeginLarge(capacity_);
      if (body_ == nullptr) return false;
      body_length_ = length;
      body_flags_ = flags;
      filled_ = 0;
      // The input ends before the body does, but a leftover may hold more of the body than kAheadBytes: so loop.
      for (at = body; at < size;) {
        const size_t take = std::min(size - at, fill_size());
        std::memcpy(fill_at(), data + at, take);
        at += take;
        if (!Filled(take)) return false;
      }
      return true;
    }
    Count(flags, length);
    if (count == table_entries_) {
      if (!Flush(data, begin, at, count)) return false;
      count = 0;
    }
    if (count == 0) begin = at;
    table_[count++] = {static_cast<uint32_t>(body), static_cast<uint32_t>(length), flags};
    at = body + static_cast<size_t>(length);
  }
  // Save the rest before the flush: the sink may let others reuse the input's memory.
  if (at < size) carry_.assign(data + at, data + size);
  else if (carry_.capacity() > 0) std::vector<uint8_t>().swap(carry_);  // an idle connection holds no memory
  return Flush(data, begin, at, count);
}

void FrameDecoder::SetAhead(size_t bytes) {
  ahead_->bytes += bytes - ahead_of_us_;  // the difference may wrap; the sum wraps back
  ahead_of_us_ = bytes;
}

bool FrameDecoder::Filled(size_t size) {
  filled_ += size;
  SetAhead(capacity_ - filled_);
  if (filled_ < capacity_) return true;
  if (filled_ < body_length_) {
    // The body is larger than its memory: double the memory, because that much has now arrived.
    capacity_ = static_cast<size_t>(std::min<uint64_t>(body_length_, static_cast<uint64_t>(capacity_) * 2));
    SetAhead(capacity_ - filled_);
    body_ = sink_->GrowLarge(filled_, capacity_);
    return body_ != nullptr;
  }
  body_ = nullptr;
  return sink_->EndLarge(filled_, body_flags_);
}

}  // namespace zwire
