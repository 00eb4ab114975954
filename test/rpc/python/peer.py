"""A zerorpc v3 peer on pyzmq and msgpack for the tests: what zerorpc-python does on the wire, without gevent.

Reads commands from stdin, one JSON object per line with `id` and `op`, and answers each with one line
{"id", "ok"} or {"id", "error": {"type", "name", "message", "traceback"}}. Operations are the methods `op_…` below. A value
goes out as JSON where that can carry it, and always as `repr`, so that types can be told apart; arguments come as
JSON (`args`) or as a Python expression (`python`). The endpoints, methods and raw sockets live until the process ends."""

import asyncio
import collections
import inspect
import json
import os
import resource
import sys
import time

import zmq
import zmq.asyncio

from channels import (Buffered, Channel, Events, HeartBeat, LostRemote, Multiplexer, RemoteError, describe)

context = zmq.asyncio.Context()


class Log:
    """What a socket saw: events as [direction, name, channel, args of grants], drops, and the latest frames in hex."""

    def __init__(self):
        self.events, self.drops, self.notes = [], [], []
        self.latest = collections.deque(maxlen=400)
        self.waiting = False
        self.record = True

    def event(self, direction, event, payload):
        if not self.record:
            return
        channel = event.header.get("response_to", event.header.get("message_id"))
        channel = channel.decode("latin1") if isinstance(channel, bytes) else channel
        self.events.append([direction, event.name, channel, event.args if event.name == "_zpc_more" else None])
        if direction == "out":
            self.latest.append(["out", [payload.hex()]])

    def frames(self, direction, parts):
        if self.record:
            self.latest.append([direction, [part.hex() for part in parts]])

    def drop(self, kind, text):
        self.drops.append([kind, text])

    def note(self, kind, text):
        self.notes.append([kind, str(text)])


class Methods:
    """What the server offers. Plain functions run in the loop and block it, as a greenlet that does not yield would."""

    def add(self, *numbers):
        """Adds numbers."""
        return sum(numbers)

    def echo(self, value, *more):
        """Gives back what it got."""
        return value

    def kind(self, value):
        """How Python sees a value."""
        return repr(value)

    def evaluate(self, expression):
        """A value of any type, written in Python."""
        return eval(expression)

    def optional(self, needed, extra=7, text="x"):
        """Takes defaults."""
        return [needed, extra, text]

    def fail(self, message):
        raise ValueError(message)

    def block(self, seconds):
        """Lets nothing else run, so sends no heartbeats."""
        time.sleep(seconds)
        return "unblocked"

    async def nap(self, seconds):
        """Takes its time and lets others run."""
        await asyncio.sleep(seconds)
        return "rested"

    def nothing(self):
        pass

    async def count(self, n):
        """A stream of the numbers below n."""
        for i in range(n):
            yield i

    async def values(self, expression):
        """A stream of the values of a list written in Python."""
        for value in eval(expression):
            yield value

    async def fail_after(self, n):
        for i in range(n):
            yield i
        raise ValueError("after items")

    async def blobs(self, n, size):
        for _ in range(n):
            yield b"\x5a" * size

    def pid(self):
        return os.getpid()

    def _hidden(self):
        return "must not be reached"


class Server:
    def __init__(self, socket, name, heartbeat, v1=False):
        self.log, self.name, self.freq = Log(), name, heartbeat
        self.events = Events(socket, self.log)
        self.multiplexer = Multiplexer(self.events, broadcast=True)
        methods = Methods()
        self.methods = {k: getattr(methods, k) for k in dir(methods) if not k.startswith("_")}
        self.public = sorted(self.methods)
        self.methods.update(
            _zerorpc_list=lambda: self.public,
            _zerorpc_name=lambda: self.name,
            _zerorpc_ping=lambda: ["pong", self.name],
            _zerorpc_help=lambda m: inspect.getdoc(self.methods[m]),
            _zerorpc_args=lambda m: self.arguments(m),
            _zerorpc_inspect=self.inspect,
        )
        self.served = 0
        self.tasks = set()
        self.acceptor = asyncio.ensure_future(self.accept())

    def arguments(self, method):
        spec = inspect.getfullargspec(self.methods[method])
        return [spec.args, spec.varargs, spec.varkw, spec.defaults]

    def inspect(self):
        methods = {}
        for name in self.public:
            args, _, _, defaults = self.arguments(name)
            described = [{"name": arg} for arg in args]
            for arg, default in zip(reversed(described), reversed(defaults or ())):
                arg["default"] = default
            methods[name] = {"args": described, "doc": inspect.getdoc(self.methods[name])}
        return {"name": self.name, "methods": methods}

    async def accept(self):
        while True:
            event = await self.multiplexer.broadcast.get()
            task = asyncio.ensure_future(self.serve(event))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def serve(self, initial):
        try:
            await self.serve_channel(initial)
        except Exception as error:  # the greenlet dies, and nobody is told
            self.log.drop("task", repr(error))

    async def serve_channel(self, initial):
        v1 = initial.header.get("v", 1) < 2
        channel = Channel(self.multiplexer, initial)
        beat = HeartBeat(channel, self.freq, v1, asyncio.current_task())
        buffered = Buffered(beat, self.log)
        event = await buffered.recv()
        try:
            method = self.methods.get(event.name)
            if method is None:
                raise NameError(event.name)
            self.served += 1
            await self.run(method, event, buffered)
        except asyncio.CancelledError:
            if not beat.lost:
                raise
        except LostRemote:
            pass
        except Exception as error:
            await buffered.emit(buffered.new_event("ERR", (repr(error),) if v1 else describe(error), self.extras))
        finally:
            buffered.close()

    extras = {"trace": "header of an ERR"}

    async def run(self, method, event, buffered):
        if inspect.isasyncgenfunction(method):
            async for item in method(*event.args):
                await buffered.emit(buffered.new_event("STREAM", item))
            await buffered.emit(buffered.new_event("STREAM_DONE", None))
            return
        result = method(*event.args)
        if inspect.isawaitable(result):
            result = await result
        await buffered.emit(buffered.new_event("OK", (result,)))


