"""A REP of libzmq: `rep.py ENDPOINT MODE`. Prints a JSON line for each request, and answers with its number.

MODE is what it does with the first request: "answer"; "die", without an answer; or "late", which answers once a line
comes from stdin. The others it answers at once.
"""

import json
import os
import sys

import zmq

endpoint, mode = sys.argv[1:3]
socket = zmq.Context().socket(zmq.REP)
socket.linger = 0
socket.bind(endpoint)


def tell(**line):
    print(json.dumps(line), flush=True)


tell(bound=socket.last_endpoint.decode())
number = 0
while True:
    question = socket.recv()
    number += 1
    tell(number=number, question=question.decode())
    if number == 1 and mode == "die":
        os._exit(0)
    if number == 1 and mode == "late":
        sys.stdin.readline()
    socket.send_multipart([question, str(number).encode()])
