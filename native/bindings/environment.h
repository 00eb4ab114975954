// What the addon keeps per JavaScript environment (the main thread or a worker): callbacks, frame tables, open handles.
// It is freed with its environment. There are no static variables, so that workers do not share state.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <memory>
#include <unordered_set>
#include <vector>

#include "../codec/frame_decoder.h"
#include "../io/loop.h"
#include "../io/socket.h"
#include "reference.h"

namespace zwire {

// A wrapper that has an open handle.
class OpenHandle {
 public:
  virtual ~OpenHandle() = default;
  // Called when the environment is torn down: closes the handle without calling JavaScript.
  virtual void Shutdown() = 0;
};

// The callbacks and the frame table of one call of init. A program may load our modules twice (two copies of the
// package in one thread); each copy calls init and has its own Binding.
struct Binding {
  enum Callback {
    kOnConnect,
    kOnBytes,
    kOnFrames,
    kOnLargeFrame,
    kOnDrain,
    kOnClose,
    kOnAccept,
    kOnShared,
    kOnMemory,
    kOnBody,
    kOnPool,
    kCallbackCount
  };

  explicit Binding(napi_env env) : table_reference(env) {}

  std::vector<std::unique_ptr<StrongReference>> callbacks;
  StrongReference table_reference;
  FrameEntry* table = nullptr;
  size_t table_entries = 0;
};

class Environment {
 public:
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  explicit Environment(Napi::Env env);
  ~Environment();

  Napi::Value Init(const Napi::CallbackInfo& info);
  // Calls into JavaScript from the event loop. An exception there becomes an uncaught exception of the program. Code
  // that runs on the event loop uses plain Node-API (see reference.h).
  void Call(const Binding& binding, Binding::Callback callback, napi_value receiver,
            std::initializer_list<napi_value> arguments);
  // Clears the exception that a failed Node-API call has left pending. Otherwise the next JavaScript call would throw
  // it, although it has nothing to do with it.
  void ClearException();
  // Makes a Buffer without zeroing its memory. nullptr if there is no memory.
  uint8_t* NewBuffer(size_t size, napi_value* buffer);
  // Copies a few bytes into a Buffer that is shared with other copies. `at` is the offset of the copy in that Buffer.
  bool Copy(const uint8_t* data, size_t size, napi_value* buffer, size_t* at);
  // Whether the receive buffer still has its memory. JavaScript has views of it, and can detach (transfer) that memory.
  bool ReceiveAttached() { return Attached(receive.Value(), loop->receive); }
  // Whether `buffer` still owns `memory`. A program that has a view of it can detach the memory (by transferring it),
  // and then something else owns it.
  bool Attached(napi_value buffer, const uint8_t* memory);
  // Call before large buffers are allocated and freed often: lets malloc keep freed memory (see allocator.h). Acts
  // once.
  void KeepFreed();
  // The Binding whose number is the first argument of a constructor. Throws a TypeError and gives nullptr if there is
  // none.
  Binding* BindingOf(const Napi::CallbackInfo& info);

  std::shared_ptr<Loop> loop;
  std::unordered_set<OpenHandle*> open;
  StrongReference stream_constructor;
  StrongReference pool_constructor;
  // The Buffer that owns the memory at loop->receive.
  StrongReference receive;
  // Copies of up to this many bytes share a Buffer: creating a Buffer is most of the cost of a message that arrives
  // alone.
  static constexpr size_t kPooledBytes = 1024;
  // Memory for a large body that JavaScript may have used before. nullptr if there is none.
  uint8_t* RecycledBuffer(const Binding& binding, size_t size, napi_value* buffer);
  // Tells JavaScript that several messages lie in this Buffer, which then forbids a program to transfer its memory.
  void TellShared(napi_value buffer);

 private:
  uint8_t* NewReceive();
  bool NewPool(napi_value* pool);
  static void Cleanup(napi_async_cleanup_hook_handle hook, void* data);

  napi_env env_;
  // What the context is for, as JavaScript sees it. Node holds it weakly.
  StrongReference resource_;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::vector<std::unique_ptr<Binding>> bindings_;
  // The Buffer that Copy fills. It has the size of Node's own pool, because a message that a program keeps holds all of
  // it.
  static constexpr size_t kPoolBytes = 8192;
  StrongReference pool_;
  uint8_t* pool_memory_ = nullptr;
  size_t pool_used_ = kPoolBytes;
  bool closing_ = false;
  bool keeps_freed_ = false;
};

// Throws a TypeError about wrong arguments. Gives undefined.
Napi::Value Misuse(Napi::Env env, const char* text);

// What getSocketOption(level, name) gives for this descriptor: its value, or a negative errno. A negative `fd` is one
// that is closed.
Napi::Value SocketOptionOf(const Napi::CallbackInfo& info, int fd);

// Reads the fields of NativeSocketOptions. A missing field leaves the system's value.
SocketOptions ReadSocketOptions(const Napi::Value& value);

}  // namespace zwire
