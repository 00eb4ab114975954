{
  "targets": [
    {
      "target_name": "zwire",
      "conditions": [
        # On Windows the portable engine serves: there is nothing to build.
        ["OS=='win'", {"type": "none"}, {
          "sources": [
            "native/bindings/addon.cc",
            "native/bindings/acceptor_wrap.cc",
            "native/bindings/environment.cc",
            "native/bindings/pool_wrap.cc",
            "native/bindings/stream_state.cc",
            "native/bindings/stream_wrap.cc",
            "native/codec/frame_decoder.cc",
            "native/codec/mask.cc",
            "native/io/acceptor.cc",
            "native/io/address_space.cc",
            "native/io/allocator.cc",
            "native/io/ring.cc",
            "native/io/sealed_memory.cc",
            "native/io/shared_line.cc",
            "native/io/shared_signs.cc",
            "native/io/socket.cc",
            "native/io/stream.cc",
            "native/io/stream_output.cc"
          ],
          "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
          "defines": [
            "NAPI_VERSION=8",
            "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
            "NODE_ADDON_API_DISABLE_DEPRECATED",
            "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
          ],
          "cflags": ["-Wall", "-Wextra", "-fvisibility=hidden", "-O3"],
          "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
          "cflags!": ["-O2"],
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "GCC_OPTIMIZATION_LEVEL": "3",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "WARNING_CFLAGS": ["-Wall", "-Wextra"]
          }
        }]
      ]
    }
  ]
}
