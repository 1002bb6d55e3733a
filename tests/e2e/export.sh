#!/bin/bash
# SPDX-License-Identifier: ISC
# Volumes for media, with the real programs: everything split small, imported in any order into fresh insides which end equal; a volume lost, cut,
# damaged; an export cut off anywhere and gone on with; what is new since a moment; SHA256SUMS under stock tools; a slip that tells the truth.
. tests/lib.sh
. tests/world.sh

datasets="communes rues villes zones"
# A fresh inside in the place of the old one, which goes to $T/in.NAME.
fresh() {
	mv "$T/in" "$T/in.$1"
	mkdir -p "$T"/in/{incoming,spool,contracts}
	cp "$T/in.$1/inside.json" "$T/in.$1/policy.json" "$T/in/"
	inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
}
# What two insides fed with the same bundles must have alike: trust, mirror, objects, versions and what is in force; not counters and logs.
essence() {
	(cd "$T/in/store" && find trust mirror datasets -type f | sort | xargs sha256sum && find datasets -type l | sort &&
		for dataset in current/*/; do dataset=${dataset#current/}; echo "$dataset"; sha256sum "current/${dataset}"*; done) | sha256sum | cut -c1-64
}
rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
volumes() { find "$1" -name '*.tar' | sort; }
noise() { python3 -c 'import random, sys
random.seed(sys.argv[1])
print("code,nom")
for i in range(int(sys.argv[2])): print(f"{i},{random.getrandbits(120):x}")' "$1" "$2"; }

ok "a world is made" world_new
# shellcheck disable=SC2086
world_policy $datasets
for name in $datasets; do world_source "$name" "code:string nom:string"; done
mkdir "$T/early"
run outside export --to "$T/early" --all
is "$status" 1 "before anything was published there is nothing to export"
like "$output" 'E1343 REFUSED nothing was published yet' "in one line"
noise a 3000 >"$T/data/communes.csv"
noise b 2500 >"$T/data/rues.csv"
noise c 40 >"$T/data/villes.csv"
noise d 6 >"$T/data/zones.csv"
world_sync && first=$bundle

# --- wrong arguments ----------------------------------------------------------------------------------------------------------
mkdir "$T/a"
for arguments in "" "--all" "--to $T/a" "--to $T/a --all --since 2" "--to $T/a --all extra" "--to $T/a --since"; do
	# shellcheck disable=SC2086
	run outside export $arguments
	is "$status" 2 "export $arguments: usage"
done
for since in 0 yesterday 25/11/2026 2026-02-30 99 2999-01-01; do
	run outside export --to "$T/a" --since "$since"
	is "$status" 1 "--since $since is refused"
	like "$output" "E1343 REFUSED --since $since" "and said why"
done
for size in 0 big 4GB 1.5 999G; do
	run outside export --to "$T/a" --all --volume-size "$size"
	is "$status" 1 "--volume-size $size is refused"
	like "$output" "E1340 REFUSED --volume-size $size: " "and said why"
done
run outside export --to "$T/a" --all --volume-size 2K
like "$output" "E1340 REFUSED .* needs? a volume of [0-9]+ bytes, --volume-size is 2000" "a size that is too small"
needs=$(printf '%s\n' "$output" | sed -n 's/.*a volume of \([0-9]*\) bytes.*/\1/p')
like "$output" "blob [0-9a-f]{10} of communes/communes.csv" "names the blob that does not fit"
run outside export --to "$T/a" --all --volume-size "$((needs - 1))"
is "$status" 1 "one byte less than it says is too small"
is "$(volumes "$T/a")" "" "and nothing is written"
run outside export --to "$T/none" --all
is "$status" 2 "a folder that is not there is trouble: a medium that is not mounted"
like "$output" 'E9001 TROUBLE .*/none: No such file' "in one line"
not_ok "and is not made" test -e "$T/none"
run outside export --to "$T/a" --all --volume-size "$needs"
is "$status" 0 "the size that it says will do"
rm -f "$T"/a/*

# --- everything, in small volumes -----------------------------------------------------------------------------------------------
size=$((needs + 2000))
run outside export --to "$T/a" --all --volume-size $size --for "Préfecture de l'Ain <bureau 3>" --restart
is "$status" 0 "everything is exported"
n=$(volumes "$T/a" | wc -l)
ok "into several volumes ($n)" test "$n" -ge 2
is "$(printf '%s\n' "$output" | grep -c "^volume [0-9]* of $n: ")" "$n" "a line for each"
is "$(find "$T/a" -name '*.tar' -size +${size}c | wc -l)" 0 "none is larger than it may be"
is "$(find "$T/a" -mindepth 1 -name '.*' | wc -l)" 0 "no temporary file is left"
run bash -c "cd '$T/a' && sha256sum --strict -c SHA256SUMS"
is "$status" 0 "stock sha256sum finds them whole"
is "$(printf '%s\n' "$output" | grep -c ': OK$')" "$n" "all of them"
is "$(for v in $(volumes "$T/a"); do tar -tf "$v" | sed -n 's,^blobs/,,p'; done | sort | uniq -d)" "" "each blob is in one volume"
wanted=$(python3 - "$T/out/state" <<'PY'
import json, pathlib, sys
blobs = set()
def add(version):
    for file in (version or {}).get("files", []):
        blobs.update(part["sha256"] for part in file["parts"])
for path in pathlib.Path(sys.argv[1]).glob("*/state.json"):
    add(json.load(open(path))["published"])
add(json.load(open(pathlib.Path(sys.argv[1]) / "agent.json"))["status"])
print("\n".join(sorted(blobs)))
PY
)
is "$(for v in $(volumes "$T/a"); do tar -tf "$v" | sed -n 's,^blobs/,,p'; done | sort)" "$wanted" "and they are those that are published, no more"
metadata=$(cd "$T/out/repository/metadata" && for role in $datasets root snapshot status targets; do find . -name "*.$role.json" | sed 's,^\./,,' | sort -V | tail -n 1; done | sort)
alike=
for v in $(volumes "$T/a"); do
	[ "$(tar -tf "$v" | sed -n 's,^metadata/,,p' | sort)" = "$(printf '%s\n' $metadata timestamp.json | sort)" ] || alike="$alike ${v##*/}"
done
is "$alike" "" "every volume has all current metadata"
for v in $(volumes "$T/a"); do
	is "${v##*-}" "$(sha256sum <"$v" | cut -c1-64).tar" "a volume is called by its digest"
done
like "$(outside log)" "send .*volume 1 of $n of an export" "the outside's log knows of each"
unsent=
outside log --json >"$T/outside.log"
for v in $(volumes "$T/a"); do grep -q "$(sha256sum <"$v" | cut -c1-64)" "$T/outside.log" || unsent="$unsent $v"; done
is "$unsent" "" "by its digest"

# --- three orders, three insides --------------------------------------------------------------------------------------------------
run inside import "$T/a"
is "$status" 0 "the folder is imported in one go"
is "$(rows communes) $(rows rues) $(rows villes) $(rows zones)" "3001 2501 41 7" "all is in force"
one=$(essence)
fresh one
for v in $(volumes "$T/a" | sort -r); do inside import "$v" >>"$T/orders.log" 2>&1; done
is "$(essence)" "$one" "backwards, one by one: an equal store"
run inside missing
is "$status" 0 "nothing is missing"
fresh two
# shellcheck disable=SC2046
set -- $(volumes "$T/a")
middle=$((n / 2 + 1))
run inside import "${!middle}"
is "$status" 4 "one volume alone: the rest is missing"
like "$output" '^still incomplete: .*clapet-inside missing' "and said in the end"
inside import "$n" >/dev/null 2>&1
for v in $(volumes "$T/a" | sort -R --random-source=<(yes)) "$2" "$1"; do inside import "$v" >>"$T/orders.log" 2>&1; done
is "$(essence)" "$one" "from the middle, in disorder, some twice: an equal store"
run inside import "$T/a"
is "$status" 0 "once more"
is "$(printf '%s\n' "$output" | grep -c superseded)" "$n" "each is superseded, in one line"
run inside verify
is "$status" 0 "the store verifies"

# --- a volume that is lost, cut, or damaged ---------------------------------------------------------------------------------------
fresh three
mkdir "$T/lost"
cp "$T"/a/* "$T/lost"
lost=$(for v in $(volumes "$T/lost"); do tar -tf "$v" | grep -q . && echo "$(stat -c %s "$v") $v"; done | sort -n | tail -n 1 | cut -d' ' -f2)
names=$(tar -tf "$lost" | sed -n 's,^blobs/,,p')
rm "$lost"
run inside import "$T/lost"
is "$status" 4 "without one volume the import is not complete"
like "$output" "E4440 MISSING .*/${lost##*/}: SHA256SUMS names it, and it is not here" "and which it is is said"
run inside missing
is "$status" 4 "and missing says what is lost"
found=0
for blob in $names; do printf '%s\n' "$output" | grep -q "${blob:0:10}" && found=$((found + 1)); done
ok "by the blobs that were in it ($found of $(printf '%s\n' "$names" | wc -l))" test "$found" -ge 1
head -c 9000 "$T/a/${lost##*/}" >"$lost"
run inside import "$T/lost"
is "$status" 4 "half a copy of it"
like "$output" 'E4440 MISSING .*: half-copied: 9000 bytes are there, SHA256SUMS says [0-9]+\. Nothing of it was taken' "is told as such"
run bash -c "cd '$T/lost' && sha256sum -c SHA256SUMS"
is "$status" 1 "and the media station sees it, too"
cp "$T/a/${lost##*/}" "$lost"
run inside import "$T/lost"
is "$status" 0 "the whole one completes the set"
is "$(essence)" "$one" "an equal store"
is "$(find "$T/in/incoming" -type f ! -name '.*' | wc -l)" 0 "nothing waits"

# --- the slip ---------------------------------------------------------------------------------------------------------------------
run python3 - "$T" "$n" <<'PY'
import hashlib, json, pathlib, re, subprocess, sys, xml.etree.ElementTree as tree
top, n = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder, repository = top / "a", top / "out/repository"
text = (folder / "transfer-slip.txt").read_text()
page = (folder / "transfer-slip.html").read_text()
html = "".join(tree.fromstring(page.replace("<!DOCTYPE html>", "")).itertext())
problems = []
def said(what):
    for name, where in (("text", text), ("page", html)):
        if what not in where:
            problems.append(f"{name} does not say: {what}")
said("Préfecture de l'Ain <bureau 3>")
root = hashlib.sha256((repository / "metadata/1.root.json").read_bytes()).hexdigest()
said(root)
said(hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()[:8])
timestamp = json.loads((repository / "metadata/timestamp.json").read_text())["signed"]
said(f"everything, as of timestamp {timestamp['version']}")
newest = {}
for path in (repository / "metadata").glob("*.json"):
    match = re.fullmatch(r"(\d+)\.(.*)\.json", path.name)
    if match and int(match[1]) >= newest.get(match[2], (0,))[0]:
        newest[match[2]] = (int(match[1]), json.loads(path.read_text())["signed"]["expires"])
until = min([timestamp["expires"]] + [expires for _, expires in newest.values()])
said(until[:10] + " " + until[11:16] + " +0000")
volumes = sorted(folder.glob("*.tar"))
assert len(volumes) == n
for volume in volumes:
    said(volume.name)
    said(hashlib.sha256(volume.read_bytes()).hexdigest())
    said(str(volume.stat().st_size))
for name in ("communes", "rues", "villes", "zones"):
    state = json.loads((top / f"out/state/{name}/state.json").read_text())["published"]
    said(state["version"][:16])
    said(f"Test {name}")
    said("LOV2")
    size = sum(part["length"] for file in state["files"] for part in file["parts"])
    if f">{size}<" not in page:
        problems.append(f"page: {name} has {size} bytes")
if re.search(r"<script|<link|<img|src=|href=", page):
    problems.append("the page is not alone")
print("\n".join(problems))
sys.exit(bool(problems))
PY
is "$status$output" 0 "text and page tell the truth: digests, sizes, versions, licences, root, expiry"

# --- again, into the same folder and another ---------------------------------------------------------------------------------------
before=$(stat -c '%n %Y %i' "$T"/a/*.tar)
run outside export --to "$T/a" --all --volume-size $size
is "$status" 0 "the same command again"
is "$(stat -c '%n %Y %i' "$T"/a/*.tar)" "$before" "writes no volume that is there whole"
is "$(printf '%s\n' "$output" | grep -c 'and whole here')" "$n" "and says so"
mkdir "$T/b"
run outside export --to "$T/b" --all --volume-size $size
is "$status" 0 "a complete export begins anew in another folder"
is "$(cd "$T/b" && cat SHA256SUMS)" "$(cat "$T/a/SHA256SUMS")" "with the same bytes"
damaged=$(volumes "$T/b" | head -n 1)
printf x | dd of="$damaged" bs=1 seek=700 conv=notrunc 2>/dev/null
run outside export --to "$T/b" --all --volume-size $size
is "$status" 0 "a damaged volume is written again"
is "$(cd "$T/b" && sha256sum -c SHA256SUMS 2>&1 | grep -c ': OK$')" "$n" "whole"

# --- folders that are not ours -------------------------------------------------------------------------------------------------------
mkdir "$T/foreign"
echo "photos" >"$T/foreign/photos.tar"
run outside export --to "$T/foreign" --all
is "$status" 1 "a folder with another *.tar is refused"
like "$output" 'E1341 REFUSED .*/foreign holds photos.tar, which is not of this export' "which is named"
rm "$T/foreign/photos.tar"
echo "x  y" >"$T/foreign/SHA256SUMS"
run outside export --to "$T/foreign" --all
is "$status" 1 "so is one with other sums"
is "$(cat "$T/foreign/SHA256SUMS")" "x  y" "which stay as they are"
rm "$T/foreign/SHA256SUMS"
mkdir "$T/foreign/System Volume Information"
run outside export --to "$T/foreign" --all
is "$status" 0 "other files are nobody's business"
is "$(volumes "$T/foreign" | wc -l)" 1 "by default a volume is as large as FAT32 takes"

# --- cut off anywhere ------------------------------------------------------------------------------------------------------------------
if command -v strace >/dev/null && strace -qq -o /dev/null -e trace=none true 2>/dev/null; then
	wrong='' cuts=0
	for call in renameat fsync; do
		for when in $(seq 1 2 21); do
			rm -rf "$T/cut" && mkdir "$T/cut"
			{ strace -qq -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when="$when" \
				"$BIN/clapet-outside" --config "$T/out/outside.json" export --to "$T/cut" --all --volume-size $size --restart; } >/dev/null 2>&1
			[ $? = 0 ] || cuts=$((cuts + 1))
			outside export --to "$T/cut" --all --volume-size $size >"$T/cut.log" 2>&1 || wrong="$wrong $call-$when(status)"
			[ "$(cat "$T/cut/SHA256SUMS")" = "$(cat "$T/a/SHA256SUMS")" ] || wrong="$wrong $call-$when(sums)"
			(cd "$T/cut" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1) || wrong="$wrong $call-$when(bytes)"
			[ "$(find "$T/cut" -name '*.tar' | wc -l)" = "$n" ] || wrong="$wrong $call-$when(more)"
		done
	done
	ok "the export really was cut off ($cuts times)" test "$cuts" -ge 6
	is "$wrong" "" "and the same command finished it each time, with the same bytes"
fi

# --- told to stop ----------------------------------------------------------------------------------------------------------------------
if command -v strace >/dev/null && strace -qq -o /dev/null -e trace=none true 2>/dev/null; then
	rm -rf "$T/stop" && mkdir "$T/stop"
	run strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=TERM:when=4 \
		"$BIN/clapet-outside" --config "$T/out/outside.json" export --to "$T/stop" --all --volume-size $size --restart
	is "$status" 2 "SIGTERM stops an export"
	like "$output" 'E1301 TROUBLE told to stop' "in one line"
	is "$(find "$T/stop" -name '.*' -type f | wc -l)" 0 "nothing half is left"
	not_ok "nor a volume that is not whole" bash -c "cd '$T/stop' && for v in *.tar; do [ -e \"\$v\" ] || continue; [ \"\$(sha256sum <\"\$v\" | cut -c1-64).tar\" = \"\${v##*-}\" ] || exit 0; done; exit 1"
	run outside export --to "$T/stop" --all --volume-size $size
	is "$status" 0 "the same command ends it"
	is "$(cat "$T/stop/SHA256SUMS")" "$(cat "$T/a/SHA256SUMS")" "with the same bytes"
fi

# --- since -----------------------------------------------------------------------------------------------------------------------------
newest=$(sed -n 's/.*"bundledTimestamp": \([0-9]*\),/\1/p' "$T/out/state/agent.json")
sleep 1
later=$(date -u +%Y-%m-%dT%H:%M:%SZ)
noise e 50 >"$T/data/villes.csv"
sleep 1
world_sync
noise f 2600 >"$T/data/rues.csv"
world_sync
for since in "$newest" "$later"; do
	rm -rf "$T/since" && mkdir "$T/since"
	run outside export --json --to "$T/since" --since "$since" --restart
	is "$status" 0 "what is new since $since"
	is "$(printf '%s\n' "$output" | python3 -c 'import json, sys; print([d["name"] for d in json.load(sys.stdin)["datasets"]])')" "['rues', 'villes']" \
		"are the datasets that changed"
done
run inside import "$T/since"
is "$status" 0 "an inside that has the rest takes it"
is "$(rows communes) $(rows rues) $(rows villes) $(rows zones)" "3001 2601 51 7" "and has all of it"
two=$(essence)
rm -rf "$T/none" && mkdir "$T/none"
run outside export --to "$T/none" --since "$((newest + 2))"
is "$status" 0 "since the newest timestamp: metadata alone"
like "$(cat "$T/none/transfer-slip.txt")" 'none: metadata alone' "which the slip says"
run inside import "$T/none"
is "$status" 0 "and the inside takes"
is "$(essence)" "$two" "without a change"
fresh four
inside import "$first" >/dev/null 2>&1
inside import "$T/since" >/dev/null 2>&1
is "$(essence | wc -c)" 65 "another inside, with the first bundle and what came since"
is "$(rows communes) $(rows rues) $(rows villes) $(rows zones)" "3001 2601 51 7" "has all of it, too"

# --- new data while an export is under way ----------------------------------------------------------------------------------------------
rm -rf "$T/m1" "$T/m2" && mkdir "$T/m1" "$T/m2"
if command -v strace >/dev/null; then
	{ strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=4 \
		"$BIN/clapet-outside" --config "$T/out/outside.json" export --to "$T/m1" --all --volume-size $size; } >/dev/null 2>&1
	noise g 60 >"$T/data/villes.csv"
	world_sync
	rm -f "$T"/m1/.bundle.tmp
	written=$(grep -c '"name"' "$T/out/state/export.json")
	run outside export --to "$T/m2" --all --volume-size $size
	is "$status" 0 "data that changed meanwhile: the same command goes on"
	is "$(printf '%s\n' "$output" | grep -c 'on another medium')" "$written" "with what is not on the other medium"
	fresh five
	inside import "$T/m2" >/dev/null 2>&1
	run inside import "$T/m1"
	is "$(rows communes) $(rows rues) $(rows villes) $(rows zones)" "3001 2601 61 7" "together they are everything"
	run inside missing
	is "$status" 0 "and nothing is missing"
fi

# --- patches -------------------------------------------------------------------------------------------------------------------------------
sed -i 's/"allowFile"/"targetFormat": 2, "allowFile"/' "$T/out/outside.json"
noise h 8000 >"$T/data/zones.csv"
world_sync
keyframe=$(sed -n 's/.*"bundledTimestamp": \([0-9]*\),/\1/p' "$T/out/state/agent.json")
echo "8000,last" >>"$T/data/zones.csv"
world_sync
rm -rf "$T/patched" && mkdir "$T/patched"
run outside export --to "$T/patched" --since "$keyframe" --restart
ok "since its keyframe a file is its patch ($(du -bs "$T/patched" | cut -f1) bytes)" test "$(cat "$T"/patched/*.tar | wc -c)" -lt 60000
rm -rf "$T/patched" && mkdir "$T/patched"
run outside export --to "$T/patched" --all --volume-size 300K --restart
is "$status" 0 "everything, with a patch and its keyframe"
fresh six
for v in $(volumes "$T/patched" | sort -r); do inside import "$v" >>"$T/orders.log" 2>&1; done
is "$(rows communes) $(rows rues) $(rows zones)" "3001 2601 8002" "brings a new inside up"
six=$(essence)
fresh seven
run inside import "$T/patched"
is "$status" 0 "another one in the other order"
is "$(rows communes) $(rows rues) $(rows zones)" "3001 2601 8002" "too"
run inside missing
is "$status" 0 "nothing is missing"
is "$(essence)" "$six" "and both are equal"

# --- as many volumes as there may be, of which most are on other media ----------------------------------------------------------------
elsewhere() { # N: the export goes on, and N volumes of it were written before
	python3 - "$T/out/state/export.json" "$1" <<-'PY'
	import json, sys
	record = json.load(open(sys.argv[1]))
	record["complete"] = False
	record["volumes"] = [dict(record["volumes"][0], name=f"0000000001-{i:064x}.tar", sha256=f"{i:064x}", blobs=[]) for i in range(int(sys.argv[2]))]
	json.dump(record, open(sys.argv[1], "w"))
	PY
}
n=$(volumes "$T/patched" | wc -l)
rm -rf "$T/many" && mkdir "$T/many"
elsewhere $((1001 - n))
run outside export --to "$T/many" --all --volume-size 300K
is "$status" 1 "one volume more than there may be"
like "$output" 'E1340 REFUSED more than 1000 volumes \(bundle/limits.h LIMIT_EXPORT_VOLUMES\)' "is refused"
is "$(volumes "$T/many")" "" "and nothing is written"
elsewhere $((1000 - n))
run outside export --to "$T/many" --all --volume-size 300K
is "$status" 0 "as many as there may be"
is "$(volumes "$T/many" | wc -l)" "$n" "are written"

# --- what expired ------------------------------------------------------------------------------------------------------------------------
sed -i 's/"allowFile"/"longestSilence": "2s", "allowFile"/' "$T/out/outside.json"
if world_sync; then
	sleep 3
	mkdir "$T/late"
	run outside export --to "$T/late" --all
	is "$status" 1 "metadata that expired are not exported"
	like "$output" 'E2104 REFUSED [0-9a-z.]+ expired .*no inside would take it' "for nobody could import them"
fi
done_testing
