#!/bin/bash
# SPDX-License-Identifier: ISC
# Is it well: a beacon a second while a sender runs; three of them missed are an alarm, and it is over when they come again.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
net_per_packet
link_new
link_file a 6M
state() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["link"]["state"])' "$T/into/.link/status.json"; }
until_state() { # WANTED SECONDS -> $took, in ms
	local start
	start=$(link_now)
	while [ "$(state)" != "$1" ]; do
		took=$(($(link_now) - start))
		[ $took -lt $(($2 * 1000)) ] || { state; return 1; }
		sleep 0.05
	done
	took=$(($(link_now) - start))
}
link_receive
link_send --rate 4M a &
sender=$!
ok "a link on which somebody sends is up" until_state up 10
net_cut
ok "cut, it is down within 3 s, and the second in which the status is written" until_state down 5
like "$(cat "$T/receive.log")" 'E7205 ' "with an alarm ($took ms)"
net_join
ok "joined, it is no longer down" eval 'until_state degraded 3 || until_state up 1'
is "$(net_back)" 0 "nothing went back"
kill "$receiver" $sender
wait "$receiver"
done_testing
