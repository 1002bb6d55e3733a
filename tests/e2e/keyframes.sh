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

# --- the keyframe's own blobs are lost outside: who comes late could not have it ---
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12 16
world_sync
is "$(encoding type)" patch "a patch before its keyframe's blob is lost"
arrives "a patch before its keyframe's blob is lost"
keyframe=$(python3 - "$T/out/state/villes/state.json" <<'PYTHON'
import json, sys
print([f["base"]["parts"][0]["sha256"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["base"]][0])
PYTHON
)
rm "$T/out/repository/blobs/$keyframe"
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12 18
world_sync
is "$(encoding type)" zstd "with its keyframe's blob gone a file travels whole"
arrives "whole for want of the keyframe's blob"

# --- status and check: how it travels, and whether it could be made again ---
told() { # EXPRESSION over f, villes.csv in status --json
	outside status --json 2>/dev/null | python3 -c "import json, sys; f = [f for f in json.load(sys.stdin)['sources'][0]['files'] if f['file'] == 'villes.csv'][0]; print($1)"
}
run outside status
is "$status" 0 "status of what is whole"
like "$output" '^villes/villes.csv +whole +[0-9.]+ KB +- +[0-9.]+ KB +[0-9]+ s +whole$' "status: a file that travels whole, its size, the keyframe's age"
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12 18 20
world_sync
run outside status
like "$output" '^villes/villes.csv +patch +[0-9]+ B +0\.[0-9] % +[0-9.]+ KB +[0-9]+ s +whole$' "status: a patch, its size, its share of the keyframe"
is "$(told 'f["travels"], f["travelBytes"], f["onDisk"], f["damage"]')" "patch $(encoding size) whole None" "and as JSON"
is "$(told 'f["keyframe"]["hash"]')" "sha256:$(encoding base)" "with the keyframe's digest"
ok "and its share, and when it was made" [ "$(told '0 < f["share"] < 5 and f["keyframe"]["made"] is not None and f["keyframe"]["travelBytes"] > 10000')" = True ]
age keyframeAt $((3 * 86400))
like "$(outside status 2>/dev/null)" '^villes/villes.csv +patch .* 3 days +whole$' "and how old that is"
run outside check
is "$status" 0 "check reads all of it"
like "$output" '^good     files of villes: 4, 1 as a patch, .* their keyframes are whole' "and says that it is whole"
keyframe=$(told 'f["keyframe"]["hash"][7:]')
blob=$(python3 -c 'import json, sys; print([f["base"]["parts"][0]["sha256"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["base"]][0])' "$T/out/state/villes/state.json")
damaged() { # NAME REGEX FILE BYTES-OR-NOTHING: the file is changed, status and check say so, and it is put back
	cp -p "$3" "$T/kept"
	if [ -n "$4" ]; then printf '%s' "$4" | dd of="$3" bs=1 seek=1000 conv=notrunc status=none; else rm "$3"; fi
	run outside check
	is "$status" 4 "$1: check: exit 4"
	like "$output" "^BAD      E1350 MISSING villes/villes.csv: $2" "$1: check names it"
	run outside status
	if [ -n "$4" ]; then
		is "$status" 0 "$1: status does not read so much"
	else
		is "$status" 4 "$1: status: exit 4"
		like "$output" "E1350 MISSING villes/villes.csv: $2" "$1: status names it"
		like "$output" '^villes/villes.csv +patch .* DAMAGED$' "$1: in its row"
		is "$(told 'f["onDisk"]')" damaged "$1: for machines"
	fi
	cp -p "$T/kept" "$3"
}
damaged "the keyframe's blob is gone" "its keyframe's blob, repository/blobs/${blob:0:10}, is gone" "$T/out/repository/blobs/$blob" ""
damaged "the keyframe's blob has other bytes" "its keyframe's blob, repository/blobs/${blob:0:10}, has other bytes" "$T/out/repository/blobs/$blob" XXXXXXXX
damaged "the patch is gone" "its patch, repository/blobs/.*, is gone" "$T/out/repository/blobs/$(encoding part)" ""
damaged "the base's file is gone" "the file that patches are made against, .*, is gone" "$T/out/repository/targets/villes/$keyframe.villes.csv" ""
damaged "the base's file has other bytes" "the file that patches are made against, .*, has other bytes" "$T/out/repository/targets/villes/$keyframe.villes.csv" XXXXXXXX
mv "$T/out/repository/blobs" "$T/blobs"
like "$(outside status 2>/dev/null)" '^villes/villes.csv +patch .* not looked at$' "a repository that cannot be looked into is no damage"
mv "$T/blobs" "$T/out/repository/blobs"
arrives "the patch that was looked at"

# --- on request, what travels whole already ---
plain=$T/out/repository/targets/villes/$(sha256sum <"$T/data/villes.csv" | cut -c1-64).villes.csv
run outside sync --keyframe villes
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
blob=$(encoding part)
run inside import "$bundle"
run outside sync --keyframe villes
is "$status" 0 "a second time on request"
like "$output" '^villes: unchanged; it travels whole, and is sent once more$' "it says so in one line"
unlike "$output" 'a heartbeat' "and it is no heartbeat"
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
is "$(tar -tf "$bundle" | grep -c "^blobs/$blob")" 1 "the whole file is sent again"
run inside import "$bundle"
is "$status" 0 "and the inside takes it"
run outside heartbeat
unlike "$(tar -tf "$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")")" "blobs/$blob" "and not once more after that"
rm "$T/out/repository/blobs/$blob"
run outside sync --keyframe villes
is "$status" 0 "with its blob gone"
is "$(tar -tf "$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")" | grep -c "^blobs/$(encoding part)")" 1 "it is made again, and sent"
rm "$plain"
run outside status
is "$status" 4 "with its plain file gone"
run outside sync --keyframe villes
is "$status" 0 "its source gives it again"
ok "as it was" cmp "$plain" "$T/data/villes.csv"
echo damage >>"$plain"
rm "$T/out/repository/blobs/$(encoding part)"
run outside sync --keyframe villes
is "$status" 0 "with both of them gone, too"
ok "the file is as it was" cmp "$plain" "$T/data/villes.csv"
run outside check
like "$output" '^good     files of villes: 4, 0 as a patch' "and all is whole again"

