# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# link.sh: clapet-send and clapet-receive as the two ends of what net.sh made. Sourced after net.sh.
#
#   link_new                      a key, $T/files to send from, $T/into to receive into
#   link_file NAME SIZE           noise in $T/files, the same in every run; SIZE as head -c has it
#   link_receive OPTION…          starts the receiver and waits until it listens; $receiver is its pid, $T/receive.log what it says
#   link_listens                  waits until $receiver does
#   link_send OPTION… FILE…       FILE as named above; -> $status, $T/send.log, $link_ended: when (ms)
#   link_wait                     waits for the receiver -> $status, $link_took: how long after the sender's end (ms)
#   link_whole NAME…              whether these, and nothing else, are in $T/into
#   link_watch, link_watched      hashes whatever appears in $T/into; -> how many names were seen, and "wrong" where one was no sent file
#   link_now                      ms of a clock that only goes on
PORT=4000

link_now() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }

link_new() {
	mkdir -p "$T/files" "$T/into"
	"$BIN/clapet-keys" link --output "$T/link.key" >/dev/null
}

link_file() {
	head -c "$2" /dev/zero | openssl enc -aes-128-ctr -K "$(printf '%s' "$1" | md5sum | cut -c1-32)" -iv 0 2>/dev/null >"$T/files/$1"
}

link_receive() {
	: >"$T/receive.log"
	"${at_in[@]}" "$BIN/clapet-receive" --bind "$NET_IN:$PORT" --key "$T/link.key" --into "$T/into" "$@" >"$T/received" 2>>"$T/receive.log" &
	receiver=$!
	link_listens
}

link_listens() {
	for _ in $(seq 200); do
		! "${at_in[@]}" grep -q "$(printf ':%04X ' "$PORT")" /proc/self/net/udp || return 0
		kill -0 "$receiver" 2>/dev/null || break
		sleep 0.02
	done
	cat "$T/receive.log" >&2
	return 1
}

link_send() {
	local arguments=() argument
	for argument; do
		if [ -e "$T/files/$argument" ]; then arguments+=("$T/files/$argument"); else arguments+=("$argument"); fi
	done
	status=0
	"${at_out[@]}" "$BIN/clapet-send" --to "$NET_IN:$PORT" --key "${KEY:-$T/link.key}" "${arguments[@]}" >"$T/send.log" 2>&1 || status=$?
	link_ended=$(link_now)
	return "$status"
}

link_wait() {
	status=0
	wait "$receiver" || status=$?
	link_took=$(($(link_now) - link_ended))
}

link_digests() { [ $# = 0 ] || sha256sum -- "$@" | cut -d' ' -f1 | sort; }
link_whole() {
	(cd "$T/files" && link_digests "$@") >"$T/wanted"
	(cd "$T/into" && find . -type f ! -path '*/.*' -exec sha256sum {} + | cut -d' ' -f1 | sort) >"$T/found"
	diff "$T/wanted" "$T/found"
}

link_watch() {
	(cd "$T/files" && link_digests ./*) >"$T/good"
	rm -f "$T/watching" "$T/watched"
	python3 - "$T/into" "$T/good" "$T/watched" <<'PYTHON' &
import hashlib, os, signal, sys, time
into, good, told = sys.argv[1:]
good, seen, stop = set(open(good).read().split()), {}, []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
open(told.replace("watched", "watching"), "w")
wrong = 0
last = False
while not last:
    last = bool(stop)
    for entry in os.scandir(into):
        if entry.name.startswith("."):
            continue
        state = entry.stat()
        state = state.st_ino, state.st_size, state.st_mtime_ns
        if seen.get(entry.name) == state:
            continue
        seen[entry.name] = state
        with open(entry.path, "rb") as file:
            wrong += hashlib.sha256(file.read()).hexdigest() not in good
    time.sleep(0.01)
with open(told + ".new", "w") as file:
    file.write(f"{len(seen)}{' wrong' if wrong else ''}\n")
os.rename(told + ".new", told)
PYTHON
	watcher=$!
	while [ ! -e "$T/watching" ]; do sleep 0.02; done
}
link_watched() {
	kill "$watcher"
	while [ ! -e "$T/watched" ]; do sleep 0.02; done
	cat "$T/watched"
}
