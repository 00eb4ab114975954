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
  // False: there is no memory for them.
  virtual bool OnBytes(const uint8_t* data, size_t size) = 0;
  virtual void OnDrain() = 0;
  // Whether these segments of the pending write, from its `first`-th on, still lie where they lay when Write was called.
  // Asked before more of them is written: a program can give the memory away meanwhile.
  virtual bool Intact(size_t first, const iovec* segments, size_t count) = 0;
  // The connection is gone; called once. The listener closes the stream.
  virtual void OnClose(int status, Fault fault, size_t pending, uint64_t size) = 0;
};

class Stream final : public Deferrable {
 public:
  // Takes over the descriptor, also when it fails with a negative errno.
  static int Open(std::shared_ptr<Loop> loop, int fd, StreamListener* listener, Stream** stream);

  int WaitForConnect();
  int Start();
  // Decodes the leftover at once.
  void StartFrames(FrameEntry* table, size_t entries, const FrameLimits& limits, const uint8_t* leftover, size_t size);
  // Bytes that the kernel has not taken, or a negative errno. The memory must stay until OnDrain or Close. Where the
  // peer has gone, all of them are pending, and OnClose comes when what it sent before has been read.
  ssize_t Write(const iovec* segments, size_t count);
  bool decoding() const { return decoder_ != nullptr; }
  void Pause();
  void Resume();
  void Ref(bool on);
  // From the loop: reads a turn later.
  void Serve() override;
  // No call on the listener follows. Deletes the stream when libuv has let go of it.
  void Close();
  int fd() const { return fd_; }
  // Bytes read so far.
  uint64_t received() const { return received_; }
  // Whether a frame has begun to arrive, and its end has not.
  bool partial() const { return decoder_ != nullptr && (decoder_->filling() || decoder_->carry_size() > 0); }
  // Bytes of the pending write that the kernel has not taken.
  size_t unsent() const { return pending_bytes_; }

 private:
  // Nothing is known yet of the work in a connection's bytes.
  static constexpr size_t kFirstReadBytes = 8 * 1024;

  Stream(std::shared_ptr<Loop> loop, int fd, StreamListener* listener);
  ~Stream() = default;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  void Watch();
  // What the turn leaves time for, or later.
  void ReadInTurn();
  void Read();
  // How much is read next, by how long the last read took with all that came of it.
  void Pace(uint64_t took, bool full);
  // False: stop reading for now.
  bool ReadOnce();
  bool Fill(size_t size);
  void Feed(const uint8_t* data, size_t size);
  void Continue();
  // Nothing of the last write is needed any more.
  void Written();
  // One system call for what is pending; as sendmsg.
  ssize_t SendOnce();
  // 0, or a negative errno where nothing at all was written.
  int WriteSome();
  bool PeerGone(int status);
  // Whether what WriteSome may write is still there.
  bool Intact();
  void End(int status, Fault fault);

  std::shared_ptr<Loop> loop_;
  uv_poll_t poll_;
  int fd_;
  StreamListener* listener_;
  std::unique_ptr<FrameDecoder> decoder_;
  std::vector<iovec> pending_;
  size_t first_pending_ = 0;
  size_t pending_bytes_ = 0;
  uint64_t received_ = 0;
  int watched_ = 0;
  // Why nothing can be written any more; 0 while it can.
  int write_error_ = 0;
  bool connecting_ = false;
  bool reading_ = false;
  bool expect_large_ = false;
  bool deferred_ = false;
  // Bytes of the next read.
  size_t room_ = kFirstReadBytes;
  bool ended_ = false;
  bool closed_ = false;
  bool in_callback_ = false;
};

}  // namespace zwire
