#!/bin/bash
# SPDX-License-Identifier: ISC
# checkout.sh: any version that history keeps comes back as it was, byte for byte: from objects, from whole blobs, from patches; named by digits or by
# a day; whole or not at all, whatever is damaged, missing or full.
. tests/lib.sh
. tests/world.sh

json() { printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
table() { # KEYFRAME GENERATION: hardly compresses; generation G changes row G
	awk -v key="$1" -v generation="$2" 'BEGIN {
		print "code,nom"; x = 12345 + key
		for (i = 1; i <= 3000; i++) { x = (x * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i == generation ? i * 7 : x }
	}' >"$T/data/villes.csv"
}
versions=() moments=()
bring() { # KEYFRAME GENERATION: the next version; its files are kept in $T/as/N, when it came in ${moments[N]}
	table "$1" "$2"
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1 || return
	mkdir -p "$T/as"
	cp -rL "$T/in/store/current/villes" "$T/as/${#versions[@]}"
	versions+=("$(readlink "$T/in/store/current/villes" | sed 's|.*/||')")
	sleep 1.1
	moments+=("$(date -u +%Y-%m-%dT%H:%M:%SZ)")
	sleep 1.1
}
checkout() { run inside checkout villes "$@"; }
parts() { # VERSION KEY: blobs of the table's own parts ("parts"), or of its base ("base")
	python3 - "$T/in/store/decisions/history/villes/$1.json" "$2" <<-'PYTHON'
	import json, sys
	d = json.load(open(sys.argv[1]))
	f = [f for f in d["files"] if f["path"] == "villes.csv"][0]
	b = f if sys.argv[2] == "parts" else [b for b in d["bases"] if b["sha256"] == f["base"]][0]
	print(*[p["sha256"] for p in b["parts"]])
	PYTHON
}
blob() { echo "$T/in/store/mirror/blobs/$1"; }

WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 100}'
world_new
world_source villes "code:string nom:string"
bring 1 0
before=$(date -u -d "@$(($(date +%s) - 86400))" +%Y-%m-%d)
for generation in 1 2; do bring 1 $generation; done
bring 2 0
bring 2 1
is "$(ls "$T/in/store/datasets/villes/v")" "${versions[4]}" "only the newest version's plain files are here"
like "$(parts "${versions[2]}" base)" '^[0-9a-f]{64}$' "an older one travelled as a patch"

# --- every version, byte for byte
for n in 0 1 2 3 4; do
	checkout "${versions[$n]:0:8}" --to "$T/out-$n"
	is "$status" 0 "version $n comes back" || echo "# $output"
	ok "version $n: byte for byte, and no other file" diff -r "$T/as/$n" "$T/out-$n"
done
like "$output" "villes: version ${versions[4]} of 20.* in $T/out-4: 4 files, .*; 0 rebuilt from blobs" "the one in force is copied"
checkout --to "$T/now"
ok "without a version it is the one in force" diff -r "$T/as/4" "$T/now"
run inside --json checkout villes "${versions[1]}" --to "$T/json"
is "$(json 'd["version"], d["files"], d["rebuilt"] > 0')" "${versions[1]} 4 True" "as JSON"
is "$(find "$T" -maxdepth 1 -name '.*.partial')" "" "nothing is left beside them"
is "$(stat -c %a "$T/out-0" "$T/out-0/villes.csv" | tr '\n' ' ')" "755 644 " "with the modes of new files"

# --- as of a day
for n in 0 2 4; do
	checkout --as-of "${moments[$n]}" --to "$T/at-$n"
	ok "as of a moment: version $n" diff -r "$T/as/$n" "$T/at-$n"
done
checkout --as-of "$(date -u +%Y-%m-%d)" --to "$T/today"
ok "today's end is now" diff -r "$T/as/4" "$T/today"
run inside --json history --as-of "${moments[1]}"
is "$(json 'd')" "[{'dataset': 'villes', 'version': '${versions[1]}', 'date': '$(json 'd[0]["date"]')', 'state': 'rebuildable'}]" "every dataset as of a moment"
run inside history --as-of "${moments[4]}"
like "$output" "^villes +${versions[4]} +20[0-9-]+ +here" "for people, too"
run inside diff villes --as-of "${moments[4]}"
is "$status" 0 "diff as of a moment"
like "$output" "from version ${versions[4]} to ${versions[4]}" "against the one in force"
checkout --as-of "$before" --to "$T/none"
is "$status" 2 "nothing was in force the day before"
like "$output" 'E6004 .*villes: no version is known to have been in force on' "and it says so"
checkout --as-of 2999-01-01 --to "$T/none"
is "$status" 2 "a day to come is a mistake"
like "$output" 'still to come' "and it says so"
checkout --as-of yesterday --to "$T/none"
like "$output" 'a day is written 2026-03-01' "a day has one form"

