// See allocator.h.
#include "allocator.h"

#include <cstdlib>

namespace zwire {

namespace {

// V8 collects after about 32 MiB of young buffers, so that twice this much is free at a time.
constexpr size_t kKeptBlockBytes = 16 * 1024 * 1024;

}  // namespace

void KeepFreedMemory() {
#ifdef __GLIBC__
  // glibc's dynamic limits follow the largest mapped block that was freed: one system call each, and no page touched.
  // volatile: a compiler may leave out a pair of malloc and free.
  void* volatile block = std::malloc(kKeptBlockBytes);
  std::free(block);
#endif
}

}  // namespace zwire
