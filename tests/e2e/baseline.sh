#!/bin/bash
# SPDX-License-Identifier: ISC
# The baseline: known faults pass while no new kind appears and none grows; it is recorded with a reason, renewed, and refused where it
# could hide what nobody can read.
. tests/lib.sh
. tests/world.sh

S=$T/out/sources/villes
source_put() { # CLAPET-OF-THE-RESOURCE
	mkdir -p "$S"
	cat >"$S/datapackage.json" <<-JSON
	{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
	 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {$1},
	  "schema": {"primaryKey": "code", "fields": [{"name": "code", "constraints": {"required": true, "pattern": "[0-9]{3}"}},
	   {"name": "zone", "constraints": {"enum": ["A", "B"]}}, {"name": "n", "type": "integer"}]}}]}
	JSON
}
data() { # FIRST N ZONE [ROW…]: N rows of codes from FIRST on, and others
	{
		echo code,zone,n
		for ((i = $1; i < $1 + $2; i++)); do echo "$i,$3,1"; done
		shift 3
		printf '%s\n' "$@"
	} >"$T/data/villes.csv"
}
of_json() { python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert eval(sys.argv[2]), sys.argv[1]' "$output" "$1"; }
edit() { # PYTHON over the baseline d
	python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); exec(sys.argv[2]); json.dump(d, open(sys.argv[1], "w"))' "$S/baseline.json" "$1"
}

ok "a world is made" world_new
source_put ""

# --- usage ----------------------------------------------------------------------------------------------------------
run outside baseline
is "$status" 2 "baseline wants a source"
run outside baseline villes
is "$status" 2 "and a reason"
like "$output" 'baseline needs --reason' "which it says"
run outside baseline rues --reason "x"
is "$status" 2 "a source that is not there"
run outside baseline villes --reason "x"
is "$status" 2 "before the first check there is nothing to record"
like "$output" 'run `clapet-outside sync villes` first' "and the next command is named"
run outside baseline villes --show
is "$status" 2 "nor anything to show"

# --- day one --------------------------------------------------------------------------------------------------------
data 100 12 C "200,A,x" "201,A,1"
run outside sync
is "$status" 1 "day one: the portal's data break the schema"
like "$output" 'E4301' "as ever"
run outside baseline villes --check
is "$status" 0 "--check"
like "$output" '^villes: villes: enum in zone, 12 \(new\)$' "says each kind"
like "$output" '^villes: villes: type-error in n, 1 \(new\)$' "with its number"
not_ok "and records nothing" test -e "$S/baseline.json"
run outside baseline villes --reason "$(printf 'two\nlines')"
is "$status" 1 "a reason is one line"
run outside baseline villes --reason "the portal is told" --person "Zoé"
is "$status" 0 "recorded"
like "$output" 'recorded in baseline.json' "which it says"
ok "the file is closed, sorted, dated" python3 - "$S/baseline.json" <<-'PYTHON'
import json, re, sys
d = json.load(open(sys.argv[1]))
assert list(d) == ["format", "dataset", "date", "person", "reason", "growth", "resources"], list(d)
assert d["format"] == "clapet baseline 1" and d["person"] == "Zoé" and d["growth"] == {"percent": 10, "rows": 10}
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d["date"])
assert d["resources"] == [{"name": "villes", "rows": 14, "faults": [{"rule": "enum", "field": "zone", "count": 12}, {"rule": "type-error", "field": "n", "count": 1}]}]
PYTHON
run outside baseline villes --show
like "$output" 'recorded on [0-9-]{10} by Zoé: the portal is told' "--show says who and why"
like "$output" 'villes: enum in zone, 12, up to 22 pass' "and how far each may grow"
run outside baseline villes --show --json
ok "--show --json is the file" of_json 'd["format"] == "clapet baseline 1"'
ok "now it passes" world_sync
like "$(cat "$T/sync.log")" 'let through: villes: enum in zone \(12\), type-error in n \(1\)' "and is told"
run inside import "$bundle"
is "$status" 0 "and the inside takes it"
run outside check
is "$status" 0 "check is content with the file"

# --- growth ---------------------------------------------------------------------------------------------------------
data 100 22 C "200,A,x"
ok "up to the larger of ten and ten percent passes" world_sync
data 100 23 C "200,A,x"
run outside sync --force
is "$status" 1 "more does not"
like "$output" 'E1206 .*villes: villes: enum in zone, 23 faults: the baseline lets at most 22 pass' "and is said to have grown"
like "$output" 'clapet-outside report villes --html' "the report is there to read"
run outside status
like "$output" 'FAILED since .*E1206' "status leads with it"

