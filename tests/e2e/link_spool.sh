#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-send --spool: a carousel that takes in what appears whole, forgets what is deleted, does what it is asked, and tells how it is.
. tests/lib.sh
. tests/linkcount.sh

export EVERY=31
spool=$T/spool state=$T/state
mkdir "$spool"
put() { # NAME SIZE
	head -c "$2" /dev/urandom >"$T/$1"
	cp "$T/$1" "$spool/.$1" && mv "$spool/.$1" "$spool/$1"
}
started() {
	for _ in $(seq 100); do grep -q 'sends .* to' "$T/sender.log" && break; sleep 0.05; done
}
# Waits until the status says so.
until_status() { # EXPRESSION
	for _ in $(seq 150); do
		python3 -c "import json, sys; d = json.load(open('$state/status.json')); sys.exit(not ($1))" 2>/dev/null && return
		sleep 0.1
	done
	return 1
}
is_logged() { for _ in $(seq 60); do grep -Eq "$1" "$T/sender.log" && return; sleep 0.1; done; return 1; }

put first 5000001
put one 12000
put two 300
cp "$T/two" "$spool/twin"
mkdir "$spool/folder"
ln -s /etc/passwd "$spool/link"

listen 127.0.0.1 3
"$send" --to "$to" --key "$T/key" --rate 200M --spool "$spool" --state "$state" --verbose 2>"$T/sender.log" &
sender=$!
started
ok "it sends each twice at once" until_status "len(d['objects']) == 2 and all(o['cycles'] >= 2 for o in d['objects'])"
run "$send" status --state "$state"
is "$status" 0 "status: all is well"
like "$output" '^to 127.0.0.1:.* sending at 200.0 Mbit/s' "status: leads with what it does"
like "$output" 'a pack of 2 files +recent .* 2 ' "status: names what it sends"
like "$output" 'not sent: 1 \(refused, or the same bytes' "status: and what it does not"
run "$send" status --state "$state" --prometheus
like "$output" '^clapet_send_up 1$' "status --prometheus"
run "$send" status --state "$state" --json
like "$output" '"format": "clapet send status 1"' "status --json"

run "$send" --to "$to" --key "$T/key" --spool "$spool" --state "$state"
is "$status" 2 "a second sender on that link is refused"
like "$output" 'E7108 ' "with its code"

put "0000000007-$(printf '%064d' 7).tar" 5000
ok "a bundle that is not what its name says is said" is_logged 'E7103 REFUSED 0000000007'
rm "$spool/0000000007-"*
put second 6000000
cp "$spool/second" "$spool/$(printf '%010d' 9)-$(digest "$T/second").tar"
rm "$spool/second"
ok "what comes is taken in" until_status "any(o['version'] == 9 and o['cycles'] >= 2 for o in d['objects'])"
rm "$spool/twin"
ok "what is deleted is forgotten, and its twin takes its place" until_status "any('two' in o['files'] and o['cycles'] >= 2 for o in d['objects'])"
ok "with a log line" is_logged 'a pack of 2 files: no longer sent, after [0-9]+ cycles'

echo "1" >"$spool/.new" && mv "$spool/.new" "$spool/.ask-$(digest "$T/first")"
ok "generations that are asked for are sent" is_logged '1 generations of .* are sent again'
not_ok "and the asking is gone" test -e "$spool/.ask-$(digest "$T/first")"
echo "0-2" >"$spool/.ask-$(digest "$T/first")"
ok "those that there are not are refused" is_logged 'E7104 REFUSED .*there is no 2 '
echo "0" >"$spool/.ask-$(printf '%064d' 5)"
ok "those of an object that is not there, too" is_logged 'E6004 '
echo "nonsense" >"$spool/.ask-$(digest "$T/one")"
ok "and what is no range" is_logged 'E7104 REFUSED generations of'

echo '{"format": "clapet send request 1", "test": {"number": 77, "text": "can you read me?"}}' >"$state/request-0123456789abcdef.json"
ok "a test message goes between the rest" is_logged 'test message 77 is sent'
echo '{"format": "clapet send request 1", "test": {"number": 77}}' >"$state/request-0123456789abcdef.json"
ok "a request out of form is refused" is_logged 'E7110 REFUSED .*31.5'
not_ok "and gone" test -e "$state/request-0123456789abcdef.json"
run "$send" test --to "$to" --key "$T/key" --state "$state" --number 78 again
is "$status" 0 "test finds the sender that runs"
like "$output" 'message 78 was handed to the sender that runs' "and asks it"
ok "which sends it" is_logged 'test message 78 is sent'
run "$send" --to "$to" --key "$T/key" --state "$state" --only "$(digest "$T/first"):1" "$T/first"
is "$status" 0 "so does --only"
ok "and it sends these" is_logged "$(digest "$T/first"):1 is sent again"
run "$send" --to "$to" --key "$T/key" --state "$state" "$T/first"
is "$status" 2 "files are not sent beside it"
like "$output" 'E7108 ' "with its code"
run "$send" calibrate --to "$to" --key "$T/key" --state "$state"
is "$status" 2 "nor probes"
sleep 1.2
kill -TERM $sender
wait $sender
is $? 0 "SIGTERM ends it"
counted
is "$counted" 0 "every packet is as the format says"
is "$(count "d['tests']")" "[{'number': 77, 'text': 'can you read me?'}, {'number': 78, 'text': 'again'}]" "both test messages arrived"
is "$(for f in first one two second; do [ -e "$T/got/$(digest "$T/$f")" ] && echo $f; done | xargs)" "first one two second" "everything arrived"
is "$(count "[o['moments'].get('1', 0) >= 1 and o['generations']['1'] > o['generations']['0'] for o in d['objects'].values() if o['size'] == 5000001]")" "[True]" \
	"the generation that was asked for came more often than the other"
is "$(count "max(b['version'] for b in d['beacons']), d['beacons'][-1]['state'], d['gaps']")" "9 2 0" "beacons tell the newest version, and the end"
is "$(count "all(500 < b['sent'] - a['sent'] < 1900 for a, b in zip(d['beacons'], d['beacons'][1:-1]))")" True "one a second throughout"
run "$send" status --state "$state"
is "$status" 2 "status: it ended"
like "$output" 'ENDED' "and says so"
is "$(python3 -c "import json; r = json.load(open('$state/reports/$(digest "$T/first").json')); print(r['format'], r['objects'][0]['files'], r['objects'][0]['cycles'] >= 2)")" \
	"clapet send report 1 ['first'] True" "each object has a report"
run "$send" status --state "$T/elsewhere"
is "$status" 2 "status of a sender that never ran"
like "$output" 'E7109 ' "is its own code"

done_testing
