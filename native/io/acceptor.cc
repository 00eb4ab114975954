// See acceptor.h.
#include "acceptor.h"

#include <unistd.h>

#include <cerrno>

namespace zwire {

namespace {

// Connections accepted before others get their turn.
constexpr int kAcceptsPerTurn = 64;
constexpr uint64_t kRetryMs = 100;

bool IsShortage(int status) {
  return status == -EMFILE || status == -ENFILE || status == -ENOBUFS || status == -ENOMEM;
}

}  // namespace

Acceptor::Acceptor(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener)
    : loop_(std::move(loop)), fd_(fd), options_(options), listener_(listener) {
  uv_poll_init(loop_->uv, &poll_, fd_);
  uv_timer_init(loop_->uv, &retry_);
  uv_unref(reinterpret_cast<uv_handle_t*>(&retry_));
  poll_.data = this;
  retry_.data = this;
  loop_->Opened();
  uv_poll_start(&poll_, UV_READABLE, OnPoll);
}

void Acceptor::OnPoll(uv_poll_t* handle, int, int) {
  auto* self = static_cast<Acceptor*>(handle->data);
  for (int i = 0; i < kAcceptsPerTurn && !self->closed_; i++) {
    const int fd = Accept(self->fd_, self->options_);
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) return;
    if (fd == -ECONNABORTED) continue;
    self->listener_->OnAccept(fd);
    if (self->closed_ || !IsShortage(fd)) continue;
    uv_poll_stop(&self->poll_);
    uv_timer_start(
        &self->retry_,
        [](uv_timer_t* timer) {
          auto* waiting = static_cast<Acceptor*>(timer->data);
          uv_poll_start(&waiting->poll_, UV_READABLE, OnPoll);
        },
        kRetryMs, 0);
    return;
  }
}

void Acceptor::Ref(bool on) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Acceptor::Close() {
  if (closed_) return;
  closed_ = true;
  uv_poll_stop(&poll_);
  close(fd_);
  const uv_close_cb done = [](uv_handle_t* handle) { static_cast<Acceptor*>(handle->data)->HandleClosed(); };
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), done);
  uv_close(reinterpret_cast<uv_handle_t*>(&retry_), done);
}

void Acceptor::HandleClosed() {
  if (--open_handles_ > 0) return;
  loop_->Closed();
  delete this;
}

}  // namespace zwire
