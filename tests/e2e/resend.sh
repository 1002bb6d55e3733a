#!/bin/bash
# SPDX-License-Identifier: ISC
# resend.sh: bundles are lost; the inside's short request, carried by a person, brings back just what they had. The request is hostile input.
. tests/lib.sh
. tests/world.sh

sealed() { printf '%s\ncheck %s\n' "$1" "$(printf '%s\n' "$1" | sha256sum | cut -c1-10)"; }
body() { grep -v '^check ' "$T/request"; }
altered() { sealed "$(body | sed "$1")"; }
heartbeat() { bundle=$(outside heartbeat 2>/dev/null | sed -n 's/^bundle \(.*\.tar\): .*/\1/p'); }
ask() { # -> $T/request, $T/told
	inside missing >"$T/request" 2>"$T/told"
}
resent() { # the bundle that the last run of resend made
	sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output" | tail -n 1
}
rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
outbox() { find "$T/out/outbox" -name '*.tar' | sort | sha256sum; }

world_new
world_policy villes rues cafes
world_source villes "code:string nom:string"
world_source rues "code:string nom:string"
world_data villes code,nom 01,Bourg
world_data rues code,nom 01,Albe
world_sync
run inside import "$bundle"
is "$status" 0 "two datasets are in force"
run inside missing
is "$status" 0 "nothing is missing"
is "$output" "nothing is missing" "and nothing is asked for"

# --- a bundle is lost ------------------------------------------------------------------------------------------------------
world_data villes code,nom 01,Bourg 02,Lyon
world_sync
lost=$bundle
heartbeat
run inside import "$bundle"
is "$status" 4 "after the next heartbeat the inside knows that it misses something"
ask
is "$?" 4 "missing: exit 4"
like "$(cat "$T/request")" '^clapet request 2$' "a short request"
like "$(cat "$T/request")" '^timestamp 4$' "with the newest version of each top role"
like "$(cat "$T/request")" '^want villes( [0-9a-f]{10}){4}$' "few objects: each by ten digits of its hash"
unlike "$(cat "$T/request")" 'rues' "and of that dataset alone"
like "$(cat "$T/told")" 'They disclose' "what it discloses is said"
ok "a few hundred characters ($(wc -c <"$T/request"))" test "$(wc -c <"$T/request")" -lt 300
before=$(outbox)
cp "$T/request" "$T/good"
run outside resend --dry-run "$T/request"
is "$status" 0 "resend --dry-run"
like "$output" '^villes +[0-9a-f]{10} +1 ' "it shows what is asked for"
like "$output" 'would send a bundle of .* \([0-9]+ bytes\)' "and its bytes"
said=$(sed -n 's/.*(\([0-9]*\) bytes).*/\1/p' <<<"$output")
is "$(outbox)" "$before" "and makes nothing"
run outside resend "$T/request"
is "$status" 0 "resend"
is "$(stat -c %s "$(resent)")" "$said" "the bundle has the bytes that were said"
unlike "$(tar tf "$(resent)")" 'rues' "with the metadata that are needed"
like "$(outside log)" 'resend .*asked for 4 things' "the log tells it"
run inside import "$(resent)"
is "$status" 0 "the bundle completes the set"
is "$(rows villes)" 3 "the version is in force"
run inside missing
is "$output" "nothing is missing" "nothing is missing any more"
run inside import "$lost"
is "$status" 0 "the lost one, late, is superseded"

# --- as typed by a person --------------------------------------------------------------------------------------------------
typed() { # NAME: $T/typed is taken
	run outside resend --dry-run "$T/typed"
	is "$status" 0 "$1"
}
tr a-z A-Z <"$T/good" >"$T/typed"
typed "in capitals"
sed 's/$/\r/' "$T/good" >"$T/typed"
typed "with CRLF"
sed 's/ /   /g; s/^/  /; s/$/ \t/; G' "$T/good" >"$T/typed"
typed "with blanks and empty lines"
head -c -1 "$T/good" >"$T/typed"
typed "without the last line feed"
run "$BIN/clapet-outside" --config "$T/out/outside.json" resend --dry-run - <"$T/good"
is "$status" 0 "on standard input"
sed '/^want/s/[0-8a-e]$/f/; t; /^want/s/.$/0/' "$T/good" >"$T/typed"
run outside resend --dry-run "$T/typed"
is "$status" 1 "a digit mistyped"
like "$output" 'E1310 .*line [0-9]+: the check does not fit.*18\.7' "is found by the check"
sed '/^want/s/[0-9a-f]$/o/' "$T/good" >"$T/typed"
run outside resend --dry-run "$T/typed"
is "$status" 1 "the letter o for a zero"
like "$output" "E1310 .*line 6: .*18\.4" "is refused with its line"

