#!/bin/bash
# SPDX-License-Identifier: ISC
# inside.sh: a bundle that changes PERMILLE (1) of ROWS (3,600,000: 548 MB) by a patch, from the bundle on disk to swapped, next to `cp`, `sha256sum`
# and `sync` of the new file, and next to `clapet-outside validate` of it alone; cache warm. With rows that the patch copied spared, and with every
# row judged (fullValidation). Then where the time goes, a worker each. Then what SMALL (1,000) datasets of a few rows cost in one bundle. Medians of
# RUNS (5): seconds, and CPU seconds of all processes, which say more on a loaded machine.
#
#   ROWS=3600000 RUNS=5 SMALL=1000 tests/bench/inside.sh
. tests/lib.sh
. tests/world.sh
set -e
ROWS=${ROWS:-3600000} RUNS=${RUNS:-5} SMALL=${SMALL:-1000} PERMILLE=${PERMILLE:-1}
BUILD=${BUILD:-build}
csv=$T/data/etablissements.csv
repository=$T/out/repository

make -s BUILD="$BUILD" all "$BUILD/obj/tests/bench/gen.o" "$BUILD/obj/tests/bench/validate.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
${CC:-gcc} -o "$T/clock" "$BUILD/obj/tests/bench/validate.o" "$BUILD/libschemas.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" \
	-lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp -lzstd -larchive
measure() { # NAME COMMAND…
	local name=$1
	shift
	"$T/clock" run "$@" >>"$T/time.$name" 2>"$T/told" || { cat "$T/told"; exit 1; }
}
median() { sed -n "s/.*\b$2=\([0-9.]*\).*/\1/p" "$T/time.$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk "BEGIN { printf \"%.2f\", ($1) / ($2) }"; }
row() { # NAME TITLE [OF…]: its medians, and the ratio to others
	local name=$1 title=$2
	shift 2
	printf '%-44s %7s s %7s s CPU' "$title" "$(median "$name" seconds)" "$(median "$name" cpu)"
	for of; do printf '   %s x %s' "$(ratio "$(median "$name" seconds)" "$(median "$of" seconds)")" "$of"; done
	printf '\n'
}
published() { # PYTHON: of the targets `t` of the newest role
	python3 -c 'import json, sys, glob
role = max(glob.glob(sys.argv[1] + "/metadata/*.etablissements.json"), key=lambda p: int(p.split("/")[-1].split(".")[0]))
t = json.load(open(role))["signed"]["targets"]
exec(sys.argv[2])' "$repository" "$1"
}
one() { find "$T/out/outbox" -name '*.tar' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2; }
sync_one() { outside sync --force >"$T/told" 2>&1 || { cat "$T/told"; exit 1; }; }

world_new
mkdir -p "$T/out/sources/etablissements"
python3 - "file://$csv" "$T/out/sources/etablissements/datapackage.json" <<'PYTHON'
import json, sys
json.dump({"name": "etablissements", "title": "Benchmark", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
           "resources": [{"name": "etablissements", "path": sys.argv[1], "format": "csv", "encoding": "utf-8",
                          "schema": json.load(open("tests/bench/schema.json"))}]}, open(sys.argv[2], "w"))
PYTHON
world_policy etablissements
"$T/gen" "$ROWS" 1 >"$csv"
sync_one
cp "$csv" "$T/key.csv"
key_blob=$repository/blobs/$(published 'print(t["etablissements/etablissements.csv"]["custom"]["encodings"][0]["parts"][0]["sha256"])')
inside import "$(one)" >/dev/null 2>&1
awk -F, -v OFS=, -v permille="$PERMILLE" 'BEGIN { srand(7) } NR > 1 && rand() * 1000 < permille {
	$7 = sprintf("2026-%02d-%02dT%02d:%02d:%02d", 1 + rand() * 9, 1 + rand() * 28, rand() * 24, rand() * 60, rand() * 60) } { print }' <"$T/key.csv" >"$csv"
