#!/bin/bash
# SPDX-License-Identifier: ISC
# Foreign keys into other packages, what can go wrong inside: the policy, circles, unknown datasets, kills; and `validate --reference`.
. tests/lib.sh
. tests/world.sh

rows() { wc -l 2>/dev/null <"$T/in/store/current/$1/$1.csv" || echo none; }
refer() { # DATASET FIELD PACKAGE FIELD: the key FIELD of DATASET leads to PACKAGE
	sed -i "s/\]}}\]}\$/], \"foreignKeys\": [{\"fields\": \"$2\", \"reference\": {\"package\": \"$3\", \"resource\": \"$3\", \"fields\": \"$4\"}}]}}]}/" \
		"$T/out/sources/$1/datapackage.json"
}
publish() { # DATASET -> $bundle
	outside sync --force "$1" >"$T/sync.log" 2>&1 || { cat "$T/sync.log"; return 1; }
	bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$T/sync.log")
}

# --- validate, without any agent ------------------------------------------------------------------------------------------
mkdir -p "$T/cog" "$T/villes"
printf '{"name": "cog", "resources": [{"name": "communes", "path": "c.csv", "encoding": "iso-8859-1", "dialect": {"delimiter": ";"}, "schema": "schema.json"}]}' >"$T/cog/datapackage.json"
printf '{"fields": [{"name": "nom"}, {"name": "code"}]}' >"$T/cog/schema.json"
printf 'nom;code\nCr\xe9teil;94028\n\xcele;A\xe9\n' >"$T/cog/c.csv"
printf '{"name": "villes", "resources": [{"name": "villes", "path": "v.csv", "schema": {"fields": [{"name": "nom"}, {"name": "commune"}], "foreignKeys": [{"fields": "commune", "reference": {"package": "cog", "resource": "communes", "fields": "code"}}]}}]}' >"$T/villes/datapackage.json"
printf 'nom,commune\na,94028\nb,Aé\nc,\n' >"$T/villes/v.csv"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/cog"
is "$status" 0 "a package is validated with the one that it refers to"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/cog/datapackage.json"
is "$status" 0 "which may be named by its file"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json"
is "$status" 1 "without it these keys are a fault"
like "$output" 'refers to the package cog: give it with --reference cog=PATH' "and the option is told"
like "$output" 'v.csv.*cannot be checked: the table cog/communes was not given' "nothing passes silently"
printf 'nom,commune\na,94028\nb,94029\n' >"$T/villes/v.csv"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/cog"
is "$status" 1 "a key that leads nowhere is not valid"
like "$output" 'v.csv:3.*94029.* is not found in cog/communes as code' "with row, value and table"
is "$(printf '%s\n' "$output" | grep -c 'c.csv')" 0 "the other package's own table is not judged"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/cog" --json
like "$output" '"tasks": 1' "nor is it in the report"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/none"
is "$status" 2 "a package that is not there is trouble"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "$T/cog"
is "$status" 2 "so is one without a name"
run "$BIN/clapet-outside" validate --reference "cog=$T/cog" "$T/villes/v.csv"
is "$status" 2 "and a reference without a package"
sed -i 's/"code"/"insee"/' "$T/villes/datapackage.json"
run "$BIN/clapet-outside" validate --package "$T/villes/datapackage.json" --reference "cog=$T/cog"
is "$status" 1 "a field that the other package lacks is refused"
like "$output" 'E4321 .*the field insee of cog/communes' "by name"

# --- the policy -----------------------------------------------------------------------------------------------------------
ok "a world is made" world_new
world_policy villes
world_source cog "code:string nom:string"
world_source villes "nom:string commune:string"
refer villes commune cog code
world_data cog code,nom 01001,Bourg
world_data villes nom,commune a,01001
world_sync
run inside import "$bundle" --json
is "$status" 3 "a dataset that the policy does not know is held"
like "$output" '"fault": "E5101"' "as such"
like "$output" '"fault": "E5022"' "and with it the one that refers to it"
like "$output" 'held with cog, which waits for a person \(E5101' "named, in JSON too"
world_policy villes cog
run inside import
is "$status" 0 "once the policy knows it"
is "$(rows cog) $(rows villes)" "2 2" "both come in"

# --- kill -9 while both come in --------------------------------------------------------------------------------------------
world_data cog code,nom 01002,Laon
world_data villes nom,commune a,01002
world_sync
if command -v strace >/dev/null; then
	cp -a "$T/in" "$T/in.before"
	old=$(store_digest) wrong= unfinished= n_kills=0
	inside import "$bundle" >/dev/null 2>&1
	new=$(store_digest)
	for call in sendmsg recvmsg renameat,renameat2,rename fsync,syncfs; do
		for n in 3 14 30 60; do
			rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
			(strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
				"$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle") >"$T/import.log" 2>&1 || n_kills=$((n_kills + 1))
			both=$(cat "$T/in/store/current/cog/cog.csv" "$T/in/store/current/villes/villes.csv" | grep -o '0100.' | sort -u)
			[ "$both" = 01001 ] || [ "$both" = 01002 ] || wrong="$wrong $call:$n"
			inside import "$bundle" >"$T/import.log" 2>&1
			[ "$(rows cog) $(rows villes)" = "2 2" ] && grep -q 01002 "$T/in/store/current/cog/cog.csv" &&
				inside verify >"$T/verify.log" 2>&1 || unfinished="$unfinished $call:$n"
		done
	done 2>/dev/null
	ok "the sweep really kills ($n_kills times)" test "$n_kills" -gt 8
	is "$wrong" "" "after each kill readers see both old or both new"
	is "$unfinished" "" "after each kill the next import finishes, and the store verifies"
	ok "and that was a change" test "$old" != "$new"
else
	inside import "$bundle" >/dev/null
fi

# --- references that turn round, out of order ------------------------------------------------------------------------------
world_source villes "nom:string commune:string"
publish villes
run inside import "$bundle"
like "$output" 'E5003.*that .commune. is found in cog/cog is no longer promised' "a reference that is given up is a promise that is given up"
inside approve villes --reason "turned round" >/dev/null
world_source cog "code:string nom:string"
refer cog nom villes nom
world_data cog code,nom 01002,a
publish cog
run inside import "$bundle"
is "$status" 0 "references may turn round"
world_source cog "code:string nom:string"
publish cog
b1=$bundle
world_source villes "nom:string commune:string"
refer villes commune cog code
publish villes
run inside import "$bundle"
is "$status" 3 "where the version that ends the old direction is missing"
like "$output" 'E5024 HELD villes .*it refers to cog, which leads back to it' "the new one would close a circle"
run inside approve villes --reason please
is "$status" 1 "nobody may approve a circle"
like "$output" 'E6005' "which is told"
run inside import "$b1"
is "$status" 3 "when it arrives, it is held, for it gives its reference up"
run inside approve cog --reason "turned round again"
is "$status" 0 "approved, both come in"

# --- a damaged object is trouble, and says nothing of keys -----------------------------------------------------------------
world_data cog code,nom 01002,b 01003,c
publish cog
object=$(readlink -f "$T/in/store/current/villes")/villes.csv
chmod u+w "$object"
printf 'x' >>"$object"
g=$(readlink "$T/in/store/current")
run inside import "$bundle"
is "$status" 1 "keys that cannot be read hold the version that others refer to"
like "$output" 'E6002 .*cog version .*villes in the store is not what its name says' "as what it is"
is "$(readlink "$T/in/store/current")" "$g" "and nothing moves"
truncate -s -1 "$object"
run inside import
is "$status" 0 "repaired, it comes in"

done_testing
