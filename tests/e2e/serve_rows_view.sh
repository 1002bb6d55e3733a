#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_rows_view.sh: a view that shows some rows shows these alone, whatever is asked: filters, order, whole tables, comparisons; and no file.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

mkdir -p "$T/in"
serve_config
WORLD_INSIDE="$WORLD_INSIDE, \"access\": \"access.json\", \"rows\": true"
cat >"$T/in/access.json" <<JSON
{"format": "clapet access 1", "default": {"access": "open"},
 "views": [{"name": "ain", "title": "Ain", "access": "open", "datasets": ["villes"],
   "rows": [{"dataset": "villes", "resource": "villes", "column": "dep", "value": "01"}]},
  {"name": "odd", "title": "Odd", "access": "open", "datasets": ["villes"],
   "rows": [{"dataset": "villes", "resource": "villes", "column": "commune", "value": "01"}]}]}
JSON
world_new
world_source villes "code:string dep:string n:integer"
sed -i 's/"schema": {/"schema": {"primaryKey": "code", /' "$T/out/sources/villes/datapackage.json"
world_data villes code,dep,n 01001,01,1 01002,01,2 02001,02,3 2A001,2A,4
world_sync && inside import "$bundle" >/dev/null
old=$(basename "$(readlink "$T/in/store/current/villes")")
world_data villes code,dep,n 01001,01,1 01002,01,9 01003,01,5 02001,02,7 02002,02,8
world_sync && inside import "$bundle" >/dev/null
serve_start || { _result 1 "the server starts"; done_testing; }

rows() { # QUESTION
	get "/views/ain/datasets/villes/villes$1"
	tail -n +2 "$body" | cut -d, -f1 | tr '\n' ' '
}
is "$(rows '')" "01001 01002 01003 " "all that a view shows of a table"
is "$(rows '?code=02001')" "" "not another's row by its key"
is "$(rows '?dep=02&dep=01')" "01001 01002 01003 " "nor by an alternative to the view's own condition"
is "$(rows '?dep=02')" "" "nor by another value"
is "$(rows '?sort=-n')" "01002 01003 01001 " "in order"
is "$(rows '?n.min=5&limit=9')" "01002 01003 " "in ranges"
is "$(rows '?dep.null=false&clapet_row.min=1')" "01001 01002 01003 " "by numbers of rows"
get /datasets/villes/villes
is "$(wc -l <"$body")" 6 "outside of the view all rows are there"
for path in rows.sqlite villes.csv; do
	get "/views/ain/datasets/villes/$path"
	is "$status_code" 403 "no $path in such a view"
done
get "/views/ain/datasets/villes/diff?from=$old"
is "$(body_json '[d["resources"][0][k] for k in ("added", "removed", "changed", "unchanged")]')" "[1, 0, 1, 1]" "a comparison counts the view's rows"
get "/views/ain/datasets/villes/diff?from=$old&format=ndjson"
is "$(grep -c . "$body") $(grep -c '"02' "$body")" "2 0" "and tells of these"
get /views/odd/datasets/villes/villes
is "$status_code" 400 "a view whose column the table lacks shows nothing"
unlike "$(cat "$body")" 01001 "not even by mistake"
done_testing
