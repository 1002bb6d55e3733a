#!/bin/bash
# SPDX-License-Identifier: ISC
# validate.sh [ROWS]: rows through libcsv alone, our reader, and the reader with a schema; MB/s of CPU time, peak memory, bytes a key.
# Its file (150 bytes a row) is made in TMPDIR and removed.
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
ROWS=${1:-3600000}
BUILD=${BUILD:-build}
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT

make -s BUILD="$BUILD" "$BUILD/libbase.a" "$BUILD/libbundle.a" "$BUILD/libschemas.a" \
	"$BUILD/obj/tests/bench/gen.o" "$BUILD/obj/tests/bench/validate.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
${CC:-gcc} -o "$T/validate" "$BUILD/obj/tests/bench/validate.o" "$BUILD/libschemas.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" \
	-lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp -lzstd -larchive
"$T/gen" "$ROWS" 1 >"$T/rows.csv"

floor=
for stage in libcsv reader rows interpreted; do
	result=$("$T/validate" "$stage" tests/bench/schema.json "$T/rows.csv")
	seconds=$(sed 's/.*seconds=\([0-9.]*\).*/\1/' <<<"$result")
	floor=${floor:-$seconds}
	printf '%-12s %s ratio_to_libcsv=%s\n' "$stage" "$result" "$(awk "BEGIN { printf \"%.2f\", $seconds / $floor }")"
done
