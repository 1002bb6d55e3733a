#!/bin/bash
# SPDX-License-Identifier: ISC
# diff.sh: what changed between two versions, by key, by whole rows, after a change of columns or key, as lines, CSV, JSON; past its memory;
# and everything that it refuses.
. tests/lib.sh
. tests/world.sh
diff_() { run inside diff "$@"; }

# A source "villes" with the tables villes (FIELDS, and more of its schema) and rues (no key).
source_villes() { # SCHEMA-OF-VILLES [MORE-RESOURCES]
	mkdir -p "$T/out/sources/villes"
	cat >"$T/out/sources/villes/datapackage.json" <<-JSON
	{"name": "villes", "title": "Villes", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"}, "resources": [
	 {"name": "villes", "path": "file://$T/data/villes.csv", "format": "csv", "encoding": "utf-8", "schema": $1},
	 {"name": "rues", "path": "file://$T/data/rues.csv", "format": "csv", "encoding": "utf-8",
	  "schema": {"fields": [{"name": "rue", "type": "string"}, {"name": "n", "type": "integer"}]}}${2:-}]}
	JSON
}
# Brings the data over; $version is then the one in force.
bring() {
	world_sync && inside import "$bundle" >/dev/null
	version=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
}
json() { printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }

three='{"fields": [{"name": "code", "type": "string"}, {"name": "nom", "type": "string"}, {"name": "pop", "type": "integer"}], "primaryKey": "code"}'
world_new
source_villes "$three"
world_data villes code,nom,pop 01001,Abergement,771 01002,Ambérieu,3 01003,'"L, ""x"""',4 01004,Ambléon,5
world_data rues rue,n a,1 a,1 b,2 c,3
bring
first=$version
diff_ villes
is "$status" 2 "with one version there is nothing to compare"
like "$output" 'no version is known to have been in force before' "and it says so"

world_data villes code,nom,pop 01004,Ambléon,5 01001,Abergement,772 01003,'"L, ""y"""',40 01005,Andert,6
world_data rues rue,n a,1 b,2 c,3 c,3
bring
second=$version
diff_ villes
is "$status" 0 "the version in force against the one before"
like "$output" "villes: from version $first to $second" "both are named"
like "$output" 'villes/villes, by code: 1 rows added, 1 removed, 2 changed, 1 unchanged' "rows are counted by key, wherever they stand"
like "$output" '  nom: 1 cells changed' "and cells by column"
like "$output" '  pop: 2 cells changed' "of each"
like "$output" 'villes/rues, by whole rows: 1 rows added, 1 removed, 0 changed, 3 unchanged' "without a key rows are a multiset"
first_lines=$output
diff_ villes "${first:0:6}"
is "$output" "$first_lines" "the first digits of a version name it"
diff_ villes "$first" "$second"
is "$output" "$first_lines" "and two versions may be named"
diff_ villes "$second" "$first"
like "$output" 'villes/rues, by whole rows: 1 rows added, 1 removed' "in whichever order"
diff_ villes "$second" "$second"
like "$output" 'villes/villes: unchanged' "a version against itself is unchanged"
diff_ --csv villes/villes
is "$output" 'change,changed,code,nom,pop
removed,,01002,Ambérieu,3
before,pop,01001,Abergement,771
after,pop,01001,Abergement,772
before,nom|pop,01003,"L, ""x""",4
after,nom|pop,01003,"L, ""y""",40
added,,01005,Andert,6' "as CSV, each difference with its rows"
diff_ --csv villes
is "$status" 2 "of two tables --csv takes one"
like "$output" '2 tables; --csv takes one: name it as villes/' "and says how"
run inside --json diff villes
is "$status" 0 "as JSON"
is "$(json 'd["from"], d["to"]')" "$first $second" "with both versions"
is "$(json 'd["resources"][0]["key"], d["resources"][0]["cells"], d["resources"][0]["unchanged"]')" "['code'] {'nom': 1, 'pop': 2} 1" "key, cells, counts"
is "$(json '[c["change"] for c in d["resources"][0]["changes"]]')" "['removed', 'changed', 'changed', 'added']" "and each difference"
is "$(json 'd["resources"][0]["changes"][2]')" "{'change': 'changed', 'rowBefore': 4, 'row': 4, 'key': {'code': '01003'}, 'cells': {'nom': {'before': 'L, \"x\"', 'after': 'L, \"y\"'}, 'pop': {'before': '4', 'after': '40'}}}" "a changed row with its cells, before and after"
is "$(json 'd["resources"][1]["changes"]')" "[{'change': 'removed', 'row': 3, 'cells': {'rue': 'a', 'n': '1'}}, {'change': 'added', 'row': 4, 'cells': {'rue': 'c', 'n': '3'}}]" "of whole rows, the rows"

# Other columns, another key, a resource that is new and one that is no table.
source_villes '{"fields": [{"name": "code", "type": "string"}, {"name": "maire", "type": "string"}, {"name": "nom", "type": "string"}], "primaryKey": ["code", "nom"]}' \
	", {\"name\": \"notes\", \"path\": \"file://$T/data/notes.json\", \"format\": \"json\"}"
