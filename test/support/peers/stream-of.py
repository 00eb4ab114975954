"""A stream of messages of pyzmq: `stream-of.py send|receive TYPE bind|connect ENDPOINT COUNT`.

Every stream of so many messages is the same. Prints a JSON line with the endpoint, and one at the end with a digest of all.
A PUB is an XPUB that waits for a subscription.
"""

import hashlib
import json
import sys

import zmq

do, type, verb, endpoint, count = sys.argv[1:6]
socket = zmq.Context().socket(getattr(zmq, "XPUB" if type == "PUB" else type))
socket.linger = 30000
socket.rcvtimeo = 60000
socket.sndhwm = socket.rcvhwm = 0
if type == "SUB":
    socket.subscribe(b"")
getattr(socket, verb)(endpoint)
print(json.dumps({"endpoint": socket.last_endpoint.rstrip(b"\0").decode()}), flush=True)
if type == "PUB":
    socket.recv()
digest = hashlib.sha256()
for number in range(int(count)):
    if do == "send":
        body = bytes([number % 251]) * (number * 7919 % 400)
        message = [b"topic %d" % (number % 10), b"%d" % number, body][: 1 + number % 3]
        socket.send_multipart(message)
    else:
        message = socket.recv_multipart()
    for part in message:
        digest.update(b"%d:" % len(part) + part)
    digest.update(b"|")
socket.close()
socket.context.term()
print(json.dumps({"digest": digest.hexdigest()}), flush=True)
