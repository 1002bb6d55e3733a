#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-send check on two name spaces with a one-way link: the route, the MTU, and the neighbour entry that nobody answers for; and what a sender
# does whose packets the machine does not take.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
# As a card is, which asks; that also empties its table.
permanent() { "${at_out[@]}" ip neigh replace "$NET_IN" lladdr "$NET_MAC_IN" dev wo nud permanent; }
"${at_out[@]}" ip link set wo arp on
permanent
link_new
link_file one 3000000
check() { run "${at_out[@]}" "$BIN/clapet-send" check --to "$NET_IN:$PORT" --key "$T/link.key" "$@"; }

check
is "$status" 0 "all is well"
like "$output" "good +route: $NET_IN:$PORT by wo" "it names the interface"
like "$output" "good +neighbour: the entry of $NET_IN is permanent" "the neighbour entry is permanent"
check --interface wo
is "$status" 0 "by its interface, too"
"${at_out[@]}" ip link set wo arp off
check
like "$output" 'good +neighbour: wo needs no entry' "an interface that never asks needs none"
"${at_out[@]}" ip link set wo arp on

"${at_out[@]}" ip neigh replace "$NET_IN" lladdr "$NET_MAC_IN" dev wo nud reachable
check
is "$status" 2 "a neighbour entry that was learned"
like "$output" "BAD +E7113 .*$NET_IN on wo was learned" "is named"
like "$output" 'next: `ip neighbour replace' "with what to do"
"${at_out[@]}" ip neigh del "$NET_IN" dev wo
check
like "$output" "BAD +E7113 .*no entry of $NET_IN on wo" "none at all is, too"
permanent

check --mtu 9000
like "$status:$(grep BAD <<<"$output")" '^2:BAD +E7112 .*9000 bytes, and wo carries 1500$' "packets that are too large"
link_send --mtu 9000 one
is "$status" 2 "are lost on this machine"
like "$(cat "$T/send.log")" 'E7105 TROUBLE .*Message too long' "which the sender says"

run "${at_out[@]}" "$BIN/clapet-send" check --to 203.0.113.9:4000 --key "$T/link.key"
like "$status:$(grep BAD <<<"$output" | head -n 1)" '^2:BAD +E7111 .*[Uu]nreachable' "no route"
run "${at_out[@]}" "$BIN/clapet-send" --to 203.0.113.9:4000 --key "$T/link.key" "$T/files/one"
like "$status:$output" '^2:.*E7101 .*[Uu]nreachable' "nor does it send then"
"${at_in[@]}" ip link set wi down
for _ in $(seq 30); do # the kernel says so up to a second later
	check
	[ "$status" = 0 ] || break
	sleep 0.1
done
like "$status:$(grep BAD <<<"$output")" '^2:BAD +E7111 .*wo is down, or no cable' "no cable"

done_testing
