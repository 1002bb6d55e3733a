#!/bin/bash
# SPDX-License-Identifier: ISC
# SQLite files beside versions: built with the import, swapped and deleted with the version, built later by command, an alarm where they fail.
. tests/lib.sh
. tests/world.sh
command -v sqlite3 >/dev/null || skip_all "no sqlite3"

store=$T/in/store
sql() { sqlite3 "file:$1?immutable=1" "$2"; }
WORLD_INSIDE='"rows": true, "keepGenerations": 2, "keepAtLeast": "1s"'
world_new
world_source villes "code:string nom:string n:integer prix:number"
world_data villes 'code,nom,n,prix' '01,Bourg,7,12.10' '02,"Laon, haut",,99999999999.99' '2A,Ajaccio,-3,0.1'
world_sync
run inside import "$bundle"
is "$status" 0 "a version comes in with rows on"
version=$(basename "$(readlink "$store/current/villes")")
file=$store/datasets/villes/rows/$version.sqlite
ok "its SQLite file stands beside it" test -f "$file"
is "$(stat -c %a "$file")" 440 "read-only, for the readers' group"
is "$(stat -c %a "$(dirname "$file")")" 750 "in a folder like the version's"
is "$(readlink "$store/current/villes.sqlite")" "../../datasets/villes/rows/$version.sqlite" "the generation leads to it"
is "$(sql "$file" 'PRAGMA integrity_check')" ok "SQLite finds it sound"
is "$(sql "$file" 'SELECT code, nom, n, prix, clapet_row FROM villes ORDER BY code')" "01|Bourg|7|12.1|1
02|Laon, haut||99999999999.99|2
2A|Ajaccio|-3|0.1|3" "01 stays 01, money comes out to the cent, what is missing is NULL"
is "$(sql "$file" "SELECT value FROM clapet WHERE name IN ('dataset','format') ORDER BY name")" "villes
clapet rows 1" "it says what it is"
is "$(sql "$file" "SELECT value FROM clapet WHERE name = 'version'" | cut -c1-16)" "$version" "and of which version"
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["datasets"][0]["rowsFile"])' "$store/status.json")" here "status.json says that it is here"
before=$(sha256sum <"$file")
run inside rows
is "$status $output" "0 villes: version $version: here" "the command finds nothing to do"
run inside rows --again villes
is "$status" 0 "but does it again when asked"
is "$(sha256sum <"$file")" "$before" "and makes the same bytes"
run inside verify
is "$status" 0 "verify finds all of it in order"
run inside --json rows
like "$output" '"state": "here"' "in JSON too"
run inside rows nothing
is "$status" 2 "a dataset that is not asked for is named"

# A second and third version: the first goes, and its file with it.
world_data villes 'code,nom,n,prix' '01,Bourg,8,12.10'
world_sync
inside import "$bundle" >/dev/null 2>&1
second=$(basename "$(readlink "$store/current/villes")")
ok "the next version has its own" test -f "$store/datasets/villes/rows/$second.sqlite"
ok "and the one before, which a generation still shows, keeps its" test -f "$file"
world_data villes 'code,nom,n,prix' '01,Bourg,9,12.10'
world_sync
sleep 1.2 # past keepAtLeast
inside import "$bundle" >/dev/null 2>&1
not_ok "with a version goes its file" test -e "$file"
is "$(ls "$store/datasets/villes/rows" | wc -l)" 2 "and no other"
run inside verify
is "$status" 0 "verify finds all of it in order"

# Another version of the same tables: the file is copied, not made anew.
changes() { od -An -tu1 -j24 -N4 "$store/datasets/villes/rows/$1.sqlite" | tr -d ' '; }
third=$(basename "$(readlink "$store/current/villes")")
sed -i 's/Test villes/Other villes/' "$T/out/sources/villes/datapackage.json"
world_sync
inside import "$bundle" >/dev/null 2>&1
fourth=$(basename "$(readlink "$store/current/villes")")
not_ok "a new title is a new version" test "$third" = "$fourth"
is "$(sql "$store/current/villes.sqlite" "SELECT value FROM clapet WHERE name = 'version'" | cut -c1-16)" "$fourth" "its file says so"
is "$(sql "$store/current/villes.sqlite" 'SELECT n FROM villes')" 9 "and has the rows"
not_ok "by a change of the one before" test "$(changes "$third")" = "$(changes "$fourth")"
is "$(sql "$store/current/villes.sqlite" 'PRAGMA integrity_check')" ok "which is sound"

# A file of no version, and a link that leads elsewhere, are told.
stray=$store/datasets/villes/rows/0123456789abcdef.sqlite
cp "$store/datasets/villes/rows/$fourth.sqlite" "$stray"
run inside verify
is "$status" 1 "verify finds a file of no version"
like "$output" 'rows/0123456789abcdef.sqlite: of no version' "and names it"
rm -f "$stray"

# A worker that fails: an alarm, and the version in force all the same.
mkdir -p "$T/alt/bin" "$T/alt/libexec/clapet"
cp "$BIN/clapet-inside" "$T/alt/bin/" && cp "$LIBEXEC"/inside-* "$T/alt/libexec/clapet/"
cp "$(type -P false)" "$T/alt/libexec/clapet/inside-rows"
world_data villes 'code,nom,n,prix' '01,Bourg,10,12.10'
world_sync
run "$T/alt/bin/clapet-inside" --config "$T/in/inside.json" import "$bundle"
is "$status" 0 "where it cannot be built the version comes in force"
like "$output" 'E9003' "and that is told"
last=$(basename "$(readlink "$store/current/villes")")
not_ok "it has no file" test -e "$store/datasets/villes/rows/$last.sqlite"
not_ok "and no link" test -e "$store/current/villes.sqlite"
like "$(inside log)" 'no SQLite file' "the log tells of it"
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["datasets"][0]["rowsFile"])' "$store/status.json")" failed "status.json says so"
run "$T/alt/bin/clapet-inside" --config "$T/in/inside.json" import
unlike "$output" 'E9003' "the next import does not try again"
run "$T/alt/bin/clapet-inside" --config "$T/in/inside.json" rows
is "$status" 2 "the command does, and says what failed"
run inside rows
is "$status" 0 "and builds it once the cause is gone"
ok "it is here" test -f "$store/datasets/villes/rows/$last.sqlite"
run inside import
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["datasets"][0]["rowsFile"])' "$store/status.json")" here "status.json says so at the next settling"

# Off for a dataset, and on again: the next settling builds what lacks.
sed -i 's/"rows": true/"rows": {"default": true, "datasets": {"villes": false}}/' "$T/in/inside.json"
rm -f "$store/datasets/villes/rows/$last.sqlite"
inside import >/dev/null 2>&1
not_ok "off for the dataset: none is built" test -e "$store/datasets/villes/rows/$last.sqlite"
unlike "$(cat "$store/status.json")" rowsFile "and status.json does not speak of it"
sed -i 's/"villes": false/"villes": true/' "$T/in/inside.json"
inside import >/dev/null 2>&1
ok "on again: the next import builds it" test -f "$store/datasets/villes/rows/$last.sqlite"
sed -i 's/"villes": true/"villes": 1/' "$T/in/inside.json"
run inside check
is "$status" 2 "check refuses a configuration out of form"
like "$output" '"rows": "villes"' "by its member"
done_testing
