#!/bin/bash
# SPDX-License-Identifier: ISC
# What somebody gets who owns a worker, the medium or what stands in incoming/: each test is one attack.
. tests/lib.sh
. tests/world.sh

# The inside's programs in a folder of their own, where a worker can be replaced by one that somebody else wrote.
own() { # WORKER: its program comes from stdin
	mkdir -p "$T/owned/bin" "$T/owned/libexec/clapet"
	cp "$BIN/clapet-inside" "$T/owned/bin/"
	cp "$LIBEXEC"/inside-* "$T/owned/libexec/clapet/"
	rm "$T/owned/libexec/clapet/$1"
	cat >"$T/owned/libexec/clapet/$1"
	chmod 0755 "$T/owned/libexec/clapet/$1"
}
owned() { "$T/owned/bin/clapet-inside" --config "$T/in/inside.json" "$@"; }

WORLD_INSIDE='"workerTime": "2s"'
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
world_sync
first=$bundle

# --- a worker that never ends ----------------------------------------------------------------------------------------
for worker in inside-unpack inside-verify; do
	own "$worker" <<-'SH'
	#!/bin/sh
	exec sleep 60
	SH
	SECONDS=0
	run owned import "$first"
	is "$status" 2 "$worker never ends: trouble"
	like "$output" "E9003 .*$worker took longer than" "it is named"
	ok "and was not waited for" test "$SECONDS" -lt 20
done
own inside-check <<'SH'
#!/bin/sh
exec 3>&-
exec sleep 60
SH
SECONDS=0
run owned import "$first"
is "$status" 2 "a worker that closes its socket and stays is trouble"
ok "and was not waited for" test "$SECONDS" -lt 20
run inside import "$first"
is "$status" 0 "the same bundle goes in once the workers are ours again"

# --- few bytes that decode to many ---------------------------------------------------------------------------------------
inside import >/dev/null
before=$(store_digest)
{ echo code,nom; yes 01,Bourg-en-Bresse | head -n 400000; } >"$T/data/villes.csv"
world_sync
sed -i 's/"workerTime": "2s"/"workerTime": "1m", "quota": {"spool": 1000000}/' "$T/in/inside.json"
ok "a bundle of few bytes" test "$(stat -c %s "$bundle")" -lt 1000000
run inside import "$bundle"
is "$status" 2 "it would decode past the spool's quota: trouble"
like "$output" "E6003 .*the spool's quota is" "with the quota named"
is "$(store_digest)" "$before" "and nothing changed for readers"
sed -i 's/, "quota": {"spool": 1000000}//' "$T/in/inside.json"
run inside import
is "$status" 0 "with room enough it goes in, without being sent again"
like "$output" "villes: version .* in force" "as a version"

# --- a worker that speaks the protocol and lies ----------------------------------------------------------------------------
liar() { # PYTHON: what it sends; `send(kind, bytes)` makes a record
	cat <<-PY
	#!/usr/bin/python3
	import socket, struct, sys
	sock = socket.socket(fileno=3)
	while True:
	    record, fds, flags, address = socket.recv_fds(sock, 65536, 1)
	    if struct.unpack_from("<I", record)[0] == GO:
	        break
	def send(kind, data):
	    sock.send((struct.pack("<II", kind, 0) + data).ljust(len(record), b"\\0"))
	$1
	PY
}
# The numbers of the kinds, from the enum itself: GO, END, …
kinds=$(sed -n '/^enum record_kind/,/^};/s/^\t\(RECORD_[A-Z_]*\)[ ,].*/\1/p' inside/records.h | awk '{ print "s/\\<" substr($1, 8) "\\>/" NR - 1 "/" }')
lie() { own "$1" < <(liar "$2" | sed "$kinds"); }

world_data villes code,nom 02,Laon
world_sync
before=$(store_digest)
lie inside-unpack 'send(END, struct.pack("<I", 2105) + b"nothing new")'
run owned import "$bundle"
is "$status" 2 "inside-unpack says superseded, which it cannot know: trouble, not quiet"
like "$output" "E9003 .*inside-unpack ended with what it cannot know" "and is named"
lie inside-unpack 'for i in range(70000): send(MEMBER, b"")'
run owned import
is "$status" 2 "records out of form, without end, are trouble"
lie inside-check 'send(END, struct.pack("<I", 2105) + b"nothing new")'
run owned import
is "$status" 2 "so is an inside-check that says so"
lie inside-check 'send(BREAK, struct.pack("<II", 3104, 1) + bytes(64 + 64 + 128) + b"rule"); send(END, b"")'
run owned import
is "$status" 2 "and one that would have a person approve a wrong hash"
lie inside-check 'send(END, b"")'
run owned import
is "$status" 2 "and one that checked nothing and says that all is well"
like "$output" "inside-check left files" "which is seen by what it left out"
lie inside-verify 'send(END, b"")'
run owned import
is "$status" 2 "and an inside-verify that says nothing"
lie inside-verify 'send(ROLE, b"x"); send(END, b"")'
run owned import
is "$status" 2 "or a role before any trust"
is "$(store_digest)" "$before" "none of them moved what readers see"
run inside import
is "$status" 0 "and ours finish what they began"
like "$(cat "$T/in/store/current/villes/villes.csv")" Laon "which bring its data"

