"""Peers that share memory with zwire over ipc and are killed, each one step later than the one before: memory-lives.py
PATH KIND SIDE KILLS. KIND is PUSH or PULL; SIDE says whether it "dials" or "listens"; there are so many KILLS, 0 for one at
each step. Each life is a process of its own,
which kills itself with SIGKILL. A line of input begins each life.
It prints JSON lines:

  {"step": …}                         the life has done this step, and dies now; after all steps, "the end"
  {"got": i}                          a PULL: message i is read whole
  {"rest": i}                         a PULL: the next life must begin with message i, because all before it are read, or
                                      not known (null), because the kernel's buffers went with the connection
  {"done": true}                      all lives have ended

A message is four bytes of a number, and MESSAGE_BYTES bytes of its lowest eight bits."""

import importlib.util
import json
import os
import signal
import socket
import struct
import sys

spec = importlib.util.spec_from_file_location("peer", os.path.join(os.path.dirname(__file__), "memory-peer.py"))
m = importlib.util.module_from_spec(spec)
spec.loader.exec_module(m)

MESSAGE_BYTES = 20_000


def tell(**line):
    os.write(1, (json.dumps(line) + "\n").encode())


def message(number):
    return m.frame(struct.pack(">I", number) + bytes([number & 255]) * MESSAGE_BYTES)


