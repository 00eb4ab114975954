"""The Python server of a trial: echoes, and tells its wall and CPU seconds since the first call after the warm-up."""

import sys
import time

import zwire_rpc

server = zwire_rpc.Server("echo")
left = int(sys.argv[1])
began = None


@server.expose(inline=True)
def echo(value):
    global left, began
    if left == 0:
        began = time.perf_counter(), time.process_time()
    left -= 1
    return value


@server.expose(inline=True)
def figures():
    return time.perf_counter() - began[0], time.process_time() - began[1]


server.run()
