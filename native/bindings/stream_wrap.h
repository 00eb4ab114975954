// The JavaScript class Stream: it checks arguments, keeps alive the memory that is in use, and passes frames to
// JavaScript.
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

  // Takes over a descriptor, and closes it on failure. 0 or a negative errno.
  int Adopt(int fd);

  // FrameSink
  bool Frames(const uint8_t* data, size_t begin, size_t end, size_t count) override;
  uint8_t* BeginLarge(size_t capacity) override;
  uint8_t* GrowLarge(size_t filled, size_t capacity) override;
  bool EndLarge(size_t length, uint32_t flags) override;
  bool BodyAttached() override;
  // StreamListener
  void OnConnect(int status) override;
  bool OnBytes(const uint8_t* data, size_t size) override;
  void OnDrain() override;
  void OnMemory() override;
  void OnPool(std::unique_ptr<SealedMemory> pool) override;
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
  Napi::Value Share(const Napi::CallbackInfo& info);
  Napi::Value Agreed(const Napi::CallbackInfo& info);
  Napi::Value OfferPool(const Napi::CallbackInfo& info);
  Napi::Value Written(const Napi::CallbackInfo& info);
  Napi::Value Passed(const Napi::CallbackInfo& info);
  Napi::Value Recycle(const Napi::CallbackInfo& info);
  Napi::Value EndWriting(const Napi::CallbackInfo& info);
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
  // `values` own the memory of the segments. They are kept alive until the kernel has taken all of it.
  Napi::Value WriteSegments(Napi::Env env, const iovec* segments, const napi_value* values, size_t count);
  void Release();

  Environment& environment_;
  // Owned by the environment, which outlives this object.
  Binding* binding_;
  Stream* stream_ = nullptr;
  StrongReference owner_;
  // The Buffer into which a large body is being read.
  StrongReference body_;
  // Its memory, if a program may have kept a view of it from an earlier message, and may transfer it.
  const uint8_t* body_memory_ = nullptr;
  bool recycles_ = false;
  // The array of Buffers whose memory the kernel has not taken yet.
  StrongReference writing_;
};

}  // namespace zwire
