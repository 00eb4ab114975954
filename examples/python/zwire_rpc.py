"""Remote calls between Python and Node (zwire/rpc), or any other peer of zerorpc 3: pyzmq and msgpack, with asyncio.

One file, to be copied. Python 3.9 or newer; Debian: python3-zmq python3-msgpack; pip: pyzmq msgpack.

A server:                                           A client:

    import zwire_rpc                                    import asyncio, zwire_rpc

    server = zwire_rpc.Server()                         async def main():
                                                            async with zwire_rpc.Client("tcp://127.0.0.1:4242") as client:
    @server.expose                                              print(await client.add(1, 2))
    def add(a, b):                                              async for n in client.count(3):
        return a + b                                                print(n)

    @server.expose                                      asyncio.run(main())
    async def count(n):
        for i in range(n):
            yield i

    server.run("tcp://127.0.0.1:4242")

* `def` runs in a thread, `async def` in the event loop, `@server.expose(inline=True)` runs a short `def` in the loop, too, which
  costs less. Generators of both kinds become streams. What a function raises reaches the caller with name, message
  and traceback. Arguments and results: None, bool, int (64 bits), float, str, bytes, list, tuple (arrives as a list), dict.
* A program that zwire's spawnPython started calls `server.run()` without an endpoint.
* Calls raise RemoteError (the function raised), TimeoutError (no first answer in time, 30 s unless told) or LostRemote
  (the connection broke). A call that no server could take in time is not delivered later.
* To leave a stream early, leave the loop. The rest is not computed: at once where the server is zwire or this file.

How it keeps the peace with every peer (the numbers are zerorpc-python's):
* Each side may send one event, and more when the other has granted it (`_zpc_more` [n], which adds). Only heartbeats and grants
  are free. A reader grants what is missing to 100 when less than 50 are outstanding, never before the first answer has
  come, and never once the end has come: surplus grants stop a zerorpc-python server for good.
* Each heartbeat is answered with one. A server begins none. A client begins one when none came for an interval, and does
  not answer the answer to that.
* A peer is lost when its connection breaks (TCP, or ZMTP heartbeats, which libzmq's thread answers while Python computes),
  not when it is busy.
"""

import asyncio
import collections
import contextvars
import functools
import inspect
import itertools
import logging
import os
import secrets
import signal
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import msgpack
import zmq
from zmq.utils.monitor import parse_monitor_message

try:
    from opentelemetry import context as _otel, propagate as _propagate
except ImportError:
    _otel = _propagate = None

__all__ = ["Client", "LostRemote", "RemoteError", "Server", "headers"]

WINDOW = 100
log = logging.getLogger("zwire_rpc")
_headers = contextvars.ContextVar("zwire_rpc.headers", default={})


def headers():
    """Header of the request that the calling function serves: trace ids and the like."""
    return _headers.get()


# W3C Trace Context and Baggage: what a call made while a request is served hands on.
_TRACE_HEADERS = ("traceparent", "tracestate", "baggage")


def _trace_headers(header):
    return {key: header[key] for key in _TRACE_HEADERS if isinstance(header.get(key), str)}


def _handed_on():
    """The trace that a call from here belongs to: OpenTelemetry's if it is there, or that of the request being served."""
    if _propagate is None:
        return _trace_headers(_headers.get())
    carrier = {}
    _propagate.inject(carrier)
    return carrier


class _Serving:
    """While it lasts, headers() is that of a request, and OpenTelemetry's context is the one that the request brought."""

    def __init__(self, header):
        self.header = header

    def __enter__(self):
        self.token = _headers.set(self.header)
        if _otel is not None:
            self.attached = _otel.attach(_propagate.extract(_trace_headers(self.header)))

    def __exit__(self, *_):
        if _otel is not None:
            _otel.detach(self.attached)
        _headers.reset(self.token)


