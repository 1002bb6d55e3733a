#!/bin/bash
# SPDX-License-Identifier: ISC
# A month's work on the old version while 30 new ones arrive: whoever pinned a generation goes on reading it, whole, until its stated end; a reader's lock
# holds it longer; then it is gone, and said so.
WORLD_INSIDE='"reserve": 0, "keepGenerations": 2, "keepAtLeast": "40d"'
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

datasets="rues villes"
data() { # NUMBER
	world_data villes code,nom,lot "01,Bourg,$1" "02,Laon,$1"
	world_data rues id,ville,lot "1,01,$1" "2,02,$1"
}
files="/datasets/villes/villes.csv /datasets/villes/datapackage.json /datasets/rues/rues.csv /datasets/rues/datapackage.json"
# One digest over all files of a generation as HTTP gives them; each answer must be of it.
whole() { # GENERATION
	local file
	for file in $files; do
		get "/generations/$1$file"
		[ "$status_code" = 200 ] && [ "$(header clapet-generation)" = "$1" ] || { echo "$file: $(head -n 1 "$headers")"; return 1; }
		sha256sum <"$body"
	done | sha256sum
}

serve_config
ok "a world is made" world_new
# shellcheck disable=SC2086
world_policy $datasets
world_source villes "code:string nom:string lot:integer"
world_source rues "id:integer ville:string lot:integer"
data 0
world_sync && inside import "$bundle" >/dev/null
ok "a server" serve_start
get /datasets/villes/villes.csv
is "$status_code" 200 "the first version is served"
pinned=$(header clapet-generation) version=$(header clapet-version)
is "$pinned" 1 "and names its generation"
first=$(whole "$pinned")
get "/generations/$pinned/datasets/villes/villes.csv"
is "$status_code" 200 "pinned"
until=$(header clapet-kept-until)
made=$(stat -c %Y "$T/in/store/generations/$pinned")
is "$until" "$(date -u -d "@$((made + 40 * 86400))" +%Y-%m-%dT%H:%M:%SZ)" "its end is told: 40 days after it was made"
like "$(header cache-control)" 'immutable' "until then it cannot change"

# --- thirty new ones ---------------------------------------------------------------------------------------------------------
changed=
for n in {1..30}; do
	data "$n"
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1 || changed="$changed $n: not imported"
	[ "$(whole "$pinned")" = "$first" ] || changed="$changed $n"
done
is "$changed" "" "after each of 30 new versions the pinned one is whole, and the same"
ok "the newest is served" serve_current 31
get /datasets/villes/villes.csv
is "$(header clapet-generation) $(tail -n 1 "$body")" "31 02,Laon,30" "who pins nothing reads the newest"
get /generations/32/datasets/villes/villes.csv
is "$status_code" 404 "a generation that is to come is not there"

# --- its end ----------------------------------------------------------------------------------------------------------------
# 41 days pass for the first and the second.
touch -d '41 days ago' "$T/in/store/generations/1" "$T/in/store/generations/2"
exec 9<"$T/in/store/generations/1"
flock --shared 9
inside import >/dev/null 2>&1
is "$(whole 1)" "$first" "past its end it is whole as long as a reader of the folder holds a lock"
get /generations/2/datasets/villes/villes.csv
is "$status_code" 410 "one that nobody holds is gone"
exec 9<&-
inside import >/dev/null 2>&1
get "/generations/$pinned/datasets/villes/villes.csv"
is "$status_code" 410 "and so is the first when it is left"
like "$(header content-type)" '^application/problem\+json' "with an answer that programs read"
ok "which says what, and what to do" python3 -c '
import json, sys
problem = json.load(open(sys.argv[1]))
assert problem["status"] == 410 and "generation 1 " in problem["detail"] and problem["code"].startswith("E8"), problem' "$body"
run inside explain "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["code"])' "$body")"
is "$status" 0 "explain knows its code"
get /generations/1/catalog
is "$status_code" 410 "its catalogue is gone with it"
get "/datasets/villes/villes.csv?version=$version"
is "$status_code" 410 "and the version that no generation shows any more"
get /generations/3/datasets/villes/villes.csv
is "$status_code $(tail -n 1 "$body")" "200 02,Laon,2" "a younger one is there"
get /datasets/villes/villes.csv
is "$status_code" 200 "and the newest"
run inside verify
is "$status" 0 "the store verifies"
ok "the server ends well" serve_stop
done_testing
