#!/bin/bash
# SPDX-License-Identifier: ISC
# Guard rails beside the schema: how many rows a source may have and how many may come or go, columns of personal data; a contract's own, which
# the inside holds to; and an outside that lies about what it let through.
. tests/lib.sh
. tests/world.sh

S=$T/out/sources/villes
source_put() { # CLAPET-OF-THE-PACKAGE CLAPET-OF-THE-RESOURCE FIELDS
	local field fields=
	for field in ${3:-code n}; do fields="$fields${fields:+, }{\"name\": \"$field\"}"; done
	mkdir -p "$S"
	cat >"$S/datapackage.json" <<-JSON
	{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"$1},
	 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {$2},
	  "schema": {"fields": [$fields]}}]}
	JSON
}
rows() { # N
	{ echo code,n; seq -f '%05.0f,1' "$1"; } >"$T/data/villes.csv"
}
contract() { # MEMBERS OF THE RESOURCE
	echo "{\"format\": \"clapet contract 1\", \"application\": \"paie\", \"dataset\": \"villes\", \"resources\": [{\"name\": \"villes\"$1}]}" >"$T/in/contracts/paie.json"
}
of_json() { python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert eval(sys.argv[2]), sys.argv[1]' "$output" "$1"; }

ok "a world is made" world_new

# --- what may be said -----------------------------------------------------------------------------------------------
while IFS='|' read -r clapet words; do
	source_put "" "$clapet"
	run outside check
	is "$status" 1 "$clapet: refused"
	like "$output" "BAD .*$words" "$clapet: and why"
done <<-'LIST'
"minRows": -1|minRows
"minRows": 2.5|minRows
"minRows": 10, "maxRows": 9|minRows is more than maxRows
"maxChangePercent": "5"|maxChangePercent
"mimRows": 3|mimRows
"opaque": true, "minRows": 3|are for tables
"forbiddenColumns": "nir"|forbiddenColumns is no list
"forbiddenColumns": ["nir", "nir"]|forbiddenColumns has "nir" twice
"allowedColumns": {"n": ""}|allowedColumns gives no reason for "n"
"allowedColumns": {"m": "why"}|allowedColumns: the schema has no field "m"
"allowedColumns": {"n": "why"}, "forbiddenColumns": ["n"]|"n" is forbidden and allowed
"rules": {"personal-nir": "warning"}|forbiddenColumns and allowedColumns say
LIST

# --- rows -----------------------------------------------------------------------------------------------------------
source_put "" '"minRows": 10, "maxRows": 100, "maxChangePercent": 20'
rows 9
run outside sync --force
is "$status" 1 "too few rows"
like "$output" 'E1207 .*villes: villes: 9 rows, minRows asks for 10' "are refused with both numbers"
rows 101
run outside sync --force
like "$output" 'E1207 .*villes: villes: 101 rows, maxRows lets 100 pass' "too many, too"
rows 50
ok "the first version is measured against none" world_sync
rows 60
ok "a fifth more passes" world_sync
rows 73
run outside sync --force
is "$status" 1 "more than a fifth does not"
like "$output" 'E1207 .*villes: villes: 73 rows, 60 in the version published last: a change of more than 20 %' "with both numbers"
rows 47
run outside sync --force
is "$status" 1 "nor do fewer than a fifth"
rows 48
ok "a fifth fewer passes" world_sync
source_put ', "maxChangePercent": 0' ''
rows 49
run outside sync --force
is "$status" 1 "the package's word is for all its tables"
run outside explain E1207
is "$status" 0 "explain knows the code"

# --- columns --------------------------------------------------------------------------------------------------------
nir() { { echo "code,$1"; for i in 1 2 3; do echo "$i,2 69 05 49 588 157 80"; done; } >"$T/data/villes.csv"; }
source_put "" "" "code nir"
nir nir
run outside sync --force
is "$status" 1 "a NIR stops"
like "$output" 'E1208 .*villes: villes: personal-nir in nir' "by its column's name"
unlike "$output" '69 05 49' "the line shows none"
run outside report villes
like "$output" 'field nir: holds social security numbers \(NIR\): its name says so, and 3 of the 3 cells that were looked at are some \(personal-data\)' "the report says how many"
source_put "" '"allowedColumns": {"nir": "near infrared"}' "code nir"
run outside sync --force
is "$status" 1 "and no reason lets one pass that holds some"
printf 'code,nir\n1,0.42\n2,0.43\n' >"$T/data/villes.csv"
ok "where the name misleads it does" world_sync
unlike "$(cat "$T/sync.log")" 'let through' "and nothing more is said"
source_put "" "" "code nir"
run outside sync --force
is "$status" 1 "without the reason the name is enough"
source_put "" "" "code person"
nir person
ok "values alone do not stop" world_sync
like "$(cat "$T/sync.log")" 'villes: let through: villes: personal-nir in person \(1\)' "but are told"
run outside report villes
like "$output" 'warning: field person: holds social security numbers \(NIR\): 3 of the 3 cells' "as a warning"
source_put ', "forbiddenColumns": ["nir"]' "" "code person"
run outside sync --force
is "$status" 1 "unless the steward said so"
source_put "" '"forbiddenColumns": ["person"]' "code person"
run outside sync --force
like "$output" 'E1208 .*villes: villes: forbidden-column in person' "a column may be forbidden by its own name"
printf 'code,courriel,contact,tel\n1,a@b.fr,c@d.fr,0472103030\n2,,c@e.fr,04 72 10 30 31\n' >"$T/data/villes.csv"
source_put "" "" "code courriel contact tel"
ok "addresses and telephones pass" world_sync
like "$(cat "$T/sync.log")" 'let through: villes: personal-email in contact \(1\), personal-email in courriel \(1\), personal-telephone in tel \(1\)' "and warn, by name and by values"
run inside import "$bundle"
is "$status" 0 "inside, too"
run inside status
like "$output" '^through +villes, let through by the outside: villes: personal-email in contact' "where they are told"
run inside show villes
like "$output" 'warned +villes/contact/personal-email' "and attested"
source_put "" '"allowedColumns": {"courriel": "of the town hall", "contact": "the same", "tel": "its switchboard"}' "code courriel contact tel"
ok "with a reason" world_sync
unlike "$(cat "$T/sync.log")" 'let through' "nothing warns"
run inside import "$bundle"
ok "and the readers have it" python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))["resources"][0]["clapet"]; assert r["allowedColumns"]["tel"] == "its switchboard" and "tolerated" not in r' "$T/in/store/current/villes/datapackage.json"
printf 'code,n\n552100554,1\n356000000,2\n380129866,3\n' >"$T/data/villes.csv"
source_put "" "" "code n"
ok "a SIREN is no telephone number" world_sync
unlike "$(cat "$T/sync.log")" 'let through' "and warns nobody"

