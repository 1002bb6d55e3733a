#!/bin/bash
# SPDX-License-Identifier: ISC
# patch.sh [ROWS]: what `clapet-outside patch` makes of changed files, next to `zstd --patch-from` and xdelta3 in the same run: bytes, seconds
# of the whole process, peak memory; medians of ROUNDS (5). Then 1, 2, 4, 8 times the rows with the same number of changed rows.
# The files (150 bytes a row) are made in TMPDIR and removed.
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
ROWS=${1:-3600000}
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT

make -s BUILD="$BUILD" all "$BUILD/obj/tests/bench/gen.o" "$BUILD/obj/tests/bench/validate.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
${CC:-gcc} -o "$T/clock" "$BUILD/obj/tests/bench/validate.o" "$BUILD/libschemas.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" \
	-lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp -lzstd -larchive
command -v xdelta3 >/dev/null || echo 'SKIP xdelta3: not installed (apt-get install xdelta3)'

# change PERMILLE SEED <OLD: of so many rows in a thousand the day of the last update and the sign are others, as in SIRENE's daily files.
change() {
	awk -F, -v OFS=, -v permille="$1" -v seed="$2" 'BEGIN { srand(seed) } NR > 1 && rand() * 1000 < permille {
		$7 = sprintf("2026-%02d-%02dT%02d:%02d:%02d", 1 + rand() * 9, 1 + rand() * 28, rand() * 24, rand() * 60, rand() * 60) } { print }'
}
# insert PERMILLE SEED <OLD: so many rows in a thousand are new ones.
insert() {
	awk -F, -v OFS=, -v permille="$1" -v seed="$2" 'BEGIN { srand(seed) } { print } NR > 1 && rand() * 1000 < permille {
		$1 = sprintf("9%08d", rand() * 100000000); $3 = $1 $2; $15 = sprintf("%.2f", rand() * 1000000); print }'
}
measure() { # NAME COMMAND…: a line with seconds= and peak_kib= more in $T/NAME
	local name=$1
	shift
	"$T/clock" run "$@" >>"$T/$name" 2>"$T/told" || { cat "$T/told"; exit 1; }
}
median() { sed -n "s/.*\b$2=\([0-9.]*\).*/\1/p" "$T/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
compare() { # TITLE OLD NEW
	rm -f "$T"/time.*
	for ((round = 0; round < ROUNDS; round++)); do
		for threads in 1 2; do
			rm -f "$T/patch"
			measure time.ours-$threads "$BUILD/bin/clapet-outside" patch --base "$2" "$3" --threads $threads --output "$T/patch"
		done
		measure time.zstd-3 zstd -q -f -3 --long=31 --patch-from "$2" "$3" -o "$T/zstd"
		! command -v xdelta3 >/dev/null || measure time.xdelta3 xdelta3 -e -f -s "$2" "$3" "$T/xdelta"
	done
	rm -f "$T/back"
	measure time.decode "$BUILD/bin/clapet-audit" --test-bench decode --base "$2" "$T/patch" --output "$T/back"
	cmp "$T/back" "$3"
	printf '%s: %s bytes\n' "$1" "$(stat -c %s "$3")"
	for stage in ours-1:patch ours-2:patch zstd-3:zstd xdelta3:xdelta decode:; do
		[ -e "$T/time.${stage%:*}" ] || continue
		printf '  %-8s %10s B %8s s %8d KiB\n' "${stage%:*}" "$([ -z "${stage#*:}" ] || stat -c %s "$T/${stage#*:}")" \
			"$(median "time.${stage%:*}" seconds)" "$(median "time.${stage%:*}" peak_kib)"
	done
}

"$T/gen" "$ROWS" 1 >"$T/old"
change 1 7 <"$T/old" >"$T/new" && compare "0.1 % of the rows changed" "$T/old" "$T/new"
change 20 7 <"$T/old" >"$T/new" && compare "2 % of the rows changed" "$T/old" "$T/new"
insert 10 7 <"$T/old" >"$T/new" && compare "1 % of the rows inserted" "$T/old" "$T/new"
{ head -n 1 "$T/old"; tail -n +2 "$T/old" | sort -t, -k7,7 -S 1G; } >"$T/new" && ROUNDS=1 compare "sorted by another column" "$T/old" "$T/new"

echo "rows x   patch B   seconds (one thread)   peak KiB; $((ROWS / 1000 / 8)) rows changed"
for factor in 1 2 4 8; do
	"$T/gen" $((ROWS * factor / 8)) 1 >"$T/old"
	change "$(awk "BEGIN { print 1 / $factor }")" 7 <"$T/old" >"$T/new"
	rm -f "$T"/time.* "$T/patch"
	measure time.one "$BUILD/bin/clapet-outside" patch --base "$T/old" "$T/new" --threads 1 --output "$T/patch"
	printf '%6d %9s %12s %20s\n' $factor "$(stat -c %s "$T/patch")" "$(median time.one seconds)" "$(median time.one peak_kib)"
done