sync_one
"$BUILD/bin/clapet-outside" patch --base "$T/key.csv" "$csv" --threads 2 --output "$T/patch" >/dev/null
python3 tests/patchbundle.py sign "$repository" "$T/out/keys" etablissements etablissements.csv "$T/patch" "$T/key.csv" "$key_blob"
mapfile -t blobs < <(published 'for path, target in t.items():
	if not path.endswith(".csv"):
		print(sys.argv[1] + "/blobs/" + target["custom"]["encodings"][0]["parts"][0]["sha256"])')
python3 tests/patchbundle.py bundle "$T/in.tar" "$repository" "$T/patch" "${blobs[@]}"
cp -a "$T/in" "$T/before"
mkdir "$T/copy"
sha256sum "$csv" >/dev/null

# A virtual machine gets its memory page by page, as it is first touched: whoever writes first would pay for it.
head -c $((6 * $(stat -c %s "$csv"))) /dev/zero >"$T/warm"
rm "$T/warm"

import_one() { # NAME [FULL]
	rm -rf "$T/in"
	cp -a "$T/before" "$T/in"
	[ -z "${2:-}" ] || sed -i 's|"format"|"fullValidation": true, "format"|' "$T/in/inside.json"
	sha256sum "$T/key.csv" "$T"/in/store/datasets/etablissements/objects/* >/dev/null
	sync
	measure "$1" "$BIN/clapet-inside" --config "$T/in/inside.json" import "$T/in.tar"
	cmp "$csv" "$T/in/store/current/etablissements/etablissements.csv"
}
# Seconds of each worker: how long its process was there.
workers() {
	exec python3 - <<'PYTHON'
import os, signal, time
seen, stop = {}, []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
while not stop:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = os.readlink(f"/proc/{pid}/exe").split("/")[-1]
        except OSError:
            continue
        if name.startswith(("inside-", "clapet-inside")):
            now = time.time()
            seen[pid, name] = (seen.get((pid, name), (now, now))[0], now)
    time.sleep(0.005)
total = {}
for (_, name), (first, last) in seen.items():
    total[name] = total.get(name, 0) + last - first
print("  ".join(f"{name} {seconds:.2f} s" for name, seconds in sorted(total.items())))
PYTHON
}

for ((run = 0; run < RUNS; run++)); do
	rm -rf "$T"/copy/*
	sync
	measure cp+sha256sum+sync sh -c 'cp "$1" "$2/new" && sha256sum "$2/new" && sync' sh "$csv" "$T/copy"
	measure validate-1 "$BIN/clapet-outside" validate --threads 1 --schema tests/bench/schema.json "$csv"
	measure validate-2 "$BIN/clapet-outside" validate --threads 2 --schema tests/bench/schema.json "$csv"
	import_one import
	import_one import-full full
done
echo "$ROWS rows, $(stat -c %s "$csv") bytes; a bundle of $(stat -c %s "$T/in.tar") bytes; $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
row cp+sha256sum+sync "cp + sha256sum + sync"
row validate-1 "validate alone, one thread"
row validate-2 "validate alone, two threads"
row import "import, copied rows spared" cp+sha256sum+sync
row import-full "import, every row judged" cp+sha256sum+sync validate-1 validate-2
workers >"$T/workers" &
watcher=$!
import_one last
kill $watcher
wait $watcher || :
cat "$T/workers"

# --- many small ones ---------------------------------------------------------------------------------------------------
[ "$SMALL" -gt 0 ] || exit 0
rm -rf "$T"/in "$T"/out "$T"/before "$T"/copy "$T"/data/* "$T"/key.csv "$T"/root.key
world_new
names=()
for ((i = 0; i < SMALL; i++)); do
	name=$(printf 'd%04d' "$i")
	names+=("$name")
	world_source "$name" "code:string n:integer"
	seq -f "%.0f,$i" 1 20 | sed '1i code,n' >"$T/data/$name.csv"
done
world_policy "${names[@]}"
sync_one
rm -f "$T/time.small"
measure small "$BIN/clapet-inside" --config "$T/in/inside.json" import "$(one)"
row small "import of $SMALL datasets of 20 rows"