# --- a contract's own, inside ---------------------------------------------------------------------------------------
contract ', "minRows": 3, "maxRows": 2'
run inside check
is "$status" 1 "a contract is checked"
like "$output" 'minRows is more than maxRows' "also for what cannot be"
contract ', "forbiddenColumns": ["email", "email"]'
run inside check
like "$output" 'forbiddenColumns has "email" twice' "and its list"
contract ', "maxRows": 3, "forbiddenColumns": ["telephone", "naissance"]'
rows 3
world_sync
run inside import "$bundle"
is "$status" 0 "what the contract bounds passes within"
rows 4
world_sync
run inside import "$bundle"
is "$status" 3 "and not beyond"
like "$output" 'E5005 HELD villes .*villes: 4 rows, at most 3 were asked for' "with both numbers"
printf 'code,n\n1,04 72 10 30 30\n2,04 72 10 30 31\n' >"$T/data/villes.csv"
source_put "" '"allowedColumns": {"n": "a switchboard"}' "code n"
world_sync
run inside import "$bundle"
is "$status" 3 "what an application forbade is held, whatever the outside's reasons"
like "$output" 'E5006 HELD villes .*paie.*column n: telephone is forbidden; 2 of 2 cells' "with application and column"
run inside approve villes --reason "a switchboard, the team agrees"
is "$status" 0 "its team may agree"
source_put "" "" "code naissance"
printf 'code,naissance\n1,2000-01-01\n2,\n' >"$T/data/villes.csv"
world_sync
run inside import "$bundle"
is "$status" 3 "a column forbidden by its own name"
like "$output" 'paie reads villes\.naissance: column naissance is forbidden' "is named"
rm "$T/in/contracts/paie.json"

# --- an outside that lies -------------------------------------------------------------------------------------------
# Everything is ours but what its checking worker leaves: it is changed before the supervisor takes it.
world_rogue <<PYTHON
c = p["resources"][0]["clapet"]
exec(open("$T/lie.py").read())
PYTHON
cat >"$S/datapackage.json" <<-JSON
{"name": "villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
 "resources": [{"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "clapet": {"rules": {"enum": "warning"}},
  "schema": {"fields": [{"name": "code"}, {"name": "zone", "constraints": {"enum": ["A", "B"]}}, {"name": "n", "type": "integer"}]}}]}
JSON
people=100
rogue() { # STATUS WORDS NAME: what is done to the published c of a resource (of the package p) from stdin
	cat >"$T/lie.py"
	people=$((people + 1))
	printf 'code,zone,n\n1,C,%s\n2,D,2\n' $people >"$T/data/villes.csv"
	bundle=$("$T/rogue/bin/clapet-outside" --config "$T/out/outside.json" sync --force 2>&1 | sed -n 's/^bundle \(.*\.tar\): .*/\1/p' | tail -n 1)
	run inside import "$bundle"
	is "$status" "$1" "$3"
	like "$output" "$2" "$3: by this line"
}
rm -rf "$T/in/store" && mkdir "$T/in/store" && inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
rogue 0 'villes: version .* in force' "an honest list" <<<'assert c["tolerated"] == [{"rule": "enum", "field": "zone", "count": 2}]'
rogue 3 'E4301 .*villes: villes row 2, field zone: "C" is not one of the values allowed \(and 1 more of this kind\)' "a list that is left out" <<<'del c["tolerated"]'
rogue 3 'E4301 .*villes: enum in zone, 2 faults, and the package lets 1 pass' "a number that is too small" <<<'c["tolerated"][0]["count"] = 1'
rogue 3 'E4301 .*field zone' "another column" <<<'c["tolerated"][0]["field"] = "code"'
rogue 0 'villes: version .* in force' "a number that is too large says no more than the truth" <<<'c["tolerated"][0]["count"] = 1000'
run inside status
like "$output" 'through +villes, .*enum in zone \(2\)' "for the inside counts by itself"
rogue 1 'E4402 .*clapet.tolerated: faults of extra-cell cannot be let through' "a rule that has no choice" <<<'c["tolerated"].append({"rule": "extra-cell", "count": 1})'
rogue 1 'E4402 .*clapet.tolerated: there is no rule' "a rule that is none" <<<'c["tolerated"][0]["rule"] = "everything"'
rogue 1 'E4402 .*clapet.tolerated' "an unknown member" <<<'c["tolerated"][0]["why"] = "because"'
rogue 1 'E4402 .*not sorted' "a list out of order" <<<'c["tolerated"].append({"rule": "blank-row", "count": 1})'
rogue 1 'E4402 .*is no list' "no list at all" <<<'c["tolerated"] = {"enum": 2}'
done_testing