# --- as hostile input --------------------------------------------------------------------------------------------------------
refused() { # EXIT PATTERN NAME: of $T/bad
	run outside resend "$T/bad"
	is "$status" "$1" "$3: exit $1"
	like "$output" "$2" "$3: by name"
}
cp "$T/good" "$T/request"
before=$(outbox)
altered 's/^timestamp .*/timestamp 999999/' >"$T/bad"
refused 1 'E1317 REFUSED .*trusts timestamp 999999' "an inside that is ahead"
like "$output" 'recover' "it names recover"
altered 's/^root .*/root 7/' >"$T/bad"
refused 1 'E1317 REFUSED .*root 7' "a root that is not here"
altered 's/^want .*/want villes 0000000000/' >"$T/bad"
refused 4 'E1318 MISSING blob 0000000000 of villes: not here' "an object that nobody made"
like "$output" 'nothing to send' "nothing is sent for it"
altered 's/^want .*/since 0 nobody/' >"$T/bad"
refused 4 'E1318 MISSING anything of nobody' "a dataset that nobody made"
altered 's/^want .*/since 0 ..\/..\/keys/' >"$T/bad"
refused 1 'E1310 .*18\.10' "a path for a name"
altered 's/^want .*/want villes ..\/..\/keys/' >"$T/bad"
refused 1 'E1310 .*18\.4' "a path for digits"
altered 's/^want .*/want villes 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789/' >"$T/bad"
refused 1 'E1310 .*18\.1' "more words than a line has"
altered 's/^want .*/since 99999 villes/' >"$T/bad"
refused 1 'E1310 .*18\.11' "since a time to come"
altered 's/^clapet request 2/clapet request 3/' >"$T/bad"
refused 1 'E1310 ' "another format"
sealed "$(body; for i in $(seq 60); do echo "since 0 villes$i"; done)" >"$T/bad"
refused 1 'E1310 .*18\.12' "more than a QR code holds"
head -c 4096 /dev/urandom >"$T/bad"
refused 1 'E1310 ' "noise"
head -c 3000000 /dev/zero >"$T/bad"
refused 1 'E1310 ' "three megabytes of nothing"
: >"$T/bad"
refused 1 'E1310 ' "an empty file"
sealed "$(body | grep -v '^want')" >"$T/bad"
run outside resend "$T/bad"
is "$status" 0 "a request that asks for nothing"
like "$output" 'nothing to send' "brings nothing"
is "$(outbox)" "$before" "and none of them made a bundle"
altered 's/^want \(.*\)/want \1 0000000000/' >"$T/bad"
run outside resend "$T/bad"
is "$status" 4 "one object is here, one is not: exit 4"
like "$output" '^bundle ' "what is here is sent"
run outside recover "$T/good"
is "$status" 1 "recover wants the long form"
like "$output" 'clapet-inside request' "and says which"
inside request >"$T/long" 2>/dev/null
run outside resend "$T/long"
is "$status" 0 "resend reads the long form, too"

# --- more than a person types ------------------------------------------------------------------------------------------------
names=()
for n in $(seq 1 12); do names+=("d$n"); done
world_policy villes rues cafes "${names[@]}"
for n in "${names[@]}"; do
	world_source "$n" "code:string nom:string"
	world_data "$n" code,nom "01,${n}a"
done
world_sync
run inside import "$bundle"
is "$status" 0 "fourteen datasets"
whole=$(inside --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["trust"]["timestamp"])')
for n in "${names[@]}"; do world_data "$n" code,nom "01,${n}a" "02,${n}b"; done
world_sync
heartbeat
run inside import "$bundle"
is "$status" 4 "the bundle with twelve new versions is lost"
ask
is "$(grep -c "^since $whole d" "$T/request")" 7 "of 48 objects those of seven datasets are asked for since they were whole"
is "$(grep '^want d' "$T/request" | wc -w)" 30 "and twenty by name"
ok "and a QR code holds it ($(wc -c <"$T/request") bytes)" test "$(wc -c <"$T/request")" -le 666
run outside resend --json "$T/request"
is "$status" 0 "resend --json"
again=$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["bundles"][0]["path"] if sum(i["blobs"] for i in d["asked"]) >= 36 else "")' <<<"$output")
run inside import "$again"
is "$status" 0 "one bundle brings them all"
is "$(rows d12)" 3 "they are in force"
run inside missing
is "$status" 0 "nothing is missing"