echo '{"a": 1}' >"$T/data/notes.json"
world_data villes code,maire,nom 01004,X,Ambléon 01001,Y,Abergement 01003,Z,'"L, ""y"""' 01005,V,Andert 01006,W,Anglefort
bring
if [ "$version" = "$second" ]; then inside approve villes --reason "columns are to change" >/dev/null; fi
version=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
third=$version
not_ok "another version came in force" [ "$third" = "$second" ]
diff_ villes
like "$output" 'villes/villes, by code \+ nom: 1 rows added, 0 removed, 0 changed, 4 unchanged' "rows are compared in the columns that both have"
like "$output" 'the primary key is another one now' "a changed key is told"
like "$output" 'the schema is another one now' "and a changed schema"
like "$output" 'column maire: added' "a column that is new"
like "$output" 'column pop: removed' "and one that is gone"
like "$output" 'villes/notes: added' "a resource that is new"
like "$output" 'villes/rues: unchanged' "and one that is the same"
diff_ --csv villes/villes
is "$output" 'change,changed,code,maire,nom,pop
added,,01006,W,Anglefort,' "the CSV has the columns of both"
diff_ villes "$third" "$second"
like "$output" 'by code: 0 rows added, 1 removed, 0 changed, 4 unchanged' "the other way round it is the other key"
echo '{"a": 2}' >"$T/data/notes.json"
bring
diff_ villes
like "$output" 'villes/notes: changed, and no table on both sides' "what is no table has changed or not"
diff_ --csv villes/notes
like "$output" 'E[0-9]+ .*villes/notes: no table of both versions' "and has no rows to print"

# What it refuses.
diff_
is "$status" 2 "a dataset is required"
diff_ villes 1 2 3
is "$status" 2 "three versions are too many"
run inside --json diff villes --csv
is "$status" 2 "CSV or JSON, not both"
diff_ rues
is "$status" 2 "an unknown dataset is refused"
like "$output" 'nothing of rues is in force' "by name"
diff_ ../villes
like "$output" 'no dataset.s name' "and what can be no name"
diff_ villes/x
like "$output" 'villes/x: neither version has it' "and an unknown resource"
diff_ villes 0000000000000000
is "$status" 2 "an unknown version is refused"
like "$output" 'no version 0000000000000000 is here; see .clapet-inside history villes' "with where to look"
diff_ villes abc
like "$output" 'at least 4 of its digits' "too few digits are refused"
mkdir "$T/in/store/datasets/villes/v/${third:0:4}000000000000"
diff_ villes "${third:0:4}"
like "$output" "2 versions begin with ${third:0:4}: .*$third" "so is an ambiguous one, with those that it may mean"
rmdir "$T/in/store/datasets/villes/v/${third:0:4}000000000000"

# Past its memory: everything goes through the file, and nothing else changes.
source_villes "$three"
python3 - "$T/data/villes.csv" 1 <<'END'
import random, sys
random.seed(1)
rows = ["%05d,nom %d,%d" % (i, i, i % 97) for i in range(20000)]
random.shuffle(rows)
open(sys.argv[1], "w").write("code,nom,pop\n" + "\n".join(rows) + "\n")
END
bring
inside approve villes --reason "columns are to change" >/dev/null 2>&1
python3 - "$T/data/villes.csv" <<'END'
import random, sys
rows = open(sys.argv[1]).read().split("\n")[1:-1]
random.seed(2)
random.shuffle(rows)
rows = ["%s,%s,7777" % tuple(r.split(",")[:2]) if i % 1000 == 0 else r for i, r in enumerate(rows)][:-5] + ["9%04d,neu,1" % i for i in range(1000, 1003)]
open(sys.argv[1], "w").write("code,nom,pop\n" + "\n".join(rows) + "\n")
END
bring
diff_ villes/villes
like "$output" 'by code: 3 rows added, 5 removed, 20 changed, 19975 unchanged' "two files in another order"
in_memory=$(inside diff --csv villes/villes | sha256sum)
sed -i 's/"format": "clapet inside configuration 1",/& "keyMemory": 65536,/' "$T/in/inside.json"
is "$(inside diff --csv villes/villes | sha256sum)" "$in_memory" "with 64 KiB of memory they differ in the same rows"
is "$(find "$T/in/spool" -type f | wc -l)" 0 "and nothing is left behind"
chmod 0 "$T/in/spool"
run env TMPDIR="$T/none" "$BIN/clapet-inside" --config "$T/in/inside.json" diff villes/villes
if [ "$(id -u)" = 0 ]; then
	is "$status" 0 "(root may write into any spool)"
else
	is "$status" 2 "without a place for it that is trouble, not a wrong answer"
	like "$output" 'opening the file of keys' "which is named"
fi
chmod 700 "$T/in/spool"

# Damage.
object=$(sha256sum "$T/in/store/datasets/villes/v/"*/villes.csv | sort -u -k1,1 | head -1 | cut -d' ' -f1)
not_ok "there is an object to damage" [ -z "$object" ]
current=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
chmod u+w "$T/in/store/datasets/villes/v/$current/villes.csv"
printf '12345,"open\n' >>"$T/in/store/datasets/villes/v/$current/villes.csv"
diff_ villes/villes
is "$status" 1 "a damaged file is refused"
like "$output" "E[0-9]+ .*villes/villes: $current, row [0-9]+: quotes as the plain form does not have them" "with version and row"

done_testing
