#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""linkcount.py ADDR PORT KEYFILE DIR SILENCE [READY]: a receiver for tests of the sender, written from FORMAT.md 29 and not from our code. It
keeps every packet until none came for SILENCE seconds (READY is made once it listens), then checks each: form, MAC, sequence, geometry. It repairs
nothing: what came whole is written to DIR under its digest. EVERY=N looks at the MAC of every Nth packet. Prints what it counted as JSON; exit 1 where any packet broke a rule."""
import collections, hashlib, json, os, socket, struct, sys, time

K, STRIPES, GENERATION = 200, 16, 200 * 16 * 1408
MASK = 0xffffffff
EVERY = int(os.environ.get('EVERY', 1))


def rotl(x, n):
    return ((x << n) & MASK) | (x >> (32 - n))


def rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        x[a] = (x[a] + x[b]) & MASK; x[d] = rotl(x[d] ^ x[a], 16)
        x[c] = (x[c] + x[d]) & MASK; x[b] = rotl(x[b] ^ x[c], 12)
        x[a] = (x[a] + x[b]) & MASK; x[d] = rotl(x[d] ^ x[a], 8)
        x[c] = (x[c] + x[d]) & MASK; x[b] = rotl(x[b] ^ x[c], 7)
    for _ in range(10):
        quarter(0, 4, 8, 12); quarter(1, 5, 9, 13); quarter(2, 6, 10, 14); quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15); quarter(1, 6, 11, 12); quarter(2, 7, 8, 13); quarter(3, 4, 9, 14)
    return x


SIGMA = struct.unpack('<4I', b'expand 32-byte k')


def hchacha(key, nonce):
    x = rounds(SIGMA + struct.unpack('<8I', key) + struct.unpack('<4I', nonce))
    return struct.pack('<8I', *(x[:4] + x[12:]))


def block(key, counter):  # nonce of zeros
    state = SIGMA + struct.unpack('<8I', key) + (counter & MASK, counter >> 32, 0, 0)
    return struct.pack('<16I', *((a + b) & MASK for a, b in zip(rounds(state), state)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], 'little') & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total, p = 0, (1 << 130) - 5
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b'\1', 'little')) * r % p
    return ((total + int.from_bytes(key[16:], 'little')) & ((1 << 128) - 1)).to_bytes(16, 'little')


def geometry(size, symbol, number):
    """Offset, bytes, symbols, k, stripes of a generation; and how many there are."""
    full = min(STRIPES, GENERATION // (K * symbol))
    symbols = -(-size // symbol)
    n = max(1, -(-symbols // (full * K)))
    offset = number * (symbols // n) + min(number, symbols % n)
    symbols = symbols // n + (number < symbols % n)
    left = min(symbols * symbol, size - offset * symbol)
    stripes = full
    if symbols < full * 8:
        stripes = max(1, symbols // 8)
    return offset * symbol, left, symbols, (-(-symbols // stripes) if symbols else 0), (stripes if symbols else 0), n


class Object:
    def __init__(self, size, symbol):
        self.size, self.symbol, self.data = size, symbol, bytearray(size)
        self.have, self.rows, self.generations = set(), set(), collections.Counter()
        self.sha256, self.content, self.moments, self.cycles = None, None, collections.Counter(), set()
        self.repair, self.version = 0, 0

    def is_whole(self):
        return all((g, i) in self.have for g in range(geometry(self.size, self.symbol, 0)[5])
                   for i in range(geometry(self.size, self.symbol, g)[2]))


class Checker:
    def __init__(self, path):
        self.key = bytes.fromhex(json.load(open(path))['key'])
        self.link_id = hashlib.sha256(b'clapet link id 1\n' + self.key).digest()[:4]
        self.sessions, self.next, self.bad = {}, {}, []
        self.kinds, self.objects, self.beacons, self.tests = collections.Counter(), {}, [], []
        self.probes = collections.defaultdict(list)
        self.gaps = self.backwards = self.bytes = self.beacon_size = 0

    def fail(self, what):
        if len(self.bad) < 20:
            self.bad.append(what)

    def check(self, at, packet):
        if len(packet) < 88 or packet[:4] != b'CLk1' or packet[4:8] != self.link_id:
            return self.fail('no packet of this link')
        session, sequence = packet[16:32], struct.unpack_from('<Q', packet, 32)[0]
        if session not in self.sessions:
            self.sessions[session] = hchacha(self.key, session)
        if sequence % EVERY == 0:
            once = block(self.sessions[session], sequence // 2)[sequence % 2 * 32:][:32]
            if poly1305(once, packet[:-16]) != packet[-16:]:
                return self.fail('MAC of packet %d' % sequence)
        expected = self.next.get(session, 0)
        self.gaps += max(0, sequence - expected)
        self.backwards += sequence < expected
        self.next[session] = max(expected, sequence + 1)
        self.bytes += len(packet)
        kind, payload = packet[8], packet[72:-16]
        self.kinds[kind] += 1
        if kind in (1, 2):
            return self.check_object(kind, packet, payload)
        if any(packet[9:16]) or any(packet[40:72]):
            return self.fail('kind %d with fields of an object' % kind)
        if kind == 3:
            self.beacon_size = max(self.beacon_size, len(packet) + 28)
            fields = struct.unpack('<QQQQ8sIIB7x', payload)
            self.beacons.append(dict(zip(('started', 'sent', 'bytes', 'version', 'newest', 'objects', 'queued', 'state'),
                                         fields), at=at, newest=fields[4].hex()))
        elif kind == 4:
            _, rate, index, count, step, steps = struct.unpack_from('<QQIIHH', payload)
            self.probes[step].append((at, rate, index, count, steps, len(packet)))
        elif kind == 5:
            self.tests.append({'number': struct.unpack_from('<Q', payload, 8)[0], 'text': payload[16:].decode()})
        else:
            self.fail('kind %d' % kind)

    def check_object(self, kind, packet, payload):
        scheme, symbol, number = packet[9], struct.unpack_from('<H', packet, 10)[0], struct.unpack_from('<I', packet, 12)[0]
        name, size = packet[40:56], struct.unpack_from('<Q', packet, 56)[0]
        stripe, index, k, stripes, repair = packet[64:69]
        if scheme != 1 or packet[69:72] != b'\0\0\0':
            return self.fail('scheme %d' % scheme)
        if name not in self.objects:
            self.objects[name] = Object(size, symbol)
        o = self.objects[name]
        if (o.size, o.symbol) != (size, symbol):
            return self.fail('one object with two sizes')
        if kind == 2:
            sha256, _, o.version, cycle, content, moment, percent = struct.unpack_from('<32sQQIBBB', payload)
            if sha256[:16] != name or any(payload[55:]) or len(payload) != 72:
                return self.fail('announcement')
            o.sha256, o.content = sha256, content
            o.moments[moment] += 1
            o.cycles.add(cycle)
            return
        offset, left, symbols, gk, gstripes, n = geometry(size, symbol, number)
        if number >= n or (k, stripes) != (gk, gstripes) or stripe >= stripes or len(payload) != symbol:
            return self.fail('geometry of generation %d' % number)
        o.generations[number] += 1
        o.repair = max(o.repair, repair)
        if index >= k:
            o.rows.add(index)
            return
        i = index * stripes + stripe
        if i >= symbols:
            return self.fail('a symbol past the end')
        start = offset + i * symbol
        part = payload[:max(0, min(symbol, size - start))]
        if any(payload[len(part):]):
            return self.fail('bytes past the end')
        if (number, i) in o.have and o.data[start:start + len(part)] != part:
            return self.fail('one symbol with two contents')
        o.data[start:start + len(part)] = part
        o.have.add((number, i))

    def keep(self, folder, data, sha256):
        if hashlib.sha256(data).digest() != sha256:
            self.fail('an object that is not its digest')
        else:
            open(os.path.join(folder, sha256.hex()), 'wb').write(data)

    def finish(self, folder):
        told = {}
        for name, o in self.objects.items():
            whole = o.sha256 is not None and o.is_whole()
            if whole and o.content == 1:
                self.unpack(folder, bytes(o.data), o.sha256)
            elif whole:
                self.keep(folder, bytes(o.data), o.sha256)
            told[name.hex()] = {'size': o.size, 'symbol': o.symbol, 'whole': whole, 'content': o.content, 'rows': sorted(o.rows),
                                'repair': o.repair, 'version': o.version, 'moments': {str(m): n for m, n in o.moments.items()},
                                'cycles': sorted(o.cycles), 'generations': {str(g): n for g, n in sorted(o.generations.items())}}
        return told

    def unpack(self, folder, data, sha256):
        if hashlib.sha256(data).digest() != sha256 or data[:14] != b'clapet pack 1\n':
            return self.fail('a pack that is not its digest')
        n = struct.unpack_from('<I', data, 14)[0]
        at = 18 + n * 48
        for i in range(n):
            digest, size, _ = struct.unpack_from('<32sQQ', data, 18 + i * 48)
            self.keep(folder, data[at:at + size], digest)
            at += size
        if at != len(data):
            self.fail('a pack with bytes at its end')


def main():
    address, port, key, folder, silence = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    for option in (33, socket.SO_RCVBUF):  # SO_RCVBUFFORCE, where we may
        try:
            s.setsockopt(socket.SOL_SOCKET, option, 64 << 20)
            break
        except PermissionError:
            pass
    s.bind((address, port))
    s.settimeout(30)
    if len(sys.argv) > 6:
        open(sys.argv[6], 'w').write(str(s.getsockname()[1]))
    packets = []
    try:
        while True:
            packets.append((time.monotonic(), s.recv(65536)))
            s.settimeout(silence)
    except socket.timeout:
        pass
    checker = Checker(key)
    for at, packet in packets:
        checker.check(at, packet)
    first = packets[0][0] if packets else 0
    for beacon in checker.beacons:
        beacon['at'] = round(beacon['at'] - first, 3)
    probes = {str(step): {'rate': p[0][1], 'count': p[0][3], 'steps': p[0][4], 'received': len(p), 'size': p[0][5],
                          'seconds': round(p[-1][0] - p[0][0], 3)} for step, p in checker.probes.items()}
    json.dump({'packets': len(packets), 'bytes': checker.bytes, 'sessions': len(checker.sessions), 'gaps': checker.gaps,
               'backwards': checker.backwards, 'beaconSize': checker.beacon_size,
               'seconds': round(packets[-1][0] - first, 3) if packets else 0,
               'kinds': {str(k): n for k, n in sorted(checker.kinds.items())}, 'objects': checker.finish(folder),
               'beacons': checker.beacons, 'tests': checker.tests, 'probes': probes, 'bad': checker.bad}, sys.stdout, indent=1)
    print()
    sys.exit(1 if checker.bad else 0)


main()
