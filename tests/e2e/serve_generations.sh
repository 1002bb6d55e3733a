#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_generations.sh: the current set and pinned ones; a switch under a running server; versions and days that are gone; what retention sees.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

bring() { # LINE…: the next version of villes
	world_data villes code,nom "$@"
	world_sync villes && inside import "$bundle" >/dev/null
	version=$(inside --json list | python3 -c 'import json,sys; print([d["version"] for d in json.load(sys.stdin) if d["name"] == "villes"][0])')
}

WORLD_INSIDE='"reserve": 0, "keepGenerations": 2, "keepAtLeast": "2s"'
serve_config
world_new
world_policy villes gros
world_source villes "code:string nom:string"

serve_start || { _result 1 "the server starts"; done_testing; }
get /catalog
is "$status_code $(body_json 'd["generation"], d["datasets"]')" "200 0 []" "an empty store has an empty catalogue"
is "$(header clapet-generation)" 0 "of no generation"
get /datasets/villes
is "$status_code $(body_json 'd["code"]')" "404 E8006" "and no dataset"

bring 1,Un
v1=$version
ok "what comes in force is served" serve_current 1
get /datasets/villes/villes.csv
is "$(cat "$body")" "$(printf 'code,nom\n1,Un')" "the file"
day1=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sleep 1.1
bring 1,Un 2,Deux
v2=$version
ok "the next one takes its place" serve_current 2
get /datasets/villes/villes.csv
is "$(tail -n 1 "$body") $(header clapet-version) $(header clapet-generation)" "2,Deux $v2 2" "its bytes"
get /generations/1/datasets/villes/villes.csv
is "$status_code $(tail -n 1 "$body") $(header clapet-version) $(header clapet-generation)" "200 1,Un $v1 1" "the one before by its number"
is "$(header cache-control)" "public, max-age=31536000, immutable" "it never changes"
like "$(header clapet-kept-until)" '^20[0-9-]{8}T[0-9:]{8}Z$' "and is kept until then at least"
is "$(header clapet-kept-until)" "$(date -u -d "@$(($(stat -c %Y "$T/in/store/generations/1") + 2))" +%Y-%m-%dT%H:%M:%SZ)" "as the configuration has it"
get /generations/1
is "$(body_json 'd["generation"], d["datasets"][0]["version"], d["datasets"][0]["url"]')" "1 $v1 /generations/1/datasets/villes" "its catalogue, whose links stay in it"
get /generations
is "$(body_json 'd["current"], [g["generation"] for g in d["generations"]]')" "2 [2, 1]" "which there are"
is "$(body_json 'd["generations"][1]["url"]')" "/generations/1" "and where"
get /generations/3/catalog
is "$status_code $(body_json 'd["code"]')" "404 E8007" "one that is not there yet"
get /generations/1/status
is "$status_code" 404 "status is of now alone"
get /generations/1/generations
is "$status_code" 404 "no generations in a generation"

# Versions and days.
get "/datasets/villes/villes.csv?version=$v1"
is "$status_code $(tail -n 1 "$body") $(header clapet-version) $(header clapet-generation)" "200 1,Un $v1 2" "a version by its digits"
is "$(header cache-control)" "public, max-age=31536000, immutable" "which never changes either"
get "/datasets/villes?version=$v1"
is "$status_code $(body_json 'd["version"], d["title"], d["files"][-1]["name"]')" "200 $v1 Test villes villes.csv" "its description"
get "/datasets/villes/villes.csv?asOf=$day1"
is "$status_code $(tail -n 1 "$body")" "200 1,Un" "what was in force at that moment"
get "/datasets/villes/villes.csv?asOf=$(date -u +%Y-%m-%d)"
is "$status_code $(tail -n 1 "$body")" "200 2,Deux" "and at the end of a day, as far as it is over"
get "/datasets/villes/villes.csv?asOf=2001-01-01"
is "$status_code $(body_json 'd["code"]')" "404 E8008" "nothing was, then"
get "/datasets/villes/villes.csv?version=0123456789abcdef"
is "$status_code $(body_json 'd["code"]')" "404 E8008" "a version that is not known"
for query in version=xyz "version=$v1&asOf=2026-01-01" asOf=hier asOf=2026-13-01 "version=${v1:0:8}"; do
	get "/datasets/villes/villes.csv?$query"
	is "$status_code" 400 "400: $query"
done
get "/generations/1/datasets/villes?version=$v1"
is "$status_code" 400 "a pinned set has one version"

# While somebody reads a generation its folder is locked, and not a moment longer.
not_locked() { flock -n -x "$T/in/store/generations/$1" true; }
ok "nobody reads the older one" not_locked 1
not_ok "the current one is held" not_locked 2
world_source gros "code:string nom:string"
{ echo code,nom; seq -f '%09g,Une ville qui a un nom assez long pour remplir les tampons' 1 400000; } >"$T/data/gros.csv"
world_sync gros && inside import "$bundle" >/dev/null
ok "a large file" serve_current 3
bring 1,Un 2,Deux 3,Trois
ok "is in an older generation" serve_current 4
curl -s --limit-rate 100k "$url/generations/3/datasets/gros/gros.csv" -o /dev/null &
reader=$!
sleep 0.7
not_ok "which is locked while a slow reader has it" not_locked 3
sleep 1.5
bring 4,Quatre
ok "newer ones come" serve_current 5
bring 5,Cinq
ok "and come" serve_current 6
sleep 2.1
inside import >/dev/null
ok "retention leaves what is read" test -d "$T/in/store/generations/3"
not_ok "and deletes what is not" test -d "$T/in/store/generations/2"
kill $reader
wait $reader 2>/dev/null
for _ in $(seq 50); do not_locked 3 && break; sleep 0.1; done
ok "it is let go with its reader" not_locked 3
bring 6,Six
ok "so that the next run" serve_current 7
inside import >/dev/null
not_ok "deletes it" test -d "$T/in/store/generations/3"
get /generations/3/datasets/villes/villes.csv
is "$status_code $(body_json 'd["code"]')" "410 E8007" "then it is gone for readers"
get "/datasets/villes/villes.csv?version=$v1"
is "$status_code $(body_json 'd["code"]')" "410 E8009" "so are the plain files of its version"
like "$(body_json 'd["detail"]')" "clapet-inside checkout villes $v1" "and the answer says how to have them back"
get "/datasets/villes/villes.csv?asOf=$day1"
is "$status_code" 410 "by its day, too"
get /datasets/villes/history
is "$(body_json '[v["version"] for v in d["versions"]][-1], d["versions"][-1]["state"] in ("gone", "rebuildable"), d["version"]')" "$v1 True $version" "history still names it"

# Withdrawn: out of the set, and of the catalogue.
outside withdraw gros --reason test >"$T/withdraw.log" 2>&1
world_sync villes && inside import "$bundle" >/dev/null
ok "a set without it" serve_current 8
get /datasets/gros/gros.csv
is "$status_code" 404 "a withdrawn dataset is not there"
get /catalog
is "$(body_json '[x["name"] for x in d["datasets"]]')" "['villes']" "nor in the catalogue"
ok "it ends well" serve_stop
done_testing
