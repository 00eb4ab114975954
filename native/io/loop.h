// What all handles of one environment share: the event loop, the receive buffer, the time limit of a turn, and the
// number of handles that libuv has not closed yet. There are no static variables: each worker has its own.
#pragma once

#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "../codec/frame_decoder.h"

namespace zwire {

// Something whose work can wait for the next turn of the event loop.
class Deferrable {
 public:
  // Does the work that was deferred.
  virtual void Serve() = 0;

 protected:
  ~Deferrable() = default;
};

// Something that looks at shared memory for a while before the event loop sleeps, because a wake-up takes long.
class Spinner {
 public:
  // How long, in nanoseconds.
  virtual uint64_t SpinTime() const = 0;
  // Whether there is something to do.
  virtual bool Ready() const = 0;
  // There is, or the time is over and the event loop may sleep now. The spinner has left the list.
  virtual void SpinEnds(bool ready) = 0;

 protected:
  ~Spinner() = default;
};

struct Loop {
  // The most bytes of one read.
  static constexpr size_t kReceiveBytes = 64 * 1024;
  // The size of the receive buffer: bytes that were carried over lie in front of those that are read.
  static constexpr size_t kBufferBytes = FrameDecoder::kCarryMax + kReceiveBytes;
  // If a read gives this many bytes of frames or more, they are not copied out of the receive buffer. Instead the
  // buffer is lent to JavaScript, and a new one replaces it. Compared with copying every read out of one buffer that
  // stays in the cache, messages of 1 KiB were 1.5 times as fast with 0.75 times the receiver's CPU; 16 B, 256 B and 64
  // KiB were equal.
  static constexpr size_t kLendBytes = 32 * 1024;

  // How long input may take in one turn of the event loop, in nanoseconds: for all connections together (kTurnNs), and
  // for one connection or acceptor (kShareNs). The limit is a time, because bytes do not tell the work that they cause:
  // a megabyte can be a hundred thousand PINGs, which took half a second.
  static constexpr uint64_t kTurnNs = 8'000'000;
  static constexpr uint64_t kShareNs = 2'000'000;

  // The most bytes of all rings of this thread in shared memory. A ring that was used keeps its pages until its
  // connection ends, so that a thousand connections could take gigabytes; those beyond this stay on their sockets.
  static constexpr size_t kSharedBytes = 512 * 1024 * 1024;

  explicit Loop(uv_loop_t* loop) : uv(loop) {}

  // A buffer of kBufferBytes to read into, or nullptr if there is no memory.
  uint8_t* Receive() {
    if (receive == nullptr || lent) receive = new_receive();
    lent = false;
    return receive;
  }

  // Whether this turn has used up its time. If so, further input waits for the next turn, in order.
  bool TurnOver() {
    const uint64_t now = uv_hrtime();
    if (turn_began == 0) turn_began = now;
    return now - turn_began >= kTurnNs;
  }

  // Starts to measure turns. The environment's first Init calls it; without it a turn would never end. `self` is this
  // Loop.
  void CountTurns(const std::shared_ptr<Loop>& self) {
    if (counting) return;
    counting = self;
    uv_prepare_init(uv, &prepare);
    prepare.data = this;
    uv_idle_init(uv, &idle);
    idle.data = this;
    uv_unref(reinterpret_cast<uv_handle_t*>(&idle));
    uv_unref(reinterpret_cast<uv_handle_t*>(&prepare));
    uv_prepare_start(&prepare, [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->NextTurn(); });
  }

  // Called during teardown, after the handles that use this Loop have been closed.
  void StopTurns() {
    if (!counting) return;
    handles++;
    // libuv calls these in the order of the calls of uv_close, or in the opposite one: the last one frees.
    closing = 2;
    const auto closed = [](uv_handle_t* handle) {
      auto* loop = static_cast<Loop*>(handle->data);
      if (--loop->closing > 0) return;
      const std::shared_ptr<Loop> last = std::move(loop->counting);
      loop->Closed();
    };
    uv_close(reinterpret_cast<uv_handle_t*>(&prepare), closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&idle), closed);
  }

