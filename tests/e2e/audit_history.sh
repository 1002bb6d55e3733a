#!/bin/bash
# SPDX-License-Identifier: ISC
# What the real programs log is what clapet-audit proves and tells: imports, refusals, approval, rollback, retention, a rotated root,
# an older checkpoint, past days, a report.
. tests/lib.sh
. tests/world.sh

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
audit() { run "$BIN/clapet-audit" --test-bench --root "$T/1.root.json" "$@"; }
member() { python3 -c 'import json,sys; d=json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$output" "$1"; }
version() { basename "$(readlink "$T/in/store/current/villes")"; }
store=$T/in/store

WORLD_INSIDE='"reserve": 0, "keepGenerations": 2, "keepAtLeast": "1s"'
world_new
cp "$T/out/repository/metadata/1.root.json" "$T/1.root.json"
world_source villes "code:string nom:string"
key=$(inside log --key)
like "$key" '^clapet-inside/.*\+[0-9a-f]{8}\+' "the log's key is made by init"

# --- a first version, and a checkpoint that the auditor takes out
world_data villes 'code,nom' '35238,Rennes'
ok "a first version" world_sync
run inside import "$bundle"
is "$status" 0 "comes in force" || echo "# $output"
v1=$(version) first=$bundle
cp "$store/log/checkpoint" "$T/older"
sleep 1.1
day1=$(now)
sleep 1.1

# --- a refusal, a repetition, a second version, a rollback
python3 - "$first" "$T/in/incoming/evil.tar" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.rfind(b"\x28\xb5\x2f\xfd")
data[at + 9] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
evil=$(sha256sum "$T/in/incoming/evil.tar" | cut -c1-64)
run inside import
is "$status" 1 "a damaged bundle is refused"
run inside import "$first"
is "$status" 0 "a repetition changes nothing" || echo "# $output"
world_data villes 'code,nom' '35238,Rennes' '29019,Brest'
ok "a second version" world_sync
run inside import "$bundle"
is "$status" 0 "comes in force" || echo "# $output"
v2=$(version)
sleep 1.1
day2=$(now)
sleep 1.1
run inside rollback villes --reason "Brest is wrong"
is "$status" 0 "a rollback" || echo "# $output"
is "$(version)" "$v1" "puts the first in force"
sleep 1.1
day3=$(now)
sleep 1.1

audit log "$store" --key "$key" --since "$T/older"
is "$status" 0 "the log holds, and continues the checkpoint" || echo "# $output"
history=$output
like "$history" "came in force +villes: version $v1 in force, generation 1" "the history tells what came in force"
like "$history" 'REFUSED +bundle evil.tar' "what was refused"
like "$history" 'E3101, a blob that does not hash' "and why"
like "$history" "rolled back +villes: .* Brest is wrong +by p1" "who decided what"
like "$history" "came in force +villes: version $v1 in force, generation 3, by a rollback" "and what came of it"
like "$history" 'metadata trusted +root 1, timestamp 3' "which metadata were trusted"
is "$(find "$store/log/tile" -type f | wc -l)" "$(find "$store/log/tile" -type f -perm /0444 | wc -l)" "each tile is readable"

# --- past days
at() { # MOMENT VERSION GENERATION
	audit store "$store" --at "$1" --key "$key" --json
	is "$status" 0 "the day of generation $3 holds" || echo "# $output"
	is "$(member 'd["by"], d["generation"], [x["version"] for x in d["datasets"]]')" "('log', $3, ['$2'])" "with its version"
}
at "$day1" "$v1" 1
at "$day2" "$v2" 2
at "$day3" "$v1" 3

# --- retention takes the second version away: a pin holds the first, a third is held and not in force, then released
world_data villes 'code,nom' '35238,Rennes' '44109,Nantes'
ok "a third version" world_sync
run inside import "$bundle"
run inside release villes --reason "corrected"
v3=$(version)
not_ok "the third is in force after the release" test "$v3" = "$v1"
sleep 2.1
world_data villes 'code,nom' '35238,Rennes' '44109,Nantes' '56260,Vannes'
ok "a fourth version" world_sync
run inside import "$bundle"
is "$status" 0 "comes in force" || echo "# $output"
sleep 2.1
run inside import
not_ok "retention has deleted the second version" test -e "$store/datasets/villes/v/$v2"
audit store "$store" --at "$day2" --key "$key"
is "$status" 0 "the day of the deleted version still holds" || echo "# $output"
like "$output" 'villes.csv, .*: deleted by rule on .*, digest proven' "its files were deleted by rule, their digests are proven"
audit store "$store" --at "$day2"
is "$status" 4 "without the log nobody knows" || echo "# $output"

audit store "$store"
is "$status" 0 "the store holds" || echo "# $output"

# --- a report
audit report "$store" --key "$key" --since "$T/older" --from "${day1%T*}" --to "$(date -u +%Y-%m-%d)" --output "$T/report.html"
is "$status" 0 "a report" || echo "# $output"
like "$(cat "$T/report.html")" 'Everything that this report rests on holds' "in which everything holds"
like "$(cat "$T/report.html")" "as published <code>sha256:" "with digests as published"
audit report "$store" --key "$key" --from "${day1%T*}" --to "$(date -u +%Y-%m-%d)" --output "$T/report.json" --json
output=$(cat "$T/report.json")
is "$(member 'len([1 for e in d["arrivals"] if e["entry"]["event"] == "switch"]), len(d["refusals"]) > 0, sorted({e["entry"]["event"] for e in d["decisions"]})')" \
	"(5, True, ['pin', 'release', 'rollback'])" "and as JSON"

# --- what was sent against what arrived
out_key=$(outside log --key)
compare() { run "$BIN/clapet-audit" --test-bench compare "$T/out/log" "$store" --key "$out_key" --key "$key"; }
compare
is "$status" 1 "a bundle that the outside never sent was brought in" || echo "# $output"
like "$output" "E6131 REFUSED sha256:$evil: entry [0-9]+ inside" "the damaged one, by its digest"
like "$output" 'sent +4 bundles: 4 arrived, 0 refused inside, 0 in flight, 0 not arrived' "all others arrived"
from=$(now)
sleep 1.1
world_data villes 'code,nom' '35238,Rennes' '22278,Saint-Brieuc'
ok "a fifth version" world_sync
lost=$(sha256sum "$bundle" | cut -c1-64)
compare_since() { run "$BIN/clapet-audit" --test-bench compare "$T/out/log" "$store" --key "$out_key" --key "$key" --from "$from"; }
compare_since
is "$status" 0 "is on its way" || echo "# $output"
like "$output" "in flight +sha256:$lost" "which is said"
sleep 1.1
world_data villes 'code,nom' '35238,Rennes' '22113,Lannion'
ok "a sixth" world_sync
run inside import "$bundle"
compare_since
is "$status" 4 "overtakes it: then it is lost" || echo "# $output"
like "$output" "E6132 MISSING sha256:$lost" "by its digest"

# --- the log was taken back to the older checkpoint's state, as a restored backup would
audit log "$store" --key "$key" --json
size=$(python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())["size"])' <<<"$output")
cp "$store/log/checkpoint" "$T/newest"
rm -rf "$T/copy" && cp -a "$store/log" "$T/copy" && cp "$T/older" "$T/copy/checkpoint"
audit log "$T/copy" --key "$key" --since "$T/newest"
is "$status" 1 "a log that was taken back"
like "$output" "E611[156] REFUSED" "is named"
not_ok "there were more entries before" test "$size" -le "$(sed -n 2p "$T/older")"

# --- what the command prints for people is what --since reads
inside checkpoint --qr >"$T/printed"
audit log "$store" --key "$key" --since "$T/printed"
is "$status" 0 "what checkpoint prints is a checkpoint, with all that it says to people" || echo "# $output"

done_testing
