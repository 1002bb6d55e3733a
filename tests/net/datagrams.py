#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""datagrams.py receive ADDRESS PORT FILE: prints ready; then writes the number of each datagram, in the order of arrival, until half a
second is silent after the first. datagrams.py send ADDRESS PORT COUNT [SIZE [AT-ONCE]]: numbered ones, AT-ONCE in one call (UDP_SEGMENT).
datagrams.py raw ADDRESS PORT: what stdin has, a line of hexadecimal digits each."""
import socket
import sys
import time

what, address, port, *rest = sys.argv[1:]
there = (address, int(port))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

if what == "receive":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    s.bind(there)
    print("ready", flush=True)
    s.settimeout(10)
    with open(rest[0], "w") as numbers:
        try:
            while True:
                data = s.recv(65535)
                numbers.write(f"{int.from_bytes(data[:4], 'big')} {len(data)} {'whole' if set(data[4:]) <= {0} else 'damaged'}\n")
                s.settimeout(0.5)
        except TimeoutError:
            pass
elif what == "raw":
    for line in sys.stdin:
        try:
            s.sendto(bytes.fromhex(line), there)
        except ConnectionRefusedError:
            pass
else:
    count = int(rest[0])
    size = int(rest[1]) if len(rest) > 1 else 100
    at_once = int(rest[2]) if len(rest) > 2 else 1
    if at_once > 1:
        s.setsockopt(socket.SOL_UDP, 103, size)  # UDP_SEGMENT
    for first in range(0, count, at_once):
        s.sendto(b"".join(n.to_bytes(4, "big") + bytes(size - 4) for n in range(first, min(first + at_once, count))), there)
        if first % 64 == 0:
            time.sleep(0.001)  # a receiver's buffer is small where it may not be made larger
