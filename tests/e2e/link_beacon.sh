#!/bin/bash
# SPDX-License-Identifier: ISC
# Is it well, over a spool: a beacon a second, however little there is to send; "nothing new" told from "missed something"; three beacons missed are
# an alarm, and it is over when they come again. Order and counts are held to what they must be; clocks only where they are the promise.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
net_new
net_per_packet
link_new
link_file a 6M
link_file b 3M
mkdir "$T/spool"
status() { python3 -c "import json, sys; d = json.load(open('$T/into/.link/status.json')); print($1)" 2>/dev/null; }
sent() { python3 -c "import json, sys; d = json.load(open('$T/state/status.json')); print($1)" 2>/dev/null; }
says() { [ "$(status "$1")" = "$2" ]; }
eventually() { # SECONDS COMMAND… -> $took, in ms
	local start limit=$1
	shift
	start=$(link_now)
	while ! "$@"; do
		took=$(($(link_now) - start))
		[ $took -lt $((limit * 1000)) ] || { status "d['link']"; tail -n 5 "$T/receive.log"; return 1; }
		sleep 0.2
	done
	took=$(($(link_now) - start))
}
logged() { [ "$(grep -c "$1" "$T/receive.log")" -ge "${2:-1}" ]; }

link_receive
"${at_out[@]}" "$BIN/clapet-send" --to "$NET_IN:$PORT" --key "$T/link.key" --rate 100M --spool "$T/spool" --state "$T/state" 2>"$T/send.log" &
sender=$!
on_exit 'kill $sender $receiver 2>/dev/null'

# --- idle ----------------------------------------------------------------------------------------------------------------------------
ok "a link on which somebody sends is up" eventually 20 says "d['link']['state']" up
ok "and idle" eventually 20 says "d['link']['beacon']['sender']" idle
is "$(status "d['link']['beacon']['objects'], d['link']['news']")" "0 nothing new" "and there is nothing new"
"${at_out[@]}" python3 tests/net/measure.py "$T/measured" wire wo &
meter=$!
before=$(status "d['link']['beacon']['count']")
beats() { [ "$(status "d['link']['beacon']['count']")" -ge $((before + 4)) ]; }
ok "beacons come" eventually 30 beats
kill $meter
wait $meter
measured=$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(d["bytes"], d["bytes"] <= 200 * (d["seconds"] + 1), d["bytes"] >= 3 * 150)' "$T/measured")
like "$measured" "^[0-9]+ True True$" "idle, at most 200 bytes a second with all headers (${measured%% *} for 4 beacons)"

# --- something new --------------------------------------------------------------------------------------------------------------------
put() { cp "$T/files/$1" "$T/spool/.$1" && mv "$T/spool/.$1" "$T/spool/$1"; }
put a
ok "what is put there crosses" eventually 30 logged 'received '
ok "and there is nothing new" eventually 20 says "d['link']['news'], d['link']['beacon']['objects']" "nothing new 1"
not_ok "nothing was ever missed" logged E7207

# --- missed something -------------------------------------------------------------------------------------------------------------------
went() { [ "$(sent "min([o['cycles'] for o in d['objects'] if 'b' in o['files']], default=0)")" -ge 2 ]; }
net_cut
put b
ok "cut, it is down within 3 s, and the second in which the status is written" eventually 8 says "d['link']['state']" down
like "$(grep E7205 "$T/receive.log")" 'E7205 HELD link down: no beacon for [34] s' "with an alarm, by the receiver's own clock"
is "$(status "d['link']['news']")" unknown "nobody knows now whether there is something new"
ok "a file is sent to nobody" eventually 30 eval 'went >/dev/null'
net_join
ok "joined, it is no longer down ($took ms)" eventually 20 eval 'says "d[\"link\"][\"state\"] in (\"up\", \"degraded\")" True'
ok "and the beacons tell that something was missed, within 60 s" eventually 60 says "d['link']['news']" "missed something"
ok "with a warning" logged E7207
ok "nothing of it is here" test "$(ls "$T/into" | wc -l)" = 1
echo 0 >"$T/spool/.new" && mv "$T/spool/.new" "$T/spool/.ask-$(sha256sum <"$T/files/b" | cut -d' ' -f1)"
ok "sent again, it arrives" eventually 60 logged 'received ' 2
ok "byte for byte" link_whole a b
ok "and nothing is missed any more" eventually 20 says "d['link']['news']" "nothing new"
ok "which is said" logged 'nothing is missed any more'

# --- the sender ends -----------------------------------------------------------------------------------------------------------------------
kill $sender
wait $sender
ok "a sender that ended is an alarm, too" eventually 10 says "d['link']['state']" down
is "$(grep -c E7205 "$T/receive.log")" 2 "two outages, two alarms"
is "$(net_back)" 0 "nothing went back"
kill "$receiver"
wait "$receiver"
done_testing
