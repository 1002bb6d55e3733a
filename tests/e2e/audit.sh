#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-audit: a bundle and a store hold from the right root, and every kind of damage is found and named.
. tests/lib.sh

# --- a store with two imports, made by the real agents
mkdir -p "$T"/outside/{sources/villes,state,outbox} "$T"/inside/{incoming,spool,contracts,store} "$T"/portal
cat >"$T/outside/sources/villes/datapackage.json" <<JSON
{"name": "villes", "title": "Villes", "licenses": [{"name": "LOV2"}],
 "resources": [{"name": "villes", "path": "file://$T/portal/villes.csv", "format": "csv",
   "schema": {"fields": [{"name": "code", "type": "string"}, {"name": "nom", "type": "string"}]}},
  {"name": "zones", "path": "file://$T/portal/zones.csv", "format": "csv",
   "schema": {"fields": [{"name": "zone", "type": "integer"}]}}]}
JSON
printf 'code,nom\n35238,Rennes\n' >"$T/portal/villes.csv"
printf 'zone\n1\n2\n' >"$T/portal/zones.csv"
cat >"$T/outside/outside.json" <<JSON
{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys",
 "repository": "repository", "outbox": "outbox", "allowFile": true, "testBench": "this machine is a test bench"}
JSON
cat >"$T/inside/policy.json" <<JSON
{"format": "clapet policy 1", "datasets": [{"name": "villes", "threshold": 1, "opaque": false}]}
JSON
cat >"$T/inside/inside.json" <<JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
 "contracts": "contracts", "policy": "policy.json", "testBench": "this machine is a test bench"}
JSON
outside() { "$BIN/clapet-outside" --config "$T/outside/outside.json" "$@"; }
inside() { "$BIN/clapet-inside" --config "$T/inside/inside.json" "$@"; }
audit() { run "$BIN/clapet-audit" --test-bench --root "$root" "$@"; }
newest() { find "$T/outside/outbox" -name '*.tar' | sort | tail -n 1; }
root=$T/root.json store=$T/inside/store

run "$BIN/clapet-keys" init --repository "$T/outside/repository" --keys "$T/outside/keys" --root-key "$T/root.key" --no-passphrase
is "$status" 0 "keys are made" || echo "# $output"
cp "$T/outside/repository/metadata/1.root.json" "$root"
run inside init --root "$root"
is "$status" 0 "the store is made" || echo "# $output"
audit store "$store"
is "$status" 0 "a store that has heard nothing yet holds" || echo "# $output"
run outside sync
is "$status" 0 "a first version is published" || echo "# $output"
first=$(newest)
run inside import "$first"
is "$status" 0 "and imported" || echo "# $output"
sleep 1.1
printf 'code,nom\n35238,Rennes\n29019,Brest\n' >"$T/portal/villes.csv"
run outside sync --force
is "$status" 0 "a second version is published" || echo "# $output"
second=$(newest)
run inside import "$second"
is "$status" 0 "and imported" || echo "# $output"

# --- what holds
audit store "$store"
is "$status" 0 "the store holds" || echo "# $output"
like "$output" 'Everything holds' "and it says so"
like "$output" 'generations +2, current is 2' "with both generations"
audit store --json "$store"
ok "the JSON form parses and says valid" python3 -c 'import json,sys; d=json.loads(sys.argv[1]); sys.exit(not (d["valid"] and d["current"] == 2 and d["decoded"] >= 4 and d["nFaults"] == 0))' "$output"
run inside verify
is "$status" 0 "clapet-inside verify says the same" || echo "# $output"
audit bundle "$first" "$second"
is "$status" 0 "both bundles hold" || echo "# $output"
like "$output" 'villes\.csv, .*sha256:[0-9a-f]{64} \(1 of 1 parts here\)' "and list what they bring"
audit bundle --json "$second"
ok "the JSON form of a bundle" python3 -c 'import json,sys; d=json.loads(sys.argv[1]); sys.exit(not (d["valid"] and any(f["file"] == "villes.csv" for f in d["files"])))' "$output"
before=$(cd "$T/inside" && find store -printf '%p %m %s %T@\n' | sort | sha256sum)
audit store "$store"
is "$(cd "$T/inside" && find store -printf '%p %m %s %T@\n' | sort | sha256sum)" "$before" "the audit wrote nothing"

# --- another root
mkdir "$T/other"
run "$BIN/clapet-keys" init --repository "$T/other/repository" --keys "$T/other/keys" --root-key "$T/other.key" --no-passphrase
root=$T/other/repository/metadata/1.root.json
audit store "$store"
is "$status" 1 "from another root nothing in the store holds"
like "$output" 'E2103|E2111|E2106' "and the signature is named"
audit bundle "$second"
is "$status" 1 "nor does a bundle"
root=$T/root.json

