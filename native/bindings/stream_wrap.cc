// See stream_wrap.h.
#include "stream_wrap.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "pool_wrap.h"

namespace zwire {

namespace {

// Infinity, and any value above the range of an integer, means no limit.
uint64_t ToLimit(double value) { return value < 0x1p63 ? static_cast<uint64_t>(value) : UINT64_MAX; }

std::string OptionalString(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

}  // namespace

Napi::Function StreamWrap::Define(Napi::Env env) {
  return DefineClass(env, "Stream",
                     {
                         InstanceMethod<&StreamWrap::SetOwner>("setOwner"),
                         InstanceMethod<&StreamWrap::ConnectTcp>("connectTcp"),
                         InstanceMethod<&StreamWrap::ConnectPipe>("connectPipe"),
                         InstanceMethod<&StreamWrap::Start>("start"),
                         InstanceMethod<&StreamWrap::StartFrames>("startFrames"),
                         InstanceMethod<&StreamWrap::Write>("write"),
                         InstanceMethod<&StreamWrap::WriteV>("writev"),
                         InstanceMethod<&StreamWrap::Share>("share"),
                         InstanceMethod<&StreamWrap::Agreed>("agreed"),
                         InstanceMethod<&StreamWrap::OfferPool>("offerPool"),
                         InstanceMethod<&StreamWrap::Written>("written"),
                         InstanceMethod<&StreamWrap::Passed>("passed"),
                         InstanceMethod<&StreamWrap::Recycle>("recycle"),
                         InstanceMethod<&StreamWrap::EndWriting>("endWriting"),
                         InstanceMethod<&StreamWrap::Pause>("pause"),
                         InstanceMethod<&StreamWrap::Resume>("resume"),
                         InstanceMethod<&StreamWrap::Close>("close"),
                         InstanceMethod<&StreamWrap::RefHandle>("ref"),
                         InstanceMethod<&StreamWrap::UnrefHandle>("unref"),
                         InstanceMethod<&StreamWrap::Received>("received"),
                         InstanceMethod<&StreamWrap::Partial>("partial"),
                         InstanceMethod<&StreamWrap::Unsent>("unsent"),
                         InstanceMethod<&StreamWrap::LocalAddressOf>("localAddress"),
                         InstanceMethod<&StreamWrap::RemoteAddressOf>("remoteAddress"),
                         InstanceMethod<&StreamWrap::GetSocketOption>("getSocketOption"),
                         InstanceMethod<&StreamWrap::GetPeerCredentials>("getPeerCredentials"),
                     });
}

StreamWrap::StreamWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<StreamWrap>(info),
      environment_(Environment::Of(info.Env())),
      binding_(environment_.BindingOf(info)),
      owner_(info.Env()),
      body_(info.Env()),
      writing_(info.Env()) {}

// Needs no cleanup: an object with an open stream holds a reference to itself, so only a closed one is collected.
StreamWrap::~StreamWrap() = default;

int StreamWrap::Adopt(int fd) {
  const int status = Stream::Open(environment_.loop, fd, this, &stream_);
  if (status != 0) return status;
  environment_.open.insert(this);
  Ref();
  return 0;
}

void StreamWrap::Release() {
  stream_->Close();
  stream_ = nullptr;
  writing_.Reset();
  body_.Reset();
  owner_.Reset();
  Unref();
}

void StreamWrap::Shutdown() {
  if (stream_ != nullptr) Release();
}

// Frames and events. Called from the event loop, where JavaScript may no longer run: plain Node-API only.

bool StreamWrap::Frames(const uint8_t* data, size_t begin, size_t end, size_t count) {
  const napi_env env = Env();
  Scope scope(env);
  Loop& loop = *environment_.loop;
  napi_value chunk = nullptr;
  napi_value number;
  if (data == loop.receive && (loop.lent || end - begin >= Loop::kLendBytes)) {
    chunk = environment_.receive.Value();
    loop.lent = true;
  } else {
    // For a few bytes, copy just these: otherwise a message that the program keeps would hold the whole receive buffer.
    size_t at = 0;
    if (!environment_.Copy(data + begin, end - begin, &chunk, &at)) return false;
    if (count > 1 && end - begin > Environment::kPooledBytes) environment_.TellShared(chunk);
    const auto moved = static_cast<uint32_t>(at - begin);  // may wrap modulo 2^32; the addition below wraps back
    if (moved != 0) {
      for (size_t i = 0; i < count; i++) binding_->table[i].offset += moved;
    }
  }
  if (napi_create_uint32(env, static_cast<uint32_t>(count), &number) != napi_ok) return false;
  environment_.Call(*binding_, Binding::kOnFrames, owner_.Value(), {chunk, number});
  if (stream_ == nullptr) return false;
  // The callback may have detached the receive buffer's memory. If so, the rest of the buffer must not be read.
  return data != loop.receive || !loop.lent || environment_.ReceiveAttached();
}

uint8_t* StreamWrap::BeginLarge(size_t capacity) {
  const napi_env env = Env();
  Scope scope(env);
  environment_.KeepFreed();
  napi_value body;
  uint8_t* memory = recycles_ ? environment_.RecycledBuffer(*binding_, capacity, &body)
                              : environment_.NewBuffer(capacity, &body);
  if (memory == nullptr) return nullptr;
  body_.Set(body);
  body_memory_ = recycles_ ? memory : nullptr;
  return body_.empty() ? nullptr : memory;
}

bool StreamWrap::BodyAttached() {
  if (body_memory_ == nullptr) return true;
  Scope scope(Env());
  return environment_.Attached(body_.Value(), body_memory_);
}

uint8_t* StreamWrap::GrowLarge(size_t filled, size_t capacity) {
  const napi_env env = Env();
  Scope scope(env);  // keeps the old Buffer alive until its bytes are copied
  void* old_memory = nullptr;
  size_t old_size = 0;
  if (napi_get_buffer_info(env, body_.Value(), &old_memory, &old_size) != napi_ok) return nullptr;
  uint8_t* memory = BeginLarge(capacity);
  if (memory != nullptr) std::memcpy(memory, old_memory, filled);
  return memory;
}

bool StreamWrap::EndLarge(size_t, uint32_t flags) {
  const napi_env env = Env();
  Scope scope(env);
  const napi_value body = body_.Value();
  body_.Reset();
  napi_value number;
  if (body == nullptr || napi_create_uint32(env, flags, &number) != napi_ok) return false;
  environment_.Call(*binding_, Binding::kOnLargeFrame, owner_.Value(), {body, number});
  return stream_ != nullptr;
}

void StreamWrap::OnConnect(int status) {
  const napi_env env = Env();
  Scope scope(env);
  napi_value number;
  if (napi_create_int32(env, status, &number) != napi_ok) return;
  environment_.Call(*binding_, Binding::kOnConnect, owner_.Value(), {number});
}

bool StreamWrap::OnBytes(const uint8_t* data, size_t size) {
  const napi_env env = Env();
  Scope scope(env);
  napi_value chunk;
  if (napi_create_buffer_copy(env, size, data, nullptr, &chunk) != napi_ok) {
    environment_.ClearException();
    return false;
  }
  environment_.Call(*binding_, Binding::kOnBytes, owner_.Value(), {chunk});
  return true;
}

void StreamWrap::OnDrain() {
  Scope scope(Env());
  writing_.Reset();
  environment_.Call(*binding_, Binding::kOnDrain, owner_.Value(), {});
}

void StreamWrap::OnMemory() {
  Scope scope(Env());
  environment_.Call(*binding_, Binding::kOnMemory, owner_.Value(), {});
}

void StreamWrap::OnPool(std::unique_ptr<SealedMemory> pool) {
  const napi_env env = Env();
  Scope scope(env);
  napi_value memory = nullptr;
  if (pool != nullptr) {
    const size_t size = pool->size();
    memory = PoolWrap::View(env, std::move(pool), 0, size);
  }
  if (memory == nullptr && napi_get_undefined(env, &memory) != napi_ok) return;
  environment_.Call(*binding_, Binding::kOnPool, owner_.Value(), {memory});
}

// A Buffer has length 0 after its memory was transferred, and ends at another address after its memory was resized.
bool StreamWrap::Intact(size_t first, const iovec* segments, size_t count) {
  const napi_env env = Env();
  Scope scope(env);
  const napi_value kept = writing_.Value();
  for (size_t i = 0; i < count; i++) {
    napi_value chunk;
    void* data = nullptr;
    size_t size = 0;
    if (napi_get_element(env, kept, static_cast<uint32_t>(first + i), &chunk) != napi_ok ||
        napi_get_buffer_info(env, chunk, &data, &size) != napi_ok) {
      environment_.ClearException();
      return false;
    }
    // Compare the ends, not the starts: part of the first segment may have been written already.
    const auto* end = static_cast<const uint8_t*>(segments[i].iov_base) + segments[i].iov_len;
    if (size < segments[i].iov_len || static_cast<const uint8_t*>(data) + size != end) return false;
  }
  return true;
}

void StreamWrap::OnClose(int status, Fault fault, size_t pending, uint64_t size) {
  const napi_env env = Env();
  Scope scope(env);
  writing_.Reset();
  napi_value arguments[4];
  napi_create_int32(env, status, &arguments[0]);
  napi_create_int32(env, static_cast<int>(fault), &arguments[1]);
  napi_create_double(env, static_cast<double>(pending), &arguments[2]);
  napi_create_double(env, static_cast<double>(size), &arguments[3]);
  environment_.Call(*binding_, Binding::kOnClose, owner_.Value(),
                    {arguments[0], arguments[1], arguments[2], arguments[3]});
}

// Methods

Napi::Value StreamWrap::SetOwner(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) return Misuse(info.Env(), "owner must be an object");
  owner_.Set(info[0]);
  return info.Env().Undefined();
}

Napi::Value StreamWrap::Connect(Napi::Env env, int fd) {
  if (fd < 0) return Napi::Number::New(env, fd);
  const int status = Adopt(fd);
  return Napi::Number::New(env, status != 0 ? status : stream_->WaitForConnect());
}

Napi::Value StreamWrap::ConnectTcp(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsObject()) {
    return Misuse(env, "connectTcp(host, port, options)");
  }
  if (stream_ != nullptr || owner_.empty()) return Misuse(env, "a stream connects once, and has an owner");
  const auto options = info[2].As<Napi::Object>();
  const Napi::Value source_port = options.Get("sourcePort");
  return Connect(env, zwire::ConnectTcp(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::Number>().Int32Value(),
                                        OptionalString(options, "sourceHost"),
                                        source_port.IsNumber() ? source_port.As<Napi::Number>().Int32Value() : 0,
                                        ReadSocketOptions(options)));
}

