// Descriptors, addresses and socket options: thin, POSIX only. Every function gives a descriptor or 0, or a
// negative errno.
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
  // tcp. 0, an empty name and 0 leave the system's.
  int type_of_service = 0;
  std::string device;
  int priority = 0;
  int busy_poll_us = 0;
  int max_retransmit_ms = 0;
};

// Non-blocking connect; the connection is established when the descriptor becomes writable.
int ConnectTcp(const std::string& host, int port, const std::string& source_host, int source_port,
               const SocketOptions& options);
// A path that begins with NUL is abstract (Linux).
int ConnectPipe(const std::string& path, const SocketOptions& options);

int ListenTcp(const std::string& host, int port, int backlog, bool ipv6_only, const SocketOptions& options);
int ListenPipe(const std::string& path, int backlog, const SocketOptions& options);

// Whether a descriptor made by somebody else is a listening stream socket for tcp, or of a path; -EINVAL where not.
// Makes it ready for us and applies the options. Does not close it, whatever comes out.
int AdoptListener(int fd, bool tcp, const SocketOptions& options);

// Whether a tcp socket could have the device, priority and busy_poll_us of these options: -ENODEV, -EPERM, ...
int CheckTcp(const SocketOptions& options);

// Who was at the other end of an accepted ipc connection when it was made.
struct PeerCredentials {
  int64_t process_id;
  int64_t user_id;
  int64_t group_id;
};
int ReadPeerCredentials(int fd, PeerCredentials* credentials);

// A connection from a listening descriptor, -EAGAIN when there is none.
int Accept(int listener, const SocketOptions& options);

// The value of an integer option, or a negative errno.
int ReadSocketOption(int fd, int level, int name);

// Closes a descriptor that nobody wants.
void DiscardDescriptor(int fd);

// What became of a non-blocking connect: 0 or a negative errno.
int ConnectResult(int fd);

// "host:port", "[v6]:port", a path, "@name", or "".
std::string LocalAddress(int fd);
std::string RemoteAddress(int fd);

}  // namespace zwire
