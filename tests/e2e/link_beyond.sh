#!/bin/bash
# SPDX-License-Identifier: ISC
# What repair cannot mend: both ends say so within 5 s of the sender's end, with the exact generations; and what did arrive is not sent again.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
net_per_packet
link_new
link_file a 30M
size=$(stat -c %s "$T/files/a")
hex=$(sha256sum "$T/files/a" | cut -d' ' -f1)
# What the receiver asked for when it ended -> $ranges, $n_ranged of $n_generations
asked() {
	ranges=$(sed -n "s/^$hex://p" "$T/received")
	n_generations=$("$BIN/clapet-receive" missing --into "$T/into" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["objects"][0]["generations"])')
	n_ranged=$(tr , '\n' <<<"$ranges" | awk -F- '{ n += ($2 == "" ? $1 : $2) - $1 + 1 } END { print n }')
}
anew() {
	rm -rf "$T/into"
	mkdir "$T/into"
	crossed=$(net_received)
}
# Returns once half of the file has crossed since `anew`, however slow the machine is.
half() {
	local i
	for ((i = 0; i < 1000 && $(net_received) - crossed < size / 2; i++)); do sleep 0.02; done
}

# --- more is lost than repair makes good -----------------------------------------------------------------------------------
net_loss 100
link_receive --count 1 --timeout 2
link_send --rate 800M --repair 5 a
link_wait
is "$status" 1 "10 % lost with 5 % repair: exit 1"
ok "within 5 s of the sender's end ($link_took ms)" test "$link_took" -lt 5000
ok "nothing is to be seen" link_whole
asked
like "$ranges" '^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$' "the generations are named ($ranges of $n_generations)"
net_whole
before=$(net_sent)
link_receive --count 1 --timeout 5
link_send --rate 800M --only "$hex:$ranges" a
link_wait
is "$status" 0 "just these, sent again, complete it"
ok "byte for byte" link_whole a

# --- the cable is out while a part is sent ---------------------------------------------------------------------------------
anew
link_receive --count 1 --timeout 2
link_send --rate 100M a &
sender=$!
half
net_cut
wait $sender
link_ended=$(link_now)
link_wait
is "$status" 1 "the fibre breaks in the middle: exit 1"
ok "within 5 s of the sender's end ($link_took ms)" test "$link_took" -lt 5000
asked
ok "the generations after it are asked for ($ranges of $n_generations)" test "$n_ranged" -lt "$n_generations" -a "$n_ranged" -gt 0
like "$ranges" "-?$((n_generations - 1))$" "up to the last"
net_join
before=$(net_sent)
link_receive --count 1 --timeout 5
link_send --rate 800M --only "$hex:$ranges" a
link_wait
is "$status" 0 "these complete it"
sent=$(($(net_sent) - before))
ok "without the rest ($sent bytes for $n_ranged of $n_generations)" test "$sent" -lt $((size / n_generations * (n_ranged + 1) * 5 / 4))
ok "byte for byte" link_whole a

# --- the plug is out in the middle, and put in again ------------------------------------------------------------------------
anew
link_receive --count 1 --timeout 5
link_send --rate 100M --cycles 2 a &
sender=$!
half
net_cable out
sleep 0.3
net_cable in
wait $sender
link_ended=$(link_now)
link_wait
is "$status" 0 "the plug is out for a while: complete within the next cycle"
ok "byte for byte" link_whole a

# --- the receiver dies at the half ------------------------------------------------------------------------------------------
anew
link_watch
link_receive --count 1
link_send --rate 100M --cycles 2 a &
sender=$!
half
kill -9 "$receiver"
wait "$receiver" 2>/dev/null
link_receive --count 1 --timeout 5
wait $sender
link_ended=$(link_now)
link_wait
is "$status" 0 "the receiver is killed at the half and started again: complete within the next cycle"
ok "byte for byte" link_whole a
is "$(link_watched)" 1 "and no part of it was ever to be seen"
# What it had counts: with one cycle alone just what came between is missing.
anew
link_receive --count 1
link_send --rate 100M a &
sender=$!
half
kill -9 "$receiver"
wait "$receiver" 2>/dev/null
link_receive --count 1 --timeout 2
wait $sender
link_ended=$(link_now)
link_wait
is "$status" 1 "in one cycle it is not complete"
asked
ok "what came before it was killed is not asked for again ($ranges of $n_generations)" test "$n_ranged" -lt $((n_generations * 2 / 3))

# --- the receiver is late ----------------------------------------------------------------------------------------------------
anew
link_send --rate 100M --cycles 2 a &
sender=$!
half
link_receive --count 1 --timeout 5
wait $sender
link_ended=$(link_now)
link_wait
is "$status" 0 "started late, it is complete within one more cycle"
ok "byte for byte" link_whole a

# --- nobody sends -------------------------------------------------------------------------------------------------------------
anew
link_ended=$(link_now)
link_receive --count 1 --timeout 1
link_wait
is "$status" 1 "nothing at all: exit 1 after the silence"
ok "and not later ($link_took ms)" test "$link_took" -lt 3000
is "$(net_back)" 0 "nothing ever went back"
done_testing
