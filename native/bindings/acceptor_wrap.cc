// See acceptor_wrap.h.
#include "acceptor_wrap.h"

#include "stream_wrap.h"

namespace zwire {

Napi::Function AcceptorWrap::Define(Napi::Env env) {
  return DefineClass(env, "Acceptor",
                     {
                         InstanceMethod<&AcceptorWrap::SetOwner>("setOwner"),
                         InstanceMethod<&AcceptorWrap::ListenTcp>("listenTcp"),
                         InstanceMethod<&AcceptorWrap::ListenPipe>("listenPipe"),
                         InstanceMethod<&AcceptorWrap::ListenDescriptor>("listenDescriptor"),
                         InstanceMethod<&AcceptorWrap::LocalAddressOf>("localAddress"),
                         InstanceMethod<&AcceptorWrap::GetSocketOption>("getSocketOption"),
                         InstanceMethod<&AcceptorWrap::Close>("close"),
                         InstanceMethod<&AcceptorWrap::RefHandle>("ref"),
                         InstanceMethod<&AcceptorWrap::UnrefHandle>("unref"),
                     });
}

AcceptorWrap::AcceptorWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<AcceptorWrap>(info),
      environment_(Environment::Of(info.Env())),
      binding_(environment_.BindingOf(info)),
      binding_number_(binding_ == nullptr ? 0 : info[0].As<Napi::Number>().DoubleValue()),
      owner_(info.Env()) {}

// Called from the event loop. JavaScript may no longer run then, so this uses plain Node-API (see reference.h).
void AcceptorWrap::OnAccept(int fd) {
  const napi_env env = Env();
  Scope scope(env);
  napi_value status;
  napi_value stream;
  napi_create_int32(env, fd < 0 ? fd : 0, &status);
  if (fd < 0) {
    napi_get_undefined(env, &stream);
    environment_.Call(*binding_, Binding::kOnAccept, owner_.Value(), {status, stream});
    return;
  }
  void* wrap = nullptr;
  napi_value number;
  if (napi_create_double(env, binding_number_, &number) != napi_ok ||
      napi_new_instance(env, environment_.stream_constructor.Value(), 1, &number, &stream) != napi_ok ||
      napi_unwrap(env, stream, &wrap) != napi_ok) {
    DiscardDescriptor(fd);
    return;
  }
  const int adopted = static_cast<StreamWrap*>(wrap)->Adopt(fd);
  if (adopted != 0) {
    napi_create_int32(env, adopted, &status);
    napi_get_undefined(env, &stream);
  }
  environment_.Call(*binding_, Binding::kOnAccept, owner_.Value(), {status, stream});
}

void AcceptorWrap::Release() {
  acceptor_->Close();
  acceptor_ = nullptr;
  owner_.Reset();
  Unref();
}

void AcceptorWrap::Shutdown() {
  if (acceptor_ != nullptr) Release();
}

Napi::Value AcceptorWrap::SetOwner(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) return Misuse(info.Env(), "owner must be an object");
  owner_.Set(info[0]);
  return info.Env().Undefined();
}

Napi::Value AcceptorWrap::Listen(Napi::Env env, int fd, const SocketOptions& options) {
  if (fd < 0) return Napi::Number::New(env, fd);
  const int status = Acceptor::Open(environment_.loop, fd, options, this, &acceptor_);
  if (status != 0) {
    DiscardDescriptor(fd);
    return Napi::Number::New(env, status);
  }
  Opened();
  return Napi::Number::New(env, 0);
}

void AcceptorWrap::Opened() {
  environment_.open.insert(this);
  Ref();
}

Napi::Value AcceptorWrap::ListenTcp(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 5 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsNumber() || !info[3].IsBoolean()) {
    return Misuse(env, "listenTcp(host, port, backlog, ipv6Only, options)");
  }
  if (acceptor_ != nullptr || owner_.empty()) return Misuse(env, "an acceptor listens once, and has an owner");
  const SocketOptions options = ReadSocketOptions(info[4]);
  return Listen(env,
                zwire::ListenTcp(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::Number>().Int32Value(),
                                 info[2].As<Napi::Number>().Int32Value(), info[3].As<Napi::Boolean>().Value(), options),
                options);
}

Napi::Value AcceptorWrap::ListenPipe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsString() || !info[1].IsNumber()) {
    return Misuse(env, "listenPipe(path, backlog, options)");
  }
  if (acceptor_ != nullptr || owner_.empty()) return Misuse(env, "an acceptor listens once, and has an owner");
  const SocketOptions options = ReadSocketOptions(info[2]);
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  return Listen(env, zwire::ListenPipe(path, info[1].As<Napi::Number>().Int32Value(), options), options);
}

Napi::Value AcceptorWrap::ListenDescriptor(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsNumber() || !info[1].IsBoolean()) {
    return Misuse(env, "listenDescriptor(descriptor, tcp, options)");
  }
  if (acceptor_ != nullptr || owner_.empty()) return Misuse(env, "an acceptor listens once, and has an owner");
  const SocketOptions options = ReadSocketOptions(info[2]);
  const int fd = info[0].As<Napi::Number>().Int32Value();
  int status = AdoptListener(fd, info[1].As<Napi::Boolean>().Value(), options);
  // Acceptor::Open fails with -EEXIST if this event loop already watches the descriptor. On any failure the caller
  // still owns the descriptor, so it is not closed here.
  if (status == 0) status = Acceptor::Open(environment_.loop, fd, options, this, &acceptor_);
  if (status == 0) Opened();
  return Napi::Number::New(env, status);
}

Napi::Value AcceptorWrap::GetSocketOption(const Napi::CallbackInfo& info) {
  return SocketOptionOf(info, acceptor_ == nullptr ? -1 : acceptor_->fd());
}

Napi::Value AcceptorWrap::LocalAddressOf(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), acceptor_ == nullptr ? "" : LocalAddress(acceptor_->fd()));
}

Napi::Value AcceptorWrap::Close(const Napi::CallbackInfo& info) {
  if (acceptor_ != nullptr) {
    environment_.open.erase(this);
    Release();
  }
  // Needed even if the acceptor never listened: the owner refers to this object, and neither would ever be collected.
  owner_.Reset();
  return info.Env().Undefined();
}

Napi::Value AcceptorWrap::RefHandle(const Napi::CallbackInfo& info) {
  if (acceptor_ != nullptr) acceptor_->Ref(true);
  return info.Env().Undefined();
}

Napi::Value AcceptorWrap::UnrefHandle(const Napi::CallbackInfo& info) {
  if (acceptor_ != nullptr) acceptor_->Ref(false);
  return info.Env().Undefined();
}

}  // namespace zwire
