// Descriptors, addresses and socket options: a thin layer over POSIX. A function that returns an int gives a descriptor
// or 0 on success, and a negative errno on failure.
#pragma once

#include <cstdint>
#include <string>

namespace zwire {

// -1 leaves the system's value. An option that this system does not have gives -ENOTSUP.
struct SocketOptions {
  int send_buffer = -1;
  int receive_buffer = -1;
  int keepalive = -1;
  int keepalive_count = -1;
  int keepalive_idle = -1;
  int keepalive_interval = -1;
  // The rest is for tcp only. 0, or an empty name, leaves the system's value.
  int type_of_service = 0;
  std::string device;
  int priority = 0;
  int busy_poll_us = 0;
  int max_retransmit_ms = 0;
};

// Starts a non-blocking connect. It has ended when the descriptor becomes writable; ask ConnectResult then.
int ConnectTcp(const std::string& host, int port, const std::string& source_host, int source_port,
               const SocketOptions& options);
// A path that begins with NUL is a name in Linux's abstract namespace.
int ConnectPipe(const std::string& path, const SocketOptions& options);

int ListenTcp(const std::string& host, int port, int backlog, bool ipv6_only, const SocketOptions& options);
int ListenPipe(const std::string& path, int backlog, const SocketOptions& options);

// Checks that a descriptor made elsewhere is a listening stream socket for tcp, or else for a path (-EINVAL if it is
// not), makes it non-blocking and applies the options. Never closes it.
int AdoptListener(int fd, bool tcp, const SocketOptions& options);

// Tries the device, priority and busy_poll_us of these options on a new tcp socket: 0, or -ENODEV, -EPERM and so on.
int CheckTcp(const SocketOptions& options);

// The process at the other end of an accepted ipc connection, when the connection was made. Linux only.
struct PeerCredentials {
  int64_t process_id;
  int64_t user_id;
  int64_t group_id;
};
int ReadPeerCredentials(int fd, PeerCredentials* credentials);

// Accepts a connection and applies the options. -EAGAIN if none is waiting.
int Accept(int listener, const SocketOptions& options);

// The value of an integer option, or a negative errno.
int ReadSocketOption(int fd, int level, int name);

// Closes a descriptor.
void DiscardDescriptor(int fd);

// The result of a non-blocking connect: 0 or a negative errno.
int ConnectResult(int fd);

// "host:port", "[v6]:port", a path, or "@name" for an abstract name. "" if unknown.
std::string LocalAddress(int fd);
std::string RemoteAddress(int fd);

}  // namespace zwire
