// What the two halves of SharedLine have in common.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>

namespace zwire {

// The names of signs: see shared_line.h.
constexpr char kOffer = 'O';
constexpr char kTaken = 'T';
constexpr char kSwitch = 'S';
constexpr char kPool = 'P';

#ifdef MSG_NOSIGNAL
constexpr int kQuiet = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int kQuiet = MSG_DONTWAIT;
#endif

inline void CloseAll(const int* descriptors, size_t count) {
  for (size_t i = 0; i < count; i++) close(descriptors[i]);
}

inline void CloseOne(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

}  // namespace zwire