# --- damaged bundles
python3 - "$second" "$T/flipped.tar" "$T/cut.tar" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
open(sys.argv[3], "wb").write(data[:len(data) // 2])
at = data.rfind(b"\x28\xb5\x2f\xfd")  # a zstd frame
data[at + 9] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
audit bundle "$T/flipped.tar"
is "$status" 1 "a flipped bit in a blob is found"
like "$output" 'E3101' "by its code"
audit bundle "$T/cut.tar"
is "$status" 4 "a bundle that ends early is incomplete, not wrong"
audit bundle "$T/root.json"
not_ok "what is no bundle is not one" test "$status" = 0

# --- damaged stores: NAME, the line wanted, and what is done to a copy ($S)
damaged() {
	local name=$1 wanted=$2
	shift 2
	S=$T/copy
	rm -rf "$S" && cp -a "$store" "$S"
	(cd "$S" && eval "$*") || echo "# cannot damage: $*"
	audit store "$S"
	is "$status" 1 "$name" || echo "# $output"
	like "$output" "E[0-9]{4} REFUSED .*$wanted" "$name: named"
}
flip() { python3 -c 'import sys,os
p=sys.argv[1]; m=os.stat(p).st_mode; os.chmod(p,0o600); d=bytearray(open(p,"rb").read()); d[len(d)//2]^=1
f=open(p,"r+b"); f.write(d); f.close(); os.chmod(p,m)' "$1"; }
biggest() { find "$1" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-; }

damaged "a flipped bit in an object" 'its bytes are not what' 'flip "$(biggest datasets/villes/objects)"'
damaged "a flipped bit in a blob" 'its bytes are not what' 'flip "$(biggest mirror/blobs)"'
damaged "a flipped bit in metadata" 'json' 'flip "$(biggest mirror/metadata)"'
damaged "a version's file exchanged" 'its bytes are not what' 'f=$(echo datasets/villes/v/*/villes.csv | cut -d" " -f1); rm $f; printf "code,nom\n1,x\n" >$f; chmod 0440 $f'
damaged "a file added to a version" 'no signed metadata name it' 'd=$(echo datasets/villes/v/* | cut -d" " -f1); echo x >$d/more.csv; chmod 0440 $d/more.csv'
damaged "a file of a version lost" 'signed files are missing' 'rm $(echo datasets/villes/v/*/zones.csv | cut -d" " -f1)'
damaged "a version that nobody signed" 'no signed metadata describe' 'cp -a $(echo datasets/villes/v/* | cut -d" " -f1) datasets/villes/v/0123456789abcdef'
damaged "an object that nobody signed" 'nothing signed names it' 'echo x >o; n=$(sha256sum o | cut -c1-64); mv o datasets/villes/objects/$n; chmod 0440 datasets/villes/objects/$n'
damaged "a dataset that nobody signed" 'no signed metadata describe' 'cp -a datasets/villes datasets/autres'
damaged "a file that others can write" 'mode 0666' 'chmod 0666 "$(biggest datasets/villes/objects)"'
damaged "a folder that all can enter" 'mode 0777' 'chmod 0777 datasets/villes'
damaged "a symbolic link for an object" 'not a regular file' 'f=$(biggest datasets/villes/objects); mv $f x; ln -s ../../../x $f; rm x'
damaged "a file where none belongs" 'does not belong there' 'echo x >extra'
damaged "current that leads away" 'current' 'ln -sfn /tmp current'
damaged "current that leads to nothing" 'current' 'ln -sfn generations/99 current'
damaged "a generation's link that leads away" 'not a dataset.s link' 'ln -sfn /tmp generations/2/villes'
damaged "a generation's link to no version" 'leads to no version' 'ln -sfn ../../datasets/villes/v/0123456789abcdef generations/2/villes'
damaged "trust that is not the mirror's" 'trust/' 'cp --remove-destination -p "$T/other/repository/metadata/timestamp.json" trust/timestamp.json; chmod 0440 trust/timestamp.json'
damaged "an anchor exchanged" 'trust/root.json' 'cp --remove-destination -p "$T/other/repository/metadata/1.root.json" trust/root.json; chmod 0440 trust/root.json'
damaged "a target of the mirror that nobody signed" 'nothing signed names it' 'f=$(echo mirror/targets/villes/*.zones.csv | cut -d" " -f1); mv $f ${f%zones.csv}other.csv'

# Told, but no fault: what an import that did not finish has left.
rm -rf "$T/copy" && cp -a "$store" "$T/copy" && mkdir -p "$T/copy/datasets/villes/.tmp/objects"
audit store "$T/copy"
is "$status" 0 "a stage that was left is no damage"
like "$output" 'note: .*did not finish' "but it is told"
run "$BIN/clapet-audit" --test-bench --root "$root" store "$T/portal"
is "$status" 2 "what is no store is trouble"
run "$BIN/clapet-audit" --test-bench store "$store"
is "$status" 2 "no root, no audit"
done_testing
