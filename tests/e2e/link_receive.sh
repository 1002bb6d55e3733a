#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-receive over loopback: files whole or not at all, what is missing by name, restarts, damage, strangers; it sends nothing.
. tests/lib.sh

port=$((20000 + $$ % 20000))
into=$T/into
mkdir "$into"
python3 - "$T/key" "$T/other" <<'PYTHON'
import hashlib, os, sys
for n, path in enumerate(sys.argv[1:]):
    key = bytes((i + n) % 256 for i in range(32))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write('{"format": "clapet link key 1", "id": "%s", "key": "%s"}\n'
                   % (hashlib.sha256(b"clapet link id 1\n" + key).digest()[:4].hex(), key.hex()))
PYTHON

receiver() { # OPTION… : in the background; $receiver
	"$BIN/clapet-receive" --bind 127.0.0.1:$port --key "$T/key" --into "$into" "$@" >"$T/out" 2>"$T/err" &
	receiver=$!
	on_exit "kill -9 $receiver 2>/dev/null"
	for _ in $(seq 100); do
		ss -lunH 2>/dev/null | grep -q "127.0.0.1:$port " && break
		sleep 0.05
	done
}
waited() { # -> $status $output: the receiver's
	wait "$receiver"
	status=$?
	output=$(cat "$T/out" "$T/err")
}
send() { "$BIN/clapet-send" --to 127.0.0.1:$port --key "${KEY:-$T/key}" --rate "${RATE:-400M}" "$@" >"$T/sent" 2>&1; }
digest() { sha256sum <"$1" | cut -d' ' -f1; }
count() { # KEY : of the status
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["counts"][sys.argv[2]])' "$into/.link/status.json" "$1"
}
head -c 20000000 /dev/urandom >"$T/a"
a=$(digest "$T/a")

# --- a file, and what it leaves
receiver --count 1
send "$T/a"
waited
is "$status" 0 "one file: exit 0" || { echo "$output"; cat "$T/sent"; }
ok "its bytes are the same" cmp "$T/a" "$into/$a"
is "$(ls -A "$into" | sort | tr '\n' ' ')" ".link $a " "it has its digest's name, and nothing else is there"
is "$(stat -c %a "$into/$a")" 640 "its group may read it"
is "$(ls -A "$into/.link/objects")" "" "nothing of it is left apart"
is "$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(r["format"], r["object"], r["size"], r["generations"]["failed"])' \
	"$into/.link/reports/$a.json")" "clapet link report 1 $a 20000000 0" "there is a report"
run "$BIN/clapet-receive" missing --into "$into"
is "$status:$output" "0:" "nothing is missing"

# --- it was here: known again in the next session, and not written anew
inode=$(stat -c %i "$into/$a")
receiver --count 1
send "$T/a"
waited
is "$status" 0 "the same file again counts"
is "$(stat -c %i "$into/$a")" "$inode" "and is left alone"
rm "$into/$a"
receiver --count 1
send "$T/a"
waited
is "$status" 0 "taken away and sent anew it arrives anew"
ok "whole" cmp "$T/a" "$into/$a"
rm "$into/$a"

