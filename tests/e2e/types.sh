#!/bin/bash
# SPDX-License-Identifier: ISC
# Table Schema v2: every type with every format, property and constraint through `validate`: cells that are good, and cells that are not, each
# found in its row. DESCRIPTOR | GOOD GOOD… | BAD BAD…, where ~ stands for a blank and _ for an empty cell.
. tests/lib.sh

judge() { # DESCRIPTOR FILE -> $status $output
	printf '{"fields": [{"name": "a", %s}, {"name": "row", "type": "integer"}]}' "$1" >"$T/schema.json"
	run "$BIN/clapet-outside" validate --json --schema "$T/schema.json" "$2"
}

cells() { # CELL… -> $T/cells.csv, each with its row
	local cell row=2
	echo a,row
	for cell in "$@"; do
		cell=${cell//\~/ }
		[ "$cell" = _ ] && cell=
		printf '"%s",%d\n' "${cell//\"/\"\"}" $row
		row=$((row + 1))
	done
}

set -f
while IFS='|' read -r descriptor good bad; do
	case $descriptor in '' | '#'*) continue ;; esac
	# shellcheck disable=SC2086
	cells $good >"$T/cells.csv"
	judge "$descriptor" "$T/cells.csv"
	is "$status" 0 "$descriptor: good:$good"
	unlike "$output" 'warning: ' "$descriptor: nothing to be said of it"
	# shellcheck disable=SC2086
	set -- $bad
	cells "$@" >"$T/cells.csv"
	judge "$descriptor" "$T/cells.csv"
	found=$(sed -n 's/^ *"rowNumber": \([0-9]*\).*/\1/p' <<<"$output" | sort -nu | tr '\n' ' ')
	is "$found" "$([ $# = 0 ] || seq 2 $(($# + 1)) | tr '\n' ' ')" "$descriptor: bad:$bad"
