#!/bin/bash
# SPDX-License-Identifier: ISC
# history_keeps.sh: which versions stay as blobs when their plain files go: by number, days, bytes, by dataset; never the base of one that stays,
# nor what is pinned; what the disk's reserve takes; documents that cannot be read; and kills on the way.
. tests/lib.sh
. tests/world.sh

json() { printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
# A table that hardly compresses; generation G changes row G.
table() { # KEYFRAME GENERATION
	awk -v key="$1" -v generation="$2" 'BEGIN {
		print "code,nom"; x = 12345 + key
		for (i = 1; i <= 3000; i++) { x = (x * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i == generation ? i * 7 : x }
	}' >"$T/data/villes.csv"
}
versions=()
bring() { # KEYFRAME GENERATION: the next version, the last of ${versions[@]}
	table "$1" "$2"
	world_sync || return
	inside import "$bundle" >"$T/import.log" 2>&1 || return
	versions+=("$(readlink "$T/in/store/current/villes" | sed 's|.*/||')")
}
configure() { # HISTORY [MORE]
	python3 - "$T/in/inside.json" "$1" "${2:-{\}}" <<-'PYTHON'
	import json, sys
	d = json.load(open(sys.argv[1]))
	d["history"] = json.loads(sys.argv[2])
	d.update(json.loads(sys.argv[3]))
	json.dump(d, open(sys.argv[1], "w"))
	PYTHON
}
states() { # {version: state} in the order they came
	run inside --json history villes
	python3 - "$output" "${versions[@]}" <<-'PYTHON'
	import json, sys
	states = {v["version"]: v["state"] for v in json.loads(sys.argv[1])}
	print(*[states[v] for v in sys.argv[2:]])
	PYTHON
}
document() { echo "$T/in/store/decisions/history/villes/$1.json"; }
n_blobs() { ls "$T/in/store/mirror/blobs" | wc -l; }
holds() { "$BIN/clapet-audit" store "$T/in/store" --root "$T/out/repository/metadata/1.root.json"; }

WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 3}'
world_new
world_source villes "code:string nom:string"
bring 1 0
for generation in 1 2 3 4 5; do
	sleep 1.1
	bring 1 $generation
done
is "$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print([bool(f["base"]) for f in d["files"] if f["path"] == "villes.csv"], len(d["bases"]))' "$(document "${versions[5]}")")" "[True] 1" \
	"the versions travel as patches against the first"
is "$(states)" "rebuildable gone rebuildable rebuildable rebuildable here" "three are kept as blobs, and the keyframe that they are patches against"
is "$(ls "$T/in/store/datasets/villes/v")" "${versions[5]}" "only the plain files of the one in force are here"
like "$(cat "$(document "${versions[1]}")")" '"gone": "20' "the document of the one that went says so"
ok "its verdict went with it" test ! -e "$T/in/store/decisions/verdicts/villes-${versions[1]}.json"
ok "that of one that is kept stays" test -e "$T/in/store/decisions/verdicts/villes-${versions[2]}.json"
run inside status
like "$output" 'history +4 versions can be rebuilt beside those that are here, from [0-9.]+ KB of blobs' "status counts them"
run inside --json status
is "$(json 'd["history"]["versions"], d["history"]["bytes"] > 0')" "4 True" "for machines, too"
run inside log
like "$output" "expire +villes .*version ${versions[2]} deleted: .*; history keeps its blobs" "the log tells what is kept"
like "$output" "expire +villes .*version ${versions[1]} left the history: past \"versions\"" "and what left, and why"
run holds
is "$status" 0 "the store holds" || echo "# $output"
run inside import
is "$(states)" "rebuildable gone rebuildable rebuildable rebuildable here" "nothing more goes by itself"

# --- fewer, by a changed configuration; a base is spared, and then its own turn comes
configure '{"versions": 1}'
run inside import
is "$(states)" "rebuildable gone gone gone rebuildable here" "a lower limit counts at the next run"
before=$(n_blobs)
configure '{"days": 0}'
sleep 1.1
run inside import
is "$(states)" "rebuildable gone gone gone gone here" "past its days; the base of what is in force stays"
ok "and their blobs went" test "$(n_blobs)" -lt "$before"
run inside status
like "$output" 'history +1 versions can be rebuilt' "which status counts"
sleep 1.1
bring 2 0
is "$(states)" "gone gone gone gone gone gone here" "after a new keyframe the old one is nobody's base"
run holds
is "$status" 0 "the store holds" || echo "# $output"

