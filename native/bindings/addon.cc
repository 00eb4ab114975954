// The addon's exports: init, errorName, checkTcp, detach, mask, Stream, Acceptor, Pool (typed in src/transport/native/addon.ts).
#include <napi.h>
#include <uv.h>

#include "../codec/mask.h"
#include "acceptor_wrap.h"
#include "environment.h"
#include "pool_wrap.h"
#include "stream_wrap.h"

namespace zwire {

namespace {

Napi::Value Init(const Napi::CallbackInfo& info) { return Environment::Of(info.Env()).Init(info); }

Napi::Value ErrorName(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsNumber()) {
    Napi::TypeError::New(env, "status must be a number").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const int status = info[0].As<Napi::Number>().Int32Value();
  Napi::Array result = Napi::Array::New(env, 2);
  char text[128];
  result.Set(0u, Napi::String::New(env, uv_err_name_r(status, text, sizeof text)));
  result.Set(1u, Napi::String::New(env, uv_strerror_r(status, text, sizeof text)));
  return result;
}

Napi::Value CheckTcpOptions(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsObject()) {
    Napi::TypeError::New(env, "options must be an object").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  return Napi::Number::New(env, CheckTcp(ReadSocketOptions(info[0])));
}

// mask(bytes, from, to, mask). Node-API itself, because its C++ classes take longer than masking two kilobytes.
napi_value Mask(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value values[4];
  void* data = nullptr;
  size_t length = 0;
  uint32_t from = 0;
  uint32_t to = 0;
  uint32_t mask = 0;
  const bool read = napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count == 4 &&
                    napi_get_buffer_info(env, values[0], &data, &length) == napi_ok &&
                    napi_get_value_uint32(env, values[1], &from) == napi_ok &&
                    napi_get_value_uint32(env, values[2], &to) == napi_ok &&
                    napi_get_value_uint32(env, values[3], &mask) == napi_ok;
  if (!read || from > to || to > length) {
    napi_throw_range_error(env, nullptr, "mask: from and to must lie within the bytes");
  } else if (to > from) {
    ApplyMask(static_cast<uint8_t*>(data) + from, to - from, mask);
  }
  return nullptr;
}

}  // namespace

Napi::Object Load(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  const Napi::Function stream = StreamWrap::Define(env);
  environment->stream_constructor.Set(stream);
  exports.Set("Stream", stream);
  exports.Set("Acceptor", AcceptorWrap::Define(env));
  const Napi::Function pool = PoolWrap::Define(env);
  environment->pool_constructor.Set(pool);
  exports.Set("Pool", pool);
  exports.Set("detach", Napi::Function::New<PoolWrap::Detach>(env, "detach"));
  exports.Set("init", Napi::Function::New<Init>(env, "init"));
  exports.Set("checkTcp", Napi::Function::New<CheckTcpOptions>(env, "checkTcp"));
  napi_value mask = nullptr;
  if (napi_create_function(env, "mask", NAPI_AUTO_LENGTH, Mask, nullptr, &mask) == napi_ok) {
    exports.Set("mask", Napi::Value(env, mask));
  }
  exports.Set("errorName", Napi::Function::New<ErrorName>(env, "errorName"));
  return exports;
}

}  // namespace zwire

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return zwire::Load(env, exports); }

NODE_API_MODULE(zwire, InitModule)
