"""A market of four things: publishes prices, and takes orders. Its sockets are pyzmq's; main.mjs says where to connect."""

import json
import os
import random
import sys
import time

import zmq

PRICES = {"TEA": 12.40, "SALT": 3.15, "SILK": 88.00, "IRON": 24.75}
EVERY_MS = 200

context = zmq.Context()
publisher = context.socket(zmq.PUB)
publisher.connect(sys.argv[1])
orders = context.socket(zmq.REP)
orders.connect(sys.argv[2])


def move():
    for name, price in PRICES.items():
        PRICES[name] = round(max(0.05, price * (1 + random.gauss(0, 0.004))), 2)
        tick = {"price": PRICES[name], "time": time.time()}
        publisher.send_multipart([name.encode(), json.dumps(tick).encode()])


def answer(order):
    """What became of an order: {name, quantity, price, total}, or {error}."""
    try:
        order = json.loads(order)
        name, quantity = order["name"], order["quantity"]
    except (ValueError, TypeError, KeyError):
        return {"error": "an order is {name, quantity}"}
    if name not in PRICES:
        return {"error": f"nobody sells {name}"}
    if not isinstance(quantity, int) or not 1 <= quantity <= 1000:
        return {"error": "the quantity must be 1 to 1000"}
    price = PRICES[name]
    return {"name": name, "quantity": quantity, "price": price, "total": round(price * quantity, 2)}


due = time.monotonic()
service = os.getppid()
while os.getppid() == service:  # what ends the service ends this
    wait = max(0, due - time.monotonic())
    if orders.poll(wait * 1000):
        orders.send_json(answer(orders.recv()))
    if time.monotonic() >= due:
        move()
        due += EVERY_MS / 1000