class RemoteError(Exception):
    """What the other side raised: `name` of its type, `message`, and its `traceback` as text, or None. `code` and `data` are
    those of the error where the other side is zwire or this file, and the error had them."""

    def __init__(self, name, message, remote_traceback=None, code=None, data=None):
        super().__init__(f"{name}: {message}")
        self.name, self.message, self.traceback, self.code, self.data = name, message, remote_traceback, code, data


class LostRemote(Exception):
    """The connection broke while a call was under way, or the client was closed."""


class _Link:
    """A socket on the event loop. Its descriptor tells only of changes, so everything is read after each of them."""

    PER_TURN = 256  # messages read before others have their turn

    def __init__(self, socket, on_message):
        self.socket, self.on_message = socket, on_message
        self.loop = asyncio.get_running_loop()
        self.scheduled = False
        self.closed = False
        self.loop.add_reader(socket.fileno(), self.read)
        self.look()  # what came before is not told

    def look(self):
        if not self.scheduled and not self.closed:
            self.scheduled = True
            self.loop.call_soon(self.read)

    def read(self):
        self.scheduled = False
        for _ in range(self.PER_TURN):
            if self.closed:
                return
            try:
                parts = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                self.on_message(self, parts)
            except Exception:
                log.exception("a message from a peer was dropped")
        self.look()

    def send(self, parts):
        """False if nobody can take it."""
        try:
            self.socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.Again:
            return False
        self.look()  # sending may swallow the descriptor's news of a message
        return True

    def close(self):
        if not self.closed:
            self.closed = True
            self.loop.remove_reader(self.socket.fileno())
            self.socket.close()


def _ids():
    """Message ids as zerorpc-python makes them: a counter and 24 digits that do not repeat, in bytes."""
    base = secrets.token_hex(12)
    return (f"{n & 0xFFFFFFFF:08x}{base}".encode() for n in itertools.count(1))


def _pack(header, name, args):
    return msgpack.packb((header, name, args), use_bin_type=True)


def _unpack(blob):
    """Header, name and arguments, or None for what is no event."""
    try:
        value = msgpack.unpackb(blob, raw=False, strict_map_key=False, unicode_errors="replace")
    except msgpack.ExtraData as error:
        value = error.unpacked
    except Exception as error:
        log.warning("an event that cannot be read was dropped: %r", error)
        return None
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], dict):
        log.warning("a message that is no event was dropped")
        return None
    return value


# ---------------------------------------------------------------- server


class _UnknownMethod(NameError):
    """Nothing of that name is exposed."""


