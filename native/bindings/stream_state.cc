// What JavaScript may ask a Stream: see stream_wrap.h.
#include <cerrno>

#include "stream_wrap.h"

namespace zwire {

Napi::Value StreamWrap::LocalAddressOf(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), stream_ == nullptr ? "" : LocalAddress(stream_->fd()));
}

Napi::Value StreamWrap::RemoteAddressOf(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), stream_ == nullptr ? "" : RemoteAddress(stream_->fd()));
}

Napi::Value StreamWrap::Received(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), stream_ == nullptr ? 0 : static_cast<double>(stream_->received()));
}

Napi::Value StreamWrap::Partial(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), stream_ != nullptr && stream_->partial());
}

Napi::Value StreamWrap::Unsent(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), stream_ == nullptr ? 0 : static_cast<double>(stream_->unsent()));
}

Napi::Value StreamWrap::GetSocketOption(const Napi::CallbackInfo& info) {
  return SocketOptionOf(info, stream_ == nullptr ? -1 : stream_->fd());
}

Napi::Value StreamWrap::GetPeerCredentials(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  PeerCredentials peer;
  const int status = stream_ == nullptr ? -EBADF : ReadPeerCredentials(stream_->fd(), &peer);
  if (status != 0) return Napi::Number::New(env, status);
  Napi::Array result = Napi::Array::New(env, 3);
  result.Set(0u, Napi::Number::New(env, static_cast<double>(peer.process_id)));
  result.Set(1u, Napi::Number::New(env, static_cast<double>(peer.user_id)));
  result.Set(2u, Napi::Number::New(env, static_cast<double>(peer.group_id)));
  return result;
}

Napi::Value StreamWrap::Written(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), stream_ == nullptr ? 0 : static_cast<double>(stream_->written()));
}

Napi::Value StreamWrap::Passed(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), stream_ == nullptr ? 0 : static_cast<double>(stream_->passed()));
}

}  // namespace zwire
