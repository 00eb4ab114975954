// The addon's exports: init, errorName, checkTcp, detach, Stream, Acceptor, Pool (typed in src/transport/native/addon.ts).
#include <napi.h>
#include <uv.h>

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
  exports.Set("errorName", Napi::Function::New<ErrorName>(env, "errorName"));
  return exports;
}

}  // namespace zwire

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return zwire::Load(env, exports); }

NODE_API_MODULE(zwire, InitModule)
