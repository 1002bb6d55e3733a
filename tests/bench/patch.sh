#!/bin/bash
# SPDX-License-Identifier: ISC
# patch.sh [ROWS]: what `clapet-outside patch` makes of changed files, next to `zstd --patch-from` and xdelta3 in the same run: bytes, seconds
# of the whole process, peak memory; medians of ROUNDS (5). Then 1, 2, 4, 8 times the rows with the same number of changed rows. Then a file of BIG
# (6) GiB with 0.1 % of its rows changed, once, which neither of the others takes: left out where TMPDIR has no room for three of it, and by BIG=0.
# The files (150 bytes a row) are made in TMPDIR and removed. ROWS=0: that file alone.
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
ROWS=${1:-3600000}
BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
BIG=${BIG:-6}
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

sizes() { # FACTOR…: so many eighths of ROWS, and always as many changed rows
	echo "rows x   patch B   seconds (one thread)   peak KiB; $((ROWS / 1000 / 8)) rows changed"
	for factor; do
		"$T/gen" $((ROWS * factor / 8)) 1 >"$T/old"
		change "$(awk "BEGIN { print 1 / $factor }")" 7 <"$T/old" >"$T/new"
		rm -f "$T"/time.* "$T/patch"
		measure time.one "$BUILD/bin/clapet-outside" patch --base "$T/old" "$T/new" --threads 1 --output "$T/patch"
		printf '%6d %9s %12s %20s\n' "$factor" "$(stat -c %s "$T/patch")" "$(median time.one seconds)" "$(median time.one peak_kib)"
	done
}
big() {
	local room rows=$((BIG * 1024 * 1024 * 1024 / 149))
	rm -f "$T/old" "$T/new" "$T/back"
	room=$(df --output=avail -B1G "$T" | tail -n 1)
	if [ "$room" -le $((3 * BIG + 1)) ]; then
		echo "SKIP $BIG GiB: $T has $room GiB left"
		return
	fi
	"$T/gen" "$rows" 1 >"$T/old"
	change 1 7 <"$T/old" >"$T/new"
	rm -f "$T"/time.* "$T/patch"
	measure time.ours-2 "$BUILD/bin/clapet-outside" patch --base "$T/old" "$T/new" --threads 2 --output "$T/patch"
	measure time.decode "$BUILD/bin/clapet-audit" --test-bench decode --base "$T/old" "$T/patch" --output "$T/back"
	cmp "$T/back" "$T/new"
	printf '0.1 %% of the rows changed, once: %s bytes\n' "$(stat -c %s "$T/new")"
	printf '  %-8s %10s B %8s s %8s s CPU %8d KiB\n' ours-2 "$(stat -c %s "$T/patch")" "$(median time.ours-2 seconds)" "$(median time.ours-2 cpu)" "$(median time.ours-2 peak_kib)" \
		decode "" "$(median time.decode seconds)" "$(median time.decode cpu)" "$(median time.decode peak_kib)"
}

if [ "$ROWS" = 0 ]; then
	big
	exit
fi
"$T/gen" "$ROWS" 1 >"$T/old"
change 1 7 <"$T/old" >"$T/new" && compare "0.1 % of the rows changed" "$T/old" "$T/new"
change 20 7 <"$T/old" >"$T/new" && compare "2 % of the rows changed" "$T/old" "$T/new"
insert 10 7 <"$T/old" >"$T/new" && compare "1 % of the rows inserted" "$T/old" "$T/new"
{ head -n 1 "$T/old"; tail -n +2 "$T/old" | sort -t, -k7,7 -S 1G; } >"$T/new" && ROUNDS=1 compare "sorted by another column" "$T/old" "$T/new"

sizes 1 2 4 8
[ "$BIG" = 0 ] || big