# --- refusals that touch nothing
checkout "${versions[1]}" --to "$T/out-1"
is "$status" 2 "a folder that is there"
like "$output" 'out-1: is there already' "is not touched"
ok "it is as it was" diff -r "$T/as/1" "$T/out-1"
checkout "${versions[1]}"
like "$output" '--to DIR is needed' "--to is needed"
checkout "${versions[1]}" --as-of "${moments[1]}" --to "$T/none"
is "$status" 2 "a version and a day are one too many"
checkout 0000 --to "$T/none"
like "$output" 'no version 0000 is here' "a version that never was"
checkout "${versions[1]}" --to "$T/nowhere/none"
like "$output" 'E9001 .*nowhere' "a folder in no folder"
run inside checkout rues --to "$T/none"
like "$output" 'nothing of rues is in force' "a dataset that never was"
not_ok "none of them made a folder" test -e "$T/none"

# --- damage: the bytes of the signed files, or none
flip() { # FILE
	chmod u+w "$1"
	printf '\377' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") / 2)) conv=notrunc status=none
	chmod 0440 "$1"
}
damaged() { # FILE N STATUS PATTERN WHAT: the version N while FILE is damaged
	cp -p "$1" "$T/saved"
	flip "$1"
	checkout "${versions[$2]}" --to "$T/damaged"
	is "$status" "$3" "$5: exit status"
	like "$output" "$4" "$5: says so"
	if [ "$3" = 0 ]; then
		ok "$5: byte for byte all the same" diff -r "$T/as/$2" "$T/damaged"
		rm -rf "$T/damaged"
	else
		not_ok "$5: no folder" test -e "$T/damaged"
	fi
	is "$(find "$T" -maxdepth 1 -name '.*.partial')" "" "$5: and nothing beside it"
	cp -p --remove-destination "$T/saved" "$1"
}
damaged "$(blob "$(parts "${versions[1]}" parts)")" 1 1 'REFUSED villes.csv: ' "a damaged patch"
damaged "$(blob "$(parts "${versions[1]}" base)")" 1 1 'REFUSED villes.csv: its base' "a damaged keyframe, of which no object is here"
newest=$T/in/store/datasets/villes/objects/$(sha256sum <"$T/as/4/villes.csv" | cut -c1-64)
damaged "$newest" 4 0 'the object in the store is damaged: from its blobs instead' "a damaged object"
base=$T/in/store/datasets/villes/objects/$(sha256sum <"$T/as/3/villes.csv" | cut -c1-64)
ok "the newest's base is an object" test -e "$base"
cp -p "$newest" "$T/newest"
rm -f "$newest"
damaged "$base" 4 0 "from the base's blobs instead" "a damaged object that is a base"
cp -p "$T/newest" "$newest"

lost=$(blob "$(parts "${versions[2]}" parts)")
mv "$lost" "$T/lost"
checkout "${versions[2]}" --to "$T/damaged"
is "$status" 4 "a blob that is not here"
like "$output" 'E4430 .*villes.csv: its blob [0-9a-f]{16}: is not here any more' "is named"
not_ok "and no folder" test -e "$T/damaged"
run inside --json history villes
is "$(json '[v["state"] for v in d]')" "['here', 'rebuildable', 'gone', 'rebuildable', 'rebuildable']" "history says that it is gone"
mv "$T/lost" "$lost"

# A worker that lies: what it wrote is not what it says.
mkdir -p "$T/liar/bin" "$T/liar/libexec/clapet"
cp "$BIN/clapet-inside" "$T/liar/bin/"
cp "$LIBEXEC"/inside-* "$T/liar/libexec/clapet/"
cat >"$T/liar/libexec/clapet/inside-check" <<'LIAR'
#!/bin/sh
exit 0
LIAR
chmod 0755 "$T/liar/libexec/clapet/inside-check"
run "$T/liar/bin/clapet-inside" --config "$T/in/inside.json" checkout villes "${versions[1]}" --to "$T/damaged"
is "$status" 2 "a worker that does nothing"
not_ok "makes no folder" test -e "$T/damaged"

# --- what an earlier run left, and one that is at work
mkdir "$T/.late.partial"
echo left >"$T/.late.partial/villes.csv"
checkout "${versions[1]}" --to "$T/late"
ok "what a run left that was cut off is no hindrance" diff -r "$T/as/1" "$T/late"
mkdir "$T/.busy.partial"
exec 9<"$T/.busy.partial"
flock 9
checkout "${versions[1]}" --to "$T/busy"
is "$status" 2 "two at once"
like "$output" 'E9005 .*another checkout is filling it' "do not mix"
exec 9<&-

done_testing
