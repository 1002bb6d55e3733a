#!/bin/bash
# SPDX-License-Identifier: ISC
# compat.sh: the compat command: its exit statuses, the data that decide, and trouble that is not an answer.
. tests/lib.sh
compat() { run "$BIN/clapet-inside" compat "$@"; }

# One schema a line: NAME FIELDS
schema() { printf '{"fields": [%s]}\n' "$2" >"$T/$1.json"; }
schema old '{"name": "code", "type": "string", "constraints": {"pattern": "^[0-9]{5}$"}}, {"name": "pop", "type": "integer"}'
schema more '{"name": "dep", "type": "string"}, {"name": "code", "type": "string", "constraints": {"pattern": "^[0-9]{5}$"}}, {"name": "pop", "type": "integer"}'
schema less '{"name": "code", "type": "string", "constraints": {"pattern": "^[0-9]{5}$"}}'
schema needs '{"name": "code", "type": "string"}, {"name": "pop", "type": "integer", "constraints": {"required": true}}'
schema wider '{"name": "code", "type": "string"}, {"name": "pop", "type": "number"}'
printf 'code,pop\n01001,771\n' >"$T/good.csv"
printf 'code,pop\n01001,771.5\n2A004,3\n' >"$T/bad.csv"
printf 'code\n01001\n' >"$T/short.csv"
printf 'pop;code\n771;01001\n' >"$T/semicolon.csv"
printf 'code,"pop\n' >"$T/broken.csv"

compat "$T/old.json" "$T/old.json"
is "$status" 0 "a schema is compatible with itself"
compat "$T/old.json" "$T/more.json"
is "$status" 0 "a column inserted is compatible by name"
compat --by position "$T/old.json" "$T/more.json"
is "$status" 1 "and not by position"
like "$output" 'field code was column 1 and is now 2 \[field-moved\]' "the column that moved is named"
compat --match exact "$T/old.json" "$T/more.json"
is "$status" 1 "nor exactly"
compat "$T/needs.json" "$T/less.json"
is "$status" 1 "a required column removed is incompatible"
like "$output" 'field pop is gone \[field-removed\]' "and named"
compat "$T/old.json" "$T/less.json"
is "$status" 4 "one that may be missing is undecided without the data"
compat --data "$T/short.csv" "$T/old.json" "$T/less.json"
is "$status" 0 "and compatible with data that lack it, as a validator says"
compat --match position --data "$T/short.csv" "$T/old.json" "$T/less.json"
is "$status" 1 "but not by position"
compat "$T/old.json" "$T/wider.json"
is "$status" 4 "what was relaxed is undecided without the data"
compat --data "$T/good.csv" "$T/old.json" "$T/wider.json"
is "$status" 0 "rows that keep the promise decide for it"
compat --data "$T/bad.csv" "$T/old.json" "$T/wider.json"
is "$status" 1 "rows that break it decide against it"
like "$output" '771\.5' "the cell is shown"
compat --data "$T/broken.csv" "$T/old.json" "$T/wider.json"
is "$status" 2 "a file that is no table is trouble, not an answer"

compat --data "$T/semicolon.csv" --delimiter ';' "$T/old.json" "$T/wider.json"
is "$status" 0 "data with another delimiter, and their columns in another order"
compat --match exact --data "$T/semicolon.csv" --delimiter ';' "$T/old.json" "$T/wider.json"
is "$status" 1 "whose header is not the exact one"

schema points '{"name": "p", "type": "object", "constraints": {"jsonSchema": {"required": ["x"], "properties": {"x": {"type": "integer"}}}}}'
schema objects '{"name": "p", "type": "object"}'
printf 'p\n"{""x"": 1}"\n' >"$T/point.csv"
printf 'p\n"{""x"": ""a""}"\n' >"$T/object.csv"
compat "$T/points.json" "$T/points.json"
is "$status" 0 "the same jsonSchema"
compat "$T/objects.json" "$T/points.json"
is "$status" 0 "one where there was none"
compat "$T/points.json" "$T/objects.json"
is "$status" 4 "none where there was one is undecided without the data"
compat --data "$T/point.csv" "$T/points.json" "$T/objects.json"
is "$status" 0 "objects that keep it decide for it"
compat --data "$T/object.csv" "$T/points.json" "$T/objects.json"
is "$status" 1 "one that does not, against it"
like "$output" 'x is not an integer' "with the place"

