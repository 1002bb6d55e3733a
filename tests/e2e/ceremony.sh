#!/bin/bash
# SPDX-License-Identifier: ISC
# A root held by three people, two of whom must sign, each on a machine of their own (a folder): init from public halves, rotation of
# every role, a lost key, a fast-forward, and a real inside that follows every step. Then all that is refused.
. tests/lib.sh
. tests/world.sh
keys=$BIN/clapet-keys
metadata=$T/out/repository/metadata
unset CREDENTIALS_DIRECTORY
cd "$T" || exit 2
mkdir alice bob chloe requests out

# sign HOLDER REQUEST: carried there, signed there, carried back; -> the signature file's path in $T/requests
sign() {
	cp "requests/$2" "$1/" && "$keys" sign "$1/$2" --key "$1/root.key" --yes >"$1/said" 2>&1 || return
	mv "$1/${2%.request}".*.signature requests/
}
assemble() { # REQUEST [OPTION…]: with every signature of it that came back
	"$keys" assemble "requests/$1" requests/"${1%.request}".*.signature --repository out/repository --keys out/keys "${@:2}"
}
keyid() { "$keys" show --json "$1" | sed -n 's/.*"keyid": "\(.*\)".*/\1/p'; }
version() { "$keys" show --json "$1" | sed -n 's/.*"version": \([0-9]*\).*/\1/p' | head -n 1; }
stock_python() { cat >"$T/edit.py" && python3 "$T/edit.py" "$@"; }

# --- a repository whose root keys never come to the outside host ---
for holder in alice bob chloe; do
	ok "$holder makes a key alone" "$keys" generate --no-passphrase --output $holder/root.key --public $holder/root.pub
	cp $holder/root.pub requests/$holder.pub
done
unlike "$(cat requests/*.pub)" 'secret' "a public half holds no secret"
is "$(keyid alice/root.pub)" "$(keyid alice/root.key)" "and is the same key"
run "$keys" public alice/root.key --output alice/again.pub
is "$(cmp alice/again.pub alice/root.pub && echo same)" same "\`public\` writes the same file from the key"
run "$keys" public alice/root.key --output alice/again.pub
like "$output" "E2124 REFUSED .*already there" "and overwrites none"

run "$keys" init --repository out/repository --keys out/keys --root-key-public requests/alice.pub --no-passphrase
is "$status" 2 "init with a public half asks where requests go"
run "$keys" init --repository out/repository --keys out/keys --root-key-public requests/alice.pub --root-key-public requests/alice.pub \
	--requests requests --no-passphrase
like "$output" "E2123 REFUSED .*same key" "the same public half twice is refused"
rm -rf out