class _Channel:
    """One call that a server answers."""

    def __init__(self, server, link, identity, channel_id, header):
        self.server, self.link, self.identity, self.id, self.header = server, link, identity, channel_id, header
        # zwire and this file announce themselves: to them a call that was given up is told. Others ignore the key.
        self.knows_extensions = "zwire" in header
        self.credit = 1
        self.credited = None
        self.stalled_since = None
        self.task = None
        self.closed = False
        self.heard = time.monotonic()
        self.beaten = None
        self.gap = 0.0

    def emit(self, name, args, extension=None):
        header = {"message_id": next(self.server._ids), "v": 3, "response_to": self.id}
        if self.knows_extensions:
            header["zwire"] = extension or {}
        self.link.send([*self.identity, b"", _pack(header, name, args)])

    def received(self, header, name, args):
        now = self.heard = time.monotonic()
        if name == "_zpc_hb":
            if self.beaten is not None:
                self.gap = max(self.gap, now - self.beaten)
            self.beaten = now
            self.emit("_zpc_hb", (0,))
        elif name == "_zpc_more":
            try:
                self.credit += int(args[0])
            except Exception:
                log.warning("a malformed grant was ignored: %r", args)
            if self.credit > 0 and self.credited is not None and not self.credited.done():
                self.credited.set_result(None)
        elif name == "_zpc_cancel":
            self.abandon()
        elif self.task is None:
            self.header = header
            self.server._start(self, name, args)
        # Any other event is an extension that is not meant for us.

    async def room(self):
        """Waits until an event may be sent."""
        while self.credit <= 0:
            self.credited = asyncio.get_running_loop().create_future()
            self.stalled_since = time.monotonic()
            await self.credited
        self.stalled_since = None

    async def send(self, name, args):
        if self.credit <= 0:
            await self.room()
        self.emit(name, args)
        self.credit -= 1  # not if the value cannot be packed: then the error needs it

    async def fail(self, error):
        if self.credit <= 0:
            await self.room()
        self.credit -= 1
        self.emit_error(error)

    def emit_error(self, error):
        version = self.header.get("v", 1)
        if isinstance(version, int) and version < 2:
            self.emit("ERR", (repr(error),))
            return
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        name, text = type(error).__name__, str(error)
        if isinstance(error, _UnknownMethod):
            name = "NameError"  # as zerorpc calls it
        if isinstance(error, RemoteError):  # raised elsewhere, and handed on as it was
            name, text, trace = error.name, error.message, error.traceback
        extension = {key: getattr(error, key) for key in ("code", "data") if getattr(error, key, None) is not None}
        if isinstance(error, _UnknownMethod):
            extension["kind"] = "unknown-method"  # a handler's own NameError is told from it by this
        try:
            self.emit("ERR", (name, text, trace), extension)
        except Exception:  # data that msgpack cannot write
            self.emit("ERR", (name, text, trace))

    def lost(self, now):
        """Whether the caller has gone: its heartbeats stopped, or it takes nothing and says nothing."""
        silent = now - self.heard
        if self.beaten is not None:
            return silent > max(30, 3 * self.gap)
        return self.stalled_since is not None and silent > self.server.abandon_after

    def abandon(self):
        """The caller wants no more. A thread that computes is not stopped; what it returns is thrown away."""
        self.close()
        if self.task is not None:
            self.task.cancel()

    def close(self):
        self.closed = True
        self.server._channels.pop(self.key, None)

    @property
    def key(self):
        return (*self.identity, type(self.id), self.id)