# --- small files share a pack; an empty one crosses
mkdir "$T/small"
for i in $(seq 40); do head -c $((i * 97)) /dev/urandom >"$T/small/$i"; done
receiver --count 40
send "$T"/small/*
waited
is "$status" 0 "forty small files: exit 0" || echo "$output"
is "$(cd "$into" && sha256sum -- * | awk '$1 == $2' | wc -l)" 40 "each is what its name says"
rm -f "$into"/*
: >"$T/empty"
receiver --count 1
send "$T/empty"
waited
is "$status:$(stat -c %s "$into/$(digest "$T/empty")" 2>&1)" "0:0" "an empty file crosses"
rm -f "$into"/*

# --- less than all: the end, the ranges, and only those again
head -c 30000000 /dev/urandom >"$T/b"
b=$(digest "$T/b")
receiver --count 1
begun=$(date +%s%N)
send --only "$b:0-1,4,6" "$T/b"
ended=$(date +%s%N)
waited
is "$status" 1 "a file that came in part: exit 1"
is "$(cat "$T/out")" "$b:2-3,5" "the generations that lack are named"
like "$output" 'E7202 REFUSED 0 of 1 files arrived' "with a code"
ok "within five seconds of the sender's end" test $(($(date +%s%N) - ended)) -lt 5000000000
is "$(ls "$into")" "" "and nothing is visible"
run "$BIN/clapet-receive" missing --into "$into"
is "$status:$output" "4:$b:2-3,5" "missing says the same"
run "$BIN/clapet-receive" missing --into "$into" --json
is "$(python3 -c 'import json, sys; o = json.load(sys.stdin)["objects"][0]; print(o["object"], o["generations"], o["missing"])' <<<"$output")" \
	"$b 7 2-3,5" "in JSON too"
receiver --count 1
send --only "$b:2-3,5" "$T/b"
waited
is "$status" 0 "those alone complete it"
ok "whole" cmp "$T/b" "$into/$b"
rm -f "$into"/*

# --- killed in the middle
receiver
RATE=100M send "$T/a" &
sender=$!
for _ in $(seq 100); do
	[ -n "$("$BIN/clapet-receive" missing --into "$into")" ] && [ "$("$BIN/clapet-receive" missing --into "$into")" != "$a:0-4" ] && break
	sleep 0.05
done
kill -9 "$receiver"
wait "$sender"
missing=$("$BIN/clapet-receive" missing --into "$into")
like "$missing" "^[0-9a-f]*:[1-4]" "killed in the middle: what was whole is known"
receiver --count 1
send --only "$a:${missing#*:}" "$T/a"
waited
is "$status" 0 "the rest completes it"
ok "whole" cmp "$T/a" "$into/$a"
rm -f "$into"/*

# --- files of ours that are damaged cost a resend, never a wrong byte
for file in data state; do
	receiver --count 1
	send --only "$b:0-5" "$T/b"
	waited
	folder=$(echo "$into/.link/objects"/*)
	at=100
	[ $file = state ] || at=5000000
	printf 'damage' | dd of="$folder/$file" bs=1 seek=$at conv=notrunc status=none
	receiver --count 1
	send --only "$b:6" "$T/b"
	waited
	is "$status:$(ls "$into")" "1:" "damaged $file: not delivered"
	missing=$("$BIN/clapet-receive" missing --into "$into")
	receiver --count 1
	send --only "$b:${missing#*:}" "$T/b"
	waited
	is "$status" 0 "damaged $file: what it cost completes it ($missing)" || echo "$output"
	ok "damaged $file: whole in the end" cmp "$T/b" "$into/$b"
	rm -f "$into"/*
done

# --- strangers
receiver
KEY=$T/other send "$T/a"
for i in 1 2 3; do echo "hello $i" >/dev/udp/127.0.0.1/$port; done
python3 - $port <<'PYTHON'
import hashlib, os, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link = hashlib.sha256(b"clapet link id 1\n" + bytes(range(32))).digest()[:4]
for i in range(50):
    sock.sendto(b"CLk1" + link + b"\x01\x01" + os.urandom(1462), ("127.0.0.1", int(sys.argv[1])))
PYTHON
sleep 1.5
ok "packets of another key, and none of ours, are strays" test "$(count stray)" -gt 1000
is "$(count badMac)" 50 "forged ones have a wrong MAC"
is "$(count packets) $(count symbols)" "0 0" "and none is taken"
is "$(ls "$into" "$into/.link/objects")" "$into:

$into/.link/objects:" "nothing was made of them"

# --- the link, and its memory
send "$T/a"
sleep 1.2
state() { python3 -c 'import json, sys; l = json.load(open(sys.argv[1]))["link"]; print(l["state"], l["news"], sep=", ")' "$into/.link/status.json"; }
is "$(state)" "up, nothing new" "the link is up"
run "$BIN/clapet-receive" status --into "$into"
like "$output" '^link +up, nothing new$' "status says so"
like "$("$BIN/clapet-receive" status --into "$into" --prometheus)" '^clapet_receive_up 1$' "to Prometheus too"
sleep 3
is "$(state)" "down, unknown" "silent for three seconds it is down"
like "$(cat "$T/err")" 'E7205 HELD link down' "with an alarm"
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$receiver/status")
ok "it never had more than 64 MiB ($peak KiB)" test "$peak" -le 65536
is "$(cat /proc/"$receiver"/task/*/status | awk '/^(Seccomp|NoNewPrivs):/ { print $2 }' | sort | uniq -c | awk '{ print $1 ":" $2 }' | tr '\n' ' ')" \
	"5:1 5:2 " "each of its five threads is behind seccomp"