class Life(m.Peer):
    """The steps of one life, as a generator that names each one when it is done."""

    def __init__(self, sock, kind):
        self.sock = sock
        self.kind = kind
        self.written = self.taken = 0
        self.peer = None
        self.bell = None
        self.signs = b""
        self.data = b""
        self.next = None

    def shake(self):
        yield "connected"
        self.sock.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32))
        yield "greeting sent"
        self.need(64)
        yield "greeting came"
        ready = b"\x05READY" + m.prop(b"Socket-Type", self.kind.encode()) + m.prop(b"X-zwire-shm", b"1")
        self.sock.sendall(m.frame(ready, 4))
        yield "READY sent"
        _, length = self.need(2)
        self.need(length)
        yield "READY came"

    def see(self, name):
        """Reads the socket until a sign has come. Other bytes belong to messages."""
        while name not in self.signs:
            data, fds = self.receive()
            if fds:
                self.signs += data[-1:]
                data = data[:-1]
                if self.signs[-1:] == b"O":
                    self.theirs = fds
                else:
                    for fd in fds:
                        os.close(fd)
            self.add(data)

    def receive(self):
        data, fds, _, _ = socket.recv_fds(self.sock, 65536, 4)
        assert data, "zwire has gone"
        return data, fds

    def map(self):
        fds = self.theirs
        self.peer = m.mmap.mmap(fds[0], os.fstat(fds[0]).st_size, m.mmap.MAP_SHARED, m.mmap.PROT_READ)
        if len(fds) == 2:
            self.bell = socket.socket(fileno=fds[1])

    def agree(self):
        """A PUSH offers first; a PULL answers the offer of zwire, which has much to send."""
        if self.kind == "PUSH":
            self.memory()
            yield "memory made"
            self.offer()
            yield "offered"
            self.see(b"O")
            yield "offer came"
        else:
            self.see(b"O")
            yield "offer came"
            bell = self.memory().bell
            yield "memory made"
            self.sign(b"O", self.fd)
            bell.close()
            yield "offered"
        self.map()
        yield "mapped"
        self.sign(b"T", self.fd)
        yield "taken"
        self.see(b"T")
        yield "taken by zwire"
        self.sign(b"S", self.fd)
        yield "switched"
        self.see(b"S")
        yield "zwire has switched"

    def push(self):
        one = message(1)
        self.write(message(0)[:5])
        yield "a part of a header in the ring"
        self.write(message(0)[5:10_000])
        yield "half of a message in the ring"
        self.write(message(0)[10_000:])
        yield "a message in the ring"
        self.when(lambda: self.get(m.READ) == self.written and self.get(m.ASLEEP) != 0)
        yield "zwire has read it, and sleeps"
        self.write(one, bells=False)
        yield "a message that no bell has told of"
        self.ring()
        self.when(lambda: self.get(m.READ) == self.written)
        yield "read, too"
        self.write(message(2) + message(3)[:9000])
        yield "the ring holds one message and half of the next"
        offset = self.written % m.CAPACITY
        self.own[m.PAGE + offset : m.PAGE + offset + 1000] = bytes(1000)
        yield "bytes are in the ring, and the index does not tell"

    def pull(self):
        """Reads the ring as far as is said, bell or no bell, and says what it has."""
        for name, stop in (
            ("a part of a header", lambda left: 4),
            ("half of a message", lambda left: left // 2),
            ("the end of a message", lambda left: left),
            ("a message and a part", lambda left: left + 100),
            ("another end", lambda left: left),
        ):
            self.take(stop(self.left()))
            yield name + " read"
        self.when(lambda: self.get(m.ROOM_AT) > self.taken)
        yield "zwire waits for room"
        self.take(60_000)
        yield "there is room, and no bell has told of it"
        self.ring()
        self.take(60_000)
        yield "there was room"

    def left(self):
        """Bytes to the end of the message that has begun."""
        size = 9 + 4 + MESSAGE_BYTES
        return size - len(self.data) % size

    def take(self, count):
        """Copies out of the ring. The index is written before what was read is used."""
        while count > 0:
            self.when(lambda: self.get(m.WRITTEN) > self.taken)
            capacity = len(self.peer) - m.PAGE
            offset = self.taken % capacity
            size = min(count, self.get(m.WRITTEN) - self.taken, capacity - offset)
            data = self.peer[m.PAGE + offset : m.PAGE + offset + size]
            self.taken += size
            count -= size
            self.put(m.READ, self.taken)
            goal = self.get(m.ROOM_AT)
            if goal and self.taken >= goal:
                self.ring()
            self.add(data)

    def add(self, data):
        self.data += data
        size = 9 + 4 + MESSAGE_BYTES
        while len(self.data) >= size:
            head, number = struct.unpack(">BQ", self.data[:9]), struct.unpack(">I", self.data[9:13])[0]
            assert head == (2, 4 + MESSAGE_BYTES), head
            assert self.data[13:size] == bytes([number & 255]) * MESSAGE_BYTES, "torn"
            self.data = self.data[size:]
            self.next = number + 1
            tell(got=number)

    def live(self):
        """Says after each step how the next life must begin."""
        for name in self.shake():
            yield name, None
        for name in self.agree():
            yield name, None
        for name in self.push() if self.kind == "PUSH" else self.pull():
            yield name, self.next


def run(connect, kind, last):
    """One life, in this process: it ends after a step, or when there are no more steps."""
    one = Life(connect(), kind)
    for number, (name, rest) in enumerate(one.live()):
        if number == last:
            say_last(name, kind, rest)
            os.kill(os.getpid(), signal.SIGKILL)
    say_last("the end", kind, one.next)
    os._exit(7)


def say_last(step, kind, rest):
    if kind == "PULL":
        tell(rest=rest)
    tell(step=step)


path, kind, side = sys.argv[1:4]
kills = int(sys.argv[4])
if side == "listens":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)


def connect():
    if side == "listens":
        return listener.accept()[0]
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock


def life(step):
    """One life in a process of its own. Returns whether it was killed; otherwise there is no such step."""
    child = os.fork()
    if child == 0:
        run(connect, kind, step)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 7, "a life failed"
    return os.WIFSIGNALED(status)


step = lives = 0
over = False
while sys.stdin.readline() and not over:
    lives += 1
    killed = life(step)
    step = step + 1 if killed else 0
    over = lives == kills if kills > 0 else not killed
tell(done=True)
