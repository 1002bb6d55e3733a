#!/bin/bash
# SPDX-License-Identifier: ISC
# Levels of rules: what a steward lets through passes both sides, is told on both, and is no more than what was said.
. tests/lib.sh
. tests/world.sh

source_put() { # CLAPET-OF-THE-PACKAGE CLAPET-OF-THE-RESOURCE [SCHEMA-MEMBERS]
	mkdir -p "$T/out/sources/villes"
	cat >"$T/out/sources/villes/datapackage.json" <<-JSON
	{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"$1},
	 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {$2},
	  "schema": {"fields": [{"name": "code", "constraints": {"required": true, "pattern": "[0-9]{2}"}},
	   {"name": "zone", "constraints": {"enum": ["A", "B"]}}, {"name": "n", "type": "integer"}]${3:-}}}]}
	JSON
}
published() { # PYTHON over the published package p and its resource r
	python3 - "$(find "$T/out/repository/targets/villes" -name '*.datapackage.json' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)" "$1" <<-'PYTHON'
	import json, sys
	p = json.load(open(sys.argv[1])); r = p["resources"][0]
	assert eval(sys.argv[2]), json.dumps(r["clapet"])
	PYTHON
}
of_json() { python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert eval(sys.argv[2]), sys.argv[1]' "$output" "$1"; }

ok "a world is made" world_new

# --- what `rules` may say -------------------------------------------------------------------------------------------
source_put "" '"rules": {"paterne": "warning"}'
run outside check
is "$status" 1 "a rule that is not known is refused"
like "$output" 'BAD .*E1201.*resource villes: rules: there is no rule "paterne"' "by name"
source_put "" '"rules": {"enum:zones": "warning"}'
run outside check
like "$output" 'BAD .*rules: "enum:zones": the schema has no such field' "a field that the schema does not have, too"
source_put "" '"rules": {"enum": "info"}'
run outside check
like "$output" 'BAD .*rules: "enum" may be "error" or "warning"' "and a level that is none"
for rule in extra-cell missing-cell source-error missing-label extra-label incorrect-label duplicate-label blank-label pattern-limit; do
	source_put "" "\"rules\": {\"$rule\": \"warning\"}"
	run outside check
	like "$output" "BAD .*rules: $rule is never a warning" "$rule is never a warning"
done
source_put "" '"rules": {"extra-cell": "error"}'
run outside check
is "$status" 0 "but may be called the error that it is"
source_put ', "rules": {"enum:zones": "warning"}' ""
run outside check
like "$output" 'BAD .*rules: "enum:zones": no resource has such a field' "a rule of the package fits some resource"
source_put "" '"known": {"percent": 10, "rows": 10, "faults": []}'
run outside check
is "$status" 1 "what the program itself puts there is not the steward's to say"

# --- an error, a warning --------------------------------------------------------------------------------------------
source_put "" ""
world_data villes code,zone,n 01,A,1 02,C,2 03,C,3 x,B,4
run outside sync
is "$status" 1 "with no level every fault is an error"
like "$output" 'E4301 .*villes row 3, field zone: "C" is not one of the values allowed' "the first is told"
source_put "" '"rules": {"enum": "warning"}'
run outside sync
is "$status" 1 "one rule as a warning: the other still stops"
like "$output" 'E4301 .*villes row 5, field code: "x" does not match the pattern .*\(constraint-error\)$' "and no warning counts as more of it"
source_put ', "rules": {"pattern": "warning"}' '"rules": {"enum:zone": "warning"}'
ok "the package's rule and the resource's together" world_sync
like "$(cat "$T/sync.log")" 'villes: new version' "they let it through"
like "$(cat "$T/sync.log")" '^villes: let through: villes: enum in zone \(2\), pattern in code \(1\)$' "and that is said"
ok "the published package lists it" published 'r["clapet"]["tolerated"] == [{"rule": "enum", "field": "zone", "count": 2}, {"rule": "pattern", "field": "code", "count": 1}]'
ok "and nothing of how it is judged" published '"rules" not in r["clapet"] and "known" not in r["clapet"] and len(r["schema"]["fields"][1]["constraints"]["enum"]) == 2'
run outside report villes
like "$output" 'villes:3: warning: field zone' "the report has it as a warning"
run outside status
is "$status" 0 "status is content"
like "$output" '^villes: let through: villes: enum in zone \(2\), pattern in code \(1\)$' "and tells it"
run outside status --json
ok "in JSON too" of_json 'd["sources"][0]["letThrough"] == [{"resource": "villes", "rule": "enum", "field": "zone", "count": 2}, {"resource": "villes", "rule": "pattern", "field": "code", "count": 1}]'
run outside sync --json
ok "and sync" of_json 'd["datasets"][0]["letThrough"][0]["count"] == 2'

# --- inside ---------------------------------------------------------------------------------------------------------
run inside import "$bundle"
is "$status" 0 "the inside lets pass what was let through"
run inside status
is "$status" 0 "its status is content"
like "$output" '^through +villes, let through by the outside: villes: enum in zone \(2\), pattern in code \(1\)$' "and tells it"
run inside status --json
ok "in JSON" of_json 'd["datasets"][0]["tolerated"] == [{"resource": "villes", "rule": "enum", "field": "zone", "count": 2}, {"resource": "villes", "rule": "pattern", "field": "code", "count": 1}]'
ok "the generation says it to its readers" python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); assert d["datasets"][0]["tolerated"][0]["count"] == 2' "$T/in/store/current/clapet.json"
run inside show villes
is "$status" 0 "show, which reads the attestation"
like "$output" 'WARNED' "has the result"
like "$output" 'let through: villes: enum in zone \(2\), pattern in code \(1\)' "with counts"
run inside --json show villes
ok "also in JSON" of_json '"villes/zone/enum" in d["tests"]["warned"] and "villes/code/pattern" in d["tests"]["warned"] and "villes/n/type" in d["tests"]["passed"] and d["tests"]["tolerated"][0] == {"resource": "villes", "rule": "enum", "field": "zone", "count": 2}'
run "$BIN/clapet-audit" --root "$T/out/repository/metadata/1.root.json" store "$T/in/store"
is "$status" 0 "the auditor finds nothing wrong"

