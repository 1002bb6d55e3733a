#!/bin/bash
# SPDX-License-Identifier: ISC
# Rows that a patch copied from a base known to be good are not judged again, and nobody can tell by the verdict: not where the new rows are good, not
# where an outside lies about one of them, not where a key stands twice. A setting, another schema, and a base that was let through make it judge all.
. tests/lib.sh
. tests/world.sh

S=$T/out/sources/villes
repository=$T/out/repository
source_put() { # ENUM
	mkdir -p "$S"
	cat >"$S/datapackage.json" <<-JSON
	{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
	 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {"rules": {"enum": "warning", "unique": "warning"}},
	  "schema": {"fields": [{"name": "code", "constraints": {"unique": true}}, {"name": "zone", "constraints": {"enum": [$1]}},
	   {"name": "nom"}, {"name": "n", "type": "integer"}]}}]}
	JSON
}
# Quotes, and lines within cells: one holds 20 KB of what would be rows.
rows() { # SED…
	awk 'BEGIN {
		print "code,zone,nom,n"
		for (i = 1; i <= 40000; i++) {
			printf "%05d,%s,%s,%d\n", i, i % 2 ? "A" : "B", i % 9 ? "Ville " i : "\"l'\''\"\"autre\"\"\n" i "\"", i * i % 991
			if (i == 20000) {
				print "20000b,A,\"start,1"
				for (j = 0; j < 1500; j++) print "no,such,row," j
				print "end,A,\",1"
			}
		}
	}' | sed "$@" -e '' >"$T/data/villes.csv"
}
# An outside whose checking worker says nothing of what it let through.
world_rogue <<'PYTHON'
p["resources"][0]["clapet"].pop("tolerated", None)
PYTHON
published() { # PYTHON: of the villes role's targets `t`
	python3 -c 'import json, sys, glob
role = max(glob.glob(sys.argv[1] + "/metadata/*.villes.json"), key=lambda p: int(p.split("/")[-1].split(".")[0]))
t = json.load(open(role))["signed"]["targets"]
exec(sys.argv[2])' "$repository" "$1"
}
# publish SED…: as a patch against the keyframe -> $T/in.tar
publish() {
	local blobs
	rows "$@"
	"$T/rogue/bin/clapet-outside" --config "$T/out/outside.json" sync --force >"$T/sync.log" 2>&1 || { cat "$T/sync.log"; return 1; }
	rm -f "$T/patch"
	"$BIN/clapet-outside" patch --base "$T/key.csv" "$T/data/villes.csv" --output "$T/patch" >/dev/null || return
	python3 tests/patchbundle.py sign "$repository" "$T/out/keys" villes villes.csv "$T/patch" "$T/key.csv" "$key_blob" || return
	mapfile -t blobs < <(published 'for path, target in t.items():
	if not path.endswith(".csv"):
		print(sys.argv[1] + "/blobs/" + target["custom"]["encodings"][0]["parts"][0]["sha256"])')
	python3 tests/patchbundle.py bundle "$T/in.tar" "$repository" "$T/patch" "${blobs[@]}"
}
in_force() { cmp -s "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"; }
newest() { find "$T/in/store/decisions/verdicts" -name 'villes-*.json' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2; }
goods() { python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1])).get("good", [])))' "$(newest)"; }
# What the report of a held version says was spared of its file: "most", "none".
spared() {
	python3 -c 'import glob, json, os, sys
report = json.load(open(max(glob.glob(sys.argv[1] + "/*/report.json"), key=os.path.getmtime)))
print("none" if not report["spared"] else "most" if report["spared"]["villes"] > 700000 else "little")' "$T/in/store/quarantine"
}
# The same bundle into this inside, and into a copy of it as it was that judges all: one word.
import_both() {
	rm -rf "$T/full"
	cp -a "$T/in" "$T/full"
	sed -i "s|$T/in|$T/full|g; s|\"format\"|\"fullValidation\": true, \"format\"|" "$T/full/inside.json"
	run "$BIN/clapet-inside" --config "$T/full/inside.json" import "$T/in.tar"
	full_status=$status full_output=$output
	run inside import "$T/in.tar"
	is "$status" "$full_status" "$1: the status of a full validation"
	is "$(echo "$output" | grep '^E\|: row\|in force\|held' | sed "s|$T/in|T|g")" "$(echo "$full_output" | grep '^E\|: row\|in force\|held' | sed "s|$T/full|T|g")" "$1: its words"
}

ok "a world is made" world_new
world_policy villes
source_put '"A", "B"'
rows
run outside sync --force
bundle=$(echo "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p' | tail -n 1)
run inside import "$bundle"
is "$status" 0 "the keyframe is in force"
is "$(goods)" 1 "and known to be good in every row"
cp "$T/data/villes.csv" "$T/key.csv"
key_blob=$repository/blobs/$(published 'print(t["villes/villes.csv"]["custom"]["encodings"][0]["parts"][0]["sha256"])')

ok "a good change is published" publish -e 's/,Ville 100,/,Bourg,/' -e '/^39000,/d'
import_both "a good change"
ok "and is in force" in_force
is "$(goods)" 2 "what is known of the base is carried on"

ok "a wrong cell is published" publish -e 's/^30001,A,/30001,C,/'
import_both "a wrong cell"
is "$status" 3 "a wrong cell in a row that changed holds the version"
like "$output" 'field zone: "C" is not one of the values allowed' "and is named"
is "$(spared)" most "most rows were spared"

ok "a cell is cut open" publish -e 's/^20000b,A,"/20000b,A,/' -e 's/^end,A,",/end,A,,/'
import_both "a cell that is cut open"
is "$status" 3 "lines of a cell that are rows now hold the version"
like "$output" 'field zone: "such" is not one of the values allowed \(and 1499 more' "every one"
is "$(spared)" most "though what stands about them was spared"

ok "a key is published twice" publish -e 's/^35000,/34000,/'
import_both "a key that stands twice"
is "$status" 3 "a key that stands twice holds the version"
like "$output" 'field code' "and is named"
is "$(spared)" most "keys of spared rows are looked at"

source_put '"A"'
ok "another schema is published" publish -e 's/^30001,A,/30001,C,/'
import_both "another schema"
is "$status" 3 "by another schema all rows are judged"
is "$(spared)" none "and none is spared"

source_put '"A", "B"'
sed -i 's|"format"|"fullValidation": 3, "format"|' "$T/in/inside.json"
run inside status
is "$status" 2 "the setting is true or false"
like "$output" fullValidation "by its name"
done_testing