class Server:
    """Functions for others to call.

    name: what `_zerorpc_name` tells. threads: how many plain functions run at the same time. abandon_after: seconds after
    which a stream is given up whose caller takes nothing, says nothing, and has sent no heartbeat either."""

    def __init__(self, name="zwire_rpc", *, threads=None, abandon_after=300):
        self.name, self.abandon_after = name, abandon_after
        self._threads = ThreadPoolExecutor(threads or min(32, (os.cpu_count() or 1) + 4), "zwire_rpc")
        self._functions, self._inline = {}, set()
        self._channels, self._links, self._tasks = {}, [], set()
        self._ids = _ids()
        self._sweeper = None
        self._builtins = {
            "_zerorpc_ping": lambda: ["pong", self.name],
            "_zerorpc_name": lambda: self.name,
            "_zerorpc_list": lambda: sorted(self._functions),
            "_zerorpc_help": lambda method: inspect.getdoc(self._functions[method]),
            "_zerorpc_args": lambda method: _argspec(self._functions[method]),
            "_zerorpc_inspect": self._inspect,
        }

    def expose(self, function=None, *, name=None, inline=False):
        """Decorator: offers a function under its name. Names that begin with `_` cannot be offered."""
        if function is None:
            return functools.partial(self.expose, name=name, inline=inline)
        name = name or function.__name__
        if name.startswith("_"):
            raise ValueError(f"{name}: names that begin with _ are not offered")
        self._functions[name] = function
        if inline:
            if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
                raise TypeError(f"{name}: inline is for plain functions")
            self._inline.add(name)
        return function

    def expose_object(self, thing):
        """Offers all methods of an object whose names do not begin with `_`."""
        for name in dir(thing):
            if not name.startswith("_") and callable(getattr(thing, name)):
                self.expose(getattr(thing, name), name=name)

    def bind(self, endpoint):
        """Starts to serve, inside a running event loop. Returns the endpoint, with the port where it was `*`."""
        return self._open(endpoint, "bind")

    def connect(self, endpoint):
        """The same with a caller, or a broker, that has bound."""
        return self._open(endpoint, "connect")

    def _open(self, endpoint, verb):
        socket = zmq.Context.instance().socket(zmq.ROUTER)
        socket.linger = 1000
        socket.sndhwm = 0  # answers must not be dropped; streams are bounded by what callers grant
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        try:
            getattr(socket, verb)(endpoint)
        except BaseException:
            socket.close(0)
            raise
        self._links.append(_Link(socket, self._on_message))
        if self._sweeper is None:
            self._sweeper = asyncio.ensure_future(self._sweep())
        return socket.last_endpoint.decode().rstrip("\0")

    def run(self, endpoint=None):
        """Serves until SIGTERM or Ctrl-C. Without an endpoint: the one that zwire's spawnPython has chosen."""
        endpoint = endpoint or os.environ.get("ZWIRE_RPC_ENDPOINT")
        if not endpoint:
            raise ValueError("no endpoint: give one, or start the program with zwire's spawnPython")

        async def serve():
            stop, loop = asyncio.Event(), asyncio.get_running_loop()
            try:
                loop.add_signal_handler(signal.SIGTERM, stop.set)
            except (NotImplementedError, RuntimeError, ValueError):
                pass  # Windows, or not the main thread
            self.bind(endpoint)
            await stop.wait()
            await self.close()

        try:
            asyncio.run(serve())
        except KeyboardInterrupt:
            pass

    async def close(self):
        """Stops everything; calls under way are cancelled and not answered."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for channel in list(self._channels.values()):
            channel.abandon()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in self._links:
            link.close()
        self._threads.shutdown(wait=False)

    async def _sweep(self):
        while True:
            await asyncio.sleep(5)
            now = time.monotonic()
            for channel in [one for one in self._channels.values() if one.lost(now)]:
                log.info("the caller of a call is gone")
                channel.abandon()

    def _on_message(self, link, parts):
        # A peer that sends no delimiter is understood; answers always have one.
        envelope, blob = parts[:-1], parts[-1]
        if len(envelope) > 1 and envelope[-1] == b"":
            envelope.pop()
        event = _unpack(blob)
        if event is None:
            return
        header, name, args = event
        opened = "response_to" not in header
        channel_id = header.get("message_id") if opened else header["response_to"]
        if channel_id is None:
            log.warning("an event without message_id was dropped")
            return
        channel = _Channel(self, link, tuple(envelope), channel_id, header)
        if not opened:
            channel = self._channels.get(channel.key)
            if channel is None:
                log.debug("an event for a call that is over was dropped: %r", name)
                return
        else:
            self._channels[channel.key] = channel
        channel.received(header, name, args)

    def _start(self, channel, name, args):
        """Begins to work on a request."""
        function = None
        if isinstance(name, str):
            function = self._functions.get(name) or self._builtins.get(name)
        if function is not None and isinstance(args, list) and (name in self._inline or name in self._builtins):
            self._run_inline(channel, function, args)
            return
        # Copies the context of this moment, so headers() is that of this request.
        with _Serving(channel.header):
            channel.task = asyncio.ensure_future(self._run(channel, function, name, args))
        self._tasks.add(channel.task)
        channel.task.add_done_callback(self._tasks.discard)

    def _run_inline(self, channel, function, args):
        try:
            with _Serving(channel.header):
                result = function(*args)
            channel.emit("OK", (result,))
        except Exception as error:
            channel.emit_error(error)
        finally:
            channel.close()

    async def _run(self, channel, function, name, args):
        try:
            if function is None:
                raise _UnknownMethod(name if isinstance(name, str) else repr(name))
            if not isinstance(args, list):
                raise TypeError("the arguments are not an array")
            if inspect.isasyncgenfunction(function):
                await self._stream_async(channel, function(*args))
            elif inspect.isgeneratorfunction(function):
                await self._stream(channel, function(*args))
            else:
                await channel.send("OK", (await self._result(function, args),))
        except asyncio.CancelledError:
            pass  # nobody waits for the answer
        except Exception as error:
            try:
                if not channel.closed:
                    await channel.fail(error)
            except asyncio.CancelledError:
                pass
        finally:
            channel.close()

    async def _result(self, function, args):
        if inspect.iscoroutinefunction(function):
            return await function(*args)
        work = functools.partial(contextvars.copy_context().run, function, *args)
        result = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        return await result if inspect.isawaitable(result) else result

    async def _stream_async(self, channel, generator):
        try:
            async for item in generator:
                await channel.send("STREAM", item)
            await channel.send("STREAM_DONE", None)
        finally:
            await generator.aclose()

    async def _stream(self, channel, generator):
        """Items of a plain generator, computed in a thread, as many at a time as the caller has granted."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()

        def compute(credit):
            """How many were sent, and whether that was all. Each goes out when it is there."""
            for sent in range(credit):
                if channel.closed:
                    return sent, True
                try:
                    item = next(generator)
                except StopIteration:
                    return sent, True
                loop.call_soon_threadsafe(deliver, item)
            return credit, False

        broken = []

        def deliver(item):
            if channel.closed or broken:
                return
            try:
                channel.emit("STREAM", item)
                channel.credit -= 1
            except Exception as error:  # a value that msgpack cannot write
                broken.append(error)

        try:
            ended = False
            while not ended:
                if channel.credit <= 0:
                    await channel.room()
                _, ended = await loop.run_in_executor(self._threads, context.run, compute, channel.credit)
                if broken:
                    raise broken[0]
            await channel.send("STREAM_DONE", None)
        finally:
            try:
                generator.close()
            except ValueError:
                pass  # it computes an item right now; the thread ends after that

    def _inspect(self):
        methods = {}
        for name, function in sorted(self._functions.items()):
            args, _, _, defaults = _argspec(function)
            described = [{"name": one} for one in args]
            for one, default in zip(reversed(described), reversed(defaults or ())):
                one["default"] = default
            methods[name] = {"args": described, "doc": inspect.getdoc(function)}
        return {"name": self.name, "methods": methods}


