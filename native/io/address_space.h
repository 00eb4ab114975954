// How much address space this process may still take (ulimit -v). Shared memory is never needed: without it, bytes go
// through the socket. The rest of the process cannot do without, and V8 ends it when an allocation fails.
#pragma once

#include <cstddef>

namespace zwire {

// Whether `bytes` can be mapped and enough is left for everything else. Always true without a limit.
bool SparesAddressSpace(size_t bytes);

}  // namespace zwire
