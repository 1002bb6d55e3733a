#!/bin/bash
# SPDX-License-Identifier: ISC
# history.sh: every version that was ever here: what it is made of, when it was in force, where its files are; through rollback, after generations
# are gone, and with documents that somebody touched.
. tests/lib.sh
. tests/world.sh

json() { printf '%s' "$output" | python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
in_force() { inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])'; }
bring() { # LINE…: the next version of villes; $version is then in force
	world_data villes code,nom "$@"
	world_sync && inside import "$bundle" >/dev/null
	version=$(in_force)
}
history() { run inside --json history villes; }
document() { echo "$T/in/store/decisions/history/villes/$1.json"; }

WORLD_INSIDE='"reserve": 0, "keepGenerations": 2, "keepAtLeast": "1s"'
world_new
world_source villes "code:string nom:string"
run inside history villes
is "$status" 2 "nothing was ever here of a dataset that never came"
like "$output" 'E6004 .*villes: no version of it was ever here' "and it says so"

bring 1,Un
v1=$version
ok "a version's history is written with it" test -f "$(document "$v1")"
is "$(stat -c %a "$(document "$v1")")" 440 "as private as every document"
history
is "$status" 0 "history of one dataset"
is "$(json 'len(d), d[0]["version"], d[0]["note"], d[0]["state"], d[0]["inForce"][0]["to"]')" "1 $v1 in force here None" "the first version is in force"
is "$(json 'sorted(f["path"] for f in d[0]["files"])')" "$(cd "$T/in/store/current/villes" && python3 -c 'import os; print(sorted(os.listdir(".")))')" "it names its files"
sleep 1.1
bring 1,Un 2,Deux
v2=$version
history
is "$(json '[(v["version"], v["note"]) for v in d]')" "[('$v2', 'in force'), ('$v1', '')]" "the newest first"
is "$(json 'd[1]["inForce"][0]["to"] == d[0]["inForce"][0]["from"]')" True "one ends where the next begins"
run inside history villes
like "$output" "^$v2 .* here +in force" "for people, too"
run inside history
like "$output" "^1 .*villes +$v1" "by generation, as before"

# Back and forth: the same version is in force twice; and generations go meanwhile.
sleep 1.1
run inside rollback villes --to "${v1:0:8}" --reason test
sleep 1.1
run inside release villes
sleep 1.1
history
is "$(json '[(len(v["inForce"]), v["note"]) for v in d]')" "[(2, 'in force'), (2, '')]" "each was in force twice"
spans=$(json '[(s["generation"], s["from"], s["to"]) for v in d for s in v["inForce"]]')
bring 3,Trois
v3=$version
sleep 1.1
bring 4,Quatre
v4=$version
sleep 1.1
bring 5,Cinq
v5=$version
not_ok "generations went" test -e "$T/in/store/generations/1"
history
is "$(json '[v["version"] for v in d]')" "['$v5', '$v4', '$v3', '$v2', '$v1']" "every version is remembered"
is "$(json '[(s["generation"], s["from"]) for v in d[3:] for s in v["inForce"]]')" "$(python3 -c "print([s[:2] for s in $spans])")" \
	"when they were in force outlives the generations that showed it"
is "$(json 'all(s["to"] for v in d[1:] for s in v["inForce"])')" True "and each has its end"
is "$(json 'sorted(a["to"] for v in d[1:] for a in v["inForce"]) == sorted(a["from"] for v in d for a in v["inForce"])[1:]')" True "without a gap: each end is a beginning"
is "$(json 'd[4]["state"]')" gone "with its generations the files of the first went"
run inside history villes
like "$output" 'earlier' "earlier times have their own line"
run inside verify
is "$status" 0 "the store holds" || echo "# $output"

# Documents that are not there: of a version that came before its inside wrote them, or lost.
rm -r "$T/in/store/decisions/history"
run inside import
is "$status" 0 "a run without histories"
ok "writes that of the version that its role names" test -f "$(document "$v5")"
is "$(stat -c %a "$(document "$v5")")" 440 "as every document"
history
is "$(json 'd[0]["version"], d[0]["note"], d[0]["date"] != "", d[0]["received"] <= d[0]["inForce"][-1]["from"]')" "$v5 in force True True" "with its date, and when its files came"
run "$BIN/clapet-audit" store "$T/in/store" --root "$T/out/repository/metadata/1.root.json"
is "$status" 0 "it says what is signed" || echo "# $output"
before=$(stat -c '%i %Y' "$(document "$v5")")
run inside import
is "$(stat -c '%i %Y' "$(document "$v5")")" "$before" "it is written once"

# Documents that somebody touched.
cp -p "$(document "$v5")" "$T/good.json"
touch_document() { # SED WHAT PATTERN
	sed "$1" "$T/good.json" >"$T/bad.json"
	chmod 0440 "$T/bad.json"
	mv -f "$T/bad.json" "$(document "$v5")"
	run "$BIN/clapet-audit" store "$T/in/store" --root "$T/out/repository/metadata/1.root.json"
	is "$status" 1 "$2: the auditor says so"
	like "$output" "$3" "and what"
}
like "$("$BIN/clapet-audit" --help)" 'store' "the auditor verifies stores"
touch_document 's/"path": "villes.csv"/"path": "autres.csv"/' "a file that is not the version's" 'autres.csv is not what is signed'
touch_document 's/\("length": \)[0-9]*/\11/' "a length" 'is not what is signed|nothing signed'
touch_document '/"path": "villes.csv"/,/"parts"/s/"sha256": "./"sha256": "f/' "another hash" 'is not what is signed'
touch_document 's/clapet history 1/clapet history 9/' "another format" 'history format 9, this reads 1'
touch_document "s/\"dataset\": \"villes\"/\"dataset\": \"rues\"/" "another dataset's" 'is of rues'
run inside history villes
is "$status" 0 "a document that is out of form is left out"
like "$output" 'is of rues' "with a warning"
like "$output" "^$v5 +-" "and its version is known to be here"
cp -p "$T/good.json" "$(document "$v5")"
touch "$T/in/store/decisions/history/villes/stray"
chmod 0440 "$T/in/store/decisions/history/villes/stray"
run inside verify
like "$output" 'history/villes/stray: does not belong there' "a stray file is found"
rm -f "$T/in/store/decisions/history/villes/stray"
run inside verify
is "$status" 0 "then the store holds again" || echo "# $output"

done_testing
