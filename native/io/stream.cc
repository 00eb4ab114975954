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

// Bytes that are read behind a large body: enough for a header and a few small frames.
constexpr size_t kProbeBytes = 1024;

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
  // In shared memory, the bell tells of room. A write that was cut short for other handles goes on when the socket, which
  // is empty, is writable.
  const bool awaits_room = line_ != nullptr && line_->awaits_room();
  const bool agreeing = line_ != nullptr && line_->agreeing();
  const bool writing = pending_bytes_ > 0 && write_error_ == 0 && !awaits_room;
  if (connecting_ || writing || agreeing) events |= UV_WRITABLE;
  if (reading_) events |= UV_READABLE;
  // While a write waits for room, the socket may have nothing to watch for.
  if (line_ != nullptr) line_->KeepAlive(refed_ && awaits_room && pending_bytes_ > 0);
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
  if ((events & UV_WRITABLE) != 0) {
    self->Agree();
    if (!self->closed_ && self->pending_bytes_ > 0 && self->write_error_ == 0) self->ContinueWrite();
  }
  if (!self->closed_ && self->reading_ && (events & UV_READABLE) != 0) {
    if (self->line_ != nullptr) self->line_->Look();
    self->ReadInTurn();
  }
  self->in_callback_ = false;
  if (self->closed_) return;
  self->Watch();
}

void Stream::Share(bool accepted, size_t capacity, uint64_t spin_ns) {
  if (closed_ || ended_ || line_ != nullptr) return;
  line_ = new SharedLine(loop_, fd_, accepted, capacity, spin_ns, this);
}

void Stream::SpinEnds(bool ready) {
  spinning_ = false;
  if (!reading_) return;
  if (!ready) line_->Tired();
  in_callback_ = true;
  Read();
  in_callback_ = false;
  Watch();
}

void Stream::Agreed(bool yes) {
  if (line_ == nullptr) return;
  if (yes) {
    line_->Agree();
    if (line_->has_pool()) ReadSoon();
    if (!in_callback_) Watch();
  } else {
    SharedLine::Close(line_);
    line_ = nullptr;
  }
}

bool Stream::OfferPool(int fd) {
  if (closed_ || ended_ || line_ == nullptr || !line_->OfferPool(fd)) return false;
  if (!in_callback_) Watch();
  return true;
}

void Stream::OnBell() {
  in_callback_ = true;
  if (line_->outgoing() && pending_bytes_ > 0 && write_error_ == 0) ContinueWrite();
  if (!closed_ && reading_ && line_->incoming()) ReadInTurn();
  in_callback_ = false;
  Watch();
}

void Stream::ReadSoon() {
  if (deferred_) return;
  deferred_ = true;
  loop_->ServeSoon(this);
}

void Stream::ReadInTurn() {
  if (deferred_) return;
  if (!loop_->TurnOver()) {
    Read();
    return;
  }
  if (line_ != nullptr && line_->incoming()) {
    ReadSoon();
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
  bool more = true;
  for (int i = 0; i < kReadsPerTurn && more; i++) {
    const bool full = ReadOnce();
    const uint64_t now = uv_hrtime();
    Pace(now - last, full);
    if (closed_ || !reading_) return;
    more = full;
    if (now - began >= Loop::kShareNs) break;
    last = now;
  }
  // Only here, because the program may close the stream meanwhile.
  while (line_ != nullptr && line_->has_pool()) {
    listener_->OnPool(line_->NextPool());
    if (closed_) return;
  }
  if (line_ == nullptr) return;
  Agree();
  if (closed_ || !reading_ || !line_->incoming()) return;
  if (more) {
    ReadSoon();
  } else if (line_->spins() && !spinning_) {
    spinning_ = true;
    loop_->AddSpinner(this);
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
    if (!listener_->BodyAttached()) {
      End(UV_ENOMEM, Fault::kNone);
      return false;
    }
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
  const ssize_t got = Receive(segments, count);
  if (got < 0) {
    if (got != -EAGAIN && got != -EWOULDBLOCK) End(static_cast<int>(got), Fault::kNone);
    return false;
  }
  if (got == 0) {
    End(UV_EOF, Fault::kNone);
    return false;
  }
  const size_t size = static_cast<size_t>(got);
  received_ += size;
  // Of a ring nothing tells later that it has more.
  const bool full = size == direct + room || (line_ != nullptr && line_->incoming());
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

ssize_t Stream::Receive(iovec* segments, int count) {
  if (line_ != nullptr) return line_->Read(segments, count);
  ssize_t got;
  do {
    // recv is faster than readv for one segment. This is noticeable with messages that come one at a time.
    got = count == 1 ? recv(fd_, segments[0].iov_base, segments[0].iov_len, 0) : readv(fd_, segments, count);
  } while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
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

void Stream::End(int status, Fault fault) {
  size_t pending = pending_bytes_;
  const bool by_peer = status == UV_EOF || status == -ECONNRESET || status == -EPIPE || write_error_ != 0;
  // What the peer has not read it never will.
  if (fault == Fault::kNone && by_peer) pending += static_cast<size_t>(written() - passed());
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
  if (line_ != nullptr && line_->incoming()) ReadSoon();
  if (!in_callback_) Watch();
}

void Stream::Ref(bool on) {
  refed_ = on;
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  Watch();
}

void Stream::Close() {
  if (closed_) return;
  closed_ = true;
  if (deferred_) loop_->deferred.erase(std::find(loop_->deferred.begin(), loop_->deferred.end(), this));
  deferred_ = false;
  if (spinning_) loop_->RemoveSpinner(this);
  spinning_ = false;
  if (line_ != nullptr) SharedLine::Close(line_);
  line_ = nullptr;
  uv_poll_stop(&poll_);
  close(fd_);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<Stream*>(handle->data);
    self->loop_->Closed();
    delete self;
  });
}

}  // namespace zwire