done <<'TABLE'
"type": "any" | x 1 _ |
"type": "any", "format": "default", "constraints": {"required": true} | x | _
"type": "string" | x 1 _ é |
"type": "string", "format": "email" | a@b.fr a.b+c@d-e.example | a a@b @b.fr a~@b.fr
"type": "string", "format": "uri" | https://a/b urn:x:y mailto:a@b | a /b www.example.org
"type": "string", "format": "binary" | YQ== YWI= YWJj | YQ= Y Y!==
"type": "string", "format": "uuid" | 01890e30-5a80-7c22-9842-8263d0d0d124 | 01890e305a807c2298428263d0d0d124 x
"type": "string", "constraints": {"minLength": 2, "maxLength": 3} | ab éàç | a abcd é
"type": "string", "constraints": {"pattern": "[A-Z]{2}([0-9]+)?"} | AB AB123 | A ABC 1AB AB1a
"type": "string", "constraints": {"pattern": "^é\\d+$"} | é1 | e1 é
"type": "string", "constraints": {"enum": ["a", "b"]} | a b _ | c A ab
"type": "string", "constraints": {"required": true, "unique": true} | a b c | _
"type": "string", "categories": ["a", "b"], "categoriesOrdered": true | a b | c
"type": "string", "categories": [{"value": "0", "label": "no"}, {"value": "1", "label": "yes"}] | 0 1 | no 2
"type": "string", "missingValues": ["-", "n/a"], "constraints": {"required": true} | a _ | - n/a
"type": "string", "missingValues": [{"value": "-", "label": "none"}], "constraints": {"minLength": 3} | - abc | ab
"type": "integer" | 1 -1 +1 007 0 | 1.0 1,0 a 1e3 0x1
"type": "integer", "bareNumber": false | 1% €95 95€ | a
"type": "integer", "groupChar": " " | 1~000 1000 | 1,000
"type": "integer", "constraints": {"minimum": 1, "maximum": "10"} | 1 10 05 | 0 11 -1
"type": "integer", "constraints": {"exclusiveMinimum": 1, "exclusiveMaximum": 3} | 2 | 1 3
"type": "integer", "constraints": {"enum": [1, "2"]} | 1 2 02 | 3
"type": "integer", "categories": [1, 2] | 1 2 | 3
"type": "integer", "categories": [{"value": 1, "label": "one"}] | 1 | 2 one
"type": "integer", "constraints": {"pattern": "[0-9]{2}"} | 12 | 1 123
"type": "number" | 1 1.5 -1e3 1E-3 NaN INF -INF .5 | 1,5 a 1.5.5 ++1
"type": "number", "decimalChar": ",", "groupChar": " " | 1,5 1~234,5 | 1.5
"type": "number", "decimalChar": ",", "groupChar": "." | 1.234,5 | 1,2,3
"type": "number", "bareNumber": false | €95.5 12% 3~km | a
"type": "number", "constraints": {"minimum": 0.1, "exclusiveMaximum": 1} | 0.1 0.10 0.99999999999999999999 | 0.09 1 1.0 NaN
"type": "number", "constraints": {"enum": [1.5, 2]} | 1.5 1.50 2.0 | 2.5
"type": "boolean" | true false True FALSE 1 0 | yes oui 2
"type": "boolean", "trueValues": ["oui", "o"], "falseValues": ["non"] | oui o non | true 1 Oui
"type": "boolean", "constraints": {"enum": [true]} | true 1 | false 0
"type": "date" | 2024-02-29 1999-12-31 | 2023-02-29 24-01-01 2024-1-1 2024-13-01 31/12/2024
"type": "date", "format": "default" | 2024-02-29 | 29/02/2024
"type": "date", "format": "any" | 29/02/2024 2024-02-29 | hello
"type": "date", "format": "%d/%m/%Y" | 29/02/2024 | 2024-02-29 30/02/2024
"type": "date", "format": "%d %B %y" | 1~March~24 | 1~Mars~24
"type": "date", "constraints": {"minimum": "2020-01-01", "maximum": "2020-12-31"} | 2020-01-01 2020-12-31 | 2019-12-31 2021-01-01
"type": "date", "format": "%d/%m/%Y", "constraints": {"exclusiveMinimum": "01/01/2020"} | 02/01/2020 | 01/01/2020
"type": "date", "constraints": {"enum": ["2020-01-01"]} | 2020-01-01 | 2020-01-02
"type": "time" | 12:00:00 23:59:59 12:00:00Z 12:00:00.5 | 24:00:01 12:00 noon
"type": "time", "format": "%H:%M" | 12:30 | 12:60 25:00
"type": "time", "format": "any" | 3:00~am 12:30 | hello
"type": "time", "constraints": {"minimum": "08:00:00"} | 08:00:00 | 07:59:59
"type": "datetime" | 2024-02-29T12:00:00Z 2024-02-29T12:00:00 2024-02-29T12:00:00+02:00 | 2024-02-29 2023-02-29T12:00:00 x
"type": "datetime", "format": "%d/%m/%Y %H:%M" | 29/02/2024~12:30 | 2024-02-29T12:30:00
"type": "datetime", "format": "any" | 10th~Jan~1969~9~am | hello
"type": "datetime", "constraints": {"maximum": "2024-01-01T00:00:00Z"} | 2024-01-01T00:00:00Z 2024-01-01T01:00:00+01:00 | 2024-01-01T00:00:01Z
"type": "year" | 2024 0001 | 24 20245 x
"type": "year", "constraints": {"minimum": "2000", "maximum": 2010} | 2000 2010 | 1999 2011
"type": "yearmonth" | 2024-01 | 2024 2024-13 2024-1 01-2024
"type": "yearmonth", "constraints": {"maximum": "2024-06"} | 2024-06 | 2024-07
"type": "duration" | P1Y P1Y2M3DT4H5M6.5S PT1S P2W -P1D | P 1Y P1S PT P1YT
"type": "duration", "constraints": {"minimum": "P1D", "maximum": "P1M"} | PT24H P27D P1M | PT23H P32D P30D
"type": "duration", "constraints": {"enum": ["P1Y"]} | P1Y P12M | P365D
"type": "object" | {} {"a":1} | [] 1 {"a" x
"type": "object", "constraints": {"minLength": 1, "maxLength": 2} | {"a":1} | {} {"a":1,"b":2,"c":3}
"type": "object", "constraints": {"jsonSchema": {"required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1}}, "additionalProperties": false}} | {"a":1} {"a":2.0} _ | {} {"a":0} {"a":"x"} {"a":1,"b":2} []
"type": "object", "constraints": {"jsonSchema": {"$defs": {"n": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, "properties": {"next": {"$ref": "#/$defs/n"}}, "required": ["next"]}} | {"next":null} {"next":{"next":null}} | {"next":{}} {}
"type": "array", "constraints": {"jsonSchema": {"items": {"type": "string", "pattern": "^[0-9]{5}$"}, "minItems": 1, "uniqueItems": true}} | ["75056"] ["75056","13055"] | [] ["7505"] [75056] ["75056","75056"] {}
"type": "geojson", "constraints": {"jsonSchema": {"properties": {"type": {"enum": ["Point"]}, "coordinates": {"maxItems": 2}}}} | {"type":"Point","coordinates":[2.35,48.85]} | {"type":"Point","coordinates":[2.35,48.85,0]} {"type":"MultiPoint","coordinates":[[2.35,48.85]]} {}
"type": "array" | [] [1,"a"] | {} 1 [1
"type": "array", "constraints": {"minLength": 2} | [1,2] | [1]
"type": "list" | a,b a _ |
"type": "list", "delimiter": ";", "itemType": "integer" | 1;2;3 1 | 1,2 1;;2 a;1
"type": "list", "itemType": "boolean" | true,false | yes,no
"type": "list", "itemType": "number" | 1.5,2 | a,2
"type": "list", "itemType": "date" | 2024-01-01,2024-02-29 | 2023-02-29
"type": "list", "itemType": "time" | 12:00:00 | 12
"type": "list", "itemType": "datetime" | 2024-01-01T00:00:00Z | 2024-01-01
"type": "list", "itemType": "string", "constraints": {"minLength": 2, "maxLength": 3} | a,b a,b,c | a a,b,c,d
"type": "geopoint" | 2.35,48.85 2.35,~48.85 -180,90 | 48.85 181,0 0,91 a,b [2,48]
"type": "geopoint", "format": "array" | [2.35,48.85] | 2.35,48.85 [1] [1,2,3] [200,0]
"type": "geopoint", "format": "object" | {"lon":2.35,"lat":48.85} | {"lon":2.35} [2.35,48.85] {"lon":200,"lat":0}
"type": "geojson" | {"type":"Point","coordinates":[2.35,48.85]} | {} {"type":"Dot"} {"type":"Point"} []
"type": "geojson", "format": "topojson" | {"type":"Topology","objects":{},"arcs":[]} | {} {"type":"Topology"}
TABLE
set +f

# A jsonSchema says where it is not kept, and what of it is not checked; out of form it is refused.
cells '{"a":{"b":"x"}}' '{"a":{"b":1}}' >"$T/cells.csv"
judge '"type": "object", "constraints": {"jsonSchema": {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}}}' "$T/cells.csv"
is "$status" 1 "jsonSchema: a cell that does not keep it"
like "$output" "does not keep the field's jsonSchema: /a/b is not an integer" "and where"
like "$output" '"jsonSchema": 1|"rule": "jsonSchema"' "counted as jsonSchema"
judge '"type": "object", "constraints": {"jsonSchema": {"properties": {"a": {"format": "date", "$ref": "https://a.example/b"}}}}' "$T/cells.csv"
is "$status" 0 "jsonSchema: what is not checked stops nothing"
like "$output" 'field a: jsonSchema: /properties/a/format is not checked' "a keyword that is not checked is told"
like "$output" 'jsonSchema: /properties/a/\$ref leads out of the schema' "a reference to elsewhere too"
judge '"type": "object", "constraints": {"jsonSchema": {"properties": {"a": {"type": "text"}}}}' "$T/cells.csv"
is "$status" 1 "jsonSchema: out of form"
like "$output" 'field a: jsonSchema: /properties/a/type is no type' "with its place"
judge '"type": "object", "constraints": {"jsonSchema": {"$ref": "#"}}' "$T/cells.csv"
is "$status" 1 "jsonSchema: a reference to itself"
like "$output" "cannot be decided within bounds by the field's jsonSchema" "cannot be decided"
judge '"type": "string", "constraints": {"jsonSchema": {"type": "integer"}}' "$T/cells.csv"
is "$status" 0 "jsonSchema: of a text"
like "$output" 'field a: jsonSchema is not for the type string, and is not checked' "told, and not checked"
done_testing
