#!/bin/bash
# SPDX-License-Identifier: ISC
# rebuilt.sh: a version whose plain files are gone comes in force again by a rollback, rebuilt from the mirror's blobs, and can be compared; what
# cannot be rebuilt is refused by name and touches nothing.
. tests/lib.sh
. tests/world.sh

json() { printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
table() { # KEYFRAME GENERATION: hardly compresses; generation G changes row G
	awk -v key="$1" -v generation="$2" 'BEGIN {
		print "code,nom"; x = 12345 + key
		for (i = 1; i <= 3000; i++) { x = (x * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i == generation ? i * 7 : x }
	}' >"$T/data/villes.csv"
}
versions=()
bring() { # KEYFRAME GENERATION: the next version; its files are kept in $T/as/N
	table "$1" "$2"
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1 || return
	mkdir -p "$T/as"
	cp -rL "$T/in/store/current/villes" "$T/as/${#versions[@]}"
	versions+=("$(readlink "$T/in/store/current/villes" | sed 's|.*/||')")
	sleep 1.1
}
blob_of() { # VERSION KEY: the table's own blob ("parts"), or its base's ("base")
	python3 - "$T/in/store/decisions/history/villes/$1.json" "$2" "$T/in/store/mirror/blobs/" <<-'PYTHON'
	import json, sys
	d = json.load(open(sys.argv[1]))
	f = [f for f in d["files"] if f["path"] == "villes.csv"][0]
	b = f if sys.argv[2] == "parts" else [b for b in d["bases"] if b["sha256"] == f["base"]][0]
	print(sys.argv[3] + b["parts"][0]["sha256"])
	PYTHON
}
here() { ls "$T/in/store/datasets/villes/v" | tr '\n' ' '; }
is_in_force() { # N WHAT
	is "$(readlink "$T/in/store/current/villes" | sed 's|.*/||')" "${versions[$1]}" "$2"
	ok "$2: byte for byte" diff -r "$T/as/$1" "$T/in/store/current/villes/"
}

WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 100}'
world_new
world_source villes "code:string nom:string"
bring 1 0
for generation in 1 2 3; do bring 1 $generation; done
bring 2 0
bring 2 1
inside import >/dev/null 2>&1
is "$(here)" "${versions[5]} " "only the newest version's plain files are here"

# --- compared
run inside diff villes "${versions[1]}" "${versions[2]}"
is "$status" 0 "two versions that are gone are compared" || echo "# $output"
like "$output" 'villes/villes, by whole rows: 2 rows added, 2 removed, 0 changed, 2998 unchanged' "row by row"
run inside diff --csv villes "${versions[3]}"
is "$(grep -c '^removed' <<<"$output")" 3000 "one that is gone with the one in force, as CSV"
run inside diff villes
like "$output" "from version ${versions[4]} to ${versions[5]}" "without versions it is the one before, by the histories"
is "$(ls -A "$T/in/spool")" "" "nothing is left in the spool"

# --- back to a patch of which not even the base is an object
run inside rollback villes --to "${versions[1]:0:8}" --reason "Bourg is wrong"
is "$status" 0 "rollback to a version whose plain files are gone" || echo "# $output"
like "$output" "villes: version ${versions[1]} was rebuilt, as it was signed" "says that it was rebuilt"
is_in_force 1 "it is in force"
is "$(stat -c %a "$T/in/store/current/villes/villes.csv")" 440 "read-only, as every file"
run inside --json history villes
is "$(json '[(v["note"], v["state"]) for v in d if v["version"] == "'"${versions[1]}"'"]')" "[('in force, pinned', 'here')]" "history knows it, here and pinned"
is "$(json '[len(v["inForce"]) for v in d if v["version"] == "'"${versions[1]}"'"]')" "[2]" "in force twice"
is "$(python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print([r["rows"] for r in d["datasets"][0]["resources"]], d["datasets"][0]["date"] != "")' "$T/in/store/current/clapet.json")" \
	"[3000] True" "clapet.json describes it"
sleep 1.1
inside import >/dev/null 2>&1
inside import >/dev/null 2>&1
is_in_force 1 "retention leaves what is in force and pinned"
run inside verify
is "$status" 0 "the store holds" || echo "# $output"
run "$BIN/clapet-audit" store "$T/in/store" --root "$T/out/repository/metadata/1.root.json"
is "$status" 0 "and the auditor says so" || echo "# $output"
run inside log
like "$output" "version ${versions[1]} in force, generation [0-9]+, by a rollback" "the log tells it"
# The next bundle is kept, and held by the pin.
table 2 2
world_sync
run inside import "$bundle"
is "$status" 3 "a newer version waits"
is_in_force 1 "behind the pin"
run inside release villes
is "$status" 0 "release"
sleep 1.1
inside import >/dev/null 2>&1
ok "the newest is in force again" cmp "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"
not_ok "and the plain files of the older one go again" test -e "$T/in/store/datasets/villes/v/${versions[1]}"