world_keys() {
	mkdir -p out
	run "$keys" init --repository out/repository --keys out/keys --root-key-public requests/alice.pub \
		--root-key-public requests/bob.pub --root-key-public requests/chloe.pub --root-threshold 2 --requests requests --no-passphrase
	is "$status" 4 "init cannot sign that root: something is missing"
	like "$output" "To be signed  requests/1.root.request, by 2 of 3 root keys" "it says what"
	is "$(find out/repository out/keys -type f | sort | tr '\n' ' ')" \
		"out/keys/snapshot.key out/keys/targets.key out/keys/timestamp.key out/repository/metadata/1.targets.json " \
		"no root metadata, no root key"
	ok "alice signs" sign alice 1.root.request
	like "$(cat alice/said)" "this is a FIRST root" "she is told that nothing vouches for it yet"
	like "$(cat alice/said)" "root +is new: 2 of 3 keys must sign" "and what it says"
	run assemble 1.root.request
	is "$status" 4 "one of two signatures: exit 4"
	like "$output" "E2156 MISSING 1.root.json: 1 of 2 signatures by keys of the new root 1; not signed by $(keyid bob/root.key | cut -c1-8) .*$(keyid chloe/root.key | cut -c1-8)" \
		"how many are missing, and whose"
	not_ok "and nothing is written" test -e $metadata/1.root.json
	ok "chloe signs, on another machine" sign chloe 1.root.request
	run assemble 1.root.request
	is "$status" 0 "two of two: assembled"
	is "$(ls $metadata | tr '\n' ' ')" "1.root.json 1.snapshot.json 1.targets.json timestamp.json " "a whole repository"
	sum=$(sha256sum $metadata/*)
	run assemble 1.root.request
	is "$status" 0 "assembling again changes nothing"
	is "$(sha256sum $metadata/*)" "$sum" "(not a byte)"
}
world_new
world_source villes code:string
world_data villes code 01
ok "sync signs on it" world_sync
ok "a real inside takes it" inside import "$bundle"

follows() { # WHAT: a new version of the data crosses and comes into force
	n=$((${n:-1} + 1))
	world_data villes code 0$n
	ok "sync goes on $1" world_sync
	ok "the inside follows $1" inside import "$bundle"
	is "$(cat in/store/current/villes/villes.csv | tail -n 1)" 0$n "its readers have the new data"
}

# --- show, words ---
run "$keys" show $metadata/1.root.json
words=$(grep -E '^ +[1-4]  ' <<<"$output")
is "$(wc -l <<<"$words")" 4 "show prints four numbered lines of words"
run "$keys" compare $metadata/1.root.json <<<"$words"
is "$status" 0 "compare takes them"
like "$output" "MATCH: all four lines" "in constant words"
run "$keys" compare $metadata/1.root.json <<<"$(sed 's/[a-z]*$/zodiac/' <<<"$words")"
is "$status" 1 "a changed word is refused"
like "$output" "E2151 REFUSED .*NO MATCH: line [1-4] differs" "which line"
run "$keys" compare $metadata/1.targets.json <<<"$words"
like "$output" "E2151 REFUSED .*NO MATCH: line 1 differs" "another file's words are refused"
run "$keys" compare $metadata/1.root.json <<<"$(sed 2d <<<"$words")"
like "$output" "where line 2 should begin" "a line left out is noticed"
run "$keys" show --json $metadata/1.root.json alice/root.key alice/root.pub requests/1.root.request requests/1.root.*.signature
is "$(python3 -c 'import json, sys; print(*[x["kind"] for x in json.load(sys.stdin)])' <<<"$output")" "root key publicKey request signature signature" \
	"show knows everything that is carried"
run env LC_ALL=C "$keys" show --qr --no-words alice/root.pub
like "$output" '^########' "a QR code in ASCII"
unlike "$output" '^ +1  ' "without words where they are not wanted"
if command -v zbarimg >/dev/null; then
	LC_ALL=C.UTF-8 "$keys" show --qr --no-words alice/root.pub | grep '[█▀▄]' >qr.txt
	python3 - >qr.pgm <<-'END'
	rows = [line.rstrip("\n") for line in open("qr.txt", encoding="utf-8")]
	light = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
	grey = [[255 * light[c][half] for c in row for _ in range(4)] for row in rows for half in (0, 1) for _ in range(4)]
	print(f"P2 {len(grey[0])} {len(grey)} 255")
	for line in grey: print(*line)
	END
	is "$(zbarimg -q --raw qr.pgm 2>/dev/null)" "$(keyid alice/root.pub)" "a reader reads the keyid off the terminal's QR code"
fi

# --- rotation of everyday keys, one by one, each by a root that two sign ---
for role in timestamp snapshot targets; do
	v=$(($(find $metadata -name '*.root.json' | wc -l) + 1))
	old=$(keyid out/keys/$role.key)
	run "$keys" rotate $role --repository out/repository --keys out/keys --request requests/$v.root.request
	is "$status" 0 "rotate $role composes a request"
	like "$output" "$role +REMOVES key ${old:0:8}" "it says which key goes"
	like "$output" "$role +adds key $(keyid out/keys/$role.next.key | cut -c1-8)" "and which comes"
	[ $role = targets ] || like "$output" "forgets the timestamp and the snapshot" "and what the inside will do"
	is "$(keyid out/keys/$role.key)" "$old" "the old key stays in use meanwhile"
	ok "sync does not mind" world_sync
	ok "alice signs" sign alice $v.root.request
	like "$(cat alice/said)" "2 of the 2 signatures of its own that it needs" "she sees that the root before it is whole"
	ok "bob signs" sign bob $v.root.request
	run assemble $v.root.request
	is "$status" 0 "assemble"
	like "$output" "Put aside +keys/retired/$role.${old:0:16}.key" "the old key is put aside"
	is "$(keyid out/keys/retired/$role.${old:0:16}.key)" "$old" "(it is there)"
	not_ok "the new one has its place" test -e out/keys/$role.next.key
	is "$(find out/keys -type f ! -perm 0400 | wc -l)" 0 "all keys are their owner's alone"
	follows "after a rotation of $role"
done

# --- a dataset's key: the targets key is here, so nothing is carried ---
old=$(keyid out/keys/datasets/villes.key)
run "$keys" rotate villes --repository out/repository --keys out/keys
is "$status" 0 "rotate villes signs at once"
like "$output" "Written .*targets.json" "new targets"
isnt=$(keyid out/keys/datasets/villes.key)
not_ok "with another key" test "$isnt" = "$old"
run inside status
follows "after a rotation of a dataset's key"
run "$keys" renew targets --repository out/repository --keys out/keys --expires 100d
is "$status" 0 "targets are renewed here, too"
follows "after new targets"

# --- root: a new holder, a higher threshold, a lost key ---
"$keys" generate --no-passphrase --output "$T/dora.key" --public requests/dora.pub >/dev/null
mkdir dora && mv dora.key dora/root.key
run "$keys" stage --repository out/repository --add root=requests/dora.pub --threshold root=3 --request requests/5.root.request
is "$status" 0 "stage: one key more, threshold 3"
like "$output" "root +threshold 2 -> 3, of 4 keys" "in plain words"
ok "alice signs" sign alice 5.root.request
ok "dora signs" sign dora 5.root.request
run assemble 5.root.request
is "$status" 4 "two of the new keys, one of the old: not enough"
like "$output" "1 of 2 signatures by keys of root 4, 2 of 3 signatures by keys of the new root 5" "both thresholds are counted"
ok "bob signs" sign bob 5.root.request
ok "old and new thresholds met" assemble 5.root.request
follows "after a new root"
run "$keys" revoke "$(keyid chloe/root.key | cut -c1-8)" --repository out/repository --request requests/6.root.request
is "$status" 0 "a lost root key is revoked"
for holder in alice bob dora; do ok "$holder signs" sign $holder 6.root.request; done
ok "assembled" assemble 6.root.request
follows "after a revocation"
run "$keys" revoke "$(keyid alice/root.key | cut -c1-8)" --repository out/repository --request requests/x.root.request
is "$status" 1 "one more lost key is one too many"
like "$output" "E2157 REFUSED without key .* 2 root keys remain, and 3 must sign: no root can follow.*carry its root to the inside by hand" \
	"and it says that a new anchor must be carried"
run "$keys" threshold root 4 --repository out/repository --request requests/x.root.request
like "$output" "E2157 REFUSED role root would have 3 keys and a threshold of 4" "a threshold that nobody can meet"
run "$keys" threshold root 2 --repository out/repository --request requests/7.root.request
is "$status" 0 "a lower threshold"
for holder in alice bob dora; do sign $holder 7.root.request; done
ok "assembled" assemble 7.root.request
run "$keys" rotate root --old "$(keyid dora/root.key | cut -c1-12)" --new-public requests/chloe.pub --repository out/repository \
	--request requests/8.root.request
is "$status" 0 "a root key is exchanged for another"
for holder in alice bob; do ok "$holder signs" sign $holder 8.root.request; done
ok "assembled" assemble 8.root.request
follows "after a long chain of roots, all in one bundle"

# --- fast-forward: somebody with the everyday keys signed the last version that there is ---
cp -a out out.clean
cp -a in in.clean
stock_python $metadata/timestamp.json <<'END'
import json, sys
path = sys.argv[1]
document = json.load(open(path))
document["signed"]["version"] = 2**53 - 2
document["signatures"] = []
json.dump(document, open(path, "w"))
END
"$keys" sign --key out/keys/timestamp.key $metadata/timestamp.json >/dev/null
world_data villes code 77
ok "(an attacker's sync)" world_sync
is "$(version $metadata/timestamp.json)" 9007199254740991 "(the last version)"
inside import "$bundle" >/dev/null 2>&1
rm -rf out && cp -a out.clean out
world_data villes code 78
world_sync
run inside import "$bundle"
unlike "$(cat in/store/current/villes/villes.csv)" 78 "an honest outside is behind: the inside is stuck"
# The attacked host itself: its own timestamp.json is at the end, too.
cp -a out out.behind
stock_python $metadata/timestamp.json <<'END'
import json, sys
path = sys.argv[1]
document = json.load(open(path))
document["signed"]["version"] = 2**53 - 1
document["signatures"] = []
json.dump(document, open(path, "w"))
END
"$keys" sign --key out/keys/timestamp.key $metadata/timestamp.json >/dev/null
run "$keys" rotate timestamp --repository out/repository --keys out/keys --request requests/9.root.request
for holder in alice bob; do sign $holder 9.root.request; done
run assemble 9.root.request
like "$output" "E2153 REFUSED timestamp.json has version 9007199254740991, the last there is: --restart-versions" "a timestamp at the end cannot go on"
run assemble 9.root.request --restart-versions
like "$output" "E2153 REFUSED versions begin again only where root takes away every key of snapshot" "nor begin again with the snapshot's key still there"
not_ok "and nothing was written" test -e $metadata/9.root.json
rm requests/9.* out/keys/timestamp.next.key
run "$keys" rotate timestamp snapshot --repository out/repository --keys out/keys --request requests/9.root.request
is "$status" 0 "rotate both"
like "$output" "a fast-forward ends there" "it says what that is good for"
for holder in alice bob; do ok "$holder signs" sign $holder 9.root.request; done
ok "assembled, versions begin again" assemble 9.root.request --restart-versions
is "$(version $metadata/timestamp.json)" 1 "the timestamp is at 1"
follows "after recovery from a fast-forward"

# --- status ---
run "$keys" status --repository out/repository --keys out/keys
is "$status" 0 "status: nothing is due"
like "$output" "^root +9 +2 of 3 +- " "root with its keys"
like "$output" "^timestamp +[0-9]+ +1 of 1 +yes" "and the timestamp's, whose key is here"
run "$keys" renew root --repository out/repository --request requests/10.root.request --expires 40d
for holder in alice chloe; do sign $holder 10.root.request; done
ok "a root of 40 days" assemble 10.root.request
run "$keys" status --repository out/repository --keys out/keys
is "$status" 3 "status: less than a third of a year is left: exit 3"
like "$output" "DUE root expires in (39|40) days: 2 of 3 holders of root must sign: clapet-keys renew root" "who must act, and how"
run "$keys" status --repository out/repository --json --expires-root 60d
is "$status" 0 "(its whole validity can be told)"
is "$(python3 -c 'import json, sys; print(*[r["role"] + ":" + r["state"] for r in json.load(sys.stdin)["roles"]])' <<<"$output")" \
	"root:good targets:good snapshot:good timestamp:good status:good villes:good" "as JSON, datasets too"

# --- what is refused ---
request=requests/11.root.request
run "$keys" renew root --repository out/repository --request $request
sum=$(sha256sum $request)
run "$keys" sign $request --key alice/root.key </dev/null
is "$status" 3 "without a terminal and without --yes nothing is signed"
like "$output" "E2158 HELD no terminal to ask on" "with its code"
cat >terminal.py <<'END'
import os, pty, signal, sys
signal.alarm(20)
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        got = os.read(fd, 1024)
    except OSError:
        break
    if not got:
        break
    seen += got
    if seen.endswith(b": "):
        os.write(fd, sys.argv[1].encode() + b"\n")
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
run python3 terminal.py no "$keys" sign $request --key alice/root.key
is "$status" 3 "a person who does not say yes has not signed"
not_ok "(there is no signature)" ls requests/11.root.*.signature
run python3 terminal.py yes "$keys" sign $request --key alice/root.key
is "$status" 0 "one who says yes has"
like "$output" "Sign this with alice/root.key" "after the question"
is "$(sha256sum $request)" "$sum" "the request is never changed"
run "$keys" sign $request --key dora/root.key --yes
is "$status" 1 "a key that nobody names is refused"
like "$output" "E2123 REFUSED dora/root.key: key .* is none that may sign" "with its code"

refused() { # CODE-AND-LINE WHAT REQUEST SIGNATURE…
	run "$keys" assemble "${@:3}" --repository out/repository --keys out/keys
	like "$output" "$1" "refused: $2"
	not_ok "(nothing written)" test -e $metadata/11.root.json
}
alice=$(ls requests/11.root.*.signature)
sign bob 11.root.request
bob=$(ls requests/11.root."$(keyid bob/root.key | cut -c1-16)".signature)
refused "E2155 REFUSED .*key .* signed already; it counts once" "the same signature file twice" $request "$alice" "$alice"
cp "$alice" requests/copy.signature
refused "E2155 REFUSED .*key .* signed already" "a copy of it under another name" $request "$alice" requests/copy.signature
refused "E2155 REFUSED .*signs another request .root version 10" "the signature of another request" $request "$alice" \
	requests/10.root."$(keyid alice/root.key | cut -c1-16)".signature
refused "E2156 MISSING .*1 of 2 signatures by keys of root 10, 1 of 2" "too few" $request "$alice"
sed 's/"sig":"..../"sig":"0000/' "$alice" >requests/bent.signature
refused "E2155 REFUSED .*does not verify" "a bent signature" $request "$bob" requests/bent.signature
sed "s/$(keyid alice/root.key)/$(keyid bob/root.key)/" "$alice" >requests/lent.signature
refused "E2155 REFUSED .*does not verify" "a signature under another's name" $request requests/lent.signature
sed 's/clapet signature 1/clapet signature 2/' "$alice" >requests/newer.signature
refused "E4006 REFUSED .*signature format 2, this reads 1" "a signature of a newer format" $request requests/newer.signature
refused "E[24][01][05][26] REFUSED .*(clapet sign request 1.*, not|past its bound|more than)" "a request in place of a signature" $request $request
refused "E4006 REFUSED .*clapet signature 1.*, not" "a signature in place of a request" "$alice" "$bob"
sed 's/"threshold":2}/"threshold":1}/' $request >requests/lowered.request
refused "E2155 REFUSED .*signs another request" "a request tampered with after it was signed" requests/lowered.request "$alice" "$bob"
sed 's/"signed":{/"signed":{"x":1,/' $request >requests/odd.request
refused "E2152 REFUSED .*\"x\"" "a member that nobody could show" requests/odd.request "$alice" "$bob"
run "$keys" sign requests/odd.request --key alice/root.key --yes
like "$output" "E2152 REFUSED .*\"x\"" "nor does anybody sign it"
stock_python $request requests/old.request <<'END'
import json, sys
request = json.load(open(sys.argv[1]))
request["created"], request["until"] = "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"
json.dump(request, open(sys.argv[2], "w"))
END
refused "E2154 REFUSED .*good until 2020-02-01" "a request past its time" requests/old.request "$alice" "$bob"
run "$keys" sign requests/old.request --key alice/root.key --yes
like "$output" "E2154 REFUSED" "nor does anybody sign it"
stock_python $request requests/stray.request <<'END'
import json, sys
request = json.load(open(sys.argv[1]))
root = json.loads(request["root"])
root["signed"]["expires"] = "2031-01-01T00:00:00Z"
request["root"] = json.dumps(root)
json.dump(request, open(sys.argv[2], "w"))
END
"$keys" sign requests/stray.request --key bob/root.key --yes --output requests/stray.bob.signature >said
like "$(cat said)" "0 of the 2 signatures of its own that it needs: IT IS NOT VALID YET" "a signer sees that the root within a request is not signed"
refused "E2153 REFUSED .*root version 10 that it was made from is another" "a wrong previous root" requests/stray.request "$alice" "$bob"
stock_python $request requests/gap.request <<'END'
import json, sys
request = json.load(open(sys.argv[1]))
request["signed"]["version"] = 13
json.dump(request, open(sys.argv[2], "w"))
END
refused "E2152 REFUSED .*version 13 does not follow 10" "a gap in the chain" requests/gap.request "$alice" "$bob"
cp -a out out.before
stock_python $request out/repository/metadata/11.root.json <<'END'
import json, sys
json.dump({"signatures": [], "signed": json.load(open(sys.argv[1]))["signed"]}, open(sys.argv[2], "w"))
END
run "$keys" assemble $request "$alice" "$bob" --repository out/repository --keys out/keys
like "$output" "E2103 REFUSED 11.root.json: 0 of 2 signatures" "what somebody put there without its signatures is not gone on with"
rm out/repository/metadata/11.root.json
run "$keys" assemble $request "$alice" "$bob" --repository out/repository
is "$status" 0 "(the good one is taken, without any key)"
run "$keys" renew root --repository out.before/repository --request requests/rival.request --expires 50d
for holder in alice bob; do "$keys" sign requests/rival.request --key $holder/root.key --yes --output requests/rival.$holder.signature >/dev/null; done
run "$keys" assemble requests/rival.request requests/rival.*.signature --repository out/repository
like "$output" "E2153 REFUSED 11.root.json is here already and says something else" "a rival of the same version is refused"
run "$keys" assemble $request "$alice" --repository out.before/repository
is "$status" 4 "elsewhere, one signature is as little as before"

# --- a rotation cut short at each of its steps goes on when it is run again ---
run "$keys" rotate timestamp --repository out/repository --keys out/keys --request requests/12.root.request
for holder in alice bob; do sign $holder 12.root.request; done
cp -a out whole
assemble 12.root.request >/dev/null
mv out after
for step in root snapshot; do
	rm -rf out && cp -a whole out
	cp after/repository/metadata/12.root.json $metadata/
	[ $step = root ] || cp after/repository/metadata/timestamp.json $metadata/
	run outside sync --force
	not_ok "cut short behind $step: sync does not sign on half a rotation" test "$status" = 0
	ok "assemble again" assemble 12.root.request
	follows "after that"
	rm -rf in && cp -a in.clean in
done

# --- targets held elsewhere ---
rm -rf far && mkdir far
"$keys" generate --no-passphrase --output alice/targets.key --public requests/targets.pub >/dev/null
run "$keys" init --repository far/repository --keys far/keys --root-key far.key --targets-key-public requests/targets.pub \
	--requests far/requests --no-passphrase
is "$status" 4 "init with the targets key held elsewhere"
not_ok "no targets key is made" test -e far/keys/targets.key
is "$(ls far/repository/metadata)" 1.root.json "root is signed here, targets are not"
run "$keys" sign far/requests/1.targets.request --key far/keys/snapshot.key --yes
like "$output" "E2123 REFUSED" "another role's key does not sign it"
ok "its holder signs" "$keys" sign far/requests/1.targets.request --key alice/targets.key --yes
ok "assembled" "$keys" assemble far/requests/1.targets.request far/requests/1.targets.*.signature --repository far/repository --keys far/keys
is "$(ls far/repository/metadata | tr '\n' ' ')" "1.root.json 1.snapshot.json 1.targets.json timestamp.json " "a whole repository"
run "$keys" rotate targets --new-public requests/dora.pub --repository far/repository --request far/requests/2.root.request
"$keys" sign far/requests/2.root.request --key far.key --yes >/dev/null
run "$keys" assemble far/requests/2.root.request far/requests/2.root.*.signature --repository far/repository --keys far/keys
is "$status" 4 "a new targets key held elsewhere: its targets are still missing"
like "$output" "targets must be signed by their new keys" "it says so"
run "$keys" status --repository far/repository
is "$status" 1 "status sees it"
"$keys" renew targets --repository far/repository --request far/requests/2.targets.request >/dev/null
"$keys" sign far/requests/2.targets.request --key dora/root.key --yes >/dev/null
run "$keys" assemble far/requests/2.targets.request far/requests/2.targets.*.signature --repository far/repository --keys far/keys
is "$status" 0 "signed by the new key, all is well"
ok "status is content" "$keys" status --repository far/repository

# --- everyday keys under a passphrase ---
mkdir far/boxed
"$keys" init --repository far/boxed/repository --keys far/boxed/keys --root-key far/boxed.key --passphrase-fd 7 7<<<secret >/dev/null
run "$keys" rotate snapshot --repository far/boxed/repository --keys far/boxed/keys --request far/boxed/2.root.request --passphrase-fd 7 7<<<secrte
like "$output" "E2121 REFUSED keys/timestamp.key" "a slip in the passphrase makes no key that nobody could open"
not_ok "(there is none)" test -e far/boxed/keys/snapshot.next.key
run "$keys" rotate snapshot --json --repository far/boxed/repository --keys far/boxed/keys --request far/boxed/2.root.request --passphrase-fd 7 7<<<secret 2>/dev/null
is "$status" 0 "the right one does"
like "$output" '"role": "root", "version": 2, "digest": "[0-9a-f]{64}", "assembled": false' "in JSON, too"
is "$(grep -c '"encryption": null' far/boxed/keys/*.key | grep -c ':0')" 4 "the new key is as the others are"
"$keys" sign far/boxed/2.root.request --key far/boxed.key --yes --passphrase-fd 7 7<<<secret >/dev/null
run "$keys" assemble far/boxed/2.root.request far/boxed/2.root.*.signature --repository far/boxed/repository
like "$output" "E2123 REFUSED role snapshot must be signed anew: --keys DIR is needed" "without the keys nothing is assembled by halves"
not_ok "(nothing written)" test -e far/boxed/repository/metadata/2.root.json
ok "assembled with the passphrase" "$keys" assemble far/boxed/2.root.request far/boxed/2.root.*.signature --repository far/boxed/repository \
	--keys far/boxed/keys --passphrase-fd 7 7<<<secret
ok "all is signed" "$keys" status --repository far/boxed/repository --keys far/boxed/keys

# --- folders that others may write to ---
chmod 0770 out/keys
run "$keys" rotate snapshot --repository out/repository --keys out/keys --request requests/y.request
like "$output" "E2122 REFUSED out/keys: mode 0770 lets others exchange the keys" "a keys folder that a group may write to is refused"
run outside sync --force
like "$output" "E2122 REFUSED keys: mode 0770" "also by everyday signing"
chmod 0700 out/keys
chmod 0720 alice
run "$keys" sign $request --key alice/root.key --yes
like "$output" "E2122 REFUSED alice/root.key: mode 0720" "so is a key's folder"
chmod 0700 alice
for command in public compare assemble rotate revoke threshold renew stage status; do ok "help $command" "$keys" $command --help; done
done_testing