compat --json "$T/needs.json" "$T/less.json"
is "$status" 1 "--json has the same exit status"
like "$output" '"verdict": "incompatible"' "and the same answer"
like "$output" '"rule": "field-removed"' "with its rule"

cat >"$T/contract.json" <<'END'
{"format": "clapet contract 1", "application": "paie", "dataset": "cog",
 "resources": [{"name": "communes", "match": "position", "fields": [{"name": "code", "type": "string"}]}, {"name": "regions"}]}
END
cat >"$T/datapackage.json" <<'END'
{"name": "cog", "resources": [{"name": "communes", "path": "communes.csv", "schema": "more.json"}]}
END
compat "$T/contract.json" "$T/datapackage.json"
is "$status" 1 "a contract is compared resource by resource, schemas by path are read"
like "$output" 'resource regions is gone \[resource-removed\]' "a resource that is gone is named"
like "$output" 'communes: field code was column 1 and is now 2' "the contract's own match counts"
cat >"$T/schemaless.json" <<'END'
{"name": "cog", "resources": [{"name": "communes", "path": "communes.csv"}]}
END
compat "$T/datapackage.json" "$T/schemaless.json"
is "$status" 1 "a resource that has no schema any more is incompatible"
like "$output" 'no longer a table with a schema \[schema-removed\]' "a table that lost its schema is named"
compat "$T/datapackage.json" "$T/contract.json"
is "$status" 2 "a contract cannot be what is offered"

# References to another resource: followed where its rows are given, a fault where they are not, as for a validator.
package() { # NAME TYPE-OF-CODE KEYS
	cat >"$T/$1.json" <<END
{"name": "cog", "resources": [
 {"name": "communes", "path": "communes.csv", "schema": {"fields": [{"name": "dep", "type": "string"}]$3}},
 {"name": "deps", "path": "deps.csv", "schema": {"fields": [{"name": "code", "type": "$2"}]}}]}
END
}
key=', "foreignKeys": [{"fields": "dep", "reference": {"resource": "deps", "fields": "code"}}]'
package keyed string "$key"
package free string ""
package numbered integer "$key"
printf 'dep\n01\n02\n' >"$T/communes.csv"
printf 'code\n01\n02\n' >"$T/deps.csv"
compat "$T/keyed.json" "$T/keyed.json"
is "$status" 0 "a reference that stays is compatible"
compat "$T/keyed.json" "$T/numbered.json"
is "$status" 4 "one whose target is read another way is undecided"
compat "$T/keyed.json" "$T/free.json"
is "$status" 4 "and so is one that is dropped"
compat --data "$T/communes.csv" --data "$T/deps.csv" "$T/keyed.json" "$T/free.json"
is "$status" 0 "rows that keep it decide for it"
compat --data "$T/communes.csv" "$T/keyed.json" "$T/free.json"
is "$status" 1 "a reference to rows that are not given is a fault"
like "$output" 'cannot be checked' "and said"
printf 'code\n01\n' >"$T/deps.csv"
compat --data "$T/communes.csv" --data "$T/deps.csv" "$T/keyed.json" "$T/free.json"
is "$status" 1 "rows that break it decide against it"
like "$output" 'communes:3: field dep: is not found in deps' "the row is shown"

compat "$T/old.json" "$T/nothing.json"
is "$status" 2 "a missing file is trouble"
compat "$T/old.json"
is "$status" 2 "two files are needed"
compat --by name "$T/old.json" LICENSE
is "$status" 2 "what is no JSON is trouble"
for evil in tests/evil/schemas_contract/*.json; do
	"$BIN/clapet-inside" compat "$evil" "$T/datapackage.json" >/dev/null 2>&1
	[ $? = 2 ] || echo "$evil"
done >"$T/evil"
is "$(cat "$T/evil")" "" "every evil contract is trouble"
done_testing
