"""The channels of zerorpc v3 as zerorpc-python has them, written over asyncio: one dispatcher per socket that waits
for a queue of one event per channel, a heartbeat layer, a credit layer (window 100), each with a task of its own.

The structure is kept on purpose, its faults included: a dispatcher that waits for a channel nobody reads any more stays
there for good, a queue that overflows ends its reader, and a handler that blocks sends no heartbeats. Knows nothing of
methods; peer.py has those."""

import asyncio
import time
import traceback
import uuid

import msgpack
import zmq
import zmq.asyncio

WINDOW = 100


class LostRemote(Exception):
    pass


class TimeoutExpired(Exception):
    pass


class RemoteError(Exception):
    def __init__(self, name, message, remote_traceback):
        super().__init__(name, message)
        self.name, self.message, self.traceback = name, message, remote_traceback


class Ids:
    """Eight hexadecimal digits that count, then 24 that do not repeat; as bytes, which msgpack writes as bin."""

    def __init__(self):
        self.base = uuid.uuid4().hex[8:]
        self.count = 0

    def next(self):
        self.count = (self.count + 1) & 0xFFFFFFFF
        return ("%08x" % self.count + self.base).encode()


class Event:
    def __init__(self, name, args, header):
        self.name, self.args, self.header = name, args, header
        self.identity = None

    def pack(self):
        return msgpack.Packer(use_bin_type=True).pack((self.header, self.name, self.args))

    @staticmethod
    def unpack(blob):
        unpacker = msgpack.Unpacker(raw=False)
        unpacker.feed(blob)
        value = unpacker.unpack()  # what follows the value is not looked at
        header, name, args = value
        return Event(name, args, header if isinstance(header, dict) else {})


class Rendezvous:
    """A queue without room: put waits until somebody has taken the item."""

    def __init__(self):
        self.items = asyncio.Queue()

    async def put(self, item):
        taken = asyncio.get_running_loop().create_future()
        await self.items.put((item, taken))
        await taken

    async def get(self):
        item, taken = await self.items.get()
        if not taken.done():
            taken.set_result(None)
        return item


class Events:
    """A socket that speaks events. `log` is told of each event and of each drop."""

    def __init__(self, socket, log):
        self.socket, self.log, self.ids = socket, log, Ids()
        self.delimited = socket.socket_type in (zmq.DEALER, zmq.ROUTER)

    def new_event(self, name, args, xheader=None):
        return Event(name, args, {"message_id": self.ids.next(), "v": 3, **(xheader or {})})

    async def emit(self, event):
        payload = event.pack()
        front = [*(event.identity or []), b""] if self.delimited else []
        self.log.event("out", event, payload)
        await self.socket.send_multipart([*front, payload])
        await asyncio.sleep(0)  # a greenlet hands its message to another one, and so lets others run

    async def recv(self):
        parts = await self.socket.recv_multipart()
        identity = parts[:-2] if len(parts) > 2 else parts[:-1] if len(parts) == 2 else None
        self.log.frames("in", parts)
        event = Event.unpack(parts[-1])
        event.identity = identity
        self.log.event("in", event, parts[-1])
        return event


class Multiplexer:
    def __init__(self, events, broadcast):
        self.events, self.log = events, events.log
        self.active = {}
        self.broadcast = asyncio.Queue(1) if broadcast else None
        self.task = asyncio.ensure_future(self.dispatch())

    async def dispatch(self):
        while True:
            try:
                event = await self.events.recv()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self.log.drop("undecodable", repr(error))
                continue
            channel_id = event.header.get("response_to")
            if channel_id is None:
                queue = self.broadcast
            else:
                # A list or a map cannot be a key, and ends the dispatcher in zerorpc-python, too.
                channel = self.active.get(channel_id)
                queue = channel.queue if channel else None
            if queue is None:
                self.log.drop("unroutable", f"{event.name} {event.header!r}")
                continue
            self.log.waiting = True
            await queue.put(event)
            self.log.waiting = False

    def close(self):
        self.task.cancel()


