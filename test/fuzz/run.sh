#!/bin/bash
# Fuzzes the native frame decoder under ASan and UBSan: test/fuzz/run.sh [seconds], 60 by default. Says so and
# succeeds where clang or its fuzzer runtime is missing.
set -euo pipefail
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v clang++ >/dev/null; then
  echo "fuzz: skipped, there is no clang++"
  exit 0
fi
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  clang++ -x c++ -fsanitize=fuzzer,address,undefined - -o "$work/probe" 2>"$work/probe.log"; then
  echo "fuzz: skipped, clang++ has no libFuzzer: $(head -1 "$work/probe.log")"
  exit 0
fi
clang++ -std=c++17 -g -O1 -Wall -Wextra -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
  "$here/frame-decoder-fuzz.cc" "$here/../../native/codec/frame_decoder.cc" -o "$work/fuzz"
mkdir "$work/corpus"
# Seeds: limits wide open, then a short, a long, a command frame, and sizes at the edges.
printf '\xff\x13\xff\xff\xff\x01\x02\x03\x00\x05hello\x01\x00\x00\x01x' >"$work/corpus/short"
printf '\xff\x13\xff\xff\xff\x01\x02\x04\x02\x00\x00\x00\x00\x00\x00\x50\x00abc' >"$work/corpus/large"
printf '\xff\x13\xff\xff\x00\x01\x02\x03\x04\x05\x04PING\x01\x01a\x00\x01b' >"$work/corpus/command"
printf '\xff\x13\xff\xff\x00\x01\x02\x03\x02\x7f\xff\xff\xff\xff\xff\xff\xff' >"$work/corpus/huge"
echo "fuzz: $seconds s of the frame decoder under ASan and UBSan"
if ! "$work/fuzz" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -print_final_stats=1 \
  "$work/corpus" >"$work/log" 2>&1; then
  tail -60 "$work/log"
  exit 1
fi
grep -E 'number_of_executed_units|DONE|peak_rss' "$work/log" || true
echo "fuzz: clean"
