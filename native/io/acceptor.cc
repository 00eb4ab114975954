// See acceptor.h.
#include "acceptor.h"

#include <unistd.h>

#include <cerrno>

namespace zwire {

namespace {

// The most connections that are accepted at once, within Loop::kShareNs; then other handles are served.
constexpr int kAcceptsPerTurn = 64;
constexpr uint64_t kRetryMs = 100;

bool IsShortage(int status) {
  return status == -EMFILE || status == -ENFILE || status == -ENOBUFS || status == -ENOMEM;
}

}  // namespace

Acceptor::Acceptor(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener)
    : loop_(std::move(loop)), fd_(fd), options_(options), listener_(listener) {
  poll_.data = this;
  retry_.data = this;
}

int Acceptor::Open(std::shared_ptr<Loop> loop, int fd, const SocketOptions& options, AcceptorListener* listener,
                   Acceptor** acceptor) {
  auto* opened = new Acceptor(std::move(loop), fd, options, listener);
  const int status = uv_poll_init(opened->loop_->uv, &opened->poll_, fd);
  if (status != 0) {
    delete opened;
    return status;
  }
  uv_timer_init(opened->loop_->uv, &opened->retry_);
  opened->loop_->Opened();
  uv_poll_start(&opened->poll_, UV_READABLE, OnPoll);
  *acceptor = opened;
  return 0;
}

void Acceptor::OnPoll(uv_poll_t* handle, int status, int) {
  auto* self = static_cast<Acceptor*>(handle->data);
  if (status < 0) {  // libuv has stopped polling
    self->RetryLater();
    return;
  }
  const uint64_t began = uv_hrtime();
  for (int i = 0; i < kAcceptsPerTurn && !self->closed_; i++) {
    if (i > 0 && uv_hrtime() - began >= Loop::kShareNs) return;
    const int fd = Accept(self->fd_, self->options_);
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) return;
    if (fd == -ECONNABORTED) continue;
    self->listener_->OnAccept(fd);
    if (self->closed_ || !IsShortage(fd)) continue;
    self->RetryLater();
    return;
  }
}

void Acceptor::RetryLater() {
  uv_poll_stop(&poll_);
  uv_timer_start(
      &retry_,
      [](uv_timer_t* timer) {
        auto* waiting = static_cast<Acceptor*>(timer->data);
        uv_poll_start(&waiting->poll_, UV_READABLE, OnPoll);
      },
      kRetryMs, 0);
}

void Acceptor::Ref(bool on) {
  const auto set = on ? uv_ref : uv_unref;
  set(reinterpret_cast<uv_handle_t*>(&poll_));
  set(reinterpret_cast<uv_handle_t*>(&retry_));
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