class Client:
    def __init__(self, socket, timeout, heartbeat, passive):
        self.log = Log()
        self.events = Events(socket, self.log)
        self.multiplexer = Multiplexer(self.events, broadcast=False)
        self.timeout, self.freq, self.passive = timeout, heartbeat, passive

    async def open(self, method, args, timeout=None, header=None):
        """Sends a request and waits for the first answer. Returns the channel and that answer."""
        channel = Channel(self.multiplexer)
        beat = HeartBeat(channel, self.freq, self.passive, asyncio.current_task())
        buffered = Buffered(beat, self.log)
        try:
            await buffered.emit(buffered.new_event(method, args, header))
            return buffered, await buffered.recv(timeout or self.timeout)
        except asyncio.CancelledError:
            buffered.close()
            raise beat.error() if beat.lost else None
        except BaseException:
            buffered.close()
            raise

    async def items(self, buffered, event):
        """The items of a stream, as the caller asks for them."""
        buffered.close_if = lambda event: event.name == "STREAM_DONE"
        try:
            while event.name == "STREAM":
                yield event.args
                event = await buffered.recv()
            if event.name == "ERR":
                raise remote(event)
        except asyncio.CancelledError:
            if not buffered.channel.lost:
                raise
            raise buffered.channel.error()
        finally:
            buffered.close()

    async def call(self, method, args, timeout=None, header=None):
        buffered, event = await self.open(method, args, timeout, header)
        if event.name in ("STREAM", "STREAM_DONE"):
            return [item async for item in self.items(buffered, event)]
        buffered.close()
        if event.name == "OK":
            return event.args[0]
        if event.name == "ERR":
            raise remote(event)
        raise RuntimeError(f"Unable to find a pattern for: {event.name}")


def remote(event):
    if event.header.get("v", 1) >= 2:
        name, message, trace = event.args
        return RemoteError(name, message, trace)
    (message,) = event.args
    return RemoteError("RemoteError", message, None)


def attach(socket, command):
    """Binds or connects, as the command says. Returns the endpoint."""
    socket.linger = 0
    if command.get("identity"):
        socket.setsockopt(zmq.IDENTITY, command["identity"].encode())
    if command.get("bind"):
        socket.bind(command["bind"])
        return socket.last_endpoint.decode()
    socket.connect(command["connect"])
    return command["connect"]


def shown(value):
    """A value for JSON; what it cannot carry is told by its repr alone."""
    try:
        return {"value": json.loads(json.dumps(value)), "repr": repr(value)}
    except (TypeError, ValueError):
        return {"repr": repr(value)}


