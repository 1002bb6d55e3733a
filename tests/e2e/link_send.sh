#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-send over the loopback to a receiver that is not ours (tests/linkcount.py): form, MAC, geometry, sequences, repair rows, packs, beacons;
# what it refuses; that it goes on without UDP_SEGMENT and without sendmmsg.
. tests/lib.sh
. tests/linkcount.sh

head -c 5000001 /dev/urandom >"$T/large"
head -c 12000 /dev/urandom >"$T/one"
head -c 300 /dev/urandom >"$T/two"
: >"$T/empty"

# --- files ---
listen
run "$send" --to "$to" --key "$T/key" --rate 300M --verbose --report "$T/report.json" "$T/large" "$T/one" "$T/two" "$T/empty"
counted
is "$status" 0 "files are sent"
is "$counted" 0 "every packet is as the format says, with its MAC"
export EVERY=31
like "$output" 'packets go by (UDP_SEGMENT and )?send' "--verbose says by which calls"
is "$(ls "$T/got" | sort)" "$(for f in large one two empty; do digest "$T/$f"; done | sort)" "each file arrives, the small ones of a pack too"
is "$(count "d['gaps'], d['backwards'], d['sessions']")" "0 0 1" "sequences rise by one, over beacons and announcements"
is "$(count "sorted(o['content'] for o in d['objects'].values())")" "[0, 1]" "the small files are one object"
is "$(count "[(o['repair'], o['generations']['0']) for o in d['objects'].values() if not o['content']]")" "[(12, 1999)]" "ten percent of repair symbols"
is "$(count "[(o['moments']['0'], o['cycles']) for o in sorted(d['objects'].values(), key=lambda o: o['content'])]")" "[(1, [0]), (2, [0, 1])]" \
	"what is shorter than a burst is sent again in the end"
is "$(count "d['beacons'][0]['at'] == 0 and d['beacons'][-1]['state'] == 2 and d['beacons'][-1]['objects'] == 2")" True "a beacon comes first, and one says the end"
is "$(count "d['beaconSize'] <= 200")" True "a beacon has at most 200 bytes"
is "$(python3 -c "import json; r = json.load(open('$T/report.json')); print(r['format'], len(r['objects']), r['exitStatus'], r['packets'] == json.load(open('$T/counted'))['packets'], sum(o['packets'] for o in r['objects']) > 3900, r['lost'])")" \
	"clapet send report 1 2 0 True True 0" "the report counts what the receiver counted"

# --- a character device as standard output: stdio asks it what it is ---
listen
"$send" --to "$to" --key "$T/key" "$T/one" >/dev/null
is $? 0 "standard output may be a device"
counted

# --- the rate, and the beacon, once a second whatever is sent ---
listen
run "$send" --to "$to" --key "$T/key" --rate 14M --json "$T/large"
counted
is "$status:$counted" 0:0 "five megabytes at 14 Mbit/s"
# 6.1 MB with 66 bytes around each packet, and the slow start.
is "$(count "3.4 <= d['seconds'] <= 8")" True "take the time that they must ($(count "d['seconds']") s)"
is "$(count "len([b for b in d['beacons'] if b['state'] == 1]) >= 4 and all(500 < b['sent'] - a['sent'] < 1900 for a, b in zip(d['beacons'], d['beacons'][1:-1]))")" True \
	"and a beacon each second"
is "$(count "list(d['objects'].values())[0]['moments']['1'] >= 2")" True "an object under way is announced again each second"
like "$output" '"format": "clapet send report 1"' "--json prints the report"

