// What all handles of one environment share: the loop, the receive buffer, and the count of handles that libuv has
// not let go of. No statics: a worker has its own.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>

#include "../codec/frame_decoder.h"

namespace zwire {

struct Loop {
  // Octets of one read.
  static constexpr size_t kReceiveBytes = 64 * 1024;
  // Size of the receive buffer: what was carried over goes in front of what is read.
  static constexpr size_t kBufferBytes = FrameDecoder::kCarryMax + kReceiveBytes;
  // From here on frames are not copied out of the receive buffer: it is lent to JavaScript and replaced. Against copying
  // every read out of one buffer that stays in the cache, 1 KiB messages went 1.5 times as fast with 0.75 times the
  // receiver's CPU; 16 B, 256 B and 64 KiB did not change.
  static constexpr size_t kLendBytes = 32 * 1024;

  explicit Loop(uv_loop_t* loop) : uv(loop) {}

  // kBufferBytes to read into, or nullptr where there are none to be had.
  uint8_t* Receive() {
    if (receive == nullptr || lent) receive = new_receive();
    lent = false;
    return receive;
  }

  void Opened() { handles++; }
  void Closed() {
    handles--;
    if (handles == 0 && on_idle) on_idle();
  }

  uv_loop_t* uv;
  // Shared by all streams: what one reads is decoded and copied out, or lent, before another can read.
  uint8_t* receive = nullptr;
  // JavaScript has views of the receive buffer. It stays alive until the next is made.
  bool lent = false;
  std::function<uint8_t*()> new_receive;
  size_t handles = 0;
  // Set during teardown: called when the last handle is closed.
  std::function<void()> on_idle;
};

}  // namespace zwire
