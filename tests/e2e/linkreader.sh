#!/bin/bash
# SPDX-License-Identifier: ISC
# A session of the one-way link, recorded with losses, repeats and forgeries (tests/data/link, which the unit test bundle_link_recorded makes), and what
# clapet-send sends now, are read by tests/linkreader.py: a reader that shares no code with ours.
. tests/lib.sh
reader=$PWD/tests/linkreader.py data=$PWD/tests/data/link
of() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<<"$output"; }

mkdir "$T/whole" "$T/half" "$T/other"
run python3 "$reader" "$data/key" "$data/session" "$T/whole"
is "$status" 0 "the reader reads the session"
is "$(find "$T/whole" -type f | wc -l)" 4 "four files came: one in two sessions, two in a pack, one empty"
is "$(cd "$T/whole" && sha256sum ./* | awk '{ print ($2 == "./" $1) ? "same" : "other" }' | sort -u)" same "each is named by its digest"
is "$(of partial)" 0 "nothing was left in part"
ok "source symbols that never came were repaired ($(of repaired))" test "$(of repaired)" -ge 40
is "$(of stranger) $(of forged) $(of form)" "2 1 1" "what is no packet, was changed, or has no form is dropped"
is "$(of tests)" "[[17, 'à l’écoute ?']]" "the test message is there"
is "$(of beacons)" "[[123456, 431, '0102030000000000', 2, 1, 1]]" "so is the beacon"

# The first session alone: its repair rows are not enough, and nothing is shown.
python3 - "$data/session" "$T/first" <<'PYTHON'
import struct, sys
data, at, out = open(sys.argv[1], "rb").read(), 0, b""
while at < len(data):
    size = struct.unpack_from("<H", data, at)[0]
    if data[at + 18 : at + 34] == b"\1" * 16:
        out += data[at : at + 2 + size]
    at += 2 + size
open(sys.argv[2], "wb").write(out)
PYTHON
run python3 "$reader" "$data/key" "$T/first" "$T/half"
is "$(of partial) $(find "$T/half" -type f | wc -l)" "1 0" "one session of two is not enough, and shows no file"

# Another key: every packet is a stranger's.
sed 's/"key": "00/"key": "ff/' "$data/key" >"$T/other.key"
id=$(python3 -c 'import hashlib, json, sys; print(hashlib.sha256(b"clapet link id 1\n" + bytes.fromhex(json.load(open(sys.argv[1]))["key"])).hexdigest()[:8])' "$T/other.key")
sed -i "s/\"id\": \"[0-9a-f]*\"/\"id\": \"$id\"/" "$T/other.key"
run python3 "$reader" "$T/other.key" "$data/session" "$T/other"
is "$(of symbols) $(find "$T/other" -type f | wc -l)" "0 0" "under another key there is nothing to read"

# clapet-send itself, over loopback: a file of many blocks, small ones that share packets, an empty one.
mkdir "$T/live" "$T/files"
port=$((20000 + $$ % 20000))
"$BIN/clapet-keys" link --output "$T/link.key" >/dev/null
head -c 700001 /dev/urandom >"$T/files/large"
head -c 9000 /dev/urandom >"$T/files/small"
echo one >"$T/files/one"
: >"$T/files/empty"
python3 "$reader" "$T/link.key" --listen "$port" "$T/live" >"$T/said" 2>"$T/err" &
listener=$!
for _ in $(seq 100); do
	grep -q listening "$T/err" && break
	sleep 0.1
done
run "$BIN/clapet-send" --to "127.0.0.1:$port" --key "$T/link.key" --rate 10M "$T/files/"*
is "$status" 0 "clapet-send sends four files"
wait "$listener"
output=$(cat "$T/said")
is "$(cd "$T/live" && sha256sum ./* | cut -c 1-64 | sort)" "$(sha256sum "$T/files/"* | cut -c 1-64 | sort)" "the reader that is not ours has all four, byte for byte"
is "$(of stranger) $(of forged) $(of form)" "0 0 0" "every packet proves itself and has its form"
packets=$(($(of symbols) + $(of announcements) + $(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["beacons"]))' <<<"$output")))
ok "sequences count packets of all kinds, each once ($packets came)" test "$(($(of highest) + 1))" -ge "$packets" -a "$packets" -gt 600

done_testing
