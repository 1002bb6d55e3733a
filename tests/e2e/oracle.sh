#!/bin/bash
# SPDX-License-Identifier: ISC
# The second opinion: stock tuf-js reads our mirror from its folder. Good repositories verify, each tampered one is refused; and every
# attack of tests/evil/tuf is put to it too.
. tests/lib.sh
. tests/world.sh

# tuf-js in the build folder, as package-lock.json pins it; installed once.
modules=$PWD/$BUILD/oracle/node_modules
lock=$(cat tests/oracle/package.json tests/oracle/package-lock.json | sha256sum | cut -c1-64)
if [ "$(cat "$BUILD/oracle/installed" 2>/dev/null)" != "$lock" ]; then
	rm -rf "$BUILD/oracle"
	mkdir -p "$BUILD/oracle"
	cp tests/oracle/package.json tests/oracle/package-lock.json "$BUILD/oracle/"
	if ! (cd "$BUILD/oracle" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline) >"$T/npm.log" 2>&1; then
		if [ -z "${CI:-}" ] && grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED|command not found' "$T/npm.log"; then
			skip_all "no way to the npm registry"
		fi
		sed 's/^/# /' "$T/npm.log"
		ok "tuf-js is installed" false
		done_testing
	fi
	echo "$lock" >"$BUILD/oracle/installed"
fi
oracle() { NODE_PATH=$modules node tests/oracle/oracle.js "$@"; }
ok "tuf-js is the one that is pinned" test "$(NODE_PATH=$modules node -p 'require("tuf-js/package.json").version')" = \
	"$(node -p 'require("./tests/oracle/package.json").dependencies["tuf-js"]')"
not_ok "the lock file names no registry" grep -Eq '"resolved"|https?://' <(grep -v '"url"' tests/oracle/package-lock.json)

# --- our mirror, good -------------------------------------------------------------------------------------------------
mirror=$T/in/store/mirror
state_new() { # FOLDER: a client that trusts nothing but the first root
	mkdir -p "$1" && cp "$T/out/repository/metadata/1.root.json" "$1/root.json"
}
in_force() { (cd -P "$T/in/store/current" && find -L . -mindepth 2 -type f -not -name clapet.json | sed 's,^\./,,' | sort); }
fetched_all() { # OUT: each is what readers see, bit for bit
	local file
	for file in $(in_force); do cmp "$1/$file" "$T/in/store/current/$file" || return 1; done
}
# One client that keeps its state and one that begins anew; both must find and verify everything.
verify() { # WHAT IS TRUE
	local paths
	paths=$(in_force)
	rm -rf "$T/new" "$T/got"
	state_new "$T/new"
	# shellcheck disable=SC2086
	run oracle mirror "$T/new" "$mirror" "$T/got/new" $paths status.json
	is "$status" 0 "$1: tuf-js verifies it, seeing it for the first time" || printf '# %s\n' "$output"
	# shellcheck disable=SC2086
	run oracle mirror "$T/kept" "$mirror" "$T/got/kept" $paths status.json
	is "$status" 0 "$1: and as the client that it was before" || printf '# %s\n' "$output"
	ok "$1: all bytes are those that readers see" fetched_all "$T/got/new"
	ok "$1: for both" fetched_all "$T/got/kept"
}

world_new
world_policy villes rues
world_source villes "code:string nom:string"
world_source rues "id:integer nom:string"
world_data villes code,nom 01,Bourg
world_data rues id,nom 1,Grande
world_sync
inside import "$bundle" >/dev/null
state_new "$T/kept"
is "$(in_force | wc -l)" 8 "two datasets are in force, each with its package, its table and two attestations"
verify "first import"
world_data villes code,nom 01,Bourg 02,Laon
world_sync
inside import "$bundle" >/dev/null
verify "one dataset changed"
world_data rues id,nom 1,Grande 2,Petite
world_sync
inside import "$bundle" >/dev/null
verify "the other one changed"
outside heartbeat >/dev/null 2>&1
inside import "$(find "$T/out/outbox" -name '*.tar' | sort | tail -n 1)" >/dev/null
verify "a heartbeat"

