// See socket.h.
#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace zwire {

namespace {

#ifdef TCP_KEEPIDLE
constexpr int kKeepIdle = TCP_KEEPIDLE;
#else
constexpr int kKeepIdle = TCP_KEEPALIVE;  // macOS
#endif

// Owns a descriptor, and closes it in the destructor unless Release was called.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

int PrepareDescriptor(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
#ifdef SO_NOSIGPIPE
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) < 0) return -errno;
#endif
  return 0;
}

int OpenSocket(int family) {
#ifdef SOCK_NONBLOCK
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
#else
  const int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return -errno;
  const int status = PrepareDescriptor(fd);
  if (status == 0) return fd;
  close(fd);
  return status;
#endif
}

int Set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int SetUnlessDefault(int fd, int level, int name, int value) { return value == -1 ? 0 : Set(fd, level, name, value); }

int ApplyBuffers(int fd, const SocketOptions& options) {
  const int status = SetUnlessDefault(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  return status != 0 ? status : SetUnlessDefault(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
}

int SetTypeOfService(int fd, int family, int value) {
  if (value <= 0) return 0;
  if (family != AF_INET6) return Set(fd, IPPROTO_IP, IP_TOS, value);
#ifdef IPV6_TCLASS
  const int status = Set(fd, IPPROTO_IPV6, IPV6_TCLASS, value);
#else
  const int status = -ENOTSUP;
#endif
#ifdef __linux__
  // IPv4 peers of a dual-stack socket are governed by this option.
  return status != 0 ? status : Set(fd, IPPROTO_IP, IP_TOS, value);
#else
  return status;
#endif
}

int BindToDevice(int fd, const std::string& device) {
  if (device.empty()) return 0;
  if (device.size() >= IFNAMSIZ) return -EINVAL;  // the kernel would silently cut the name
#ifdef SO_BINDTODEVICE
  const auto length = static_cast<socklen_t>(device.size());
  return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.data(), length) < 0 ? -errno : 0;
#else
  (void)fd;
  return -ENOTSUP;
#endif
}

int SetMaxRetransmit(int fd, int milliseconds) {
  if (milliseconds <= 0) return 0;
#ifdef TCP_USER_TIMEOUT
  return Set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds);
#else
  (void)fd;
  return -ENOTSUP;
#endif
}

int SetPriority(int fd, int priority) {
  if (priority <= 0) return 0;
#ifdef SO_PRIORITY
  return Set(fd, SOL_SOCKET, SO_PRIORITY, priority);
#else
  (void)fd;
  return -ENOTSUP;
#endif
}

int SetBusyPoll(int fd, int microseconds) {
  if (microseconds <= 0) return 0;
#ifdef SO_BUSY_POLL
  return Set(fd, SOL_SOCKET, SO_BUSY_POLL, microseconds);
#else
  (void)fd;
  return -ENOTSUP;
#endif
}

// The options of a listening tcp socket. Those that it accepts get ApplyTcp.
int ApplyListener(int fd, int family, const SocketOptions& options) {
  int status = ApplyBuffers(fd, options);
  if (status == 0) status = SetTypeOfService(fd, family, options.type_of_service);
  if (status == 0) status = BindToDevice(fd, options.device);
  if (status == 0) status = SetPriority(fd, options.priority);
  if (status == 0) status = SetBusyPoll(fd, options.busy_poll_us);
  if (status == 0) status = SetMaxRetransmit(fd, options.max_retransmit_ms);
  return status;
}

int ApplyTcp(int fd, int family, const SocketOptions& options) {
  int status = ApplyBuffers(fd, options);
  if (status == 0) status = SetTypeOfService(fd, family, options.type_of_service);
  if (status == 0) status = SetPriority(fd, options.priority);
  if (status == 0) status = SetBusyPoll(fd, options.busy_poll_us);
  if (status == 0) status = SetMaxRetransmit(fd, options.max_retransmit_ms);
  if (status == 0) status = Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // G17
  if (status == 0) status = SetUnlessDefault(fd, SOL_SOCKET, SO_KEEPALIVE, options.keepalive);
  if (status == 0) status = SetUnlessDefault(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_count);
  if (status == 0) status = SetUnlessDefault(fd, IPPROTO_TCP, kKeepIdle, options.keepalive_idle);
  if (status == 0) status = SetUnlessDefault(fd, IPPROTO_TCP, TCP_KEEPINTVL, options.keepalive_interval);
  return status;
}

