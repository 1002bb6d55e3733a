#!/bin/bash
# SPDX-License-Identifier: ISC
# refused.sh: bundles that may not come in, one by one: each gives one line with its code, exit status 1 (4 where it only ends
# early), and readers see what they saw. Made out of a good bundle by the program below.
. tests/lib.sh
. tests/world.sh
ok "a world is made" world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
world_sync
inside import "$bundle" >/dev/null 2>&1
world_data villes code,nom 01,Bourg 02,Laon
world_sync
good=$bundle before=$(store_digest)
mkdir "$T/evil"
ok "evil bundles are made" python3 - "$good" "$T/evil" <<'PYTHON'
import hashlib, io, sys, tarfile

good, folder = sys.argv[1:]
with tarfile.open(good) as tar:
    members = [(m.name, tar.extractfile(m).read()) for m in tar]
raw = open(good, "rb").read()
blob = next(i for i, (name, _) in enumerate(members) if name.startswith("blobs/"))

def header(name, size, kind=tarfile.REGTYPE, link="", mode=0o444):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname, info.mode = size, kind, link, mode
    return info

def write(name, items):
    with tarfile.open(f"{folder}/{name}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        for info, data in items:
            tar.addfile(info, io.BytesIO(data))

def plain(changed):
    return [(header(name, len(data)), data) for name, data in changed]

def blob_of(data):
    return f"blobs/{hashlib.sha256(data).hexdigest()}"

evil = b"evil"
rest = plain(members)
write("unknown-member", rest + plain([("readme.txt", evil)]))
write("slash", plain(members[:1]) + plain([("metadata/x/1.root.json", evil)]) + plain(members[1:]))
write("dotdot", plain(members[:1]) + plain([("metadata/../../1.root.json", evil)]) + plain(members[1:]))
write("absolute", plain(members[:1]) + plain([("/etc/passwd", evil)]) + plain(members[1:]))
for name, kind in [("symlink", tarfile.SYMTYPE), ("hard-link", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE), ("fifo", tarfile.FIFOTYPE), ("folder", tarfile.DIRTYPE)]:
    write(name, rest[:-1] + [(header(members[-1][0], 0, kind, "/etc/passwd" if "link" in name else ""), b"")])
write("duplicate", rest + rest[-1:])
write("wrong-blob-hash", plain([(n, d if i != blob else bytes([d[0] ^ 1]) + d[1:]) for i, (n, d) in enumerate(members)]))
write("wrong-format", plain([("format", b"clapet bundle 2\n")] + members[1:]))
write("no-format", plain(members[1:]))
stamp = next(i for i, (name, _) in enumerate(members) if name.endswith("timestamp.json"))
body = members[stamp][1]
def timestamp(name, data):
    write(name, plain([(n, data if i == stamp else d) for i, (n, d) in enumerate(members)]))
timestamp("duplicate-key", body.replace(b'"signatures"', b'"signatures":[],"signatures"', 1))
timestamp("deep-json", b"[" * 5000 + b"]" * 5000)
timestamp("no-json", b"\x00" * 64)
timestamp("changed-signed-part", body.replace(b'"issued":"2', b'"issued":"3', 1).replace(b'"issued": "2', b'"issued": "3', 1))
size = rest[-1][0].size
# An oversize member: its header declares 9 GiB in octal of eleven digits.
big = bytearray(raw)
at = raw.index(members[-1][0].encode())
big[at + 124:at + 136] = b"77777777777\0"
check = bytes(big[at:at + 148]) + b" " * 8 + bytes(big[at + 156:at + 512])
big[at + 148:at + 156] = b"%06o\0 " % sum(check)
open(f"{folder}/oversize.tar", "wb").write(big)
open(f"{folder}/trailing.tar", "wb").write(raw + evil * 128)
open(f"{folder}/truncated.tar", "wb").write(raw[:len(raw) // 2 // 512 * 512 + 7])
PYTHON
n=0
for file in "$T"/evil/*.tar; do
	name=${file##*/}
	name=${name%.tar}
	wanted=1 word=REFUSED
	[ "$name" != truncated ] || wanted=4 word=MISSING
	run inside import "$file"
	is "$status" "$wanted" "$name: exit status $wanted"
	is "$(printf '%s\n' "$output" | grep -Ec "^E[0-9]{4} $word bundle $name\.tar: .*[^.]\. ")" 1 "$name: one line" || printf '%s\n' "$output" | sed 's/^/# /'
	[ "$(store_digest)" = "$before" ] && n=$((n + 1))
	rm -f "$T/in/incoming/"*.tar
done
is "$n" "$(find "$T/evil" -name '*.tar' | wc -l)" "after each readers saw what they saw"
run inside verify
is "$status" 0 "the store verifies"
run inside import "$good"
is "$status" 0 "the good one goes in"
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 3 "and is in force"
done_testing
