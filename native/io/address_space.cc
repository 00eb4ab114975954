// See address_space.h.
#include "address_space.h"

#ifdef __linux__
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#endif

namespace zwire {

#ifdef __linux__

namespace {

// What stays free: V8's heap and the bodies of messages grow in it.
constexpr size_t kSpared = 256 * 1024 * 1024;

// The process's address space in bytes, as the limit counts it; 0 if the system does not tell.
size_t Used() {
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[64];
  const ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return 0;
  text[got] = '\0';
  return std::strtoul(text, nullptr, 10) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

bool SparesAddressSpace(size_t bytes) {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
  const size_t used = Used();
  return used > 0 && used + bytes + kSpared <= limit.rlim_cur;
}

#else

bool SparesAddressSpace(size_t) { return true; }

#endif

}  // namespace zwire
