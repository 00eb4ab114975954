"""A worker of the demo in Python, over libzmq: the same as worker.mjs, where the messages are described."""

import errno
import hashlib
import os
import sys

import zmq

name, task_endpoint, result_endpoint, root = sys.argv[1:]

context = zmq.Context()
tasks = context.socket(zmq.PULL)
tasks.rcvhwm = 8
results = context.socket(zmq.PUSH)
results.connect(result_endpoint)
tasks.connect(task_endpoint)


def text(number):
    return str(number).encode()


while True:
    kind, *rest = tasks.recv_multipart()
    if kind == b"stop":
        break
    if kind == b"marker":
        results.send_multipart([name.encode(), b"marker", rest[0]])
        continue
    index, path = rest
    try:
        with open(os.path.join(root.encode(), path), "rb") as file:
            data = file.read()
    except OSError as error:
        reason = errno.errorcode.get(error.errno, "EIO").encode()
        results.send_multipart([name.encode(), b"unreadable", index, reason])
        continue
    counts = [text(data.count(b"\n")), text(len(data.split())), text(len(data))]
    digest = hashlib.sha256(data).hexdigest().encode()
    results.send_multipart([name.encode(), b"done", index, *counts, digest])

context.destroy(linger=5000)
