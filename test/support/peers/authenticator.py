"""pyzmq as a server with its ThreadAuthenticator, or as a client. Prints a line of JSON for each thing that happens.

serve curve FOLDER SECRET_FILE   a PULL that lets in the keys of a folder
serve plain                      a PULL that lets in user "ann" with "pa55word"
send ENDPOINT TEXT curve SERVER_FILE SECRET_FILE
send ENDPOINT TEXT plain USER PASSWORD
"""
import json
import sys

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message


def say(**what):
    print(json.dumps(what), flush=True)


def serve(mechanism, *files):
    context = zmq.Context.instance()
    auth = ThreadAuthenticator(context)
    auth.start()
    auth.allow("127.0.0.1")
    pull = context.socket(zmq.PULL)
    if mechanism == "curve":
        folder, secret_file = files
        auth.configure_curve(domain="*", location=folder)
        pull.curve_publickey, pull.curve_secretkey = zmq.auth.load_certificate(secret_file)
        pull.curve_server = True
    else:
        auth.configure_plain(domain="*", passwords={"ann": "pa55word"})
        pull.plain_server = True
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    say(endpoint=f"tcp://127.0.0.1:{port}")
    while True:  # until the test ends it
        say(message=pull.recv_string())


def send(endpoint, text, mechanism, *credentials):
    push = zmq.Context.instance().socket(zmq.PUSH)
    if mechanism == "curve":
        push.curve_serverkey, _ = zmq.auth.load_certificate(credentials[0])
        push.curve_publickey, push.curve_secretkey = zmq.auth.load_certificate(credentials[1])
    else:
        push.plain_username, push.plain_password = (one.encode() for one in credentials)
    monitor = push.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    push.connect(endpoint)
    if monitor.poll(20_000) == 0:
        return say(result="nothing")
    event = recv_monitor_message(monitor)["event"]
    if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
        return say(result="refused")
    push.send_string(text)
    push.disable_monitor()
    monitor.close()
    push.close(5000)
    zmq.Context.instance().term()
    say(result="sent")


{"serve": serve, "send": send}[sys.argv[1]](*sys.argv[2:])
