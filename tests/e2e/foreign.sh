#!/bin/bash
# SPDX-License-Identifier: ISC
# Foreign keys into other packages: outside in the order of the references, inside against the generation that is being built.
. tests/lib.sh
. tests/world.sh

current() { readlink "$T/in/store/current" | sed 's,.*/,,'; }
rows() { wc -l 2>/dev/null <"$T/in/store/current/$1/$1.csv" || echo none; }
refer() { # DATASET FIELD PACKAGE FIELD: the key FIELD of DATASET leads to PACKAGE
	sed -i "s/\]}}\]}\$/], \"foreignKeys\": [{\"fields\": \"$2\", \"reference\": {\"package\": \"$3\", \"resource\": \"${5:-$3}\", \"fields\": \"$4\"}}]}}]}/" \
		"$T/out/sources/$1/datapackage.json"
}
contract() { # APPLICATION DATASET FIELD
	echo "{\"format\": \"clapet contract 1\", \"application\": \"$1\", \"contact\": \"$1@example.org\", \"dataset\": \"$2\",
	 \"resources\": [{\"name\": \"$2\", \"fields\": [{\"name\": \"$3\", \"type\": \"string\"}]}]}" >"$T/in/contracts/$1.$2.json"
}
field() { # JSON-FILE DATASET KEY
	python3 -c 'import json,sys
for d in json.load(open(sys.argv[1]))["datasets"]:
	if d["name"] == sys.argv[2]: print(json.dumps(d[sys.argv[3]]))' "$@"
}

ok "a world is made" world_new
world_policy cog villes autre
world_source cog "code:string nom:string"
world_source villes "nom:string commune:string"
world_source autre "n:integer"
refer villes commune cog code
world_data cog code,nom 01001,Bourg 01002,Laon
world_data villes nom,commune a,01001 b,01002 c,
world_data autre n 1