# A new root key, signed by the old one and by itself.
"$BIN/clapet-keys" generate --no-passphrase --output "$T/root2.key" >"$T/generate.log"
python3 - "$T/out/repository/metadata" "$T/root.key" "$T/root2.key" <<'PYTHON'
import hashlib, json, sys
folder, old, new = sys.argv[1:]
root = json.load(open(f"{folder}/1.root.json"))
signed = root["signed"]
key = json.load(open(new))["public"]
keyid = hashlib.sha256(json.dumps(key, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
signed["version"] = 2
signed["keys"][keyid] = key
signed["roles"]["root"]["keyids"].append(keyid)
root["signatures"] = []
json.dump(root, open(f"{folder}/2.root.json", "w"))
PYTHON
for key in root.key root2.key; do "$BIN/clapet-keys" sign --key "$T/$key" "$T/out/repository/metadata/2.root.json" >/dev/null; done
world_data villes code,nom 01,Bourg 03,Moulins
world_sync
run inside import "$bundle"
is "$status" 0 "a new root goes in with the next bundle"
ok "and into the mirror" test -e "$mirror/metadata/2.root.json"
verify "a new root"
like "$(cat "$T/kept/root.json")" '"version": ?2' "tuf-js follows it"

# Every everyday key is replaced, one by one.
n=0
for role in timestamp snapshot targets villes; do
	request=$T/$role.request
	run "$BIN/clapet-keys" rotate "$role" --repository "$T/out/repository" --keys "$T/out/keys" --request "$request"
	if [ "$role" != villes ]; then
		run "$BIN/clapet-keys" sign --yes --key "$T/root.key" --output "$request.sig" "$request"
		run "$BIN/clapet-keys" assemble --repository "$T/out/repository" --keys "$T/out/keys" "$request" "$request.sig"
	fi
	is "$status" 0 "the key of $role is another" || printf '# %s\n' "$output"
	n=$((n + 1))
	world_data villes code,nom "01,Bourg $n"
	world_sync
	inside import "$bundle" >/dev/null
	verify "another key of $role"
done
like "$(cat "$T/kept/root.json")" '"version": ?5' "tuf-js followed every root"

outside withdraw rues --reason "merged into villes" --replaced-by villes >/dev/null 2>&1
inside import "$(find "$T/out/outbox" -name '*.tar' | sort | tail -n 1)" >/dev/null
is "$(in_force | wc -l)" 4 "a withdrawn dataset is in force no more"
verify "a withdrawn dataset"
run oracle mirror "$T/kept" "$mirror" "$T/got/kept" rues/withdrawn.json
is "$status" 0 "and tuf-js finds the reason" || printf '# %s\n' "$output"
like "$(cat "$T/got/kept/rues/withdrawn.json")" 'merged into villes' "as it was given"
sed -i 's|"testBench"|"keepGenerations": 1, "keepAtLeast": "1s", "testBench"|' "$T/in/inside.json"
sleep 2
world_data villes code,nom 01,Bourg 04,Digne
world_sync
inside import "$bundle" >/dev/null
not_ok "its versions are deleted by rule" test -e "$T/in/store/datasets/rues/v/"*
verify "after retention"
run oracle mirror "$T/kept" "$mirror" "$T/got/later" rues/withdrawn.json
is "$status" 0 "the reason stays" || printf '# %s\n' "$output"
run inside verify
is "$status" 0 "and the store verifies" || printf '# %s\n' "$output"
run oracle mirror "$T/kept" "$mirror" "$T/got/kept" rues/rues.csv
is "$status" 1 "what it held is named by nobody"

# --- our mirror, tampered with -----------------------------------------------------------------------------------------
newest() { (cd "$mirror/metadata" && find . -name "*.$1.json" -printf '%f\n' | sort -n | tail -n 1); }
tampered() { # WHAT: $T/evil is a mirror like ours but for one thing
	rm -rf "$T/new" "$T/got"
	state_new "$T/new"
	# shellcheck disable=SC2046
	run oracle mirror "$T/new" "$T/evil" "$T/got" $(in_force) status.json
	is "$status" 1 "refused by tuf-js: $1" || printf '# %s\n' "$output"
}
fresh() { rm -rf "$T/evil" && cp -a "$mirror" "$T/evil" && chmod -R u+w "$T/evil"; }
flip() { # FILE: one bit of its middle byte
	python3 -c 'import sys; p = sys.argv[1]; b = bytearray(open(p, "rb").read()); b[len(b) // 2] ^= 1; open(p, "wb").write(b)' "$1"
}
targets=$(cd "$mirror" && for file in $(in_force) status.json; do
	find "targets/$(dirname "$file")" -maxdepth 1 -name "*.${file##*/}" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
done)
fresh
cp -a "$T/evil" "$T/untouched"
tampered_files=0
for file in metadata/timestamp.json "metadata/$(newest root)" "metadata/$(newest snapshot)" "metadata/$(newest targets)" "metadata/$(newest villes)" \
	"metadata/$(newest status)" $targets; do
	fresh
	flip "$T/evil/$file"
	tampered "one bit of ${file##*/targets/} is another"
	fresh
	printf ' ' >>"$T/evil/$file"
	case $file in
	*timestamp.json | *root.json) ;; # a blank behind them is JSON as it was, and nobody names their length
	*) tampered "$file is longer by a blank" ;;
	esac
	tampered_files=$((tampered_files + 1))
done
ok "each kind of file was tried" test "$tampered_files" -ge 9
fresh
cp "$T/evil/metadata/$(newest villes)" "$T/evil/metadata/$(newest status)"
tampered "one role's file in another's place"
fresh
rm "$T/evil/metadata/$(newest villes)"
tampered "a role's file is gone"
for root in 2 3 "$(newest root | cut -d. -f1)"; do
	fresh
	rm "$T/evil/metadata/$root.root.json"
	tampered "root $root is gone"
done

# --- the attacks ------------------------------------------------------------------------------------------------------------
# What case.json foretells of tuf-js is what it does: it refuses what we refuse, but for those that name a difference.
run oracle attacks tests/evil/tuf
is "$status" 0 "tuf-js meets every attack"
is "$(printf '%s\n' "$output" | wc -l)" "$(find tests/evil/tuf -name case.json | wc -l)" "and answers each"
while IFS=$'\t' read -r name does foretold why; do
	is "$does" "$foretold" "$name: tuf-js $foretold ($why)"
done <<<"$output"
done_testing
