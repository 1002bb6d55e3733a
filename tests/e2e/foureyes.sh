#!/bin/bash
# SPDX-License-Identifier: ISC
# foureyes.sh: a dataset whose versions two people sign: this host, and somebody on another one, who is shown what. The targets key is
# a third person's. One signature alone never leaves, and never comes in.
. tests/lib.sh
. tests/world.sh

keys() { "$BIN/clapet-keys" --no-passphrase "$@"; }
newest() { find "$T/out/outbox" -name '*.tar' | sort | tail -n 1; }
import_newest() { run inside import "$(newest)"; }
rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
n_bundles() { find "$T/out/outbox" -name '*.tar' | wc -l; }
# What every bundle so far has, by name.
left() { for file in "$T"/out/outbox/*.tar; do tar tf "$file"; done; }

# --- three hosts ---------------------------------------------------------------------------------------------------------
mkdir -p "$T"/out/{sources,state,outbox} "$T"/in/{incoming,spool,contracts,store} "$T/data" "$T/safe" "$T/second" "$T/carry"
keys generate --output "$T/safe/targets.key" --public "$T/carry/targets.pub" >/dev/null
keys generate --output "$T/second/second.key" --public "$T/carry/second.pub" >/dev/null
keys generate --output "$T/second/stranger.key" >/dev/null
keys init --repository "$T/out/repository" --keys "$T/out/keys" --root-key "$T/safe/root.key" \
	--targets-key-public "$T/carry/targets.pub" --requests "$T/carry" >/dev/null
is "$?" 4 "init: the targets key is elsewhere"
holder() { # REQUEST: what the holder of the targets key does, and the outside with it
	rm -f "$T"/carry/*.signature
	keys sign "$1" --key "$T/safe/targets.key" --yes >"$T/shown" || return
	keys assemble "$1" "$T"/carry/*.signature --repository "$T/out/repository" "${@:2}"
}
ok "the first targets are signed by ceremony" holder "$T/carry/1.targets.request" --keys "$T/out/keys" --silence 3d
cat >"$T/out/outside.json" <<-JSON
	{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys",
	 "repository": "repository", "outbox": "outbox", "allowFile": true, "testBench": "this machine is a test bench"}
JSON
cat >"$T/in/inside.json" <<-JSON
	{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
	 "contracts": "contracts", "policy": "policy.json", "testBench": "this machine is a test bench"}
JSON
echo '{"format": "clapet policy 1", "datasets": [{"name": "villes", "threshold": 2, "opaque": false},
	{"name": "rues", "threshold": 1, "opaque": false}]}' >"$T/in/policy.json"
inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null

# --- a new dataset needs the holder of the targets key -----------------------------------------------------------------------
world_source villes "code:string nom:string"
world_source rues "code:string nom:string"
world_data villes code,nom 01,Bourg
world_data rues code,nom 01,Albe
run outside sync
is "$status" 3 "a new dataset waits for the holder of the targets key: exit 3"
like "$output" 'E2160 HELD villes: new, waits since .* to delegate it' "it says whose turn it is"
like "$output" 'clapet-keys delegate' "and the next command"
ok "a heartbeat was signed all the same" test "$(n_bundles)" = 1
unlike "$(left)" '^blobs/|villes|rues' "with nothing of the datasets in it"
run outside status
is "$status" 3 "status: exit 3 while something waits"
like "$output" 'E2160 HELD villes' "by name"
# Who owns the host could set the threshold back.
touch "$T/out/keys/targets.key"
run keys delegate villes --repository "$T/out/repository" --keys "$T/out/keys" --key-public "$T/carry/second.pub" --threshold 2 \
	--request "$T/carry/never.request"
is "$status" 1 "four eyes are refused while the targets key is on the outside host"
like "$output" 'E2125 REFUSED a threshold of 2 protects nothing while .*targets.key' "with the reason"
rm "$T/out/keys/targets.key"
run keys delegate --repository "$T/out/repository" --keys "$T/out/keys" --request "$T/carry/2.targets.request"
is "$status" 0 "delegate: a request for the datasets and status"
ok "the holder signs it" holder "$T/carry/2.targets.request"
like "$(cat "$T/shown")" 'villes' "after it was shown what"
run outside sync
is "$status" 0 "then the next run publishes them"
import_newest
is "$status" 3 "inside, villes is held: the policy wants two signatures for it"
like "$output" 'E5102 HELD villes' "by name"
is "$(rows rues)" 2 "rues, which one signature is enough for, is in force"

# --- raising the threshold ---------------------------------------------------------------------------------------------------
run keys delegate villes --repository "$T/out/repository" --keys "$T/out/keys" --key-public "$T/carry/second.pub" --threshold 2 \
	--request "$T/carry/3.targets.request"
is "$status" 0 "delegate: villes is to be signed by two"
ok "the holder signs it" holder "$T/carry/3.targets.request"
like "$(cat "$T/shown")" '2' "and sees the threshold"
run outside heartbeat
is "$status" 3 "villes waits for its second signature"
like "$output" 'E2161 HELD villes version 2 \(the same data, valid for longer\): 1 of 2 signatures' "the same data, under the new delegation"
like "$(tar tf "$(newest)")" '^metadata/2\.targets\.json' "the new targets wait with it: no dataset is lost on the way"
run keys delegate rues --repository "$T/out/repository" --keys "$T/out/keys" --request "$T/carry/4.targets.request"
is "$status" 3 "another request now would undo the one that waits"
second() { # what the second person does with all that was carried to them
	rm -f "$T"/carry/*.signature
	for request in "$T"/carry/*.villes.request; do keys sign "$request" --key "$T/second/second.key" --yes >"$T/shown" || return; done
}
run outside cosign --to "$T/carry"
is "$status" 0 "cosign --to writes what the second person is to sign"
ok "they do" second
like "$(cat "$T/shown")" 'did NOT sign: that it is in force' "what is replaced, they had not signed: they are told"
like "$(cat "$T/shown")" 'the same data, valid for longer' "and that nothing changed"
run outside cosign "$T"/carry/*.villes.*.signature
is "$status" 0 "cosign takes the signature in and publishes"
like "$output" 'villes version 2: signed by key [0-9a-f]{16}, and published' "it says so"
like "$(tar tf "$(newest)")" '^metadata/3\.targets\.json' "now the new targets are in force"
import_newest
is "$status" 0 "inside, villes comes in force"
is "$(rows villes)" 2 "with its data"
rm -f "$T"/carry/*.villes.*

# --- a version that waits ------------------------------------------------------------------------------------------------------
world_data villes code,nom 01,Bourg 02,Lyon
run outside sync --force
is "$status" 3 "a new version waits: exit 3"
like "$output" 'E2161 HELD villes version 3: 1 of 2 signatures since .*not yet signed by key [0-9a-f]{16}' "for whose key"
pending=$T/out/repository/metadata/pending/villes.json
ok "it lies in metadata/pending/" test -s "$pending"
import_newest
is "$status" 0 "the heartbeat goes in"
is "$(rows villes)" 2 "with the version in force where it was"
run outside heartbeat
import_newest
is "$status" 0 "so do the next ones"
unlike "$(left)" '^metadata/3\.villes\.json' "one signature alone never left"
blobs=$(python3 -c 'import json, sys; print("|".join(p["sha256"] for t in json.load(open(sys.argv[1]))["signed"]["targets"].values() for e in t["custom"]["encodings"] for p in e["parts"]))' "$pending")
like "$blobs" '^[0-9a-f]{64}\|[0-9a-f]{64}' "(it has blobs)"
unlike "$(left)" "^blobs/($blobs)" "nor did a byte of its data"
like "$(outside sync villes 2>/dev/null)" '^villes: unchanged; its version still waits' "sync says that it still waits"
run outside pending
is "$status" 3 "pending: exit 3"
like "$output" 'villes\.csv \(changed\): .*, 2 rows \(1 before\)' "pending: rows, and how many before"
like "$output" 'as published sha256:[0-9a-f]{64}' "as published"
like "$output" "as stored    sha256:$(sha256sum <"$T/data/villes.csv" | cut -c1-64)" "as stored"
like "$output" 'valid until' "and how long it is good"
ok "as JSON" sh -c "'$BIN/clapet-outside' --config '$T/out/outside.json' pending --json | python3 -c 'import json, sys; d = json.load(sys.stdin)[\"pending\"]; sys.exit(not (len(d) == 1 and d[0][\"signatures\"] == 1 and len(d[0][\"keys\"]) == 1 and d[0][\"files\"][0][\"rows\"] == 2))'"
like "$(outside status 2>/dev/null)" 'E2161 HELD villes version 3' "status says it, too"

# What the second person sees: everything bound to what they sign by its hash.
outside cosign --to "$T/carry" >/dev/null
ok "the second person signs" second
like "$(cat "$T/shown")" '^Dataset villes, version 3 of its metadata, valid until' "dataset and version"
like "$(cat "$T/shown")" 'villes\.csv: .*, 2 rows' "rows"
like "$(cat "$T/shown")" "as stored    sha256:$(sha256sum <"$T/data/villes.csv" | cut -c1-64)" "the digest of the bytes as stored"
like "$(cat "$T/shown")" 'as published sha256:' "and as published"
like "$(cat "$T/shown")" 'against version 2, which this key signed' "against what, and that they had signed that"
like "$(cat "$T/shown")" 'villes\.csv: other bytes.* 1 rows before, now 2 \(\+1\)' "the change"
rm "$T"/carry/*.signature
run keys sign "$T/carry/3.villes.request" --key "$T/second/second.key" </dev/null
is "$status" 3 "without a terminal and without --yes nothing is signed"
not_ok "no file was written" ls "$T"/carry/*.signature

# --- signatures that do not count -----------------------------------------------------------------------------------------------
cp "$pending" "$T/pending.before"
n_before=$(n_bundles)
refused() { # PATTERN NAME FILE…: nothing is signed, and what waits is as it was
	local pattern=$1 name=$2
	shift 2
	run outside cosign "$@"
	is "$status" 1 "$name: refused"
	like "$output" "$pattern" "$name: by name"
	ok "$name: nothing was published, nothing changed" test "$(n_bundles)" = "$n_before" -a -z "$(cmp "$pending" "$T/pending.before" 2>&1)"
}
keys sign "$T/carry/3.villes.request" --key "$T/second/second.key" --yes --output "$T/carry/good.signature" >/dev/null
keys sign "$T/carry/3.villes.request" --key "$T/second/stranger.key" --yes --output "$T/carry/foreign.signature" >/dev/null
keys sign "$T/carry/3.villes.request" --key "$T/out/keys/datasets/villes.key" --yes --output "$T/carry/own.signature" >/dev/null
python3 - "$T/carry" <<'PY'
import json, sys
folder = sys.argv[1]
good = json.load(open(folder + "/good.signature"))
def put(name, **changes):
    json.dump({**good, **changes}, open(f"{folder}/{name}.signature", "w"))
flipped = ("0" if good["sig"][0] != "0" else "1") + good["sig"][1:]
put("wrong", sig=flipped)
put("other", digest="0" * 64)
put("stale", version=2)
put("early", version=4)
put("dataset", role="rues")
put("top", role="targets")
put("extra", more=1)
put("format", format="clapet signature 2")
open(folder + "/half.signature", "w").write(json.dumps(good)[:100])
PY
refused 'E2164 REFUSED .*key [0-9a-f]{16} is not one that its delegation names' "a foreign key" "$T/carry/foreign.signature"
refused 'E2165 REFUSED .*has signed it already' "this host's own key again" "$T/carry/own.signature"
refused 'E2165 REFUSED .*signs it twice' "the same signature twice" "$T/carry/good.signature" "$T/carry/good.signature"
refused 'E2166 REFUSED .*the signature is not key' "a flipped bit" "$T/carry/wrong.signature"
refused 'E2166 REFUSED .*signed other bytes' "another digest" "$T/carry/other.signature"
refused 'E2163 REFUSED villes version 2: version 2 was published since' "an older version" "$T/carry/stale.signature"
refused 'E2163 REFUSED villes version 4: version 3 waits here' "a version that is not there yet" "$T/carry/early.signature"
refused 'E2163 REFUSED rues version 3: nothing of that dataset waits' "another dataset" "$T/carry/dataset.signature"
refused 'E2167 REFUSED .*19\.4' "a top role" "$T/carry/top.signature"
refused 'E2167 REFUSED ' "a member too many" "$T/carry/extra.signature"
refused 'E2167 REFUSED ' "another format" "$T/carry/format.signature"
refused 'E2167 REFUSED ' "half a file" "$T/carry/half.signature"
refused 'E2164 REFUSED ' "a good one beside a foreign one" "$T/carry/good.signature" "$T/carry/foreign.signature"

# --- a request that lies ------------------------------------------------------------------------------------------------------------
lie() { # PYTHON NAME PATTERN: over d, the request
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); $1; json.dump(d, open(sys.argv[2], 'w'))" "$T/carry/3.villes.request" "$T/carry/lie.request"
	run keys sign "$T/carry/lie.request" --key "$T/second/second.key" --yes --output "$T/carry/lie.signature"
	is "$status" 1 "$2: not signed"
	like "$output" "$3" "$2: by name"
}
lie 'd["package"] = d["package"].replace("villes", "cantons", 1)' "another description" 'E2167 .*package: not the description'
lie 'd["signed"]["delegations"] = {"keys": {}, "roles": []}' "a delegation hidden in it" 'E2167 .*delegations'
lie 'd["signed"]["targets"]["rues/rues.csv"] = d["signed"]["targets"]["villes/villes.csv"]' "a file of another dataset" 'E2167 .*no file of villes'
lie 'd["signed"]["targets"]["villes/villes.csv"]["custom"]["more"] = 1' "something more in a target" 'E2167 '
lie 'd["signed"]["expires"] = "2020-01-01T00:00:00Z"' "one that is over" 'E2167 .*over'
lie 'd["signed"]["version"] = 2' "a version that does not follow" 'E2167 .*does not follow'
lie 'd["signed"]["_type"] = "root"' "a root" 'E2167 '
not_ok "no signature was written" test -e "$T/carry/lie.signature"

# --- a newer version takes the place of the one that waits -----------------------------------------------------------------------------
world_data villes code,nom 01,Bourg 02,Lyon 03,Metz
run outside sync --force
like "$output" 'E2161 HELD villes version 4' "a newer version waits in its place, under the next number"
run outside cosign "$T/carry/good.signature"
is "$status" 1 "the signature on the old one is refused"
like "$output" 'E2163 REFUSED villes version 3: version 4 waits in its place since' "by name: superseded"
rm "$T"/carry/*.request "$T"/carry/*.signature
outside cosign --to "$T/carry" villes >/dev/null
ok "the second person signs the newer one" second
run outside cosign "$T"/carry/*.signature
is "$status" 0 "it is published"
not_ok "nothing waits any more" test -e "$pending"
import_newest
is "$status" 0 "the inside takes it"
is "$(rows villes)" 4 "all rows are in force"
ok "the old one never left" sh -c "! for f in '$T'/out/outbox/*.tar; do tar tf \$f; done | grep -q '^metadata/3.villes.json'"
run outside pending
is "$status" 0 "pending: nothing waits"
ok "the store verifies" inside verify

# --- a backup is restored, and two people's signatures are needed to go on ---------------------------------------------------------------
restore() {
	rm -rf "$T/out/repository" "$T/out/state" "$T/out/keys" "$T"/out/outbox/*
	cp -a "$T"/backup/* "$T/out/"
}
mkdir "$T/backup"
rm -f "$T"/carry/*.request "$T"/carry/*.signature "$T"/in/incoming/*.tar
outside sync --force >/dev/null 2>&1
import_newest
cp -a "$T/out/repository" "$T/out/state" "$T/out/keys" "$T/backup/"
sed -i 's/{"name": "rues"/{"name": "cafes", "threshold": 1, "opaque": false}, {"name": "rues"/' "$T/in/policy.json"
world_source cafes "code:string nom:string"
world_data cafes code,nom 01,Flore
world_data villes code,nom 01,Bourg 02,Lyon 03,Metz 04,Nice
outside sync --force >/dev/null 2>&1
keys delegate --repository "$T/out/repository" --keys "$T/out/keys" --request "$T/carry/4.targets.request" >/dev/null
ok "the holder delegates a new dataset" holder "$T/carry/4.targets.request"
outside cosign --to "$T/carry" >/dev/null
ok "the second person signs a new version" second
run outside cosign "$T"/carry/*.villes.*.signature
is "$status" 0 "both are published"
import_newest
is "$status" 0 "and in force"
is "$(rows villes) $(rows cafes)" "5 2" "(five lines, two lines)"
restore
rm -f "$T"/carry/*.request "$T"/carry/*.signature
run inside request
printf '%s\n' "$output" | sed -n '/^clapet request/,/^check /p' >"$T/carry/request.txt"
run outside recover "$T/carry/request.txt"
is "$status" 3 "after a restored backup: recover"
run outside sync
is "$status" 3 "sync waits for both persons"
like "$output" 'E2162 HELD targets must go above version ([0-9]+)' "the holder of the targets key"
above=$(sed -n 's/.*targets must go above version \([0-9]*\).*/\1/p' <<<"$output" | head -n 1)
like "$output" 'E2161 HELD villes version [0-9]{4}: 1 of 2' "and the second person, for a version above the lost ones"
is "$(newest)" "" "nothing leaves that the inside would refuse"
run keys delegate --above "$above" --repository "$T/out/repository" --keys "$T/out/keys" --request "$T/carry/next.targets.request"
is "$status" 0 "delegate --above asks for such targets"
ok "the holder signs them" holder "$T/carry/next.targets.request"
run outside cosign --to "$T/carry"
ok "the second person signs their version" second
run outside cosign "$T"/carry/*.villes.*.signature
is "$status" 0 "cosign publishes"
like "$output" 'the recovery is complete' "and the recovery is complete"
import_newest
is "$status" 0 "the inside takes it"
is "$(rows villes) $(rows cafes)" "5 2" "the newest data are in force"
ok "the store verifies, after all" inside verify

# --- a compromised outside --------------------------------------------------------------------------------------------------------------
# It has its own key, snapshot's and timestamp's: it names a version that it signed alone.
cp -a "$T/out" "$T/evil"
python3 - "$T/evil" <<'PY'
import base64, glob, hashlib, json, os, subprocess, sys
folder = sys.argv[1]
metadata = folder + "/repository/metadata/"
def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def sign(key_file, signed):
    key = json.load(open(key_file))
    seed = bytes.fromhex(key["secret"])
    public = key["public"]
    open(folder + "/key.der", "wb").write(bytes.fromhex("302e020100300506032b657004220420") + seed)
    open(folder + "/bytes", "wb").write(canonical(signed))
    sig = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", folder + "/key.der", "-in", folder + "/bytes"],
                         check=True, stdout=subprocess.PIPE).stdout
    return {"signatures": [{"keyid": hashlib.sha256(canonical(public)).hexdigest(), "sig": sig.hex()}], "signed": signed}
def put(name, value):
    data = canonical(value)
    open(metadata + name, "wb").write(data)
    return {"version": value["signed"]["version"], "length": len(data), "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}
timestamp = json.load(open(metadata + "timestamp.json"))["signed"]
n = timestamp["meta"]["snapshot.json"]["version"]
snapshot = json.load(open(metadata + f"{n}.snapshot.json"))["signed"]
version = snapshot["meta"]["villes.json"]["version"]
role = json.load(open(metadata + f"{version}.villes.json"))["signed"]
role["version"] = version + 1
evil = put(f"{version + 1}.villes.json", sign(folder + "/keys/datasets/villes.key", role))
snapshot["version"] = n + 1
snapshot["meta"]["villes.json"] = evil
timestamp["meta"]["snapshot.json"] = put(f"{n + 1}.snapshot.json", sign(folder + "/keys/snapshot.key", snapshot))
timestamp["version"] += 1
put("timestamp.json", sign(folder + "/keys/timestamp.key", timestamp))
PY
before=$(store_digest)
world_data rues code,nom 01,Albe 02,Bede
"$BIN/clapet-outside" --config "$T/evil/outside.json" sync --force >/dev/null 2>&1
evil=$(find "$T/evil/outbox" -name '*.tar' | sort | tail -n 1)
like "$(tar tf "$evil")" '^metadata/1[0-9]{3}\.villes\.json' "a compromised outside sends a version that it signed alone"
run inside import "$evil"
is "$status" 1 "the inside refuses it"
like "$output" 'E2103 REFUSED villes: 1[0-9]{3}.villes.json: 1 good signatures, the threshold is 2' "one of two signatures"
is "$(rows villes)" 5 "the version in force stays"
is "$(rows rues)" 3 "and the other datasets go on"
unlike "$before" '^$' "(the store was readable)"
done_testing
