// The mask of WebSocket frames (RFC 6455 §5.3). Plain C++ without Node.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zwire {

// Masks or unmasks bytes in place. The lowest byte of `mask` is that of the first byte.
void ApplyMask(uint8_t* bytes, size_t count, uint32_t mask);

}  // namespace zwire
