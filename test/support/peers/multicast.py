"""A listener of a multicast group that knows nothing of ZeroMQ: prints each datagram and how many hops it had left.

Arguments: the group, the port, our address on the interface, and how many datagrams to wait for.
"""
import json
import socket
import struct
import sys

group, port, ours, count = sys.argv[1:]
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
udp.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL of Linux, which the module does not name
udp.bind((group, int(port)))
joined = socket.inet_aton(group) + socket.inet_aton(ours)
udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
udp.settimeout(20)
print("ready", flush=True)
heard = []
for _ in range(int(count)):
    data, control, _, _ = udp.recvmsg(65536, socket.CMSG_SPACE(4))
    (hops,) = struct.unpack("i", control[0][2])
    heard.append("%d hops: %s" % (hops, data.hex()))
print(json.dumps(heard), flush=True)
sys.stdin.readline()  # until it is killed
