#!/bin/bash
# SPDX-License-Identifier: ISC
# Workers behind sockets, as the systemd units start them: the supervisors fork nothing, and each worker enforces its sandbox.
. tests/lib.sh
. tests/world.sh
command -v systemd-socket-activate >/dev/null || skip_all "no systemd-socket-activate"

mkdir "$T/run"
workers=$(awk '!/^#/ { print $2 }' image/systemd/workers)
n_workers=$(wc -l <<<"$workers")
for name in $workers; do
	path=$LIBEXEC/$name
	systemd-socket-activate --seqpacket --accept -E LC_ALL=C -E ASAN_OPTIONS="${ASAN_OPTIONS:-}" -l "$T/run/$name" "$path" socket \
		2>>"$T/activate.log" &
	on_exit "kill $! 2>/dev/null"
done
for _ in $(seq 50); do
	[ "$(find "$T/run" -type s | wc -l)" = "$n_workers" ] && break
	sleep 0.1
done
is "$(find "$T/run" -type s | wc -l)" "$n_workers" "a socket waits for each worker"

WORLD_INSIDE='"rows": true'
world_new
for side in in/inside out/outside; do
	sed -i "s|\"testBench\": .*}|\"sockets\": \"$T/run\"}|" "$T/$side.json"
done
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
run outside check
is "$status" 0 "clapet-outside check is content without a test bench"
run outside sync
is "$status" 0 "sync runs over sockets" || echo "$output" | sed 's/^/# /'
bundle=$(find "$T/out/outbox" -name '*.tar')
run strace -f -qq -e trace=fork,vfork,clone,clone3,execve -o "$T/trace" "$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle"
is "$status" 0 "import runs over sockets" || { echo "$output" | sed 's/^/# /'; sed 's/^/# /' "$T/activate.log"; }

is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 3 "and the data is in force"
ok "with its SQLite file" test -s "$T/in/store/current/villes.sqlite"
is "$(grep -cE '(fork|clone3?)\(' "$T/trace")" 0 "the supervisor made no process"
unlike "$(cat "$T/activate.log")" 'test bench' "no worker ran without its walls"
run inside verify
is "$status" 0 "the store verifies"

sed -i "s|\"sockets\": .*}|\"sockets\": \"$T/nowhere\"}|" "$T/in/inside.json"
run inside import "$bundle"
is "$status" 2 "no socket there: trouble"
like "$output" 'E9003 TROUBLE' "and it says so"
done_testing
