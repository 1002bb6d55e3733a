#!/bin/bash
# SPDX-License-Identifier: ISC
# fec.sh: what erasure coding and MACs of the link cost, in one process without a network.
set -eu
export LC_ALL=C TZ=UTC
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT

make -s BUILD="$BUILD" "$BUILD/libbase.a" "$BUILD/libbundle.a" "$BUILD/liblink.a" "$BUILD/obj/tests/bench/fec.o" >&2
isal=
[ ! -e /usr/include/isa-l/erasure_code.h ] || isal=-lisal
${CC:-gcc} -o "$T/fec" "$BUILD/obj/tests/bench/fec.o" "$BUILD/liblink.a" "$BUILD/libbundle.a" "$BUILD/libbase.a" $isal -lsodium -lcrypto
"$T/fec"