# --- by what was in force then: a generation that is gone; the one before
run inside rollback villes --generation 3 --reason test
is "$status" 0 "to the version of a generation that is gone" || echo "# $output"
is_in_force 2 "its version"
inside release villes >/dev/null 2>&1
sleep 1.1
inside import >/dev/null 2>&1
run inside rollback --all --generation 5 --reason test
is "$status" 0 "all, to a generation that is gone" || echo "# $output"
is_in_force 4 "its set"
inside release villes >/dev/null 2>&1
sleep 1.1
inside import >/dev/null 2>&1

# --- refusals that touch nothing
before=$(store_digest) held=$(here)
refused() { # STATUS PATTERN WHAT ARGUMENT…
	local wanted=$1 pattern=$2 what=$3
	shift 3
	run inside rollback "$@" --reason test
	is "$status" "$wanted" "$what: exit status" || echo "# $output"
	like "$output" "$pattern" "$what: says so"
	is "$(store_digest) $(here)" "$before $held" "$what: nothing changed"
	is "$(ls -A "$T/in/spool")" "" "$what: nothing is left"
	is "$(python3 -c 'import json,sys; print(len(json.load(open(sys.argv[1]))["pins"]))' "$T/in/store/decisions/pins.json")" 0 "$what: no pin"
}
refused 2 'E6004 .*villes: no version 00000000 is here' "a version that never was" villes --to 00000000
refused 2 'E6004 .*--all: no generation that is still here' "a generation that never was" --all --generation 999
refused 2 'E6004 .*rues: no generation' "a dataset that never was" rues
lost=$(blob_of "${versions[2]}" parts)
mv "$lost" "$T/lost"
refused 4 "E4430 .*villes, version ${versions[2]}: villes.csv: its blob [0-9a-f]{16}: is not here any more" "a blob that is not here" villes --to "${versions[2]}"
run inside diff villes "${versions[2]}"
is "$status" 4 "nor is it compared"
like "$output" 'E4430 .*its blob [0-9a-f]{16}: is not here any more' "and that is said, too"
mv "$T/lost" "$lost"
lost=$(blob_of "${versions[2]}" base)
mv "$lost" "$T/lost"
refused 4 "E4430 .*its base's blob" "a base's blob that is not here" villes --to "${versions[2]}"
mv "$T/lost" "$lost"
damaged=$(blob_of "${versions[2]}" parts)
cp -p "$damaged" "$T/saved"
chmod u+w "$damaged"
printf '\377' | dd of="$damaged" bs=1 seek=$(($(stat -c %s "$damaged") / 2)) conv=notrunc status=none
refused 1 "REFUSED villes, version ${versions[2]}: villes.csv: " "a damaged blob" villes --to "${versions[2]}"
cp -p --remove-destination "$T/saved" "$damaged"
sed -i 's/"reserve": 0/"reserve": 0, "quota": {"spool": 10000}/' "$T/in/inside.json"
refused 2 "E6003 .*it has .*, the spool's quota is" "more than the spool's quota" villes --to "${versions[2]}"
sed -i 's/, "quota": {"spool": 10000}//' "$T/in/inside.json"
# What was only held never was in force.
inside pin villes --reason closing >/dev/null
table 2 7
world_sync
inside import "$bundle" >/dev/null 2>&1
held_version=$(inside --json status | python3 -c 'import json,sys; print(json.load(sys.stdin)["datasets"][0]["trusted"])')
table 2 8
world_sync
inside import "$bundle" >/dev/null 2>&1
run inside rollback villes --to "$held_version" --reason test
is "$status" 2 "what was held only is nothing to go back to"
like "$output" "E6004 .*shows version $held_version, nor does history know one" "and that is said"
run inside rollback villes --to "${versions[3]}" --reason test
is "$status" 0 "with the blobs whole and room for it" || echo "# $output"
is_in_force 3 "it comes back"
# Who goes back and goes back again does not come to what was left.
run inside rollback villes --reason "that one, too"
is "$status" 0 "without a name, once more" || echo "# $output"
is_in_force 2 "it is the one before"
done_testing