// A numeric address; IPv6 may carry a %zone.
int ParseAddress(const std::string& host, int port, sockaddr_storage* storage, socklen_t* length) {
  if (port < 0 || port > 65535) return -EINVAL;
  std::memset(storage, 0, sizeof *storage);
  auto* v4 = reinterpret_cast<sockaddr_in*>(storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    *length = sizeof *v4;
    return 0;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(storage);
  const size_t percent = host.find('%');
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6->sin6_addr) != 1) return -EINVAL;
  if (percent != std::string::npos) {
    const std::string zone = host.substr(percent + 1);
    v6->sin6_scope_id = if_nametoindex(zone.c_str());
    if (v6->sin6_scope_id == 0) v6->sin6_scope_id = static_cast<uint32_t>(std::atoi(zone.c_str()));
    if (v6->sin6_scope_id == 0) return -ENODEV;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(static_cast<uint16_t>(port));
  *length = sizeof *v6;
  return 0;
}

int ParsePath(const std::string& path, sockaddr_un* address, socklen_t* length) {
  std::memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (path.empty()) return -EINVAL;
  if (path.size() >= sizeof address->sun_path) return -ENAMETOOLONG;
  std::memcpy(address->sun_path, path.data(), path.size());
  // An abstract name has no terminating NUL (R16).
  const bool abstract = path[0] == '\0';
  if (!abstract && path.find('\0') != std::string::npos) return -EINVAL;
  *length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  return 0;
}

int StartConnect(Descriptor* fd, const void* address, socklen_t length) {
  int status;
  do {
    status = connect(fd->get(), static_cast<const sockaddr*>(address), length);
  } while (status < 0 && errno == EINTR);
  // A unix socket gives EAGAIN if the listener's backlog is full. That is an error here; the dialler tries again.
  if (status < 0 && errno != EINPROGRESS) return -errno;
  return fd->Release();
}

std::string FormatAddress(const sockaddr_storage& storage, socklen_t length) {
  char text[INET6_ADDRSTRLEN];
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    const std::string port = std::to_string(ntohs(v6.sin6_port));
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
      return std::string(text) + ":" + port;
    }
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + port;
  }
  if (storage.ss_family != AF_UNIX) return "";
  const auto& path = reinterpret_cast<const sockaddr_un&>(storage);
  const size_t size = length - offsetof(sockaddr_un, sun_path);
  if (length <= offsetof(sockaddr_un, sun_path)) return "";
  if (path.sun_path[0] == '\0') return "@" + std::string(path.sun_path + 1, size - 1);
  return std::string(path.sun_path, strnlen(path.sun_path, size));
}

}  // namespace

int ConnectTcp(const std::string& host, int port, const std::string& source_host, int source_port,
               const SocketOptions& options) {
  sockaddr_storage address;
  socklen_t length;
  int status = ParseAddress(host, port, &address, &length);
  if (status != 0) return status;
  Descriptor fd(OpenSocket(address.ss_family));
  if (fd.get() < 0) return fd.get();
  status = ApplyTcp(fd.get(), address.ss_family, options);
  if (status == 0) status = BindToDevice(fd.get(), options.device);
  if (status != 0) return status;
  if (!source_host.empty()) {  // R6
    sockaddr_storage source;
    socklen_t source_length;
    status = ParseAddress(source_host, source_port, &source, &source_length);
    if (status == 0) status = Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (status != 0) return status;
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&source), source_length) < 0) return -errno;
  }
  return StartConnect(&fd, &address, length);
}