# --- an outside that moved on in the meantime ----------------------------------------------------------------------------------
world_data villes code,nom 01,Bourg 05,Gap
world_sync
heartbeat
inside import "$bundle" >/dev/null 2>&1
ask
world_data villes code,nom 01,Bourg 06,Nice
world_sync
run outside resend "$T/request"
run inside import "$(resent)"
is "$status" 0 "the newest version comes instead of the one that was lost"
like "$(cat "$T/in/store/current/villes/villes.csv")" 'Nice' "it is in force"

# --- a new inside ------------------------------------------------------------------------------------------------------------
mv "$T/in" "$T/in.first"
mkdir -p "$T"/in/{incoming,spool,contracts,store}
cp "$T/in.first/inside.json" "$T/in.first/policy.json" "$T/in/"
inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
heartbeat
inside import "$bundle" >/dev/null 2>&1
ask
is "$(grep -c '^since 0' "$T/request")" "$(grep -c '^since' "$T/request")" "an inside that joins late asks for everything"
run outside resend "$T/request"
is "$status" 0 "and gets it"
run inside import "$(resent)"
is "$status" 0 "in one bundle"
is "$(rows villes) $(rows d1)" "3 3" "all of it is in force"
run inside verify
is "$status" 0 "the store verifies"

# --- a keyframe is lost, and a patch against it arrives --------------------------------------------------------------------------
encoding() { # of cafes.csv in the newest metadata: its type
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["signed"]["targets"]["cafes/cafes.csv"]["custom"]["encodings"][0]["type"])' "$(find "$T/out/repository/metadata" -name '*.cafes.json' | sort -V | tail -n 1)"
}
world_source cafes "code:string nom:string"
cafe() { printf 'code,nom\n'; for i in $(seq 1 3000); do printf '%s,%s\n' "$i" "$(printf '%s' "$i" | cksum | tr -d ' ')$1"; done; }
cafe "" >"$T/data/cafes.csv"
world_sync
is "$(encoding)" zstd "a keyframe is made, and lost on the way"
sed -i '1500s/$/x/' "$T/data/cafes.csv"
world_sync
is "$(encoding)" patch "the next version is a patch against it"
run inside import "$bundle"
is "$status" 4 "which arrives, and cannot be read alone"
ask
like "$(cat "$T/request")" '^want cafes [0-9a-f]{10}$' "the keyframe is asked for by its digits"
run outside resend "$T/request"
is "$status" 0 "and sent again"
run inside import "$(resent)"
is "$status" 0 "with it"
is "$(sha256sum <"$T/in/store/current/cafes/cafes.csv")" "$(sha256sum <"$T/data/cafes.csv")" "the new version is in force"
run inside missing
is "$status" 0 "nothing is missing"

# --- a bundle that crossed the link in part ------------------------------------------------------------------------------------------
world_data rues code,nom 01,Albe 03,Cour
world_sync
part=$bundle
digest=$(sha256sum "$part" | cut -d' ' -f1)
heartbeat
inside import "$bundle" >/dev/null 2>&1
mkdir -p "$T/in/incoming/.link"
printf 'clapet link missing 1\n%s:0-3,17\n' "$digest" >"$T/in/incoming/.link/missing.txt"
ask
is "$?" 4 "a bundle crossed in part: exit 4"
like "$(cat "$T/request")" "^part ${digest:0:10} 0-3,17\$" "its missing generations are asked for"
like "$(cat "$T/request")" '^want rues ' "beside what was in it"
like "$(cat "$T/told")" "bundle ${digest:0:10}… crossed the link in part: generations 0-3,17" "and people are told"
is "$(inside --json missing | python3 -c 'import json, sys; print(json.load(sys.stdin)["parts"])')" "[{'bundle': '${digest:0:10}', 'generations': '0-3,17'}]" "as JSON, too"
before=$(outbox)
run outside resend --dry-run "$T/request"
is "$status" 0 "resend --dry-run"
like "$output" "generations 0-3,17 of ${part##*/} would be sent again" "it says what would be sent"
not_ok "and asks nobody to" test -e "$T/out/outbox/.ask-$digest"
run outside resend "$T/request"
is "$status" 0 "resend"
like "$output" '^rues +[0-9a-f]{10} \(in a bundle below\)' "what that bundle holds"
is "$(outbox)" "$before" "is not put into another one"
is "$(cat "$T/out/outbox/.ask-$digest")" "0-3,17" "clapet-send is asked for the generations"
like "$(outside resend --json "$T/request" 2>&1)" "\"bundle\": \"${part##*/}\"" "as JSON, too"
like "$(outside log)" 'resend .*1 bundles in part' "the log tells it"
mv "$part" "$T/"
run outside resend "$T/request"
is "$status" 4 "where the bundle is no more in the outbox: exit 4"
like "$output" "E1318 MISSING bundle ${digest:0:10}: not in the outbox" "by name"
run inside import "$(resent)"
is "$status" 0 "its blobs come in another one"
is "$(rows rues)" 3 "they are in force"
ask
is "$(grep -Ec '^(want|since)' "$T/request")" 0 "then the part alone is asked for"
printf 'clapet link missing 1\n%s:3-0\n' "$digest" >"$T/in/incoming/.link/missing.txt"
run inside missing
is "$status" 1 "a receiver that says what makes no sense"
like "$output" 'E7004 REFUSED .*missing.txt line 2: no ranges' "is not believed"
rm -r "$T/in/incoming/.link"

