#!/bin/bash
# SPDX-License-Identifier: ISC
# Keys past a small bound of memory, through both hosts: what is good comes into force, what is there twice is found in its row outside, and
# by a contract's key inside; no file stays behind.
. tests/lib.sh
. tests/world.sh

# rows LAST: 30,000 rows of which the last has this code
rows() { { echo code,nom,n; awk -v last="$1" 'BEGIN { for (i = 1; i < 30000; i++) print i ",x" i % 20000 "," i; print last ",y,0" }'; } >"$T/data/villes.csv"; }
# left: what of the two hosts' files of keys is still there
left() { find "$T/out" "$T/in" -name '.clapet-keys*' -o -name '.plain-*'; }

# shellcheck disable=SC2034
WORLD_INSIDE='"keyMemory": 65536'
world_new
sed -i 's/"allowFile"/"limits": {"keyMemory": 65536}, "allowFile"/' "$T/out/outside.json"
run outside check
unlike "$output" 'keyMemory' 'check takes the outside setting'
world_source villes "code:integer nom:string n:integer"
sed -i 's/"schema": {/"schema": {"primaryKey": "code", "foreignKeys": [{"fields": "n", "reference": {"fields": "code"}}], /' "$T/out/sources/villes/datapackage.json"

rows 0
world_sync
run inside import "$bundle"
is "$status" 0 'good rows, more than the memory holds: in force'
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 30001 'all of them'
is "$(left)" '' 'no file of keys stays'

rows 17
run outside sync --force
is "$status" 1 'a key twice: exit 1'
like "$output" 'row 30001.*"17" is the same as in row 18' 'with both rows'
like "$(cat "$T/out/state/villes/report.json")" '"rule": "foreign-key"' 'the report has the reference that is broken by it, too'

rows 0
echo '{"format": "clapet contract 1", "application": "paie", "dataset": "villes", "resources": [{"name": "villes", "fields": [{"name": "nom", "type": "string", "constraints": {"unique": true}}]}]}' >"$T/in/contracts/paie.json"
sed -i '2s/x1/x2/' "$T/data/villes.csv"
world_sync
run inside import "$bundle"
is "$status" 3 "a contract's key that the rows break: held"
like "$output" 'paie reads villes.nom: villes row 3.*"x2" is the same as in row 2' 'and named'
is "$(left)" '' 'no file of keys stays then either'

sed -i 's/"keyMemory": 65536/"keyMemory": 65535/' "$T/in/inside.json"
run inside check
is "$status" 2 'too little memory: the configuration is refused'
like "$output" 'keyMemory' 'by its name'
sed -i 's/"keyMemory": 65536/"keyMemory": "1"/' "$T/out/outside.json"
run outside check
is "$status" 2 'outside, too'
like "$output" 'keyMemory' 'by its name'

done_testing