int ConnectPipe(const std::string& path, const SocketOptions& options) {
  sockaddr_un address;
  socklen_t length;
  int status = ParsePath(path, &address, &length);
  if (status != 0) return status;
  Descriptor fd(OpenSocket(AF_UNIX));
  if (fd.get() < 0) return fd.get();
  status = ApplyBuffers(fd.get(), options);
  return status != 0 ? status : StartConnect(&fd, &address, length);
}

int ListenTcp(const std::string& host, int port, int backlog, bool ipv6_only, const SocketOptions& options) {
  sockaddr_storage address;
  socklen_t length;
  int status = ParseAddress(host, port, &address, &length);
  if (status != 0) return status;
  Descriptor fd(OpenSocket(address.ss_family));
  if (fd.get() < 0) return fd.get();
  status = Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // R10
  if (status == 0) status = ApplyListener(fd.get(), address.ss_family, options);
  if (status == 0 && address.ss_family == AF_INET6) status = Set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only);
  if (status != 0) return status;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) < 0) return -errno;
  if (listen(fd.get(), backlog) < 0) return -errno;
  return fd.Release();
}

int ListenPipe(const std::string& path, int backlog, const SocketOptions& options) {
  sockaddr_un address;
  socklen_t length;
  int status = ParsePath(path, &address, &length);
  if (status != 0) return status;
  Descriptor fd(OpenSocket(AF_UNIX));
  if (fd.get() < 0) return fd.get();
  status = ApplyBuffers(fd.get(), options);
  if (status != 0) return status;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) < 0) return -errno;
  if (listen(fd.get(), backlog) < 0) return -errno;
  return fd.Release();
}

int AdoptListener(int fd, bool tcp, const SocketOptions& options) {
  int type = 0;
  int listening = 0;
  socklen_t length = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM) return -EINVAL;
  length = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || listening == 0) return -EINVAL;
  sockaddr_storage address;
  length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return -EINVAL;
  const int family = address.ss_family;
  if (tcp ? family != AF_INET && family != AF_INET6 : family != AF_UNIX) return -EINVAL;
  const int status = PrepareDescriptor(fd);
  if (status != 0) return status;
  return tcp ? ApplyListener(fd, family, options) : ApplyBuffers(fd, options);
}

int CheckTcp(const SocketOptions& options) {
  Descriptor fd(OpenSocket(AF_INET));
  if (fd.get() < 0) return fd.get();
  int status = BindToDevice(fd.get(), options.device);
  if (status == 0) status = SetPriority(fd.get(), options.priority);
  if (status == 0) status = SetBusyPoll(fd.get(), options.busy_poll_us);
  return status;
}

int ReadPeerCredentials(int fd, PeerCredentials* credentials) {
#ifdef __linux__
  ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  *credentials = {peer.pid, peer.uid, peer.gid};
  return 0;
#else
  (void)fd;
  (void)credentials;
  return -ENOTSUP;
#endif
}

int Accept(int listener, const SocketOptions& options) {
  sockaddr_storage address;
  socklen_t length = sizeof address;
  int accepted;
  do {
    accepted = accept(listener, reinterpret_cast<sockaddr*>(&address), &length);
  } while (accepted < 0 && errno == EINTR);
  if (accepted < 0) return -errno;
  Descriptor fd(accepted);
  int status = PrepareDescriptor(fd.get());
  if (status == 0) {
    const int family = address.ss_family;
    // No BindToDevice: an accepted socket inherits the device.
    status = family == AF_UNIX ? ApplyBuffers(fd.get(), options) : ApplyTcp(fd.get(), family, options);
  }
  return status != 0 ? status : fd.Release();
}

int ReadSocketOption(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) < 0 ? -errno : value;
}

void DiscardDescriptor(int fd) { close(fd); }

int ConnectResult(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
  return -error;
}

std::string LocalAddress(int fd) {
  sockaddr_storage address;
  socklen_t length = sizeof address;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0 ? "" : FormatAddress(address, length);
}

std::string RemoteAddress(int fd) {
  sockaddr_storage address;
  socklen_t length = sizeof address;
  return getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0 ? "" : FormatAddress(address, length);
}

}  // namespace zwire
