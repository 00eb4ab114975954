// See shared_line.h.
#include "shared_line.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace zwire {

namespace {

constexpr char kOffer = 'O';
constexpr char kTaken = 'T';
constexpr char kSwitch = 'S';
constexpr char kPool = 'P';
// An offer has two descriptors. A read that brings more is a breach of the rules, and the kernel drops the rest.
constexpr size_t kMostDescriptors = 4;
// Bells that are taken at once. One is enough to wake; a flood takes its turns.
constexpr size_t kBellBytes = 256;

#ifdef MSG_NOSIGNAL
constexpr int kQuiet = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int kQuiet = MSG_DONTWAIT;
#endif
#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceive = MSG_CMSG_CLOEXEC;
#else
constexpr int kReceive = 0;
#endif

void CloseAll(const int* descriptors, size_t count) {
  for (size_t i = 0; i < count; i++) close(descriptors[i]);
}

void CloseOne(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// The byte at `at` of a read.
char ByteAt(const iovec* segments, size_t at) {
  while (at >= segments->iov_len) at -= (segments++)->iov_len;
  return static_cast<const char*>(segments->iov_base)[at];
}

bool IsSocket(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

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

bool SharedLine::OfferPool(int fd) {
#ifdef F_DUPFD_CLOEXEC
  const int copy = agreed_ ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
  if (copy < 0) return false;
  signs_.push_back({kPool, copy});
  Proceed(false);
  return true;
#else
  return false;
#endif
}

bool SharedLine::Proceed(bool idle) {
  while (!signs_.empty()) {
    Sign& sign = signs_.front();
    // What could not be shared has been forgotten.
    if ((sign.name == kPool || !failed_) && !SendNow(sign)) return false;
    CloseOne(&sign.descriptor);
    signs_.pop_front();
  }
  if (!idle || outgoing_ || stays_ || !taken_ || writer_ == nullptr) return false;
  if (!SendNow({kSwitch, -1})) return false;
  CloseOne(&memory_);
  outgoing_ = true;
  return true;
}

bool SharedLine::SendNow(const Sign& sign) {
  char name = sign.name;
  iovec byte{&name, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 2)];
  std::memset(control, 0, sizeof control);
  int descriptors[2] = {name == kPool ? sign.descriptor : memory_, other_bell_};
  const size_t size = sizeof(int) * (name == kOffer && other_bell_ >= 0 ? 2 : 1);
  msghdr message;
  std::memset(&message, 0, sizeof message);
  message.msg_iov = &byte;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), descriptors, size);
  ssize_t sent;
  do {
    sent = sendmsg(fd_, &message, kQuiet);
  } while (sent < 0 && errno == EINTR);
  if (sent == 1) {
    if (name == kOffer) CloseOne(&other_bell_);
    return true;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return false;
  // Too many descriptors are on their way (ETOOMANYREFS), or the peer has gone, which the next read tells.
  if (name == kSwitch) {
    stays_ = true;  // the peer may be in its ring already
    return false;
  }
  if (name != kPool) Fail();
  return true;
}

bool SharedLine::Obey(char name, const int* descriptors, size_t count) {
  if (name == kPool) {
    // With more, a peer would use up our descriptors or our address space.
    if (count != 1 || ++pools_ > kMostPools) {
      CloseAll(descriptors, count);
      return false;
    }
    if (agreed_) {
      TakePool(descriptors[0]);
    } else {
      early_pools_.push_back(descriptors[0]);
    }
    return true;
  }
  if (!agreed_) {
    if (name == kOffer && count == 2 && early_[0] < 0) {
      early_[0] = descriptors[0];
      early_[1] = descriptors[1];
      return true;
    }
    CloseAll(descriptors, count);
    return false;
  }
  if (name == kOffer) return TakeOffer(descriptors, count);
  CloseAll(descriptors, count);
  if (name == kTaken) {
    if (!offered_ || taken_) return false;
    taken_ = true;
    return true;
  }
  if (name != kSwitch || !taken_ || reader_ == nullptr || incoming_) return false;
  incoming_ = true;
  return true;
}

bool SharedLine::TakeOffer(const int* descriptors, size_t count) {
  if (offer_came_ || count > 2 || (count == 1 && !offered_)) {
    CloseAll(descriptors, count);
    return false;
  }
  offer_came_ = true;
  if (!failed_) peer_ = RingBlock::Map(descriptors[0]);
  close(descriptors[0]);
  // If both sides have offered at the same time there are two bells: that of the accepting side counts.
  const bool adopt = count == 2 && (!offered_ || !accepted_) && peer_ != nullptr && IsSocket(descriptors[1]);
  if (count == 2 && !adopt) close(descriptors[1]);
  if (peer_ == nullptr || (!adopt && !offered_) || (!offered_ && !MakeOwn())) {
    if (adopt) close(descriptors[1]);
    Fail();
    return true;
  }
  if (adopt) {
    CloseOne(&bell_);
    bell_ = descriptors[1];
  }
  if (!WatchBell()) {
    Fail();
    return true;
  }
  writer_ = std::make_unique<RingWriter>(own_.get(), peer_.get());
  reader_ = std::make_unique<RingReader>(own_.get(), peer_.get());
  if (!offered_) Send(kOffer);
  if (!failed_) Send(kTaken);
  return true;
}

void SharedLine::TakePool(int descriptor) {
  auto pool = SealedMemory::Map(descriptor, 1, kMostPoolBytes);
  close(descriptor);
  if (listener_ != nullptr) listener_->OnPool(std::move(pool));
}

// Reading

ssize_t SharedLine::Read(iovec* segments, int count) {
  if (!incoming_) {
    const ssize_t got = ReadSocket(segments, count);
    if (got != -EINPROGRESS) return got;
  }
  return ReadRing(segments, count);
}

// -EINPROGRESS: the peer's next byte is in its ring.
ssize_t SharedLine::ReadSocket(iovec* segments, int count) {
  for (;;) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostDescriptors)];
    msghdr message;
    std::memset(&message, 0, sizeof message);
    message.msg_iov = segments;
    message.msg_iovlen = static_cast<size_t>(count);
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    do {
      got = recvmsg(fd_, &message, kReceive);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    int descriptors[kMostDescriptors];
    size_t received = 0;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const size_t bytes = header->cmsg_len - CMSG_LEN(0);
      std::memcpy(descriptors + received, CMSG_DATA(header), bytes);
      received += bytes / sizeof(int);
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0 || (received > 0 && got == 0)) {
      CloseAll(descriptors, received);
      return -EPROTO;
    }
    if (received == 0) return got;
    got--;
    if (!Obey(ByteAt(segments, static_cast<size_t>(got)), descriptors, received)) return -EPROTO;
    if (got > 0) return got;
    if (incoming_) return -EINPROGRESS;
  }
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

ssize_t SharedLine::ReadSigns() {
  for (;;) {
    char stray;
    iovec byte{&stray, 1};
    const ssize_t got = ReadSocket(&byte, 1);
    if (got > 0) return -EPROTO;
    if (got != -EINPROGRESS) return got;
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
