#!/bin/bash
# SPDX-License-Identifier: ISC
# contracts.sh: the files that applications' teams write: made by contract-from, looked at by check, shown by contracts, and named in the
# report of a version that breaks them.
. tests/lib.sh
. tests/world.sh
from() { run inside contract-from "$@"; }

world_new
world_source villes "code:string nom:string pop:integer"
world_data villes code,nom,pop 01001,Abergement,771 01002,Ambérieu,3
world_sync
inside import "$bundle" >/dev/null

cat >"$T/schema.json" <<'END'
{"fields": [{"name": "code", "type": "string", "title": "Code", "constraints": {"required": true, "pattern": "[0-9]{5}"}},
            {"name": "nom", "type": "string", "description": "of no interest"},
            {"name": "tags", "type": "list", "delimiter": ";"},
            {"name": "pop", "constraints": {"minimum": 0}, "type": "integer"}],
 "missingValues": ["", "NA"], "primaryKey": ["code", "nom"], "uniqueKeys": [["code"]]}
END

# contract-from
from "$T/schema.json" --application paie --dataset villes --fields code,pop,tags --contact paie@example.org
is "$status" 0 "a contract is made of a schema"
printf '%s\n' "$output" >"$T/made.json"
is "$(printf '%s' "$output" | tr -d ' \n')" '{"format":"clapetcontract1","application":"paie","contact":"paie@example.org","dataset":"villes","resources":[{"name":"villes","match":"name","fields":[{"name":"code","type":"string","constraints":{"required":true,"pattern":"[0-9]{5}"}},{"name":"tags","type":"list","delimiter":";"},{"name":"pop","type":"integer","constraints":{"minimum":0}}],"missingValues":["","NA"],"uniqueKeys":[["code"]]}]}' "with the fields that are used, their types and rules, and the keys all of whose columns are used"
run "$BIN/clapet-inside" compat "$T/made.json" "$T/schema.json"
is "$status" 0 "the schema that it was made of keeps it"
from "$T/schema.json" --application paie --dataset villes --fields code,nom
like "$output" '"primaryKey"' "the primary key is there when its columns are"
from "$T/schema.json" --application paie --dataset villes --fields code,population
is "$status" 1 "a field that the schema does not have is refused"
like "$output" 'E5010 REFUSED.*no field population; it has code, nom, tags, pop' "with those that it has"
from "$T/schema.json" --application paie --dataset villes --fields code,code
like "$output" 'named twice' "a field named twice is refused"
from "$T/schema.json" --application paie --dataset villes --fields code,pop --match position
is "$status" 1 "a reader by position cannot skip a column"
like "$output" 'nom is not named' "which is named"
from "$T/schema.json" --application paie --dataset villes --fields code,nom --match position
is "$status" 0 "the first columns will do"
from "$T/schema.json" --application paie --dataset villes --fields code --match exact
is "$status" 1 "one of the exact header uses all"
from "$T/schema.json" --application 'Not A Name' --dataset villes
is "$status" 1 "a bad name is refused"
from "$T/schema.json" --dataset villes
is "$status" 2 "--application is required"
from "$T/schema.json" --application paie
is "$status" 2 "and --dataset, of a file"
from villes/villes --application paie --fields code,pop --contact paie@example.org
is "$status" 0 "a contract is made of what is in force"
printf '%s\n' "$output" >"$T/in/contracts/paie.json"
from villes/rues --application paie
is "$status" 1 "a resource that is not there is refused"
from rues/rues --application paie
like "$output" 'nothing of rues is in force' "and so is a dataset"

# check
run inside check
is "$status" 0 "check takes the contract as it was printed"
like "$output" 'ok +rules +policy, and 1 contract$' "and counts it"
unlike "$output" 'warning +contract' "with nothing to warn of"
cat >"$T/in/contracts/rh.json" <<'END'
{"format": "clapet contract 1", "application": "rh", "contact": "rh@example.org", "dataset": "villes",
 "resources": [{"name": "villes", "fields": [{"name": "code", "type": "integer"}, {"name": "maire", "type": "string"}]}]}
