#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""linkreader.py KEY RECORDING FOLDER: reads what a sender of the one-way link sent (bundle/FORMAT.md 29) with nothing of ours: Python's
standard library alone. RECORDING is packets, each behind its size in two bytes. Writes every object that is whole to FOLDER under its SHA-256, and
says in JSON what came. The proof that another receiver can be written from the document.

linkreader.py KEY --listen PORT FOLDER: the same from a socket of 127.0.0.1, until nothing came for three seconds.
"""
import hashlib
import json
import os
import re
import socket
import struct
import sys

# --- RFC 8439 and its extension -------------------------------------------------------------------------------------
M32 = 0xFFFFFFFF


def rotate(x, n):
    return (x << n | x >> (32 - n)) & M32


def rounds(state):
    x = list(state)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            x[a] = x[a] + x[b] & M32
            x[d] = rotate(x[d] ^ x[a], 16)
            x[c] = x[c] + x[d] & M32
            x[b] = rotate(x[b] ^ x[c], 12)
            x[a] = x[a] + x[b] & M32
            x[d] = rotate(x[d] ^ x[a], 8)
            x[c] = x[c] + x[d] & M32
            x[b] = rotate(x[b] ^ x[c], 7)
    return x


CONSTANT = struct.unpack("<4I", b"expand 32-byte k")


def hchacha20(key, nonce):
    x = rounds(CONSTANT + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))
    return struct.pack("<8I", *(x[:4] + x[12:]))


def chacha20_block(key, counter):
    state = CONSTANT + struct.unpack("<8I", key) + (counter & M32, counter >> 32, 0, 0)
    return struct.pack("<16I", *(a + b & M32 for a, b in zip(rounds(state), state)))


def poly1305(once, message):
    r = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (total + int.from_bytes(once[16:], "little") & 2**128 - 1).to_bytes(16, "little")


# --- 29.7 -----------------------------------------------------------------------------------------------------------
POWER, LOG = [0] * 510, [0] * 256
element = 1
for exponent in range(255):
    POWER[exponent] = POWER[exponent + 255] = element
    LOG[element] = exponent
    element = element << 1 ^ (0x11D if element & 0x80 else 0)


def inverse(a):
    return POWER[255 - LOG[a]]


def scaled(a, symbol):
    """The symbol times a: a table of all products, and bytes.translate."""
    return symbol.translate(bytes(POWER[LOG[a] + LOG[b]] if b and a else 0 for b in range(256)))


def added(a, b):
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")


def repaired(k, size, symbols):
    """The k source symbols of a block of which any k symbols came: Gauss-Jordan over the lost ones."""
    lost = [c for c in range(k) if c not in symbols]
    rows = []
    for r in [r for r in sorted(symbols) if r >= k][: len(lost)]:
        rest = symbols[r]
        for c in range(k):
            if c in symbols:
                rest = added(rest, scaled(inverse(r ^ c), symbols[c]))
        rows.append(([inverse(r ^ c) for c in lost], rest))
    for i in range(len(lost)):
        pivot = next(j for j in range(i, len(rows)) if rows[j][0][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        by = inverse(rows[i][0][i])
        rows[i] = [POWER[LOG[by] + LOG[a]] if a else 0 for a in rows[i][0]], scaled(by, rows[i][1])
        for j in range(len(rows)):
            a = rows[j][0][i]
            if j != i and a:
                rows[j] = [u ^ (POWER[LOG[a] + LOG[v]] if v else 0) for u, v in zip(rows[j][0], rows[i][0])], \
                          added(rows[j][1], scaled(a, rows[i][1]))
    found = dict(zip(lost, (row[1] for row in rows)))
    return [symbols[c] if c in symbols else found[c] for c in range(k)]


# --- 29.6 -----------------------------------------------------------------------------------------------------------
def geometry(size, length):
    """Of each generation: offset, bytes, symbols, blocks, k."""
    assert length % 8 == 0 and 8 <= length <= 8880, "29.6: the size of a symbol"
    full = min(16, 4505600 // (200 * length))
    symbols = -(-size // length)
    n_generations = max(1, -(-symbols // (200 * full)))
    shapes, first = [], 0
    for generation in range(n_generations):
        n = symbols // n_generations + (generation < symbols % n_generations)
        blocks = full if n >= 8 * full else max(1, n // 8)
        shapes.append((first * length, min(n * length, size - first * length), n, blocks, -(-n // blocks)))
        first += n
    assert len(shapes) <= 65536, "29.6: generations"
    return shapes


class Reader:
    def __init__(self, key_path, folder):
        text = open(key_path, "rb").read()
        match = re.fullmatch(rb'{"format": "clapet link key 1", "id": "([0-9a-f]{8})", "key": "([0-9a-f]{64})"}\n', text)
        assert match, "29.2: no link key"
        self.id, self.key = (bytes.fromhex(group.decode()) for group in match.groups())
        assert hashlib.sha256(b"clapet link id 1\n" + self.key).digest()[:4] == self.id, "29.2: id"
        self.folder, self.sessions, self.objects, self.whole = folder, {}, {}, []
        self.said = {"stranger": 0, "forged": 0, "form": 0, "symbols": 0, "announcements": 0, "probes": 0, "beacons": [],
                     "tests": [], "objects": [], "repaired": 0, "highest": -1}

    def is_genuine(self, packet):
        """29.4"""
        session, sequence = packet[16:32], struct.unpack_from("<Q", packet, 32)[0]
        if session not in self.sessions:
            self.sessions[session] = hchacha20(self.key, session)
        block = chacha20_block(self.sessions[session], sequence // 2)
        return poly1305(block[sequence % 2 * 32 :][:32], packet[:-16]) == packet[-16:]

    def take(self, packet):
        if len(packet) < 88 or packet[:8] != b"CLk1" + self.id:
            self.said["stranger"] += 1
        elif not self.is_genuine(packet):
            self.said["forged"] += 1
        else:
            try:
                self.read(packet)
            except AssertionError:
                self.said["form"] += 1

    def read(self, packet):
        kind, scheme, length, generation = struct.unpack_from("<BBHI", packet, 8)
        name, size, block, index, k, blocks, repair = struct.unpack_from("<16sQBBBBB", packet, 40)
        payload = packet[72:-16]
        self.said["highest"] = max(self.said["highest"], struct.unpack_from("<Q", packet, 32)[0])
        assert packet[69:72] == bytes(3), "29.3: unused bytes"
        if kind in (1, 2):
            assert scheme == 1, "29.3: scheme"
            shapes = geometry(size, length)
        else:
            assert packet[9:16] == bytes(7) and packet[40:72] == bytes(32), "29.3: unused bytes"
        if kind == 1:
            assert len(payload) == length and generation < len(shapes), "29.5: a symbol"
            _, _, n, b, due = shapes[generation]
            assert (blocks, k) == (b, due) and block < b and repair <= 256 - k, "29.5: a block"
            assert index >= k or index * b + block < n, "29.5: a symbol past the object"
            self.said["symbols"] += 1
            self.object(name, size, length)["symbols"].setdefault((generation, block), {})[index] = payload
        elif kind == 2:
            digest, started, version, cycle, content, moment, percent, zero = struct.unpack("<32sQQIBBB17s", payload)
            assert digest[:16] == name and content < 2 and moment < 3 and percent <= 28 and zero == bytes(17), "29.8"
            assert generation == 0 and packet[64:72] == bytes(8), "29.3: unused bytes"
            self.said["announcements"] += 1
            self.object(name, size, length)["told"] = (digest, content, version)
        elif kind == 3:
            *numbers, newest, n_objects, n_queued, state, zero = struct.unpack("<QQQQ8sIIB7s", payload)
            assert state < 3 and zero == bytes(7), "29.9"
            self.said["beacons"].append([numbers[2], numbers[3], newest.hex(), n_objects, n_queued, state])
        elif kind == 4:
            started, rate, number, count, step, steps, zero = struct.unpack_from("<QQIIHHI", payload)
            assert number < count and step < steps and zero == 0, "29.10"
            self.said["probes"] += 1
        else:
            assert kind == 5 and len(payload) <= 216, "29.11"
            self.said["tests"].append([struct.unpack_from("<Q", payload, 8)[0], payload[16:].decode()])

    def object(self, name, size, length):
        found = self.objects.setdefault(name, {"geometry": (size, length), "symbols": {}, "told": None})
        if found["geometry"] != (size, length):
            found.update(geometry=(size, length), symbols={})
        return found

    def finish(self):
        """Makes what is whole of what came."""
        for name, found in list(self.objects.items()):
            data = found["told"] and self.assemble(found)
            if data is None:
                continue
            digest, content, version = found["told"]
            assert hashlib.sha256(data).digest() == digest, "29.8: a whole object with another digest"
            del self.objects[name]
            self.keep(digest, data, version) if content == 0 else self.split(data)

    def assemble(self, found):
        size, length = found["geometry"]
        data = bytearray()
        for generation, (_, n_bytes, n, blocks, k) in enumerate(geometry(size, length)):
            out = [b""] * n
            for block in range(blocks if n else 0):
                symbols = dict(found["symbols"].get((generation, block), {}))
                if (k - 1) * blocks + block >= n:
                    symbols[k - 1] = bytes(length)
                if len(symbols) < k:
                    return None
                self.said["repaired"] += sum(c not in symbols for c in range(k))
                for c, symbol in enumerate(repaired(k, length, symbols)):
                    if c * blocks + block < n:
                        out[c * blocks + block] = symbol
            data += b"".join(out)[:n_bytes]
        return bytes(data)

    def keep(self, digest, data, version):
        with open(os.path.join(self.folder, digest.hex()), "wb") as file:
            file.write(data)
        self.said["objects"].append([digest.hex(), len(data), version])

    def split(self, data):
        """29.12"""
        assert data[:14] == b"clapet pack 1\n", "29.12: no pack"
        count, before = struct.unpack_from("<I", data, 14)[0], b""
        at = 18 + 48 * count
        assert 1 <= count <= 4096 and at <= len(data), "29.12: count"
        for i in range(count):
            digest, size, version = struct.unpack_from("<32sQQ", data, 18 + 48 * i)
            assert digest > before and size <= 262144, "29.12: an entry"
            assert hashlib.sha256(data[at : at + size]).digest() == digest, "29.12: a file with another digest"
            self.keep(digest, data[at : at + size], version)
            at, before = at + size, digest
        assert at == len(data), "29.12: bytes behind the files"


def recorded(path):
    data = open(path, "rb").read()
    at = 0
    while at < len(data):
        size = struct.unpack_from("<H", data, at)[0]
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


def listen(reader, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        try:
            wire.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        except PermissionError:
            pass
        wire.bind(("127.0.0.1", port))
        wire.settimeout(3)
        print("listening", file=sys.stderr, flush=True)
        packets = []
        try:
            # Only kept while the sender sends: this is no fast reader.
            while True:
                packets.append(wire.recv(65536))
        except TimeoutError:
            pass
    for packet in packets:
        reader.take(packet)


if __name__ == "__main__":
    if sys.argv[2] == "--listen":
        reader = Reader(sys.argv[1], sys.argv[4])
        listen(reader, int(sys.argv[3]))
    else:
        reader = Reader(sys.argv[1], sys.argv[3])
        for packet in recorded(sys.argv[2]):
            reader.take(packet)
    reader.finish()
    reader.said["partial"] = len(reader.objects)
    print(json.dumps(reader.said))
