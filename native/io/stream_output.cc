// The sending half of Stream: see stream.h.
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "stream.h"

namespace zwire {

namespace {

// The most bytes that one connection writes before other handles are served, and the most of one system call. Without
// them, a peer that reads as fast as we write would let us write for ever: a queue of a thousand large messages delayed
// timers by 70 ms.
constexpr size_t kWriteBytesPerTurn = 4 * 1024 * 1024;
constexpr size_t kWriteBytes = 1024 * 1024;

// An idle connection keeps memory for at most this many segments.
constexpr size_t kKeptSegments = 64;

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

size_t Stream::NextSegments(size_t most_bytes, size_t* bytes) const {
  const iovec* segments = pending_.data() + first_pending_;
  const size_t most = std::min(pending_.size() - first_pending_, kMaxSegments);
  size_t count = 0;
  *bytes = 0;
  while (count < most && *bytes < most_bytes) *bytes += segments[count++].iov_len;
  return count;
}

size_t Stream::MostBytes() const {
  return line_ != nullptr && line_->outgoing() ? SharedLine::kWriteBytes : kWriteBytes;
}

ssize_t Stream::SendOnce() {
  iovec* segments = pending_.data() + first_pending_;
  const bool shared = line_ != nullptr && line_->outgoing();
  const size_t most_bytes = MostBytes();
  size_t bytes;
  const size_t count = NextSegments(most_bytes, &bytes);
  iovec& last = segments[count - 1];
  const size_t whole = last.iov_len;
  if (bytes > most_bytes) last.iov_len -= bytes - most_bytes;
  ssize_t sent;
  if (shared) {
    sent = line_->Write(segments, count);
    last.iov_len = whole;
    if (sent < 0) errno = static_cast<int>(-sent);
    return sent;
  }
  msghdr message;
  std::memset(&message, 0, sizeof message);
  message.msg_iov = segments;
  message.msg_iovlen = count;
  do {
    sent = count == 1 ? send(fd_, last.iov_base, last.iov_len, kSendFlags) : sendmsg(fd_, &message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  last.iov_len = whole;
  return sent;
}

int Stream::WriteSome(bool later) {
  size_t written = 0;
  while (first_pending_ < pending_.size() && written < kWriteBytesPerTurn) {
    if (later && !Intact()) return UV_EFAULT;
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
  if (line_ != nullptr) line_->Offer(pending_bytes_);
  const int status = WriteSome(false);
  if (status < 0 && !PeerGone(status)) {
    // The caller learns of the error by the result, and may free the memory.
    pending_.clear();
    pending_bytes_ = 0;
    return status;
  }
  if (pending_bytes_ == 0) ReleaseSegments();
  if (!in_callback_ && (pending_bytes_ > 0 || line_ != nullptr)) Watch();
  return static_cast<ssize_t>(pending_bytes_);
}

bool Stream::EndWriting(bool peer_keeps) {
  if (closed_ || ended_) return true;
  if (line_ != nullptr && peer_keeps) {
    if (line_->incoming()) return false;
    line_->ReadNoRing();
  }
  // A peer that has gone already is found out by reading.
  shutdown(fd_, SHUT_WR);
  return true;
}

void Stream::ReleaseSegments() {
  pending_.clear();
  if (pending_.capacity() > kKeptSegments) std::vector<iovec>().swap(pending_);
}

bool Stream::Intact() {
  size_t bytes;
  const size_t count = NextSegments(MostBytes(), &bytes);
  return listener_->Intact(first_pending_, pending_.data() + first_pending_, count);
}

void Stream::ContinueWrite() {
  const int status = WriteSome(true);
  if (status < 0) {
    if (!PeerGone(status)) End(status, Fault::kNone);
  } else if (pending_bytes_ == 0) {
    ReleaseSegments();
    Agree();
    if (!closed_) listener_->OnDrain();
  }
}

void Stream::Agree() {
  if (line_ != nullptr && line_->Proceed(pending_bytes_ == 0)) listener_->OnMemory();
}

}  // namespace zwire
