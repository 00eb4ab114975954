// Descriptors, addresses and socket options: thin, POSIX only. Every function gives a descriptor or 0, or a
// negative errno.
#pragma once

#include <string>

namespace zwire {

// -1 leaves the system's value.
struct SocketOptions {
  int send_buffer = -1;
  int receive_buffer = -1;
  int keepalive = -1;
  int keepalive_count = -1;
  int keepalive_idle = -1;
  int keepalive_interval = -1;
};

// Non-blocking connect; the connection is established when the descriptor becomes writable.
int ConnectTcp(const std::string& host, int port, const std::string& source_host, int source_port,
               const SocketOptions& options);
// A path that begins with NUL is abstract (Linux).
int ConnectPipe(const std::string& path, const SocketOptions& options);

int ListenTcp(const std::string& host, int port, int backlog, bool ipv6_only, const SocketOptions& options);
int ListenPipe(const std::string& path, int backlog, const SocketOptions& options);

// A connection from a listening descriptor, -EAGAIN when there is none.
int Accept(int listener, const SocketOptions& options);

// Closes a descriptor that nobody wants.
void DiscardDescriptor(int fd);

// What became of a non-blocking connect: 0 or a negative errno.
int ConnectResult(int fd);

// "host:port", "[v6]:port", a path, "@name", or "".
std::string LocalAddress(int fd);
std::string RemoteAddress(int fd);

}  // namespace zwire
