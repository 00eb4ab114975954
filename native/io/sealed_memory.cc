// See sealed_memory.h.
#include "sealed_memory.h"

#include <cerrno>

#include "address_space.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace zwire {

#ifdef __linux__

namespace {

// Not in the headers of older C libraries.
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#endif
#ifndef MFD_ALLOW_SEALING
#define MFD_ALLOW_SEALING 0x0002U
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

// Without F_SEAL_FUTURE_WRITE a peer could map the memory writable.
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;

int NewMemory([[maybe_unused]] const char* name) {
#ifdef SYS_memfd_create
  return static_cast<int>(syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
#else
  errno = ENOSYS;
  return -1;
#endif
}

}  // namespace

std::unique_ptr<SealedMemory> SealedMemory::Create(const char* name, size_t size, int* fd) {
  *fd = -ENOMEM;
  if (!SparesAddressSpace(size)) return nullptr;
  const int memory = NewMemory(name);
  if (memory < 0) {
    *fd = -errno;
    return nullptr;
  }
  void* mapped = MAP_FAILED;
  if (ftruncate(memory, static_cast<off_t>(size)) == 0) {
    mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  }
  // The last seal allows our mapping, which exists already, and no other that could write.
  if (mapped == MAP_FAILED || fcntl(memory, F_ADD_SEALS, kSeals) != 0) {
    *fd = -errno;
    if (mapped != MAP_FAILED) munmap(mapped, size);
    close(memory);
    return nullptr;
  }
  *fd = memory;
  return std::unique_ptr<SealedMemory>(new SealedMemory(mapped, size));
}

std::unique_ptr<SealedMemory> SealedMemory::Map(int fd, size_t least, size_t most) {
  const int seals = fcntl(fd, F_GET_SEALS);
  struct stat status;
  if (seals < 0 || (seals & kSeals) != kSeals || fstat(fd, &status) != 0) return nullptr;
  const auto size = static_cast<size_t>(status.st_size);
  if (size < least || size > most || !SparesAddressSpace(size)) return nullptr;
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return nullptr;
  return std::unique_ptr<SealedMemory>(new SealedMemory(mapped, size));
}

SealedMemory::~SealedMemory() { munmap(data_, size_); }

#else

// Only Linux has sealed memory without a name.
std::unique_ptr<SealedMemory> SealedMemory::Create(const char*, size_t, int* fd) {
  *fd = -ENOTSUP;
  return nullptr;
}

std::unique_ptr<SealedMemory> SealedMemory::Map(int, size_t, size_t) { return nullptr; }

SealedMemory::~SealedMemory() = default;

#endif

}  // namespace zwire