run "$BIN/clapet-receive" --bind 127.0.0.1:$((port + 1)) --key "$T/key" --into "$into" --timeout 1
is "$status" 2 "no second one in the same folder"
like "$output" 'another clapet-receive has this folder' "and it says so"
kill "$receiver"
waited
is "$status" 0 "SIGTERM ends it"

# --- as a service: from the configuration, with systemd told
mkdir "$T/in"
cat >"$T/inside.json" <<JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "in", "spool": "spool",
 "link": {"bind": "127.0.0.1:$port", "key": "key"}}
JSON
python3 - "$T/notify" >"$T/notified" <<'PYTHON' &
import socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
sock.settimeout(20)
while True:
    text = sock.recv(200).decode()
    print(text, flush=True)
    if text.startswith("STOPPING"):
        break
PYTHON
listener=$!
while [ ! -S "$T/notify" ]; do sleep 0.05; done
NOTIFY_SOCKET=$T/notify "$BIN/clapet-receive" --config "$T/inside.json" 2>"$T/err" &
receiver=$!
on_exit "kill -9 $receiver $listener 2>/dev/null"
while ! grep -q READY "$T/notified"; do sleep 0.05; done
send "$T/a"
for _ in $(seq 100); do
	[ -e "$T/in/$a" ] && break
	sleep 0.05
done
ok "by the configuration: a file arrives in incoming/" cmp "$T/a" "$T/in/$a"
sleep 1.2
kill "$receiver"
wait "$receiver"
is "$?" 0 "SIGTERM ends the service"
wait "$listener"
like "$(cat "$T/notified")" '^READY=1' "systemd was told that it is ready"
like "$(cat "$T/notified")" '^WATCHDOG=1' "and that it lives"
like "$(cat "$T/notified")" '^STOPPING=1' "and that it ends"
run "$BIN/clapet-receive" status --config "$T/inside.json"
like "$output" '^files +1 delivered' "status knows the folder from there"
sed -i 's/, *$//; /"link"/d; s/"spool"$/"spool"}/' "$T/inside.json"
run "$BIN/clapet-receive" --config "$T/inside.json"
is "$status" 2 "no link in the configuration: trouble"

# --- nothing came
run "$BIN/clapet-receive" --bind 127.0.0.1:$port --key "$T/key" --into "$into" --count 1 --timeout 1
is "$status" 1 "nothing came: exit 1"
run "$BIN/clapet-receive" --bind nowhere:1 --key "$T/key" --into "$into"
is "$status" 2 "a name is no address"
like "$output" 'E7201 TROUBLE' "and it says so"
run "$BIN/clapet-receive" --bind 127.0.0.1:$port --into "$into"
is "$status" 2 "no key: usage"

# --- one socket, no sending
if command -v strace >/dev/null; then
	strace -f -qq -e trace=%network -o "$T/trace" "$BIN/clapet-receive" --bind 127.0.0.1:$port --key "$T/key" --into "$into" \
		--count 1 >"$T/out" 2>"$T/err" &
	receiver=$!
	sleep 1
	RATE=50M send "$T/a"
	waited
	is "$status" 0 "a file arrives under strace"
	is "$(grep -c 'socket(' "$T/trace")" 1 "one socket was opened"
	like "$(grep 'socket(' "$T/trace")" 'AF_INET, SOCK_DGRAM' "a datagram socket"
	ok "recvmmsg was seen, so the trace is not empty" grep -q recvmmsg "$T/trace"
	unlike "$(cat "$T/trace")" '(send|sendto|sendmsg|sendmmsg|connect|listen|accept4?|socketpair)\(' "nothing was sent, nobody connected"
fi
done_testing
