#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-audit log and compare over logs that were made by hand (tests/makelog.py): what holds, each tampering with its own line, proofs
# that another program checks, and two logs that do not agree.
. tests/lib.sh

audit() { run "$BIN/clapet-audit" --test-bench "$@"; }
entry() { # TIME EVENT [NAME=VALUE…]
	python3 - "$@" <<'PYTHON'
import json, sys
order = ["format", "time", "event", "dataset", "version", "sha256", "code", "clause", "person", "line"]
members = {"format": "clapet log entry 1", "time": sys.argv[1], "event": sys.argv[2]}
members.update(a.split("=", 1) for a in sys.argv[3:])
print(json.dumps({k: members[k] for k in order if k in members}, separators=(",", ":"), ensure_ascii=False))
PYTHON
}
hash_of() { printf %s "$1" | sha256sum | cut -c1-64; }
many() { # N: entries a minute apart
	python3 - "$1" <<'PYTHON'
import sys
for i in range(int(sys.argv[1])):
    print('{"format":"clapet log entry 1","time":"2026-03-01T%02d:%02d:00Z","event":"import","line":"bundle %d: accepted"}' % (i // 60, i % 60, i))
PYTHON
}
make_log() { python3 tests/makelog.py "$@"; }

# --- a log of 520 entries and what it was at 300
many 520 >"$T/lines"
head -n 300 "$T/lines" | make_log "$T/old" clapet-inside/one "$T/one.pem" >"$T/key"
make_log "$T/log" clapet-inside/one "$T/one.pem" <"$T/lines" >/dev/null
key=$(cat "$T/key")

audit log "$T/log" --key "$key"
is "$status" 0 "the log holds" || echo "# $output"
is "$(grep -c 'bundle [0-9]*: accepted' <<<"$output")" 520 "and all of its history is printed"
like "$output" '^ +519  2026-03-01 08:39 \+0000  bundle taken in +bundle 519: accepted$' "for people, with local time and zone"
audit log "$T/log" --key-file "$T/key" --since "$T/old/checkpoint" --from 2026-03-01T01:00:00Z --to 2026-03-01T01:09:00Z
is "$status" 0 "it continues the older checkpoint" || echo "# $output"
like "$output" 'continues the checkpoint of 300 entries$' "and says so"
is "$(grep -c 'bundle [0-9]*: accepted' <<<"$output")" 10 "a period alone"
audit log "$T/log" --key "$key" --json
is "$(python3 -c 'import json,sys
lines=[json.loads(l) for l in sys.stdin]
print(lines[0]["valid"], lines[0]["size"], len(lines)-1, lines[520]["index"], lines[520]["entry"]["line"])' <<<"$output")" \
	"True 520 520 519 bundle 519: accepted" "JSON, one object a line"

# --- proofs that somebody else checks, from the JSON alone
audit log "$T/log" --key "$key" --entry 257 --proof
is "$status" 0 "a proof of inclusion" || echo "# $output"
cat >"$T/verify.py" <<'PYTHON'
import base64, hashlib, json, sys
def h(data): return hashlib.sha256(data).digest()
def note(text):
    lines = text.split("\n")
    return int(lines[1]), base64.b64decode(lines[2])
def fold(index, size, leaf, proof):  # RFC 9162, 2.1.3.2
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        assert sn > 0
        if fn & 1 or fn == sn:
            r = h(b"\x01" + p + r)
            while not fn & 1 and fn:
                fn >>= 1; sn >>= 1
        else:
            r = h(b"\x01" + r + p)
        fn >>= 1; sn >>= 1
    assert sn == 0
    return r
def extends(first, second, first_hash, second_hash, proof):  # RFC 9162, 2.1.4.2
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_hash)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1; sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        assert sn > 0
        if fn & 1 or fn == sn:
            fr, sr = h(b"\x01" + c + fr), h(b"\x01" + c + sr)
            while not fn & 1 and fn:
                fn >>= 1; sn >>= 1
        else:
            sr = h(b"\x01" + sr + c)
        fn >>= 1; sn >>= 1
    return fr == first_hash and sr == second_hash and sn == 0
d = json.load(sys.stdin)
size, root = note(d["checkpoint"])
hashes = [base64.b64decode(x) for x in d["hashes"]]
if d["format"] == "clapet log inclusion proof 1":
    good = fold(d["index"], size, h(b"\x00" + d["entry"].encode()), hashes) == root
else:
    good = extends(d["oldSize"], size, base64.b64decode(d["oldRoot"]), root, hashes)
print(d["format"], good)
PYTHON
is "$(python3 "$T/verify.py" <<<"$output")" "clapet log inclusion proof 1 True" "which another program finds right"
is "$(sed 's/bundle 257/bundle 258/' <<<"$output" | python3 "$T/verify.py")" "clapet log inclusion proof 1 False" "and wrong for another entry"
audit log "$T/log" --key "$key" --since "$T/old/checkpoint" --proof
is "$(python3 "$T/verify.py" <<<"$output")" "clapet log consistency proof 1 True" "a proof of consistency, too"
audit log "$T/log" --key "$key" --entry 257
like "$output" 'proved +entry 257 is in the tree that was signed, by 10 hashes' "for people"

# --- tampering: NAME, the line wanted, what is done to a copy ($S)
tampered() {
	local name=$1 wanted=$2
	S=$T/copy
	rm -rf "$S" && cp -a "$T/log" "$S"
	(cd "$S" && eval "$3") || echo "# cannot tamper: $3"
	audit log "$S" --key "$key" --since "$T/old/checkpoint"
	is "$status" 1 "$name" || echo "# $output"
	like "$output" "E[0-9]{4} REFUSED .*$wanted" "$name: named"
	unlike "$output" 'Everything holds' "$name: nothing is said to hold"
}
flip() { python3 -c 'import sys
p, at = sys.argv[1], int(sys.argv[2]); d = bytearray(open(p, "rb").read()); d[at] ^= 1; open(p, "wb").write(d)' "$1" "$2"; }
tampered "one entry changed" 'tile/entries/001' 'flip tile/entries/001 2000'
tampered "one tile changed" 'tile/0/001' 'flip tile/0/001 100'
tampered "the tile above changed" 'its 520 entries have the root' 'flip tile/1/000.p/2 3'
tampered "a tile lost" 'tile/0/000.*missing' 'rm tile/0/000'
tampered "entries lost" 'tile/entries/002.p/8.*missing' 'rm tile/entries/002.p/8'
tampered "a tile cut" 'tile/0/001' 'truncate -s 8000 tile/0/001'
tampered "an entry behind the last" 'tile/entries/002.p/8' 'printf "\0\1x" >>tile/entries/002.p/8'
tampered "a file that does not belong" 'diary.txt: does not belong' 'echo x >diary.txt'
tampered "a tile that does not belong" 'tile/0/x999: no tile' 'echo x >tile/0/x999'
tampered "the number in the checkpoint changed" 'checkpoint' 'sed -i "2s/520/519/" checkpoint'
tampered "the root in the checkpoint changed" 'checkpoint' 'sed -i "3s/^./A/;3s/^A\(.\)/B\1/" checkpoint'
tampered "a checkpoint without its signature" 'checkpoint' 'sed -i "4,\$d" checkpoint'
tampered "no checkpoint" 'checkpoint' 'rm checkpoint; echo hello >checkpoint'

# Rewritten by who owns the key: only the older checkpoint knows.
sed 's/bundle 7:/bundle 8:/' "$T/lines" | make_log "$T/forked" clapet-inside/one "$T/one.pem" >/dev/null
audit log "$T/forked" --key "$key"
is "$status" 0 "a log that was written anew holds by itself"
audit log "$T/forked" --key "$key" --since "$T/old/checkpoint"
is "$status" 1 "but it does not continue the older checkpoint" || echo "# $output"
like "$output" 'E6116 REFUSED --since: its first 300 entries are not those of the older checkpoint' "the fork is named"
audit log "$T/old" --key "$key" --since "$T/log/checkpoint"
is "$status" 1 "a log that was rolled back"
like "$output" 'E6116 REFUSED --since: has 300 entries, the older checkpoint has 520' "is named as such"

# Another log, another key.
make_log "$T/other" clapet-inside/two "$T/two.pem" <"$T/lines" >"$T/two.key"
make_log "$T/stolen" clapet-inside/one "$T/two.pem" <"$T/lines" >"$T/stolen.key"
audit log "$T/other" --key "$key"
is "$status" 1 "another log is not this one"
audit log "$T/log" --key "$key" --since "$T/other/checkpoint"
is "$status" 1 "nor is its checkpoint an older one of this"
like "$output" 'E6112 REFUSED --since' "by its code"
audit log "$T/stolen" --key "$key"
is "$status" 1 "the right name with another key"
like "$output" 'E6112' "by its code"

# --- the checkpoint as people have it
printf '%s\r\n' "$(sed -n 1p "$T/old/checkpoint")" "$(sed -n 2p "$T/old/checkpoint")  " "$(sed -n 3p "$T/old/checkpoint")" >"$T/typed"
audit log "$T/log" --key "$key" --since "$T/typed"
is "$status" 0 "three lines typed from paper are enough" || echo "# $output"
like "$output" 'your own paper stands for it' "and what stands for their signature is said"
sed -i '2s/300/299/' "$T/typed"
audit log "$T/log" --key "$key" --since "$T/typed"
is "$status" 1 "a slip of the finger is no older checkpoint"

# --- hostile lines, codes and names
{
	entry 2026-03-01T00:00:00Z refuse code=E3101 clause="bundle/FORMAT.md 4.4" line=$'blob \e[31mred <b>x</b> & "y"'
	entry 2026-03-01T00:01:00Z approve dataset=cog code=E5002 person=p1 line="w1: the field is not read any more"
	entry 2026-03-01T00:02:00Z teleport code=E8999 line="of a newer program"
} | make_log "$T/evil" clapet-inside/one "$T/one.pem" >/dev/null
echo '{"format": "clapet log people 1", "next": 2, "people": [{"id": "p1", "name": "Jeanne \u202eM"}]}' >"$T/evil/people.json"
audit log "$T/evil" --key "$key"
is "$status" 0 "a hostile history is read" || echo "# $output"
unlike "$output" $'\e' "and no escape reaches the terminal"
like "$output" 'REFUSED +blob .x1b' "what was refused"
like "$output" 'E3101, a blob .*; bundle/FORMAT.md 4.4' "the code in words, with its clause"
like "$output" 'by p1 \(Jeanne \\xe2\\x80\\xaeM\)' "the person by the name beside the tree"
like "$output" 'teleport +of a newer program' "what a newer program wrote is shown as it is"
rm "$T/evil/people.json"
audit log "$T/evil" --key "$key"
like "$output" 'by p1$' "the pseudonym where the name was erased"

# --- two logs
world() { # OUTSIDE INSIDE: lists of words "name" or "name:code"; makes $T/out and $T/in
	local name minute=0
	rm -rf "$T/out" "$T/in"
	entry 2026-03-01T00:00:00Z init line=begun >"$T/sent"
	for name in $1; do
		minute=$((minute + 1))
		entry "2026-03-01T00:$(printf %02d $minute):00Z" send sha256="$(hash_of "$name")" line="bundle $name" >>"$T/sent"
	done
	make_log "$T/out" clapet-outside/x "$T/out.pem" <"$T/sent" >"$T/out.key"
	entry 2026-03-01T00:00:00Z init line=begun >"$T/came"
	for name in $2; do
		minute=$((minute + 1))
		case $name in
		*:*) entry "2026-03-01T01:$(printf %02d $minute):00Z" refuse sha256="$(hash_of "${name%:*}")" code="${name#*:}" line="bundle refused" ;;
		*) entry "2026-03-01T01:$(printf %02d $minute):00Z" import sha256="$(hash_of "$name")" line="bundle accepted" ;;
		esac >>"$T/came"
	done
	make_log "$T/in" clapet-inside/one "$T/one.pem" <"$T/came" >/dev/null
	audit compare "$T/out" "$T/in" --key-file "$T/out.key" --key "$key"
}
world "a b c" "a b c"
is "$status" 0 "two logs that agree" || echo "# $output"
like "$output" 'sent +3 bundles: 3 arrived, 0 refused inside, 0 in flight, 0 not arrived' "counted"
like "$output" 'Both logs agree' "and said"
world "a b c d" "b a b c"
is "$status" 0 "out of order, repeated, and one on its way" || echo "# $output"
like "$output" "in flight +sha256:$(hash_of d)" "what is in flight is named"
world "a b c" "a c"
is "$status" 4 "a lost bundle" || echo "# $output"
like "$output" "E6132 .*sha256:$(hash_of b): entry 2 outside" "is named"
world "a b" "a x b"
is "$status" 1 "a foreign bundle" || echo "# $output"
like "$output" "E6131 REFUSED sha256:$(hash_of x): entry 2 inside" "is named"
world "a b c" "a x:E2103 c"
is "$status" 1 "a foreign one and a lost one" || echo "# $output"
like "$output" 'E6131' "the foreign one"
like "$output" 'E6132' "and the lost one"
world "a b c" "a b:E2104 c"
is "$status" 0 "one that was refused inside did arrive" || echo "# $output"
like "$output" 'refused inside +sha256' "it is listed"
like "$output" 'E2104, expired metadata' "with its reason"
world "a b" "a b y:E3001"
is "$status" 0 "a file that ended early is no bundle that nobody sent" || echo "# $output"
like "$output" 'cut short +sha256' "but it is told"
audit compare "$T/out" "$T/in" --key-file "$T/out.key" --key "$key" --json
is "$(python3 -c 'import json,sys
lines=[json.loads(l) for l in sys.stdin if l.startswith("{")]
print([l["match"] for l in lines if "match" in l], [l["format"] for l in lines if "format" in l])' <<<"$output")" \
	"['arrived', 'arrived', 'cut'] ['clapet log comparison 1']" "JSON, one object a line"
world "a b c d e" "b c e"
audit compare "$T/out" "$T/in" --key-file "$T/out.key" --key "$key" --from 2026-03-01T00:02:00Z --to 2026-03-01T00:03:00Z
is "$status" 0 "in a period in which nothing was lost" || echo "# $output"
like "$output" 'sent +2 bundles: 2 arrived' "only that period counts"
audit compare "$T/in" "$T/in" --key "$key"
not_ok "a log against itself has sent nothing" grep -q 'Both logs agree' <<<"$output"
flip "$T/in/tile/entries/000.p/4" 60
audit compare "$T/out" "$T/in" --key-file "$T/out.key" --key "$key"
is "$status" 1 "a log that was changed compares with nothing"

# --- usage
audit log "$T/log"
is "$status" 2 "without a key nobody is believed"
audit log "$T/log" --key nonsense
is "$status" 2 "a key that is none"
audit log "$T/nowhere" --key "$key"
is "$status" 2 "a folder that is none"
audit log "$T/log" --key "$key" --entry 520
is "$status" 2 "an entry past the end"
audit log "$T/log" --key "$key" --proof
is "$status" 2 "a proof of what?"
done_testing
