// See allocator.h.
#include "allocator.h"

#include <cstdlib>

namespace zwire {

namespace {

// V8 collects garbage after about 32 MiB of young Buffers, so about twice this size becomes free at a time.
constexpr size_t kKeptBlockBytes = 16 * 1024 * 1024;

}  // namespace

void KeepFreedMemory() {
#ifdef __GLIBC__
  // glibc raises its dynamic limits to the largest mapped block that was freed. This costs one system call each for
  // malloc and free, and touches no page. volatile, because a compiler may remove a malloc whose result is only freed.
  void* volatile block = std::malloc(kKeptBlockBytes);
  std::free(block);
#endif
}

}  // namespace zwire
