#!/bin/bash
# SPDX-License-Identifier: ISC
# The tests' own tools (tests/net): what they lose, hold up and damage is what they were told, and nothing comes back over the link.
. tests/lib.sh
. tests/net/net.sh
net_needed "$0"
send() { "${at_out[@]}" python3 tests/net/datagrams.py send $NET_IN 5000 "$@"; }
# Receives while COMMAND… runs; the numbers are in $T/numbers.
receive() {
	mkfifo "$T/ready"
	"${at_in[@]}" python3 tests/net/datagrams.py receive $NET_IN 5000 "$T/numbers" >"$T/ready" &
	local receiver=$! line
	read -r line <"$T/ready"
	rm "$T/ready"
	"$@"
	wait $receiver
}
count() { wc -l <"$T/numbers"; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

mine=$(readlink /proc/self/ns/net)
ok "a link is made" net_new
isnt_mine() { [ "$("${at_out[@]}" readlink /proc/self/ns/net)" != "$mine" ] && [ "$("${at_in[@]}" readlink /proc/self/ns/net)" != "$mine" ]; }
ok "its two ends are in name spaces of their own" isnt_mine
like "$("${at_out[@]}" ip neigh)" "^$NET_IN dev wo lladdr $NET_MAC_IN PERMANENT" "the neighbour is permanent"
receive send 500
is "$(count)" 500 "datagrams cross"
is "$(net_back)" 0 "and nothing came back"
before=$(net_sent)
send 10 1000
is "$(($(net_sent) - before))" $((10 * (1000 + 28 + 14))) "bytes on the wire are counted, with their headers"
"${at_in[@]}" python3 tests/net/datagrams.py send $NET_OUT 5000 5
is "$(net_back)" 5 "what tries to go back is counted and goes nowhere"

before=$(net_packets)
send 640 1000 32
is "$(($(net_packets) - before))" 20 "without the per-packet setting a veth carries 32 packets in one"
ok "it is set" net_per_packet
before=$(net_packets)
send 640 1000 32
is "$(($(net_packets) - before))" 640 "with it each goes alone"

ok "1 % is lost at random" net_loss 10
send 20000
ok "about 200 of 20,000 ($(net_dropped))" between "$(net_dropped)" 120 300
ok "180 in a row of every 2,000" net_burst 180 2000
receive send 4000 8
is "$(net_dropped)" 360 "two bursts"
is "$(awk '{ if (NR > 1 && $1 - last > 100) bursts++; last = $1 } END { print bursts + 0 }' "$T/numbers")" 1 "the second is a gap in the numbers"
net_cut
send 100
is "$(net_dropped)" 100 "a broken fibre loses all"
net_join
receive send 100
is "$(count)" 100 "joined, it carries again"
net_cable out
before=$(net_packets)
send 100 2>/dev/null
is "$(net_packets)" "$before" "with the cable out nothing crosses"
net_cable in
receive send 100
is "$(count)" 100 "put in, it carries again"
net_rate 20mbit
start=$(date +%s%N)
receive send 1000 1000
took=$((($(date +%s%N) - start) / 1000000))
ok "1 MB at 20 Mbit/s takes at least 300 ms ($took), and a half second of silence" test $took -ge 800
is "$(count)" 1000 "and nothing is lost"

[ -w /dev/net/tun ] && net_new_wire >"$T/log" 2>&1 || { cat "$T/log" >&2; echo "# no TAP: the wire is not tested"; done_testing; }
receive send 500
is "$(count)" 500 "datagrams cross the wire"
net_wire_end
like "$wire" '^taken 500 bytes 71000 lost 0 repeated 0 late 0 damaged 0 given 500 bytes 71000 full 0 back 0$' "it says what it did"
bad() {
	net_new_wire --seed 7 --loss 20 --duplicate 30 --reorder 40 --damage 10 || return
	receive send 3000
	net_wire_end
}
bad
cp "$T/numbers" "$T/first"
first=$wire
like "$wire" '^taken 3000 bytes 426000 lost [3-9][0-9] repeated [0-9]+ late [0-9]+ damaged [0-9]+ ' "it loses"
ok "what is damaged arrives, damaged" grep -q damaged "$T/numbers"
ok "what is late is late" awk '$1 < last { late++ } { last = $1 } END { exit !(late > 50) }' "$T/numbers"
ok "what is repeated comes twice" test "$(cut -d' ' -f1 "$T/numbers" | sort | uniq -d | wc -l)" -gt 50
bad
is "$wire" "$first" "a seed says what happens"
ok "to whom, and in which order" cmp "$T/first" "$T/numbers"
net_new_wire --delay 200 --burst 10 --every 100
start=$(date +%s%N)
receive send 200
is "$(count)" 180 "bursts on the wire"
ok "a delay on the wire" test $((($(date +%s%N) - start) / 1000000)) -ge 700
net_wire_end

holders=("${net_holders[@]}")
net_end
sleep 0.1
gone() { ! kill -0 "${holders[@]}" 2>/dev/null; }
ok "the name spaces are gone with their processes" gone
done_testing
