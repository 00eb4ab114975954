// See pool_wrap.h.
#include "pool_wrap.h"

#include <unistd.h>

#include <utility>

#include "environment.h"

namespace zwire {

Napi::Function PoolWrap::Define(Napi::Env env) {
  return DefineClass(env, "Pool",
                     {
                         InstanceMethod<&PoolWrap::ViewOf>("view"),
                         InstanceMethod<&PoolWrap::Close>("close"),
                     });
}

PoolWrap* PoolWrap::From(napi_env env, napi_value value) {
  bool is = false;
  const napi_value constructor = Environment::Of(env).pool_constructor.Value();
  if (constructor == nullptr || napi_instanceof(env, value, constructor, &is) != napi_ok || !is) return nullptr;
  void* pool = nullptr;
  return napi_unwrap(env, value, &pool) == napi_ok ? static_cast<PoolWrap*>(pool) : nullptr;
}

napi_value PoolWrap::View(napi_env env, std::shared_ptr<SealedMemory> memory, size_t offset, size_t size) {
  uint8_t* data = memory->data() + offset;
  auto* owner = new std::shared_ptr<SealedMemory>(std::move(memory));
  const auto finalize = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<SealedMemory>*>(hint); };
  napi_value view;
  if (napi_create_external_arraybuffer(env, data, size, finalize, owner, &view) == napi_ok) return view;
  delete owner;
  Environment::Of(env).ClearException();
  return nullptr;
}

PoolWrap::PoolWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PoolWrap>(info) {
  const double size = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(size >= 1 && size < 0x1p48)) {
    Misuse(info.Env(), "Pool(bytes)");
    return;
  }
  memory_ = SealedMemory::Create("zwire-loans", static_cast<size_t>(size), &fd_);
}

PoolWrap::~PoolWrap() {
  if (fd_ >= 0) close(fd_);
}

// undefined if there is no memory, or no ArrayBuffer over it.
Napi::Value PoolWrap::ViewOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsNumber()) return Misuse(env, "view(offset, bytes)");
  if (memory_ == nullptr) return env.Undefined();
  const double offset = info[0].As<Napi::Number>().DoubleValue();
  const double size = info[1].As<Napi::Number>().DoubleValue();
  if (!(offset >= 0 && size >= 0 && offset + size <= static_cast<double>(memory_->size()))) {
    Napi::RangeError::New(env, "beyond the end of the pool").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const napi_value view = View(env, memory_, static_cast<size_t>(offset), static_cast<size_t>(size));
  return view == nullptr ? env.Undefined() : Napi::Value(env, view);
}

Napi::Value PoolWrap::Detach(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsArrayBuffer()) return Misuse(info.Env(), "detach(memory)");
  napi_detach_arraybuffer(info.Env(), info[0]);
  return info.Env().Undefined();
}

// No peer can get the memory any more. Those that have it keep it.
Napi::Value PoolWrap::Close(const Napi::CallbackInfo& info) {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  memory_ = nullptr;  // ArrayBuffers over it keep it
  return info.Env().Undefined();
}

}  // namespace zwire