# --- a new kind -----------------------------------------------------------------------------------------------------
data 100 12 C "20x,A,1"
run outside sync --force
is "$status" 1 "a new kind does not pass"
like "$output" 'E1205 .*villes: villes: pattern in code, 1 faults from row 14 on: a kind that the baseline does not know' "and is named with its first row"
like "$output" 'clapet-outside baseline NAME --reason' "with the way to let it pass"
data 100 12 A "200,C,1" "200,A,1"
run outside sync --force
like "$output" 'E1205 .*villes: primary-key in code' "the same rule in another column, or a key twice, too"
run outside baseline villes --check --json
is "$status" 0 "--check --json"
ok "says what changed" of_json 'd["recorded"] is False and {"resource": "villes", "rule": "primary-key", "field": "code", "count": 1, "was": None} in d["kinds"] and {"resource": "villes", "rule": "type-error", "field": "n", "count": 0, "was": 1} in d["kinds"]'
run outside baseline villes --reason "a key twice, for a week"
is "$status" 0 "a key may be known to be there twice"
ok "and passes then" world_sync
run inside import "$bundle"
is "$status" 3 "the inside has never seen that kind"
like "$output" 'E5004 HELD villes .*against the schema in force: villes: villes row 15, field code: "200" is the same as in row 14' "and asks a person"
run inside approve villes --reason "told by the steward"
is "$status" 0 "once"

# --- fewer ----------------------------------------------------------------------------------------------------------
data 100 12 A "200,A,1" "200,A,1"
ok "fewer than known pass" world_sync
like "$(cat "$T/sync.log")" 'villes: enum in zone, 0 of 1 known faults are left; `clapet-outside baseline villes --reason …` would hold it to that' "with the advice to renew"
run inside import "$bundle"
is "$status" 0 "and pass inside"
edit 'd["growth"] = {"percent": 300, "rows": 0}'
run outside baseline villes --reason "better now"
like "$output" 'villes: enum in zone, 0 \(was 1\)' "renewing says what is gone"
run outside baseline villes --show
like "$output" 'primary-key in code, 1, up to 4 pass' "and keeps the growth that was set"
unlike "$output" 'enum' "what is gone is known no more"

# --- what no baseline lets pass -------------------------------------------------------------------------------------
data 100 3 A "200,A,1,more"
run outside sync --force
like "$output" 'E4301 .*is a cell more than the header has' "a cell more is an error with a baseline, too"
run outside baseline villes --reason "shifted rows are fine"
is "$status" 1 "and cannot be recorded"
like "$output" 'villes: extra-cell: no baseline lets this pass' "by name"
like "$output" 'E1209 .*nothing was recorded' "nor anything else then"
source_put '"rules": {"enum:zone": "error", "type-error": "warning"}'
data 100 3 C "200,A,x"
run outside sync --force
run outside baseline villes --reason "x"
like "$output" '`rules` says that it is an error' "nor what the steward called an error"
data 100 3 A "200,A,x"
run outside sync --force
is "$status" 0 "what rules let pass"
rm "$S/baseline.json"
run outside baseline villes --reason "x"
is "$status" 0 "needs no baseline"
like "$output" 'no fault that a baseline must know' "which it says"
not_ok "and makes none" test -e "$S/baseline.json"
source_put ""
run outside sync --force
run outside baseline villes --reason "x"

# --- a file out of form ---------------------------------------------------------------------------------------------
cp "$S/baseline.json" "$T/good.json"
while IFS='|' read -r code name; do
	cp "$T/good.json" "$S/baseline.json"
	edit "$code"
	run outside check
	is "$status" 1 "$name: refused"
	like "$output" "BAD .*E1204.*baseline.json" "$name: by its name"
done <<-'LIST'
d["format"] = "clapet baseline 2"|a newer format
d["more"] = 1|an unknown member
d["dataset"] = "rues"|another's
d["date"] = "yesterday"|no date
d["reason"] = ""|no reason
del d["growth"]|no growth
d["growth"]["percent"] = -1|a negative growth
d["resources"].append(d["resources"][0])|a resource twice
d["resources"][0]["name"] = "rues"|a resource that is not there
d["resources"][0]["faults"].append(d["resources"][0]["faults"][0])|a kind twice
d["resources"][0]["faults"].append({"rule": "enum", "field": "a", "count": 1})|a list out of order
d["resources"][0]["faults"] = [{"rule": "extra-cell", "count": 1}]|a kind that never passes
d["resources"][0]["faults"] = [{"rule": "paterne", "count": 1}]|a rule that is not known
d["resources"][0]["faults"] = [{"rule": "enum", "count": 0}]|a kind that is not there
LIST
printf '{' >"$S/baseline.json"
run outside sync
is "$status" 1 "and no sync goes on with one"
like "$output" 'villes: .*E1204|E1204 .*villes' "which it names"
done_testing
