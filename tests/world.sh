# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# world.sh: two hosts in $T for tests that need bundles: $T/out with a source folder a dataset, $T/in with a store. Sourced after lib.sh.
#
#   world_new                     keys, configurations, an empty store
#   world_source NAME FIELDS      a source NAME whose CSV is $T/data/NAME.csv; FIELDS "code:string nom:string n:integer"
#   world_data NAME LINE…         writes that CSV
#   world_sync                    -> $bundle: the path of the bundle made
#   outside ARGUMENT…   inside ARGUMENT…    the two programs with their configuration
#   WORLD_INSIDE='"reserve": 0'   set before world_new: more members of the inside's configuration
#   world_rogue                   beside it, an outside that lies about villes
#   store_digest                  one digest over all that readers can see

outside() { "$BIN/clapet-outside" --config "$T/out/outside.json" "$@"; }
inside() { "$BIN/clapet-inside" --config "$T/in/inside.json" "$@"; }

world_new() {
	mkdir -p "$T"/out/{sources,state,outbox} "$T"/in/{incoming,spool,contracts,store} "$T/data"
	world_keys || return
	cat >"$T/out/outside.json" <<-JSON
	{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys",
	 "repository": "repository", "outbox": "outbox", "allowFile": true, "testBench": "this machine is a test bench"}
	JSON
	world_policy
	cat >"$T/in/inside.json" <<-JSON
	{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
	 "contracts": "contracts", "policy": "policy.json"${WORLD_INSIDE:+, $WORLD_INSIDE}, "testBench": "this machine is a test bench"}
	JSON
	inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
}

# A test may have its own, before world_new.
world_keys() {
	"$BIN/clapet-keys" init --repository "$T/out/repository" --keys "$T/out/keys" --root-key "$T/root.key" --no-passphrase >/dev/null
}

world_policy() { # [NAME…]: what may appear by itself
	local name list=
	for name in "${@:-villes}"; do list="$list${list:+, }{\"name\": \"$name\", \"threshold\": 1, \"opaque\": false}"; done
	echo "{\"format\": \"clapet policy 1\", \"datasets\": [$list]}" >"$T/in/policy.json"
}

world_source() {
	local name=$1 fields= field
	mkdir -p "$T/out/sources/$name"
	for field in $2; do fields="$fields${fields:+, }{\"name\": \"${field%%:*}\", \"type\": \"${field#*:}\"}"; done
	cat >"$T/out/sources/$name/datapackage.json" <<-JSON
	{"name": "$name", "title": "Test $name", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"},
	 "resources": [{"name": "$name", "path": "file://$T/data/$name.csv", "format": "csv", "encoding": "utf-8",
	  "schema": {"fields": [$fields]}}]}
	JSON
}

world_data() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$T/data/$name.csv"
}

world_sync() {
	outside sync --force "$@" >"$T/sync.log" 2>&1 || { cat "$T/sync.log"; return 1; }
	bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$T/sync.log" | tail -n 1)
}

store_digest() {
	(cd "$T/in/store" && readlink current && cd -P current && for dataset in */; do
		readlink "${dataset%/}"
		sha256sum "$dataset"*
	done; cat clapet.json) 2>/dev/null | sha256sum | cut -c1-64
}

# An outside that lies: everything is ours but what its checking worker leaves, which is changed before the supervisor takes it. PYTHON from
# stdin changes `p`, the published package. Its program: $T/rogue/bin/clapet-outside.
world_rogue() {
	mkdir -p "$T/rogue/bin" "$T/rogue/libexec/clapet"
	cp "$BIN/clapet-outside" "$T/rogue/bin/"
	cp "$LIBEXEC"/outside-* "$T/rogue/libexec/clapet/"
	mv "$T/rogue/libexec/clapet/outside-check" "$T/rogue/libexec/clapet/true-check"
	{
		cat <<-BASH
		#!/bin/bash
		"$T/rogue/libexec/clapet/true-check" "\$@"
		status=\$?
		python3 - "$T/out/state/villes/work/descriptor.json" <<PYTHON
		import json, sys
		f = open(sys.argv[1], "r+")
		p = json.load(f)
		BASH
		cat
		cat <<-BASH
		f.seek(0)
		f.truncate()
		json.dump(p, f)
		PYTHON
		exit \$status
		BASH
	} >"$T/rogue/libexec/clapet/outside-check"
	chmod 0755 "$T/rogue/libexec/clapet/outside-check"
}
