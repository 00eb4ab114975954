// Memory without a name that one process writes and others read: made by its owner, sealed, and mapped read-only by those
// who get its descriptor. The seals forbid others to write, and everybody to change its size, because reading beyond the
// end of a shortened file would kill the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace zwire {

class SealedMemory {
 public:
  // Makes memory of this size and maps it for writing. `name` is what /proc shows. nullptr: *fd is a negative errno. The caller closes *fd.
  static std::unique_ptr<SealedMemory> Create(const char* name, size_t size, int* fd);
  // Maps the memory of a peer for reading, after checking its seals. nullptr if they are missing, if the size is not
  // between `least` and `most`, or if there is no room. Does not close `fd`.
  static std::unique_ptr<SealedMemory> Map(int fd, size_t least, size_t most);
  ~SealedMemory();
  SealedMemory(const SealedMemory&) = delete;
  SealedMemory& operator=(const SealedMemory&) = delete;

  uint8_t* data() const { return static_cast<uint8_t*>(data_); }
  size_t size() const { return size_; }

 private:
  SealedMemory(void* data, size_t size) : data_(data), size_(size) {}

  void* data_;
  size_t size_;
};

}  // namespace zwire
