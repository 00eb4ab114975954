"""A server in Python (Debian: python3-zmq). Give the endpoint that it prints to request-reply.mjs."""

import zmq

server = zmq.Context().socket(zmq.REP)
server.bind("tcp://127.0.0.1:*")
print(server.last_endpoint.decode(), flush=True)
while True:
    question = server.recv_string()
    server.send_string(f"{question} from Python")
