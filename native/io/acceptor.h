// One listening descriptor. Knows no JavaScript.
#pragma once

#include <uv.h>

#include <memory>

#include "loop.h"
#include "socket.h"

namespace zwire {

class AcceptorListener {
 public:
  virtual ~AcceptorListener() = default;
  // A descriptor to take over, or a negative errno.
  virtual void OnAccept(int fd) = 0;
};

class Acceptor {
 public:
  // Takes over the descriptor, unless it fails with a negative errno.
  static int Open(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener,
                  Acceptor** acceptor);
  void Ref(bool on);
  // No call on the listener follows. Deletes the acceptor when libuv has let go of it.
  void Close();
  int fd() const { return fd_; }

 private:
  Acceptor(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener);
  ~Acceptor() = default;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  void Wait();
  void HandleClosed();

  std::shared_ptr<Loop> loop_;
  uv_poll_t poll_;
  // Out of descriptors: the connection stays in the backlog, and polling for it would spin. Referenced as poll_ is: it
  // stands in for it.
  uv_timer_t retry_;
  int fd_;
  SocketOptions options_;
  AcceptorListener* listener_;
  int open_handles_ = 2;
  bool closed_ = false;
};

}  // namespace zwire