# --- cycles: other repair rows, and nothing but what was asked for ---
listen
run "$send" --to "$to" --key "$T/key" --rate 300M --repair 5 --cycles 3 "$T/large"
counted
is "$status:$counted" 0:0 "three cycles"
is "$(count "[o['cycles'] for o in d['objects'].values()]")" "[[0, 1, 2]]" "are told apart"
# k = 113, 12 rows a cycle.
is "$(count "len(list(d['objects'].values())[0]['rows'])")" 36 "and send other repair symbols each"
listen
run "$send" --to "$to" --key "$T/key" --rate 300M --only "$(digest "$T/large"):1" "$T/large" "$T/one"
counted
is "$status:$counted" 0:0 "--only"
is "$(count "[sorted(o['generations']) for o in d['objects'].values()]")" "[['1']]" "sends these generations and no other file"

# --- a bundle by its name; IPv6; an MTU of its own ---
cp "$T/large" "$T/0000000042-$(digest "$T/large").tar"
listen ::1
run "$send" --to "$to" --key "$T/key" --rate 300M --mtu 9000 --interface lo "$T/0000000042-$(digest "$T/large").tar"
if [ "$status" = 2 ] && [[ $output == *"interface lo"* ]]; then # no right to choose one
	run "$send" --to "$to" --key "$T/key" --rate 300M --mtu 9000 "$T/0000000042-$(digest "$T/large").tar"
fi
counted
is "$status:$counted" 0:0 "IPv6 with large packets"
is "$(count "[(o['whole'], o['symbol'], o['version']) for o in d['objects'].values()]")" "[(True, 8864, 42)]" "the bundle arrives with its version"
is "$(count "d['beacons'][-1]['version']")" 42 "which the beacon tells"

mv "$T/0000000042-$(digest "$T/large").tar" "$T/0000000042-$(digest "$T/one").tar"
listen
run "$send" --to "$to" --key "$T/key" --rate 300M "$T/0000000042-$(digest "$T/one").tar"
counted quiet
is "$status" 1 "a bundle that is not what its name says is refused"
like "$output" 'E7103 REFUSED .*FORMAT.md 3.10' "with the clause"
is "$(ls "$T/got")" "" "and never arrives"
like "$(cat "$T/counted")" "an object that is not its digest" "for its bytes are not those"

# --- a link of the configuration; test, calibrate, check ---
mkdir -p "$T/etc/outbox"
cat >"$T/etc/outside.json" <<JSON
{"format": "clapet outside configuration 1", "sources": "s", "state": "s", "keys": "k", "repository": "r", "outbox": "outbox",
 "testBench": "this machine is a test bench", "links": {"main": {"to": "127.0.0.1:9", "key": "../key", "state": "link", "rate": "40M"}}}
JSON
listen
run "$send" test --config "$T/etc/outside.json" --link main --to "$to" --number 4711 "bonjour à tous"
is "$status" 0 "test"
like "$output" 'test message 4711 was sent' "says its number"
counted
is "$counted:$(count "sorted(set((t['number'], t['text']) for t in d['tests']))")" "0:[(4711, 'bonjour à tous')]" "which arrives with its text"
run "$send" test --config "$T/etc/outside.json" --link main "$(printf 'a\tb')"
is "$status" 2 "a text that does not print is refused"

listen
run "$send" calibrate --config "$T/etc/outside.json" --link main --to "$to" --steps 3 --from 10M --seconds 1
is "$status" 0 "calibrate"
like "$output" 'step 3 of 3: 40.0 Mbit/s asked, ([23][0-9]|40)\.' "says what it sent"
counted
is "$counted:$(count "[(p['rate'], p['count'] == p['received'], p['steps'], 0.9 < p['seconds'] < 3) for s, p in sorted(d['probes'].items())]")" \
	"0:[(1250000, True, 3, True), (3125000, True, 3, True), (5000000, True, 3, True)]" "each step's probes arrive, at its rate"

