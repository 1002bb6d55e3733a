#!/bin/bash
# SPDX-License-Identifier: ISC
# recover.sh: an outside that was restored from a backup signs what the inside refuses; the inside's request leads it above all that
# is trusted. The request is hostile input.
. tests/lib.sh
. tests/world.sh

newest() { find "$T/out/outbox" -name '*.tar' | sort | tail -n 1; }
import_newest() { run inside import "$(newest)"; }
trusted() { inside --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["trust"][sys.argv[1]])' "$1"; }
rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
# A request that says what it likes, with the check line that fits.
sealed() { printf '%s\ncheck %s\n' "$1" "$(printf '%s\n' "$1" | sha256sum | cut -c1-10)"; }
altered() { # SED-SCRIPT: the good request with something changed, sealed again
	sealed "$(grep -v '^check ' "$T/request" | sed "$1")"
}

world_new
world_policy villes rues
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
for n in 1 2; do
	world_data villes code,nom 01,Bourg "0$n,Lyon"
	world_sync
	import_newest
	is "$status" 0 "before the backup: version $n is in force"
done

# --- the backup, and a life after it ---------------------------------------------------------------------------------------
mkdir "$T/backup"
cp -a "$T/out/repository" "$T/out/state" "$T/out/keys" "$T/backup/"
world_source rues "code:string nom:string"
world_data rues code,nom 01,Albe
for n in 3 4 5; do
	world_data villes code,nom 01,Bourg 02,Lyon "0$n,Metz"
	world_sync
	import_newest
	is "$status" 0 "after the backup: version $n is in force"
done
outside heartbeat >/dev/null 2>&1
import_newest
before=$(store_digest)
timestamp=$(trusted timestamp)

# --- the disk is lost ------------------------------------------------------------------------------------------------------
rm -rf "$T/out/repository" "$T/out/state" "$T/out/keys" "$T"/out/outbox/*
cp -a "$T"/backup/* "$T/out/"
world_data villes code,nom 01,Bourg 02,Lyon 05,Metz 06,Nice
sleep 1
world_sync
import_newest
is "$status" 1 "what the restored outside signs is refused"
like "$output" 'E2106 REFUSED .*a timestamp of version [0-9]+ was signed after' "as a fork, not passed over as superseded: it is older by number and newer by date"
like "$output" 'recover' "and the next command is named"
is "$(store_digest)" "$before" "nothing changed for readers"

# --- the request -----------------------------------------------------------------------------------------------------------
inside request >"$T/request" 2>"$T/told"
is "$?" 0 "request prints what is trusted"
like "$(cat "$T/request")" "^timestamp $timestamp\$" "the timestamp's version"
like "$(cat "$T/request")" '^role rues [0-9]+ [0-9a-f]{10}$' "each role's, with ten digits of its hash"
like "$(cat "$T/told")" 'They disclose the newest' "what it discloses is said beside it"
ok "a person can type it ($(wc -c <"$T/request") bytes)" test "$(wc -c <"$T/request")" -lt 400
ok "as JSON, too" sh -c "'$BIN/clapet-inside' --config '$T/in/inside.json' --json request | python3 -c 'import json, sys; d = json.load(sys.stdin); sys.exit(d[\"text\"] != open(\"$T/request\").read())'"

# --- as hostile input --------------------------------------------------------------------------------------------------------
refused() { # EXIT PATTERN NAME: of $T/bad
	run outside recover "$T/bad"
	is "$status" "$1" "$3: exit $1"
	like "$output" "$2" "$3: by name"
}
sed 's/^timestamp .*/timestamp 999/' "$T/request" >"$T/bad"
refused 1 'E1310 .*the check does not fit.*18\.7' "a typing error"
head -n 4 "$T/request" >"$T/bad"
refused 1 'E1310 .*ends early.*18\.1' "half a request"
altered 's/^timestamp .*/timestamp 00431/' >"$T/bad"
refused 1 'E1310 .*18\.3' "a number with a zero before it"
altered 's/^timestamp .*/timestamp 99999999999/' >"$T/bad"
refused 1 'E1310 .*18\.3' "a number of eleven digits"
altered 's/^role rues/role ..\/..\/x/' >"$T/bad"
refused 1 'E1310 .*18\.5' "a path for a name"
altered 's/^root 1/root 2/' >"$T/bad"
refused 1 'E1312 .*root 2, the newest one here is 1' "a root that is not here"
altered "s/^timestamp .*/timestamp $((timestamp + 200000))/" >"$T/bad"
refused 3 'E1311 .*more than 100000 ahead' "a version absurdly far ahead"
altered "s/^timestamp .*/timestamp 5000000000/" >"$T/bad"
refused 1 'E1316 .*5000000000' "a version that would use up the numbers"
altered 's/^issued .*/issued 2099-01-01T00:00:00Z/' >"$T/bad"
refused 3 'E6103 .*2099-01-01' "a time to come"
altered 's/^clapet request 1/clapet request 2/' >"$T/bad"
refused 1 'E1310 .*another format' "another format"
head -c 3000000 /dev/zero >"$T/bad"
refused 1 'E1310 ' "three megabytes of nothing"
head -c 4096 /dev/urandom >"$T/bad"
refused 1 'E1310 ' "noise"
ok "none of them left a trace" test ! -e "$T/out/state/recovery.json"
outside sync --force >/dev/null 2>&1
is "$?" 0 "and the outside signs as before"

