#!/bin/bash
# SPDX-License-Identifier: ISC
# Packets that nobody of ours sent, or sent so: noise, forged, damaged, repeated, of another key and from another time. None of them is ever to be seen in
# a file, none stops the link, each is counted; and the receiver has no call that sends.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
net_per_packet
link_new
link_file a 3M
link_file b 2M
a=$(sha256sum "$T/files/a" | cut -d' ' -f1)
raw() { "${at_out[@]}" python3 tests/net/datagrams.py raw $NET_IN $PORT; }
counts() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))["counts"]; print(*(d[k] for k in sys.argv[2:]))' "$T/into/.link/status.json" "$@"; }
until_counted() { # N KEY…: the counters of the next seconds come to N or more in all
	local n=$1 _
	shift
	for _ in $(seq 40); do
		[ "$(($(counts "$@" | tr ' ' +)))" -lt "$n" ] || return 0
		sleep 0.1
	done
	counts "$@"
	return 1
}

# --- what a crossing looks like: taken down on the way --------------------------------------------------------------------
"${at_in[@]}" python3 - $NET_IN $PORT "$T/tape" <<'PYTHON' &
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
s.bind((sys.argv[1], int(sys.argv[2])))
s.settimeout(20)
with open(sys.argv[3], "w") as tape:
    try:
        while True:
            tape.write(s.recv(65535).hex() + "\n")
            s.settimeout(1)
    except TimeoutError:
        pass
PYTHON
recorder=$!
while ! "${at_in[@]}" grep -q "$(printf ':%04X ' $PORT)" /proc/self/net/udp; do sleep 0.02; done
link_send --rate 100M a
wait $recorder
n=$(wc -l <"$T/tape")
ok "a crossing was taken down ($n packets)" test "$n" -gt 2000

# --- while a true file crosses ----------------------------------------------------------------------------------------------
link_watch
link_receive
python3 - "$T/tape" >"$T/forged" <<'PYTHON'
import random, sys
r = random.Random(5)
tape = [bytearray.fromhex(line) for line in open(sys.argv[1])][:600]
for i, packet in enumerate(tape):
    what = i % 6
    if what == 0:  # one bit, anywhere
        at = r.randrange(len(packet) * 8)
        packet[at // 8] ^= 1 << at % 8
    elif what == 1:  # a field of the header, with the MAC of another
        at = r.randrange(8, 72)
        packet[at] = r.randrange(256) ^ 0x5a
        packet[-1] ^= 1
    elif what == 2:  # cut
        packet = packet[:r.randrange(len(packet))]
    elif what == 3:  # longer
        packet = packet + bytes(r.randrange(1, 64))
    elif what == 4:  # noise of its size
        packet = bytes(r.randrange(256) for _ in packet)
    else:  # its head, and noise
        packet = packet[:72] + bytes(r.randrange(256) for _ in packet[72:])
    print(packet.hex())
print("")
print("434c6b31")
PYTHON
link_send --rate 50M b &
sender=$!
raw <"$T/forged"
wait $sender
ok "what was forged is counted" until_counted 590 stray badMac badForm
ok "the true file arrived meanwhile" link_whole b
is "$(counts digestMismatches)" 0 "nothing forged came as far as a digest"

# --- the same packets again, later -------------------------------------------------------------------------------------------
sort -R --random-source="$T/files/a" "$T/tape" | raw
for _ in $(seq 50); do
	! link_whole a b >/dev/null || break
	sleep 0.1
done
ok "a crossing that somebody plays again, in any order, is the file that it was" link_whole a b
ok "both are counted" until_counted 2 files
raw <"$T/tape"
sleep 1.2
is "$(counts files)" 2 "and again: it is there already"
"$BIN/clapet-keys" link --output "$T/other.key" >/dev/null
KEY=$T/other.key link_send b
ok "a sender with another key is a stranger" until_counted 1000 stray
like "$(sed -n 's/^Seccomp:\t//p' "/proc/$receiver/status")" '^2$' "the receiver runs under a filter of system calls"
kill "$receiver"
wait "$receiver"
is "$(link_watched)" 2 "no other name, and no wrong byte, was ever to be seen"
is "$(net_back)" 0 "nothing went back"

# --- it opens one socket, and calls nothing that sends -------------------------------------------------------------------------
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	rm -rf "$T/into"
	mkdir "$T/into"
	"${at_in[@]}" strace -f -qq -o "$T/trace" "$BIN/clapet-receive" --bind "$NET_IN:$PORT" --key "$T/link.key" --into "$T/into" --count 1 --timeout 20 >/dev/null 2>&1 &
	receiver=$!
	while ! "${at_in[@]}" grep -q "$(printf ':%04X ' $PORT)" /proc/self/net/udp; do sleep 0.05; done
	link_send --rate 50M b
	wait $receiver
	is $? 0 "a file arrives under strace"
	is "$(grep -c 'socket(AF_INET' "$T/trace")" 1 "it opened one socket of the network"
	unlike "$(cat "$T/trace")" '^[0-9]+ +(send|sendto|sendmsg|sendmmsg|connect)\(' "and called nothing that sends"
fi
done_testing
