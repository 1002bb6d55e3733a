#!/bin/bash
# SPDX-License-Identifier: ISC
# serve.sh: inside-serve against nginx (Debian's), the same files, the same number of threads, an access log each, wrk on loopback, in turns: requests a
# second of a file of 4 KB, and MB/s of one of SIZE (500 MB). Medians of RUNS (3) of SECONDS (4) each; MB are 10^6 bytes of bodies. Then the memory
# of inside-serve with 1,000 connections. In brackets the bars: 0.9 of nginx, 64 MiB.
#
#   SIZE=500 RUNS=3 SECONDS_EACH=4 THREADS=1 CONNECTIONS=32 tests/bench/serve.sh
. tests/lib.sh
set -e
SIZE=${SIZE:-500} RUNS=${RUNS:-3} SECONDS_EACH=${SECONDS_EACH:-4} THREADS=${THREADS:-1} CONNECTIONS=${CONNECTIONS:-32}
tools/deps.sh bench
ulimit -n 4096
rm -rf "$T"
T=$(mktemp -d /dev/shm/clapet-bench.XXXXXX)
on_exit 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$T"'

# A store as the server reads it: one version, one generation.
python3 - "$T" "$SIZE" <<'PYTHON'
import hashlib, json, os, sys
root, size = sys.argv[1], int(sys.argv[2])
store = root + "/store"
version = "0123456789abcdef"
folder = f"{store}/datasets/banc/v/{version}"
os.makedirs(folder)
os.makedirs(f"{store}/generations/1")
os.makedirs(f"{root}/log")
open(store + "/format", "w").write("clapet store 1\n")
row = b"123456,Une commune,01,Ain,Auvergne-Rhone-Alpes\n"
resources = []
for name, n in (("petit", 4096), ("grand", size * 1000000)):
    digest = hashlib.sha256()
    with open(f"{folder}/{name}.csv", "wb") as f:
        block = (b"code,nom,dep,departement,region\n" + row * (n // len(row) + 1))[:n] if n < 1 << 20 else row * 20000
        while n > 0:
            part = block[:n]
            f.write(part)
            digest.update(part)
            n -= len(part)
    resources.append({"name": name, "path": name + ".csv", "hash": "sha256:" + digest.hexdigest()})
json.dump({"name": "banc", "resources": resources}, open(folder + "/datapackage.json", "w"))
entry = {"name": "banc", "version": version, "date": "2026-11-25", "title": "Banc", "licences": [], "resources": [], "waivers": []}
json.dump({"format": "clapet generation 1", "generation": 1, "created": "2026-11-25T00:00:00Z", "datasets": [entry]}, open(f"{store}/generations/1/clapet.json", "w"))
os.symlink(f"../../datasets/banc/v/{version}", f"{store}/generations/1/banc")
os.symlink("generations/1", store + "/current")
PYTHON
files=$T/store/datasets/banc/v/0123456789abcdef
cat >"$T/inside.json" <<-JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
 "serve": {"listen": ["127.0.0.1:0"], "accessLog": "log", "threads": $THREADS, "connections": 1536}}
JSON
"$LIBEXEC/inside-serve" --config "$T/inside.json" 2>"$T/serve.log" &
serve=$!
for _ in $(seq 100); do grep -q answering "$T/serve.log" && break; sleep 0.05; done
ours=http://127.0.0.1:$(sed -n 's/.*listening on 127\.0\.0\.1://p' "$T/serve.log")/datasets/banc
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$T/nginx.conf" <<-CONF
daemon off;
user $(id -un) $(id -gn);
worker_processes $THREADS;
worker_rlimit_nofile 4096;
pid $T/nginx.pid;
error_log $T/nginx.error;
events { worker_connections 2048; }
http {
	types { text/csv csv; }
	access_log $T/nginx.access combined buffer=64k flush=1s;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 100000000;
	open_file_cache max=1000;
	client_body_temp_path $T/b; proxy_temp_path $T/p; fastcgi_temp_path $T/f; uwsgi_temp_path $T/u; scgi_temp_path $T/s;
	server { listen 127.0.0.1:$port; root $files; }
}
CONF
/usr/sbin/nginx -p "$T" -c "$T/nginx.conf" 2>/dev/null &
theirs=http://127.0.0.1:$port
for _ in $(seq 100); do curl -sf -o "$T/x" "$theirs/petit.csv" && break; sleep 0.05; done
cmp "$T/x" "$files/petit.csv"
curl -sf "$ours/petit.csv" | cmp - "$files/petit.csv"

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
requests() { wrk -t1 -c"$CONNECTIONS" -d"${SECONDS_EACH}s" "$1" | awk '/Non-2xx|Socket errors/ { print "0"; exit } /^Requests\/sec/ { print $2 }'; }
# wrk counts whole answers alone, a large one may outlast the run: bytes are counted by the reader.
throughput() {
	python3 - "$1" "$SECONDS_EACH" <<'PYTHON'
import socket, sys, time, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
buffer, total, start = bytearray(1 << 20), 0, time.monotonic()
end = start + float(sys.argv[2])
while time.monotonic() < end:
    s = socket.create_connection((url.hostname, url.port))
    s.sendall(f"GET {url.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    while time.monotonic() < end and (n := s.recv_into(buffer)):
        total += n
    s.close()
print(f"{total / (time.monotonic() - start) / 1e6:.0f}")
PYTHON
}
for ((run = 0; run < RUNS; run++)); do
	for who in ours theirs; do
		requests "${!who}/petit.csv" >>"$T/requests.$who"
		throughput "${!who}/grand.csv" >>"$T/throughput.$who"
	done
done

bar() { # WHAT FIGURE OP BAR
	local word=met
	awk "BEGIN { exit !($2 $3 $4) }" || word=MISSED
	printf '  %-52s %8s   [%s %s: %s]\n' "$1" "$2" "$3" "$4" "$word"
}
for what in requests throughput; do
	unit=$([ $what = requests ] && echo 'requests/s, 4 KB' || echo "MB/s, $SIZE MB")
	a=$(median <"$T/$what.ours") b=$(median <"$T/$what.theirs")
	printf '%-24s inside-serve %10.0f   nginx %10.0f\n' "$unit" "$a" "$b"
	bar "of nginx" "$(awk "BEGIN { printf \"%.2f\", $a / $b }")" '>=' 0.9
done

# A thousand readers at once, each with requests behind it.
wrk -t1 -c1000 -d"${SECONDS_EACH}s" "$ours/petit.csv" >"$T/thousand" &
sleep $((SECONDS_EACH - 1))
now=$(curl -s "${ours%/datasets/banc}/metrics" | sed -n 's/^clapet_serve_connections //p')
rss=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$serve/status")
wait $!
printf '%-24s %s connections, %s\n' "memory" "$now" "$(sed -n 's/^Requests\/sec: */requests\/s: /p' "$T/thousand")"
bar "MiB resident" "$rss" '<=' 64
