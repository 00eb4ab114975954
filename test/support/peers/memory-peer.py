"""A peer that shares memory with zwire over ipc: well (an implementation of its own, from docs/shared-memory.md), or in one
of the ways that the rules forbid. A PUSH that dials: memory-peer.py PATH WAY. It prints what it sees, one word a line, and
ends when its input ends or zwire closes the connection."""

import array
import fcntl
import mmap
import os
import socket
import struct
import sys
import time

F_ADD_SEALS, SEAL, SHRINK, GROW, FUTURE_WRITE = 1033, 1, 2, 4, 16
ALL_SEALS = SEAL | SHRINK | GROW | FUTURE_WRITE
PAGE, CAPACITY = 4096, 65536
WRITTEN, ROOM_AT, READ, ASLEEP = 64, 72, 128, 136
MESSAGE = b"m" * 100_000


def say(word):
    print(word, flush=True)


def frame(body, flags=0):
    if len(body) > 255:
        return struct.pack(">BQ", flags | 2, len(body)) + body
    return struct.pack(">BB", flags, len(body)) + body


def prop(name, value):
    return struct.pack(">B", len(name)) + name + struct.pack(">I", len(value)) + value


class Peer:
    def __init__(self, path, version=b"1", kind=b"PUSH", loans=False):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32))
        self.need(64)
        ready = b"\x05READY" + prop(b"Socket-Type", kind)
        if version is not None:
            ready += prop(b"X-zwire-shm", version)
        if loans:
            ready += prop(b"X-zwire-loans", b"1")
        self.sock.sendall(frame(ready, 4))
        _, length = self.need(2)
        assert b"X-zwire-shm" in self.need(length)
        self.written = self.taken = self.came = self.switched = 0
        self.peer = None

    def need(self, count):
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            assert piece, "zwire has gone"
            data += piece
        return data

    def memory(self, capacity=CAPACITY, seals=ALL_SEALS, size=None, version=1):
        self.fd = os.memfd_create("peer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        size = PAGE + capacity if size is None else size
        os.ftruncate(self.fd, size)
        if size >= PAGE:
            self.own = mmap.mmap(self.fd, size)
            struct.pack_into("<I", self.own, 0, version)
        fcntl.fcntl(self.fd, F_ADD_SEALS, seals)
        self.bell, self.other = socket.socketpair()
        return self

    def sign(self, name, *fds):
        self.sock.sendmsg([name], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])

    def offer(self, *fds):
        self.sign(b"O", *(fds or (self.fd, self.other.fileno())))
        return self

    def put(self, at, value):
        struct.pack_into("<Q", self.own, at, value)

    def get(self, at):
        return struct.unpack_from("<Q", self.peer, at)[0]

    def answers(self):
        """Reads zwire's signs: its offer, T and S."""
        signs = b""
        while b"T" not in signs or b"S" not in signs:
            data, control, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(16))
            assert data, "zwire has gone"
            fds = array.array("i")
            for _, _, value in control:
                fds.frombytes(value[: len(value) // 4 * 4])
            if data[-1:] == b"O":
                self.peer = mmap.mmap(fds[0], os.fstat(fds[0]).st_size, mmap.MAP_SHARED, mmap.PROT_READ)
                if len(fds) == 2:  # both have offered a bell: that of the side which accepted the connection counts
                    self.bell = socket.socket(fileno=fds[1])
                self.sign(b"T", self.fd)
            signs += data
        say("agreed")
        return self

    def switch(self):
        self.sign(b"S", self.fd)
        return self

    def ring(self):
        try:
            self.bell.send(b"!", socket.MSG_DONTWAIT)
        except OSError:
            pass

    def write(self, data, bells=True):
        """Writes all of it into the ring, waiting for room by looking."""
        view = memoryview(data)
        while view:
            read = self.get(READ)
            room = CAPACITY - (self.written - read)
            if room == 0:
                if bells:
                    self.ring()
                time.sleep(0.0005)
                continue
            offset = self.written % CAPACITY
            size = min(room, len(view), CAPACITY - offset)
            self.own[PAGE + offset : PAGE + offset + size] = view[:size]
            view = view[size:]
            self.written += size
            self.put(WRITTEN, self.written)
            if bells and self.get(ASLEEP):
                self.ring()

    def when(self, condition):
        until = time.time() + 20
        while not condition():
            assert time.time() < until, "zwire did not do its part"
            time.sleep(0.001)

    def agreed(self):
        return self.memory().offer().answers().switch()

    def end(self):
        """Waits until zwire closes the connection, or our input ends."""
        self.sock.settimeout(20)
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass
        say("ended")


def good(peer):
    peer.agreed()
    for i in range(20):
        peer.write(frame(struct.pack(">I", i) + MESSAGE))
    say("written")
    sys.stdin.read()


def leaves(peer):
    """Writes what fits, and goes: what is in the ring must still arrive."""
    peer.agreed()
    peer.write(frame(b"one") + frame(b"two" + b"2" * 40_000), bells=False)
    os._exit(0)


def plain(peer):
    """Sends by the socket."""
    peer.sock.sendall(frame(MESSAGE))
    say("written")
    sys.stdin.read()


def pool(peer, size=2**20, seals=ALL_SEALS):
    """Offers a pool, filled with its page numbers, and waits for the answer."""
    fd = os.memfd_create("pool", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    memory = mmap.mmap(fd, size) if size else None
    for page in range(size // PAGE):
        memory[page * PAGE : (page + 1) * PAGE] = bytes([page % 251]) * PAGE
    fcntl.fcntl(fd, F_ADD_SEALS, seals)
    peer.sign(b"P", fd)
    return memory


def answer(peer):
    """The next command of zwire that is about loans: its name and data."""
    while True:
        flags, length = peer.need(2)
        body = peer.need(length)
        name = body[1 : 1 + body[0]]
        if flags & 4 and name in (b"POOL", b"RETURN"):
            return name, body[1 + len(name) :]


def lend(offset, length, pool=0, more=0, number=1):
    data = struct.pack(">BH", more, pool) + offset.to_bytes(6, "big") + length.to_bytes(6, "big")
    return frame(b"\x04LEND" + data + struct.pack(">I", number), 4)


def lends(peer):
    """Keeps the rules: each loan comes back."""
    pool(peer)
    assert answer(peer) == (b"POOL", b"\0\0\1")
    for i in range(20):
        peer.sock.sendall(frame(b"head", 1) + lend(i * PAGE, 5 * PAGE, number=i))
        assert answer(peer) == (b"RETURN", struct.pack(">I", i))
        say(f"returned-{i}")
    sys.stdin.read()


def many_references(peer):
    """2,000 references to the same megabyte in one piece: two gigabytes, for 52 KB."""
    pool(peer)
    answer(peer)
    peer.sock.sendall(b"".join(lend(0, 2**20, number=i) for i in range(2000)))
    say("written")
    sys.stdin.read()


def bad_reference(*arguments, **more):
    def way(peer):
        pool(peer)
        answer(peer)
        peer.sock.sendall(lend(*arguments, **more))
        peer.end()

    return way


def bad_pool(size=2**20, seals=ALL_SEALS):
    """A pool that zwire must not map. It says so, and what was sent as ever arrives."""

    def way(peer):
        pool(peer, size, seals)
        assert answer(peer) == (b"POOL", b"\0\0\0")
        plain(peer)

    return way


def uses_bad_pool(peer):
    pool(peer, seals=SEAL | GROW | FUTURE_WRITE)
    answer(peer)
    peer.sock.sendall(lend(0, 2**16))
    peer.end()


def pools_without_end(peer):
    peer.sock.settimeout(20)
    try:
        for _ in range(5000):
            pool(peer, PAGE)
    except OSError:
        pass
    peer.end()


def two_in_one(peer):
    peer.memory().sign(b"P", peer.fd, peer.fd)
    peer.end()


def changing_loan(peer):
    memory = pool(peer)
    answer(peer)
    peer.sock.sendall(lend(0, 2**20))
    until = time.time() + 0.5
    while time.time() < until:
        memory[: 2**19] = os.urandom(2**19)
    say("written")
    sys.stdin.read()


def only_offers(peer):
    """Offers, never answers, and goes on by the socket."""
    peer.memory().offer()
    plain(peer)


def backwards(peer):
    peer.agreed().write(frame(b"x" * 1000))
    peer.when(lambda: peer.get(READ) == peer.written)
    peer.put(WRITTEN, 10)
    peer.ring()
    peer.end()


def ahead(peer):
    peer.agreed().put(WRITTEN, CAPACITY + 1)
    peer.ring()
    peer.end()


def far_ahead(peer):
    peer.agreed().put(WRITTEN, 2**64 - 1)
    peer.ring()
    peer.end()


def read_ahead(peer):
    """A PULL that says that it has read what was never written. zwire looks when it needs room."""
    peer.agreed()
    peer.when(lambda: peer.get(ROOM_AT) > 0)
    peer.put(READ, 2**40)
    peer.ring()
    peer.end()


def read_back(peer):
    """A PULL that has read something, and then less."""
    peer.agreed()
    peer.when(lambda: peer.get(ROOM_AT) > 0)
    goal = peer.get(ROOM_AT)
    peer.put(READ, goal)
    peer.ring()
    peer.when(lambda: peer.get(ROOM_AT) > goal)
    peer.put(READ, goal - 1)
    peer.ring()
    peer.end()


def changing(peer):
    """A good frame whose bytes change all the time while they are read: torn content, and no more than that."""
    peer.agreed()
    data = frame(b"a" * 50_000)
    peer.own[PAGE : PAGE + len(data)] = data
    peer.written = len(data)
    peer.put(WRITTEN, len(data))
    peer.ring()
    until = time.time() + 0.5
    while time.time() < until:
        peer.own[PAGE + 9 : PAGE + 50_009] = os.urandom(50_000)
    say("written")
    sys.stdin.read()


def forks(peer):
    """Dies, while a process that it has forked keeps the socket and the bell: nothing tells zwire of the end."""
    peer.agreed()
    if os.fork() == 0:
        os.close(1)  # which the test reads to its end
        peer.sock.settimeout(60)
        peer.sock.recv(1)  # until zwire closes it
        os._exit(0)
    peer.write(frame(b"before"))
    say("written")
    peer.when(lambda: peer.get(READ) == peer.written)
    os.kill(os.getpid(), 9)


def flood(peer):
    """Rings the bell as fast as it can, with nothing in the ring, for as long as anybody listens."""
    peer.agreed()
    say("flooding")
    peer.bell.setblocking(True)
    until = time.time() + 1.0
    while time.time() < until:
        peer.bell.send(b"!" * 4096)
    peer.write(frame(b"after"))
    say("written")
    sys.stdin.read()


def silent(peer):
    """Never rings, although zwire sleeps: its message is not noticed, and nothing else happens."""
    peer.agreed()
    peer.when(lambda: peer.get(ASLEEP) != 0)
    peer.write(frame(b"unheard"), bells=False)
    say("written")
    sys.stdin.read()


def strays(peer):
    """Bytes on the socket behind S."""
    peer.agreed().sock.sendall(b"stray")
    peer.end()


def early(peer):
    """S before zwire has its memory."""
    peer.memory().switch()
    peer.end()


def twice(peer):
    peer.memory().offer()
    other = os.memfd_create("other", os.MFD_ALLOW_SEALING)
    peer.sign(b"O", other, peer.other.fileno())
    peer.end()


def unknown(peer):
    peer.memory().sign(b"?", peer.fd)
    peer.end()


def many(peer):
    peer.memory().sign(b"O", *[peer.fd] * 12)
    peer.end()


def refused(**how):
    """Memory that zwire must not map: everything stays on the socket, and works."""

    def way(peer):
        peer.memory(**how).offer()
        plain(peer)

    return way


def no_memory(peer):
    """Descriptors of another kind: a pipe for the memory, a file for the bell."""
    peer.memory().offer(os.pipe()[0], os.open("/dev/null", os.O_RDWR))
    plain(peer)


def no_bell(peer):
    """Memory, but a file for the bell."""
    peer.memory().offer(peer.fd, os.open("/dev/null", os.O_RDWR))
    plain(peer)


WAYS = {
    "good": good,
    "leaves": leaves,
    "plain": plain,
    "only-offers": only_offers,
    "backwards": backwards,
    "ahead": ahead,
    "far-ahead": far_ahead,
    "read-ahead": read_ahead,
    "read-back": read_back,
    "changing": changing,
    "forks": forks,
    "flood": flood,
    "silent": silent,
    "strays": strays,
    "early": early,
    "twice": twice,
    "unknown": unknown,
    "many": many,
    "unsealed": refused(seals=SEAL | SHRINK | GROW),
    "may-shrink": refused(seals=SEAL | GROW | FUTURE_WRITE),
    "may-be-unsealed": refused(seals=SHRINK | GROW | FUTURE_WRITE),
    "too-small": refused(size=100),
    "only-a-page": refused(size=PAGE),
    "odd-size": refused(size=PAGE + 65537),
    "too-large": refused(size=PAGE + 2**27),
    "other-layout": refused(version=2),
    "no-memory": no_memory,
    "no-bell": no_bell,
}

# Those that announce loans.
LOANS = {
    "lends": lends,
    "many-references": many_references,
    "changing-loan": changing_loan,
    "beyond-the-end": bad_reference(2**20 - PAGE, 2 * 2**14),
    "far-beyond": bad_reference(2**47, 2**16),
    "longer-than-all": bad_reference(0, 2**40),
    "too-short": bad_reference(0, 100),
    "nothing": bad_reference(0, 0),
    "no-such-pool": bad_reference(0, 2**16, pool=1),
    "unsealed-pool": bad_pool(seals=0),
    "pool-that-shrinks": bad_pool(seals=SEAL | GROW | FUTURE_WRITE),
    "empty-pool": bad_pool(size=0),
    "uses-bad-pool": uses_bad_pool,
    "pools-without-end": pools_without_end,
    "two-in-one": two_in_one,
}

# What it announces instead of version 1.
VERSIONS = {
    "version-none": None,
    "version-2": b"2",
    "version-empty": b"",
    "version-list": b"1,2",
    "version-space": b" 1",
    "version-long": b"1" * 30_000,
    "version-bytes": bytes(range(256)),
}

if __name__ == "__main__":
    path, way = sys.argv[1:3]
    if way in VERSIONS:
        plain(Peer(path, VERSIONS[way]))
    elif way in LOANS:
        LOANS[way](Peer(path, loans=True))
    else:
        WAYS[way](Peer(path, kind=b"PULL" if way.startswith("read-") else b"PUSH"))
