// See environment.h.
#include "environment.h"

#include <cerrno>
#include <cstring>

#include "../io/allocator.h"

namespace zwire {

Environment::Environment(Napi::Env env) : stream_constructor(env), pool_constructor(env), receive(env), env_(env), resource_(env), pool_(env) {
  uv_loop_t* uv = nullptr;
  napi_get_uv_event_loop(env, &uv);
  loop = std::make_shared<Loop>(uv);
  loop->new_receive = [this] { return NewReceive(); };  // only open streams call it, and they close before `this` goes
  // Tools that look for handles left open (async_hooks, Jest's --detectOpenHandles) ask hasRef().
  const auto resource = Napi::Object::New(env);
  const auto has_ref = [this](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), !open.empty()); };
  resource.Set("hasRef", Napi::Function::New(env, has_ref, "hasRef"));
  resource_.Set(resource);
  napi_async_init(env, resource, Napi::String::New(env, "zwire"), &context_);
  napi_add_async_cleanup_hook(env, Cleanup, this, &hook_);
}

Environment::~Environment() = default;

Napi::Value Environment::Init(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsTypedArray() || !info[1].IsObject()) {
    Napi::TypeError::New(env, "init(table, callbacks)").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const auto array = info[0].As<Napi::TypedArray>();
  if (array.TypedArrayType() != napi_uint32_array) {
    Napi::TypeError::New(env, "table must be a Uint32Array").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  static constexpr const char* kNames[Binding::kCallbackCount] = {"onConnect", "onBytes", "onFrames", "onLargeFrame",
                                                                  "onDrain",   "onClose", "onAccept", "onShared",
                                                                  "onMemory",  "onBody",  "onPool"};
  const auto callbacks = info[1].As<Napi::Object>();
  auto binding = std::make_unique<Binding>(env);
  for (int i = 0; i < Binding::kCallbackCount; i++) {
    const Napi::Value callback = callbacks.Get(kNames[i]);
    if (!callback.IsFunction()) {
      Napi::TypeError::New(env, std::string(kNames[i]) + " must be a function").ThrowAsJavaScriptException();
      return env.Undefined();
    }
    binding->callbacks.push_back(std::make_unique<StrongReference>(env));
    binding->callbacks.back()->Set(callback);
  }
  binding->table_reference.Set(array);
  auto memory = array.As<Napi::Uint32Array>();
  binding->table = reinterpret_cast<FrameEntry*>(memory.Data());
  binding->table_entries = memory.ElementLength() * sizeof(uint32_t) / sizeof(FrameEntry);
  if (bindings_.empty()) loop->CountTurns(loop);
  bindings_.push_back(std::move(binding));
  return Napi::Number::New(env, static_cast<double>(bindings_.size() - 1));
}

Binding* Environment::BindingOf(const Napi::CallbackInfo& info) {
  const double number = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (number >= 0 && number < static_cast<double>(bindings_.size()))
    return bindings_[static_cast<size_t>(number)].get();
  Napi::TypeError::New(info.Env(), "binding must be a number that init returned").ThrowAsJavaScriptException();
  return nullptr;
}

void Environment::Call(const Binding& binding, Binding::Callback callback, napi_value receiver,
                       std::initializer_list<napi_value> arguments) {
  if (closing_) return;
  const napi_value function = binding.callbacks[callback]->Value();
  if (function == nullptr || receiver == nullptr) return;
  const napi_status status =
      napi_make_callback(env_, context_, receiver, function, arguments.size(), arguments.begin(), nullptr);
  if (status != napi_pending_exception) return;
  napi_value error;
  // This fails while the thread is being terminated. Nothing can report the error then.
  if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) napi_fatal_exception(env_, error);
}

uint8_t* Environment::NewBuffer(size_t size, napi_value* buffer) {
  void* memory = nullptr;
  if (napi_create_buffer(env_, size, &memory, buffer) == napi_ok) return static_cast<uint8_t*>(memory);
  ClearException();
  return nullptr;
}

uint8_t* Environment::RecycledBuffer(const Binding& binding, size_t size, napi_value* buffer) {
  napi_value arguments[1];
  napi_value nobody;
  const napi_value function = binding.callbacks[Binding::kOnBody]->Value();
  void* memory = nullptr;
  size_t length = 0;
  // A plain call, as in TellShared.
  if (function != nullptr && napi_get_undefined(env_, &nobody) == napi_ok &&
      napi_create_double(env_, static_cast<double>(size), &arguments[0]) == napi_ok &&
      napi_call_function(env_, nobody, function, 1, arguments, buffer) == napi_ok &&
      napi_get_buffer_info(env_, *buffer, &memory, &length) == napi_ok && length == size) {
    return static_cast<uint8_t*>(memory);
  }
  ClearException();
  return nullptr;
}