# --- by bytes, and by dataset
versions=("${versions[6]}")
configure '{"versions": 0, "datasets": {"villes": {"bytes": 100000000}}}'
for generation in 1 2 3; do
	sleep 1.1
	bring 2 $generation
done
is "$(states)" "rebuildable rebuildable rebuildable here" "a dataset's own limit takes the place of the default"
run inside --json status
bytes=$(json 'd["history"]["bytes"]')
sed -i 's/100000000/10/' "$T/in/inside.json"
run inside import
is "$(states)" "rebuildable gone gone here" "ten bytes hold nothing, but for the base"
run inside --json status
ok "status has fewer bytes" test "$(json 'd["history"]["bytes"]')" -lt "$bytes"

# --- pins, and what was trusted but held
sleep 1.1
configure '{"versions": 10}'
bring 2 4
run inside pin villes --reason closing
pinned=${versions[-1]}
sleep 1.1
table 2 5
world_sync
inside import "$bundle" >/dev/null 2>&1
sleep 1.1
table 2 6
world_sync
configure '{"versions": 0}'
inside import "$bundle" >/dev/null 2>&1
run inside --json history villes
is "$(json '[(v["note"], v["state"]) for v in d if v["note"]]')" "[('in force, pinned', 'here'), ('held', 'here')]" "what is pinned and what is held stay with their files"
is "$(json '[v["state"] for v in d if not v["note"] and not v["gone"]]')" "['rebuildable']" "of the rest only the base"
run inside release villes
sleep 1.1

# --- a disk that is short of its reserve
versions=()
configure '{"versions": 10}'
bring 3 0
for generation in 1 2 3; do
	sleep 1.1
	bring 3 $generation
done
is "$(states)" "rebuildable rebuildable rebuildable here" "three are kept"
configure '{"versions": 10}' '{"reserve": 1000000000000000000}'
run inside import
like "$output" 'the disk is short of its reserve: up to [0-9]+ versions of the history go' "history yields to the reserve, loudly"
is "$(states)" "rebuildable gone gone here" "all of it but the base of what is in force"
run inside log
like "$output" 'left the history: past "reserve"' "and the log says why"
configure '{"versions": 10}' '{"reserve": 0}'

# --- documents that cannot be read: nothing that they may name is deleted
sleep 1.1
bring 3 4
cp -p "$(document "${versions[0]}")" "$T/good.json"
sed 's/history 1/history 2/' "$T/good.json" >"$T/bad.json"
chmod 0440 "$T/bad.json"
mv -f "$T/bad.json" "$(document "${versions[0]}")"
configure '{"versions": 0}'
before=$(n_blobs)
run inside import
like "$output" 'no blob is deleted while the history of a version cannot be read' "a document that cannot be read stops deletion"
is "$(n_blobs)" "$before" "no blob went"
mv -f "$T/good.json" "$(document "${versions[0]}")"
run inside import
is "$(states)" "rebuildable gone gone gone here" "with it whole again, they go"

# --- killed on the way: whichever call of it is the last, the next run ends it
if command -v strace >/dev/null; then
	configure '{"versions": 10}'
	sleep 1.1
	bring 3 5
	sleep 1.1
	bring 3 6
	configure '{"versions": 1}'
	rm -rf "$T/in.before"
	cp -a "$T/in" "$T/in.before"
	wrong= n_kills=0
	for call in renameat,renameat2,rename unlinkat fsync,syncfs sendmsg; do
		for n in 1 2 3 5 8 13; do
			rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
			(strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
				"$BIN/clapet-inside" --config "$T/in/inside.json" import; exit $?) >"$T/import.log" 2>&1 || n_kills=$((n_kills + 1))
			inside import >"$T/import.log" 2>&1 || wrong="$wrong $call:$n:import"
			[ "$(states)" = "rebuildable gone gone gone gone rebuildable here" ] || wrong="$wrong $call:$n:$(states)"
			inside verify >"$T/verify.log" 2>&1 || wrong="$wrong $call:$n:verify"
		done
	done
	ok "the sweep really kills ($n_kills times)" test "$n_kills" -gt 8
	is "$wrong" "" "after each kill the next run ends what was begun"
fi

done_testing
