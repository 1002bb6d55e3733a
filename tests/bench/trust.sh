#!/bin/bash
# SPDX-License-Identifier: ISC
# trust.sh: what trust costs. Signatures a second against libsodium's bare loop; and catalogues of many datasets of which one changed: time
# and peak memory of a client's process, bytes of metadata that must cross. Medians of RUNS runs.
#
#   RUNS=5 DATASETS=60000 tests/bench/trust.sh
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
RUNS=${RUNS:-5} DATASETS=${DATASETS:-60000}
BUILD=${BUILD:-build}
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT
roles=$(sed -n 's/^#define LIMIT_ROLES \([0-9]*\)$/\1/p' bundle/limits.h)

make -s BUILD="$BUILD" "$BUILD/libbase.a" "$BUILD/libbundle.a" "$BUILD/libkeys.a" "$BUILD/obj/tests/bench/trust.o" >&2
${CC:-gcc} -o "$T/trust" "$BUILD/obj/tests/bench/trust.o" "$BUILD/libkeys.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" \
	-lsodium -ljansson -lcrypto -lseccomp -lzstd -larchive

echo "signatures verified per second of processor time: libsodium alone; tuf_authority_check of a claim; the same with tuf_claim_parse of its file"
printf '%7s %9s %9s %6s %9s %6s\n' bytes bare checked ratio parsed ratio
"$T/trust" signatures

echo
echo "a client that trusts a catalogue takes the next one, in which one dataset (two targets) is new"
printf '%-7s %8s %6s %9s %9s %10s %12s %11s %11s\n' by datasets files "CPU ms" "peak MB" "bytes new" "of snapshot" "of roles" "of targets"
median() { sort -n | sed -n "$(((RUNS + 1) / 2))p"; }
refresh() { # KIND N BITS FILES
	local run kind=$1 folder=$T/catalogue out=$T/out
	rm -rf "$folder"
	"$T/trust" make "$kind" "$folder" "$2" "$3"
	for run in $(seq "$RUNS"); do "$T/trust" refresh "$kind" "$folder"; done >"$out"
	printf '%-7s %8d %6d %9.1f %9.1f %10d %12d %11d %11d\n' "$kind" "$2" "$4" \
		"$(sed 's/.*milliseconds=\([0-9.]*\).*/\1/' "$out" | median)" \
		"$(sed 's/.*peak_kb=\([0-9]*\).*/\1/' "$out" | median | awk '{ print $1 / 1024 }')" \
		"$(sed 's/.* bytes=\([0-9]*\).*/\1/' "$out" | median)" \
		"$(stat -c %s "$folder/remote/2.snapshot.json")" \
		"$(find "$folder/remote" -name '2.*.json' -not -name 2.snapshot.json -printf '%s\n' | awk '{ n += $1 } END { print n }')" \
		"$(stat -c %s "$folder/local/targets.json")"
}
for bits in 8 9 10 11 12; do refresh bins "$DATASETS" "$bits" "$((1 << bits))"; done
for n in $((DATASETS / 4)) $((DATASETS / 2)) $((DATASETS * 2)); do refresh bins "$n" 10 1024; done
for n in $((roles / 4)) $((roles / 2)) $((roles)); do refresh roles "$n" 0 "$n"; done
cat <<'TEXT'
"bytes new": timestamp, snapshot and the roles that changed: what a TUF client fetches. A bundle carries targets (last column) and the root
chain besides. By roles that grows with the datasets; by bins with bins (the snapshot) and with datasets / bins (a bin, once a changed target).
TEXT
