#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-outside validate: exit status, lines, JSON; evil schemas, packages and tables, each with its one refusal.
. tests/lib.sh

EVIL=$PWD/tests/evil/schemas
validate() { run "$BIN/clapet-outside" validate "$@"; }

# refused CODE SCHEMA-OR-PACKAGE TEXT
refused() {
	local option=--schema csv=$EVIL/good.csv
	case $2 in *.package.json) option=--package csv= ;; esac
	validate $option "$EVIL/$2" ${csv:+"$csv"}
	is "$status" "${4:-1}" "$2: exit ${4:-1}"
	like "$output" "$1 [A-Z]+ .*$3" "$2: $1, $3"
}

# invalid CSV SCHEMA-or-'' TEXT
invalid() {
	validate ${2:+--schema "$EVIL/$2"} "$EVIL/$1"
	is "$status" 1 "$1: exit 1"
	like "$output" "$3" "$1: $3"
}

validate --schema "$EVIL/good.schema.json" "$EVIL/good.csv"
is "$status" 0 'a valid table: exit 0'
like "$output" 'good.csv: valid, 1 rows' 'and one line'

refused E4102 type-unknown.schema.json 'field a: type "colour"'
refused E4102 format-unknown.schema.json 'format "quarter"'
refused E4102 pattern-broken.schema.json 'does not compile'
refused E4102 bound-of-another-type.schema.json 'minimum is not of the field.s type'
refused E4102 name-twice.schema.json 'two fields are called a'
refused E4102 key-over-nothing.schema.json 'there is no field b'
refused E4003 json-deep.schema.json 'deeper'
refused E4002 json-key-twice.package.json 'line 1'
refused E4001 json-mark.package.json 'byte order mark'
refused E4101 escape-char.package.json 'escapeChar'
refused E4101 name-path.package.json '"\.\./good"'
refused E9001 schema-outside.package.json 'Makefile' 2
refused E9001 path-outside.package.json 'Makefile' 2
refused E4101 reference-to-nothing.package.json 'none, which is no resource'

invalid quote-open.csv '' 'row 2 \(byte 2\): .*not closed.*source-error'
invalid quote-inside.csv '' 'row 2 \(byte 2\): a quote within'
invalid quote-after.csv '' 'row 2 \(byte 2\)'
invalid latin-1.csv '' 'source-error'
invalid split-character.csv '' 'source-error'
invalid surrogate.csv '' 'source-error'
invalid overlong.csv '' 'source-error'
invalid blank-line.csv '' 'blank-line.csv:2: the row is blank \(blank-row\)'
invalid empty.csv '' 'blank-header'
invalid control.csv integer.schema.json 'field a: "\\x1b\[2J\\x07" is not an integer \(type-error\)'
invalid pattern-explodes.csv pattern-explodes.schema.json 'cannot be decided within bounds.*pattern-limit'
like "$output" '300 faults in 300 rows' 'all 300 rows of it are counted'
validate --schema "$EVIL/good.schema.json" --encoding latin-1 "$EVIL/latin-1.csv"
is "$status" 0 'with its charset named it is valid'

validate --schema "$EVIL/integer.schema.json" --json "$EVIL/good.csv"
is "$status" 1 '--json: exit 1'
like "$output" '"type": "type-error"' '--json names the type'
like "$output" '"rowNumber": 2' '--json counts the header as row 1'

