// A strong reference to a JavaScript value. Plain Node-API: node-addon-api's own answers a failed call by throwing,
// which aborts the process where no JavaScript may run any more (a worker that is being terminated).
#pragma once

#include <node_api.h>

namespace zwire {

class StrongReference {
 public:
  explicit StrongReference(napi_env env) : env_(env) {}
  ~StrongReference() { Reset(); }
  StrongReference(const StrongReference&) = delete;
  StrongReference& operator=(const StrongReference&) = delete;

  void Set(napi_value value) {
    Reset();
    if (value != nullptr && napi_create_reference(env_, value, 1, &reference_) != napi_ok) reference_ = nullptr;
  }

  // nullptr when empty; valid in the current handle scope.
  napi_value Value() const {
    napi_value value = nullptr;
    if (reference_ != nullptr) napi_get_reference_value(env_, reference_, &value);
    return value;
  }

  void Reset() {
    if (reference_ != nullptr) napi_delete_reference(env_, reference_);
    reference_ = nullptr;
  }

  bool empty() const { return reference_ == nullptr; }

 private:
  napi_env env_;
  napi_ref reference_ = nullptr;
};

// Handles made in its life are dropped at its end.
class Scope {
 public:
  explicit Scope(napi_env env) : env_(env) { napi_open_handle_scope(env_, &scope_); }
  ~Scope() {
    if (scope_ != nullptr) napi_close_handle_scope(env_, scope_);
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace zwire
