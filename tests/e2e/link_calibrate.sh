#!/bin/bash
# SPDX-License-Identifier: ISC
# Two people try a link before there is data: probes at rising rates, and what the receiver advises is right, on a link that holds back what is too
# fast, on one that loses it, and on one that always loses some; test messages, with a number that both can read out.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
net_per_packet
link_new
link_file a 8M
calibrate() { # OPTION… of the sender -> $status of the receiver, $T/advice
	"${at_in[@]}" "$BIN/clapet-receive" calibrate --bind "$NET_IN:$PORT" --key "$T/link.key" --timeout 20 --json >"$T/advice" 2>"$T/receive.log" &
	receiver=$!
	link_listens || return
	"${at_out[@]}" "$BIN/clapet-send" calibrate --to "$NET_IN:$PORT" --key "$T/link.key" --seconds 1 "$@" >"$T/send.log" 2>&1
	is $? 0 "$name: the sender ends"
	status=0
	wait $receiver || status=$?
}
told() { python3 -c "import json; d = json.load(open('$T/advice')); steps = d['steps']; rate, repair = d['advice']['rate'] / 1e6, d['advice']['repair']; print($1)"; }
holds() { [ "$(told "$1")" = True ] || { cat "$T/advice" "$T/send.log"; false; }; }

name="a good link"
calibrate --rate 60M --steps 3
is "$status" 0 "$name: something is advised"
is "$(told "[round(s['rate'] / 1e6) for s in steps], d['advice']['stripes']")" "[20, 40, 60] 16" "$name: each step came"
ok "$name: whole" holds "all(s['packets'] == s['received'] > 1000 and s['lost'] == 0 for s in steps)"
ok "$name: nine tenths of the fastest ($(told rate) Mbit/s)" holds "15 < rate <= 54"
is "$(told "repair, d['advice']['buffer']")" "5 0" "$name: repair for worse days, and the buffer was enough"
like "$(cat "$T/send.log")" '^step 3 of 3: 60\.0 Mbit/s asked, [0-9.]+ sent: [0-9]+ packets' "$name: the sender says what it sent"

# --- a link that holds back ------------------------------------------------------------------------------------------------------------
name="40 Mbit/s, the rest waits"
net_rate 40mbit
calibrate --rate 160M --steps 4
is "$status" 0 "$name: something is advised"
ok "$name: nothing is lost" holds "all(s['lost'] == 0 for s in steps)"
ok "$name: but it comes no faster ($(told "[round(s['arrived'] / 1e6) for s in steps]"))" holds "all(s['arrived'] < 48e6 for s in steps)"
ok "$name: and no more is advised ($(told rate) Mbit/s)" holds "10 < rate < 41"

# --- a link that loses what is too much --------------------------------------------------------------------------------------------------
name="40 Mbit/s, the rest is lost"
net_rate 40mbit 300kb
calibrate --rate 80M --steps 4
is "$status" 0 "$name: something is advised"
ok "$name: the faster steps lose ($(told "[s['lost'] for s in steps]"))" holds "steps[3]['lost'] > steps[3]['packets'] / 10 and steps[0]['lost'] == 0"
ok "$name: no more is advised than it carries ($(told rate) Mbit/s)" holds "10 < rate < 41"
link_receive --count 1
link_send --rate "$(told rate)M" --repair "$(told repair)" a
link_wait
is "$status" 0 "$name: at the rate and repair that were advised a file crosses"
ok "$name: byte for byte" link_whole a
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["counts"]["lost"])' "$T/into/.link/status.json")" 0 "$name: without a loss"
net_rate off

# --- a link that always loses --------------------------------------------------------------------------------------------------------------
name="2 % are always lost"
net_loss 20
calibrate --rate 40M --steps 2
is "$status" 0 "$name: something is advised"
ok "$name: that is told ($(told "[s['lost'] for s in steps]"))" holds "all(s['lost'] > 0 for s in steps)"
ok "$name: and repair for it ($(told repair) %)" holds "6 <= repair <= 15 and rate > 10"
name="a third is lost"
net_loss 330
calibrate --rate 20M --steps 1
is "$status" 1 "$name: nothing is advised"
is "$(told "d['advice']['rate']")" 0 "$name: and that is said"
net_whole

# --- nobody ----------------------------------------------------------------------------------------------------------------------------------
run "${at_in[@]}" "$BIN/clapet-receive" calibrate --bind "$NET_IN:$PORT" --key "$T/link.key" --timeout 1
is "$status" 1 "nobody sends: exit 1"
like "$output" 'no probe came' "and that is said"

# --- test messages ---------------------------------------------------------------------------------------------------------------------------
messages() { grep -c "test message $1: $2\$" "$T/receive.log"; }
eventually() {
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	"$@"
}
told_test() { python3 -c 'import json, sys; t = json.load(open(sys.argv[1]))["link"]["test"]; print(t["number"], t["text"])' "$T/into/.link/status.json" 2>/dev/null; }
shows() { [ "$(told_test)" = "$1" ]; }
message() { run "${at_out[@]}" "$BIN/clapet-send" test --to "$NET_IN:$PORT" --key "$T/link.key" "$@"; }
link_receive
message --number 4711 "Allô, le dedans ?"
is "$status" 0 "a test message is sent"
like "$output" "^test message 4711 was sent to $NET_IN:$PORT: ask at the other end" "with a number to read out"
ok "the receiver's status shows it" eventually shows "4711 Allô, le dedans ?"
is "$(messages 4711 'Allô, le dedans ?')" 1 "its log too, once"
run "$BIN/clapet-receive" status --into "$T/into"
like "$output" '^test +message 4711, .*: Allô, le dedans \?$' "for people"
mkdir "$T/spool"
"${at_out[@]}" "$BIN/clapet-send" --to "$NET_IN:$PORT" --key "$T/link.key" --spool "$T/spool" --state "$T/state" 2>"$T/send.log" &
sender=$!
on_exit 'kill $sender $receiver 2>/dev/null'
ok "a service begins" eventually grep -q 'sends .* to' "$T/send.log"
message --state "$T/state" --number 4712 "beside the service"
like "$output" 'handed to the sender that runs' "where a service sends, it is asked"
ok "and the receiver shows that, too" eventually shows "4712 beside the service"
message bell$'\a'
is "$status" 2 "what does not print is not sent"
sleep 1
is "$(grep -c 'test message' "$T/receive.log")" 2 "two messages were sent, two are logged"
kill $sender $receiver
wait $sender $receiver
is "$(net_back)" 0 "nothing ever went back"
done_testing
