#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_access.sh: who is admitted, and who is not: 401, 403, 404 and 429; views; what changes while the server runs; and the access log.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

mkdir -p "$T/in" "$T/accesslog"
serve_config "\"accessLog\": \"$T/accesslog\"" '"keepAccessLog": 1'
WORLD_INSIDE="$WORLD_INSIDE, \"access\": \"access.json\""
echo "Conditions" >"$T/in/lov.txt"
access() { # DEFAULT [MORE MEMBERS]
	cat >"$T/in/access.new" <<-JSON
	{"format": "clapet access 1", "default": {"access": "open"},
	 "licences": [{"name": "lov", "text": "lov.txt", "sha256": "$(sha256sum <"$T/in/lov.txt" | cut -c1-64)"}],
	 "datasets": [{"name": "closed", "access": "private"}, {"name": "secret", "access": "private", "hidden": true},
	  {"name": "licensed", "access": "licence", "licence": "lov"}],
	 "views": [{"name": "ain", "title": "Ain", "access": "private", "datasets": ["villes", "secret"],
	   "rows": [{"dataset": "villes", "resource": "villes", "column": "code", "value": "01001"}]},
	  {"name": "jura", "title": "Jura", "access": "private", "hidden": true, "datasets": ["villes"]},
	  {"name": "all", "title": "All", "access": "open", "datasets": ["villes"]}]${1:+, $1}}
	JSON
	mv "$T/in/access.new" "$T/in/access.json"
}
access
world_policy_names="villes closed secret licensed"
world_new
# shellcheck disable=SC2086
world_policy $world_policy_names
for name in $world_policy_names; do
	world_source "$name" "code:string nom:string"
	world_data "$name" code,nom 01001,Abergement "01002,$name"
done
world_sync
inside import "$bundle" >/dev/null || _result 1 "import"
make_key() { inside key add "$@" 2>/dev/null; }
reader=$(make_key --owner reader)
insider=$(make_key --owner insider --dataset closed --dataset secret)
commune=$(make_key --owner commune --view ain)
licensee=$(make_key --owner licensee --accept-licence lov --accepted-by M)
operator=$(make_key --owner prometheus --operations)
serve_start || { _result 1 "the server starts"; done_testing; }

code() { get "$@"; echo "$status_code"; }
with() { # KEY PATH…
	local key=$1
	shift
	code "$@" -H "Authorization: Bearer $key"
}

is "$(code /datasets/villes/villes.csv)" 200 "what is open needs no key"
is "$(with "$reader" /datasets/villes/villes.csv)" 200 "and takes one"
get /datasets/closed/closed.csv
is "$status_code" 401 "what is private needs one"
like "$(header www-authenticate)" 'Bearer realm="clapet"' "the answer says how it is sent"
like "$(cat "$T/serve.head")" 'Basic realm="clapet", charset="UTF-8"' "in either way"
like "$(cat "$body")" 'E8110' "and why"
is "$(with "$reader" /datasets/closed/closed.csv)" 403 "another key is not enough"
like "$(cat "$body")" 'key k1 may not read dataset closed' "which is said"
is "$(with "$insider" /datasets/closed/closed.csv)" 200 "the key that names it is"
is "$(code /datasets/closed/closed.csv -u "x:$insider")" 200 "as the password of basic authentication too"
is "$(code /datasets/closed/closed.csv -u "$insider:")" 200 "or as the user without one"
is "$(code "/datasets/closed/closed.csv?key=$insider")" 400 "but never in the address"
is "$(with "$licensee" /datasets/licensed/licensed.csv)" 200 "who accepted the licence reads what is under it"
is "$(with "$reader" /datasets/licensed/licensed.csv)" 403 "who did not does not"
like "$(cat "$body")" 'E8116' "which is said"
is "$(code /datasets/licensed/licensed.csv)" 401 "nor who has no key"

# What is hidden is not there, in the same words.
get /datasets/secret
is "$status_code" 404 "a hidden name is not there"
sed 's/secret/NAME/g' "$body" >"$T/hidden"
get /datasets/nothing
sed 's/nothing/NAME/g' "$body" >"$T/absent"
ok "in the same words as one that is not" cmp "$T/hidden" "$T/absent"
is "$(with "$insider" /datasets/secret)" 200 "but for who may read it"
names() { python3 -c 'import json, sys; print(" ".join(d["name"] for d in json.load(sys.stdin)["datasets"]))' <"$body"; }
get /catalog
is "$(names)" "villes" "the catalogue shows what is open"
get /catalog -H "Authorization: Bearer $insider"
is "$(names)" "closed secret villes" "and to a key what it may read"
like "$(header cache-control)" 'private' "which no shared cache keeps"

