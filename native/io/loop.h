// What all handles of one environment share: the loop, the receive buffer, and the count of handles that libuv has
// not let go of. No statics: a worker has its own.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "../codec/frame_decoder.h"

namespace zwire {

struct Loop {
  // Octets of one read.
  static constexpr size_t kReceiveBytes = 64 * 1024;

  explicit Loop(uv_loop_t* loop) : uv(loop), receive(FrameDecoder::kCarryMax + kReceiveBytes) {}

  void Opened() { handles++; }
  void Closed() {
    handles--;
    if (handles == 0 && on_idle) on_idle();
  }

  uv_loop_t* uv;
  // Shared by all streams: it is decoded and copied out before anybody else can read.
  std::vector<uint8_t> receive;
  size_t handles = 0;
  // Set during teardown: called when the last handle is closed.
  std::function<void()> on_idle;
};

}  // namespace zwire
