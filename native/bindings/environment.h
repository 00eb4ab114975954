// What the addon keeps per JavaScript environment (a thread, or a worker): the callbacks, the frame table, the open
// handles. Everything goes with the environment; there are no statics.
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

// A wrapper whose handle is open.
class OpenHandle {
 public:
  virtual ~OpenHandle() = default;
  // The environment is going away: close without a word to JavaScript.
  virtual void Shutdown() = 0;
};

// What one call of init has given: a program may evaluate our modules twice, and each copy has handles of its own.
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
  // Calls into JavaScript from the event loop; an exception there is the program's uncaught exception. Whatever runs
  // on the event loop uses plain Node-API, see reference.h.
  void Call(const Binding& binding, Binding::Callback callback, napi_value receiver,
            std::initializer_list<napi_value> arguments);
  // Forgets an exception that a failed call into the engine has left, so that it reaches nobody it does not concern.
  void Forget();
  // Memory for JavaScript, zeroed by nobody. nullptr where there is none.
  uint8_t* NewBuffer(size_t size, napi_value* buffer);
  // A copy of few bytes in a Buffer that others lie in, too. `at` is its place there.
  bool Copy(const uint8_t* data, size_t size, napi_value* buffer, size_t* at);
  // Whether the receive buffer, which JavaScript has views of, still is one.
  bool ReceiveAttached() { return Attached(receive.Value(), loop->receive); }
  // Large buffers come and go from now on.
  void KeepFreed();
  // The binding that a constructor was given the number of; nullptr, and a TypeError, where there is none.
  Binding* BindingOf(const Napi::CallbackInfo& info);

  std::shared_ptr<Loop> loop;
  std::unordered_set<OpenHandle*> open;
  StrongReference stream_constructor;
  // The Buffer behind loop->receive.
  StrongReference receive;
  // Copies of up to so many bytes share a Buffer. A Buffer of its own is most of the cost of a message that comes alone.
  static constexpr size_t kPooledBytes = 1024;
  // Tells JavaScript of memory that several messages lie in.
  void Share(napi_value buffer);

 private:
  uint8_t* NewReceive();
  bool NewPool(napi_value* pool);
  // Whether a Buffer's memory is still its own: a program can detach what it has a view of, and somebody else owns it then.
  bool Attached(napi_value buffer, const uint8_t* memory);
  static void Cleanup(napi_async_cleanup_hook_handle hook, void* data);

  napi_env env_;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::vector<std::unique_ptr<Binding>> bindings_;
  // What Copy fills. As large as Node's own pool: a message that is kept holds no more than this alive.
  static constexpr size_t kPoolBytes = 8192;
  StrongReference pool_;
  uint8_t* pool_memory_ = nullptr;
  size_t pool_used_ = kPoolBytes;
  bool closing_ = false;
  bool keeps_freed_ = false;
};

// Reads the fields of NativeSocketOptions; missing ones leave the system's value.
SocketOptions ReadSocketOptions(const Napi::Value& value);

}  // namespace zwire