# --- the page, and whole rows ---
printf 'code;name;people\n01001;Ab\351r<b>;12\n0100x;Amb;12a\n' >"$T/towns.csv"
printf '{"fields": [{"name": "code", "constraints": {"pattern": "[0-9]{5}"}}, {"name": "name"}, {"name": "people", "type": "integer"}]}' >"$T/towns.json"
validate --schema "$T/towns.json" --delimiter ';' --encoding windows-1252 --html "$T/page.html" "$T/towns.csv"
is "$status" 1 '--html: exit 1'
like "$output" 'towns.csv:3: field people: "12a" is not an integer' '--html: and the lines'
ok '--html: well-formed, self-contained' python3 -c 'import sys, xml.dom.minidom as x; d = x.parse(sys.argv[1]); assert not d.getElementsByTagName("script") and not d.getElementsByTagName("link") and not d.getElementsByTagName("img")' "$T/page.html"
like "$(cat "$T/page.html")" 'Not valid: 2 errors' '--html: the verdict'
like "$(cat "$T/page.html")" '<td class="bad">0100x</td><td>Amb</td><td class="bad">12a</td>' '--html: the row, with what is wrong in it'
validate --schema "$T/towns.json" --delimiter ';' --encoding windows-1252 --json "$T/towns.csv"
ok '--json: the cells of the row' python3 -c 'import json, sys; e = json.loads(sys.argv[1])["tasks"][0]["errors"]; assert [x["cells"] for x in e] == [["0100x", "Amb", "12a"]] * 2' "$output"
validate --schema "$T/towns.json" --delimiter ';' --encoding windows-1252 --html "$T/absent/page.html" "$T/towns.csv"
is "$status" 2 '--html: a folder that is not there: exit 2'
like "$output" 'absent/page.html: No such file' '--html: and it is named'
if [ -w /dev/full ]; then
	validate --schema "$T/towns.json" --delimiter ';' --encoding windows-1252 --html /dev/full "$T/towns.csv"
	is "$status" 2 '--html: a full disk: exit 2'
	like "$output" '/dev/full: No space left' '--html: and it is said'
fi

# Enough rows for several pieces: threads start within the sandbox, and the report is the same.
awk 'BEGIN { print "a"; for (i = 1; i <= 200000; i++) print i % 50000 == 0 ? "x" : i }' >"$T/many.csv"
validate --schema "$EVIL/integer.schema.json" --threads 1 --json "$T/many.csv"
is "$status" 1 'many rows, one thread: exit 1'
alone=$output
for threads in 2 3 7; do
	validate --schema "$EVIL/integer.schema.json" --threads $threads --json "$T/many.csv"
	is "$status" 1 "many rows, $threads threads: exit 1"
	ok "$threads threads give the report of one" test "$output" = "$alone"
done
like "$alone" '"rowNumber": 150001' 'which names the rows'
validate --threads 0 "$EVIL/good.csv"
is "$status" 2 'no thread: usage'

# --- keys past their memory: the same report through the file, from a file or a pipe; no room for it is trouble, not a verdict ---
printf '{"primaryKey": "a", "uniqueKeys": [["a", "b"]], "fields": [{"name": "a", "type": "integer"}, {"name": "b"}]}' >"$T/keys.json"
awk 'BEGIN { print "a,b"; for (i = 1; i <= 30000; i++) print (i > 29900 ? i - 100 * (i % 3) : i) ",x" }' >"$T/keys.csv"
validate --schema "$T/keys.json" --json "$T/keys.csv"
is "$status" 1 'keys twice: exit 1'
alone=$output
like "$alone" '"is the same as in row 29803"' 'which names the first row'
for options in '--key-memory 65536' '--key-memory 300000 --threads 4'; do
	validate --schema "$T/keys.json" $options --json "$T/keys.csv"
	is "$status" 1 "$options: exit 1"
	ok "$options: the report that memory gives" test "$output" = "$alone"
done
validate --schema "$T/keys.json" --key-memory 65536 --statistics "$T/keys.csv"
like "$output" '60000 keys in at most [0-9]{5} bytes of memory and [1-9][0-9]{6} of the file' '--statistics: what went to the file'
run bash -c 'cat "$1" | "$2" validate --schema "$3" --key-memory 65536 /dev/stdin | sed "s,/dev/stdin,$1,"' - "$T/keys.csv" "$BIN/clapet-outside" "$T/keys.json"
piped=$output
validate --schema "$T/keys.json" "$T/keys.csv"
ok 'from a pipe, too' test "$output" = "$piped"
run env TMPDIR="$T/absent" "$BIN/clapet-outside" validate --schema "$T/keys.json" --key-memory 65536 "$T/keys.csv"
is "$status" 2 'nowhere to put keys: exit 2'
like "$output" 'E9004 .*opening the file of keys.*No such file' 'one line says why'
ok 'and no verdict' sh -c '! printf "%s" "$1" | grep -q "valid"' - "$output"
run env TMPDIR="$T/absent" "$BIN/clapet-outside" validate --schema "$T/keys.json" "$T/keys.csv"
is "$status" 1 'it is no matter while memory lasts'
run bash -c 'ulimit -f 200; exec "$@"' - "$BIN/clapet-outside" validate --schema "$T/keys.json" --key-memory 65536 "$T/keys.csv"
is "$status" 2 'a file that may not grow: exit 2'
like "$output" 'E9004 .*writing the file of keys.*File too large' 'and why'
ok 'nothing stays behind' sh -c 'test -z "$(find "$1" -name ".clapet-keys*")"' - "$T"
validate --key-memory 1 "$EVIL/good.csv"
is "$status" 2 'a byte of memory: usage'

