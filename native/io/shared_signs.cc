// The signs of SharedLine: see shared_line.h.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "shared_line.h"
#include "sign_names.h"

namespace zwire {

namespace {

// An offer has two descriptors. A read that brings more is a breach of the rules, and the kernel drops the rest.
constexpr size_t kMostDescriptors = 4;

#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceive = MSG_CMSG_CLOEXEC;
#else
constexpr int kReceive = 0;
#endif

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
    if (count != 1 || ++pools_ > kMostPools || (!agreed_ && pools_ > kMostEarlyPools)) {
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
  came_.push_back(SealedMemory::Map(descriptor, 1, kMostPoolBytes));
  close(descriptor);
}

std::unique_ptr<SealedMemory> SharedLine::NextPool() {
  auto pool = std::move(came_.front());
  came_.erase(came_.begin());
  return pool;
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

ssize_t SharedLine::ReadSigns() {
  for (;;) {
    char stray;
    iovec byte{&stray, 1};
    const ssize_t got = ReadSocket(&byte, 1);
    if (got > 0) return -EPROTO;
    if (got != -EINPROGRESS) return got;
  }
}

}  // namespace zwire
