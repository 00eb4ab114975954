// The JavaScript class Acceptor: it listens, and gives each accepted connection to JavaScript as a Stream.
#pragma once

#include <napi.h>

#include "../io/acceptor.h"
#include "environment.h"

namespace zwire {

class AcceptorWrap : public Napi::ObjectWrap<AcceptorWrap>, public AcceptorListener, public OpenHandle {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit AcceptorWrap(const Napi::CallbackInfo& info);

  void OnAccept(int fd) override;
  void Shutdown() override;

 private:
  Napi::Value SetOwner(const Napi::CallbackInfo& info);
  Napi::Value ListenTcp(const Napi::CallbackInfo& info);
  Napi::Value ListenPipe(const Napi::CallbackInfo& info);
  Napi::Value ListenDescriptor(const Napi::CallbackInfo& info);
  Napi::Value LocalAddressOf(const Napi::CallbackInfo& info);
  Napi::Value GetSocketOption(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value RefHandle(const Napi::CallbackInfo& info);
  Napi::Value UnrefHandle(const Napi::CallbackInfo& info);

  Napi::Value Listen(Napi::Env env, int fd, const SocketOptions& options);
  void Opened();
  void Release();

  Environment& environment_;
  // Owned by the environment, which outlives this object.
  Binding* binding_;
  double binding_number_;
  Acceptor* acceptor_ = nullptr;
  StrongReference owner_;
};

}  // namespace zwire
