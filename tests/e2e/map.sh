#!/bin/bash
# SPDX-License-Identifier: ISC
# map.sh: a source that maps a portal's columns onto what was promised: what readers get, what a steward is told when the portal
# changes them, and `clapet-outside map`, which proposes lines.
. tests/lib.sh
. tests/world.sh
world_new
promise='{"primaryKey": "code", "fields": [{"name": "code", "type": "string", "constraints": {"required": true, "pattern": "[0-9]{2}"}},
 {"name": "nom", "type": "string"}, {"name": "zone", "type": "string"}, {"name": "cp", "type": "string"}, {"name": "n", "type": "integer"}]}'
schema="\"schema\": $promise"
source_villes() { # MAP [MORE]
	mkdir -p "$T/out/sources/villes"
	cat >"$T/out/sources/villes/datapackage.json" <<-JSON
	{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
	 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {"map": $1}, ${2:-$schema}}]}
	JSON
}
map='[{"field": "code", "from": ["CODE", "code_insee"]}, {"field": "zone", "default": "metro"},
 {"field": "cp", "from": "codesPostaux", "split": "|", "item": 1}, {"field": "n", "values": {"aucun": "0"}}, {"drop": ["siren", "codesPostaux2"]}]'

# --- what readers get ---
source_villes "$map"
world_data villes 'n,siren,CODE,nom,codesPostaux' '5,9,01,"A, B",01000|01001' 'aucun,9,02,,' '-1,9,03,C,01002'
world_sync && inside import "$bundle" >"$T/import.log"
is "$(cat "$T/in/store/current/villes/villes.csv")" 'code,nom,zone,cp,n
01,"A, B",metro,01000,5
02,,metro,,0
03,C,metro,01002,-1' "the promised columns, in their order, under their names"
published=$T/in/store/current/villes/datapackage.json
ok "the published package has the promise and no map" python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))["resources"][0]
assert "map" not in r["clapet"] and [f["name"] for f in r["schema"]["fields"]] == ["code", "nom", "zone", "cp", "n"], r
assert r["clapet"] == {"rows": 3, "transform": "plain"} and r["schema"]["primaryKey"] == "code", r' "$published"
like "$(inside show villes)" "its columns mapped by 5 lines" "its provenance says that there was one"
run "$BIN/clapet-audit" --root "$T/out/repository/metadata/1.root.json" store "$T/in/store"
is "$status" 0 "and an auditor finds nothing"

# --- the portal changes ---
world_data villes 'codesPostaux,n,code_insee,nom,siren' '01000,5,01,"A, B",9' ',0,02,,9' '01002,-1,03,C,9'
stored=$(sha256sum <"$T/in/store/current/villes/villes.csv")
world_sync && inside import "$bundle" >"$T/import.log"
is "$(readlink "$T/in/store/current")" generations/2 "another order and an older name: a new version"
is "$(sha256sum <"$T/in/store/current/villes/villes.csv")" "$stored" "whose promised rows are the same bytes"

world_data villes 'n,siren,Code INSEE,nom,cp,extra' '5,9,01,A,01000,x'
run outside sync --force
is "$status" 1 "a column renamed past the map: refused"
like "$output" 'E4210 REFUSED villes: resource villes: the map \(FORMAT.md 23\) does not fit the columns: no column gives code \(looked for "CODE", "code_insee", "code"\); neither taken nor dropped: "Code INSEE", "extra"' \
	"all that does not fit is named, by the names of the file"
ok "each in the report too" python3 -c 'import json, sys
task = json.load(open(sys.argv[1]))["tasks"][0]
assert task["labels"] == ["n", "siren", "Code INSEE", "nom", "cp", "extra"], task["labels"]
found = [(e["rule"], e.get("fieldName"), e.get("fieldNumber"), e.get("cell")) for e in task["errors"]]
assert found[:3] == [("missing-label", "code", None, None), ("extra-label", None, 3, "Code INSEE"), ("extra-label", None, 6, "extra")], found
assert found[3][0] == "source-error" and len(found) == 4, found' "$T/out/state/villes/report.json"
like "$(cat "$T/in/store/current/villes/villes.csv")" "A, B" "the version in force stays"

