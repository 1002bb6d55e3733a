#!/bin/bash
# SPDX-License-Identifier: ISC
# Trust before the whole inside: newer but expired, a fork, a threshold that is not met, and a role's metadata that come late.
. tests/lib.sh
. tests/world.sh
world_new
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1
world_sync
inside import "$bundle" >/dev/null 2>&1
old=$(store_digest)
like "$(readlink "$T/in/store/current")" 'generations/1' "a first version is in force"

unchanged() { is "$(store_digest)" "$old" "readers see no change"; }

# Newer, rightly signed, and expired when it arrives.
cp -a "$T/out" "$T/out.before"
sed -i 's|"testBench"|"expires": {"timestamp": "1s"}, "testBench"|' "$T/out/outside.json"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
world_sync
sleep 2
sed -i 's|"testBench"|"clockSkew": "1s", "testBench"|' "$T/in/inside.json"
run inside import "$bundle"
is "$status" 1 "newer but expired metadata: exit 1"
like "$output" 'E2104 REFUSED bundle .*Nothing changed' "refused as expired, in one line"
unchanged
sed -i 's|"clockSkew": "1s", ||' "$T/in/inside.json"

# Newer, rightly signed, and good for ever: nobody may push a freeze that far.
rm -rf "$T/out" && cp -a "$T/out.before" "$T/out"
sed -i 's|"testBench"|"expires": {"timestamp": "500d"}, "testBench"|' "$T/out/outside.json"
world_sync
run inside import "$bundle"
is "$status" 1 "metadata valid for longer than maxValidity: exit 1"
like "$output" 'E2112 REFUSED bundle .*Nothing changed' "refused, in one line"
unchanged

# The same by kind of role: the timestamp alone is bound here, and `check` says what holds.
cp "$T/in/inside.json" "$T/inside.before"
sed -i 's|"testBench"|"maxValidity": {"timestamp": "499d", "root": "800d"}, "testBench"|' "$T/in/inside.json"
run inside import "$bundle"
is "$status" 1 "a timestamp valid for longer than maxValidity.timestamp: exit 1"
like "$output" 'E2112 REFUSED bundle .*timestamp.json: expires .*more than 499 days ahead, which the configuration.s "maxValidity" allows for timestamp' \
	"refused, citing it"
run inside check
like "$output" 'ok +trust root +ed25519; expires at most 800 days ahead' "check shows the root's rule"
like "$output" 'ok +trust timestamp +ed25519; expires at most 499 days ahead' "check shows the timestamp's rule"
like "$output" 'ok +trust datasets +ed25519; expires at most 400 days ahead' "check shows what is left to its default"
sed -i 's|"maxValidity": {|"schemes": {"root": ["ecdsa-sha2-nistp256"]}, "maxValidity": {|' "$T/in/inside.json"
run inside check
is "$status" 2 "a scheme that this build lacks: exit 2"
like "$output" 'E9002 .*schemes.root: ecdsa-sha2-nistp256 is not in this build' "check says so"
cp "$T/inside.before" "$T/in/inside.json"
unchanged

# A fork: the same outside restored from its backup signs other data under the version that the inside trusts.
rm -rf "$T/out" && cp -a "$T/out.before" "$T/out"
world_data villes code,nom,n 01,Bourg,1 03,Moulins,3
world_sync
inside import "$bundle" >/dev/null 2>&1
old=$(store_digest)
rm -rf "$T/out" && cp -a "$T/out.before" "$T/out"
world_data villes code,nom,n 01,Bourg,1 04,Digne,4
world_sync
run inside import "$bundle"
is "$status" 1 "a fork: exit 1"
like "$output" 'E2106 REFUSED bundle .*Nothing changed' "refused as a fork, in one line"
unchanged

# A root that wants two signatures, of which everyday metadata carry one.
mkdir "$T/two"
run "$BIN/clapet-keys" init --repository "$T/two/repository" --keys "$T/two/keys" --root-key "$T/two/a.key" --root-key "$T/two/b.key" \
	--root-threshold 2 --no-passphrase
is "$status" 0 "a root with two keys, threshold 2"
python3 - "$T/two/repository/metadata/1.root.json" "$T/two/half.root.json" <<'PYTHON'
import json, sys
root = json.load(open(sys.argv[1]))
del root["signatures"][1:]
json.dump(root, open(sys.argv[2], "w"))
PYTHON
mkdir "$T/in2"
sed 's|"store": "store"|"store": "store2"|' "$T/in/inside.json" >"$T/in/second.json"
run "$BIN/clapet-inside" --config "$T/in/second.json" init --root "$T/two/half.root.json"
is "$status" 1 "an anchor whose own threshold is not met: exit 1"
like "$output" 'E2103 REFUSED .*threshold' "refused, naming the threshold"
ok "and no store trusts it" test ! -e "$T/in/store2/trust/root.json"
run "$BIN/clapet-inside" --config "$T/in/second.json" init --root "$T/two/repository/metadata/1.root.json"
is "$status" 0 "whole, it is taken"

# A role's metadata that come late: the bundle with them is lost, the next one names them, then the lost one turns up.
rm -rf "$T"/in/store "$T"/in/incoming/* "$T/out" && cp -a "$T/out.before" "$T/out"
mkdir -p "$T/in/store"
inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null 2>&1
first=$(find "$T/out/outbox" -name '*.tar' | sort | head -n 1)
inside import "$first" >/dev/null 2>&1
world_data villes code,nom,n 01,Bourg,1 05,Gap,5
world_sync
lost=$bundle
outside heartbeat >/dev/null 2>&1
heartbeat=$(find "$T/out/outbox" -name '*.tar' | sort | tail -n 1)
run inside import "$heartbeat"
is "$status" 4 "the later bundle alone: something is missing, exit 4"
run inside missing
is "$status" 4 "missing says so too"
like "$output" 'villes' "and names the dataset"
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 2 "the old version stays in force"
run inside import "$lost"
is "$status" 0 "the lost one arrives late: its metadata are old, its blobs are wanted"
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 3 "and the version is in force"
done_testing