# Keys that are none.
is "$(with "${insider%?}x" /datasets/closed/closed.csv)" 401 "a key with a typing error"
like "$(cat "$body")" 'E8111' "is told from"
like "$(header www-authenticate)" 'invalid_token' "(by RFC 6750)"
is "$(with "clapet_k1_$(printf '00%.0s' {1..32})$(printf 'clapet_k1_%s' "$(printf '00%.0s' {1..32})" | sha256sum | cut -c1-8)" /datasets/villes/villes.csv)" 401 "one that is unknown"
like "$(cat "$body")" 'E8112' "also where none is needed"
is "$(code /catalog -H 'Authorization: Negotiate abc')" 401 "another scheme"
is "$(code /catalog -H 'Authorization: Basic !!!')" 401 "what is no base64"
is "$(code /catalog -H 'Authorization: Bearer')" 401 "nothing at all"

# Views.
is "$(code /views/ain/catalog)" 401 "a private view needs a key"
is "$(with "$reader" /views/ain/catalog)" 403 "that names it"
is "$(code /views/jura/catalog)" 404 "a hidden one is not there"
is "$(code /views/none/catalog)" 404 "like one that is not"
get /views/ain/catalog -H "Authorization: Bearer $commune"
is "$(names)" "secret villes" "it shows its datasets, whatever they are to others"
unlike "$(cat "$body")" "$(sha256sum <"$T/in/store/current/villes/villes.csv" | cut -c1-64)" "of filtered rows no digest"
is "$(with "$commune" /views/ain/datasets/villes/villes.csv)" 403 "and not the file"
is "$(with "$commune" /views/ain/datasets/secret/secret.csv)" 200 "but of others"
is "$(with "$commune" /datasets/secret/secret.csv)" 404 "through the view alone"
is "$(with "$commune" /views/ain/datasets/closed)" 404 "what it does not show is not there"
is "$(code /views/all/datasets/villes/villes.csv)" 200 "an open view"
is "$(code /views/all/datasets/secret)" 404 "shows no more than it says"

# Pages of the server as a whole.
is "$(code /metrics)" 401 "where something is closed, operators' pages are"
is "$(with "$insider" /metrics)" 403 "to other keys"
is "$(with "$operator" /metrics)" 200 "but for those that are for them"
is "$(code /healthz)" 200 "whether it lives anybody may ask"

# What changes.
told=
await() { # WANTED COMMAND…, for what $told says
	local wanted=$1 i
	shift
	for i in $(seq 40); do
		[ "$("$@")" = "$wanted" ] && break
		sleep 0.1
	done
	is "$("$@")" "$wanted" "$told"
}
newest=$(make_key --owner newest --dataset closed)
is "$(with "$newest" /datasets/closed/closed.csv)" 200 "a key is good as soon as it is shown"
inside key revoke k2 --reason "left" >/dev/null
told="a key that is revoked reads no more" await 401 with "$insider" /datasets/closed/closed.csv
with "$insider" /datasets/closed/closed.csv >/dev/null
get /datasets/closed/closed.csv -H "Authorization: Bearer $insider"
like "$(cat "$body")" 'E8114' "and is told"
echo "More conditions" >>"$T/in/lov.txt"
access
told="a licence that changed must be accepted anew" await 403 with "$licensee" /datasets/licensed/licensed.csv
inside key accept k4 --accept-licence lov --accepted-by M >/dev/null
told="then it counts" await 200 with "$licensee" /datasets/licensed/licensed.csv
echo '{"format": "clapet access 1", "default": ' >"$T/in/access.json"
for i in $(seq 30); do grep -q E8101 "$T/serve.log" && break; sleep 0.1; done
like "$(cat "$T/serve.log")" 'E8101' "an access.json out of form is told"
is "$(code /datasets/closed/closed.csv)" 401 "and what was read before stays"
access '"rates": {"key": {"perMinute": 1, "burst": 3}}'
told="rates" await 429 with "$reader" /catalog
get /catalog -H "Authorization: Bearer $reader"
is "$status_code" 429 "a key that asks too often waits"
like "$(header retry-after)" '^[1-6]?[0-9]$' "so long"
like "$(cat "$body")" 'E8117' "and is told why"
is "$(with "$operator" /catalog)" 200 "others do not"
is "$(code /catalog)" 200 "nor who has none"
serve_stop

# The access log.
log=$(ls "$T/accesslog")
is "$log" "access-$(date -u +%F).jsonl" "a file a day"
ok "each line an object" python3 -c '
import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$T/accesslog/$log"
lines() { grep -F "$1" "$T/accesslog/$log"; }
like "$(lines '"path":"/datasets/secret"' | head -n 1)" '^{"time":"20[^"]*Z","peer":"[^"]*","method":"GET","path":"/datasets/secret",.*"status":404,"bytes":[0-9]+,' "who was turned away is there"
like "$(lines '"key":"k2"' | head -n 1)" '"path":"/datasets/closed/closed.csv","generation":1,"dataset":"closed","version":"[0-9a-f]{16}","resource":"closed.csv","status":200,"bytes":' "who read what"
like "$(lines '"view":"ain"' | tail -n 1)" '"key":"k3".*"view":"ain"' "through which view"
not_ok "no key is" grep -rqE "${insider:10:64}|${commune:10:64}" "$T/accesslog" "$T/serve.log"
like "$(lines '"params":["key"]' | head -n 1)" '"path":"/datasets/closed/closed.csv","params":\["key"\]' "of a query the names alone"
done_testing