def _argspec(function):
    spec = inspect.getfullargspec(inspect.unwrap(function))
    args = spec.args[1:] if inspect.ismethod(function) else spec.args
    defaults = None if spec.defaults is None else [_plain(one) for one in spec.defaults]
    return [args, spec.varargs, spec.varkw, defaults]


def _plain(value):
    """A default that may be anything, as something that can be sent."""
    return value if isinstance(value, (type(None), bool, int, float, str, bytes)) else repr(value)


# ---------------------------------------------------------------- client


class _Open:
    """One call that a client has made."""

    def __init__(self, client, message_id, method, args, timeout):
        self.client, self.id, self.method = client, message_id, method
        extension = {} if timeout is None else {"timeout": int(timeout * 1000)}
        header = {**_handed_on(), "message_id": message_id, "v": 3, "zwire": extension}
        self.blob = _pack(header, method, args)
        self.link = None
        self.first = client._loop.create_future()
        # Somebody who never awaits the call need not be told how it ended.
        self.first.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.items = collections.deque()
        self.more = None
        self.outstanding = 1
        self.streaming = self.asked = self.over = False
        self.error = None
        self.beaten = 0.0
        self.begun = False
        self.timer = None if timeout is None else client._loop.call_later(timeout, self.expire, timeout)

    def emit(self, name, args):
        if self.link is not None:
            header = {"message_id": next(self.client._ids), "v": 3, "response_to": self.id}
            self.link.send([b"", _pack(header, name, args)])

    def expire(self, timeout):
        self.cancel(TimeoutError(f"{self.method}: no answer within {timeout} s"))

    def received(self, header, name, args):
        if name == "_zpc_hb":
            self.beaten = time.monotonic()
            if self.begun:  # the answer to one of ours; to answer that as well would never end
                self.begun = False
            else:
                self.emit("_zpc_hb", (0,))
        elif name == "STREAM":
            self.begin_stream()
            if len(self.items) >= WINDOW:
                self.cancel(LostRemote(f"{self.method}: the server sent more than it was granted"))
                return
            self.items.append(args)
            self.wake()
        elif name == "STREAM_DONE":
            self.begin_stream()
            self.finish(None)
        elif name == "OK":
            if isinstance(args, list) and args:
                self.begin(args[0])
                self.finish(None)
            else:
                self.finish(RemoteError("ProtocolError", f"OK carries {args!r}"))
        elif name == "ERR":
            self.finish(_remote_error(args, header.get("zwire")))
        # Anything else is an extension, and not meant for us.

    def begin(self, value):
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if not self.first.done():
            self.first.set_result(value)

    def begin_stream(self):
        self.streaming = True
        self.begin(None)

    def wake(self):
        if self.more is not None and not self.more.done():
            self.more.set_result(None)

    def finish(self, error):
        """The end, or a failure: nothing is sent from here on."""
        if self.over:
            return
        self.over = True
        self.error = error
        self.client._forget(self)
        if self.timer is not None:
            self.timer.cancel()
        if error is not None and not self.first.done():
            self.first.set_exception(error)
        self.wake()

    def cancel(self, error):
        """Gives the call up; a server that understands is told."""
        if not self.over:
            if self.link is not None and self.link.knows_extensions:
                self.emit("_zpc_cancel", ())
            self.finish(error)

    async def next(self):
        """The next item, once the stream has begun. Before each but the first, what is missing to the window is granted."""
        if self.asked and not self.over and self.outstanding < WINDOW // 2:
            self.emit("_zpc_more", (WINDOW - self.outstanding,))
            self.outstanding = WINDOW
        self.asked = True
        while not self.items:
            if self.over:
                if self.error is not None:
                    raise self.error
                raise StopAsyncIteration
            self.more = self.client._loop.create_future()
            await self.more
        self.outstanding -= 1
        return self.items.popleft()


