#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""patchreader.py BASE PATCH >FILE: decodes a patch (bundle/FORMAT.md 15) with nothing of ours: Python and the zstd library's own interface.
The proof that another can be written from the document."""
import ctypes
import hashlib
import struct
import sys

zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
zstd.ZSTD_decompress.restype = ctypes.c_size_t
SEGMENT = 16 << 20


def frame(data):
    size = zstd.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    assert size < 2**32, "15.3: a frame without its content size"
    plain = ctypes.create_string_buffer(size + 1)
    n = zstd.ZSTD_decompress(plain, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert n == size, "15.3: a frame that does not decode"
    return plain.raw[:size]


def numbers(data):
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0


base, patch = (open(path, "rb").read() for path in sys.argv[1:3])
assert patch[:15] == b"clapet patch 1\n", "15.2: no patch of format 1"
digest, base_length, plain_length = patch[15:47], *struct.unpack("<QQ", patch[47:63])
assert len(base) == base_length and hashlib.sha256(base).digest() == digest, "15.2: another base"
n_segments = -(-plain_length // SEGMENT)
table = struct.unpack_from(f"<{2 * n_segments}I", patch, 63)
at = 63 + 8 * n_segments
for segment in range(n_segments):
    lengths = table[2 * segment : 2 * segment + 2]
    copies, literals = frame(patch[at : at + lengths[0]]), frame(patch[at + lengths[0] : at + sum(lengths)])
    at += sum(lengths)
    n, *rest = numbers(copies)
    begin, distance, used, out = segment * SEGMENT, 0, 0, bytearray()
    for before, length, change in zip(rest[:n], rest[n : 2 * n], rest[2 * n :]):
        out += literals[used : used + before]
        used += before
        distance += change >> 1 ^ -(change & 1)
        start = begin + len(out) + distance
        out += base[start : start + length]
    out += literals[used:]
    assert len(out) == min(SEGMENT, plain_length - begin), "15.5: not a whole segment"
    sys.stdout.buffer.write(out)
assert at == len(patch), "15.1: bytes behind the last segment"
