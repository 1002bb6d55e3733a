#!/bin/bash
# SPDX-License-Identifier: ISC
# validate.sh [ROWS [CSV SCHEMA]]: rows through libcsv alone, our reader, clapet-outside validate with one and two threads, the rules
# where patterns are interpreted (as inside), and DuckDB (npm's @duckdb/node-api, put below build/). Medians of ROUNDS (5) rounds in
# which each takes its turn, so that what else the machine does falls on all alike. Then 1, 2, 4, 8 times the rows, of CPU time, with what
# their keys took: past 192 MiB they go to a file in TMPDIR (20 bytes a key).
# Its file (150 bytes a row) is made in TMPDIR and removed.
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
ROWS=${1:-3600000}
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
CSV=${2:-} SCHEMA=${3:-tests/bench/schema.json}
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT

make -s BUILD="$BUILD" all "$BUILD/obj/tests/bench/gen.o" "$BUILD/obj/tests/bench/validate.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
${CC:-gcc} -o "$T/validate" "$BUILD/obj/tests/bench/validate.o" "$BUILD/libschemas.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" \
	-lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp -lzstd -larchive
if [ -z "$CSV" ]; then
	CSV=$T/rows.csv
	"$T/gen" "$ROWS" 1 >"$CSV"
fi
bytes=$(stat -c %s "$CSV")

duckdb=$BUILD/bench/duckdb
if [ ! -d "$duckdb/node_modules/@duckdb/node-api" ]; then
	mkdir -p "$duckdb"
	timeout 300 npm install --silent --no-audit --no-fund --prefix "$duckdb" @duckdb/node-api >&2 || rm -rf "$duckdb"
fi
stages='libcsv reader interpreted ours-1 ours-2'
if [ -d "$duckdb" ]; then
	stages="$stages duckdb-1 duckdb-2"
else
	echo 'SKIP duckdb: @duckdb/node-api cannot be had from npm here'
fi

# measure STAGE: one line with seconds=, cpu=, peak_kib=
measure() {
	case $1 in
	ours-*) "$T/validate" run "$BUILD/bin/clapet-outside" validate --threads "${1#*-}" --schema "$SCHEMA" "$CSV" ;;
	duckdb-*) "$T/validate" run node tests/bench/duckdb.mjs "$duckdb" "$SCHEMA" "$CSV" "${1#*-}" ;;
	*) "$T/validate" "$1" "$SCHEMA" "$CSV" ;;
	esac
}
# median STAGE KEY
median() { sed "s/.*\b$2=\([0-9.]*\).*/\1/" "$T/$1" | sort -n | sed -n "$(((ROUNDS + 1) / 2))p"; }
ratio() { awk "BEGIN { printf \"%.2f\", ($1) / ($2) }"; }

for ((round = 0; round < ROUNDS; round++)); do
	for stage in $stages; do measure "$stage" >>"$T/$stage" 2>>"$T/told"; done
done
echo "$bytes bytes; medians of $ROUNDS rounds; load $(cut -d' ' -f1-3 /proc/loadavg)"
printf '%-14s %8s %8s %8s %10s %9s\n' stage seconds cpu MB/s 'MB/s cpu' 'peak MB'
for stage in $stages; do
	seconds=$(median "$stage" seconds) cpu=$(median "$stage" cpu)
	printf '%-14s %8s %8s %8.0f %10.0f %9.0f\n' "$stage" "$seconds" "$cpu" "$(ratio "$bytes" "$seconds * 1e6")" \
		"$(ratio "$bytes" "$cpu * 1e6")" "$(ratio "$(median "$stage" peak_kib)" 976.5625)"
done
echo "one thread takes $(ratio "$(median ours-1 cpu)" "$(median libcsv cpu)") times the CPU time of libcsv alone (at most 2 wanted)"
echo "two threads are $(ratio "$(median ours-1 seconds)" "$(median ours-2 seconds)") times as fast as one (1.8 wanted)"
if [ -d "$duckdb" ]; then
	for n in 1 2; do
		echo "with $n thread(s) $(ratio "$(median duckdb-$n seconds)" "$(median ours-$n seconds)") times as fast as DuckDB (2 wanted)"
	done
fi

echo 'rows x        cpu    us a row   peak MB   keys: memory MB   file MB'
for times in 1 2 4 8; do
	"$T/gen" $((ROWS * times)) 1 |
		"$T/validate" run "$BUILD/bin/clapet-outside" validate --statistics --schema tests/bench/schema.json /dev/stdin >"$T/line" 2>"$T/keys"
	cat "$T/keys" >>"$T/told"
	cpu=$(sed 's/.*cpu=\([0-9.]*\).*/\1/' "$T/line")
	printf '%6d %10s %11s %9.0f %17.0f %9.0f\n' "$times" "$cpu" "$(ratio "$cpu * 1e6" "$ROWS * $times")" \
		"$(ratio "$(sed 's/.*peak_kib=\([0-9]*\).*/\1/' "$T/line")" 976.5625)" \
		"$(ratio "$(sed -n 's/.* in at most \([0-9]*\) bytes.*/\1/p' "$T/keys")" 1e6)" \
		"$(ratio "$(sed -n 's/.* and \([0-9]*\) of the file.*/\1/p' "$T/keys")" 1e6)"
done
