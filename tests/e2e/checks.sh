#!/bin/bash
# SPDX-License-Identifier: ISC
# custom_checks and frFormat as people meet them: each check's line and exit status, warnings for what is not checked, the same report from
# several threads, the attestation, and the inside, which holds data to the same checks.
. tests/lib.sh
. tests/world.sh

validate() { run "$BIN/clapet-outside" validate "$@"; }

# breaks RULE CHECK-OR-FORMAT GOOD BAD TEXT: a check of the column a. In these, ~ is a quote.
breaks() {
	local schema=$T/one.json checks= format=
	case $2 in
	\{~*) checks=$2 ;;
	*) format=", \"frFormat\": $2" ;;
	esac
	echo "{\"fields\": [{\"name\": \"a\"$format}, {\"name\": \"b\"}], \"custom_checks\": [${checks//\~/\"}]}" >"$schema"
	printf 'a,b\n%s\n' "${3//\~/\"}" >"$T/one.csv"
	validate --schema "$schema" "$T/one.csv"
	is "$status $output" "0 $T/one.csv: valid, 1 rows" "$1: a good row"
	printf 'a,b\n%s\n%s\n' "${3//\~/\"}" "${4//\~/\"}" >"$T/one.csv"
	validate --schema "$schema" "$T/one.csv"
	is "$status" 1 "$1: exit 1"
	like "$output" "one.csv:3: field a: .*$5.*\(custom-check-error\)" "$1: $5"
	validate --schema "$schema" --json "$T/one.csv"
	like "$output" "\"rule\": \"$1\"" "$1: by its name"
}
one() { echo "{~name~: ~$1~, ~params~: {~column~: ~a~${2:+, $2}}}"; }

breaks french-siren-value "$(one french-siren-value)" 404833048, 404833047, 'is no SIREN: its check digit is wrong'
breaks french-siret-value "$(one french-siret-value)" 73282932000074, 73282932000079, 'is no SIRET: its check digit is wrong'
breaks french-siret-value "$(one french-siret-value)" 35600000009075, 35600000009076, 'La Poste: the sum of its digits'
breaks french-gps-coordinates "$(one french_gps_coordinates)" '~2.29,48.8~,' '~10,60~,' 'is not in France'
breaks reversed-french-gps-coordinates "$(one french-gps-coordinates)" '~[2.29, 48.8]~,' '~[48.8, 2.29]~,' 'longitude comes first'
breaks nomenclature-actes-value "$(one nomenclature-actes-value)" urbanisme/x, x/urbanisme, 'none of its nine'
breaks phone-number-value "$(one phone-number-value)" '01 99 00 27 37,' '619 13 45,' 'neither a French number'
breaks opening-hours-value "$(one opening-hours-value)" 'Mo-Fr 08:00-12:00,' 'Lu-Ve 08:00-12:00,' 'is no opening hours'
breaks year-interval-value "$(one year-interval-value)" 2018/2020, 2020/2018, 'the second is before the first'
breaks year-interval-value "$(one year-interval-value '~allow-year-only~: ~yes~')" 2018, 20, 'neither a year'
breaks cohesive-columns-value "$(one cohesive-columns-value '~othercolumns~: [~b~]')" 1,2 1, 'must all have a value, or none; b has none'
breaks compare-columns-value "$(one compare-columns-value '~op~: ~>=~, ~column2~: ~b~')" 10,9 1,2 'is not >= "2" of the column b'
breaks sum-columns-value "$(one sum-columns-value '~columns~: [~b~, ~b~]')" 4,2 5,2 'is not the sum of the columns b, b, which is 4'
breaks siren '"siren"' 404833048, 404833047, 'is no SIREN'
breaks siret '"siret"' 73282932000074, 7, 'is no SIRET'
breaks nic '"nic"' 00074, 74, 'is no NIC'
breaks nir '"nir"' 255081416802538, 255081416802539, 'is no NIR: its check digits are wrong'
breaks code-rna '"code-rna"' W135247934, W1, 'RNA'
breaks id-rnb '"id-rnb"' FT4RKBXBVH9S, FT4R-KBXB-VH9S, 'RNB'
breaks code-commune-insee '"code-commune-insee"' 2A004, 20004, 'is no code of a commune'
breaks code-commune-insee '{"name": "codeCommune", "options": {"version": "2022"}}' 12271, 77777, 'is no code of a commune'
breaks code-departement '"code-departement"' 2A, 20, 'is no code of a departement'
breaks departement '"departement"' "Côtes-d'Armor," "cotes d'armor," 'is no name of a departement'
breaks code-region '"code-region"' 84, 42, 'is no code of a region'
breaks region '"region"' Corse, corse, 'is no name of a region'
breaks code-postal '"code-postal"' 05560, 77777, 'is no French postal code'
breaks code-pays-iso2 '"code-pays-iso2"' FR, XX, 'ISO 3166-1'
breaks code-pays-iso3 '"code-pays-iso3"' FRA, FR, 'ISO 3166-1'
breaks coordonnees-gps-francaises '"coordonnees-gps-francaises"' '~2.29,48.8~,' '~10,60~,' 'is not in France'
breaks longitude-l93 '"longitude-l93"' 224234.5, 9999999, 'Lambert 93'
breaks latitude-l93 '"latitude-l93"' 6544234.2, 1, 'Lambert 93'

