// The JavaScript class Pool: memory that the program fills and peers map for reading (loans).
#pragma once

#include <napi.h>

#include <memory>

#include "../io/sealed_memory.h"

namespace zwire {

class PoolWrap : public Napi::ObjectWrap<PoolWrap> {
 public:
  static Napi::Function Define(Napi::Env env);
  // The Pool that a JavaScript value is; nullptr if it is none.
  static PoolWrap* From(napi_env env, napi_value value);
  // An ArrayBuffer over a part of memory that lives until the ArrayBuffer is collected, and all others over it. nullptr
  // where Node-API does not allow such ArrayBuffers (Electron).
  static napi_value View(napi_env env, std::shared_ptr<SealedMemory> memory, size_t offset, size_t size);

  // Takes the memory away from an ArrayBuffer that View made: its views have no bytes from now on, and the memory goes if
  // nobody else has it.
  static Napi::Value Detach(const Napi::CallbackInfo& info);

  explicit PoolWrap(const Napi::CallbackInfo& info);
  ~PoolWrap() override;

  int fd() const { return fd_; }

 private:
  Napi::Value ViewOf(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<SealedMemory> memory_;
  int fd_ = -1;
};

}  // namespace zwire
