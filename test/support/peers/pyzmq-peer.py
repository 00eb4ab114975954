"""A real libzmq peer in a process of its own, through pyzmq. The protocol is that of zeromq-peer.mjs. Each job runs in
a thread with a blocking socket of its own, so a bound socket is always pumped."""

import json
import os
import sys
import threading
import time

import zmq

from messages import SYNC, MessageCheck, MessageSource

context = zmq.Context()
going = {}
lock = threading.Lock()


def say(**line):
    with lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def send(socket, job):
    source = MessageSource(job["seed"], job["count"])
    if job.get("sync"):
        while not going[job["id"]].wait(0.005):
            socket.send(SYNC)
    for _ in range(job["count"]):
        socket.send_multipart(source.next())
    return 0, None


def receive(socket, job):
    check = MessageCheck(job["seed"], job["count"])
    while check.received < check.count:
        parts = socket.recv_multipart()
        if check.received == 0 and parts == [SYNC]:
            continue
        check.take(parts)
    return check.received, check.mismatch


def request(socket, job):
    source = MessageSource(job["seed"], job["count"])
    check = MessageCheck(job["seed"] + 1, job["count"])
    while check.received < check.count:
        socket.send_multipart(source.next())
        check.take(socket.recv_multipart())
    return check.received, check.mismatch


def reply(socket, job):
    check = MessageCheck(job["seed"], job["count"])
    source = MessageSource(job["seed"] + 1, job["count"])
    while check.received < check.count:
        check.take(socket.recv_multipart())
        socket.send_multipart(source.next())
    return check.received, check.mismatch


ROLES = {"send": send, "receive": receive, "request": request, "reply": reply}
OPTIONS = {
    "sendHighWaterMark": zmq.SNDHWM,
    "receiveHighWaterMark": zmq.RCVHWM,
}


def run(job):
    socket = context.socket(getattr(zmq, job["type"]))
    socket.setsockopt(zmq.LINGER, 20000)
    socket.setsockopt(zmq.RCVTIMEO, 30000)
    socket.setsockopt(zmq.SNDTIMEO, 30000)
    for name, value in job.get("options", {}).items():
        socket.setsockopt(OPTIONS[name], value)
    try:
        if job["type"] == "SUB":
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        if job["verb"] == "bind":
            socket.bind(job["endpoint"])
        else:
            socket.connect(job["endpoint"])
        endpoint = socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        say(id=job["id"], event="ready", endpoint=endpoint)
        started = time.monotonic()
        received, mismatch = ROLES[job["role"]](socket, job)
        milliseconds = round((time.monotonic() - started) * 1000)
        say(id=job["id"], event="done", received=received, mismatch=mismatch, milliseconds=milliseconds)
    except Exception as error:  # told to the test, which fails with it
        say(id=job["id"], event="error", message=repr(error))
    finally:
        socket.close()


say(id=0, event="ready", endpoint="libzmq " + zmq.zmq_version())
for text in sys.stdin:
    request_line = json.loads(text)
    if request_line["op"] == "go":
        going[request_line["id"]].set()
    else:
        going[request_line["id"]] = threading.Event()
        threading.Thread(target=run, args=(request_line,), daemon=True).start()
os._exit(0)
