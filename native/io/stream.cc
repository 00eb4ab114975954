// See stream.h.
#include "stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "socket.h"

namespace zwire {

namespace {

// The most reads of one connection at once, within Loop::kShareNs; then other handles are served.
constexpr int kReadsPerTurn = 16;
// Reads are never made smaller than this, however much work the bytes cause.
constexpr size_t kLeastReadBytes = 1024;

// The most bytes that one connection writes before other handles are served, and the most of one system call. Without
// them, a peer that reads as fast as we write would let us write for ever: a queue of a thousand large messages delayed
// timers by 70 ms.
constexpr size_t kWriteBytesPerTurn = 4 * 1024 * 1024;
constexpr size_t kWriteBytes = 1024 * 1024;

// An idle connection keeps memory for at most this many segments.
constexpr size_t kKeptSegments = 64;
// Bytes that are read behind a large body: enough for a header and a few small frames.
constexpr size_t kProbeBytes = 1024;

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // the socket has SO_NOSIGPIPE instead
#endif

#ifdef IOV_MAX
constexpr size_t kMaxSegments = IOV_MAX;
#else
constexpr size_t kMaxSegments = 1024;
#endif

}  // namespace

Stream::Stream(std::shared_ptr<Loop> loop, int fd, StreamListener* listener)
    : loop_(std::move(loop)), fd_(fd), listener_(listener) {
  poll_.data = this;
}

int Stream::Open(std::shared_ptr<Loop> loop, int fd, StreamListener* listener, Stream** stream) {
  auto* opened = new Stream(std::move(loop), fd, listener);
  const int status = uv_poll_init(opened->loop_->uv, &opened->poll_, fd);
  if (status != 0) {
    close(fd);
    delete opened;
    return status;
  }
  opened->loop_->Opened();
  *stream = opened;
  return 0;
}

int Stream::WaitForConnect() {
  connecting_ = true;
  Watch();
  return 0;
}

int Stream::Start() {
  if (ended_) return -EPIPE;
  reading_ = true;
  Watch();
  return 0;
}

void Stream::Watch() {
  if (closed_) return;
  int events = 0;
  if (connecting_ || (pending_bytes_ > 0 && write_error_ == 0)) events |= UV_WRITABLE;
  if (reading_) events |= UV_READABLE;
  if (events == watched_) return;
  watched_ = events;
  if (events == 0) {
    uv_poll_stop(&poll_);
  } else {
    uv_poll_start(&poll_, events, OnPoll);
  }
}

void Stream::OnPoll(uv_poll_t* handle, int status, int events) {
  auto* self = static_cast<Stream*>(handle->data);
  // On an error libuv stops polling. It does not say which error it was; the next read or write will.
  if (status < 0) {
    self->watched_ = 0;
    events = UV_READABLE | UV_WRITABLE;
  }
  if (self->connecting_) {
    self->connecting_ = false;
    self->Watch();
    const int result = ConnectResult(self->fd_);
    self->listener_->OnConnect(result == 0 && status < 0 ? status : result);
    return;
  }
  self->in_callback_ = true;
  if ((events & UV_WRITABLE) != 0 && self->pending_bytes_ > 0 && self->write_error_ == 0) self->ContinueWrite();
  if (!self->closed_ && self->reading_ && (events & UV_READABLE) != 0) self->ReadInTurn();
  self->in_callback_ = false;
  if (self->closed_) return;
  self->Watch();
}

void Stream::ReadInTurn() {
  if (deferred_) return;
  if (!loop_->TurnOver()) {
    Read();
    return;
  }
  deferred_ = true;
  loop_->deferred.push_back(this);
}

void Stream::Serve() {
  deferred_ = false;
  if (!reading_) return;
  in_callback_ = true;
  Read();
  in_callback_ = false;
  Watch();
}

void Stream::Read() {
  const uint64_t began = uv_hrtime();
  uint64_t last = began;
  for (int i = 0; i < kReadsPerTurn; i++) {
    const bool full = ReadOnce();
    const uint64_t now = uv_hrtime();
    Pace(now - last, full);
    if (!full || closed_ || !reading_ || now - began >= Loop::kShareNs) return;
    last = now;
  }
}

void Stream::Pace(uint64_t took, bool full) {
  if (took >= Loop::kShareNs) {
    next_read_bytes_ = std::max(kLeastReadBytes, static_cast<size_t>(next_read_bytes_ * Loop::kShareNs / took));
  } else if (full && took < Loop::kShareNs / 4) {
    next_read_bytes_ = std::min(Loop::kReceiveBytes, next_read_bytes_ * 2);
  }
}

bool Stream::ReadOnce() {
  iovec segments[2];
  int count = 0;
  size_t direct = 0;  // bytes that are read directly into a large body
  uint8_t* buffer = loop_->Receive();
  if (buffer == nullptr) {
    End(UV_ENOMEM, Fault::kNone);
    return false;
  }
  size_t carried = 0;
  if (decoder_ != nullptr && decoder_->filling()) {
    direct = decoder_->fill_size();
    segments[count++] = {decoder_->fill_at(), direct};
  } else if (decoder_ != nullptr) {
    carried = decoder_->carry_size();
    if (carried > 0) std::memcpy(buffer, decoder_->carry(), carried);
  }
  // Behind a large body, read little more than the next header. Then another large body is read directly into its own
  // memory, too. With the whole buffer, every second body was copied out of it, which cost half as much as the read.
  const size_t room = expect_large_ ? kProbeBytes : next_read_bytes_;
  segments[count++] = {buffer + carried, room};
  ssize_t got;
  do {
    // recv is faster than readv for one segment. This is noticeable with messages that come one at a time.
    got = count == 1 ? recv(fd_, segments[0].iov_base, segments[0].iov_len, 0) : readv(fd_, segments, count);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    End(-errno, Fault::kNone);
    return false;
  }
  if (got == 0) {
    End(UV_EOF, Fault::kNone);
    return false;
  }
  const size_t size = static_cast<size_t>(got);
  received_ += size;
  const bool full = size == direct + room;
  if (decoder_ == nullptr) {
    if (!listener_->OnBytes(buffer, size) && !closed_) End(UV_ENOMEM, Fault::kNone);
    return full;
  }
  if (direct == 0) {
    Feed(buffer, carried + size);
    return full;
  }
  const size_t filled = size < direct ? size : direct;
  if (!Fill(filled)) return false;
  if (size > direct) {
    // The body may not be complete: one above kAheadBytes has only got more memory. Then the bytes in the buffer are
    // its next.
    size_t moved = 0;
    while (decoder_->filling() && moved < size - direct) {
      const size_t room = decoder_->fill_size();
      const size_t take = room < size - direct - moved ? room : size - direct - moved;
      std::memcpy(decoder_->fill_at(), buffer + moved, take);
      moved += take;
      if (!Fill(take)) return false;
    }
    const size_t rest = size - direct - moved;
    if (moved > 0 && rest > 0) std::memmove(buffer, buffer + moved, rest);
    if (rest > 0) Feed(buffer, rest);
  }
  return full;
}

bool Stream::Fill(size_t size) {
  if (decoder_->Filled(size)) return !closed_;
  if (!closed_) End(UV_ENOMEM, Fault::kNone);
  return false;
}

void Stream::Feed(const uint8_t* data, size_t size) {
  const bool wanted = decoder_->Decode(data, size);
  if (closed_) return;
  expect_large_ = decoder_->filling();
  if (!wanted) {
    End(UV_ENOMEM, Fault::kNone);
  } else if (decoder_->fault() != Fault::kNone) {
    End(0, decoder_->fault());
  }
}

void Stream::StartFrames(FrameEntry* table, size_t entries, const FrameLimits& limits, const uint8_t* leftover,
                         size_t size) {
  decoder_ = std::make_unique<FrameDecoder>(table, entries, listener_, &loop_->ahead);
  decoder_->SetLimits(limits);
  if (size > 0) Feed(leftover, size);
}

ssize_t Stream::SendOnce() {
  iovec* segments = pending_.data() + first_pending_;
  const size_t most = std::min(pending_.size() - first_pending_, kMaxSegments);
  size_t count = 0;
  size_t bytes = 0;
  while (count < most && bytes < kWriteBytes) bytes += segments[count++].iov_len;
  iovec& last = segments[count - 1];
  const size_t whole = last.iov_len;
  if (bytes > kWriteBytes) last.iov_len -= bytes - kWriteBytes;
  msghdr message;
  std::memset(&message, 0, sizeof message);
  message.msg_iov = segments;
  message.msg_iovlen = count;
  ssize_t sent;
  do {
    sent = count == 1 ? send(fd_, last.iov_base, last.iov_len, kSendFlags) : sendmsg(fd_, &message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  last.iov_len = whole;
  return sent;
}

int Stream::WriteSome() {
  size_t written = 0;
  while (first_pending_ < pending_.size() && written < kWriteBytesPerTurn) {
    const ssize_t sent = SendOnce();
    if (sent < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) break;
      // Bytes written before an error count as taken (E14). The next attempt meets the error again.
      return written > 0 ? 0 : -errno;
    }
    written += static_cast<size_t>(sent);
    pending_bytes_ -= static_cast<size_t>(sent);
    size_t left = static_cast<size_t>(sent);
    while (first_pending_ < pending_.size() && left >= pending_[first_pending_].iov_len) {
      left -= pending_[first_pending_++].iov_len;
    }
    if (left > 0) {
      auto& segment = pending_[first_pending_];
      segment.iov_base = static_cast<uint8_t*>(segment.iov_base) + left;
      segment.iov_len -= left;
    }
  }
  return 0;
}

// The peer does not read any more, but bytes that it sent earlier may still wait in our receive queue (over a unix
// socket a write fails at once). So reading continues to the end, and only that ends the connection.
bool Stream::PeerGone(int status) {
  if (status != -EPIPE && status != -ECONNRESET) return false;
  write_error_ = status;
  return true;
}

ssize_t Stream::Write(const iovec* segments, size_t count) {
  if (ended_) return -EPIPE;
  pending_.assign(segments, segments + count);
  first_pending_ = 0;
  pending_bytes_ = 0;
  for (const iovec& segment : pending_) pending_bytes_ += segment.iov_len;
  if (write_error_ != 0) return static_cast<ssize_t>(pending_bytes_);
  const int status = WriteSome();
  if (status < 0 && !PeerGone(status)) {
    // The caller learns of the error by the result, and may free the memory.
    pending_.clear();
    pending_bytes_ = 0;
    return status;
  }
  if (pending_bytes_ == 0) ReleaseSegments();
  else if (!in_callback_) Watch();
  return static_cast<ssize_t>(pending_bytes_);
}

void Stream::ReleaseSegments() {
  pending_.clear();
  if (pending_.capacity() > kKeptSegments) std::vector<iovec>().swap(pending_);
}

bool Stream::Intact() {
  size_t count = 0;
  size_t bytes = 0;
  // WriteSome may exceed kWriteBytesPerTurn by its last system call.
  while (first_pending_ + count < pending_.size() && bytes < kWriteBytesPerTurn + kWriteBytes) {
    bytes += pending_[first_pending_ + count++].iov_len;
  }
  return listener_->Intact(first_pending_, pending_.data() + first_pending_, count);
}

void Stream::ContinueWrite() {
  if (!Intact()) {
    End(UV_EFAULT, Fault::kNone);
    return;
  }
  const int status = WriteSome();
  if (status < 0) {
    if (!PeerGone(status)) End(status, Fault::kNone);
  } else if (pending_bytes_ == 0) {
    ReleaseSegments();
    listener_->OnDrain();
  }
}

void Stream::End(int status, Fault fault) {
  const size_t pending = pending_bytes_;
  ended_ = true;
  reading_ = false;
  pending_bytes_ = 0;
  ReleaseSegments();  // the listener may free their memory
  if (!in_callback_) Watch();
  const bool broken = fault == Fault::kNone && write_error_ != 0;
  listener_->OnClose(broken ? write_error_ : status, fault, pending,
                     fault == Fault::kNone ? 0 : decoder_->fault_size());
}

void Stream::Pause() {
  reading_ = false;
  if (!in_callback_) Watch();
}

void Stream::Resume() {
  if (ended_) return;
  reading_ = true;
  if (!in_callback_) Watch();
}

void Stream::Ref(bool on) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Stream::Close() {
  if (closed_) return;
  closed_ = true;
  if (deferred_) loop_->deferred.erase(std::find(loop_->deferred.begin(), loop_->deferred.end(), this));
  deferred_ = false;
  uv_poll_stop(&poll_);
  close(fd_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<Stream*>(handle->data);
    self->loop_->Closed();
    delete self;
  });
}

}  // namespace zwire
