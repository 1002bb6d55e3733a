#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""makelog.py FOLDER NAME KEY.pem: an audit log by hand, for tests that need one which our programs would never write.

Each line of stdin is one entry, as it is. Makes KEY.pem where it is missing (openssl), and prints the verifier key. RFC 6962, C2SP
tlog-tiles, tlog-checkpoint and signed-note, written from the specifications alone, so that it is a second opinion as well.
"""
import base64
import hashlib
import os
import subprocess
import sys


def sha(data):
    return hashlib.sha256(data).digest()


def root_of(hashes):
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:]))


def put(folder, path, data):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def put_tiles(folder, level, items, join):
    for index in range(0, len(items), 256):
        part = items[index:index + 256]
        name = "%03d" % (index // 256)
        assert index // 256 < 1000
        put(folder, "tile/%s/%s%s" % (level, name, "" if len(part) == 256 else ".p/%d" % len(part)), join(part))


def public_key(key):
    if not os.path.exists(key):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    return der[-32:]


def sign(key, folder, text):
    put(folder, ".text", text)
    path = os.path.join(folder, ".text")
    done = subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", path], check=True, capture_output=True)
    os.unlink(path)
    return done.stdout


def main():
    folder, name, key = sys.argv[1:]
    entries = sys.stdin.buffer.read().splitlines()
    hashes = [sha(b"\x00" + entry) for entry in entries]
    put_tiles(folder, "entries", entries, lambda part: b"".join(len(entry).to_bytes(2, "big") + entry for entry in part))
    level, row = 0, hashes
    while row:
        put_tiles(folder, level, row, b"".join)
        row = [root_of(row[i:i + 256]) for i in range(0, len(row) - 255, 256)]
        level += 1
    public = b"\x01" + public_key(key)
    key_id = sha(name.encode() + b"\n" + public)[:4]
    text = "%s\n%d\n%s\n" % (name, len(entries), base64.b64encode(root_of(hashes)).decode())
    signature = base64.b64encode(key_id + sign(key, folder, text.encode())).decode()
    put(folder, "checkpoint", (text + "\n\u2014 %s %s\n" % (name, signature)).encode())
    print("%s+%s+%s" % (name, key_id.hex(), base64.b64encode(public).decode()))


main()