class Peer:
    def __init__(self):
        self.things = {}

    def arguments(self, command):
        return tuple(eval(command["python"]) if "python" in command else command.get("args", []))

    async def op_serve(self, command):
        socket = context.socket(zmq.ROUTER)
        endpoint = attach(socket, command)
        server = Server(socket, command.get("name", "peer"), command.get("heartbeat", 5))
        self.things[command["id"]] = server
        return {"endpoint": endpoint, "pid": os.getpid()}

    async def op_client(self, command):
        socket = context.socket(zmq.DEALER)
        endpoint = attach(socket, command)
        self.things[command["id"]] = Client(
            socket, command.get("timeout", 30), command.get("heartbeat", 5), command.get("passive", False))
        return {"endpoint": endpoint}

    async def op_call(self, command):
        client = self.things[command["of"]]
        return shown(await client.call(
            command["method"], self.arguments(command), command.get("timeout"), command.get("header")))

    async def op_stream(self, command):
        """Reads `take` items, or all, `times` times in a row; pauses `pause` seconds before each item after the first."""
        client, take, pause = self.things[command["of"]], command.get("take"), command.get("pause", 0)
        counts, items = [], []
        for _ in range(command.get("times", 1)):
            buffered, event = await client.open(command["method"], self.arguments(command))
            stream, items = client.items(buffered, event), []
            if event.name in ("OK", "ERR"):
                buffered.close()
                raise remote(event) if event.name == "ERR" else RuntimeError("no stream")
            async for item in stream:
                items.append(item)
                if len(items) == take:
                    break
                if pause:
                    await asyncio.sleep(pause)
            await stream.aclose()
            counts.append(len(items))
        return {"counts": counts, **shown(items[:1000])}

    async def op_log(self, command):
        """What a server or client saw so far; `clear` forgets it, `record` switches the recording."""
        thing = self.things[command["of"]]
        log = thing.log
        told = {
            "events": log.events[:], "drops": log.drops[:], "notes": log.notes[:], "frames": list(log.latest),
            "channels": len(thing.multiplexer.active), "waiting": log.waiting, "served": getattr(thing, "served", 0),
        }
        if command.get("clear"):
            log.events.clear(), log.drops.clear(), log.notes.clear(), log.latest.clear()
        log.record = command.get("record", log.record)
        return told

    async def op_raw(self, command):
        """A bare socket of any type; `send` and `recv` move frames in hex."""
        socket = context.socket(getattr(zmq, command["type"]))
        if command["type"] == "SUB":
            socket.subscribe(b"")
        endpoint = attach(socket, command)
        self.things[command["id"]] = socket
        return {"endpoint": endpoint}

    async def op_send(self, command):
        await self.things[command["of"]].send_multipart([bytes.fromhex(part) for part in command["frames"]])

    async def op_recv(self, command):
        """The next message in hex, or null if none comes within `within` seconds."""
        socket = self.things[command["of"]]
        if not await socket.poll(int(command.get("within", 5) * 1000)):
            return None
        return [part.hex() for part in await socket.recv_multipart()]

    async def op_proxy(self, command):
        """Forwards between a bound ROUTER and a DEALER that connects: one hop of an envelope."""
        front, back = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
        front.linger = back.linger = 0
        front.bind("tcp://127.0.0.1:*")
        back.connect(command["connect"])

        async def forward(source, target):
            while True:
                await target.send_multipart(await source.recv_multipart())

        tasks = [asyncio.ensure_future(forward(front, back)), asyncio.ensure_future(forward(back, front))]
        self.things[command["id"]] = tasks
        return {"endpoint": front.last_endpoint.decode()}

    async def op_emit(self, command):
        """One event without a channel on a PUSH or PUB socket, as Pusher and Publisher send it."""
        socket = self.things[command["of"]]
        await Events(socket, Log()).emit(Events(socket, Log()).new_event(command["name"], self.arguments(command)))

    async def op_event(self, command):
        """The next event on a PULL or SUB socket, as Puller and Subscriber read it: from the last frame."""
        socket = self.things[command["of"]]
        if not await socket.poll(5000):
            return None
        event = await Events(socket, Log()).recv()
        return {"name": event.name, **shown(event.args)}

    async def op_usage(self, command):
        """CPU seconds and peak memory (KiB) of this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with open("/proc/self/statm") as statm:
            resident = int(statm.read().split()[1]) * resource.getpagesize() // 1024
        return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss, "resident": resident}

    async def run(self, line):
        command = json.loads(line)
        answer = {"id": command["id"]}
        try:
            answer["ok"] = await getattr(self, "op_" + command["op"])(command)
        except Exception as error:
            answer["error"] = {
                "type": type(error).__name__, "name": getattr(error, "name", None),
                "message": getattr(error, "message", str(error)), "traceback": getattr(error, "traceback", None),
            }
        print(json.dumps(answer), flush=True)


async def main():
    loop, peer, tasks = asyncio.get_running_loop(), Peer(), set()
    ended, pending = loop.create_future(), b""

    def readable():
        nonlocal pending
        chunk = os.read(0, 65536)
        if not chunk:
            loop.remove_reader(0)
            ended.set_result(None)
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            task = loop.create_task(peer.run(line))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    loop.add_reader(0, readable)
    print(json.dumps({"id": 0, "ok": {"python": sys.version.split()[0], "zmq": zmq.zmq_version()}}), flush=True)
    await ended


asyncio.run(main())
os._exit(0)
