// Large bodies come and go by the gigabyte. Knows only malloc.
#pragma once

namespace zwire {

// Lets the C library keep what is freed for what is allocated next, as a program does anyway that has freed a block of
// kKeptBlockBytes once. Without it glibc gives every freed block of 128 KiB and more back to the kernel, which clears
// each page again on its next use: that was as dear as the copies into and out of the socket, and made messages of
// 64 KiB and more half as fast. Up to twice kKeptBlockBytes of free memory stay at the heap's end, and blocks below
// kKeptBlockBytes come from the heap instead of pages of their own. Does nothing where the user has set
// malloc's limits (MALLOC_TRIM_THRESHOLD_ and others), and with other C libraries.
void KeepFreedMemory();

}  // namespace zwire
