#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_views.sh: a view gives its readers some rows and no more, whatever they ask; and usage says which columns were read.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

mkdir -p "$T/in" "$T/accesslog"
serve_config "\"accessLog\": \"$T/accesslog\""
WORLD_INSIDE="$WORLD_INSIDE, \"access\": \"access.json\", \"rows\": true"
cat >"$T/in/access.json" <<'JSON'
{"format": "clapet access 1", "default": {"access": "private"},
 "views": [{"name": "bourg", "title": "Bourg", "access": "private", "datasets": ["villes"],
   "rows": [{"dataset": "villes", "resource": "villes", "column": "dep", "value": "01"}]},
  {"name": "odd", "title": "Odd", "access": "open", "datasets": ["villes"],
   "rows": [{"dataset": "villes", "resource": "villes", "column": "gone", "value": "01"}]}]}
JSON
world_new
world_source villes "code:string nom:string dep:string"
world_data villes code,nom,dep 01001,Abergement,01 38001,Abrets,38
world_sync && inside import "$bundle" >/dev/null
world_data villes code,nom,dep 01001,Abergement,01 01002,Ambérieu,01 38001,LesAbrets,38 38002,Adrets,38
world_sync && inside import "$bundle" >/dev/null
commune=$(inside key add --owner bourg --view bourg 2>/dev/null)
insider=$(inside key add --owner insider --dataset villes 2>/dev/null)
serve_start || { _result 1 "the server starts"; done_testing; }
ask() { get "/views/bourg$1" -H "Authorization: Bearer $commune"; }

get /datasets/villes/villes -H "Authorization: Bearer $insider"
is "$status_code $(grep -c , "$body")" "200 5" "who may read the dataset reads all rows"
ask /datasets/villes/villes
is "$status_code" 200 "a view gives rows"
is "$(tail -n +2 "$body" | cut -d, -f1 | tr '\n' ' ')" "01001 01002 " "those that it shows"
is "$(header etag | grep -c "$(sha256sum <"$T/in/store/current/villes/villes.csv" | cut -c1-64)")" 0 "without the digest of the whole"
leaked=
for query in 'dep=38' 'dep=01&dep=38' 'dep.min=0' 'code=38001' 'code.max=99' 'dep.null=true' 'dep.null=false' 'columns=code' 'columns=nom&sort=-code' \
	'limit=1000' 'format=json' 'format=ndjson' 'for=tableur' 'offset=1' "code=38001'%20OR%20'1'='1" 'code=38001%22%20OR%20%22%22=%22'; do
	ask "/datasets/villes/villes?$query"
	grep -Eq '38001|38002|Abrets|Adrets' "$body" && leaked="$leaked $query"
done
is "$leaked" "" "whatever is asked, no other row is given"
ask '/datasets/villes/villes?dep=38'
is "$(grep -c 3800 "$body")" 0 "also where the filter's own column is asked for"
for path in villes.csv rows.sqlite datapackage.json provenance.intoto.json; do
	ask "/datasets/villes/$path"
	is "$status_code" 403 "$path is not given"
	not_ok "nor a part of it" grep -q 3800 "$body"
done
ask /datasets/villes
is "$status_code" 200 "its description is"
unlike "$(cat "$body")" "$(sha256sum <"$T/in/store/current/villes/villes.csv" | cut -c1-64)" "without the digest of the whole"
like "$(cat "$body")" '"dep"' "but with its schema"
old=$(inside --json history villes | python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["versions"][-1]["version"] if "versions" in d else d[-1]["version"])')
ask "/datasets/villes/diff?from=$old"
not_ok "a difference tells of no other row" grep -Eq '38001|38002|Abrets|Adrets' "$body"
ask "/datasets/villes/villes?version=$old"
not_ok "nor an older version" grep -Eq '38001|Abrets' "$body"
get /views/odd/datasets/villes/villes
not_ok "a filter by a column that is not there shows nothing" grep -Eq '01001|38001' "$body"
is "$((status_code >= 400))" 1 "and is refused ($status_code)"
ask /events -m 1
not_ok "events of a view tell of no other dataset" grep -q 'closed' "$body"
get '/datasets/villes/villes?columns=code&dep=38&sort=nom' -H "Authorization: Bearer $insider"
is "$status_code" 200 "columns by name"
serve_stop
log=$(cat "$T"/accesslog/*)
like "$(grep '"columns"' <<<"$log" | tail -n 1)" '"resource":"villes","columns":\["code","dep","nom"\],"status":200,"rows":2,' "the access log has the columns and the rows"
unlike "$log" 'OR%20|OR ' "and no value that was asked for"
like "$(inside usage)" '^bourg +villes +' "usage sums it"
like "$(inside usage)" '^no contract: bourg reads all of villes/villes$' "and tells what no contract declares"
done_testing
