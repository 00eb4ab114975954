"""A worker for the tests of spawnPython, on zwire_rpc. Its arguments: what to do wrong while it starts."""

import os
import signal
import subprocess
import sys
import time

import zwire_rpc

fault = sys.argv[1] if len(sys.argv) > 1 else ""
if fault == "raise":
    raise RuntimeError("this worker does not start")
if fault == "silent":
    print("waiting for nothing", file=sys.stderr, flush=True)
    time.sleep(600)
if fault == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if fault == "once" and os.path.exists(sys.argv[2]):
    sys.exit(7)
if fault == "once":
    open(sys.argv[2], "w").close()

server = zwire_rpc.Server("worker")


@server.expose
def add(a, b=0):
    """Adds two numbers."""
    return a + b


@server.expose
def pid():
    return os.getpid()


@server.expose
def where():
    return {"argv": sys.argv, "cwd": os.getcwd(), "flavour": os.environ.get("FLAVOUR"), "stdin": sys.stdin.read(),
            "endpoint": os.environ["ZWIRE_RPC_ENDPOINT"], "main": __name__}


@server.expose(inline=True)
def block(seconds):
    time.sleep(seconds)
    return "unblocked"


@server.expose
def child():
    """A process of its own, as a pool of processes would have."""
    return subprocess.Popen(["sleep", "600"]).pid


@server.expose(inline=True)
def die(code):
    print("last words", file=sys.stderr, flush=True)
    os._exit(code)


@server.expose
def fail(message):
    raise ValueError(message)


@server.expose
def blob(size):
    return b"\x00\xff" * (size // 2)


@server.expose
def large():
    return {"big": 2**63, "bytes": b"\x01", "list": [1.5, None, "ä"]}


@server.expose
def count(n):
    for i in range(n):
        yield i


@server.expose
async def acount(n):
    for i in range(n):
        yield {"i": i}


@server.expose
def slow(n):
    for i in range(n):
        yield i
        time.sleep(0.02)


@server.expose
async def nap(seconds):
    import asyncio
    await asyncio.sleep(seconds)
    return "rested"


server.run(sys.argv[1] if fault.startswith(("tcp:", "ipc:")) else None)
