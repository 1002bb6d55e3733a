# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# drift.sh: real versions of a dataset, one after the other, through both sides of a world (tests/data/drift/README.md). Sourced after
# lib.sh and world.sh.
#
#   drift_world NAME…             a world with the sources tests/data/drift/sources/NAME.json
#   drift_unpack FILE             -> $T/history: the data as cut for the tests, or the whole in SHARED=DIR
#   drift_step VERSION FILE…      publishes the FILEs under their names, lets both sides run, keeps what came of it
#   drift_verdicts NAME…          -> one line a version and source: what the outside said, what the inside has; and whether the rows
#                                 inside are what drift.py makes of the published ones
drift_data=$PWD/tests/data/drift

drift_world() {
	world_new || return
	world_policy "$@"
	local name
	for name; do
		mkdir -p "$T/out/sources/$name"
		sed "s|@DATA@|$T/data|" "$drift_data/sources/$name.json" >"$T/out/sources/$name/datapackage.json"
	done
	mkdir -p "$T/kept" "$T/history"
	drift_sources=("$@")
}

drift_unpack() {
	local folder=$drift_data
	[ -z "${SHARED:-}" ] || folder=$SHARED
	tar -xJf "$folder/$1" -C "$T/history"
}

drift_step() {
	local version=$1 name bundle
	shift
	local kept=$T/kept/$version
	mkdir -p "$kept"
	mkdir -p "$T/published/$version"
	cp "$@" "$T/data/"
	cp "$@" "$T/published/$version/"
	outside sync --force >"$kept/sync.log" 2>&1
	bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$kept/sync.log" | tail -n 1)
	[ -z "$bundle" ] || inside import "$bundle" >"$kept/import.log" 2>&1
	for name in "${drift_sources[@]}"; do
		mkdir -p "$kept/$name"
		cp -rL "$T/in/store/current/$name/." "$kept/$name/" 2>/dev/null
		cp "$T/out/state/$name/report.json" "$kept/$name.report.json" 2>/dev/null
	done
	[ -z "${bundle:-}" ] || rm -f "$bundle"
}

drift_verdicts() { python3 tests/drift.py "$T/kept" "$T/published" "$drift_data/sources" "$@"; }
