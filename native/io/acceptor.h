// One listening descriptor, watched by the event loop. No JavaScript here.
#pragma once

#include <uv.h>

#include <memory>

#include "loop.h"
#include "socket.h"

namespace zwire {

class AcceptorListener {
 public:
  virtual ~AcceptorListener() = default;
  // `fd` is a connection, which the listener now owns, or a negative errno.
  virtual void OnAccept(int fd) = 0;
};

class Acceptor {
 public:
  // Takes over the descriptor. On failure (a negative errno) the caller still owns it.
  static int Open(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener,
                  Acceptor** acceptor);
  void Ref(bool on);
  // The listener is not called again. The acceptor deletes itself when libuv has closed its handles.
  void Close();
  int fd() const { return fd_; }

 private:
  Acceptor(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener);
  ~Acceptor() = default;
  static void OnPoll(uv_poll_t* handle, int status, int events);
  // Stops polling for a while.
  void RetryLater();
  void HandleClosed();

  std::shared_ptr<Loop> loop_;
  uv_poll_t poll_;
  // Runs while the process has no free descriptors: the connection stays in the backlog, and polling would spin. It is
  // ref'ed or unref'ed together with poll_, because it replaces it for that time.
  uv_timer_t retry_;
  int fd_;
  SocketOptions options_;
  AcceptorListener* listener_;
  int open_handles_ = 2;
  bool closed_ = false;
};

}  // namespace zwire
