#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_diff.sh: what changed between two versions, over HTTP: a summary, every change as NDJSON and CSV, and what is refused.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

serve_config '"title": "Test"'
WORLD_INSIDE="$WORLD_INSIDE, \"rows\": true"
world_new
world_policy villes libre
world_source villes "code:string nom:string n:integer"
sed -i 's/"schema": {/"schema": {"primaryKey": "code", /' "$T/out/sources/villes/datapackage.json"
world_source libre "code:string nom:string"
world_data libre code,nom 1,a 2,b
# Old: 1 to 9000. New: every hundredth is gone, every 150th has another name, every 400th a number, and some come behind and between.
rows() { awk -v new="$1" 'BEGIN { print "code,nom,n"
	for (i = 1; i <= 9000; i++) {
		if (new && i % 100 == 0) { if (i % 300 == 0) printf "%06da,neuf,%d\n", i, i; continue }
		printf "%06d,%s,%s\n", i, new && i % 150 == 75 ? "autre" : "Ville", new && i % 400 == 50 ? "" : i
	}
	if (new) for (i = 9001; i <= 9010; i++) printf "%06d,neuf,%d\n", i, i }'; }
rows 0 >"$T/data/villes.csv"
world_sync && inside import "$bundle" >/dev/null
old=$(basename "$(readlink "$T/in/store/current/villes")") old_libre=$(basename "$(readlink "$T/in/store/current/libre")")
cp "$T/data/villes.csv" "$T/old.csv"
rows 1 >"$T/data/villes.csv"
world_data libre code,nom 1,a 2,c
world_sync && inside import "$bundle" >/dev/null
new=$(basename "$(readlink "$T/in/store/current/villes")")
serve_start || { _result 1 "the server starts"; done_testing; }

get "/datasets/villes/diff?from=$old"
is "$status_code $(header content-type)" "200 application/json" "a summary"
is "$(body_json 'd["from"], d["to"]')" "$old $new" "from the version that is named to the one in force"
python3 - "$T/old.csv" "$T/data/villes.csv" >"$T/wanted" <<'PYTHON'
import csv, sys
old, new = ({r["code"]: r for r in csv.DictReader(open(p))} for p in sys.argv[1:])
both = [k for k in old if k in new]
changed = sorted(k for k in both if old[k] != new[k])
print({"added": len(new) - len(both), "removed": len(old) - len(both), "changed": len(changed), "unchanged": len(both) - len(changed)},
      {c: sum(old[k][c] != new[k][c] for k in both) for c in ("nom", "n")})
PYTHON
is "$(body_json '{k: d["resources"][0][k] for k in ("added", "removed", "changed", "unchanged")}, d["resources"][0]["cellsChanged"]' | sed 's/^(//; s/)$//; s/}, {/} {/')" \
	"$(cat "$T/wanted")" "counts as another program has them"
is "$(body_json 'd["resources"][0]["key"], d["resources"][0]["state"]')" "['code'] changed" "by which key"

get "/datasets/villes/diff?from=$old&to=$new&format=ndjson"
is "$status_code $(header content-type)" "200 application/x-ndjson" "every change"
python3 - "$T/old.csv" "$T/data/villes.csv" "$body" >"$T/differs" <<'PYTHON'
import csv, json, sys
old, new = ({r["code"]: r for r in csv.DictReader(open(p))} for p in sys.argv[1:3])
for line in open(sys.argv[3]):
    change = json.loads(line)
    key = change["key"]["code"]
    text = lambda row: {k: "" if v is None else str(v) for k, v in row.items()}
    if change["change"] == "added":
        if key in old or text(change["new"]) != new[key]: print("added", key)
        old[key] = new[key]
    elif change["change"] == "removed":
        if key in new or text(change["old"]) != old[key]: print("removed", key)
        del old[key]
    else:
        if any(old[key][k] != v for k, v in text(change["old"]).items()): print("changed", key)
        old[key].update(text(change["new"]))
print(old == new)
PYTHON
is "$(cat "$T/differs")" True "applied to the old rows they give the new ones"
get "/datasets/villes/diff?from=$old&format=csv&resource=villes"
is "$(head -n 2 "$body" | tr '\n' ' ')" "change,code,nom,n before,000050,Ville,50 " "as CSV, a line before and one after"
is "$(grep -c '^after,' "$body") $(grep -c '^added,' "$body") $(grep -c '^removed,' "$body")" \
	"$(sed "s/.*'added': \([0-9]*\), 'removed': \([0-9]*\), 'changed': \([0-9]*\),.*/\3 \1 \2/" "$T/wanted")" "as many of each"
get "/datasets/villes/diff?from=$new&to=$old"
is "$(body_json 'd["resources"][0]["removed"]')" "$(sed "s/.*'added': \([0-9]*\),.*/\1/" "$T/wanted")" "backwards what was added is removed"
get "/datasets/villes/diff?from=$new"
is "$(body_json 'd["resources"][0]["state"]')" unchanged "a version with itself"

# Without a key.
get "/datasets/libre/diff?from=$old_libre"
is "$(body_json 'd["resources"][0]["state"]')" "not compared" "a table without a primary key is not compared"
like "$(cat "$body")" 'clapet-inside diff' "and it is said what does"
get "/datasets/libre/diff?from=$old_libre&resource=libre&format=ndjson"
is "$status_code" 400 "asked for alone it is refused"
for question in "" "from=123" "from=$old&format=xml" "from=$old&format=csv" "from=$old&resource=ville"; do
	get "/datasets/villes/diff?$question"
	is "$status_code" 400 "refused: ${question:-no version}"
done
get "/datasets/villes/diff?from=0123456789abcdef"
is "$status_code" 404 "a version that is not known"
rm -f "$T/in/store/datasets/villes/rows/$old.sqlite"
ok "the server ends well" serve_stop
serve_start
get "/datasets/villes/diff?from=$old"
is "$status_code" 503 "a version without its SQLite file"
like "$(cat "$body")" E8051 "is told"
done_testing
