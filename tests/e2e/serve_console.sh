#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_console.sh: pages for people: what they say of a real store, in French and English, to readers and to operators; what a publisher writes stays text;
# what is wrong is refused. How they look and whether everybody can use them is console_browser.sh's.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

hostile='<script>alert(1)</script><img src=x onerror=alert(1)>'
page() { # PATH [CURL-ARGUMENT…]: as a browser in French asks
	local path=$1
	shift
	get "$path" -H 'Accept: text/html,application/xhtml+xml,*/*;q=0.8' -H 'Accept-Language: fr-FR,fr;q=0.9' "$@"
}
operator() { page "$@" --unix-socket "$T/operators"; }
text() { cat "$body"; }

WORLD_INSIDE='"heartbeat": "1d", "rows": true'
serve_config '"title": "Données de <b>Ville</b>"' "\"operators\": \"unix:$T/operators\""
world_new
world_policy villes rues
world_source villes "code:string nom:string population:integer"
world_source rues "code:string nom:string"
python3 - "$T/out/sources/villes/datapackage.json" "$hostile" <<'PYTHON'
import json, sys
path, hostile = sys.argv[1:]
p = json.load(open(path))
p["title"] = "Villes " + hostile
p["description"] = hostile + "\nsecond"
p["licenses"] = [{"name": "LOV2", "title": hostile}]
p["resources"][0]["schema"]["fields"][1]["title"] = hostile
p["resources"][0]["schema"]["fields"][1]["description"] = hostile
json.dump(p, open(path, "w"))
PYTHON
world_data villes code,nom,population "01,Ain,$((1000))" 02,Aisne,2000
world_data rues code,nom 1,Grande
world_sync && inside import "$bundle" >/dev/null

serve_start || { _result 1 "the server starts"; done_testing; }
page /
is "$status_code $(header content-type) $(header content-language)" "200 text/html; charset=utf-8 fr" "the list is a page, in French"
like "$(text)" '<html lang="fr">' "and says so"
like "$(header content-security-policy)" "^default-src 'none'; .*frame-ancestors 'none'" "its policy"
unlike "$(header content-security-policy)" "unsafe" "has nothing inline"
is "$(header set-cookie)$(header x-content-type-options)" "nosniff" "no cookie"
unlike "$(text)" '<script>alert|<img|<b>' "texts stay texts"
like "$(text)" 'href="/datasets/villes">villes</a>' "villes is listed"
like "$(text)" 'href="/datasets/rues">rues</a>' "and rues"
like "$(text)" '25/11/2026|[0-9]{2}/[0-9]{2}/20[0-9]{2}' "dates are French"
page '/?lang=en'
like "$(text)" '<html lang="en">' "lang counts more than the browser"
like "$(text)" 'href="/datasets/villes\?lang=en"' "and goes along"
page '/?q=VILLES'
unlike "$(text)" '/datasets/rues' "what is searched for"
page '/?state=held'
like "$(text)" 'Aucun jeu de données ne correspond' "no dataset is held"
page '/?nothing=1'
is "$status_code" 400 "a parameter that means nothing is refused"
page /?page=99999999999999999999999
is "$status_code" 200 "a page past the end is the last one"
get / -H 'Accept: application/json'
is "$(header content-type)" "application/json" "programs get JSON at the same address"

page /datasets/villes
is "$status_code" 200 "a dataset's page"
unlike "$(text)" '<script>alert|<img' "its texts stay texts"
like "$(text)" "$(sha256sum "$T/in/store/current/villes/villes.csv" | cut -c1-64)" "the digest as stored"
like "$(text)" "$(sha256sum "$T/data/villes.csv" | cut -c1-64)" "the digest as published"
like "$(text)" '<svg viewBox' "the history is drawn"
like "$(text)" '<circle class="dot rows"' "with its version"
like "$(text)" "Aucune application n.*a déclaré" "nobody reads it yet"
# Each link of the page leads somewhere.
links=$(grep -o 'href="/[^"]*"' "$body" | sed 's/^href="//; s/"$//; s/&amp;/\&/g' | sort -u)
like "$links" 'for=tableur' "other forms of the rows"
like "$links" 'rows\.sqlite' "and the database"
bad=
for link in $links; do
	[ "$link" = /events ] && continue
	page "$link"
	[ "$status_code" = 200 ] || bad="$bad $link:$status_code"
done
is "$bad" "" "every link leads somewhere"
page /datasets/nothing
is "$status_code" 404 "one that is not there"
page /held
is "$status_code" 403 "what waits is for operators"
like "$(text)" E8150 "with its code"
page /log
is "$status_code" 403 "the log, too"
page /link
is "$status_code" 403 "and the link"
page /static/console.css
is "$status_code $(header content-type)" "200 text/css; charset=utf-8" "the style"
ok "is the file" cmp "$body" inside/console/console.css
page /static/console.js
ok "the script" cmp "$body" inside/console/console.js
page /static/other
is "$status_code" 404 "and nothing else"

# A second version that breaks what an application reads: it waits.
cat >"$T/in/contracts/paie.json" <<-JSON
{"format": "clapet contract 1", "application": "paie", "contact": "paie@ville.example", "dataset": "villes",
 "resources": [{"name": "villes", "fields": [{"name": "code", "type": "string"}, {"name": "population", "type": "integer"}]}]}