world_data villes 'n,siren,CODE,nom,codesPostaux' '5,9,01,A,01000' 'x,9,1,B,01000' '5,9,01,C'
run outside sync --force
like "$output" 'E4301 REFUSED villes: villes row 3, field code \(published as CODE\): "1" does not match the pattern' "a fault has the promised name, the published one, and the published row"
ok "number, offset and label are the file's" python3 -c 'import json, sys
faults = [(f["rowNumber"], f["offset"], f.get("fieldNumber"), f.get("fieldName"), f.get("publishedName"), f["rule"]) for f in json.load(open(sys.argv[1]))["tasks"][0]["errors"]]
assert faults == [(3, 45, 3, "code", "CODE", "pattern"), (3, 45, 1, "n", None, "type-error"), (4, 59, 5, "codesPostaux", None, "missing-cell"), (4, 59, 3, "code", "CODE", "primary-key")], faults' "$T/out/state/villes/report.json"
run outside report villes --html "$T/report.html"
like "$(cat "$T/report.html")" "<th>CODE</th>" "the page for the publisher has the columns as published"
run "$BIN/clapet-outside" validate --package "$T/out/sources/villes/datapackage.json" "$T/data/villes.csv" --threads 2
is "$status" 1 "validate reads the map too"
like "$output" 'villes.csv:3: field code \(published as CODE\): "1" does not match' "and says the same"

# What is forbidden is looked for in what would cross: a promised name, and where it stands in the file.
source_villes "$map"
sed -i 's/"clapet": {"map"/"clapet": {"forbiddenColumns": ["code"], "map"/' "$T/out/sources/villes/datapackage.json"
world_data villes 'n,siren,CODE,nom,codesPostaux' '5,9,01,A,01000'
run outside sync --force
like "$output" 'E1208 REFUSED villes: .*forbidden-column in code' "a forbidden column stops under its promised name"
like "$(outside report villes)" 'field code \(published as CODE\): ' "and the report says what it is called in the file"
sed -i 's/\["code"\]/["siren"]/' "$T/out/sources/villes/datapackage.json"
run outside sync --force
like "$output" "^villes: (new version|unchanged)" "one that is dropped does not cross, and stops nothing"

# --- maps that cannot be used ---
refused() { # MAP WORDS [MORE]
	source_villes "$1" "${3:-$schema}"
	run outside check
	like "$output" "E1210.*$2" "check refuses $1"
	run outside sync --force villes
	like "$output" "E1210 REFUSED.*$2" "and so does sync"
}
refused '[{"field": "code", "form": "CODE"}]' 'resource villes: map line 1: unknown (member|key)'
refused '[{"field": "ville", "from": "CODE"}]' 'the schema has no field ville'
refused '[{"field": "code", "from": "CODE"}, {"field": "code", "from": "code_insee"}]' 'map line 2: an earlier line gives code'
refused '[{"field": "code", "from": "CODE"}, {"drop": "CODE"}]' '"CODE" is dropped, and gives code too'
refused '[{"drop": "*"}]' 'no schema' '"title": "without a schema"'
source_villes '[{"drop": "*"}]'
sed -i 's/"clapet": {"map"/"clapet": {"transform": "verbatim", "map"/' "$T/out/sources/villes/datapackage.json"
run outside check
like "$output" "E1210.*verbatim" "bytes that are kept cannot be mapped"

# --- lines to paste ---
echo "$promise" >"$T/schema.json"
world_data villes 'n,siren,Code,nom,c-p,extra' '5,9,01,A,01000,x'
run "$BIN/clapet-outside" map --schema "$T/schema.json" "$T/data/villes.csv"
is "$status" 1 "map: the columns do not fit"
like "$output" '^code +3 Code +proposed$' "map: which column would give which field"
like "$output" '^zone +\(a default\) +proposed$' "map: and which would have a default"
like "$output" '^  \{"field": "code", "from": "Code"\},$' "map: a line to paste"
run "$BIN/clapet-outside" map --schema "$T/schema.json" "$T/data/villes.csv" --json
source_villes "$(python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert d["format"] == "clapet column map 1" and not d["fits"]; print(json.dumps(d["map"]))' "$output")"
run "$BIN/clapet-outside" map --package "$T/out/sources/villes/datapackage.json" "$T/data/villes.csv"
is "$status" 0 "map: the proposed lines fit"
like "$output" "its columns fit" "map: and it says so"
run outside sync --force villes
like "$output" "^villes: new version" "and sync takes them"
printf 'code;nom\nx' >"$T/data/other.csv"
run "$BIN/clapet-outside" map --schema "$T/schema.json" --delimiter ';' "$T/data/other.csv"
like "$output" '^code +1 code +its name$' "map: with another delimiter"
: >"$T/data/empty.csv"
run "$BIN/clapet-outside" map --schema "$T/schema.json" "$T/data/empty.csv"
like "$output" "E4210 .*has no header row" "map: an empty file"
run "$BIN/clapet-outside" map "$T/data/empty.csv"
is "$status" 2 "map: usage"
run "$BIN/clapet-outside" map --schema "$T/nothing.json" "$T/data/empty.csv"
is "$status" 2 "map: a file that is not there"
done_testing
