#!/bin/bash
# SPDX-License-Identifier: ISC
# Targets that travel as patches (FORMAT.md 5.4), inside: with the base in the store, with the base's blob, in any order, with a base that was lost or
# damaged, with a patch against another file; what retention keeps, and what the auditor re-checks.
. tests/lib.sh
. tests/world.sh
audit() { "$BIN/clapet-audit" --test-bench --root "$T/out/repository/metadata/1.root.json" "$@"; }
repository=$T/out/repository
sha() { sha256sum <"$1" | cut -c1-64; }
table() { # NAME SED…: a keyframe of 3,000 rows, and what was changed since
	awk 'BEGIN { print "code,nom,n"; for (i = 1; i <= 3000; i++) printf "%05d,Ville %d,%d\n", i, i * 7919 % 3000, i * i % 991 }' |
		sed "${@:2}" -e '' >"$T/data/$1.csv"
}
blob_of() { # NAME: the blob of the csv that was last published, as outside made it
	local hash
	hash=$(python3 -c 'import json, sys, glob
role = max(glob.glob(sys.argv[1] + "/metadata/*." + sys.argv[2] + ".json"), key=lambda p: int(p.split("/")[-1].split(".")[0]))
print(json.load(open(role))["signed"]["targets"][f"{sys.argv[2]}/{sys.argv[2]}.csv"]["custom"]["encodings"][0]["parts"][0]["sha256"])' "$repository" "$1")
	echo "$repository/blobs/$hash"
}
blobs_of() { # NAME: all that its newest role names, but the csv's
	local hash
	for hash in $(python3 -c 'import json, sys, glob
role = max(glob.glob(sys.argv[1] + "/metadata/*." + sys.argv[2] + ".json"), key=lambda p: int(p.split("/")[-1].split(".")[0]))
for path, target in json.load(open(role))["signed"]["targets"].items():
	if not path.endswith(".csv"):
		print(target["custom"]["encodings"][0]["parts"][0]["sha256"])' "$repository" "$1"); do
		echo "$repository/blobs/$hash"
	done
}
# publish NAME SED…: a new version of it that travels as a patch against $T/key.csv -> $T/NAME.patch; BASE and BASE_BLOB for another base in the metadata
publish() {
	local name=$1
	shift
	table "$name" "$@"
	world_sync || return
	"$BIN/clapet-outside" patch --base "$T/key.csv" "$T/data/$name.csv" --output "$T/$name.patch" >"$T/patch.log" 2>&1 || return
	python3 tests/patchbundle.py sign "$repository" "$T/out/keys" "$name" "$name.csv" "$T/$name.patch" "${BASE:-$T/key.csv}" "${BASE_BLOB:-$key_blob}"
}
bundle() { python3 tests/patchbundle.py bundle "$T/$1.tar" "$repository" "${@:2}"; }
current() { cat "$T/in/store/current/villes/villes.csv"; }
object() { echo "$T/in/store/datasets/villes/objects/$(sha "$1")"; }
fresh() { # another inside, of today's root
	rm -rf "$T/in/store" "$T"/in/incoming/* "$T"/in/spool/*
	mkdir -p "$T/in/store"
	inside init --root "$repository/metadata/1.root.json" >/dev/null
}

world_new
world_source villes "code:string nom:string n:integer"
table villes
world_sync
cp "$T/data/villes.csv" "$T/key.csv"
key_blob=$(blob_of villes)
run inside import "$bundle"
is "$status" 0 "the keyframe comes in whole"

# --- against an object ---------------------------------------------------------------------------------------------------
ok "a version that travels as a patch is signed" publish villes -e 's/Ville 77$/Bourg/' -e '100s/Ville/Bourg/'
# shellcheck disable=SC2046 # names of blobs
bundle one "$T/villes.patch" $(blobs_of villes)
ok "its patch is a small part of it" test "$(stat -c %s "$T/villes.patch")" -lt 300
run inside import "$T/one.tar"
is "$status" 0 "a patch against an object of the store comes in force"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
run audit store "$T/in/store"
is "$status" 0 "the auditor finds nothing wrong"
echo "$output" | sed 's/^/# /'

done_testing
