#!/bin/bash
# Builds the fuzzers of the native frame decoder and of the ring in shared memory, and runs each: test/fuzz/run.sh
# [seconds=60]. Needs clang++ with libFuzzer; says so and succeeds where they are missing. Leaves nothing behind, except an
# input that fails.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
seconds="${1:-60}"
case "$seconds" in '' | *[!0-9]*) echo "usage: $0 [seconds]" >&2 && exit 2 ;; esac

if ! command -v clang++ >/dev/null; then
  echo "skipped: no clang++"
  exit 0
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sanitize=(-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all)

# The compiler may be here without its libFuzzer runtime: only a build of the smallest fuzzer tells.
echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' >"$work/probe.cc"
if ! clang++ "${sanitize[@]}" "$work/probe.cc" -o "$work/probe" 2>/dev/null; then
  echo "skipped: this clang++ has no libFuzzer runtime"
  exit 0
fi

# fuzz NAME SOURCE...: builds the fuzzer NAME with the sources under test, and runs it.
fuzz() {
  clang++ -std=c++17 -O1 -g -Wall -Wextra "${sanitize[@]}" "$here/$1.cc" "${@:2}" -o "$work/$1"
  mkdir "$work/$1-corpus"
  # An input that fails outlives the folder of this run; it is not in the corpus folder, which goes.
  # The default quarantine of freed memory would be most of the memory in use.
  ASAN_OPTIONS=quarantine_size_mb=64 "$work/$1" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -verbosity=0 -print_funcs=0 -artifact_prefix="${TMPDIR:-/tmp}/zwire-fuzz-" "$work/$1-corpus"
}

native="$here/../../native"
fuzz frame-decoder-fuzz "$native/codec/frame_decoder.cc"
fuzz ring-fuzz "$native/io/ring.cc" "$native/io/sealed_memory.cc" "$native/io/address_space.cc"
echo "ok: no input failed in $seconds s for each"