def _remote_error(args, extension):
    if isinstance(args, list) and 1 <= len(args) <= 3:
        if len(args) == 1:
            return RemoteError("RemoteError", str(args[0]))
        extension = extension if isinstance(extension, dict) else {}
        trace = args[2] if len(args) > 2 else None
        return RemoteError(str(args[0]), str(args[1]), trace, extension.get("code"), extension.get("data"))
    return RemoteError("ProtocolError", f"ERR carries {args!r}")


class Call:
    """A call under way: await its value, or iterate over its stream."""

    def __init__(self, opened):
        self._open = opened
        self._iterated = False

    def __await__(self):
        try:
            yield from self._open.first.__await__()
        except asyncio.CancelledError:
            self._open.cancel(LostRemote("given up"))
            raise
        if self._open.streaming:
            return self
        return self._open.first.result()

    def __aiter__(self):
        self._iterated = True
        return self

    async def __anext__(self):
        self._iterated = True
        opened = self._open
        if not opened.streaming:
            try:
                await opened.first
            except asyncio.CancelledError:
                opened.cancel(LostRemote("given up"))
                raise
            if not opened.streaming:
                raise TypeError(f"{opened.method} returned a value, not a stream: await it")
        return await opened.next()

    async def aclose(self):
        """Ends a stream early; leaving the loop does the same."""
        self._open.cancel(LostRemote("the stream was closed"))

    def __del__(self):
        # The iterator of a loop that was left: nobody can ask for the rest.
        if self._iterated and not self._open.over:
            try:
                self._open.client._loop.call_soon_threadsafe(self._open.cancel, LostRemote("the stream was left"))
            except RuntimeError:
                pass  # the loop is closed