mkdir "$T/p"
printf '{"resources": [{"name": "towns", "path": "towns.csv", "encoding": "windows-1252", "dialect": {"delimiter": ";"}, "schema": "towns.json"}, {"name": "regions", "path": "regions.csv", "schema": {"primaryKey": "code", "fields": [{"name": "code"}, {"name": "name"}]}}]}' >"$T/p/datapackage.json"
printf '{"fields": [{"name": "name"}, {"name": "region"}], "foreignKeys": [{"fields": "region", "reference": {"resource": "regions", "fields": "code"}}]}' >"$T/p/towns.json"
printf 'name;region\nN\356mes;76\nLyon;84\n' >"$T/p/towns.csv"
printf 'code,name\n76,Occitanie\n84,x\n' >"$T/p/regions.csv"
validate --package "$T/p/datapackage.json"
is "$status" 0 'a package with a charset, a dialect, a schema by path and a forward reference'
like "$output" 'towns.csv: valid, 2 rows' 'each table has its line'
printf 'code,name\n76,Occitanie\n' >"$T/p/regions.csv"
validate --package "$T/p/datapackage.json"
is "$status" 1 'a broken reference: exit 1'
like "$output" 'towns.csv:3: field region: is not found in regions as code \(foreign-key\)' 'with its row'
validate --package "$T/p/datapackage.json" "$T/p/regions.csv"
is "$status" 0 'one file of a package by its name'
validate --package "$T/p/datapackage.json" "$EVIL/good.csv"
is "$status" 2 'a file that is no resource: exit 2'

# Comments, a header of two rows, a null sequence: the rows that are named are those of the file.
mkdir "$T/rows"
printf '{"resources": [{"name": "t", "path": "t.csv", "dialect": {"commentChar": "#", "commentRows": [2], "headerRows": [3, 4], "headerJoin": "/", "nullSequence": "NULL"}, "schema": {"fields": [{"name": "town/code"}, {"name": "town/people", "type": "integer"}]}}]}' >"$T/rows/datapackage.json"
printf '# of "us", it'"'"'s\n"a\ntitle",\ntown,town\ncode,people\n1,NULL\n#,\n2,many\n3,4\n' >"$T/rows/t.csv"
for threads in 1 3; do
	validate --threads "$threads" --package "$T/rows/datapackage.json"
	is "$status" 1 "an unusual dialect, $threads threads: exit 1"
	like "$output" 't.csv:7: field town/people: "many" is not an integer' 'its row is that of the file'
	like "$output" 't.csv: not valid, 1 faults in 3 rows' 'and nothing else is wrong'
done
"$BIN/clapet-outside" validate --json --package "$T/rows/datapackage.json" >"$T/report.json" 2>/dev/null
ok 'the excerpt is that row, and three rows are counted' python3 -c 'import json, sys
text = open(sys.argv[1]).read()
task = json.loads(text)["tasks"][0]
sys.exit(not (task["stats"]["rows"] == 3 and task["errors"][0]["cells"] == ["2", "many"]))' "$T/report.json"
is "$(grep -c missingValues <<<"$output")" 0 'with the default missingValues nothing is told'
sed -i 's/"schema": {/&"missingValues": ["-"], /' "$T/rows/datapackage.json"
validate --package "$T/rows/datapackage.json"
like "$output" "cells that are the dialect's nullSequence are read as empty, which missingValues lacks" 'without an empty text in them it is'
sed -i 's/"commentRows": \[2\]/"escapeChar": "|"/' "$T/rows/datapackage.json"
validate --package "$T/rows/datapackage.json"
like "$output" 'dialect: escapeChar is not supported' 'escapes are refused'

validate
is "$status" 2 'no arguments: exit 2'
validate "$T/absent.csv"
is "$status" 2 'no such file: exit 2'

done_testing
