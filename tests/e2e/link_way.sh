#!/bin/bash
# SPDX-License-Identifier: ISC
# The whole way: what clapet-outside publishes lies in the outbox, clapet-send carries it as a spool, clapet-receive puts it into incoming/, and
# clapet-inside watch brings it in force. Two hosts that share nothing but a one-way link; where name spaces may not be made, the loopback.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
. tests/world.sh
net_wanted "$0"
echo "# the way: $net_way${net_lost:+ ($net_lost)}"
outside() { "${at_out[@]}" "$BIN/clapet-outside" --config "$T/out/outside.json" "$@"; }
inside() { "${at_in[@]}" "$BIN/clapet-inside" --config "$T/in/inside.json" "$@"; }
eventually() { # COMMAND… : holds within half a minute
	local i
	for ((i = 0; i < 600; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	"$@"
}
in_force() { cmp "$T/data/$1.csv" "$T/in/store/current/$1/$1.csv"; }
received() { "${at_in[@]}" "$BIN/clapet-receive" status --config "$T/in/inside.json" --json | python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
sent() { "${at_out[@]}" "$BIN/clapet-send" status --link diode --config "$T/out/outside.json" --json | python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
say() { test "$(received "$1")" = "$2"; }
logged() { grep -Eq "$1" "$T/$2.log"; }
# A table of 3,000 rows whose values hardly compress; row N of GENERATION where it was changed.
table() { # NAME GENERATION N…
	awk -v generation="$2" -v rows="${*:3}" 'BEGIN {
		split(rows, list, " "); for (i in list) changed[list[i]] = 1
		print "code,nom"; x = 12345; y = 1000 * generation
		for (i = 1; i <= 3000; i++) { x = x * 16807 % 2147483647; y = y * 16807 % 2147483647; printf "%06d,nom-%d\n", i, (i in changed) ? y : x }
	}' >"$T/data/$1.csv"
}
receiver_start() {
	"${at_in[@]}" "$BIN/clapet-receive" --config "$T/in/inside.json" 2>>"$T/receive.log" &
	receiver=$!
}

net_new
net_per_packet 2>/dev/null
ok "a world is made" world_new
world_policy villes rues
world_source villes "code:string nom:string"
world_source rues "code:string nom:string"
"$BIN/clapet-keys" link --output "$T/link.key" >/dev/null
cp "$T/link.key" "$T/out/link.key"
cp "$T/link.key" "$T/in/link.key"
chmod 600 "$T"/{in,out}/link.key
sed -i "s|\"allowFile\"|\"links\": {\"diode\": {\"to\": \"$NET_IN:$PORT\", \"key\": \"link.key\", \"state\": \"sending\", \"rate\": \"200M\", \"pause\": \"1s\"}}, &|" \
	"$T/out/outside.json"
sed -i "s|\"contracts\"|\"link\": {\"bind\": \"$NET_IN:$PORT\", \"key\": \"link.key\", \"folder\": \"link\"}, &|" "$T/in/inside.json"
mkdir "$T/in/link"
run outside check
is "$status" 0 "outside check is content with the link"
run inside check
is "$status" 0 "inside check is content with the link"
like "$output" "^good +link +$T/in/link|^ok +link +$T/in/link" "and names the receiver's folder"

# --- the services of both hosts -----------------------------------------------------------------------------------------------------
: >"$T/receive.log"
receiver_start
"${at_in[@]}" "$BIN/clapet-inside" --config "$T/in/inside.json" watch --interval 1h >"$T/watch.log" 2>&1 &
watcher=$!
"${at_out[@]}" "$BIN/clapet-send" --config "$T/out/outside.json" --link diode 2>"$T/send.log" &
sender=$!
on_exit 'kill $receiver $watcher $sender 2>/dev/null'
ok "the link is up before there is anything to send" eventually say 'd["link"]["state"]' up
is "$(received 'd["link"]["news"], d["link"]["beacon"]["objects"]')" "nothing new 0" "and the inside knows that there is nothing new"

# --- the first version --------------------------------------------------------------------------------------------------------------
table villes 1
table rues 7
ok "sync" world_sync
first=$bundle
ok "what was published outside is in force inside, and nobody carried anything" eventually in_force villes
ok "both datasets" in_force rues
ok "the receiver told its name" logged "received ${first##*/} " receive
left() { find "$T/in/incoming" "$T/in/link" -maxdepth 1 -type f ! -name '.*'; }
is_empty() { [ -z "$(left)" ]; }
ok "nothing is left on the way" eventually is_empty

# --- the second version is a patch ----------------------------------------------------------------------------------------------------
table villes 2 17 1700
ok "a second sync" world_sync
ok "its bundle has a patch for it" grep -q 'a patch against' <("$BIN/clapet-audit" --test-bench --root "$T/out/repository/metadata/1.root.json" bundle "$bundle")
ok "and is small ($(stat -c %s "$bundle") of $(stat -c %s "$first") bytes)" test "$(stat -c %s "$bundle")" -lt $(($(stat -c %s "$first") / 2))
ok "it is in force" eventually in_force villes

# --- the carousel goes on, and nothing comes in twice ---------------------------------------------------------------------------------
cycles() { sent 'min((o["cycles"] for o in d["objects"] if '"'${first##*/}'"' in o["files"]), default=0)'; }
before=$(cycles)
more() { [ "$(cycles)" -gt $((before + 1)) ]; }
ok "the first bundle is sent again and again" eventually more
table villes 3 17 1701
ok "meanwhile a third version is published" world_sync
ok "and comes in force" eventually in_force villes
ok "three bundles were published, three were delivered" eventually say 'd["counts"]["files"]' 3
is "$(inside log | grep -c "bundle ${first##*/}: accepted")" 1 "and the first came in once"

if [ $net_way = veth ]; then
	# --- losses -------------------------------------------------------------------------------------------------------------------
	net_loss 20
	head -c 1500000 /dev/urandom | base64 -w 60 | awk 'BEGIN { print "code,nom" } { printf "%06d,%s\n", NR, $0 }' >"$T/data/rues.csv"
	before=$(received 'd["counts"]["generationsRepaired"]')
	ok "2 % are lost on the wire: sync" world_sync
	ok "2 % are lost on the wire: in force" eventually in_force rues
	ok "repair symbols made that good" eventually say "d['counts']['generationsRepaired'] > $before" True
	ok "the receiver counts what was lost" eventually say "d['counts']['lost'] > 0" True
	ok "and says that the link is degraded" eventually say 'd["link"]["state"]' degraded

	# --- the fibre breaks -----------------------------------------------------------------------------------------------------------
	net_cut
	table villes 4 18
	ok "the fibre is broken: sync" world_sync
	broken=${bundle##*/}
	went() { [ "$(sent 'max([o["cycles"] for o in d["objects"] if '"'$broken'"' in o["files"]], default=0)')" -ge 1 ]; }
	ok "it was sent to nobody" eventually went
	ok "the inside has an alarm" logged 'E7205 .*link down' receive
	not_ok "and not the version" in_force villes
	net_join
	ok "joined again, the next cycle brings it" eventually in_force villes
	ok "and the link is no longer down" eval 'eventually say "d[\"link\"][\"state\"] in (\"up\", \"degraded\")" True'
	net_loss 0
fi

# --- the receiver is started anew -------------------------------------------------------------------------------------------------------
kill $receiver
wait $receiver
is $? 0 "SIGTERM ends the receiver"
table villes 5 19
ok "meanwhile a version is published" world_sync
receiver_start
ok "started anew it takes the next cycle" eventually in_force villes

# --- heartbeats, and what is missing ------------------------------------------------------------------------------------------------------
run outside heartbeat
is "$status" 0 "heartbeat"
beat=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
ok "a heartbeat crosses, too" eventually logged "received ${beat##*/} " receive
run inside missing
is "$status:$output" "0:nothing is missing" "nothing is missing"
ok "the receiver says so of the link" eventually say 'd["link"]["news"]' "nothing new"
run "${at_in[@]}" "$BIN/clapet-receive" status --config "$T/in/inside.json"
like "$output" '^link +(up|degraded), nothing new' "status at the inside's end"
tells() { "${at_out[@]}" "$BIN/clapet-send" status --config "$T/out/outside.json" --link diode | grep "${beat##*/}"; }
ok "status at the outside's end tells what is sent" eventually tells
run "${at_out[@]}" "$BIN/clapet-send" status --config "$T/out/outside.json" --link diode
is "$status" 0 "and that it is well"
like "$output" "^to $NET_IN:$PORT .* sending at 200.0 Mbit/s" "says where to, and how fast"

# --- the end --------------------------------------------------------------------------------------------------------------------------
kill $sender
wait $sender
is $? 0 "SIGTERM ends the sender"
kill $receiver $watcher
wait $receiver
is $? 0 "and the receiver"
wait $watcher
is $? 0 "and the inside's watch"
not_ok "watch had no trouble" grep -E 'TROUBLE|REFUSED' "$T/watch.log"
[ $net_way = loopback ] || is "$(net_back)" 0 "nothing ever went back"
done_testing