class Client:
    """Calls functions of a server, or of several: each call goes to the one with the fewest under way.

    timeout: seconds until the first answer must be there, None for ever. heartbeat: seconds after which one is begun."""

    def __init__(self, *endpoints, timeout=30, heartbeat=5):
        if not endpoints:
            raise ValueError("no endpoint")
        self._loop = asyncio.get_running_loop()
        self._timeout, self._heartbeat = timeout, heartbeat
        self._ids = _ids()
        self._calls = {}
        self._waiting = collections.OrderedDict()
        self._closed = False
        self._links = [self._connect(endpoint) for endpoint in endpoints]
        self._beater = asyncio.ensure_future(self._beat())

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return functools.partial(self.call, method)

    def call(self, method, *args, timeout=...):
        """Calls by name, for names that are not a method of this class."""
        if self._closed:
            raise LostRemote("the client is closed")
        opened = _Open(self, next(self._ids), method, args, self._timeout if timeout is ... else timeout)
        if not self._send(opened):
            self._waiting[opened.id] = opened
        return Call(opened)

    def _send(self, opened):
        """Gives a call to a server. What waits stays ours: a call that timed out must not be delivered later."""
        for link in sorted((one for one in self._links if one.ready), key=lambda one: len(one.calls)):
            if link.send([b"", opened.blob]):
                opened.link = link
                opened.beaten = time.monotonic()
                opened.blob = None
                link.calls.add(opened)
                self._calls[opened.id] = opened
                return True
        return False

    def _forget(self, opened):
        self._waiting.pop(opened.id, None)
        self._calls.pop(opened.id, None)
        if opened.link is not None:
            opened.link.calls.discard(opened)

    def _connect(self, endpoint):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.linger = 1000
        socket.sndhwm = 0
        socket.immediate = 1
        socket.setsockopt(zmq.RECONNECT_IVL, 50)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        # libzmq's own thread asks and answers these, also while Python is busy.
        socket.setsockopt(zmq.HEARTBEAT_IVL, 5000)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15000)
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        try:
            socket.connect(endpoint)
        except BaseException:
            socket.disable_monitor()
            socket.close(0)
            raise
        link = _Link(socket, self._on_message)
        link.ready, link.calls, link.knows_extensions = False, set(), False
        link.monitor = _Link(monitor, lambda _, parts: self._on_change(link, parse_monitor_message(parts)["event"]))
        return link

    def _on_change(self, link, event):
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            link.ready = True
            for opened in list(self._waiting.values()):
                if not self._send(opened):
                    break
                self._waiting.pop(opened.id)
            return
        link.ready = link.knows_extensions = False
        link.read()  # answers that came before the end
        for opened in list(link.calls):
            opened.finish(LostRemote(f"{opened.method}: the connection broke"))

    def _on_message(self, link, parts):
        event = _unpack(parts[-1])
        if event is None:
            return
        header, name, args = event
        if "zwire" in header:
            link.knows_extensions = True
        channel_id = header.get("response_to")
        opened = self._calls.get(channel_id) if isinstance(channel_id, bytes) else None
        if opened is None:
            log.debug("an event for a call that is over was dropped: %r", name)
        else:
            opened.received(header, name, args)

    async def _beat(self):
        while self._heartbeat is not None:
            await asyncio.sleep(self._heartbeat / 2)
            due = time.monotonic() - self._heartbeat
            for opened in list(self._calls.values()):
                if opened.beaten <= due:
                    opened.beaten = time.monotonic()
                    opened.begun = True
                    opened.emit("_zpc_hb", (0,))

    async def close(self):
        """Calls under way raise LostRemote."""
        self._closed = True
        self._beater.cancel()
        for opened in [*self._calls.values(), *self._waiting.values()]:
            opened.cancel(LostRemote("the client was closed"))
        for link in self._links:
            link.socket.disable_monitor()
            link.monitor.close()
            link.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()