END
cat >"$T/in/contracts/carte.json" <<'END'
{"format": "clapet contract 1", "application": "carte", "dataset": "rues", "resources": [{"name": "rues", "minRows": 5}]}
END
run inside check
is "$status" 0 "a field that what is in force lacks is a warning"
like "$output" 'warning +contract +rh, villes/villes: field maire is gone' "which names application, dataset, resource, field"
like "$output" 'warning +contract +carte, rues/rues: nothing of this dataset is in force' "so is a dataset that is not there"
echo '{"format": "clapet contract 1", "application": "a", "dataset": "b", "resources": [{"name": "c", "minRow": 5}]}' >"$T/in/contracts/x.json"
echo '{"format": "clapet contract 1", "application": "a", "dataset": "b", "resources": [{"name": "c", "fields": [{"name": "d", "type": "text"}]}]}' >"$T/in/contracts/y.json"
cp "$T/in/contracts/rh.json" "$T/in/contracts/rh2.json"
run inside check
is "$status" 1 "mistakes are refused"
like "$output" 'not ok +rules +E5001 .*/x\.json: resource 1: .*minRow' "each with its file, place and rule: an unknown member"
like "$output" 'not ok +rules +E5001 .*/y\.json: resource 1 \(c\).*type "text"' "an unknown type"
like "$output" 'not ok +rules +E5001 .*two contracts of rh for villes' "and two contracts of an application for one dataset"
rm "$T"/in/contracts/{x,y,rh2}.json

# contracts
run inside contracts
is "$status" 1 "contracts: one is broken"
like "$output" '^paie +villes +villes +name +kept +paie@example.org +code, pop' "who reads what, whom to tell"
like "$output" '^rh +villes +villes +name +broken' "which one is not kept"
like "$output" '^carte +rues +rues +name +nothing in force' "and which one waits"
like "$output" '^rh: villes/villes, version [0-9a-f]{16} in force; tell rh@example.org' "the breaks are for that team"
like "$output" 'field-removed: field maire is gone' "a field that is gone"
run inside contracts --application paie
is "$status" 0 "one application's are kept"
unlike "$output" 'rh' "and shown alone"
run inside contracts --application nobody
is "$status" 2 "an application without a contract is no answer"
run inside contracts --json
is "$status" 1 "--json has the same exit status"
like "$output" '"state": "broken"' "and the same answer"
rm "$T/in/contracts/rh.json" "$T/in/contracts/carte.json"
echo '{"format": "clapet contract 1", "application": "rh", "dataset": "villes", "resources": [{"name": "villes", "fields": [{"name": "pop", "type": "integer", "constraints": {"minimum": 10}}]}]}' >"$T/in/contracts/rh.json"
run inside contracts --application rh
is "$status" 1 "where only rows can tell, they do"
like "$output" 'minimum: is less than the minimum 10.*first in row 3: "3"' "with the first row and its value"

# the report of a version that breaks them
rm "$T/in/contracts/rh.json"
cat >"$T/in/contracts/rh.json" <<'END'
{"format": "clapet contract 1", "application": "rh", "contact": "rh@example.org", "dataset": "villes",
 "resources": [{"name": "villes", "fields": [{"name": "nom", "type": "string", "constraints": {"maxLength": 10}}]}]}
END
world_source villes "code:string nom:string pop:string"
world_data villes code,nom,pop 01001,Abergement,771 01002,Saint-Rémy-en-Bugey,beaucoup
world_sync
run inside import "$bundle"
is "$status" 3 "a version that breaks what applications were promised is held"
run inside quarantine villes
is "$status" 3 "quarantine says why"
like "$output" 'paie, villes\.pop \(rule type-error\)' "application, resource, field and rule of one"
like "$output" 'first in row 3: "beaucoup"' "the first row at fault, with its value"
like "$output" 'tell: +paie@example.org' "and whom to tell"
like "$output" 'rh, villes\.nom \(rule constraint-error\)' "and of the other"
run inside quarantine --application rh
is "$status" 3 "--application chooses the reasons of one"
unlike "$output" 'E5004 paie' "and shows no other's"
run inside quarantine --application carte
is "$output" "nothing is held" "nothing is held for one that reads something else"
run inside quarantine --json --application paie
like "$output" '"row": 3' "--json has the row"
like "$output" '"value": "beaucoup"' "the value"
like "$output" '"contact": "paie@example.org"' "and the contact"
world_source villes "code:string nom:string"
world_data villes code,nom 01001,Abergement
world_sync
run inside import "$bundle"
run inside quarantine villes --application paie
like "$output" 'paie, villes\.pop \(rule field-removed\)' "a field that is gone"
like "$output" 'promised: column 2: pop' "with what was promised"
done_testing