JSON
sed -i 's/{"name": "population", "type": "integer"}/{"name": "habitants", "type": "integer"}/' "$T/out/sources/villes/datapackage.json"
world_data villes code,nom,habitants 01,Ain,1000 02,Aisne,2000 03,Allier,3000
world_data rues code,nom 1,Grande 2,Petite
world_sync
inside import "$bundle" >/dev/null
page '/?state=held'
like "$(text)" '/datasets/villes' "what is held is found by its state"
page /datasets/villes
like "$(text)" 'E5002' "its page says why"
like "$(text)" "est arrivée et n.* pas en vigueur" "in words"
unlike "$(text)" 'paie@ville|clapet-inside approve' "the details are not for readers"
like "$(text)" '<th scope="row">paie</th>' "who reads it"
operator /datasets/villes
like "$(text)" 'paie@ville.example' "operators see whom to tell"
operator /held
is "$status_code" 200 "operators see what waits"
like "$(text)" 'clapet-inside approve villes --reason' "and the next command"
like "$(text)" 'population' "and the field"
operator /held -H 'Host: elsewhere.example'
is "$status_code" 403 "not under another name: a page of somebody else's could stand behind it"
operator /held -H 'Host: LocalHost:8081'
is "$status_code" 200 "under localhost, as a forwarded port is"
operator /link
like "$(text)" 'en ordre' "link and trust"
mkdir -p "$T/in/incoming/.link"
operator /link
unlike "$(text)" 'Dernière balise' "what the receiver says is not known yet"
operator /log
like "$(text)" 'entré en vigueur' "the log in French"
like "$(text)" 'Le point de contrôle est signé' "is verified"
operator '/log?chapter=refusals'
unlike "$(text)" 'entré en vigueur' "a chapter of it"
like "$(text)" 'retenu pour une personne' "has what was held"
operator '/log?chapter=nothing'
is "$status_code" 400 "no such chapter"
operator '/log?before=2&lang=en'
like "$(text)" 'Entries 0 to 1 of' "by number, in English"
page /datasets/rues
like "$(text)" '1 ligne,' "the last change: before"
like "$(text)" '2 lignes,' "and after"

# A log that was touched is said not to be believed.
chmod u+w "$T"/in/store/log/tile/entries/* 2>/dev/null
find "$T/in/store/log/tile/entries" -type f -exec chmod u+w {} + -exec sed -i 's/villes/vilxes/' {} +
operator /log
like "$(text)" 'E611[0-9]' "a log that was changed is not shown"
unlike "$(text)" 'vilxes</a>' "nor what it says"
page /generations/1
like "$(text)" 'Vous lisez la génération' "an older generation is a page, too"
ok "the server ends well" serve_stop

# What is private is on no page of who may not see it, and in no event; a view shows its own; operators see all.
sed -i 's/"serve": {/"access": "access.json", "serve": {/' "$T/in/inside.json"
cat >"$T/in/access.json" <<-JSON
{"format": "clapet access 1", "default": {"access": "open"},
 "datasets": [{"name": "rues", "access": "private"}],
 "views": [{"name": "ain", "title": "Ain", "access": "open", "datasets": ["villes"],
   "rows": [{"dataset": "villes", "resource": "villes", "column": "code", "value": "01"}]}]}
JSON
cat >"$T/in/incoming/.link/status.json" <<-JSON
{"format": "clapet link status 1", "at": "$(date -u +%FT%TZ)", "since": "2026-11-25T00:00:00Z", "link": {"id": "89abcdef", "state": "degraded",
 "news": "missed something", "beacon": {"at": "$(date -u +%FT%TZ)", "secondsAgo": 0.4}, "recent": {"packets": 5000, "lost": 12, "failed": 0, "kernelDrops": 0}},
 "counts": {}, "objects": []}
JSON
serve_start || _result 1 "the server starts with access.json"
operator /link
like "$(text)" 'dégradée' "the receiver's own words of the link"
like "$(text)" '12 sur 5.*000' "and what it lost"
page /
like "$(text)" '/datasets/villes' "what is open is listed"
unlike "$(text)" 'rues|Rues' "what is private is not named"
page '/?q=rues'
unlike "$(text)" '/datasets/rues' "nor found"
page /datasets/rues
like "$status_code" '^40[14]$' "nor shown"
get /events -m 1 -H 'Last-Event-ID: 1'
like "$(text)" '^id: 2' "events of what changed"
unlike "$(text)" 'rues' "do not name it"
operator /
like "$(text)" '/datasets/rues' "operators see it"
operator /datasets/rues
is "$status_code" 200 "and its page"
operator /datasets/rues/rues.csv
is "$status_code" 200 "and its file"
page /views/ain
like "$(text)" 'href="/views/ain/datasets/villes"' "links stay in the view"
like "$(text)" 'Vue «' "which is named"
page /views/ain/datasets/villes
is "$status_code" 200 "a view of some rows"
like "$(text)" 'ne montre qu.*une partie des lignes' "says so"
unlike "$(text)" "$(sha256sum "$T/in/store/current/villes/villes.csv" | cut -c1-64)|<svg" "and gives neither digests nor counts"
ok "the server ends well" serve_stop
done_testing
