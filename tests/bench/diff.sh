#!/bin/bash
# SPDX-License-Identifier: ISC
# diff.sh: `clapet-inside diff` of two versions of ROWS (3,600,000: 548 MB) rows: 0.1 % of them changed; a tenth of the rows inserted as one block;
# half as many rows; the file sorted by another column. Next to `cmp` of two files that are alike, which only reads. Cache warm; medians of
# RUNS (3), and the most memory that a run took.
#
#   ROWS=3600000 RUNS=3 tests/bench/diff.sh
. tests/lib.sh
. tests/world.sh
set -e
ROWS=${ROWS:-3600000} RUNS=${RUNS:-3}
BUILD=${BUILD:-build}
make -s BUILD="$BUILD" all "$BUILD/obj/tests/bench/gen.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
world_new

versions=$T/in/store/datasets/etablissements/v
change='NR > 1 && rand() < 0.001 { $7 = sprintf("2026-%02d-%02dT00:00:00", 1 + rand() * 9, 1 + rand() * 28) } { print }'
put() { # VERSION: a version of the store, of what comes
	mkdir -p "$versions/$1"
	cat >"$versions/$1/etablissements.csv"
	python3 - "$versions/$1/datapackage.json" <<-'PYTHON'
	import json, sys
	json.dump({"name": "etablissements", "resources": [{"name": "etablissements", "path": "etablissements.csv", "format": "csv",
	           "encoding": "utf-8", "schema": json.load(open("tests/bench/schema.json"))}]}, open(sys.argv[1], "w"))
	PYTHON
}
measure() { # TITLE COMMAND…
	local title=$1 i
	shift
	for ((i = 0; i < RUNS; i++)); do
		python3 - "$@" <<-'PYTHON'
		import resource, subprocess, sys, time
		began = time.monotonic()
		subprocess.run(sys.argv[1:], check=False, stdout=subprocess.DEVNULL)
		usage = resource.getrusage(resource.RUSAGE_CHILDREN)
		print("%.2f %.2f %d" % (time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024))
		PYTHON
	done | sort -n | awk -v title="$title" '{ s[NR] = $1; c[NR] = $2; if ($3 > m) m = $3 }
		END { h = int((NR + 1) / 2); printf "%-44s %7s s %7s s CPU %5d MiB\n", title, s[h], c[h], m }'
}
case_() { # TITLE VERSION
	measure "$1" "$BIN/clapet-inside" --config "$T/in/inside.json" diff etablissements aaaaaaaaaaaaaaaa "$2"
	inside diff etablissements aaaaaaaaaaaaaaaa "$2" | sed -n 's/^etablissements\/etablissements, /    /p'
	rm -rf "${versions:?}/$2"
}

"$T/gen" "$ROWS" 1 | put aaaaaaaaaaaaaaaa
old=$versions/aaaaaaaaaaaaaaaa/etablissements.csv
echo "diff: $ROWS rows, $(($(stat -c %s "$old") / 1000000)) MB, medians of $RUNS"
cp "$old" "$T/copy"
measure "cmp, two files that are alike" cmp "$old" "$T/copy"
rm "$T/copy"
awk -F, -v OFS=, "BEGIN { srand(7) } $change" <"$old" | put bbbbbbbbbbbbbbbb
case_ "0.1 % of the rows changed" bbbbbbbbbbbbbbbb
awk -F, -v OFS=, -v at=$((ROWS / 2)) -v n=$((ROWS / 10)) '{ print } NR == at { for (i = 0; i < n; i++) { $3 = sprintf("%014d", i); print } }' <"$old" | put cccccccccccccccc
case_ "a tenth inserted in the middle" cccccccccccccccc
awk 'NR % 2 == 1' <"$old" | put dddddddddddddddd
case_ "every second row removed" dddddddddddddddd
{ head -n 1 "$old"; tail -n +2 "$old" | sort -t, -k2; } | put eeeeeeeeeeeeeeee
case_ "sorted by another column" eeeeeeeeeeeeeeee