# --- a worker that dies over one dataset, with files half written ----------------------------------------------------------
world_policy villes rues
world_source rues "code:string nom:string"
world_data rues code,nom 01,Grande
world_data villes code,nom 02,Soissons
world_sync
own inside-check <<SH
#!/bin/sh
if mkdir "$T/died" 2>/dev/null; then
	exit 1
fi
exec "$LIBEXEC/inside-check" "\$@"
SH
run owned import "$bundle"
# The worker of the second is started while the first is at work: either may be the one that dies.
is "$status" 2 "a worker that dies over one of two datasets is trouble"
is "$(grep -c 'E9003' <<<"$output")" 1 "over that one alone"
unlike "$output" 'E9004' "what it left is in nobody's way"
like "$output" '(villes|rues): version .* in force' "the other one comes in"
run owned import
is "$status" 0 "and so does the first at the next run"
like "$output" '(villes|rues): version .* in force' "by itself"
is "$(cat "$T"/in/store/current/{rues/rues,villes/villes}.csv | paste -sd' ')" "code,nom 01,Grande code,nom 02,Soissons" "so that both are there"

# --- another file under the same name, while the first is read ---------------------------------------------------------------
world_data villes code,nom 03,Moulins
world_sync
cp "$bundle" "$T/in/incoming/x.tar"
world_data villes code,nom 04,Digne
world_sync
cp "$bundle" "$T/second"
own inside-unpack <<SH
#!/bin/sh
[ ! -e "$T/second" ] || mv "$T/second" "$T/in/incoming/x.tar"
exec "$LIBEXEC/inside-unpack" "\$@"
SH
run owned import
is "$status" 0 "a bundle that is replaced while it is read goes in"
is "$(grep -c 'villes: version .* in force' <<<"$output")" 2 "as it was when it was opened; and the other one, not deleted unread, after it"
like "$(cat "$T/in/store/current/villes/villes.csv")" Digne "so that the newest is in force"
not_ok "and nothing is left" test -e "$T/in/incoming/x.tar"

# --- what is no bundle, in incoming/ -----------------------------------------------------------------------------------------
mkfifo "$T/in/incoming/fifo.tar"
mkdir "$T/in/incoming/folder.tar"
ln -s /etc/passwd "$T/in/incoming/symlink.tar"
: >"$T/in/incoming/empty.tar"
long=$(printf 'x%.0s' $(seq 255))
echo text >"$T/in/incoming/$long"
head -c 1024 "$bundle" >"$T/in/incoming/$(printf 'y%.0s' $(seq 255))"
cp "$bundle" "$T/in/incoming/$(printf 'a\033[2Jb\nE0000\342\200\256.tar')"
before=$(store_digest)
run timeout 60 "$BIN/clapet-inside" --config "$T/in/inside.json" import
is "$status" 1 "neither FIFO, folder, link nor odd name stops the others; what is no bundle is refused"
not_ok "no control byte reaches a terminal" grep -q "$(printf '\033')" <<<"$output"
like "$output" 'superseded' "a good bundle under an odd name is read"
is "$(store_digest)" "$before" "and nothing changed"
rm -rf "$T/in/incoming/"*

# --- a bundle that takes long must not have the service killed, again and again ----------------------------------------------
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
for i in range(4): print(s.recv(999).decode().replace("\n", " "), flush=True)' "$T/notify" >"$T/notified" &
for _ in $(seq 100); do [ -S "$T/notify" ] && break; sleep 0.05; done
NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=600000000 run inside watch --once
wait $!
is "$(cut -c1-32 "$T/notified" | paste -sd,)" "READY=1 STATUS=watching,WATCHDOG=1 WATCHDOG_USEC=0,WATCHDOG=1 WATCHDOG_USEC=6000000,STOPPING=1" \
	"the service is ready before its first round, and the watchdog rests while it works"

done_testing
