#!/bin/bash
# SPDX-License-Identifier: ISC
# The client for the public conformance suite, over loopback, against a repository that clapet-keys and outside-sign made: init,
# refresh, download, and what it refuses. (The suite itself is never in this tree.)
. tests/lib.sh
. tests/portal.sh
. tests/world.sh
portal_start
ROOT=$T/out/repository/metadata/1.root.json
CLIENT=$PWD/$BUILD/tests/tuf-client
[ -x "$CLIENT" ] || skip_all "make conformance-client was not run"
world_new
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1
world_sync
inside import "$bundle" >/dev/null 2>&1
url=http://127.0.0.1:$port/repository
# The mirror is a repository as it stands: metadata and targets.
serve() {
	rm -rf "$T/www/repository"
	cp -r "$T/in/store/mirror" "$T/www/repository"
	chmod -R a+rX,u+w "$T/www/repository"
	: >"$T/nginx/access.log"
}
serve
mkdir -p "$T/c/metadata" "$T/c/targets"
client() { run "$CLIENT" --metadata-dir "$T/c/metadata" --metadata-url "$url/metadata" "$@"; }
download() {
	local names=() name
	for name; do names+=(--target-name "$name"); done
	client "${names[@]}" --target-dir "$T/c/targets" --target-base-url "$url/targets/" download
}
flip() { # FILE OFFSET: another byte there
	python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)[0]; f.seek(-1, 1); f.write(bytes([b ^ 1]))' "$1" "$2"
}
requests_were() { is "$(cut -d ' ' -f 2 "$T/nginx/access.log" | sed 's|^/repository/||' | tr '\n' ' ')" "$1" "$2"; }

run "$CLIENT" --metadata-dir "$T/c/metadata" init "$ROOT"
is "$status" 0 "init takes the root"
ok "and keeps it, byte for byte" cmp "$ROOT" "$T/c/metadata/root.json"
requests_were "" "without a question to the server"
client refresh
is "$status" 0 "refresh: $output"
requests_were "metadata/2.root.json metadata/timestamp.json metadata/2.snapshot.json metadata/2.targets.json " "each file is asked for once, in order"
ok "what is trusted is kept byte for byte" cmp "$T/www/repository/metadata/2.snapshot.json" "$T/c/metadata/snapshot.json"

: >"$T/nginx/access.log"
download villes/datapackage.json villes/villes.csv
is "$status" 0 "download: $output"
like "$(cut -d ' ' -f 2 "$T/nginx/access.log" | tr '\n' ' ')" \
	'2.root.json .*/timestamp.json .*/1.villes.json .*/targets/villes/[0-9a-f]{64}.datapackage.json .*/targets/villes/[0-9a-f]{64}.villes.csv $' \
	"the delegated role once, then each file under its hash"
ok "the file is the one that was signed" cmp "$T/c/targets/villes%2Fvilles.csv" "$(ls "$T"/www/repository/targets/villes/*.villes.csv)"
: >"$T/nginx/access.log"
download villes/villes.csv
is "$status" 0 "the same again"
requests_were "metadata/2.root.json metadata/timestamp.json " "asks for neither role nor file"
download villes/nothing.csv
is "$status" 1 "a target that no role names: exit 1"
like "$output" 'E2131 REFUSED "villes/nothing.csv"' "and says so"

# Tampered with on the server: the file, then a role, then the timestamp.
rm "$T/c/targets/villes%2Fvilles.csv"
file=$(ls "$T"/www/repository/targets/villes/*.villes.csv)
flip "$file" 3
download villes/datapackage.json villes/villes.csv
is "$status" 1 "a file with another byte: exit 1"
like "$output" 'E2108 REFUSED villes/villes.csv: SHA-256' "refused by its hash"
not_ok "and not kept" test -e "$T/c/targets/villes%2Fvilles.csv"
printf x >>"$file"
download villes/villes.csv
is "$status" 1 "a file with a byte more: exit 1"
serve
rm "$T/c/metadata/villes.json"
flip "$T/www/repository/metadata/1.villes.json" 300
download villes/villes.csv
is "$status" 1 "a role with another byte: exit 1"
like "$output" 'E2108 REFUSED 1.villes.json' "refused by the snapshot's hash"
not_ok "and not trusted" test -e "$T/c/metadata/villes.json"
serve
python3 - "$T/www/repository/metadata/timestamp.json" <<'PYTHON'
import json, sys
file = json.load(open(sys.argv[1]))
file["signed"]["version"] += 1
json.dump(file, open(sys.argv[1], "w"))
PYTHON
client refresh
is "$status" 1 "a timestamp with another version: exit 1"
like "$output" 'E2103 REFUSED timestamp.json: 0 good signatures' "refused by its signature"
ok "what was trusted stays" cmp "$T/in/store/mirror/metadata/timestamp.json" "$T/c/metadata/timestamp.json"
serve
head -c 20000 /dev/zero | tr '\0' ' ' >>"$T/www/repository/metadata/timestamp.json"
client refresh
is "$status" 1 "a timestamp without end: exit 1"
like "$output" 'E2102 REFUSED timestamp.json: more than 16384 bytes' "refused by its size"

# A next version, then the old one again.
serve
cp -r "$T/www/repository" "$T/old"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
world_sync
inside import "$bundle" >/dev/null 2>&1
serve
download villes/villes.csv
is "$status" 0 "the next version: $output"
ok "is the new file" grep -q Laon "$T/c/targets/villes%2Fvilles.csv"
rm -rf "$T/www/repository"
mv "$T/old" "$T/www/repository"
client refresh
is "$status" 1 "the old repository again: exit 1"
like "$output" 'E2105 DONE timestamp.json: version 2, 3 is trusted' "refused as older"

# Exit status 0 and 1, nothing else.
run "$CLIENT" --metadata-dir "$T/nowhere" init "$ROOT"
is "$status" 1 "a folder that is not there: exit 1"
run "$CLIENT" --no-such-option refresh
is "$status" 1 "an option that is not there: exit 1"
printf '{"signatures": [], "signed": {}}' >"$T/bad.root.json"
mkdir "$T/c2"
run "$CLIENT" --metadata-dir "$T/c2" init "$T/bad.root.json"
is "$status" 1 "a root that is none: exit 1"
run "$CLIENT" --metadata-dir "$T/c2" --metadata-url "$url/metadata" refresh
is "$status" 1 "a refresh without a root: exit 1"
done_testing
