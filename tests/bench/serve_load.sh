#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_load.sh: RATE (10,000) requests a second of pinned and current files, over CONNECTIONS (64), for SECONDS_OF_LOAD (20) in quiet, and then while SWAPS (100) sets come
# in force, by import and by rollback. No error, no mixed set, and the time of 99 of 100 answers under twice the quiet one. The importing side runs
# as `nice` as its unit: its work is what readers must not feel. Run it on an idle machine.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh
set -e
RATE=${RATE:-10000} SECONDS_OF_LOAD=${SECONDS_OF_LOAD:-20} SWAPS=${SWAPS:-100} CONNECTIONS=${CONNECTIONS:-64}
datasets="rues villes zones"
data() {
	local name row
	for name in $datasets; do
		{
			echo code,nom,lot
			for row in {1..150}; do echo "$row,$name $row,$1"; done
		} >"$T/data/$name.csv"
	done
}
paths() {
	local name
	echo /catalog
	for name in $datasets; do
		printf '%s\n' "/datasets/$name/$name.csv" "/datasets/$name/datapackage.json" "@/datasets/$name/$name.csv" "@/datasets/$name/datapackage.json"
	done
}
load() { # NAME SECONDS
	exec "$PWD/$BUILD/tests/bench/serve_load" --rate "$RATE" --seconds "$2" --connections "$CONNECTIONS" --seen "$T/seen" "127.0.0.1:$port" <"$T/paths" >"$T/$1.json"
}
WORLD_INSIDE='"reserve": 0, "keepGenerations": 1000'
serve_config
world_new
# shellcheck disable=SC2086
world_policy $datasets
for name in $datasets; do world_source "$name" "code:integer nom:string lot:integer"; done
bundles=()
for ((n = 0; n <= SWAPS / 2; n++)); do
	data "$n"
	world_sync
	bundles+=("$bundle")
done
inside import "${bundles[0]}" >/dev/null
serve_start

paths >"$T/paths"
(load warm 3)
(load quiet "$SECONDS_OF_LOAD")
load swaps 600 & # until it is ended
loaded=$!
sleep 1
for ((n = 1; n <= SWAPS / 2; n++)); do
	nice -n 19 "$BIN/clapet-inside" --config "$T/in/inside.json" import "${bundles[n]}" >/dev/null
	nice -n 19 "$BIN/clapet-inside" --config "$T/in/inside.json" rollback --all --generation $((2 * n - 1)) --reason bench >/dev/null || :
	for name in $datasets; do nice -n 19 "$BIN/clapet-inside" --config "$T/in/inside.json" release "$name" >/dev/null || :; done
done
kill "$loaded"
wait "$loaded"
memory=$(sed -n 's/^VmHWM:[[:space:]]*//p' "/proc/$serve_pid/status")
python3 - "$T/quiet.json" "$T/swaps.json" "$memory" <<'PYTHON'
import json, sys
quiet, swaps = (json.load(open(path)) for path in sys.argv[1:3])
print(f"{'':24}{'quiet':>12}{'swaps':>12}")
for name, value in (("answers", lambda r: r["answers"]), ("errors, mixed sets", lambda r: r["errors"]), ("generations seen", lambda r: r["generations"]),
                    ("p50 current, us", lambda r: r["current"]["p50_us"]), ("p50 pinned, us", lambda r: r["pinned"]["p50_us"]),
                    ("p99 current, us", lambda r: r["current"]["p99_us"]), ("p99 pinned, us", lambda r: r["pinned"]["p99_us"]), ("worst, us", lambda r: r["all"]["max_us"])):
    print(f"{name:24}{value(quiet):12}{value(swaps):12}")
print(f"p99 under swaps is {swaps['all']['p99_us'] / quiet['all']['p99_us']:.2f} of the quiet one (under 2 wanted); the server's memory at most {sys.argv[3]}")
PYTHON
serve_stop
