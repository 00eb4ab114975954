// Carries the bytes of an ipc connection through shared memory, once both sides have agreed to it. It stands between a
// Stream and its socket; everything above the Stream stays as it is.
//
// The agreement is made inside the connection. A sign is one byte that is sent together with a descriptor. The kernel
// ends a read behind such a byte (unix(7): ancillary data is a barrier), so it is always the last byte of a read, and
// can be taken out of the bytes wherever it stands, without knowing about frames:
//
//   O  "here is my memory", with its descriptor, and with one end of a bell unless the peer has sent one already
//   T  "I have mapped yours"
//   S  "my next byte is in my ring"
//   P  "here is a pool", with its descriptor: memory for loans (pool_wrap.h), which messages refer to. At any time
//
// A side offers its memory when it first has much to send. The other side answers with its own, and each sends S when
// the peer has taken its memory and its socket has no bytes left to send. From then on the socket only tells of the end
// of the connection, and of pools. A side that cannot share does not answer, and everything stays on the socket.
//
// The bell is a pair of sockets of its own. The connection's socket cannot carry its bytes: while one side still sends
// by the socket and the other one does not read it, the first could not tell that there is room in the ring again.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "loop.h"
#include "ring.h"

namespace zwire {

class LineListener {
 public:
  // There are bytes in the peer's ring, or there is room in ours, or both. Called from the event loop.
  virtual void OnBell() = 0;

 protected:
  ~LineListener() = default;
};

class SharedLine {
 public:
  // A write of this many bytes is a reason to offer memory.
  static constexpr size_t kOfferBytes = 32 * 1024;
  // The most bytes of one Write: the reader shall begin before a large batch is copied.
  static constexpr size_t kWriteBytes = 256 * 1024;
  // The most pools that a peer may offer, and bytes of each.
  static constexpr size_t kMostPools = 1024;
  // Those that may come before the end of the handshake.
  static constexpr size_t kMostEarlyPools = 8;
  static constexpr size_t kMostPoolBytes = size_t{1} << 32;

  // `fd` stays the Stream's. `accepted`: whose bell counts if both sides have offered one.
  // It must be there before the first byte is read, because an offer may follow right behind the peer's handshake.
  // `spin_ns`: how long to look for bytes before sleeping.
  SharedLine(std::shared_ptr<Loop> loop, int fd, bool accepted, size_t capacity, uint64_t spin_ns,
             LineListener* listener);
  // The handshake has shown that the peer can share memory, too. Until then nothing is offered, and an offer waits.
  void Agree();
  // Ends the line; it deletes itself when libuv has closed its handle.
  static void Close(SharedLine* line);

  // Whether incoming, or outgoing, bytes are in the rings.
  bool incoming() const { return incoming_; }
  // Where the socket goes over to the ring is the end: the peer takes back what it puts there.
  void ReadNoRing() { reads_no_ring_ = true; }
  bool outgoing() const { return outgoing_; }
  // Whether something of the agreement waits until the socket has room, and has no other bytes to send.
  bool agreeing() const { return !signs_.empty() || (taken_ && writer_ != nullptr && !outgoing_ && !stays_); }
  // The writer waits for room in its ring.
  bool awaits_room() const { return awaits_room_; }
  // The socket has something to tell: with incoming bytes in the ring, this is the end of the connection.
  void Look() { look_ = true; }

  // Found nothing to read, and has not told the peer that we sleep: the caller looks at Ready for up to spin_ns(), and
  // then calls Tired before the last Read.
  bool spins() const { return spins_; }
  uint64_t spin_ns() const { return spin_ns_; }
  bool Ready() const { return reader_->Ready(); }
  void Tired() { tired_ = true; }

  // Whether the bell keeps the event loop alive; by default the connection's own handle does.
  void KeepAlive(bool on);

  // As readv, but gives the negative errno: from the socket or from the peer's ring. -EPROTO: the peer has broken the
  // rules.
  ssize_t Read(iovec* segments, int count);
  // Into our ring. -EAGAIN: OnBell follows when there is room.
  ssize_t Write(const iovec* segments, size_t count);
  // So many bytes are to be sent by the socket, which has none left from before.
  void Offer(size_t bytes);
  // Sends the signs that wait, and begins to use the ring if the time has come. `idle`: the socket has no bytes left to
  // send. True: outgoing bytes are in the ring from now on.
  bool Proceed(bool idle);

  // After the handshake: sends a descriptor of memory that the peer may map. It is duplicated. False: the peer cannot get
  // it.
  bool OfferPool(int fd);

  // Pools that have come, mapped; nullptr for one that cannot be.
  bool has_pool() const { return !came_.empty(); }
  std::unique_ptr<SealedMemory> NextPool();

  uint64_t written() const { return writer_ == nullptr ? 0 : writer_->written(); }
  uint64_t passed() const { return writer_ == nullptr ? 0 : writer_->passed(); }

 private:
  struct Sign {
    char name;
    // Of a pool.
    int descriptor;
  };

  ~SharedLine();
  ssize_t ReadSocket(iovec* segments, int count);
  ssize_t ReadRing(const iovec* segments, int count);
  // Acts on a sign of the peer. False: it has broken the rules.
  bool Obey(char name, const int* descriptors, size_t count);
  bool TakeOffer(const int* descriptors, size_t count);
  void TakePool(int descriptor);
  // Makes our memory, if that has not been tried.
  bool MakeOwn();
  void DropMemory();
  bool MakeBell();
  bool WatchBell();
  void Send(char name);
  // Sends one sign. False: try again later.
  bool SendNow(const Sign& sign);
  // The socket has something to tell, and incoming bytes are in the ring. -EAGAIN: that was all. 0: the peer has ended the
  // connection.
  ssize_t ReadSigns();
  void Ring();
  void HearBell();
  void Fail();

  std::shared_ptr<Loop> loop_;
  const int fd_;
  const bool accepted_;
  const size_t capacity_;
  const uint64_t spin_ns_;
  LineListener* listener_;

  std::unique_ptr<RingBlock> own_;
  std::unique_ptr<RingBlock> peer_;
  std::unique_ptr<RingWriter> writer_;
  std::unique_ptr<RingReader> reader_;
  // The descriptor of our memory, until the last sign is sent.
  int memory_ = -1;
  // Our end of the bell, and the other one until it is sent.
  int bell_ = -1;
  int other_bell_ = -1;
  uv_poll_t poll_;
  bool polling_ = false;

  // Signs that wait for room in the socket. Vectors, because an empty one costs an idle connection nothing.
  std::vector<Sign> signs_;
  bool agreed_ = false;
  // An offer and pools that came before the end of the handshake.
  int early_[2] = {-1, -1};
  std::vector<int> early_pools_;
  size_t pools_ = 0;
  std::vector<std::unique_ptr<SealedMemory>> came_;
  bool offered_ = false;
  bool offer_came_ = false;
  // The peer has mapped our memory.
  bool taken_ = false;
  // Sharing has failed before it began.
  bool failed_ = false;
  // Our last sign could not be sent: our bytes stay on the socket.
  bool stays_ = false;
  bool incoming_ = false;
  bool reads_no_ring_ = false;
  bool outgoing_ = false;
  bool awaits_room_ = false;
  bool look_ = false;
  bool spins_ = false;
  bool tired_ = false;
};

}  // namespace zwire