run "$send" check --config "$T/etc/outside.json" --link main
is "$status" 0 "check of a link over the loopback"
like "$output" 'good +link: to 127.0.0.1:9 at 40.0 Mbit/s' "names it"
like "$output" 'good +neighbour: lo needs no entry' "no neighbour is needed"
run "$send" check --config "$T/etc/outside.json" --link main --key "$T/one"
like "$output" 'BAD +E2122' "check of a file that is no key"
run "$send" check --config "$T/etc/outside.json" --link other
like "$status:$output" '^2:.*E9002 .*there is no "other"' "a link that is not configured"
sed -i 's/"rate"/"rat"/' "$T/etc/outside.json"
run "$BIN/clapet-outside" --config "$T/etc/outside.json" status
like "$status:$output" '^2:.*E9002 .*links/main.*rat' "clapet-outside refuses a link with a key that it does not know"

# --- what cannot be ---
refused() { # STATUS REGEX NAME ARGUMENT…
	local expected=$1 regex=$2 name=$3
	shift 3
	run "$send" "$@"
	is "$status" "$expected" "$name"
	like "$output" "$regex" "$name: says so"
}
refused 2 'Usage|which files' "no file" --to 127.0.0.1:7 --key "$T/key"
refused 2 '--to' "no address" --key "$T/key" "$T/one"
refused 2 '--key' "no key" --to 127.0.0.1:7 "$T/one"
refused 2 'E9002 .*ADDRESS:PORT' "a name instead of a number" --to localhost:7 --key "$T/key" "$T/one"
refused 2 'E9002 .*rate' "a rate of nothing" --to 127.0.0.1:7 --key "$T/key" --rate 0 "$T/one"
refused 2 'E9002 .*repair' "too much repair" --to 127.0.0.1:7 --key "$T/key" --repair 29 "$T/one"
refused 2 'E9002 .*mtu' "an MTU below IPv4's" --to 127.0.0.1:7 --key "$T/key" --mtu 500 "$T/one"
refused 2 'E9001 .*missing' "a file that is not there" --to 127.0.0.1:7 --key "$T/key" "$T/missing"
refused 2 'E9001 .*regular' "a folder" --to 127.0.0.1:7 --key "$T/key" "$T/got"
refused 1 'E7104 .*digits' "ranges out of form" --to 127.0.0.1:7 --key "$T/key" --only 12:3 "$T/one"
refused 2 'E6004 ' "ranges of another file" --to 127.0.0.1:7 --key "$T/key" --only "$(digest "$T/two"):0" "$T/one"
refused 1 'E7104 .*there is no 1 ' "a generation that it has not" --to 127.0.0.1:7 --key "$T/key" --only "$(digest "$T/one"):1" "$T/one"
refused 2 'E7101 .*no-such-interf' "an interface that is not there" --to 127.0.0.1:7 --key "$T/key" --interface no-such-interf "$T/one"
chmod 644 "$T/key"
refused 1 'E[0-9]+ .*mode 0644' "a key that others may read" --to 127.0.0.1:7 --key "$T/key" "$T/one"
chmod 600 "$T/key"
echo '{}' >"$T/no-key"
chmod 600 "$T/no-key"
refused 1 'E7001 ' "a file that is no key" --to 127.0.0.1:7 --key "$T/no-key" "$T/one"

# --- what goes wrong on the way ---
listen 127.0.0.1 2
truncate -s 40M "$T/growing"
"$send" --to "$to" --key "$T/key" --rate 100M "$T/growing" >"$T/out" 2>&1 &
sender=$!
sleep 0.8
echo more >>"$T/growing"
wait $sender
is $? 1 "a file that grows while it is sent is refused"
like "$(cat "$T/out")" 'E7102 REFUSED .*growing' "by name"
counted
is "$counted:$(ls "$T/got")" "0:" "and never arrives as something else"

listen
"$send" --to "$to" --key "$T/key" --rate 10M "$T/large" >"$T/out" 2>&1 &
sender=$!
sleep 1.2
kill -TERM $sender
wait $sender
is $? 4 "SIGTERM ends it early"
like "$(cat "$T/out")" 'E7106 MISSING' "which it says"
counted
is "$counted:$(count "d['beacons'][-1]['state'], d['gaps']")" "0:2 0" "and the last packet is a beacon that says the end"

done_testing