# --- the policy -----------------------------------------------------------------------------------------------------
echo '{"format": "clapet policy 1", "datasets": [{"name": "villes"}], "tolerated": "sometimes"}' >"$T/in/policy.json"
run inside check
like "$output" '"tolerated" is "sometimes", not allowed or held' "the policy's word is closed"
echo '{"format": "clapet policy 1", "datasets": [{"name": "villes"}], "tolerated": "held"}' >"$T/in/policy.json"
world_data villes code,zone,n 01,A,1 02,C,2 03,B,3
world_sync
run inside import "$bundle"
is "$status" 3 "a policy that wants a person's word holds it"
like "$output" 'E5105 HELD villes .*villes: the outside let 1 faults of enum through, field zone' "with the kind"
run inside approve villes --reason "known to us"
is "$status" 0 "one word"
world_data villes code,zone,n 01,A,1 02,C,2 03,D,3 04,D,3
world_sync
run inside import "$bundle"
is "$status" 0 "is for all later ones of the kind"
world_data villes code,zone,n 01,A,1 02,C,2 x,D,3
world_sync
run inside import "$bundle"
is "$status" 3 "and for no other kind"
like "$output" 'E5004 HELD villes .*against the schema in force: villes: villes row 4, field code: "x"' "which what is in force does not have"
run inside quarantine
like "$output" 'E5105 policy, villes\.code \(rule pattern\): villes: the outside let 1 faults of pattern through' "nor the policy allows"
world_policy

# --- nobody declared anything: what is in force bounds it -------------------------------------------------------------
rows=("code,zone,n")
for i in $(seq 10 29); do rows+=("$i,C,$i"); done
world_data villes "${rows[@]}"
world_sync
run inside import "$bundle"
is "$status" 3 "many more of a kind than in force wait for a person"
like "$output" 'E5004 HELD villes .*villes: enum in zone, 20 faults, and what is in force lets 13 pass' "the line counts"
run inside approve villes --reason "seen"
is "$status" 0 "who may let it in"

# --- who declared something gets that ---------------------------------------------------------------------------------
echo '{"format": "clapet contract 1", "application": "paie", "dataset": "villes", "resources": [{"name": "villes", "fields":
 [{"name": "code", "constraints": {"pattern": "[0-9]{2}"}}, {"name": "n", "type": "integer"}]}]}' >"$T/in/contracts/paie.json"
world_data villes code,zone,n 01,D,1 02,D,2
world_sync
run inside import "$bundle"
is "$status" 0 "faults in a field that no contract reads pass"
world_data villes code,zone,n 01,D,1 x,D,2
world_sync
run inside import "$bundle"
is "$status" 3 "those in one that it reads do not, though the schema is the same"
like "$output" 'E5004 HELD villes .*paie reads villes\.code: villes row 3, field code: "x" does not match the pattern' "by the contract's own rule"
done_testing