# --- a lost blob outside, and the picture ----------------------------------------------------------------------------------------
world_data rues code,nom 01,Albe 02,Bois
world_sync
heartbeat
inside import "$bundle" >/dev/null 2>&1
ask
gone=$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print([f["parts"][0]["sha256"] for f in d["published"]["files"] if f["name"] == "rues.csv"][0])' "$T/out/state/rues/state.json")
mv "$T/out/repository/blobs/$gone" "$T/"
run outside resend "$T/request"
is "$status" 4 "a blob that the repository lost: exit 4"
like "$output" "E1318 MISSING blob ${gone:0:10} of rues: not here" "by name"
altered 's/^want .*/since 0 rues/' >"$T/bad"
run outside resend --dry-run "$T/bad"
is "$status" 4 "likewise where all is asked for"
like "$output" "E1318 MISSING blob ${gone:0:10} \(rues/rues\.csv\) of rues: not here" "by name and file"
mv "$T/$gone" "$T/out/repository/blobs/"
LC_ALL=C script -qec "env -u NO_COLOR TERM=dumb '$BIN/clapet-inside' --config '$T/in/inside.json' missing" /dev/null </dev/null >"$T/terminal" 2>&1
like "$(cat "$T/terminal")" '######' "on a terminal there is a QR code"
run inside missing --png "$T/request.png"
is "$status" 4 "missing --png"
cat >"$T/png.py" <<'PYTHON'
import re, struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, chunks = 8, []
while at < len(data):
    (size,) = struct.unpack(">I", data[at:at + 4])
    kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
    assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body)
    chunks.append((kind, body))
    at += 12 + size
assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
assert (depth, colour, rest) == (1, 0, [0, 0, 0]) and width == height and width % 8 == 0
pixels = zlib.decompress(chunks[1][1])
line = 1 + width // 8
assert len(pixels) == line * height and not any(pixels[y * line] for y in range(height))
def dark(x, y):
    return not pixels[y * line + 1 + x // 8] >> (7 - x % 8) & 1
side = width // 8
picture = [[dark(8 * x + 4, 8 * y + 4) for x in range(side)] for y in range(side)]
for y in range(height):
    for x in range(width):
        assert dark(x, y) == picture[y // 8][x // 8]
# The terminal's: two columns a module; what is inked is light there.
text = re.sub(r"\x1b\[[0-9;]*m", "", open(sys.argv[2]).read()).replace("\r", "")
lines = [row for row in text.split("\n") if re.fullmatch(r"[# ]+", row) and len(row) == 2 * side]
shown = [[row[2 * x] == " " for x in range(side)] for row in lines]
assert shown == picture, (len(shown), side)
print("same", side)
PYTHON
like "$(python3 "$T/png.py" "$T/request.png" "$T/terminal" 2>&1)" '^same [0-9]+$' "the picture is a PNG of the very code that the terminal shows"
if command -v zbarimg >/dev/null; then
	is "$(zbarimg -q --raw "$T/request.png" 2>/dev/null)" "$(cat "$T/request")" "a reader reads the request from it"
fi
run inside missing --png "$T/request.png"
is "$status" 2 "a file that is there is not replaced"
ok "as JSON, too" sh -c "'$BIN/clapet-inside' --config '$T/in/inside.json' --json missing | python3 -c 'import json, sys; d = json.load(sys.stdin); sys.exit(d[\"text\"] != open(\"$T/request\").read() or d[\"datasets\"][0][\"dataset\"] != \"rues\")'"
done_testing
