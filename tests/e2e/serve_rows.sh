#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_rows.sh: rows over HTTP: filters, forms, order, refusals, whole tables as streams, the SQLite file itself, and what is said where there is none.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

serve_config '"title": "Test"'
WORLD_INSIDE="$WORLD_INSIDE, \"rows\": true"
world_new
world_source villes "code:string nom:string n:integer prix:number"
{ echo code,nom,n,prix; seq -f '%06g' 1 40000 | awk '{ printf "%s,Ville,%d,%d.5\n", $1, NR % 100, NR }'; } >"$T/data/villes.csv"
world_sync && inside import "$bundle" >/dev/null
file=$T/in/store/current/villes/villes.csv
version=$(basename "$(readlink "$T/in/store/current/villes")")
serve_start || { _result 1 "the server starts"; done_testing; }

get '/datasets/villes/villes?code=000042'
is "$status_code $(header content-type)" "200 text/csv; charset=utf-8; header=present" "a row by its code, as CSV"
is "$(cat "$body")" "code,nom,n,prix
000042,Ville,42,42.5" "000042 stays 000042"
is "$(header clapet-version) $(header clapet-generation)" "$version 1" "with version and generation"
etag=$(header etag)
get '/datasets/villes/villes?code=000042' -H "If-None-Match: $etag"
is "$status_code" 304 "asked again with its ETag: nothing new"
get '/datasets/villes/villes?code=000043' -H "If-None-Match: $etag"
is "$status_code" 200 "another question is another ETag"
get '/datasets/villes/villes?code=000042&columns=n,code' -H 'Accept: application/json'
is "$(cat "$body")" '[
{"n": 42, "code": "000042"}
]' "as JSON by Accept, of two columns"
get '/datasets/villes/villes?code=000042&columns=n&format=ndjson'
is "$(header content-type) $(cat "$body")" 'application/x-ndjson {"n": 42}' "as NDJSON by format"
get '/datasets/villes/villes?code=000042&for=tableur'
is "$(od -An -tx1 "$body" | head -c 9)" " ef bb bf" "for a spreadsheet: a byte order mark"
is "$(tail -n 1 "$body" | tr -d '\r')" '"=""000042""";Ville;42;42,5' "semicolons, a decimal comma, and zeros that stay"
like "$(header content-disposition)" 'filename="villes.csv"' "under a name"
get '/datasets/villes/villes?n.min=98&n.max=98.5&limit=2&offset=1&columns=code'
is "$(tr '\n' ' ' <"$body")" "code 000198 000298 " "a range, a limit, an offset"
get '/datasets/villes/villes?sort=-prix&limit=1&columns=code'
is "$(tr '\n' ' ' <"$body")" "code 040000 " "sorted"
get '/datasets/villes/villes?columns=code&limit=1' -I
is "$status_code" 200 "HEAD"

# All of it, as a stream, and the same bytes as the file.
get /datasets/villes/villes
is "$status_code" 200 "the whole table"
ok "is the file's rows" cmp "$file" "$body"
stream=$(header etag)
like "$stream" "$version" "with an ETag of version and question"
get /datasets/villes/villes -H "If-None-Match: $stream"
is "$status_code" 304 "which is heard"
get '/datasets/villes/villes?format=json' --compressed -H 'Accept-Encoding: gzip'
is "$(python3 -c 'import json, sys; rows = json.load(open(sys.argv[1])); print(len(rows), rows[41])' "$body")" \
	"40000 {'code': '000042', 'nom': 'Ville', 'n': 42, 'prix': 42.5}" "the whole table as JSON, compressed"

# What is wrong is said.
refused() { # STATUS WORDS QUESTION WHAT
	get "/datasets/villes/$3"
	is "$status_code" "$1" "$4"
	like "$(cat "$body")" "$2" "$4, in words"
}
refused 400 'did you mean .*nom' 'villes?nome=x' "a column that is not there"
refused 400 'E8052' 'villes?n=many' "a value of another type"
refused 400 'is a number' 'villes?limit=ten' "a limit that is none"
refused 400 'at most 100000 rows' 'villes?sort=n&limit=200000' "more in order than are kept in memory"
refused 400 'has no column' "villes?code%22%20OR%201%3D1%20--=x" "a name with a quote"
refused 404 'no table ville;* it has villes' 'ville' "a table that is not there"
refused 400 'csv, json or ndjson' 'villes?format=xml' "a form that there is not"
refused 400 'tableur' 'villes?for=people' "an audience that there is not"
get '/datasets/villes/villes?limit=1' -H 'Accept: image/png'
is "$status_code" 406 "a form that is not had"
get "/datasets/villes/villes?code=%27%20OR%201%3D1%20--&columns=code"
is "$(cat "$body")" code "a value with a quote is a value"
get "/datasets/villes/villes?version=$version&code=000001&columns=n"
is "$(tail -n 1 "$body")" 1 "of a version by its name"
get "/generations/1/datasets/villes/villes?code=000001&columns=n"
is "$(tail -n 1 "$body")" 1 "of a generation"

# The file itself.
get /datasets/villes/rows.sqlite
is "$status_code $(header content-type)" "200 application/vnd.sqlite3" "the SQLite file"
ok "its bytes" cmp "$body" "$T/in/store/datasets/villes/rows/$version.sqlite"
get /datasets/villes/rows.sqlite -H 'Range: bytes=0-14'
is "$(cat "$body")" "SQLite format 3" "in parts"

# One that is no database, and none.
cp "$T/in/store/datasets/villes/rows/$version.sqlite" "$T/kept"
ok "the server ends well" serve_stop
chmod u+w "$T/in/store/datasets/villes/rows/$version.sqlite"
head -c 20000 /dev/urandom >"$T/in/store/datasets/villes/rows/$version.sqlite"
serve_start
get '/datasets/villes/villes?code=000042'
is "$status_code" 503 "a file that is no database is told"
like "$(cat "$body")" E8054 "by its code"
get /datasets/villes/villes.csv
is "$status_code" 200 "and the table as a file is there all the same"
rm -f "$T/in/store/datasets/villes/rows/$version.sqlite"
get '/datasets/villes/villes?code=000042'
is "$status_code $(header retry-after)" "503 300" "none: it is still to come"
like "$(cat "$body")" 'E8051.*|clapet-inside rows villes' "and how it comes"
get /datasets/villes/rows.sqlite
is "$status_code" 503 "nor the file"
inside rows >/dev/null 2>&1
get '/datasets/villes/villes?code=000042&columns=n'
is "$(tail -n 1 "$body")" 42 "once it is built it is there, without a restart"
ok "the server ends well" serve_stop
sed -i 's/"rows": true/"rows": false/' "$T/in/inside.json"
rm -f "$T/in/store/datasets/villes/rows/$version.sqlite"
serve_start
get '/datasets/villes/villes?code=000042'
is "$status_code" 404 "where nobody wants rows there are none"
like "$(cat "$body")" 'are not kept' "and it is said whose choice that is"
done_testing
