#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-audit report, and store --at with a log: a store whose first version retention has deleted, under logs made by hand, one of
# them hostile.
. tests/lib.sh
. tests/world.sh

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
audit() { run "$BIN/clapet-audit" --test-bench --root "$T/1.root.json" "$@"; }
member() { python3 -c 'import json,sys; d=json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$output" "$1"; }
entry() { # TIME EVENT [NAME=VALUE…]
	python3 - "$@" <<'PYTHON'
import json, sys
order = ["format", "time", "event", "dataset", "version", "sha256", "code", "clause", "person", "line"]
members = {"format": "clapet log entry 1", "time": sys.argv[1], "event": sys.argv[2]}
members.update(a.split("=", 1) for a in sys.argv[3:])
print(json.dumps({k: members[k] for k in order if k in members}, separators=(",", ":"), ensure_ascii=False))
PYTHON
}
make_log() { rm -rf "$T/log" && python3 tests/makelog.py "$T/log" clapet-inside/one "$T/log.pem" <"$1" >"$T/key"; }

WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s"'
world_new
cp "$T/out/repository/metadata/1.root.json" "$T/1.root.json"
world_source villes "code:string nom:string"
version() { basename "$(readlink "$T/in/store/current/villes")"; }
newest_timestamp() { sha256sum "$T/in/store/mirror/metadata/timestamp.json" | cut -c1-64; }
step() { # LINE…: publishes, imports, notes the time before and after
	world_data villes 'code,nom' "$@"
	ok "a version is made" world_sync
	run inside import "$bundle"
	is "$status" 0 "and imported" || echo "# $output"
	bundle_hash=$(sha256sum "$bundle" | cut -c1-64)
}
begun=$(now)
step '35238,Rennes'
t1=$(now) v1=$(version) ts1=$(newest_timestamp) b1=$bundle_hash
files1=$(sha256sum "$T/in/store/current/villes/villes.csv" | cut -c1-64)
sleep 2.1
step '35238,Rennes' '29019,Brest'
t2=$(now) v2=$(version) ts2=$(newest_timestamp) b2=$bundle_hash
sleep 2.1
run inside import
t3=$(now)
not_ok "retention has deleted the first version" test -e "$T/in/store/datasets/villes/v/$v1"

{
	entry "$begun" init line="anchor"
	entry "$t1" import sha256="$b1" line="bundle 0000000002: accepted"
	entry "$t1" trust sha256="$ts1" line="root 1, timestamp 2, snapshot 2, targets 1"
	entry "$t1" switch dataset=villes version="$v1" line="version $v1 in force, generation 1"
	entry "$t2" import sha256="$b2" line="bundle 0000000003: accepted"
	entry "$t2" trust sha256="$ts2" line="root 1, timestamp 3, snapshot 3, targets 1"
	entry "$t2" switch dataset=villes version="$v2" line="version $v2 in force, generation 2"
} >"$T/until"
{
	cat "$T/until"
	entry "$t3" expire dataset=villes version="$v1" line="version $v1 deleted (keepGenerations)"
} >"$T/lines"

# --- a past day, by the log
make_log "$T/lines"
audit store "$T/in/store" --at "$t1" --log "$T/log" --key-file "$T/key"
is "$status" 0 "the day of the deleted version holds" || echo "# $output"
like "$output" "villes.csv, .*sha256:$files1: deleted by rule on .* \(entry 7 of the log\), digest proven" "deleted by rule, its digest proven"
like "$output" 'by the log' "and the log says what was in force"
audit store "$T/in/store" --at "$t1" --log "$T/log" --key-file "$T/key" --json
is "$(member 'd["by"], d["generation"], d["timestamp"]["version"], d["datasets"][0]["version"] == "'"$v1"'"')" "('log', 1, 2, True)" "as JSON"
is "$(member 'sorted({f["fate"] for f in d["datasets"][0]["files"]})')" "['deleted']" "with each file's fate"
audit store "$T/in/store" --at "$t2" --log "$T/log" --key-file "$T/key"
is "$status" 0 "the day of the second version holds" || echo "# $output"
like "$output" 'villes.csv, .*: here' "which is here"
audit store "$T/in/store" --at "$t1"
is "$status" 4 "without a log that day is not known any more" || echo "# $output"
like "$output" 'E6137 MISSING generations 1 to 1 are gone' "and what is missing is named"
make_log "$T/until"
audit store "$T/in/store" --at "$t1" --log "$T/log" --key-file "$T/key"
is "$status" 1 "a file that is gone without a rule is a fault"
like "$output" "E6139 REFUSED villes/villes.csv: sha256:$files1 .* no entry of the log says that a rule deleted it" "which is named"

# --- what the log says and the store does not
sed "s/$ts1/$(tr 0-9a-f 1-9a-f0 <<<"$ts1")/" "$T/lines" >"$T/changed" && make_log "$T/changed"
audit store "$T/in/store" --at "$t1" --log "$T/log" --key-file "$T/key"
is "$status" 1 "a timestamp that was accepted and is not here"
like "$output" 'E6002 REFUSED mirror/timestamps/.*: entry 2 of the log accepted it' "is named"
sed "s/$t2/2099-01-01T00:00:00Z/" "$T/lines" >"$T/changed" && make_log "$T/changed"
audit store "$T/in/store" --at 2099-06-01 --log "$T/log" --key-file "$T/key"
is "$status" 1 "a timestamp that was accepted after its expiry"
like "$output" 'E6138 REFUSED timestamp 3: expired on .* entry 5 of the log accepted it later' "is named"
sed "s/\(version \)$v2\( in force\)/\1$v1\2/;s/\"version\":\"$v2\"/\"version\":\"$v1\"/" "$T/lines" >"$T/changed" && make_log "$T/changed"
audit store "$T/in/store" --at "$t2" --log "$T/log" --key-file "$T/key"
is "$status" 1 "another set than the generation shows"
like "$output" 'generations/2: shows another set than the log says' "is named"
grep -v "\"event\":\"switch\".*$v2" "$T/lines" >"$T/changed" && make_log "$T/changed"
audit store "$T/in/store" --at "$t2" --log "$T/log" --key-file "$T/key"
is "$status" 1 "a switch of which the log does not tell"
like "$output" 'E6136 REFUSED generations/2: was made by then' "is named"
sed 's/"root 1, /"root 7, /' "$T/lines" >"$T/changed" && make_log "$T/changed"
audit store "$T/in/store" --at "$t2" --log "$T/log" --key-file "$T/key"
is "$status" 1 "a root that there never was" || echo "# $output"
like "$output" 'E2111 REFUSED timestamp 3, by the root of that day: the log names root 7' "is named"
make_log "$T/lines"
printf x >>"$T/log/tile/entries/000.p/8"
audit store "$T/in/store" --at "$t2" --log "$T/log" --key-file "$T/key"
is "$status" 1 "a log that was changed says nothing"

# --- the report
{
	cat "$T/lines"
	entry "$t3" refuse sha256="$(tr 0-9a-f 1-9a-f0 <<<"$b2")" code=E2103 line="bundle x: timestamp.json: signatures below the threshold (TUF 1.0.34, 5.4.2)"
	entry "$t3" refuse code=E3101 line=$'<script src="http://evil.example/x.js">alert(1)</script> </td></table> \xe2\x80\xae & \' \e[31m ]]> --> &lt;'
	entry "$t3" hold dataset=villes version="$v2" code=E5002 line="<img onerror=x> is not there any more"
	entry "$t3" approve dataset=villes code=E5002 person=p1 line="w1: paie villes.nom (rule fields): we know"
	entry "$t3" clock code=E6103 line="the clock is 3 days behind the log's last entry"
	entry "$t3" configuration line="the configuration has changed, it is now"
} >"$T/all"
make_log "$T/all"
echo '{"format": "clapet log people 1", "next": 2, "people": [{"id": "p1", "name": "Jeanne <script>"}]}' >"$T/log/people.json"
head -n 5 "$T/all" >"$T/older" && python3 tests/makelog.py "$T/oldlog" clapet-inside/one "$T/log.pem" <"$T/older" >/dev/null
day=${t1%T*}
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from "$day" --to "${t3%T*}" --since "$T/oldlog/checkpoint" --output "$T/report.html"
is "$status" 0 "a report is written" || echo "# $output"
page=$(cat "$T/report.html")
cat >"$T/page.py" <<'PYTHON'
import html.parser, sys, xml.etree.ElementTree
text = open(sys.argv[1], encoding="utf-8").read()
xml.etree.ElementTree.fromstring(text.split("\n", 1)[1])  # well-formed, without the doctype
allowed = set("html head meta title style body h1 h2 div p ul li dl dt dd table thead tbody tr th td code pre br".split())
class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        assert tag in allowed, tag
        for name, value in attributes:
            assert name in ("xmlns", "lang", "charset", "http-equiv", "content", "class"), name
Page().feed(text)
for ch in text:
    assert ch >= " " or ch == "\n", repr(ch)
    assert ch not in "\u202e\u2028\u2066", repr(ch)
print("good")
PYTHON
is "$(python3 "$T/page.py" "$T/report.html" 2>&1)" good "well-formed, no element or attribute that loads or runs anything, no hidden character"
unlike "$page" '<script|<img|<[a-z][^>]* (href|src)=|url\(|@import' "no script, no link, no resource from elsewhere"
like "$page" '&lt;script src=&quot;http://evil.example/x.js&quot;&gt;' "the hostile line is text"
like "$page" 'Jeanne &lt;script&gt;' "so is a hostile name"
like "$page" "as stored <code>sha256:$files1</code>" "the digest of the deleted version, as stored"
like "$page" 'as published <code>sha256:[0-9a-f]{64}</code>' "and as published"
like "$page" 'provenance.intoto.json, [^<]*</dt><dd>as stored <code>sha256:[0-9a-f]{64}</code><br/>attestation, signed by' "its attestations, verified"
like "$page" 'from <code>file://.*villes.csv</code>' "with its source"
like "$page" 'E2103, signatures below the threshold' "refusals with their reasons"
like "$page" 'E5002, a field that an application reads is gone' "and what was held"
like "$page" 'continues the older checkpoint of 5 entries' "the proof against the older checkpoint"
like "$page" 'Everything that this report rests on holds' "and the verdict"
like "$page" '2 bundles taken in, 2 versions came in force, 3 refused or held, 1 decisions by persons, 1 deletions by rule, 1 alarms, 2 changes' "counted"
for title in 'What came in' 'What was refused or held' 'What persons decided' 'What a rule deleted' 'Alarms' 'Changes of configuration'; do
	like "$page" "<h2>$title" "chapter: $title"
done
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from "$day" --to "$day" --output "$T/report.html"
is "$status" 2 "a report that is there is not written over"
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from "$day" --to "$day" --output "$T/report.json" --json
is "$status" 0 "the same as JSON" || echo "# $output"
output=$(cat "$T/report.json")
is "$(member 'd["format"], d["valid"], [len(d[k]) for k in ("arrivals","refusals","decisions","retention","alarms","changes")]')" \
	"('clapet audit report 1', True, [6, 3, 1, 1, 1, 2])" "with the same chapters"
is "$(member '[f["here"] for e in d["arrivals"] if "files" in e for f in e["files"] if f["file"] == "villes.csv"]')" "[False, True]" "and files"
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from 2001-01-01 --to 2001-12-31 --output "$T/empty.html"
is "$status" 0 "a period without events" || echo "# $output"
is "$(grep -c 'Nothing in this period' "$T/empty.html")" 6 "says so in each chapter"
is "$(python3 "$T/page.py" "$T/empty.html" 2>&1)" good "and is well-formed"

# --- what does not hold stands first
printf x >>"$T/log/tile/entries/000.p/14"
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from "$day" --to "$day" --output "$T/bad.html"
is "$status" 1 "a log that was changed makes a report that says so"
like "$(cat "$T/bad.html")" 'Something does not hold' "first"
like "$(cat "$T/bad.html")" 'E611[0-9] REFUSED' "by its code"
is "$(python3 "$T/page.py" "$T/bad.html" 2>&1)" good "and is well-formed"
make_log "$T/all"
f=$(sha256sum "$T/in/store/current/villes/datapackage.json" | cut -c1-64)
cp -a "$T/in/store" "$T/copy" && chmod 0600 "$T/copy/datasets/villes/objects/$f" && echo ' ' >>"$T/copy/datasets/villes/objects/$f"
audit report "$T/copy" --log "$T/log" --key-file "$T/key" --from "$day" --to "$day" --output "$T/copy.html"
is "$status" 1 "so does a description that was changed"
like "$(cat "$T/copy.html")" 'objects/.*its bytes are not what its name says' "by its name"

rm -rf "$T/copy" && cp -a "$T/in/store" "$T/copy"
f=$(sha256sum "$T/in/store/current/villes/provenance.intoto.json" | cut -c1-64)
chmod 0600 "$T/copy/datasets/villes/objects/$f" && echo ' ' >>"$T/copy/datasets/villes/objects/$f"
audit report "$T/copy" --log "$T/log" --key-file "$T/key" --from "$day" --to "$day" --output "$T/copy2.html"
is "$status" 1 "and an attestation that was changed"

# --- usage
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --output "$T/x.html"
is "$status" 2 "a report needs a period"
audit report "$T/in/store" --log "$T/log" --key-file "$T/key" --from 2026-02-01 --to 2026-01-01 --output "$T/x.html"
is "$status" 2 "that does not end before it begins"
not_ok "and a usage error leaves no file" test -e "$T/x.html"
done_testing