bool Environment::Copy(const uint8_t* data, size_t size, napi_value* buffer, size_t* at) {
  if (size > kPooledBytes) {
    *at = 0;
    if (napi_create_buffer_copy(env_, size, data, nullptr, buffer) == napi_ok) return true;
    ClearException();
    return false;
  }
  *buffer = pool_.Value();
  if ((size > kPoolBytes - pool_used_ || !Attached(*buffer, pool_memory_)) && !NewPool(buffer)) return false;
  *at = pool_used_;
  std::memcpy(pool_memory_ + pool_used_, data, size);
  pool_used_ += size;
  return true;
}

bool Environment::Attached(napi_value buffer, const uint8_t* memory) {
  void* found = nullptr;
  size_t size = 0;
  return buffer != nullptr && napi_get_buffer_info(env_, buffer, &found, &size) == napi_ok && found == memory;
}

bool Environment::NewPool(napi_value* pool) {
  uint8_t* memory = NewBuffer(kPoolBytes, pool);
  if (memory == nullptr) return false;
  pool_.Set(*pool);
  if (pool_.empty()) return false;
  pool_memory_ = memory;
  pool_used_ = 0;
  TellShared(*pool);
  return true;
}

void Environment::TellShared(napi_value buffer) {
  // A plain call, not napi_make_callback: that would also run the program's promises and ticks, which must not happen
  // here.
  napi_value nobody;
  const napi_value function = bindings_.empty() ? nullptr : bindings_[0]->callbacks[Binding::kOnShared]->Value();
  if (function == nullptr || napi_get_undefined(env_, &nobody) != napi_ok) return;
  if (napi_call_function(env_, nobody, function, 1, &buffer, nullptr) != napi_ok) ClearException();
}

uint8_t* Environment::NewReceive() {
  Scope scope(env_);
  // A second buffer means that the first was lent to JavaScript. From now on such buffers are allocated and freed
  // often.
  if (!receive.empty()) KeepFreed();
  napi_value buffer;
  uint8_t* memory = NewBuffer(Loop::kBufferBytes, &buffer);
  if (memory == nullptr) return nullptr;
  receive.Set(buffer);
  if (receive.empty()) return nullptr;
  TellShared(buffer);
  return memory;
}

void Environment::KeepFreed() {
  if (!keeps_freed_) KeepFreedMemory();
  keeps_freed_ = true;
}

void Environment::ClearException() {
  napi_value error;
  napi_get_and_clear_last_exception(env_, &error);
}

void Environment::Cleanup(napi_async_cleanup_hook_handle hook, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->closing_ = true;
  // Keep the Loop alive: libuv closes the handles only after this Environment has been deleted.
  std::shared_ptr<Loop> loop = self->loop;
  const std::unordered_set<OpenHandle*> open(std::move(self->open));
  self->open.clear();
  for (OpenHandle* handle : open) handle->Shutdown();
  loop->StopTurns();
  napi_async_destroy(self->env_, self->context_);
  if (loop->handles == 0) {
    napi_remove_async_cleanup_hook(hook);
  } else {
    loop->on_idle = [hook] { napi_remove_async_cleanup_hook(hook); };
  }
}

namespace {

int ReadInt(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : -1;
}

std::string ReadString(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

}  // namespace

Napi::Value Misuse(Napi::Env env, const char* text) {
  Napi::TypeError::New(env, text).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value SocketOptionOf(const Napi::CallbackInfo& info, int fd) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsNumber() || !info[1].IsNumber())
    return Misuse(env, "getSocketOption(level, name)");
  if (fd < 0) return Napi::Number::New(env, -EBADF);
  return Napi::Number::New(
      env, ReadSocketOption(fd, info[0].As<Napi::Number>().Int32Value(), info[1].As<Napi::Number>().Int32Value()));
}

SocketOptions ReadSocketOptions(const Napi::Value& value) {
  SocketOptions options;
  if (!value.IsObject()) return options;
  const auto object = value.As<Napi::Object>();
  options.send_buffer = ReadInt(object, "sendBufferSize");
  options.receive_buffer = ReadInt(object, "receiveBufferSize");
  options.keepalive = ReadInt(object, "tcpKeepalive");
  options.keepalive_count = ReadInt(object, "tcpKeepaliveCount");
  options.keepalive_idle = ReadInt(object, "tcpKeepaliveIdle");
  options.keepalive_interval = ReadInt(object, "tcpKeepaliveInterval");
  options.type_of_service = ReadInt(object, "typeOfService");
  options.device = ReadString(object, "interface");
  options.priority = ReadInt(object, "priority");
  options.busy_poll_us = ReadInt(object, "busyPoll");
  options.max_retransmit_ms = ReadInt(object, "tcpMaxRetransmitTimeout");
  return options;
}

}  // namespace zwire
