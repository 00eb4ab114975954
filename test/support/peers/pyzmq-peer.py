"""A real libzmq peer in a process of its own, through pyzmq. The protocol is that of zeromq-peer.mjs. Each job runs in
a thread with a blocking socket of its own, so a bound socket is always pumped."""

import json
import os
import sys
import threading
import time

import zmq
import zmq.utils.z85

from messages import SYNC, MessageCheck, MessageSource

context = zmq.Context()
going = {}
lock = threading.Lock()


def say(**line):
    with lock:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


WINDOW = 200  # as in ../roles.mjs


def source(job, seed):
    return MessageSource(seed, job["count"], job.get("big", True))


def check(job, seed):
    return MessageCheck(seed, job["count"], job.get("big", True))


def send(socket, job):
    messages = source(job, job["seed"])
    if job.get("sync"):
        while not going[job["id"]].wait(0.005):
            socket.send(SYNC)
    for _ in range(job["count"]):
        socket.send_multipart(messages.next())
    return 0, None


def receive(socket, job):
    messages = check(job, job.get("expected", job["seed"]))
    heard = False
    while messages.received < messages.count:
        parts = socket.recv_multipart()
        if messages.received == 0 and parts == [SYNC]:
            if not heard:
                say(id=job["id"], event="heard")
            heard = True
            continue
        messages.take(parts)
    return messages.received, messages.mismatch


def exchange(socket, job):
    """Sends and receives at the same time; with `waits`, receives first."""
    envelope = [frame.encode("latin1") for frame in job.get("envelope", [])]
    messages = source(job, job["seed"])
    answers = check(job, job["expected"])
    sent = 0
    while sent < job["count"] or answers.received < answers.count:
        began = not job.get("waits") or answers.received > 0
        sending = began and sent < job["count"] and sent - answers.received < WINDOW
        events = socket.poll(30000, zmq.POLLIN | (zmq.POLLOUT if sending else 0))
        if not events:
            raise TimeoutError("nothing in or out for 30 s")
        if events & zmq.POLLIN:
            parts = socket.recv_multipart()
            if parts[: len(envelope)] != envelope:
                raise ValueError(f"envelope {parts[:len(envelope)]}")
            answers.take(parts[len(envelope) :])
        if events & zmq.POLLOUT:
            socket.send_multipart(envelope + messages.next())
            sent += 1
    return answers.received, answers.mismatch


def publish(socket, job):
    subscription = socket.recv()
    if subscription != b"\x01":
        raise ValueError(f"subscription {subscription!r}")
    return send(socket, job)


def subscribe(socket, job):
    socket.send(b"\x01")
    return receive(socket, job)


def request(socket, job):
    requests = source(job, job["seed"])
    replies = check(job, job["seed"] + 1)
    while replies.received < replies.count:
        socket.send_multipart(requests.next())
        replies.take(socket.recv_multipart())
    return replies.received, replies.mismatch


def reply(socket, job):
    requests = check(job, job["seed"])
    replies = source(job, job["seed"] + 1)
    while requests.received < requests.count:
        requests.take(socket.recv_multipart())
        socket.send_multipart(replies.next())
    return requests.received, requests.mismatch


ROLES = {
    "send": send,
    "receive": receive,
    "request": request,
    "reply": reply,
    "exchange": exchange,
    "publish": publish,
    "subscribe": subscribe,
}
OPTIONS = {
    "linger": zmq.LINGER,
    "sendHighWaterMark": zmq.SNDHWM,
    "receiveHighWaterMark": zmq.RCVHWM,
    "routingId": zmq.IDENTITY,
    "heartbeatInterval": zmq.HEARTBEAT_IVL,
    "heartbeatTimeout": zmq.HEARTBEAT_TIMEOUT,
    "handshakeInterval": zmq.HANDSHAKE_IVL,
    "plainServer": zmq.PLAIN_SERVER,
    "plainUsername": zmq.PLAIN_USERNAME,
    "plainPassword": zmq.PLAIN_PASSWORD,
    "curveServer": zmq.CURVE_SERVER,
    "curveServerKey": zmq.CURVE_SERVERKEY,
    "curvePublicKey": zmq.CURVE_PUBLICKEY,
    "curveSecretKey": zmq.CURVE_SECRETKEY,
    "zapDomain": zmq.ZAP_DOMAIN,
}
zap_rules = None


def serve_zap(handler):
    """RFC 27: status 200 or 400 by the rules."""
    while True:
        _, version, request, _, _, _, mechanism, *credentials = [b""] + handler.recv_multipart()
        users, keys = zap_rules.get("users", {}), zap_rules.get("keys")
        accepted = True
        if mechanism == b"PLAIN":
            accepted = users.get(credentials[0].decode()) == credentials[1].decode()
        if mechanism == b"CURVE" and keys is not None:
            accepted = zmq.utils.z85.encode(credentials[0]).decode() in keys
        answer = [b"200", b"OK", b"user"] if accepted else [b"400", b"no", b""]
        handler.send_multipart([version, request, *answer, b""])


def zap(job):
    global zap_rules
    known = zap_rules is not None
    zap_rules = job
    if not known:
        handler = context.socket(zmq.REP)
        handler.bind("inproc://zeromq.zap.01")
        threading.Thread(target=serve_zap, args=(handler,), daemon=True).start()
    say(id=job["id"], event="ready", endpoint="")


def run(job):
    socket = context.socket(getattr(zmq, job["type"]))
    socket.setsockopt(zmq.LINGER, 20000)
    socket.setsockopt(zmq.RCVTIMEO, 30000)
    socket.setsockopt(zmq.SNDTIMEO, 30000)
    for name, value in job.get("options", {}).items():
        socket.setsockopt(OPTIONS[name], value.encode("latin1") if isinstance(value, str) else value)
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
        time.sleep(job.get("keepMs", 0) / 1000)
        socket.close()


say(id=0, event="ready", endpoint="libzmq " + zmq.zmq_version())
for text in sys.stdin:
    request_line = json.loads(text)
    if request_line["op"] == "go":
        going[request_line["id"]].set()
    elif request_line["op"] == "zap":
        zap(request_line)
    else:
        going[request_line["id"]] = threading.Event()
        threading.Thread(target=run, args=(request_line,), daemon=True).start()
os._exit(0)
