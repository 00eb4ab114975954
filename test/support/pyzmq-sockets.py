"""Sockets of pyzmq for a test: takes a JSON object a line, carries it out, answers with one. Parts are hexadecimal."""
import json
import sys

import zmq

PATIENCE_MS = 20000

context = zmq.Context()
sockets = {}


def opened(name, type, options, bind=None, connect=None, curve=None, plain=None):
    socket = context.socket(getattr(zmq, type))
    socket.linger = PATIENCE_MS
    socket.rcvtimeo = PATIENCE_MS
    socket.sndtimeo = PATIENCE_MS
    for option, value in options.items():
        socket.setsockopt(getattr(zmq, option), value.encode() if isinstance(value, str) else value)
    for option, value in (curve or {}).items():
        setattr(socket, "curve_" + option, value if isinstance(value, int) else value.encode())
    for option, value in (plain or {}).items():
        setattr(socket, "plain_" + option, value if isinstance(value, int) else value.encode())
    sockets[name] = socket
    if connect is not None:
        socket.connect(connect)
        return {"endpoint": connect}
    socket.bind(bind)
    return {"endpoint": socket.last_endpoint.rstrip(b"\0").decode()}


def answered(call):
    name = call["name"]
    if call["do"] == "open":
        return opened(name, call["type"], call.get("options", {}), call.get("bind"), call.get("connect"),
                      call.get("curve"), call.get("plain"))
    socket = sockets[name]
    if call["do"] == "send":
        for message in call["messages"]:
            socket.send_multipart([bytes.fromhex(part) for part in message])
        return {}
    if call["do"] == "receive":
        return {"messages": [[part.hex() for part in socket.recv_multipart()] for _ in range(call["count"])]}
    if call["do"] == "close":
        sockets.pop(name).close()
        return {}
    raise ValueError(call["do"])


for line in sys.stdin:
    try:
        answer = answered(json.loads(line))
    except Exception as error:  # the test gets it
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
