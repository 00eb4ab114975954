// What all handles of one environment share: the loop, the receive buffer, the time that they may take of one turn, and
// the count of handles that libuv has not let go of. No statics: a worker has its own.
#pragma once

#include <uv.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "../codec/frame_decoder.h"

namespace zwire {

// Has something to do that can wait for the next turn.
class Deferrable {
 public:
  virtual void Serve() = 0;

 protected:
  ~Deferrable() = default;
};

struct Loop {
  // Bytes of one read.
  static constexpr size_t kReceiveBytes = 64 * 1024;
  // Size of the receive buffer: what was carried over goes in front of what is read.
  static constexpr size_t kBufferBytes = FrameDecoder::kCarryMax + kReceiveBytes;
  // From here on frames are not copied out of the receive buffer: it is lent to JavaScript and replaced. Against copying
  // every read out of one buffer that stays in the cache, 1 KiB messages went 1.5 times as fast with 0.75 times the
  // receiver's CPU; 16 B, 256 B and 64 KiB did not change.
  static constexpr size_t kLendBytes = 32 * 1024;

  // Nanoseconds that input may take in one turn of the event loop, all connections together, and one of them or one
  // acceptor. Bytes say little of the work in them: a megabyte is a hundred thousand PINGs, and took half a second.
  static constexpr uint64_t kTurnNs = 8'000'000;
  static constexpr uint64_t kShareNs = 2'000'000;

  explicit Loop(uv_loop_t* loop) : uv(loop) {}

  // kBufferBytes to read into, or nullptr where there are none to be had.
  uint8_t* Receive() {
    if (receive == nullptr || lent) receive = new_receive();
    lent = false;
    return receive;
  }

  // Whether this turn has had its time: what is due waits for the next, in order.
  bool TurnOver() {
    const uint64_t now = uv_hrtime();
    if (turn_began == 0) turn_began = now;
    return now - turn_began >= kTurnNs;
  }

  // Of the same environment's Init, once: counts turns. Without it none is ever over.
  void CountTurns(const std::shared_ptr<Loop>& self) {
    if (counting) return;
    counting = self;
    uv_prepare_init(uv, &prepare);
    prepare.data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(&prepare));
    uv_prepare_start(&prepare, [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->NextTurn(); });
  }

  // During teardown, behind the handles that use it.
  void StopTurns() {
    if (!counting) return;
    handles++;
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), [](uv_handle_t* handle) {
      auto* loop = static_cast<Loop*>(handle->data);
      const std::shared_ptr<Loop> last = std::move(loop->counting);
      loop->Closed();
    });
  }

  void NextTurn() {
    turn_began = 0;
    while (!deferred.empty() && !TurnOver()) {
      Deferrable* next = deferred.front();
      deferred.pop_front();
      next->Serve();
    }
  }

  void Opened() { handles++; }
  void Closed() {
    handles--;
    if (handles == 0 && on_idle) on_idle();
  }

  uv_loop_t* uv;
  // Shared by all streams: what one reads is decoded and copied out, or lent, before another can read.
  uint8_t* receive = nullptr;
  Ahead ahead;
  // JavaScript has views of the receive buffer. It stays alive until the next is made.
  bool lent = false;
  std::function<uint8_t*()> new_receive;
  size_t handles = 0;
  // Who has waited since an earlier turn, longest first. The loop polls without waiting meanwhile: their descriptors are
  // readable.
  std::deque<Deferrable*> deferred;
  // When input was first handled in this turn; 0 when none was yet.
  uint64_t turn_began = 0;
  uv_prepare_t prepare;
  // Itself, while libuv knows `prepare`.
  std::shared_ptr<Loop> counting;
  // Set during teardown: called when the last handle is closed.
  std::function<void()> on_idle;
};

}  // namespace zwire
