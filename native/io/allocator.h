// Settings of malloc for large message bodies, which are allocated and freed by the gigabyte.
#pragma once

namespace zwire {

// Makes glibc keep freed memory for the next allocation. (Any program gets the same effect once it has freed a block of
// kKeptBlockBytes.) Without it, glibc returns every freed block of 128 KiB or more to the kernel, which zeroes each
// page again on its next use. That cost as much as the copies into and out of the socket, and halved the speed of
// messages of 64 KiB and more. The price: up to twice kKeptBlockBytes of free memory stay at the end of the heap, and
// blocks below kKeptBlockBytes come from the heap instead of pages of their own. Has no effect if the user has set
// malloc's limits (MALLOC_TRIM_THRESHOLD_ and others), or with another C library.
void KeepFreedMemory();

}  // namespace zwire
