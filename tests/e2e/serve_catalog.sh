#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_catalog.sh: what there is to read, for programs: the catalogue as JSON and as DCAT-AP, a dataset's page, openapi.json held to its word,
# status and Prometheus' counts.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

serve_config '"title": "Données ouvertes"' '"publisher": "Mairie de Test"' '"publicUrl": "https://donnees.example/"'
world_new
world_source villes "code:string nom:string"
python3 - "$T/out/sources/villes/datapackage.json" <<'PYTHON'
import json, sys
package = json.load(open(sys.argv[1]))
package["description"] = "Les villes d'essai."
package["keywords"] = ["ville", "essai"]
package["contributors"] = [{"title": "INSEE", "role": "publisher", "email": "a@b.example"}]
json.dump(package, open(sys.argv[1], "w"))
PYTHON
{ echo code,nom; seq -f '%06g,Ville' 1 200; } >"$T/data/villes.csv"
published=$(sha256sum "$T/data/villes.csv" | cut -c1-64)
world_sync && inside import "$bundle" >/dev/null
version=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
file=$T/in/store/current/villes/villes.csv
stored=$(sha256sum "$file" | cut -c1-64)
serve_start || { _result 1 "the server starts"; done_testing; }

for path in / /catalog /generations/1; do
	get "$path"
	is "$status_code $(header content-type) $(header vary)" "200 application/json Accept" "$path is JSON"
	is "$(body_json 'd["format"], d["title"], d["generation"]')" "clapet catalogue 1 Données ouvertes 1" "of that generation"
	is "$(body_json '[(x["name"], x["version"], x["licences"], x["access"]) for x in d["datasets"]]')" "[('villes', '$version', ['LOV2'], 'open')]" "datasets with version and licence"
done
get /catalog
is "$(body_json '[(r["rows"], r["asPublished"], r["asStored"]) for r in d["datasets"][0]["resources"]]')" "[(200, 'sha256:$published', 'sha256:$stored')]" "rows, and both digests"
etag=$(header etag)
get /catalog -H "If-None-Match: $etag"
is "$status_code" 304 "the catalogue is asked for again for nothing"

