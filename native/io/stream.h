// One connection on a non-blocking descriptor, watched by the event loop. uv_poll instead of uv_stream: a gathered
// write then tells exactly how much the kernel has taken, also when the connection breaks (what may be sent again
// without arriving twice depends on it), and one readv fills the rest of a large body and the receive buffer at once.
// Knows no JavaScript.
#pragma once

#include <sys/uio.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "../codec/frame_decoder.h"
#include "loop.h"

namespace zwire {

class StreamListener : public FrameSink {
 public:
  virtual void OnConnect(int status) = 0;
  virtual void OnBytes(const uint8_t* data, size_t size) = 0;
  virtual void OnDrain() = 0;
  // The connection is gone; the listener closes the stream.
  virtual void OnClose(int status, Fault fault, size_t pending, uint64_t octets) = 0;
};

class Stream {
 public:
  // Takes over the descriptor.
  Stream(std::shared_ptr<Loop> loop, int fd, StreamListener* listener);

  int WaitForConnect();
  int Start();
  // Decodes the leftover at once.
  void StartFrames(FrameEntry* table, size_t entries, const FrameLimits& limits, const uint8_t* leftover, size_t size);
  // Octets that the kernel has not taken, or a negative errno. The memory must stay until OnDrain or Close.
  ssize_t Write(const iovec* segments, size_t count);
  void Pause();
  void Resume();
  void Ref(bool on);
  // No call on the listener follows. Deletes the stream when libuv has let go of it.
  void Close();
  int fd() const { return fd_; }

 private:
  ~Stream() = default;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  void Watch();
  void Read();
  // False: stop reading for now.
  bool ReadOnce();
  bool Fill(size_t size);
  void Feed(const uint8_t* data, size_t size);
  void Continue();
  // Octets written, or a negative errno.
  ssize_t WriteSome();
  void End(int status, Fault fault);

  std::shared_ptr<Loop> loop_;
  uv_poll_t poll_;
  int fd_;
  StreamListener* listener_;
  std::unique_ptr<FrameDecoder> decoder_;
  std::vector<iovec> pending_;
  size_t first_pending_ = 0;
  size_t pending_bytes_ = 0;
  int watched_ = 0;
  bool connecting_ = false;
  bool reading_ = false;
  bool expect_large_ = false;
  bool closed_ = false;
  bool in_callback_ = false;
};

}  // namespace zwire
