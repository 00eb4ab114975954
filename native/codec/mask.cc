#include "mask.h"

#include <cstring>

namespace zwire {

void ApplyMask(uint8_t* bytes, size_t count, uint32_t mask) {
  uint8_t pattern[8];
  for (size_t i = 0; i < sizeof pattern; i++) pattern[i] = static_cast<uint8_t>(mask >> (8 * (i & 3)));
  uint64_t wide;
  std::memcpy(&wide, pattern, sizeof wide);
  size_t at = 0;
  // Words need not be aligned, and the compiler puts several into a register.
  for (; at + sizeof wide <= count; at += sizeof wide) {
    uint64_t word;
    std::memcpy(&word, bytes + at, sizeof word);
    word ^= wide;
    std::memcpy(bytes + at, &word, sizeof word);
  }
  for (; at < count; at++) bytes[at] ^= pattern[at & 7];
}

}  // namespace zwire
