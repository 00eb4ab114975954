"""Deterministic messages, octet for octet those of ../messages.mjs (read that file for the why)."""

PERIOD = 65521
MIB16 = 16 * 1024 * 1024
MASK = 0xFFFFFFFF
SYNC = b"\x00sync"


def xorshift(x):
    x ^= (x << 13) & MASK
    x ^= x >> 17
    x ^= (x << 5) & MASK
    return x


def build_pool():
    block = bytearray(PERIOD)
    x = 2463534242
    for i in range(PERIOD):
        x = xorshift(x)
        block[i] = x & 0xFF
    return (bytes(block) * (MIB16 // PERIOD + 2))[: MIB16 + PERIOD]


POOL = build_pool()


class MessageSource:
    """A sequence of `count` messages."""

    def __init__(self, seed, count, big=True):
        self.state = ((seed * 2654435761 + 1) & MASK) or 1
        self.count = count
        self.index = 0
        self.big = big

    def random(self):
        self.state = xorshift(self.state)
        return self.state

    def part(self, size):
        offset = self.random() % PERIOD
        return POOL[offset : offset + size]

    def size(self):
        r = self.random() % 1000
        if r < 4:
            return 65536
        if r < 24:
            return 8192
        if r < 220:
            return 256
        if r < 420:
            return 255
        if r < 620:
            return 1
        if r < 770:
            return 0
        return self.random() % 64

    def part_count(self):
        r = self.random() % 16
        if r < 10:
            return 1
        if r < 15:
            return 2 + self.random() % 4
        return 1 + self.random() % 20

    def next(self):
        index = self.index
        self.index += 1
        third = self.count // 3
        if self.big and third > 0 and index == third:
            return [self.part(MIB16)]
        if self.big and third > 0 and index == 2 * third:
            return [self.part(0), self.part(MIB16), self.part(1)]
        return [self.part(self.size()) for _ in range(self.part_count())]


class MessageCheck:
    """Compares what arrives with what must arrive."""

    def __init__(self, seed, count, big=True):
        self.source = MessageSource(seed, count, big)
        self.count = count
        self.received = 0
        self.mismatch = None

    def take(self, parts):
        index = self.received
        self.received += 1
        expected = self.source.next()
        if self.mismatch is None and parts != expected:
            lengths = [len(part) for part in parts]
            wanted = [len(part) for part in expected]
            self.mismatch = (
                f"message {index}: other contents" if lengths == wanted
                else f"message {index}: parts of {lengths} octets instead of {wanted}"
            )
