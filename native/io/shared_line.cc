// See shared_line.h.
#include "shared_line.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sign_names.h"

namespace zwire {

namespace {

// Bells that are taken at once. One is enough to wake; a flood takes its turns.
constexpr size_t kBellBytes = 256;

}  // namespace

SharedLine::SharedLine(std::shared_ptr<Loop> loop, int fd, bool accepted, size_t capacity, uint64_t spin_ns,
                       LineListener* listener)
    : loop_(std::move(loop)),
      fd_(fd),
      accepted_(accepted),
      capacity_(capacity),
      spin_ns_(spin_ns),
      listener_(listener) {}

SharedLine::~SharedLine() {
  CloseOne(&memory_);
  CloseOne(&bell_);
  CloseOne(&other_bell_);
  CloseOne(&early_[0]);
  CloseOne(&early_[1]);
  for (Sign& sign : signs_) CloseOne(&sign.descriptor);
  CloseAll(early_pools_.data(), early_pools_.size());
}

void SharedLine::Close(SharedLine* line) {
  line->listener_ = nullptr;
  line->DropMemory();
  if (!line->polling_) {
    delete line;
    return;
  }
  // The memory goes at once; the bell's descriptor must stay until its handle is closed.
  uv_poll_stop(&line->poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(&line->poll_), [](uv_handle_t* handle) {
    auto* self = static_cast<SharedLine*>(handle->data);
    const std::shared_ptr<Loop> loop = self->loop_;
    delete self;
    loop->Closed();
  });
}

// The agreement

void SharedLine::Agree() {
  agreed_ = true;
  if (early_[0] >= 0) {
    const int descriptors[2] = {early_[0], early_[1]};
    early_[0] = early_[1] = -1;
    TakeOffer(descriptors, 2);
  }
  const std::vector<int> pools = std::move(early_pools_);
  early_pools_.clear();
  for (const int pool : pools) TakePool(pool);
}

void SharedLine::Offer(size_t bytes) {
  // Only memory can be looked at while spinning.
  if ((bytes < kOfferBytes && spin_ns_ == 0) || !agreed_ || offered_ || failed_) return;
  if (MakeOwn() && MakeBell()) {
    Send(kOffer);
  } else {
    Fail();
  }
}

bool SharedLine::MakeOwn() {
  if (loop_->shared_bytes + capacity_ > Loop::kSharedBytes) return false;
  own_ = RingBlock::Create(capacity_, &memory_);
  if (own_ == nullptr) {
    memory_ = -1;
    return false;
  }
  loop_->shared_bytes += capacity_;
  return true;
}

void SharedLine::DropMemory() {
  reader_ = nullptr;
  writer_ = nullptr;
  if (own_ != nullptr) loop_->shared_bytes -= capacity_;
  own_ = nullptr;
  peer_ = nullptr;
}

bool SharedLine::MakeBell() {
  int pair[2];
#ifdef SOCK_CLOEXEC
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return false;
#else
  errno = ENOTSUP;
  return false;
#endif
  bell_ = pair[0];
  other_bell_ = pair[1];
  return true;
}

// What could not be shared is forgotten, and the socket goes on.
void SharedLine::Fail() {
  failed_ = true;
  CloseOne(&memory_);
  CloseOne(&other_bell_);
  if (!polling_) CloseOne(&bell_);
  DropMemory();
}

void SharedLine::Send(char name) {
  if (name == kOffer) offered_ = true;
  signs_.push_back({name, -1});
  Proceed(false);
}

bool SharedLine::Proceed(bool idle) {
  while (!signs_.empty()) {
    Sign& sign = signs_.front();
    // What could not be shared has been forgotten.
    if ((sign.name == kPool || !failed_) && !SendNow(sign)) return false;
    CloseOne(&sign.descriptor);
    signs_.erase(signs_.begin());
  }
  if (!idle || outgoing_ || stays_ || !taken_ || writer_ == nullptr) return false;
  if (!SendNow({kSwitch, -1})) return false;
  CloseOne(&memory_);
  outgoing_ = true;
  return true;
}

// Reading

ssize_t SharedLine::Read(iovec* segments, int count) {
  if (!incoming_) {
    const ssize_t got = ReadSocket(segments, count);
    if (got != -EINPROGRESS) return got;
  }
  if (reads_no_ring_) return 0;
  return ReadRing(segments, count);
}

ssize_t SharedLine::ReadRing(const iovec* segments, int count) {
  for (;;) {
    // Signs first: under load the ring may never be empty, and a pool would wait for ever.
    const ssize_t status = look_ ? ReadSigns() : -EAGAIN;
    look_ = status != -EAGAIN && status != -EWOULDBLOCK;
    const ssize_t got = reader_->Read(segments, static_cast<size_t>(count));
    if (got > 0 && reader_->MustWake()) Ring();
    spins_ = false;
    if (got > 0) tired_ = false;
    if (got != 0) return got;
    if (look_) {
      // What the peer wrote before its end comes first.
      if (reader_->Ready()) continue;
      return status;
    }
    if (spin_ns_ > 0 && !tired_) {
      spins_ = true;
      return -EAGAIN;
    }
    if (reader_->Sleep()) return -EAGAIN;
  }
}

// Writing

ssize_t SharedLine::Write(const iovec* segments, size_t count) {
  for (;;) {
    awaits_room_ = false;
    const ssize_t taken = writer_->Write(segments, count);
    if (taken >= 0) {
      if (writer_->MustWake()) Ring();
      return taken;
    }
    if (taken != -EAGAIN) return taken;
    if (writer_->AwaitRoom()) {
      awaits_room_ = true;
      return -EAGAIN;
    }
    if (writer_->broken()) return -EPROTO;
  }
}

// The bell

bool SharedLine::WatchBell() {
  if (uv_poll_init(loop_->uv, &poll_, bell_) != 0) return false;
  loop_->Opened();
  polling_ = true;
  poll_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* handle, int status, int) {
    auto* self = static_cast<SharedLine*>(handle->data);
    if (status < 0) {
      uv_poll_stop(handle);
    } else {
      self->HearBell();
    }
    if (self->listener_ != nullptr) self->listener_->OnBell();
  });
  return true;
}

void SharedLine::KeepAlive(bool on) {
  if (!polling_) return;
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void SharedLine::Ring() {
  // If its buffer is full, the peer has bells that it has not heard yet.
  (void)!send(bell_, "", 1, kQuiet);
}

void SharedLine::HearBell() {
  char bells[kBellBytes];
  const ssize_t got = recv(bell_, bells, sizeof bells, MSG_DONTWAIT);
  // The peer has gone, which the socket of the connection tells.
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) uv_poll_stop(&poll_);
}

}  // namespace zwire
