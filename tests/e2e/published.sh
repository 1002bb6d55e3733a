#!/bin/bash
# SPDX-License-Identifier: ISC
# Schemas as administrations publish them: each spelling that is not the standard's is read and told, by `validate` and by `check`, what
# crosses is the standard's; formats of ours take none of it.
. tests/lib.sh
. tests/world.sh

validate() { run "$BIN/clapet-outside" validate "$@"; }
warns() { like "$output" "warning: $1" "told: $1"; }

printf '\xef\xbb\xbf{"name": "Villes", "fields": [\n{"name": "code", "type": "text", "required": "oui", "example": "7",\n"contraints": {"pattern": "^[0-9]{2}$", "pattern": "^[0-9]{1,2}$"}},\n{"name": "habitants", "type": "integer", "constraints": {"minLenght": 1, "minimum": 0, "colour": "red"}, "example": "many"}]}\n' >"$T/villes.json"
printf 'code,habitants\n1,10\n22,20\n' >"$T/good.csv"
printf 'code,habitants\n123,10\n,-1\n' >"$T/bad.csv"

validate --schema "$T/villes.json" "$T/good.csv"
is "$status" 0 'a schema with many spellings of its own: read'
warns '[^ ]*villes.json: begins with a byte order mark'
warns '[^ ]*villes.json: line 3: the key "pattern" stands there again'
warns '[^ ]*villes.json: name "Villes"'
warns '[^ ]*villes.json: field code: type "text" is none of the standard.s and is read as string'
warns '[^ ]*villes.json: field code: "contraints" is read as constraints'
warns '[^ ]*villes.json: field code: required stands beside constraints'
warns '[^ ]*villes.json: field code: required is "oui", which is read as true'
warns '[^ ]*villes.json: field habitants: "minLenght" is read as minLength'
warns '[^ ]*villes.json: field habitants: "colour" is no constraint'
warns '[^ ]*villes.json: field habitants: example "many" is not an integer'
is "$(grep -c 'warning: ' <<<"$output")" 10 'and no more than these'
validate --schema "$T/villes.json" "$T/bad.csv"
is "$status" 1 'its rules hold'
like "$output" 'bad.csv:2: field code: "123" does not match the pattern \^\[0-9\]\{1,2\}' 'the last of two patterns'
like "$output" 'bad.csv:3: field code: .*is missing but required' 'required'
like "$output" 'bad.csv:3: field habitants: "-1" is less than the minimum 0' 'the minimum'
"$BIN/clapet-outside" validate --json --schema "$T/villes.json" "$T/good.csv" >"$T/report.json" 2>/dev/null
ok 'the same lines in the report' python3 -c 'import json, sys
warnings = json.load(open(sys.argv[1]))["schemaWarnings"]
sys.exit(not (len(warnings) == 10 and "field habitants: example \"many\" is not an integer" in warnings))' "$T/report.json"
"$BIN/clapet-outside" validate --json "$T/good.csv" >"$T/report.json" 2>"$T/said"
is "$(grep -c '"schemaWarnings": \[\]' "$T/report.json")$(wc -c <"$T/said")" 10 'no schema, no warning'

# --- in a package and a source ---
world_new
world_source villes "code:string habitants:integer"
world_data villes 'code,habitants' 1,10 22,20
cp "$T/villes.json" "$T/out/sources/villes/villes.json"
python3 - "$T/out/sources/villes/datapackage.json" <<'PYTHON'
import json, sys
package = json.load(open(sys.argv[1]))
package["resources"][0]["schema"] = "villes.json"
json.dump(package, open(sys.argv[1], "w"))
PYTHON
run outside check
is "$status" 0 'check: a source with such a schema is good'
like "$output" '^WARNING +sources/villes: villes.json: begins with a byte order mark' 'check: the file, and what of it'
like "$output" '^WARNING +sources/villes: resource villes: field code: required is "oui", which is read as true' 'check: the resource and the field'
like "$output" '^good +source villes' 'check: and it is good'
ok 'a run' world_sync villes
inside import "$bundle" >"$T/import.log" 2>&1
is "$?" 0 'which the inside takes'
ok 'what crossed is in the spelling of the standard' python3 -c 'import json, sys
code, habitants = json.load(open(sys.argv[1]))["resources"][0]["schema"]["fields"]
sys.exit(not (code["type"] == "string" and code["constraints"] == {"required": True, "pattern": "^[0-9]{1,2}$"}
              and "required" not in code and habitants["constraints"]["minLength"] == 1))' "$T/in/store/current/villes/datapackage.json"