Napi::Value StreamWrap::ConnectPipe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsString() || !info[1].IsObject()) return Misuse(env, "connectPipe(path, options)");
  if (stream_ != nullptr || owner_.empty()) return Misuse(env, "a stream connects once, and has an owner");
  return Connect(env, zwire::ConnectPipe(info[0].As<Napi::String>().Utf8Value(), ReadSocketOptions(info[1])));
}

Napi::Value StreamWrap::Start(const Napi::CallbackInfo& info) {
  if (owner_.empty()) return Misuse(info.Env(), "a stream needs an owner");
  return Napi::Number::New(info.Env(), stream_ == nullptr ? -EBADF : stream_->Start());
}

Napi::Value StreamWrap::StartFrames(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  void* data = nullptr;
  size_t size = 0;
  double limits[4];
  bool valid = info.Length() >= 5 && napi_get_buffer_info(env, info[4], &data, &size) == napi_ok;
  for (size_t i = 0; valid && i < 4; i++) {
    valid = napi_get_value_double(env, info[i], &limits[i]) == napi_ok && limits[i] >= 0;  // false for NaN, too
  }
  if (!valid) return Misuse(env, "startFrames(maxFrameBytes, maxCommandBytes, maxParts, maxMessageBytes, leftover)");
  if (stream_ == nullptr) return Napi::Number::New(env, -EBADF);
  if (stream_->decoding()) {
    Napi::Error::New(env, "frames are decoded already").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  // StartFrames calls back into JavaScript, and needs the leftover's memory meanwhile: `info` keeps the Buffer alive.
  stream_->StartFrames(binding_->table, binding_->table_entries,
                       {ToLimit(limits[0]), ToLimit(limits[1]), ToLimit(limits[2]), ToLimit(limits[3])},
                       static_cast<uint8_t*>(data), size);
  return Napi::Number::New(env, 0);
}

Napi::Value StreamWrap::WriteSegments(Napi::Env env, const iovec* segments, const napi_value* values, size_t count) {
  if (stream_ == nullptr) return Napi::Number::New(env, -EBADF);
  if (!writing_.empty()) {
    Napi::Error::New(env, "a write is pending").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  const ssize_t left = stream_->Write(segments, count);
  if (left > 0) {
    // Keep an array of our own: the caller may change its array.
    Napi::Array keep = Napi::Array::New(env, count);
    for (size_t i = 0; i < count; i++) keep.Set(static_cast<uint32_t>(i), values[i]);
    writing_.Set(keep);
  }
  return Napi::Number::New(env, static_cast<double>(left));
}

Napi::Value StreamWrap::Write(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  size_t size = 0;
  if (info.Length() < 1 || napi_get_buffer_info(info.Env(), info[0], &data, &size) != napi_ok) {
    return Misuse(info.Env(), "chunk must be a Uint8Array");
  }
  const iovec segment{data, size};
  const napi_value value = info[0];
  return WriteSegments(info.Env(), &segment, &value, 1);
}

Napi::Value StreamWrap::WriteV(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsArray()) return Misuse(env, "chunks must be an array of Uint8Array");
  const auto chunks = info[0].As<Napi::Array>();
  const uint32_t count = chunks.Length();
  std::vector<iovec> segments;
  std::vector<napi_value> values;
  segments.reserve(count);
  values.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value chunk;
    void* data = nullptr;
    size_t size = 0;
    if (napi_get_element(env, chunks, i, &chunk) != napi_ok ||
        napi_get_buffer_info(env, chunk, &data, &size) != napi_ok) {
      return Misuse(env, "chunks must be an array of Uint8Array");
    }
    if (size == 0) continue;
    segments.push_back({data, size});
    values.push_back(chunk);
  }
  return WriteSegments(env, segments.data(), values.data(), segments.size());
}

