#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""hostile.py HOST:PORT PID: readers that mean harm, against a running server that serves the datasets cog and noise, which is large. Prints a
line a finding, "0<TAB>what holds" or "1<TAB>what does not: why". While each attack goes on a good reader asks over a connection of its own."""
import contextlib
import os
import re
import select
import socket
import sys
import time

HOST, PORT = sys.argv[1].rsplit(":", 1)
ADDRESS, PID = (HOST, int(PORT)), int(sys.argv[2])
# What only files that are not for readers hold.
SECRETS = (b"root:x:", b"signatures", b"clapet inside configuration", b"BEGIN", b"\x00secret")
GOOD = "/datasets/cog/communes.csv"
RSS_MAX_KIB = 96 * 1024  # the bar is 64 MiB for the server; a build with sanitizers is larger


def say(holds, what, why=""):
    print(f"{0 if holds else 1}\t{what}" + ("" if holds else f": {why}".replace("\n", " ")[:300]), flush=True)


def connect(timeout=5.0):
    return socket.create_connection(ADDRESS, timeout)


def exchange(raw, timeout=1.5, quiet=0.2):
    """Sends RAW; all that comes until the server closes, or has been quiet for a while after an answer."""
    got = b""
    with connect(timeout) as s:
        with contextlib.suppress(OSError):
            s.sendall(raw)
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            ready, _, _ = select.select([s], [], [], quiet if got else end - time.monotonic())
            if not ready:
                break
            try:
                piece = s.recv(65536)
            except OSError:
                break
            if not piece:
                break
            got += piece
    return got


def statuses(got):
    """The status of every answer in GOT: bodies are skipped by their length."""
    found = []
    while True:
        head, separator, rest = got.partition(b"\r\n\r\n")
        line = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        if not separator or not line:
            return found
        found.append(int(line[1]))
        length = re.search(rb"(?im)^content-length: *(\d+)", head)
        if not length:
            return found
        got = rest[0 if int(line[1]) == 304 else int(length[1]):]


def body(got):
    return got.partition(b"\r\n\r\n")[2]


def get(target, *headers, method="GET", version="HTTP/1.1", close=True):
    lines = [f"{method} {target} {version}", "Host: data.test", *headers] + (["Connection: close"] if close else [])
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


class Reader:
    """A good reader over one kept connection."""

    def __init__(self):
        self.s = connect()
        self.first = self.ask()

    def ask(self):
        start = time.monotonic()
        self.s.sendall(get(GOOD, close=False))
        got = b""
        while b"\r\n\r\n" not in got:
            piece = self.s.recv(65536)
            if not piece:
                raise ConnectionError("closed")
            got += piece
        length = int(re.search(rb"(?im)^content-length: *(\d+)", got)[1])
        while len(body(got)) < length:
            got += self.s.recv(65536)
        self.took = time.monotonic() - start
        return statuses(got), body(got)

    def is_well(self):
        with contextlib.suppress(OSError, TypeError):
            return self.ask() == self.first and self.first[0] == [200]
        self.s = connect()  # an idle connection may be closed: that is no harm; a new one must do
        return self.ask() == self.first


def rss_kib():
    with open(f"/proc/{PID}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1])


reader = Reader()
say(reader.first[0] == [200], "a good reader is served", reader.first[0])


def attack(what, raws, allowed=range(400, 600), may_be_silent=True):
    """Every one of RAWS is answered by a status that is allowed, or closed, gives nothing away, and does the good reader no harm."""
    bad = []
    for name, raw in raws:
        got = exchange(raw)
        found = statuses(got)
        if (not found and not may_be_silent) or any(status not in allowed for status in found):
            bad.append(f"{name!r} -> {found or got[:60]!r}")
        if any(secret in got for secret in SECRETS):
            bad.append(f"{name!r} gives away {got[-80:]!r}")
    if not reader.is_well():
        bad.append("a good reader was harmed")
    say(not bad, f"{what} ({len(raws)})", "; ".join(bad[:4]))


# --- paths ----------------------------------------------------------------------------------------------------------------
UP = ("..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%f0%80%80%ae", "..%c0%af", "..%5c", "..\\", "....//",
      "..;", "%uff0e%uff0e", "%ef%bc%8e%ef%bc%8e", "..%2f..", "..%252f", "%2e%2e%2f%2e%2e", ".%0d%0a.", "..%09", "%", "%2", "%zz", "..%ff", "..//..", "\x00", "%00")
PLACES = ("/{up}/{up}/{up}/{up}/etc/passwd", "/datasets/{up}/{up}/trust/root.json", "/datasets/cog/{up}/{up}/{up}/inside.json",
          "/datasets/cog/communes.csv{up}", "/generations/1/{up}/{up}/trust/root.json", "/static/{up}/{up}/inside.json",
          "/views/{up}/datasets/cog/communes.csv", "/datasets/cog/{up}/{up}/decisions/waivers.json")
attack("paths that lead out, in every spelling", [(p.format(up=u), get(p.format(up=u))) for u in UP for p in PLACES])
attack("paths that are no address", [(p, get(p)) for p in (
    "//etc/passwd", "/./datasets", "/datasets//cog", "/datasets/cog/.", "/datasets/cog/communes.csv/", "/datasets/cog/communes.csv/x", "/datasets/COG/communes.csv",
    "/datasets/cog/.tmp", "/datasets/cog/communes", "/datasets/trust", "/mirror/blobs", "/current", "/store/current", "/generations/0/datasets/cog", "/generations/01/datasets/cog/communes.csv",
    "/generations/-1/datasets/cog/communes.csv", "/generations/0x1/datasets/cog/communes.csv", "/generations/18446744073709551617/datasets/cog/communes.csv",
    "/generations/99999/datasets/cog/communes.csv", "/generations/1/generations/1/datasets/cog/communes.csv", "/generations/1%20/datasets/cog/communes.csv",
    "/datasets/cog/communes.csv%20", "/datasets/cog/communes.csv%00.html", "/datasets/cog/communes.csv%0a", "/" + "a/" * 5000, "/" + "%41" * 900, "/\xe9", "/%e9", "/#x",
    "/datasets/cog/communes.csv?version=../../trust", "/datasets/cog/communes.csv?version=0000000000000000", "/datasets/cog/communes.csv?asOf=1e9",
    "/datasets/cog/communes.csv?asOf=-1", "/datasets/cog/communes.csv?version=%00") if p != "/datasets/cog/communes"])
attack("targets that are not of the origin form", [(t, f"{m} {t} HTTP/1.1\r\nHost: data.test\r\nConnection: close\r\n\r\n".encode()) for m, t in (
    ("GET", "http://data.test" + GOOD), ("GET", "http://evil.test:80/"), ("GET", "*"), ("OPTIONS", "*"), ("CONNECT", "evil.test:443"), ("GET", "datasets/cog"), ("GET", ""), ("GET", "?x"))])
attack("addresses that are too long", [(n, get("/" + "a" * n)) for n in (5000, 100_000, 1_000_000)] + [("query", get(GOOD + "?x=" + "y" * 200_000)),
       ("params", get(GOOD + "?" + "&".join(f"a{i}=1" for i in range(5000))))])

# --- rows: injection in filters. Whatever it is answered with, no row comes of it -------------------------------------------------
ROWS = "/datasets/cog/communes"
has_rows = statuses(exchange(get(ROWS + "?code=01004"))) == [200]
INJECTED = ("code=01004'%20OR%20'1'='1", "code=01004%22%20OR%201=1--", "code=';DROP%20TABLE%20communes;--", "code=%00", "code=x%00", "columns=code,(SELECT%20sql%20FROM%20sqlite_master)",
            "columns=*", "columns=code%20AS%20x", "columns=rowid", "columns=sql", "code.gt=", "code.like=%25", "nom~=(a%2B)%2B$", "sort=random()", "sort=code;DELETE%20FROM%20communes", "sort=(SELECT%201)", "sort=-", "limit=-1", "limit=1e9",
            "limit=99999999999999999999", "limit=0x10", "limit=1%20OFFSET%201", "sqlite_master=1", "rowid=1", "%22code%22=01004", "code%20OR%201=1", "code)%20OR%20(1=1", "for=../../x", "for=%00",
            "limit=1&limit=2", "sort=code&sort=nom", "=1", "code=%ff", "code=%c0%80", "attach=x", "format=../../etc/passwd", "columns=" + "code," * 3000, "sort=" + "code," * 3000)
bad, harmless = [], 0
for query in INJECTED:
    got = exchange(get(f"{ROWS}?{query}"))
    found, text = statuses(got), body(got)
    if found == [200] and text.count(b"01004") == 0 and text.count(b"2A004") == 0:
        harmless += 1
    elif not found or found[0] < 400 or b"CREATE TABLE" in text:
        bad.append(f"{query[:60]} -> {found} {text[:60]!r}")
say(has_rows, "rows are served")
say(not bad and reader.is_well(), f"filters are never SQL ({len(INJECTED)}, {harmless} found nothing)", "; ".join(bad[:4]))
marked = []
for target in ("/datasets/%3Cscript%3Ealert(1)%3C/script%3E", "/datasets/cog/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E", f"{ROWS}?%3Cscript%3Ealert(1)=1", f"{ROWS}?limit=%3Cscript%3Ealert(1)",
               "/datasets/cog?version=%3Cscript%3Ealert(1)", "/views/%3Cscript%3E", "/generations/%3Cscript%3E/x", "/?q=%3Cscript%3Ealert(1)", "/datasets/cog?%22onload=alert(1)"):
    got = exchange(get(target, "Accept: text/html", "Accept-Language: %3Cscript%3E"))
    head, _, text = got.partition(b"\r\n\r\n")
    if b"<script>alert" in text or b"<img src=x" in text or b"<script>" in head or b'"onload=' in text:
        marked.append(f"{target} -> {text[:80]!r}")
say(not marked and reader.is_well(), "what is asked is never markup of the answer", "; ".join(marked))

# --- Range ----------------------------------------------------------------------------------------------------------------
size = len(reader.first[1])
bad = []
for header, wanted in (("bytes=0-0", (206, 1)), ("bytes=-5", (206, 5)), (f"bytes={size - 1}-", (206, 1)), (f"bytes=0-{size * 9}", (206, size)), ("bytes=-0", (416, None)), (f"bytes={size}-", (416, None)),
                       ("bytes=18446744073709551615-", None), ("bytes=18446744073709551616-18446744073709551617", None), ("bytes=0-18446744073709551616", None),
                       ("bytes=-18446744073709551616", None), ("bytes=5-2", None), ("bytes=--5", None), ("bytes=0x1-2", None), ("lines=0-1", (200, size)), ("bytes=", None), ("bytes", None), ("bytes=a-b", None),
                       ("bytes=0-1,3-4", None), ("bytes=0-,0-,0-,0-", None), ("bytes=" + ",".join("0-" for _ in range(1300)), None), ("bytes=" + ",".join(f"{i}-{i}" for i in range(900)), None),
                       ("bytes=1-1" + " " * 500, None), ("bytes=0-0\t", None), ("BYTES=0-0", None), ("bytes=\x000-1", None)):
    got = exchange(get(GOOD, f"Range: {header}"))
    found, length = statuses(got), len(body(got))
    if wanted is not None and (found != [wanted[0]] or wanted[1] not in (None, length)):
        bad.append(f"{header[:40]!r} -> {found} {length}")
    elif found and found[0] not in (200, 206, 400, 416, 431) or (found and found[0] in (200, 206) and length > size):
        bad.append(f"{header[:40]!r} -> {found} {length} bytes")
say(not bad and reader.is_well(), "ranges are answered by no more than the file", "; ".join(bad[:5]))

# --- methods, versions, framing ---------------------------------------------------------------------------------------------
attack("methods that write, or are none", [(m, get(GOOD, method=m)) for m in (
    "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "MKCOL", "MOVE", "get", "G\tET", "GET\x00", "A" * 5000, "\x16\x03\x01", "OPTIONS")])
attack("versions that are none", [(v, get(GOOD, version=v)) for v in ("HTTP/9.9", "HTTP/2.0", "HTTP/1", "HTTP/1.1x", "HTCPCP/1.0", "http/1.1", "HTTP/-1.1")] + [
    ("preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200), ("noise", bytes(range(256)) * 20 + b"\r\n\r\n"),
    ("blank", b"\r\n" * 2000), ("0.9", b"GET /datasets/cog/communes.csv\r\n\r\n"), ("nothing", b"\x00" * 3000)])
hidden = get("/datasets/cog/departements.csv", close=False)
chunk = b"%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n"
smuggled = []
for name, raw in (
        ("a body on GET", get("/healthz", f"Content-Length: {len(hidden)}", close=False) + hidden),
        ("a chunked body on GET", get("/healthz", "Transfer-Encoding: chunked", close=False) + chunk),
        ("CL and TE", get("/healthz", "Content-Length: 4", "Transfer-Encoding: chunked", close=False) + chunk),
        ("TE and CL", get("/healthz", "Transfer-Encoding: chunked", f"Content-Length: {len(hidden) + 40}", close=False) + b"0\r\n\r\n" + hidden),
        ("two CL", get("/healthz", "Content-Length: 0", f"Content-Length: {len(hidden)}", close=False) + hidden),
        ("CL of a list", get("/healthz", f"Content-Length: 0, {len(hidden)}", close=False) + hidden),
        ("CL with a sign", get("/healthz", "Content-Length: +0", close=False) + hidden),
        ("CL below 0", get("/healthz", "Content-Length: -1", close=False) + hidden),
        ("CL beyond 2^64", get("/healthz", "Content-Length: 18446744073709551616", close=False) + hidden),
        ("TE obscured", get("/healthz", "Transfer-Encoding: xchunked", f"Content-Length: {len(hidden)}", close=False) + hidden),
        ("TE before a colon", get("/healthz", "Transfer-Encoding : chunked", f"Content-Length: {len(chunk)}", close=False) + chunk),
        ("TE twice", get("/healthz", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", close=False) + chunk),
        ("a folded header", b"GET /healthz HTTP/1.1\r\nHost: data.test\r\nX: a\r\n GET /datasets/cog/departements.csv HTTP/1.1\r\n\r\n"),
        ("a chunk beyond 2^64", get("/healthz", "Transfer-Encoding: chunked", close=False) + b"1" + b"0" * 16 + b"\r\n" + hidden),
        ("a chunk that is none", get("/healthz", "Transfer-Encoding: chunked", close=False) + b"x\r\n" + hidden)):
    got = exchange(raw)
    if len(statuses(got)) > 1 or b"Corse-du-Sud" in got:
        smuggled.append(f"{name} -> {statuses(got)}")
say(not smuggled and reader.is_well(), "a request within a request is not answered", "; ".join(smuggled))
attack("headers out of form", [(n, f"GET {GOOD} HTTP/1.1\r\n{h}\r\n\r\n".encode("latin-1")) for n, h in (
    ("no host", "Accept: */*\r\nConnection: close"), ("two hosts", "Host: a\r\nHost: b\r\nConnection: close"), ("NUL", "Host: a\0b\r\nConnection: close"), ("no colon", "Host: a\r\nnonsense\r\nConnection: close"),
    ("blank name", "Host: a\r\n : x\r\nConnection: close"), ("control", "Host: a\r\nRange: bytes=\x01\r\nConnection: close"), ("name with blank", "Host: a\r\nX y: z\r\nConnection: close"))],
       allowed=[200, *range(400, 600)])  # some are only odd: none may be believed to end a request
attack("floods of headers", [("10,000 headers", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(10_000)) + b"\r\n"),
                             ("1 MB in one", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n"), ("1 MB without an end", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1_000_000),
                             ("a long name", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X" * 300_000 + b": y\r\n\r\n"), ("a long cookie", b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a=b; " * 50_000 + b"\r\n\r\n"),
                             ("a long key", get(GOOD, "Authorization: Bearer " + "x" * 100_000)), ("a long range", get(GOOD, "Range: bytes=" + "0-1," * 50_000))])
old = exchange(f"GET {GOOD} HTTP/1.0\r\n\r\n".encode())
say(statuses(old) == [200] and body(old) == reader.first[1], "HTTP/1.0 is answered, and closed", statuses(old))
many = exchange(get("/healthz", close=False) * 49 + get(GOOD), timeout=10)
say(statuses(many) == [200] * 50, "50 requests in one packet are answered in their order", len(statuses(many)))
halves = get(GOOD)
with connect() as s:
    for at in range(len(halves)):
        s.sendall(halves[at:at + 1])
    got = b""
    with contextlib.suppress(OSError):
        while piece := s.recv(65536):
            got += piece
say(body(got) == reader.first[1], "a request that comes byte by byte is one request", statuses(got))

# --- what is told to the log ---------------------------------------------------------------------------------------------------
attack("lines for the log", [(a, get("/healthz", f"User-Agent: {a}")) for a in ('"}\\n{"who": "root"', "a\x1b[2J\x07", "é\udcff", "\\u0000", "%00%0a", "x" * 3000)], allowed=[200, 400, 431])

# --- many, and slow ones -----------------------------------------------------------------------------------------------------------
def under(what, sockets, tend, seconds):
    """The good reader while SOCKETS are open and TEND is called on each again and again."""
    worst, end, well = 0.0, time.monotonic() + seconds, True
    before = rss_kib()
    peak = before
    while time.monotonic() < end:
        for s in list(sockets):
            try:
                tend(s)
            except BlockingIOError:
                pass
            except OSError:
                sockets.remove(s)
                s.close()
        well = reader.is_well() and well
        worst, peak = max(worst, reader.took), max(peak, rss_kib())
        time.sleep(0.05)
    say(well and worst < 1.0, f"{what}: a good reader is served in {worst * 1000:.0f} ms at worst", f"{worst:.2f} s, well: {well}")
    say(peak < RSS_MAX_KIB, f"{what}: memory stays at {peak} KiB", peak)
    for s in sockets:
        s.close()


def crowd(n, first=b""):
    sockets = []
    for _ in range(n):
        with contextlib.suppress(OSError):
            s = connect(1.0)
            s.setblocking(False)
            with contextlib.suppress(OSError):
                s.send(first)
            sockets.append(s)
    return sockets


LARGE = get("/datasets/noise/noise.csv", close=False)
under("300 connections that send a byte now and then", crowd(300, b"GET / HTTP/1.1\r\nX: "), lambda s: s.send(b"y"), 3)
small_window = crowd(0)
for _ in range(100):
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(1.0)
    with contextlib.suppress(OSError):
        slow.connect(ADDRESS)
        slow.sendall(LARGE)
        slow.setblocking(False)
        small_window.append(slow)
under("100 readers of a large file who hardly read", small_window, lambda s: s.recv(64), 3)
under("100 that listen to events and take none", crowd(100, get("/events", close=False)), lambda s: None, 1)
under("400 connections that only are there", crowd(400), lambda s: None, 1)
under("200 that ask for a large file and go", [], lambda s: None, 0.2)
for _ in range(200):
    with contextlib.suppress(OSError), connect(1.0) as s:
        s.sendall(LARGE)
        s.recv(1000)


def descriptors():
    return len(os.listdir(f"/proc/{PID}/fd"))


before = descriptors()
for raw in (b"GET / HTTP/1.1\r\nHo", get(GOOD, close=False), get("/healthz", close=False) * 3, b""):
    for _ in range(40):
        with contextlib.suppress(OSError), connect(1.0) as s:
            s.sendall(raw)
            s.shutdown(socket.SHUT_WR)
            if b"\r\n\r\n" in raw:
                s.recv(65536)
end = time.monotonic() + 10
while descriptors() > before + 5 and time.monotonic() < end:
    time.sleep(0.2)
say(descriptors() <= before + 5, "who has left holds no place for long", f"{descriptors()} descriptors, {before} before")
say(Reader().first == reader.first, "and a new reader finds what the first one found")
say(rss_kib() < RSS_MAX_KIB, f"memory in the end is {rss_kib()} KiB", rss_kib())
