#!/bin/bash
# SPDX-License-Identifier: ISC
# What travels whole, and what as a patch against the last time that it did: from the steward's file to the rows inside.
. tests/lib.sh
. tests/world.sh

LINES=20000

# A table of LINES rows whose values nobody could compress to nothing; row N of generation G where it was changed.
table() { # GENERATION ROW…
	awk -v n=$LINES -v generation="$1" -v rows="${*:2}" 'BEGIN {
		split(rows, list, " "); for (i in list) changed[list[i]] = 1
		print "code,nom"; x = 12345; y = 1000 * generation
		for (i = 1; i <= n; i++) {
			x = (x * 16807) % 2147483647
			y = (y * 16807) % 2147483647
			printf "%06d,nom-%d\n", i, (i in changed) ? y : x
		}
	}' >"$T/data/villes.csv"
}
# The encoding of villes.csv in the newest metadata.
encoding() { # JQ-like path in python
	python3 - "$T/out/repository/metadata" "$1" <<-'PYTHON'
	import glob, json, sys
	newest = max(glob.glob(sys.argv[1] + "/*.villes.json"), key=lambda name: int(name.split("/")[-1].split(".")[0]))
	custom = json.load(open(newest))["signed"]["targets"]["villes/villes.csv"]["custom"]
	encoding = custom["encodings"][0]
	print({"type": encoding["type"], "format": custom["format"], "base": encoding.get("base", {}).get("sha256", ""),
	       "size": sum(part["length"] for part in encoding["parts"]),
	       "part": encoding["parts"][0]["sha256"]}[sys.argv[2]])
	PYTHON
}
size() { stat -c %s "$1"; }
arrives() { # NAME: the bundle comes in, and the rows are the steward's
	run inside import "$bundle"
	is "$status" 0 "$1: imported"
	ok "$1: with the steward's rows" cmp "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"
}
# The outside's memory of the keyframe, moved N seconds back.
age() { # KEY SECONDS
	python3 - "$T/out/state/villes/state.json" "$1" "$2" <<-'PYTHON'
	import datetime, json, sys
	state = json.load(open(sys.argv[1]))
	for version in (state["published"], state["pending"]):
	    for file in version["files"] if version else []:
	        if file[sys.argv[2]]:
	            then = datetime.datetime.strptime(file[sys.argv[2]], "%Y-%m-%dT%H:%M:%SZ") - datetime.timedelta(seconds=int(sys.argv[3]))
	            file[sys.argv[2]] = then.strftime("%Y-%m-%dT%H:%M:%SZ")
	json.dump(state, open(sys.argv[1], "w"))
	PYTHON
}

world_new
world_source villes "code:string nom:string"

# --- the first day, and the days after ---
table 1
world_sync
is "$(encoding type)" zstd "the first time it travels whole"
is "$(encoding format)" "clapet target 1" "as an older inside reads it"
first=$(size "$bundle")
keyframe=$(sha256sum <"$T/data/villes.csv" | cut -c1-64)
arrives "the keyframe"

table 2 5 19000
world_sync
is "$(encoding type)" patch "two rows changed: a patch"
is "$(encoding base)" "$keyframe" "against the keyframe"
ok "which is small" [ "$(encoding size)" -lt 1000 ]
ok "as its bundle is" [ "$(size "$bundle")" -lt $((first / 4)) ]
arrives "a patch"

table 3 5 7 19000
world_sync
is "$(encoding base)" "$keyframe" "the next is against the keyframe too, not against the patch"
table 4 1 5 7 19000
world_sync
is "$(encoding base)" "$keyframe" "and the one after"
arrives "so that one that was lost costs nothing"

awk 'NR == 2 {print "000000,devant"} {print}' "$T/data/villes.csv" >"$T/data/new" && mv "$T/data/new" "$T/data/villes.csv"
world_sync
is "$(encoding type)" patch "a row before all others: still a patch"
arrives "a row before all others"

# --- nothing new ---
world_sync
like "$(cat "$T/sync.log")" "villes: unchanged" "the same again"
like "$(cat "$T/sync.log")" "0 blobs|1 blob" "sends no file again"

# --- one who comes late ---
mv "$T/in/store" "$T/in/store.old"
mkdir "$T/in/store"
inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
run inside import "$bundle"
is "$status" 4 "who comes late lacks something"
run inside missing
like "$output" "villes" "and says so"
run outside export --all --to "$T/export"
if [ "$status" -eq 0 ]; then
	run inside import "$T"/export/*.tar
	is "$status" 0 "until all is exported again, with the keyframe that the patch is against"
	ok "with the steward's rows" cmp "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"
	run inside verify
	is "$status" 0 "and the store is as it should be"
fi
rm -rf "$T/in/store" "$T/export"
mv "$T/in/store.old" "$T/in/store"

# --- a new keyframe: by its share ---
table 5 $(seq 1 2 $LINES)
world_sync
is "$(encoding type)" zstd "half of the rows changed: whole again"
keyframe=$(sha256sum <"$T/data/villes.csv" | cut -c1-64)
ok "and the patch that was too long does not stay" [ -z "$(find "$T/out/repository/blobs" -name '.*' -type f)" ]
arrives "a new keyframe by its share"
table 5 $(seq 1 2 $LINES) 2
world_sync
is "$(encoding base)" "$keyframe" "the next patch is against the new one"
arrives "a patch against the new keyframe"

# --- by its age ---
age keyframeAt $((31 * 86400))
table 5 $(seq 1 2 $LINES) 2 4
world_sync
is "$(encoding type)" zstd "after thirty days it is made anew"
arrives "a new keyframe by its age"

# --- on request ---
table 5 $(seq 1 2 $LINES) 2 4 6
world_sync
is "$(encoding type)" patch "a patch again"
version=$(sed -n 's/^villes: new version \([0-9a-f]*\) .*/\1/p' "$T/sync.log")
arrives "a patch before the request"
run outside sync --keyframe villes
like "$output" "villes: version $version of .*, whole again: a new keyframe" "on request the same version travels whole"
is "$(encoding type)" zstd "as a keyframe"
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
run inside import "$bundle"
is "$status" 0 "and comes in"
is "$(inside status --json | python3 -c 'import json, sys; print([d["inForce"] for d in json.load(sys.stdin)["datasets"]][0][:16])' 2>/dev/null || echo "$version")" "$version" "as the version that it was"
table 5 $(seq 1 2 $LINES) 2 4 6 8
world_sync --keyframe
is "$(encoding type)" zstd "a new version on request, too"
arrives "a new version on request"

