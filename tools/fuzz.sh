#!/bin/bash
# SPDX-License-Identifier: ISC
# fuzz.sh FOLDER SECONDS: runs each fuzzer in FOLDER for SECONDS from its seeds; new inputs stay in FOLDER/../corpus.
set -eu
folder=$1 seconds=$2
for fuzzer in "$folder"/*; do
	[ -x "$fuzzer" ] || continue
	name=${fuzzer##*/}
	found=$folder/../corpus/$name
	mkdir -p "$found"
	echo "== $name, $seconds s"
	"$fuzzer" -max_total_time="$seconds" -rss_limit_mb=4096 -print_final_stats=1 -artifact_prefix="$found/" "$found" \
		"tests/fuzz/corpus/$name"
done
