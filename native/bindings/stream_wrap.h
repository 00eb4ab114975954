// The JavaScript class Stream: checks arguments, keeps what must stay alive, and passes frames on.
#pragma once

#include <napi.h>

#include "../io/stream.h"
#include "environment.h"

namespace zwire {

class StreamWrap : public Napi::ObjectWrap<StreamWrap>, public StreamListener, public OpenHandle {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit StreamWrap(const Napi::CallbackInfo& info);
  ~StreamWrap() override;

  // Takes over a descriptor; 0 or a negative errno.
  int Adopt(int fd);

  // FrameSink
  bool Frames(const uint8_t* data, size_t begin, size_t end, size_t count) override;
  uint8_t* BeginLarge(size_t capacity) override;
  uint8_t* GrowLarge(size_t filled, size_t capacity) override;
  bool EndLarge(size_t length, uint32_t flags) override;
  // StreamListener
  void OnConnect(int status) override;
  bool OnBytes(const uint8_t* data, size_t size) override;
  void OnDrain() override;
  bool Intact(size_t first, const iovec* segments, size_t count) override;
  void OnClose(int status, Fault fault, size_t pending, uint64_t size) override;
  // OpenHandle
  void Shutdown() override;

 private:
  Napi::Value SetOwner(const Napi::CallbackInfo& info);
  Napi::Value ConnectTcp(const Napi::CallbackInfo& info);
  Napi::Value ConnectPipe(const Napi::CallbackInfo& info);
  Napi::Value Start(const Napi::CallbackInfo& info);
  Napi::Value StartFrames(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value WriteV(const Napi::CallbackInfo& info);
  Napi::Value Pause(const Napi::CallbackInfo& info);
  Napi::Value Resume(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value RefHandle(const Napi::CallbackInfo& info);
  Napi::Value UnrefHandle(const Napi::CallbackInfo& info);
  Napi::Value LocalAddressOf(const Napi::CallbackInfo& info);
  Napi::Value RemoteAddressOf(const Napi::CallbackInfo& info);
  Napi::Value Received(const Napi::CallbackInfo& info);
  Napi::Value Partial(const Napi::CallbackInfo& info);
  Napi::Value Unsent(const Napi::CallbackInfo& info);
  Napi::Value GetSocketOption(const Napi::CallbackInfo& info);
  Napi::Value GetPeerCredentials(const Napi::CallbackInfo& info);

  Napi::Value Connect(Napi::Env env, int fd);
  // `values` own the segments' memory, and are kept while the kernel has not taken it.
  Napi::Value WriteSegments(Napi::Env env, const iovec* segments, const napi_value* values, size_t count);
  void Release();

  Environment& environment_;
  // Lives as long as the environment.
  Binding* binding_;
  Stream* stream_ = nullptr;
  StrongReference owner_;
  // The Buffer that a large body is read into.
  StrongReference body_;
  // Whose memory the kernel has still to take.
  StrongReference writing_;
};

}  // namespace zwire
