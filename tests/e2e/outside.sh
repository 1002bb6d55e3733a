#!/bin/bash
# SPDX-License-Identifier: ISC
# outside.sh: clapet-outside as its steward sees it: new, unchanged, failed, withdrawn; what is never fetched twice, and what a
# crash leaves behind.
. tests/lib.sh
. tests/portal.sh
portal_start
D=$T/out
outside_init "$D"
url=http://127.0.0.1:$port
printf 'code,people\n1,10\n2,20\n' >"$T/www/a.csv"
printf 'code,people\n7,70\n' >"$T/www/b.csv"
source_put "$D" aa "$url/a.csv"
source_put "$D" bb "$url/noetag/b.csv"

# --- usage ---
run "$BIN/clapet-outside" --config "$D/nothing.json" sync
is "$status" 2 "a configuration that is not there"
like "$output" "E9002" "a configuration that is not there: its code"
outside "$D" sync zz
is "$status" 2 "a dataset that is not there"
outside "$D" frobnicate
is "$status" 2 "a command that is not there"
outside "$D" withdraw aa
is "$status" 2 "withdraw wants a reason"
outside "$D" withdraw aa --reason "ended"
is "$status" 2 "what was never published cannot be withdrawn"
outside "$D" explain E1004
like "$output" "web page" "explain knows its codes"
outside "$D" check
is "$status" 0 "check: all is well"
like "$output" "good +source aa: 1 resource at 1 address" "check: names each source"
sed 's/"outbox": "outbox"/"outbox": "nowhere"/' "$D/outside.json" >"$D/bad.json"
run "$BIN/clapet-outside" --config "$D/bad.json" check
is "$status" 2 "check: a folder is missing"
like "$output" "BAD .*nowhere" "check: and it is named"
sed 's/"sources"/"source"/' "$D/outside.json" >"$D/bad.json"
run "$BIN/clapet-outside" --config "$D/bad.json" check
like "$output" 'BAD .*E9002' "check: a key that is not known"
chmod 644 "$D/keys/targets.key"
outside "$D" check
is "$status" 1 "check: a key that others can read"
chmod 600 "$D/keys/targets.key"

# --- new, unchanged ---
outside "$D" sync
is "$status" 0 "the first run"
like "$output" "^aa: new version [0-9a-f]{16} of [0-9-]+, 1 resource, 2 rows; as published sha256:$(sha256sum <"$T/www/a.csv" | cut -c 1-64), as stored sha256:[0-9a-f]{64}$" "what is new, with both digests"
like "$output" "catalogue bundle" "the first bundle has all roles"
first=$(newest_bundle "$D")
is "$(basename "$first" | sed 's/.*-//; s/.tar//')" "$(sha256sum <"$first" | cut -c 1-64)" "the bundle is named after its hash"
like "$(tar tf "$first" | head -n 1)" "^format$" "stock tar lists it"
is "$(tar tf "$first" | grep -c '^blobs/')" 9 "two datasets of two files and two attestations each, and status.json"
rm -f "$T/nginx/access.log" && kill -USR1 "$(cat "$T/nginx/pid")" && sleep 0.3
outside "$D" sync
is "$status" 0 "nothing changed"
like "$output" "^aa: unchanged$" "aa is unchanged by 304"
like "$output" "^bb: unchanged$" "bb, whose server knows no conditions, by its bytes"
like "$output" "sync: nothing new, a heartbeat" "a heartbeat in plain words"
like "$(cat "$T/nginx/access.log")" "GET /a.csv 304 0 " "the body was not downloaded again"
is "$(tar tf "$(newest_bundle "$D")" | grep -c '^blobs/')" 1 "a heartbeat carries status.json alone"
is "$(tar tf "$(newest_bundle "$D")" | grep -Ec '\.(aa|bb)\.json$')" 0 "and no role that did not change"
is "$(find "$D/repository/targets" -maxdepth 1 -name '*.status.json' | wc -l)" 1 "one status.json is kept"
outside "$D" heartbeat
is "$status" 0 "a heartbeat by command"

# --- every ---
source_put "$D" aa "$url/a.csv" "" '"clapet": {"every": "1d", "maxAge": "3d"},'
outside "$D" sync
like "$output" "^aa: unchanged$" "a changed description is looked at; the same data make no new version"
outside "$D" sync
like "$output" "^aa: not due$" "every: it is not due"
outside "$D" sync aa
like "$output" "^aa: unchanged$" "every: but it is when it is named"
outside "$D" sync --force --json
is "$status" 0 "--force --json"
ok "--json is JSON" python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert d["format"] == "clapet sync 1" and d["datasets"][0]["version"].startswith("sha256:")' "$output"

