// A strong reference to a JavaScript value. It uses plain Node-API, because the one of node-addon-api throws when a
// call fails. That aborts the process if JavaScript may no longer run (in a worker that is being terminated).
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

  // nullptr if empty. The value is valid in the current handle scope.
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

// A handle scope: JavaScript values made while it lives are released when it is destroyed.
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
