#!/bin/bash
# SPDX-License-Identifier: ISC
# pipeline.sh: 550 MB of CSV (3.6 million rows of establishments) from source to swap. Wall time and peak memory of each worker, and
# the ratio of each stage to its floor: libcsv's bare loop, zstd, sha256sum on the same bytes. Medians of RUNS runs.
#
#   ROWS=3600000 RUNS=3 tests/bench/pipeline.sh
. tests/lib.sh
. tests/world.sh
set -e
ROWS=${ROWS:-3600000} RUNS=${RUNS:-3}
csv=$T/data/etablissements.csv

${CC:-gcc} -O2 -o "$T/gen" tests/bench/gen.c
${CC:-gcc} -O2 -o "$T/csvloop" tests/bench/csvloop.c -lcsv
world_new
"$T/gen" "$ROWS" 1 >"$csv"
mkdir -p "$T/out/sources/etablissements"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 -m http.server --bind 127.0.0.1 --directory "$T/data" "$port" >/dev/null 2>&1 &
on_exit "kill $!"
python3 - "http://127.0.0.1:$port/etablissements.csv" "$T/out/sources/etablissements/datapackage.json" <<'PYTHON'
import json, sys
schema = json.load(open("tests/bench/schema.json"))
json.dump({"name": "etablissements", "title": "Benchmark", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
           "resources": [{"name": "etablissements", "path": sys.argv[1], "format": "csv", "encoding": "utf-8",
                          "schema": schema}]}, open(sys.argv[2], "w"))
PYTHON
world_policy etablissements

bytes=$(stat -c %s "$csv")
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
seconds() { # COMMAND…: median wall time of RUNS runs
	for _ in $(seq "$RUNS"); do
		local start end
		start=$(date +%s.%N)
		"$@" >/dev/null 2>&1
		end=$(date +%s.%N)
		echo "$start $end" | awk '{ printf "%.3f\n", $2 - $1 }'
	done | median
}
row() { printf '%-34s %8s s %8s MB/s  %s\n' "$1" "$2" "$(echo "$bytes $2" | awk '{ printf "%.0f", $1 / $2 / 1e6 }')" "${3:-}"; }

echo "input: $ROWS rows, $bytes bytes; $(nproc) cores; medians of $RUNS runs"
echo "-- floors"
f_csv=$(seconds "$T/csvloop" "$csv")
row "libcsv alone, strict" "$f_csv"
f_zstd=$(seconds zstd -q -3 --single-thread -f -o "$T/floor.zst" "$csv")
row "zstd -3 alone, one thread" "$f_zstd" "$(stat -c %s "$T/floor.zst") bytes"
f_unzstd=$(seconds zstd -q -d -f -o "$T/floor.csv" "$T/floor.zst")
row "zstd -d alone" "$f_unzstd"
f_sha=$(seconds sha256sum "$csv")
row "sha256sum alone" "$f_sha"
rm -f "$T"/floor.*

# Every worker's wall time and peak memory, by polling /proc: what an operator's `top` would show.
watch_workers() {
	exec python3 - "$1" <<'PYTHON'
import os, signal, sys, time
seen, stop = {}, []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
while not stop:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = os.readlink(f"/proc/{pid}/exe").split("/")[-1]
            if not name.startswith(("outside-", "inside-", "clapet-")):
                continue
            status = open(f"/proc/{pid}/status").read()
            peak = int(status.split("VmHWM:")[1].split()[0])
        except (OSError, IndexError):
            continue
        first, _, most = seen.get((pid, name), (time.time(), 0, 0))
        seen[pid, name] = (first, time.time(), max(most, peak))
    time.sleep(0.02)
total = {}
for (pid, name), (first, last, peak) in seen.items():
    t, m = total.get(name, (0, 0))
    total[name] = (t + last - first, max(m, peak))
with open(sys.argv[1], "w") as out:
    for name, (t, peak) in sorted(total.items()):
        out.write(f"{name} {t:.2f} {peak / 1024:.0f}\n")
PYTHON
}

once() { # one whole run, from nothing: source to swap
	rm -rf "$T"/out/{state,outbox,repository,keys} "$T"/in/{store,incoming,spool} "$T/root.key"
	world_new
	sed -i 's|"allowFile"|"allowHttp": true, "allowFile"|' "$T/out/outside.json"
	world_policy etablissements
	watch_workers "$T/workers.$1" &
	local watcher=$! start middle end
	start=$(date +%s.%N)
	outside sync --force >/dev/null 2>&1
	middle=$(date +%s.%N)
	inside import "$(find "$T/out/outbox" -name '*.tar')" >/dev/null 2>&1
	end=$(date +%s.%N)
	kill $watcher
	wait $watcher || :
	test -s "$T/in/store/current/etablissements/etablissements.csv"
	echo "$start $middle $end" | awk '{ printf "%.2f %.2f\n", $2 - $1, $3 - $2 }' >"$T/times.$1"
}
for n in $(seq "$RUNS"); do once "$n"; done

column() { for n in $(seq "$RUNS"); do awk -v name="$1" -v c="$2" '$1 == name { print $c }' "$T/workers.$n"; done | median; }
echo "-- source to swap"
row "outside: sync" "$(for n in $(seq "$RUNS"); do cut -d' ' -f1 "$T/times.$n"; done | median)"
row "inside: import" "$(for n in $(seq "$RUNS"); do cut -d' ' -f2 "$T/times.$n"; done | median)" \
	"bundle $(stat -c %s "$(find "$T/out/outbox" -name '*.tar')") bytes"
echo "-- workers (wall time, peak memory)"
for name in outside-fetch outside-check outside-pack outside-sign inside-unpack inside-verify inside-check inside-commit; do
	time=$(column $name 2) floor=
	case $name in
	outside-check) floor="$(echo "$time $f_csv" | awk '{ printf "%.1f", $1 / $2 }') times libcsv alone" ;;
	outside-pack) floor="$(echo "$time $f_zstd" | awk '{ printf "%.1f", $1 / $2 }') times zstd alone" ;;
	inside-check) floor="$(echo "$time $f_csv $f_unzstd $f_sha" | awk '{ printf "%.1f", $1 / ($2 + $3 + $4) }') times libcsv + zstd -d + sha256sum" ;;
	inside-commit) floor="$(echo "$time $f_sha" | awk '{ printf "%.1f", $1 / $2 }') times sha256sum alone" ;;
	esac
	printf '%-18s %8s s %6s MiB  %s\n' $name "$time" "$(column $name 3)" "$floor"
done