# --- a dialect that drops and joins rows ---
world_source zones "zone_code:string zone_people:integer"
printf '# a "note", it'"'"'s\nTitle of the table\nzone,zone\ncode,people\n1,\\N\n#,,\n2,20\n' >"$T/data/zones.csv"
dialect() { # MEMBER=JSON…: of the resource
	python3 - "$T/out/sources/zones/datapackage.json" "$@" <<-'PYTHON'
	import json, sys
	package = json.load(open(sys.argv[1]))
	for pair in sys.argv[2:]:
	    key, value = pair.split("=", 1)
	    package["resources"][0][key] = json.loads(value)
	json.dump(package, open(sys.argv[1], "w"))
	PYTHON
}
dialect 'dialect={"commentChar": "#", "commentRows": [2], "headerRows": [3, 4], "headerJoin": "_", "nullSequence": "\\N"}'
ok 'a run over comments, two header rows and a null sequence' world_sync zones
inside import "$bundle" >"$T/import.log" 2>&1
run inside approve zones --reason 'a new dataset'
is "$status" 0 'which the inside takes'
current=$T/in/store/current/zones
is "$(cat "$current"/*.csv)" 'zone_code,zone_people
1,
2,20' 'what crossed is the plain form'
is "$(grep -c dialect "$current/datapackage.json")" 0 'and its descriptor has no dialect'
dialect 'clapet={"transform": "verbatim"}'
ok 'the same bytes kept as published' world_sync zones
inside import "$bundle" >"$T/import.log" 2>&1
run inside approve zones --reason 'kept as published'
is "$status" 0 'which the inside reads by its dialect'
ok 'they are those of the publisher' cmp "$T/data/zones.csv" "$(echo "$current"/*.csv)"
ok 'and the descriptor has the whole dialect' python3 -c 'import json, sys
dialect = json.load(open(sys.argv[1]))["resources"][0]["dialect"]
sys.exit(not (dialect["commentChar"] == "#" and dialect["commentRows"] == [2] and dialect["headerRows"] == [3, 4]
              and dialect["headerJoin"] == "_" and dialect["nullSequence"] == "\\N"))' "$current/datapackage.json"
dialect 'clapet={"transform": "plain"}'
printf '3,many\n' >>"$T/data/zones.csv"
run world_sync zones
like "$output" 'E4301 .*zones row 8, field zone_people: "many" is not an integer' 'a row at fault is refused'
outside report --json zones >"$T/report.json" 2>&1
like "$(cat "$T/report.json")" '"rowNumber": 8' 'by the row that it was published as'
ok 'with its cells' python3 -c 'import json, sys
def find(x):
    if isinstance(x, dict):
        return x.get("rowNumber") == 8 and x.get("cells") == ["3", "many"] or any(map(find, x.values()))
    return isinstance(x, list) and any(map(find, x))
sys.exit(not find(json.load(open(sys.argv[1]))))' "$T/report.json"

cp "$T/out/sources/villes/datapackage.json" "$T/kept"
sed 's/^{/{"name": "villes", /' "$T/kept" >"$T/out/sources/villes/datapackage.json"
run outside check
like "$output" 'BAD .*E4002' 'a source of ours with a key twice is refused'
{ printf '\xef\xbb\xbf'; cat "$T/kept"; } >"$T/out/sources/villes/datapackage.json"
run outside check
like "$output" 'BAD .*E4001.*byte order mark' 'and one with a mark'
cp "$T/kept" "$T/out/sources/villes/datapackage.json"
contract='{"format": "clapet contract 1", "application": "paie", "dataset": "villes", "resources": [{"name": "villes", "fields": [%s]}]}'
# shellcheck disable=SC2059
printf "$contract" '{"name": "code", "type": "string", "constraints": {"required": true}}' >"$T/in/contracts/paie.json"
run inside check
like "$output" '^ok +rules' 'a contract in the standard spelling'
# shellcheck disable=SC2059
printf "$contract" '{"name": "code", "type": "string", "constraints": {"required": "oui"}}' >"$T/in/contracts/paie.json"
run inside check
like "$output" 'paie.*required is "oui"' 'a contract that spells as published schemas do is refused'

done_testing