# --- outside --------------------------------------------------------------------------------------------------------------
run outside check
is "$status" 0 "check finds nothing wrong with a reference to another source"
refer autre n nowhere n
run outside check
is "$status" 1 "check refuses a reference to nothing"
like "$output" 'E1215 .*sources/autre: foreignKeys refers to nowhere, and there is no source of that name' "and names it"
run outside sync autre
is "$status" 1 "so does sync"
like "$output" 'E1215' "with the same code"
world_source autre "n:integer"
refer autre n 'https:\/\/example.org\/datapackage.json' n cog
run outside check
is "$status" 1 "check refuses an address in the place of a dataset's name"
like "$output" 'E4320 .*called by its dataset' "and says what is wanted"
world_source autre "n:integer"
refer autre n cog nummer
run outside check
like "$output" 'E4321 .*the field nummer of cog/cog, which it has not' "check names a field that the other source does not describe"
world_source autre "n:integer"
refer autre n cog code other
run outside check
like "$output" 'E4321 .*cog/other, which is no table' "and a table"
world_source cog "code:string nom:string"
refer cog nom villes nom
world_source autre "n:integer"
run outside check
is "$status" 1 "check refuses a circle"
like "$output" 'E1216 .*sources/cog: .*through villes' "and names both of it"
like "$output" 'E1216 .*sources/villes: .*through cog' "from either side"
run outside sync
is "$status" 1 "sync does so"
like "$output" '^autre: new version' "and publishes the others"
run outside status
like "$output" 'E1216' "status tells of the circle"
world_source cog "code:string nom:string"
run outside sync villes
is "$status" 1 "a source cannot come before the first version of what it refers to"
like "$output" 'E1215 .*cog, of which nothing was published yet .`clapet-outside sync cog`' "and the next step is told"
run outside sync
is "$status" 0 "together they go, the one referred to first"
like "$output" '(^|[^x])cog: new version' "cog is published"
like "$output" 'villes: new version' "and villes"
is "$(printf '%s\n' "$output" | grep -En '^(cog|villes): new' | cut -d: -f2 | tr '\n' ' ')" "cog villes " "in that order"
bundle=$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')
first=("$T"/out/outbox/*.tar)
world_data villes nom,commune a,01001 b,99999
run outside sync villes
is "$status" 1 "a key that leads nowhere fails the check"
like "$output" 'E4301 .*villes row 3, field commune: .*99999.* is not found in cog/cog as code' "with row, field, value and table"
world_data villes nom,commune a,01001 b,01002 c,
run outside sync villes
is "$status" 0 "corrected, it goes"

# --- inside: both come together -------------------------------------------------------------------------------------------
for b in "${first[@]}"; do inside import "$b" >/dev/null; done
is "$(rows cog) $(rows villes) $(rows autre)" "3 4 2" "both are in force"

# --- the one referred to is held, and the other with it -------------------------------------------------------------------
contract paie cog nom
world_source cog "code:string libelle:string"
world_data cog code,libelle 01001,Bourg 01002,Laon 01003,Moulins
world_data villes nom,commune a,01001 b,01003
world_data autre n 1 2
world_sync
run inside import "$bundle"
is "$status" 3 "a version that waits for a person, and one that waits with it"
like "$output" 'E5002 HELD cog version' "cog is held by a contract"
like "$output" 'E5022 HELD villes version .*held with cog, which waits for a person \(E5002 paie reads cog.nom.*"01003" is not found in cog/cog as code' "villes with it, named, with the reason and the row"
is "$(rows cog) $(rows villes)" "3 4" "both stay as they were"
is "$(rows autre)" 3 "what refers to neither came in"
run inside status
like "$output" 'held with cog' "status names it"
is "$(field "$T/in/store/status.json" villes fault)" '"E5022"' "status.json has the code"
like "$(field "$T/in/store/status.json" villes breaks)" '"fault": "E5020", "approvable": true, "application": "cog", "resource": "villes", "field": "commune", "rule": "foreign-key"' "and the break"
run inside explain E5022
like "$output" 'comes in with it' "explain tells what happens next"
n=$(stat -c %Y.%i "$T"/in/store/decisions/verdicts/villes-*.json | sort)
run inside import
is "$(stat -c %Y.%i "$T"/in/store/decisions/verdicts/villes-*.json | sort)" "$n" "another settling judges nothing anew"
run inside approve cog --reason "paie knows"
is "$status" 0 "cog is approved"
like "$output" 'cog: version .* in force' "it comes in"
like "$output" 'villes: version .* in force' "and villes by itself"
is "$(rows cog) $(rows villes)" "4 3" "in one generation"

# --- rows that are referred to go away ------------------------------------------------------------------------------------
world_data cog code,libelle 01001,Bourg 01002,Laon
run outside sync cog
b1=$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')
run outside status
like "$output" 'villes is to be checked again' "outside, status says that the referring one is to be checked again"
g=$(current)
run inside import "$b1"
is "$status" 3 "a version without rows that others refer to is held"
like "$output" 'E5021 HELD cog version .*villes, whose version in force refers to it: .*"01003" is not found.*rule referred-by' "by the name of who refers to it"
is "$(current)" "$g" "and the generation stays"
run outside sync
is "$status" 1 "outside, the referring source is checked again, though its rows are the same"
like "$output" 'villes: checked again' "which is said"
like "$output" 'E4301 .*01003.* is not found in cog/cog' "and fails"
world_data villes nom,commune a,01001
world_sync
run inside import "$bundle"
is "$status" 0 "with the referring one's next version both come in"
is "$(rows cog) $(rows villes) $(current)" "3 2 $((g + 1))" "in one generation"

# --- rows go away, and a person lets it be --------------------------------------------------------------------------------
world_data cog code,libelle 01002,Laon
run outside sync cog
inside import "$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')" >/dev/null
run inside approve cog --reason "villes is not used"
is "$status" 0 "a person may let it in"
is "$(rows cog) $(rows villes)" "2 2" "then it is in force"
world_data cog code,libelle 01002,Laon 01004,Autre
run outside sync cog
run inside import "$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')"
is "$status" 0 "the waiver counts for as long as the referring one is the same"
is "$(rows cog)" 3 "so the next version comes in by itself"
world_data villes nom,commune a,01004
world_sync
run inside import "$bundle"
is "$status" 0 "all keys lead somewhere again"

# --- out of order: the referring one arrives first ------------------------------------------------------------------------
world_data cog code,libelle 01002,Laon 01004,Autre 01005,Neuf
run outside sync cog
b1=$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')
world_data villes nom,commune a,01005
run outside sync villes
b2=$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')
run inside import "$b2"
is "$status" 4 "the referring one alone waits for what is missing"
like "$output" 'E5023 .*villes version .*held with cog, which is missing' "and names it"
run inside import "$b1"
is "$status" 0 "with the other bundle"
is "$(rows cog) $(rows villes)" "4 2" "both come in"
like "$(cat "$T/in/store/current/villes/villes.csv")" 01005 "with the newest rows"

# --- rollback --------------------------------------------------------------------------------------------------------------
run inside rollback cog --reason "bad morning"
is "$status" 0 "a rollback is an emergency, and is done"
like "$output" 'villes refers to cog: .*"01005" is not found' "what it leaves without rows is named"
run inside release cog
is "$status" 0 "released"
is "$(rows cog)" 4 "it is as it was"

# The same of a version whose plain files are gone by then.
sed -i 's/"testBench"/"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 10}, &/' "$T/in/inside.json"
sleep 1.1
inside import >/dev/null 2>&1
is "$(ls "$T/in/store/datasets/cog/v" | wc -l)" 1 "older plain files are gone"
run inside rollback cog --reason "bad morning"
is "$status" 0 "the older version is rebuilt"
like "$output" 'cog: version [0-9a-f]{16} was rebuilt' "and says so"
like "$output" 'villes refers to cog: .*"01005" is not found' "what it leaves without rows is named all the same"
run inside release cog
is "$(rows cog)" 4 "released, it is as it was"

# --- withdrawal ------------------------------------------------------------------------------------------------------------
run outside withdraw cog --reason merged
like "$output" 'villes refers to cog' "outside, withdraw warns of who refers to it"
b1=$(printf '%s\n' "$output" | sed -n 's/^bundle \(.*\.tar\): .*/\1/p')
rm "$T/in/contracts/paie.cog.json"
run inside import "$b1"
is "$status" 3 "a withdrawn dataset that is referred to is held"
like "$output" 'E5021 HELD cog.*villes, whose version in force refers to it' "by name"
is "$(rows cog)" 4 "it stays in force"
run outside sync villes --force
like "$output" 'E1215 .*cog, which is withdrawn' "outside, the referring source cannot be checked any more"
world_source villes "nom:string commune:string"
world_data villes nom,commune a,b
world_sync villes
run inside import "$bundle"
is "$status" 3 "a reference that is given up is a promise that is given up"
run inside approve villes --reason "cog ended"
is "$status" 0 "once nothing refers to it, it goes"
is "$(rows cog) $(rows villes)" "none 2" "in the generation that brings the other's next version"

done_testing