# --- one fails, the other goes on ---
sleep 1.1
printf 'code,people\n1,many\n1,20\n' >"$T/www/a.csv"
printf 'code,people\n7,71\n' >"$T/www/b.csv"
outside "$D" sync aa bb
is "$status" 1 "rows that fail the schema: exit status 1"
like "$output" "E4301 REFUSED aa: .*row 2" "the row is named"
like "$output" "^aa: failed; version [0-9a-f]{16} of [0-9-]+ stays$" "the last version stays"
like "$output" "^bb: new version" "the other source goes on"
ok "the report is kept" python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); assert not r["valid"]' "$D/state/aa/report.json"
outside "$D" report aa
is "$status" 0 "report: exit status 0"
like "$output" '^towns:2: field people: "many" is not an integer' "report: a line a fault"
outside "$D" report aa --json
ok "report --json: with the rows at fault" python3 -c 'import json, sys; assert json.loads(sys.argv[1])["tasks"][0]["errors"][0]["cells"] == ["1", "many"]' "$output"
outside "$D" report aa --html -
like "$output" '<td class="bad">many</td>' "report --html: the row on the page"
outside "$D" report nobody
is "$status" 2 "report: a dataset that was never checked: exit status 2"
like "$output" "E6004 TROUBLE nobody: no check left a report" "report: and it is said"
outside "$D" report ../aa
is "$status" 2 "report: no dataset's name"
is "$(find "$D/repository/targets/aa" -name '*.towns.csv' | wc -l)" 1 "nothing of it was published"
blob=$(find "$D/repository/targets" -maxdepth 1 -name '*.status.json')
like "$(cat "$blob")" '"state": "failed"' "status.json says so"
like "$(cat "$blob")" '"code": "E4301"' "with the code"
outside "$D" status
is "$status" 1 "status: exit status 1 while something failed"
like "$(head -n 1 <<<"$output")" "^aa FAILED since" "status: failures first"
outside "$D" sync aa
is "$status" 1 "it fails again: nothing is taken for unchanged"
printf 'code,people\n1,10\n2,20\n' >"$T/www/a.csv"
sleep 1.1 && touch "$T/www/a.csv"
outside "$D" sync aa
is "$status" 0 "it recovers"
like "$output" "^aa: unchanged$" "the old data are no new version"

# --- a folder that is none, a source that cannot be read ---
mkdir "$D/sources/Not-A-Name" "$D/sources/cc"
echo '{"name": "other"}' >"$D/sources/cc/datapackage.json"
outside "$D" sync
is "$status" 1 "a folder whose name is no dataset's, and a package of another name"
like "$output" "E1201 REFUSED sources/Not-A-Name" "the folder is named"
like "$output" 'E1201 REFUSED cc: .*called "other"' "the package is named"
like "$output" "^bb: unchanged$" "the others go on"
rm -r "$D/sources/Not-A-Name" "$D/sources/cc" "$D/state/cc"

# --- lock, signals, crashes ---
exec 9<>"$D/state/clapet.lock"
flock -n 9
outside "$D" sync
is "$status" 2 "two runs do not meet"
like "$output" "E9005" "two runs do not meet: its code"
outside "$D" status
is "$status" 0 "status needs no lock"
exec 9>&-
head -c 20000 /dev/zero | tr '\0' 'x' >"$T/www/slow.csv"
source_put "$D" dd "$url/slow/slow.csv"
"$BIN/clapet-outside" --config "$D/outside.json" sync dd >"$T/stopped" 2>&1 &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
is "$?" 2 "SIGTERM ends a run"
like "$(cat "$T/stopped")" "E1301" "SIGTERM: its code"
ok "no work is left behind" test ! -e "$D/state/dd/work"
rm -rf "$D/sources/dd" "$D/state/dd"
printf 'code,people\n7,72\n' >"$T/www/b.csv"
mv "$D/keys/targets.key" "$D/keys/away"
mv "$D/keys/timestamp.key" "$D/keys/away2"
outside "$D" sync bb
isnt_zero=$status
ok "without its keys nothing is signed" test "$isnt_zero" != 0
mv "$D/keys/away" "$D/keys/targets.key"
mv "$D/keys/away2" "$D/keys/timestamp.key"
outside "$D" heartbeat
is "$status" 0 "the next run, even a heartbeat, signs what was packed"
is "$(tar tf "$(newest_bundle "$D")" | grep -c '^blobs/')" 5 "and bundles it, with its attestations"
sleep 1.1
printf 'code,people\n7,73\n' >"$T/www/b.csv"
mv "$D/outbox" "$D/outbox.away" && : >"$D/outbox"
outside "$D" sync bb
is "$status" 2 "an outbox that is no folder"
rm "$D/outbox" && mv "$D/outbox.away" "$D/outbox"
"$BIN/clapet-outside" --config "$D/outside.json" sync bb >/dev/null 2>&1
n=$(find "$D/outbox" -name '*.tar' | wc -l)
sleep 1.1
printf 'code,people\n7,74\n' >"$T/www/b.csv"
if command -v strace >/dev/null; then
	# The bundle's rename is the last one: everything is signed by then.
	strace -f -qq -o /dev/null -e inject=renameat:signal=KILL:when=9+ "$BIN/clapet-outside" --config "$D/outside.json" sync bb >/dev/null 2>&1
	outside "$D" sync bb
	is "$status" 0 "after a kill the next run goes on"
	ok "and bundles what was not" test "$(find "$D/outbox" -name '*.tar' | wc -l)" -gt "$n"
	like "$(cat "$D"/state/bb/state.json)" '"pending": null' "nothing is left pending"
	unlike "$(cat "$D"/state/bb/state.json)" '"sent": false' "nothing is left unsent"
fi

# --- withdraw ---
outside "$D" withdraw aa --reason "The publisher ended it." --replaced-by bb
is "$status" 0 "withdraw"
like "$(cat "$D"/repository/targets/aa/*.withdrawn.json)" '"replacedBy": "bb"' "withdrawn.json names what replaces it"
like "$(cat "$D"/repository/metadata/*.aa.json | tail -n 1)" 'aa/withdrawn.json' "the role names it"
outside "$D" sync
like "$output" "^aa: withdrawn on" "a withdrawn source is not looked at"
outside "$D" sync aa --force
like "$output" "^aa: new version" "but it can come back"
echo '{"format": "clapet source state 9"}' >"$D/state/aa/state.json"
outside "$D" sync
ok "a state of another format stops the run" test "$status" != 0
like "$output" "source state" "and says why"
done_testing