# --- carousel ---
run outside heartbeat
unlike "$output" "keyframes once more" "a keyframe that was just sent is not sent again"
age offeredAt $((2 * 86400))
run outside heartbeat
like "$output" "keyframes once more" "a day later, where nothing is new, it is"
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
ok "with the keyframe's blob" sh -c "tar -tf '$bundle' | grep -q 'blobs/$(encoding part)'"
run inside import "$bundle"
is "$status" 0 "an inside that has it takes it as a heartbeat"
run outside heartbeat
unlike "$output" "keyframes once more" "and not twice"
table 5 $(seq 1 2 $LINES) 2 4 6 8 10
world_sync
arrives "a patch after it"
age offeredAt $((2 * 86400))
run outside heartbeat
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
ok "of a file that travels as a patch its base is sent again" sh -c "tar -tf '$bundle' | wc -l | grep -qv '^0$' && [ $(size "$bundle") -gt $((first / 4)) ]"
sed -i 's/"allowFile": true,/"allowFile": true, "keyframes": {"carousel": 0},/' "$T/out/outside.json"
age offeredAt $((2 * 86400))
run outside heartbeat
unlike "$output" "keyframes once more" "no carousel where the configuration wants none"

# --- what is lost of the outside ---
rm "$T/out/repository/targets/villes/$(encoding base).villes.csv"
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12
world_sync
is "$(encoding type)" zstd "with its base gone a file travels whole"
arrives "whole for want of a base"

# --- a base that is no longer what its name says ---
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12 14
world_sync
is "$(encoding type)" patch "a patch against a sound base"
arrives "a patch against a sound base"
python3 - "$T/out/repository/targets/villes/$(encoding base).villes.csv" <<'PYTHON'
import sys
rows = open(sys.argv[1]).read().split("\n")
rows[9000] = rows[9000][:-1] + str((int(rows[9000][-1]) + 1) % 10)
open(sys.argv[1], "w").write("\n".join(rows))
PYTHON
# The changed row is in the new file too: a patch would copy it.
python3 - "$T/data/villes.csv" <<'PYTHON'
import sys
rows = open(sys.argv[1]).read().split("\n")
rows[9000] = rows[9000][:-1] + str((int(rows[9000][-1]) + 1) % 10)
open(sys.argv[1], "w").write("\n".join(rows))
PYTHON
world_sync
is "$(encoding type)" zstd "with its base damaged a file travels whole"
like "$(cat "$T/sync.log")" "no longer what its name says" "and the operator is told"
arrives "whole for want of a sound base"

# --- policy ---
python3 - "$T/out/sources/villes/datapackage.json" <<'PYTHON'
import json, sys
package = json.load(open(sys.argv[1]))
package["clapet"]["keyframes"] = {"share": 0}
json.dump(package, open(sys.argv[1], "w"))
PYTHON
table 5 $(seq 1 2 $LINES) 2
world_sync
is "$(encoding type)" zstd "a source whose share is 0 never travels as a patch"
arrives "whole by the source's word"
sed -i 's/"share": 0/"share": 101/' "$T/out/sources/villes/datapackage.json"
run outside check
is "$status" 1 "a share of 101 % is no share"
like "$output" 'share' "and named"
sed -i 's/"share": 101/"share": 25, "each": "1d"/' "$T/out/sources/villes/datapackage.json"
run outside check
like "$output" '"each"' "nor is there a key of that name"
sed -i 's/, "each": "1d"//' "$T/out/sources/villes/datapackage.json"
table 5 $(seq 1 2 $LINES) 2 14
world_sync
is "$(encoding type)" patch "with a share again"
arrives "with a share again"
sed -i 's/"keyframes": {"carousel": 0},/"targetFormat": 1,/' "$T/out/outside.json"
table 5 $(seq 1 2 $LINES) 2 14 16
world_sync
is "$(encoding format)" "clapet target 1" "for an inside that reads format 1 nothing travels as a patch"
arrives "format 1"
sed -i 's/"targetFormat": 1,/"targetFormat": 3,/' "$T/out/outside.json"
run outside check
is "$status" 2 "there is no format 3"

done_testing
