#!/bin/bash
# SPDX-License-Identifier: ISC
# rows.sh: the SQLite file of ROWS (3,600,000: 548 MB) rows, next to `sqlite3 .import` of the same file into a table of the same types with the same index; and
# rows by key from it over HTTP. Cache warm; medians of RUNS (3) and of LOOKUPS (2000), each a request of its own on one connection.
#
#   ROWS=3600000 RUNS=3 LOOKUPS=2000 tests/bench/rows.sh
# Bars: building at least half as fast as .import; a lookup under 5 ms at the median.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh
set -e
ROWS=${ROWS:-3600000} RUNS=${RUNS:-3} LOOKUPS=${LOOKUPS:-2000}
BUILD=${BUILD:-build}
make -s BUILD="$BUILD" "$BUILD/libexec/clapet/inside-serve" "$BUILD/bin/clapet-inside" "$BUILD/bin/clapet-keys" "$BUILD/libexec/clapet/inside-commit" "$BUILD/libexec/clapet/inside-verify" "$BUILD/libexec/clapet/inside-log" "$BUILD/libinside.a" "$BUILD/obj/tests/bench/gen.o" "$BUILD/obj/tests/bench/rows.o" >&2
${CC:-gcc} -o "$T/gen" "$BUILD/obj/tests/bench/gen.o"
${CC:-gcc} -pie -o "$T/rows" "$BUILD/obj/tests/bench/rows.o" "$BUILD"/lib{inside,schemas,bundle,base}.a -lsqlite3 -lcsv -ljansson -lpcre2-8 -lcrypto -lseccomp
serve_config
world_new
store=$T/in/store/datasets/etablissements
mkdir -p "$T/version" "$store/v" "$store/rows" "$T/in/store/generations/1"
"$T/gen" "$ROWS" 1 >"$T/version/etablissements.csv"
python3 - "$T/version/datapackage.json" <<'PYTHON'
import json, sys
json.dump({"name": "etablissements", "resources": [{"name": "etablissements", "path": "etablissements.csv", "format": "csv",
           "encoding": "utf-8", "schema": json.load(open("tests/bench/schema.json"))}]}, open(sys.argv[1], "w"))
PYTHON
csv=$T/version/etablissements.csv
version=$(sha256sum <"$T/version/datapackage.json" | cut -c1-16)
types=$(python3 -c '
import json
kinds = {"integer": "INTEGER", "number": "REAL", "boolean": "TEXT"}
print(", ".join("\"%s\" %s" % (f["name"], kinds.get(f["type"], "TEXT")) for f in json.load(open("tests/bench/schema.json"))["fields"]))')
cat >"$T/import.sql" <<SQL
PRAGMA journal_mode=OFF;
PRAGMA synchronous=OFF;
CREATE TABLE e($types);
.mode csv
.import --skip 1 $csv e
CREATE UNIQUE INDEX k ON e(siret);
SQL
measure() { # TITLE COMMAND… -> $seconds
	local title=$1 i
	shift
	for ((i = 0; i < RUNS; i++)); do
		python3 - "$@" <<-'PYTHON'
		import os, resource, subprocess, sys, time
		began = time.monotonic()
		subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
		usage = resource.getrusage(resource.RUSAGE_CHILDREN)
		print("%.2f %.2f %d" % (time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024))
		PYTHON
	done | sort -n >"$T/times"
	seconds=$(awk '{ s[NR] = $1 } END { print s[int((NR + 1) / 2)] }' "$T/times")
	awk -v title="$title" '{ s[NR] = $1; c[NR] = $2; if ($3 > m) m = $3 }
		END { h = int((NR + 1) / 2); printf "%-44s %7s s %7s s CPU %5d MiB\n", title, s[h], c[h], m }' "$T/times"
}
echo "rows: $ROWS rows, $(($(stat -c %s "$csv") / 1000000)) MB, medians of $RUNS"
cat "$csv" >/dev/null
measure "sqlite3 .import, CREATE INDEX" sh -c "rm -f '$T/import.db'; exec sqlite3 '$T/import.db' <'$T/import.sql'"
imported=$seconds
echo "    $(($(stat -c %s "$T/import.db") / 1000000)) MB"
rm -f "$T/import.db"
measure "typed, STRICT, indexed, by rowsbuild" "$T/rows" "$csv" tests/bench/schema.json "$store/rows/$version.sqlite"
echo "    $(($(stat -c %s "$store/rows/$version.sqlite") / 1000000)) MB"
awk -v a="$imported" -v b="$seconds" 'BEGIN { printf "    %.2f times as fast as .import (bar: 0.50)\n", a / b }'

mv "$T/version" "$store/v/$version"
ln -s "../../datasets/etablissements/v/$version" "$T/in/store/generations/1/etablissements"
echo "{\"format\": \"clapet generation 1\", \"generation\": 1, \"created\": \"2026-11-25T00:00:00Z\", \"datasets\": [{\"name\": \"etablissements\", \"version\": \"$version\",
 \"date\": \"\", \"title\": \"\", \"licences\": [], \"resources\": [], \"waivers\": []}]}" >"$T/in/store/generations/1/clapet.json"
ln -s generations/1 "$T/in/store/current"
serve_start
python3 - "$port" "$store/v/$version/etablissements.csv" "$LOOKUPS" "$ROWS" <<'PYTHON'
import http.client, random, sys, time
port, path, lookups, rows = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(7)
wanted = set(random.sample(range(1, rows + 1), min(lookups, rows)))
keys = [line.split(",", 3)[2] for n, line in enumerate(open(path)) if n in wanted]
random.shuffle(keys)
def ask(title, query):
    connection, times = http.client.HTTPConnection("127.0.0.1", port), []
    for key in keys:
        began = time.perf_counter()
        connection.request("GET", "/datasets/etablissements/etablissements?" + query(key))
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200 or key.encode() not in body:
            sys.exit("wrong answer: %d %r" % (answer.status, body[:200]))
    times.sort()
    print("%-44s %7.3f ms median %7.3f ms p99, %d requests" % (title, times[len(times) // 2], times[len(times) * 99 // 100], len(times)))
ask("a row by its key, over HTTP (bar: 5 ms)", lambda key: "siret=" + key)
ask("the same as JSON, three columns", lambda key: "format=json&columns=siret,town,street&siret=" + key)
ask("nine rows in order behind a key", lambda key: "siret.min=%s&siret.max=%s&sort=siret&limit=9" % (key, key[:9] + "99999"))
PYTHON
awk '/VmHWM/ { printf "server: at most %d MiB of memory\n", $2 / 1024 }' "/proc/$serve_pid/status"
serve_stop