dcat() { python3 -c "
import json, sys
d = json.load(open(sys.argv[1]))
s = d['dcat:dataset'][0]
r = s['dcat:distribution'][0]
print($1)" "$body"; }
get /catalog -H 'Accept: application/ld+json'
is "$status_code $(header content-type)" "200 application/ld+json" "as linked data"
is "$(dcat 'd["@type"], d["@id"], d["dct:title"], d["dct:publisher"]["foaf:name"]')" "dcat:Catalog https://donnees.example/catalog Données ouvertes Mairie de Test" "dcat:Catalog"
is "$(dcat 'd["dct:modified"]["@type"]')" "xsd:dateTime" "with its date"
is "$(dcat 's["@type"], s["@id"], s["dct:identifier"], s["dcat:version"], s["dct:title"]')" "dcat:Dataset https://donnees.example/datasets/villes villes $version Test villes" "dcat:Dataset"
is "$(dcat 's["dct:description"], s["dcat:keyword"], s["dct:publisher"]["foaf:name"]')" "Les villes d'essai. ['ville', 'essai'] INSEE" "described as published"
unlike "$(cat "$body")" 'a@b\.example' "nobody's address is repeated"
is "$(dcat 'r["@type"], r["dcat:downloadURL"]["@id"]')" "dcat:Distribution https://donnees.example/datasets/villes/villes.csv" "dcat:Distribution"
is "$(dcat 'r["dcat:byteSize"]["@value"], r["spdx:checksum"]["spdx:checksumValue"]["@value"]')" "$(stat -c %s "$file") $stored" "size and digest"
is "$(dcat 'r["spdx:checksum"]["spdx:algorithm"]["@id"]')" "http://spdx.org/rdf/terms#checksumAlgorithm_sha256" "by its algorithm"
is "$(dcat 'r["dcat:mediaType"]["@id"], r["dct:format"]["@id"]')" "https://www.iana.org/assignments/media-types/text/csv http://publications.europa.eu/resource/authority/file-type/CSV" "media type and format"
is "$(dcat 'r["dct:license"]["@id"], s["dct:accessRights"]["@id"]')" "https://spdx.org/licenses/etalab-2.0 http://publications.europa.eu/resource/authority/access-right/PUBLIC" "licence and access"
ok "each prefix is in the context" python3 -c "
import json, re, sys
d = json.load(open(sys.argv[1]))
def keys(x):
    if isinstance(x, dict):
        for k, v in x.items():
            if not k.startswith('@'): yield k
            if k == '@type': yield v
            yield from keys(v)
    elif isinstance(x, list):
        for v in x: yield from keys(v)
context = d.pop('@context')
assert all(v.startswith('http') for v in context.values())
bad = {k for k in keys(d) if k.split(':')[0] not in context}
assert not bad, bad" "$body"
get /catalog -H 'Accept: text/csv'
is "$status_code $(body_json 'd["code"]')" "406 E8015" "no other form"

get /datasets/villes
is "$(body_json 'd["name"], d["version"], d["generation"], d["package"]["resources"][0]["name"]')" "villes $version 1 villes" "one dataset"
is "$(body_json '[f["sha256"] for f in d["files"] if f["name"] == "villes.csv"]')" "['$stored']" "its files with digests"
is "$(body_json 'd["resources"][0]["asPublished"], d["resources"][0]["asStored"]')" "sha256:$published sha256:$stored" "as published, as stored"
is "$(header clapet-version)" "$version" "its version in the answer"
get /generations/1/datasets/villes
is "$(body_json 'd["url"], d["files"][0]["url"].rsplit("/", 1)[0]')" "/generations/1/datasets/villes /generations/1/datasets/villes" "links of a pinned answer are pinned"

# Every path and method of openapi.json, asked.
run python3 tests/serve_openapi.py "$url" inside/serve_routes.c
is "$status" 0 "openapi.json is true, and whole"
[ "$status" = 0 ] || printf '%s\n' "$output" | sed 's/^/# /'

get /status
is "$status_code $(header cache-control)" "200 no-store" "status"
is "$(body_json 'd["generation"], d["datasets"][0]["name"], d["datasets"][0]["state"], "roles" in d["trust"]')" "1 villes in force False" "of the data, and of what was heard"
get /metrics
is "$(header content-type)" "text/plain; version=0.0.4; charset=utf-8" "Prometheus' text"
like "$(cat "$body")" '^clapet_serve_generation 1$' "the generation"
like "$(cat "$body")" '^clapet_serve_requests_total\{route="/catalog",status="304"\} [1-9]' "requests by route and status"
like "$(cat "$body")" '^clapet_serve_response_bytes_total\{route="/datasets/\{name\}/\{file\}"\} [0-9]+$' "bytes"
like "$(cat "$body")" '^clapet_serve_datasets 1$' "datasets"
like "$(cat "$body")" '^clapet_serve_connections [0-9]+$' "connections"
like "$(cat "$body")" '^clapet_serve_heard_age_seconds [0-9]+$' "when the outside was heard"
ok "each line is of the format" python3 -c "
import re, sys
kinds = {}
for line in open(sys.argv[1]):
    line = line.rstrip('\n')
    if m := re.fullmatch(r'# TYPE (\w+) (counter|gauge)', line): kinds[m[1]] = m[2]
    elif not line.startswith('# HELP'):
        m = re.fullmatch(r'(\w+)(\{\w+=\"[^\"]*\"(,\w+=\"[^\"]*\")*\})? -?[0-9.]+', line)
        assert m and m[1] in kinds, line
        assert m[1].endswith('_total') == (kinds[m[1]] == 'counter'), line" "$body"
ok "it ends well" serve_stop

# The request's Host stands for a public address that nobody configured, if it can be one.
sed -i 's#, "publicUrl": "https://donnees.example/"##' "$T/in/inside.json"
ok "again" serve_start
get /catalog -H 'Accept: application/ld+json' -H 'Host: intranet.example:8080'
is "$(dcat 'd["@id"]')" "http://intranet.example:8080/catalog" "addresses behind the Host"
get /catalog -H 'Accept: application/ld+json' -H 'Host: a"b<c'
is "$(dcat 'd["@id"]')" "http://localhost/catalog" "not behind nonsense"
ok "it ends well" serve_stop
done_testing