# --- a patch that would pass its share is given up early ---
if command -v strace >/dev/null; then
	awk 'BEGIN { print "code,nom"; y = 77; for (i = 1; i <= 1500000; i++) { y = (y * 16807) % 2147483647; printf "%07d,%d\n", i, y } }' >"$T/data/villes.csv"
	world_sync
	awk 'BEGIN { print "code,nom"; y = 99; for (i = 1; i <= 1500000; i++) { y = (y * 16807) % 2147483647; printf "%07d,%d\n", i, y } }' >"$T/data/villes.csv"
	strace -f -qq -e trace=execve,write -e signal=none -o "$T/trace" "$BIN/clapet-outside" --config "$T/out/outside.json" sync --force >"$T/sync.log" 2>&1
	bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$T/sync.log" | tail -n 1)
	is "$(encoding type)" zstd "a file with nothing in common travels whole"
	# The workers of outside-pack, in order: the patch that was tried, and what travels.
	wrote() { awk -v n="$1" '/execve\(.*outside-pack/ { k++; pid[k] = $1 } / write\(/ { sum[$1] += $NF } END { print sum[pid[n]] + 0 }' "$T/trace"; }
	ok "the patch that was tried was given up after a share of it ($(wrote 1) of $(wrote 2) bytes)" [ "$(wrote 1)" -lt $(($(wrote 2) * 8 / 10)) ]
	arrives "whole for want of likeness"
fi

# --- a base that is no longer what its name says ---
table 5 $(seq 1 2 $LINES) 2 4 6 8 10 12 13
world_sync
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
