#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-audit store --at: a past day is judged by the metadata of that day, after a change, a rotation, expiry and retention.
. tests/lib.sh
. tests/world.sh

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
audit() { run "$BIN/clapet-audit" --test-bench --root "$T/1.root.json" "$@"; }
at() { # MOMENT [ARGUMENT…]
	local moment=$1
	shift
	audit store "$T/in/store" --at "$moment" "$@"
}
member() { python3 -c 'import json,sys; d=json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$output" "$1"; }

WORLD_INSIDE='"reserve": 0'
world_new
cp "$T/out/repository/metadata/1.root.json" "$T/1.root.json"
world_source villes "code:string nom:string"

# --- nothing yet, then two versions with a moment between each
before=$(now)
sleep 1.1
world_data villes 'code,nom' '35238,Rennes'
ok "a first version is made" world_sync
run inside import "$bundle"
is "$status" 0 "and imported" || echo "# $output"
sleep 1.1
first=$(now)
sleep 1.1
world_data villes 'code,nom' '35238,Rennes' '29019,Brest'
ok "a second version is made" world_sync
run inside import "$bundle"
is "$status" 0 "and imported" || echo "# $output"
sleep 1.1
second=$(now)

at "$before"
is "$status" 0 "before the first import nothing was in force, and that holds" || echo "# $output"
like "$output" 'in force +nothing' "it says so"
at "$first" --json
is "$status" 0 "the day of the first version holds" || echo "# $output"
is "$(member 'd["generation"], [(x["dataset"], "villes.csv" in [f["file"] for f in x["files"]]) for x in d["datasets"]]')" "(1, [('villes', True)])" "its generation and files"
is "$(member 'sorted({f["fate"] for x in d["datasets"] for f in x["files"]})')" "['here']" "all of them are here"
is "$(member 'd["timestamp"]["version"], d["snapshot"]["version"], d["root"]["version"], d["timestamp"]["expired"]')" "(2, 2, 1, False)" "the metadata of that day"
version_1=$(member 'd["datasets"][0]["version"]')
at "$second" --json
is "$status" 0 "the day of the second version holds" || echo "# $output"
is "$(member 'd["generation"], d["timestamp"]["version"]')" "(2, 3)" "another generation, another timestamp"
not_ok "and another version" test "$(member 'd["datasets"][0]["version"]')" = "$version_1"
at "$second"
like "$output" 'What was in force on that day holds' "for people"
like "$output" 'villes\.csv, .*sha256:[0-9a-f]{64}: here' "with each file"

# --- expiry: what has expired since was valid then; what had expired by then was served as STALE
at 2100-01-01
is "$status" 0 "after expiry the store still holds" || echo "# $output"
like "$output" 'note: timestamp 3: had expired .* STALE' "the timestamp that had expired by then is told"
audit bundle "$bundle" --at 2100-01-01
is "$status" 1 "an inside of that day would have refused the bundle"
like "$output" 'E2104 REFUSED metadata/timestamp.json had expired' "because it had expired"
audit bundle "$bundle" --at "$second"
is "$status" 0 "an inside of its own day would not" || echo "# $output"

# --- damage that only that day shows
S=$T/copy
damaged() { # NAME STATUS LINE COMMANDS
	rm -rf "$S" && cp -a "$T/in/store" "$S"
	(cd "$S" && eval "$4") || echo "# cannot damage: $4"
	audit store "$S" --at "$first"
	is "$status" "$2" "$1" || echo "# $output"
	like "$output" "$3" "$1: named"
}
damaged "a file of that day lost" 1 "E6139 REFUSED villes/villes.csv: sha256:.* is gone" \
	'rm datasets/villes/v/'"$version_1"'/villes.csv; f=$(sha256sum ../in/store/datasets/villes/v/'"$version_1"'/villes.csv | cut -c1-64); rm datasets/villes/objects/$f'
damaged "a file of that day changed" 1 "its bytes are not what" \
	'f=$(sha256sum datasets/villes/v/'"$version_1"'/villes.csv | cut -c1-64); chmod 0600 datasets/villes/objects/$f; echo x >>datasets/villes/objects/$f; chmod 0440 datasets/villes/objects/$f'
damaged "a role's metadata of that day lost" 1 "E6002 REFUSED villes: version .* no signed metadata describe it" 'rm mirror/metadata/2.villes.json mirror/metadata/1.villes.json'
damaged "the snapshot of that day lost" 1 "2.snapshot.json" 'rm mirror/metadata/2.snapshot.json'
damaged "a timestamp that nobody signed" 1 "mirror/timestamps/.* signatures|E2103" \
	'f=$(ls mirror/timestamps | head -n 1); sed "s/\"version\":2/\"version\":9/;s/\"version\":3/\"version\":9/" mirror/timestamps/$f >x; mv x mirror/timestamps/$(sha256sum x | cut -c1-64); chmod 0440 mirror/timestamps/*'
damaged "a timestamp under another's name" 1 "its bytes are not what its name says" \
	'f=$(ls mirror/timestamps | head -n 1); mv mirror/timestamps/$f mirror/timestamps/$(echo $f | tr 0-9a-f 1-9a-f0)'

# --- usage
at yesterday
is "$status" 2 "a date that is none is a usage error"
like "$output" 'a day is written 2026-03-01' "and says how to write one"
done_testing