Napi::Value StreamWrap::Share(const Napi::CallbackInfo& info) {
  if (info.Length() < 3 || !info[0].IsBoolean() || !info[1].IsNumber() || !info[2].IsNumber()) {
    return Misuse(info.Env(), "share(accepted, bytes, spinMicroseconds)");
  }
  if (stream_ != nullptr) {
    stream_->Share(info[0].As<Napi::Boolean>().Value(), static_cast<size_t>(info[1].As<Napi::Number>().Uint32Value()),
                   info[2].As<Napi::Number>().Uint32Value() * uint64_t{1000});
  }
  return info.Env().Undefined();
}

Napi::Value StreamWrap::Agreed(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsBoolean()) return Misuse(info.Env(), "agreed(yes)");
  if (stream_ != nullptr) stream_->Agreed(info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

Napi::Value StreamWrap::OfferPool(const Napi::CallbackInfo& info) {
  const PoolWrap* pool = info.Length() < 1 ? nullptr : PoolWrap::From(info.Env(), info[0]);
  if (pool == nullptr) return Misuse(info.Env(), "offerPool(pool)");
  return Napi::Boolean::New(info.Env(), stream_ != nullptr && pool->fd() >= 0 && stream_->OfferPool(pool->fd()));
}

Napi::Value StreamWrap::Recycle(const Napi::CallbackInfo& info) {
  recycles_ = true;
  return info.Env().Undefined();
}

Napi::Value StreamWrap::EndWriting(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsBoolean()) return Misuse(info.Env(), "endWriting(peerKeeps)");
  const bool ended = stream_ == nullptr || stream_->EndWriting(info[0].As<Napi::Boolean>().Value());
  return Napi::Boolean::New(info.Env(), ended);
}

Napi::Value StreamWrap::Pause(const Napi::CallbackInfo& info) {
  if (stream_ != nullptr) stream_->Pause();
  return info.Env().Undefined();
}

Napi::Value StreamWrap::Resume(const Napi::CallbackInfo& info) {
  if (stream_ != nullptr) stream_->Resume();
  return info.Env().Undefined();
}

Napi::Value StreamWrap::Close(const Napi::CallbackInfo& info) {
  if (stream_ != nullptr) {
    environment_.open.erase(this);
    Release();
  }
  // Needed even if the stream never opened: the owner refers to this object, and neither would ever be collected.
  owner_.Reset();
  return info.Env().Undefined();
}

Napi::Value StreamWrap::RefHandle(const Napi::CallbackInfo& info) {
  if (stream_ != nullptr) stream_->Ref(true);
  return info.Env().Undefined();
}

Napi::Value StreamWrap::UnrefHandle(const Napi::CallbackInfo& info) {
  if (stream_ != nullptr) stream_->Ref(false);
  return info.Env().Undefined();
}

}  // namespace zwire