echo '{"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "custom_checks": [{"name": "one-of-required", "params": {"column1": "a", "column2": "b"}}]}' >"$T/one.json"
printf 'a,b,c\n1,,x\n,2,x\n,,x\n' >"$T/one.csv"
validate --schema "$T/one.json" "$T/one.csv"
is "$status" 1 'one-of-required: exit 1'
like "$output" 'one.csv:4: field a: one of the columns a, b must have a value' 'one-of-required: the row'

# --- what is not checked is said, and makes nothing invalid ----------------------------------------------------------
cat >"$T/odd.json" <<'JSON'
{"fields": [{"name": "a", "frFormat": "canton"}, {"name": "b", "frFormat": "x"}],
 "custom_checks": [{"name": "my-own-check", "params": {"column": "a"}}, {"name": "french-siren-value", "params": {"column": "absent"}},
  {"name": "compare-columns-value", "params": {"column": "a", "op": "=~", "column2": "b"}}, {"name": "siren", "params": {"column": "b", "colour": "blue"}}]}
JSON
printf 'a,b\nx,404833048\n' >"$T/odd.csv"
validate --schema "$T/odd.json" "$T/odd.csv"
is "$status" 0 'checks that cannot be made: exit 0'
like "$output" 'odd.csv: valid, 1 rows, 6 warnings' 'and valid, with warnings'
like "$output" 'warning: field a: custom_checks: no check is called my-own-check' 'an unknown check is named'
like "$output" 'warning: field b: frFormat: no format is called x' 'an unknown format is named'
like "$output" 'warning: field a: canton is not checked: its list' 'a format without its list'
like "$output" 'warning: field absent: french-siren-value is not checked: the data have no column absent' 'a column that is not there'
like "$output" 'warning: field a: compare-columns-value is not checked: the parameter op' 'a bad parameter'
like "$output" 'warning: field b: siren is checked without its parameter colour' 'an unknown parameter'
validate --schema "$T/odd.json" --json "$T/odd.csv"
like "$output" '"custom-check-skipped": 6' 'six warnings'

# --- threads --------------------------------------------------------------------------------------------------------------
echo '{"fields": [{"name": "a", "frFormat": "siren"}, {"name": "b", "type": "integer"}, {"name": "c", "type": "integer"}],
 "custom_checks": [{"name": "compare-columns-value", "params": {"column": "b", "op": "<", "column2": "c"}}]}' >"$T/many.json"
awk 'BEGIN { print "a,b,c"; for (i = 1; i <= 60000; i++) print (i % 20000 == 0 ? "404833047" : "404833048") "," i "," (i % 25000 == 0 ? i : i + 1) }' >"$T/many.csv"
validate --schema "$T/many.json" --json "$T/many.csv"
alone=$output
like "$alone" '"custom-check-error": 5' 'many rows: five faults'
for threads in 2 3; do
	validate --schema "$T/many.json" --threads $threads --json "$T/many.csv"
	ok "$threads threads give the report of one" test "$output" = "$alone"
done

# --- through both sides ---------------------------------------------------------------------------------------------------
ok 'a world is made' world_new
world_policy unites
mkdir "$T/out/sources/unites"
source_schema() { # CHECKS
	cat >"$T/out/sources/unites/datapackage.json" <<-JSON
	{"name": "unites", "title": "Unites", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
	 "resources": [{"name": "unites", "path": "file://$T/data/unites.csv", "format": "csv", "encoding": "utf-8",
	  "schema": {"fields": [{"name": "siren", "type": "string", "frFormat": "siren"}, {"name": "tel", "type": "string"}], "custom_checks": [$1]}}]}
	JSON
}
source_schema '{"name": "phone-number-value", "params": {"column": "tel"}}'
world_data unites siren,tel 404833048,3949
ok 'good data are published' world_sync
run inside import "$bundle"
is "$status" 0 'and come in'
like "$(cat "$T/in/store/current/unites/datapackage.json")" '"frFormat": ?"siren"' 'the published schema keeps frFormat'
like "$(cat "$T/in/store/current/unites/datapackage.json")" 'phone-number-value' 'and custom_checks'
like "$(cat "$T/out/state/unites/test-result.json")" 'unites/tel/phone-number-value' 'the attestation names the check'
like "$(cat "$T/out/state/unites/test-result.json")" 'unites/siren/siren' 'and the format'
world_data unites siren,tel 404833047,3949
outside sync --force >"$T/sync.log" 2>&1
like "$(cat "$T/sync.log")" 'E4301 .*field siren: "404833047" is no SIREN: its check digit is wrong' 'bad data are refused outside'
world_data unites siren,tel 404833048,39
outside sync --force >"$T/sync.log" 2>&1
like "$(cat "$T/sync.log")" 'E4301 .*field tel: "39" is neither' 'and by the other check'
source_schema '{"name": "my-own-check", "params": {"column": "tel"}}'
world_data unites siren,tel 404833048,15
ok 'a check that nobody knows stops nothing' world_sync
like "$(cat "$T/out/state/unites/test-result.json")" 'WARNED' 'but is a warning in the attestation'
like "$(cat "$T/out/state/unites/test-result.json")" 'unites/custom-check-skipped' 'that says what it is'
run inside import "$bundle"
is "$status" 0 'and holds nothing up inside'

done_testing
