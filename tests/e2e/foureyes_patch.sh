#!/bin/bash
# SPDX-License-Identifier: ISC
# Four eyes on a dataset that travels as patches: the second person is shown that it does, and against what; nothing of the patch leaves
# before they signed; and a newer version, a new keyframe and a lost base go the same way.
. tests/lib.sh
. tests/world.sh

keys() { "$BIN/clapet-keys" --no-passphrase "$@"; }
# 3,000 rows that nobody could compress to nothing; row N as given.
table() { # ROW TEXT…
	awk -v changes="$*" 'BEGIN {
		n = split(changes, list, " "); for (i = 1; i < n; i += 2) text[list[i]] = list[i + 1]
		print "code,nom"; y = 4711
		for (i = 1; i <= 3000; i++) { y = (y * 16807) % 2147483647; printf "%05d,%s\n", i, (i in text) ? text[i] : "nom-" y }
	}' >"$T/data/villes.csv"
}
sha() { sha256sum <"$T/data/villes.csv" | cut -c1-64; }
newest() { find "$T/out/outbox" -name '*.tar' | sort | tail -n 1; }
left() { for file in "$T"/out/outbox/*.tar; do tar tf "$file"; done; }
# Of what waits, or of what is named: type, patch's blob, base.
encoding() { # FILE
	python3 - "$1" <<-'PYTHON'
	import json, sys
	e = json.load(open(sys.argv[1]))["signed"]["targets"]["villes/villes.csv"]["custom"]["encodings"][0]
	print(e["type"], e["parts"][0]["sha256"], e.get("base", {}).get("sha256", "-"))
	PYTHON
}
in_force() { cmp -s "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"; }
second() { # the second person's part; what they were shown: $T/shown
	rm -f "$T"/carry/*.villes.*
	outside cosign --to "$T/carry" >/dev/null && keys sign "$T"/carry/*.villes.request --key "$T/safe/second.key" --yes >"$T/shown" &&
		outside cosign "$T"/carry/*.villes.*.signature >"$T/cosign.log" 2>&1
}

world_new
world_source villes "code:string nom:string"
table
world_sync
inside import "$bundle" >/dev/null
mkdir "$T/safe" "$T/carry"
keys generate --output "$T/safe/second.key" --public "$T/carry/second.pub" >/dev/null
mv "$T/out/keys/targets.key" "$T/safe/"
keys delegate villes --repository "$T/out/repository" --keys "$T/out/keys" --key-public "$T/carry/second.pub" --threshold 2 \
	--request "$T/carry/targets.request" >/dev/null
keys sign "$T/carry/targets.request" --key "$T/safe/targets.key" --yes >/dev/null
keys assemble "$T/carry/targets.request" "$T"/carry/targets.*.signature --repository "$T/out/repository" >/dev/null
outside heartbeat >/dev/null 2>&1
ok "the keyframe's version is signed by two" second
keyframe=$(sha)
pending=$T/out/repository/metadata/pending/villes.json

# --- a patch waits --------------------------------------------------------------------------------------------------------------
table 7 Bourg
run outside sync --force
is "$status" 3 "a new version waits"
read -r type patch base < <(encoding "$pending")
is "$type $base" "patch $keyframe" "which travels as a patch against the keyframe"
run outside pending
like "$output" "travels as a patch of [0-9]+ B \([0-9]+\.[0-9] %\) against sha256:$keyframe" "pending says so, with its share"
run outside heartbeat
unlike "$(left)" "^blobs/$patch" "not a byte of it leaves"
rm -f "$T"/carry/*.villes.*
outside cosign --to "$T/carry" >/dev/null
run keys sign "$T"/carry/*.villes.request --key "$T/safe/second.key" </dev/null
like "$output" "^    travels as a patch of [0-9]+ B against sha256:$keyframe \([0-9.]+ KB\), which is the file that it replaces" "the second person is shown that it is a patch, how large, and against what"
like "$output" "as stored    sha256:$(sha)" "beside the digest of what comes of it"
ok "they sign, and it is published" second
like "$(tar tf "$(newest)")" "^blobs/$patch" "now the patch leaves"
run inside import "$T"/out/outbox/*.tar
ok "and is in force" in_force

# --- the next, against an older version ---------------------------------------------------------------------------------------------
table 7 Bourg 8 Laon
outside sync --force >/dev/null 2>&1
table 7 Bourg 8 Laon 9 Moulins
run outside sync --force
is "$status" 3 "a newer version takes the place of one that waits"
ok "they sign the newer one" second
like "$(cat "$T/shown")" "against sha256:$keyframe \([0-9.]+ KB\), an older version of it" "they are told that the base is an older version"
run inside import "$T"/out/outbox/*.tar
ok "it is in force" in_force

# --- a request that lies about it ------------------------------------------------------------------------------------------------------
table 7 Bourg 8 Laon 9 Digne
outside sync --force >/dev/null 2>&1
rm -f "$T"/carry/*.villes.*
outside cosign --to "$T/carry" >/dev/null
lie() { # PYTHON NAME PATTERN: over e, the encoding
	python3 -c "import json, sys; d = json.load(open(sys.argv[1])); e = d['signed']['targets']['villes/villes.csv']['custom']['encodings'][0]; $1; json.dump(d, open(sys.argv[2], 'w'))" \
		"$T"/carry/*.villes.request "$T/carry/lie.request"
	run keys sign "$T/carry/lie.request" --key "$T/safe/second.key" --yes --output "$T/carry/lie.signature"
	is "$status" 1 "$2: not signed"
	like "$output" 'E2167 REFUSED ' "$2: by name"
}
lie 'del e["base"]' "a patch without a base"
lie 'e["base"]["parts"] = []' "a base without parts"
lie 'e["base"]["base"] = dict(e["base"])' "a base with a base"
lie "e['base']['sha256'] = '$(sha)'" "a base that is the target itself"
lie 'e["type"] = "zstd"' "a base that nothing needs"
python3 -c "import json, sys; d = json.load(open(sys.argv[1])); d['signed']['targets']['villes/villes.csv']['custom']['encodings'][0]['base']['sha256'] = '0' * 64; json.dump(d, open(sys.argv[2], 'w'))" \
	"$T"/carry/*.villes.request "$T/carry/other.request"
keys sign "$T/carry/other.request" --key "$T/safe/second.key" --yes --output "$T/carry/other.signature" >/dev/null
run outside cosign "$T/carry/other.signature"
is "$status" 1 "a signature over another base is not one over what waits"
like "$output" 'E2166 REFUSED ' "by name"
rm -f "$T"/carry/*.request "$T"/carry/*.signature

# --- the base is lost while it waits, and a new keyframe is asked for ------------------------------------------------------------------------
read -r type patch base < <(encoding "$pending")
is "$type" patch "what waits is a patch"
rm "$T/out/repository/targets/villes/$keyframe.villes.csv"
ok "that its keyframe's file is gone does not stop what is made" second
run inside import "$T"/out/outbox/*.tar
ok "it is in force" in_force
run outside sync --keyframe villes
is "$status" 3 "a new keyframe of the same version waits, too"
like "$output" '^villes: version [0-9a-f]{16} of .*, whole again: a new keyframe' "it says what it is"
read -r type patch base < <(encoding "$pending")
is "$type $base" "zstd -" "whole"
unlike "$(left)" "^blobs/$patch" "nothing of it leaves before they signed"
ok "they sign" second
unlike "$(cat "$T/shown")" 'as a patch' "what is no patch"
like "$(tar tf "$(newest)")" "^blobs/$patch" "and it leaves"
run inside import "$T"/out/outbox/*.tar
is "$status" 0 "the inside takes it"
ok "as what it was" in_force
ok "the store verifies" inside verify
done_testing
