#!/bin/bash
# SPDX-License-Identifier: ISC
# drift_cog.sh: eight real versions of the official geographic code. Its columns came and went; a map of three lines keeps what was
# promised in February 2022, and an application's contract with it. Without the map the first new column is stopped.
. tests/lib.sh
. tests/world.sh
. tests/drift.sh
drift_world cog cog-2022
drift_unpack cog.tar.xz
rm -f "$T/in/contracts/"*
cat >"$T/in/contracts/paie.json" <<'JSON'
{"format": "clapet contract 1", "application": "paie", "dataset": "cog", "resources": [
 {"name": "regions", "match": "exact", "fields": [
  {"name": "code", "type": "string", "constraints": {"required": true}}, {"name": "chefLieu", "type": "string"},
  {"name": "nom", "type": "string", "constraints": {"required": true}},
  {"name": "typeLiaison", "type": "integer", "constraints": {"minimum": 0, "maximum": 8}}]},
 {"name": "departements", "match": "position", "fields": [
  {"name": "code", "type": "string"}, {"name": "region", "type": "string"}, {"name": "chefLieu", "type": "string"},
  {"name": "nom", "type": "string", "constraints": {"required": true}}]},
 {"name": "communes", "match": "position", "fields": [
  {"name": "code", "type": "string", "constraints": {"required": true}}, {"name": "nom", "type": "string"},
  {"name": "typeLiaison", "type": "integer"}, {"name": "arrondissement", "type": "string"},
  {"name": "departement", "type": "string"}, {"name": "region", "type": "string"}, {"name": "type", "type": "string"},
  {"name": "rangChefLieu", "type": "integer"}, {"name": "codesPostaux", "type": "string"},
  {"name": "population", "type": "integer"}], "primaryKey": ["code", "type"], "minRows": 1000, "maxChangePercent": 5}]}
JSON
for version in "$T"/history/20*; do
	drift_step "${version##*/}" "$version"/*.csv
done
is "$(find "$T/kept" -mindepth 1 -maxdepth 1 | wc -l)" 8 "eight versions ran"
is "$(grep -c '{"drop"' "$drift_data/sources/cog.json")" 3 "with three lines of map"

verdicts=$(drift_verdicts cog)
is "$(grep -c ' passed; ' <<<"$verdicts")" 8 "all eight pass outside"
is "$(sed 's/^\(.*\) cog passed; inside \(.*\)/\1 \2/' <<<"$verdicts" | awk '$1 != $2')" "" "and are in force inside, row by row what was promised" ||
	sed 's/^/# /' <<<"$verdicts"
run inside status
is "$status" 0 "nothing waits for a person, no contract is broken"
unlike "$(cat "$T"/kept/*/import.log)" "held|REFUSED" "nor was there ever anything held"

# What the attestations and the log of the run say.
run inside show cog
like "$output" "communes.csv: .*its columns mapped by 1 line" "the provenance says that a map was applied"
ok "and which" python3 -c 'import json, sys
resources = json.loads(sys.argv[1])["resources"]
assert [r["map"] for r in resources] == [[{"drop": "zone"}]] * 2 + [[{"drop": ["collectiviteOutremer", "zone", "siren"]}]]' "$(inside --json show cog)"

verdicts=$(drift_verdicts cog-2022)
is "$(grep -c 'stopped E4301 .*inside -$' <<<"$verdicts")" 8 "without a map no version keeps the promise"
like "$(head -n 1 <<<"$verdicts")" "^2022-02-18 .* extra-label collectiviteOutremer, extra-cell row [0-9]+; " "the first has a column more than was promised" ||
	sed 's/^/# /' <<<"$verdicts"
done_testing