# --- the recovery ------------------------------------------------------------------------------------------------------------
# rues was made after the backup: its source is put away, as it was then.
mv "$T/out/sources/rues" "$T/rues.source"
rm -rf "$T/out/repository" "$T/out/state" "$T/out/keys" "$T"/out/outbox/*
cp -a "$T"/backup/* "$T/out/"
# A request names no role where there are too many; then the outside must know just the same ones.
sealed "$(grep -v '^check \|^role ' "$T/request")" >"$T/bad"
refused 1 'E1315 .*knows 3 datasets' "a request without names, while the outside does not know them all"
run outside recover "$T/request"
is "$status" 3 "recover: a dataset that is known inside alone waits for a person"
like "$output" "^timestamp +[0-9]+ +$timestamp +$((timestamp + 1001))\$" "it shows what is here, what is trusted inside, what comes next"
like "$output" '^rues +not known +' "and what is not known"
like "$output" 'E1313 HELD .*rues version' "rues by name"
run outside heartbeat
is "$status" 3 "a heartbeat would bring the backup's data in force: it waits"
like "$output" 'E1314 HELD villes was not looked at since the recovery' "for the sources"
is "$(newest)" "" "and nothing leaves"
run outside sync
is "$status" 3 "with villes looked at, rues is still missing"
like "$output" 'E1313 HELD .*rues.*5\.5\.5' "no snapshot without it would be taken"
like "$(outside status 2>&1)" 'rues' "status shows it"
like "$(outside log)" 'recover .*timestamp is signed above version [0-9]+' "the log tells it"
run outside recover --forget
is "$status" 0 "a wrong request can be taken back"
ok "and leaves nothing" test ! -e "$T/out/state/recovery.json"
outside recover "$T/request" >/dev/null 2>&1
mv "$T/rues.source" "$T/out/sources/rues"
run outside sync
is "$status" 0 "with its source back, sync signs above everything"
like "$output" 'the recovery is complete' "and says so"
ok "the floors are gone" test ! -e "$T/out/state/recovery.json"
import_newest
is "$status" 0 "the inside takes it"
is "$(rows villes) $(rows rues)" "5 2" "the newest data are in force"
ok "timestamp is above the lost ones" test "$(trusted timestamp)" -gt $((timestamp + 1000))
ok "the store verifies" inside verify
ok "for an auditor, too" "$BIN/clapet-audit" --test-bench --root "$T/out/repository/metadata/1.root.json" store "$T/in/store"
world_data villes code,nom 01,Bourg
world_sync
import_newest
is "$status" 0 "and everyday life goes on"
is "$(rows villes)" 2 "with the next version"
run outside recover "$T/request"
is "$status" 0 "the same request again: nothing to recover"
like "$output" 'nothing to recover' "it says so"
inside request >"$T/request" 2>/dev/null
run outside recover "$T/request"
like "$output" 'nothing to recover' "nor by a request of today"

# --- a lost dataset that ends, and a source that cannot be read any more --------------------------------------------------------
rm -rf "$T/backup" && mkdir "$T/backup"
cp -a "$T/out/repository" "$T/out/state" "$T/out/keys" "$T/backup/"
world_policy villes rues cafes
world_source cafes "code:string nom:string"
world_data cafes code,nom 01,Flore
world_data villes code,nom 01,Bourg 02,Lyon
world_sync
import_newest
is "$status" 0 "a third dataset"
rm -rf "$T/out/repository" "$T/out/state" "$T/out/keys" "$T/out/sources/cafes" "$T"/out/outbox/*
cp -a "$T"/backup/* "$T/out/"
# The backup remembers a check of the second in which the recovery begins, or a later one.
late=$(date -u -d '+1 minute' +%Y-%m-%dT%H:%M:%SZ)
sed -i "s/\"succeeded\": \"[^\"]*\"/\"succeeded\": \"$late\"/" "$T/out/state/villes/state.json"
like "$(cat "$T/out/state/villes/state.json")" "\"succeeded\": \"$late\"" "(it does)"
inside request 2>/dev/null | "$BIN/clapet-outside" --config "$T/out/outside.json" recover - >/dev/null 2>&1
is "$?" 3 "recover reads standard input"
rm "$T/data/villes.csv"
run outside sync
is "$status" 2 "a source that cannot be read is trouble"
like "$output" 'E1314 HELD villes' "and the recovery waits for it"
run outside recover --old-data "$T/request"
inside request 2>/dev/null | "$BIN/clapet-outside" --config "$T/out/outside.json" recover --old-data - >/dev/null 2>&1
run outside withdraw cafes --reason "lost with its host"
is "$status" 0 "the dataset that is known inside alone can be withdrawn; --old-data says that the backup's data may go"
import_newest
is "$status" 0 "the inside takes it"
is "$(rows villes)" 2 "the backup's data are in force, as a person decided"
not_ok "the withdrawn one is not" test -e "$T/in/store/current/cafes"
done_testing