  // Serves in the next turn, and the event loop does not block before it: for work that no descriptor tells of.
  void ServeSoon(Deferrable* waiting) {
    deferred.push_back(waiting);
    StayAwake();
  }

  void NextTurn() {
    turn_began = 0;
    if (counting) uv_idle_stop(&idle);
    // Those that come back while they are served wait for the next turn.
    for (size_t left = deferred.size(); left > 0 && !deferred.empty() && !TurnOver(); left--) {
      Deferrable* next = deferred.front();
      deferred.pop_front();
      next->Serve();
    }
    if (!spinners.empty()) Spin();
    if (!deferred.empty() || !spinners.empty()) StayAwake();
  }

  // As long as something is in `spinners`, the event loop does not block.
  void AddSpinner(Spinner* spinner) {
    spinners.push_back(spinner);
    StayAwake();
  }
  void RemoveSpinner(Spinner* spinner) {
    spinners.erase(std::remove(spinners.begin(), spinners.end(), spinner), spinners.end());
  }

  void Opened() { handles++; }
  void Closed() {
    handles--;
    if (handles == 0 && on_idle) on_idle();
  }

  // The event loop does not block in the turn that follows.
  void StayAwake() {
    if (counting) uv_idle_start(&idle, [](uv_idle_t*) {});
  }

  // Called when the event loop is about to block. Looks until one of the spinners is ready, or for as long as the most
  // patient of them wants; but not while there is other work, and not beyond the next timer.
  void Spin() {
    const int timeout = uv_backend_timeout(uv);
    uint64_t longest = 0;
    for (Spinner* spinner : spinners) longest = std::max(longest, spinner->SpinTime());
    if (timeout >= 0) longest = std::min(longest, static_cast<uint64_t>(timeout) * 1'000'000);
    const uint64_t end = uv_hrtime() + longest;
    do {
      for (Spinner* spinner : spinners) {
        if (!spinner->Ready()) continue;
        RemoveSpinner(spinner);
        spinner->SpinEnds(true);
        return;
      }
    } while (uv_hrtime() < end);
    if (timeout == 0) return;  // the event loop does not block; the next turn looks again
    const std::vector<Spinner*> over = std::move(spinners);
    spinners.clear();
    for (Spinner* spinner : over) spinner->SpinEnds(false);
  }

  uv_loop_t* uv;
  // The receive buffer. All streams share it: the bytes of one are decoded and copied, or lent, before another one
  // reads.
  uint8_t* receive = nullptr;
  Ahead ahead;
  // Bytes of all rings of this thread.
  size_t shared_bytes = 0;
  // Whether JavaScript has views of the receive buffer. Then the next read gets a new one.
  bool lent = false;
  // Makes a receive buffer, or gives nullptr.
  std::function<uint8_t*()> new_receive;
  // Handles that libuv has not closed yet.
  size_t handles = 0;
  // Those that wait since an earlier turn, longest first. The event loop does not block meanwhile, because their
  // descriptors are readable, or because `idle` runs.
  std::deque<Deferrable*> deferred;
  // Those that look for their next bytes before the event loop sleeps.
  std::vector<Spinner*> spinners;
  // When the first input of this turn was handled; 0 before that.
  uint64_t turn_began = 0;
  uv_prepare_t prepare;
  // Runs while somebody waits whose descriptor is not readable: then the event loop does not block.
  uv_idle_t idle;
  // Handles above that libuv has not closed yet.
  int closing = 0;
  // A reference to itself, so that it lives while libuv uses `prepare`.
  std::shared_ptr<Loop> counting;
  // Set during teardown: called when the last handle is closed.
  std::function<void()> on_idle;
};

}  // namespace zwire