class Channel:
    def __init__(self, multiplexer, from_event=None):
        self.multiplexer = multiplexer
        self.queue = asyncio.Queue(1)
        self.id = self.identity = None
        if from_event is not None:
            self.id = from_event.header["message_id"]
            self.identity = from_event.identity
            multiplexer.active[self.id] = self
            self.queue.put_nowait(from_event)

    def new_event(self, name, args, xheader=None):
        event = self.multiplexer.events.new_event(name, args, xheader)
        if self.id is None:
            self.id = event.header["message_id"]
            self.multiplexer.active[self.id] = self
        else:
            event.header["response_to"] = self.id
        event.identity = self.identity
        return event

    async def emit(self, event):
        await self.multiplexer.events.emit(event)

    def close(self):
        if self.id is not None:
            # With a message_id that is in use twice the first to end takes the entry away.
            self.multiplexer.active.pop(self.id, None)
            self.id = None


class HeartBeat:
    """Beats every `freq` seconds; at each own beat the peer is lost if its last one is older than two intervals."""

    def __init__(self, channel, freq, passive, owner):
        self.channel, self.freq, self.owner = channel, freq, owner
        self.events = Rendezvous()
        self.last = None
        self.lost = False
        self.old = None  # a peer of version 2, whose _zpc_hb is a grant as well
        self.beating = None
        self.reader = asyncio.ensure_future(self.read())
        if not passive:
            self.start()

    def start(self):
        if self.beating is None and self.freq is not None:
            self.beating = asyncio.ensure_future(self.beat())

    def error(self):
        return LostRemote(f"Lost remote after {self.freq * 2}s heartbeat")

    async def beat(self):
        while True:
            await asyncio.sleep(self.freq)
            now = time.time()
            if self.last is None:
                self.last = now
            if now > self.last + self.freq * 2:
                self.lost = True
                self.channel.multiplexer.log.note("lost", self.channel.id)
                self.owner.cancel()
                return
            await self.channel.emit(self.channel.new_event("_zpc_hb", (0,)))

    async def read(self):
        while True:
            event = await self.channel.queue.get()
            if self.old is None:
                self.old = event.header.get("v", 0) < 3
            if event.name == "_zpc_hb":
                self.last = time.time()
                self.start()
                if not self.old:
                    continue
                event.name = "_zpc_more"
            await self.events.put(event)

    def new_event(self, name, args, xheader=None):
        return self.channel.new_event("_zpc_hb" if self.old and name == "_zpc_more" else name, args, xheader)

    async def emit(self, event):
        if self.lost:
            raise self.error()
        await self.channel.emit(event)

    def close(self):
        for task in (self.beating, self.reader):
            if task is not None:
                task.cancel()
        self.channel.close()


class Buffered:
    """Credit: starts with one event each way, grants what is missing to the window before a read, not before the first."""

    def __init__(self, channel, log):
        self.channel, self.log = channel, log
        self.slots = 1
        self.reserved = 1
        self.verbose = False
        self.closed = False
        self.close_if = None
        self.can_send = asyncio.Event()
        self.inbox = asyncio.Queue()
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        while True:
            event = await self.channel.events.get()
            if event.name == "_zpc_more":
                try:
                    self.slots += int(event.args[0])
                except Exception:
                    self.log.drop("malformed grant", repr(event.args))
                if self.slots > 0:
                    self.can_send.set()
            elif self.inbox.qsize() == WINDOW:
                self.log.drop("queue overflow", event.name)
                return
            else:
                self.inbox.put_nowait(event)
                if self.close_if is not None and self.close_if(event):
                    self.close(keep=self.reader)
                    return

    def new_event(self, name, args, xheader=None):
        return self.channel.new_event(name, args, xheader)

    async def emit(self, event):
        if self.slots == 0:
            self.can_send.clear()
            await self.can_send.wait()
        self.slots -= 1
        await self.channel.emit(event)

    async def recv(self, timeout=None):
        if not self.verbose:
            self.verbose = True
        elif not self.closed and self.reserved < WINDOW // 2:
            more = WINDOW - self.reserved
            self.reserved += more
            await self.channel.emit(self.channel.new_event("_zpc_more", (more,)))
        try:
            event = await asyncio.wait_for(self.inbox.get(), timeout)
        except asyncio.TimeoutError:
            raise TimeoutExpired(f"timeout after {timeout}s")
        self.reserved -= 1
        return event

    def close(self, keep=None):
        if self.closed:
            return
        self.closed = True
        if self.reader is not keep:
            self.reader.cancel()
        self.channel.close()


def describe(error):
    """The three arguments of an ERR."""
    return (type(error).__name__, str(error), "".join(traceback.format_exception(error)))
