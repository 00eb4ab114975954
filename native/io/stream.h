// One connection on a non-blocking descriptor, watched by the event loop. It uses uv_poll instead of uv_stream for two
// reasons. A gathered write then tells exactly how much the kernel has taken, even when the connection breaks: this
// decides which messages may be sent again without arriving twice. And one readv can fill both the rest of a large body
// and the receive buffer. No JavaScript here.
#pragma once

#include <sys/uio.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "../codec/frame_decoder.h"
#include "loop.h"
#include "shared_line.h"

namespace zwire {

class StreamListener : public FrameSink {
 public:
  // The result of WaitForConnect: 0 or a negative errno.
  virtual void OnConnect(int status) = 0;
  // Bytes as they were read, before StartFrames. False: there is no memory to pass them on.
  virtual bool OnBytes(const uint8_t* data, size_t size) = 0;
  // The kernel has taken all bytes of a write that was pending.
  virtual void OnDrain() = 0;
  // Whether these segments of the pending write still have the memory that they had when Write was called; `first` is
  // the index of the first one. Called before more of them is written, because a program can transfer the memory
  // meanwhile.
  virtual bool Intact(size_t first, const iovec* segments, size_t count) = 0;
  // Whether the large body that is being filled still has its memory. Asked before each read into it.
  virtual bool BodyAttached() = 0;
  // From now on, what is written goes through shared memory.
  virtual void OnMemory() = 0;
  // The peer has offered a pool for loans. nullptr if it cannot be mapped.
  virtual void OnPool(std::unique_ptr<SealedMemory> pool) = 0;
  // The connection has ended. Called once; the listener must then close the stream. `pending` is the number of bytes of
  // the current write that the kernel has not taken, or, if the peer has ended a connection over shared memory, of all
  // bytes that it has not read; `size` is FrameDecoder::fault_size().
  virtual void OnClose(int status, Fault fault, size_t pending, uint64_t size) = 0;
};

class Stream final : public Deferrable, public Spinner, private LineListener {
 public:
  // Takes over the descriptor, and closes it on failure (a negative errno).
  static int Open(std::shared_ptr<Loop> loop, int fd, StreamListener* listener, Stream** stream);

  // Watches a descriptor whose connect has been started; OnConnect tells its result.
  int WaitForConnect();
  // Starts to read.
  int Start();
  // From now on, input goes through a frame decoder. `leftover` is what was read before and not used; it is decoded at
  // once.
  void StartFrames(FrameEntry* table, size_t entries, const FrameLimits& limits, const uint8_t* leftover, size_t size);
  // Returns the number of bytes that the kernel has not taken, or a negative errno. Their memory must stay valid until
  // OnDrain or Close. If the peer has gone, all bytes stay pending, and OnClose follows when the peer's last bytes are
  // read.
  ssize_t Write(const iovec* segments, size_t count);
  // Before Start: bytes may go through shared memory, if the peer can do so, too. `accepted`: whether we accepted the
  // connection. `capacity` is the size of our ring. `spin_ns`: how long to look for bytes before sleeping.
  void Share(bool accepted, size_t capacity, uint64_t spin_ns);
  // After the handshake: whether the peer can.
  void Agreed(bool yes);
  // After Agreed: offers the peer a pool. False: it cannot get it.
  bool OfferPool(int fd);
  // With shared memory: bytes written into it, and bytes of them that the peer has read.
  uint64_t written() const { return line_ == nullptr ? 0 : line_->written(); }
  uint64_t passed() const { return line_ == nullptr ? 0 : line_->passed(); }
  bool decoding() const { return decoder_ != nullptr; }
  // The peer finds the end behind what was written, and reading goes on. Nothing is written after that. `peer_keeps`: the
  // peer then takes back what we have not read of its ring, so that we must not read it. False: it is in a ring already.
  bool EndWriting(bool peer_keeps);
  void Pause();
  void Resume();
  void Ref(bool on);
  // Called by the Loop in a later turn: does the read that ReadInTurn deferred.
  void Serve() override;
  // Called by the Loop before it sleeps.
  uint64_t SpinTime() const override { return line_->spin_ns(); }
  bool Ready() const override { return line_->Ready(); }
  void SpinEnds(bool ready) override;
  // The listener is not called again. The stream deletes itself when libuv has closed its handle.
  void Close();
  int fd() const { return fd_; }
  // Bytes read so far.
  uint64_t received() const { return received_; }
  // Whether a frame has arrived in part.
  bool partial() const { return decoder_ != nullptr && (decoder_->filling() || decoder_->carry_size() > 0); }
  // Bytes of the pending write that the kernel has not taken.
  size_t unsent() const { return pending_bytes_; }

 private:
  // Bytes of the first read: small, because it is not known yet how much work the bytes of this connection cause.
  static constexpr size_t kFirstReadBytes = 8 * 1024;

  Stream(std::shared_ptr<Loop> loop, int fd, StreamListener* listener);
  ~Stream() = default;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  // Makes libuv poll for what this stream waits for.
  void Watch();
  // Reads now if the turn has time left, or else in a later turn.
  void ReadInTurn();
  void Read();
  // Adapts next_read_bytes_ to how long the last read took, including all the work that its bytes caused.
  void Pace(uint64_t took, bool full);
  // One system call, or one copy out of shared memory. False: stop reading for now.
  bool ReadOnce();
  // As readv, but gives the negative errno. -EAGAIN: nothing is there.
  ssize_t Receive(iovec* segments, int count);
  // Reads on in the next turn, because nothing will tell of the bytes that are left in shared memory.
  void ReadSoon();
  void OnBell() override;
  // Sends what the agreement on shared memory has to say, and switches if the time has come.
  void Agree();
  // Tells the decoder that `size` bytes of the large body have arrived. False: stop reading.
  bool Fill(size_t size);
  // Gives the decoder bytes from a buffer.
  void Feed(const uint8_t* data, size_t size);
  // Goes on with the pending write.
  void ContinueWrite();
  // Forgets the segments of the last write, and the memory of a very long list of them.
  void ReleaseSegments();
  // One system call, or one copy into shared memory, for the pending segments. Returns what sendmsg returns.
  ssize_t SendOnce();
  // The segments of the next system call, or copy, and their bytes, of which it takes this many at most.
  size_t NextSegments(size_t most_bytes, size_t* bytes) const;
  size_t MostBytes() const;
  // Writes until the kernel or kWriteBytesPerTurn stops it. 0, or a negative errno if nothing was written. `later`: the
  // program has run since Write; UV_EFAULT if it has taken away memory that comes next.
  int WriteSome(bool later);
  // Whether `status` says that the peer has closed the connection. If so, it is kept in write_error_.
  bool PeerGone(int status);
  // Asks the listener whether the segments that SendOnce writes next still have their memory. No more of them, because
  // asking costs as much as copying a few KiB, and a long write is continued many times.
  bool Intact();
  // Stops reading and writing, and tells the listener.
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
  // Present if both sides can share memory.
  SharedLine* line_ = nullptr;
  int watched_ = 0;
  // The error for which nothing can be written any more, or 0.
  int write_error_ = 0;
  bool connecting_ = false;
  bool reading_ = false;
  bool expect_large_ = false;
  bool deferred_ = false;
  bool spinning_ = false;
  bool refed_ = true;
  // The most bytes of the next read.
  size_t next_read_bytes_ = kFirstReadBytes;
  bool ended_ = false;
  bool closed_ = false;
  bool in_callback_ = false;
};

}  // namespace zwire
