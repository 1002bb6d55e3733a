#!/bin/bash
# SPDX-License-Identifier: ISC
# The inside as people use it: import in every order and state of the bundle, holding, decisions, readers, quotas, monitoring.
. tests/lib.sh
. tests/world.sh

current() { readlink "$T/in/store/current" | sed 's,.*/,,'; }
rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
contract() { # APPLICATION DATASET FIELDS
	local field fields=
	for field in $3; do fields="$fields${fields:+, }{\"name\": \"${field%%:*}\", \"type\": \"${field#*:}\"}"; done
	echo "{\"format\": \"clapet contract 1\", \"application\": \"$1\", \"contact\": \"$1@example.org\", \"dataset\": \"$2\",
	 \"resources\": [{\"name\": \"$2\", \"fields\": [$fields]}]}" >"$T/in/contracts/$1.$2.json"
}
configure() { # MEMBERS: the inside's configuration with these members more
	echo "{\"format\": \"clapet inside configuration 1\", \"store\": \"store\", \"incoming\": \"incoming\", \"spool\": \"spool\",
	 \"contracts\": \"contracts\", \"policy\": \"policy.json\", ${1:+$1,} \"testBench\": \"this machine is a test bench\"}" >"$T/in/inside.json"
}

# --- arguments and configuration -------------------------------------------------------------------------------------
run "$BIN/clapet-inside"
is "$status" 2 "no command is a usage error"
run "$BIN/clapet-inside" --config "$T/none.json" status
is "$status" 2 "a configuration that is not there is trouble"
like "$output" 'E9001 .*none.json' "and is named"
mkdir -p "$T/in"
configure '"kepGenerations": 3'
run inside check
is "$status" 2 "an unknown member of the configuration is trouble"
like "$output" 'kepGenerations' "and is named"
run inside approve villes
is "$status" 2 "approve wants a reason"
run inside rollback
is "$status" 2 "rollback wants a dataset"
run inside exec
is "$status" 2 "exec wants a command"
run inside explain E2103
is "$status" 0 "explain knows a code"
like "$output" 'likely cause' "and tells the cause"
run inside explain E9999
is "$status" 2 "explain does not know every code"

# --- a world of two datasets --------------------------------------------------------------------------------------------
ok "a world is made" world_new
world_policy villes rues
run inside check
is "$status" 0 "check finds nothing wrong"
run inside init --root "$T/out/repository/metadata/1.root.json"
is "$status" 2 "init never makes a store anew"
run inside status
is "$status" 2 "status before the first import says that there is none"
run inside status --check
is "$status" 3 "monitoring calls that unknown"
run inside exec -- true
is "$status" 2 "exec before anything is in force"
world_source villes "code:string nom:string n:integer"
world_source rues "id:integer nom:string"
contract paie villes "code:string n:integer"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
world_data rues id,nom 1,Grande
world_sync
b1=$bundle
run inside import "$b1"
is "$status" 0 "the first bundle is imported"
like "$output" 'villes: version [0-9a-f]{16} in force, generation 1 \(.*2 rows\)' "one line says what is in force"
is "$(rows villes) $(rows rues)" "3 2" "readers see both"
run inside import "$b1"
is "$status" 0 "the same bundle again is no alarm"
like "$output" '^bundle [0-9]{10}: superseded' "it is superseded"
is "$(current)" 1 "and makes no generation"
run inside status --check
is "$status" 0 "monitoring is content"
like "$output" '^CLAPET OK - 2 datasets in force.* \| .*held=0' "with performance data"
cp "$b1" "$T/odd name;é.tar"
run inside import "$T/odd name;é.tar"
is "$status" 0 "a bundle may be called anything"

# --- one of two is bad ----------------------------------------------------------------------------------------------------
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg 02,Laon 03,Moulins
world_data rues id,nom 1,Grande 2,Petite
world_sync
b2=$bundle
run inside import "$b2"
is "$status" 3 "a version that breaks a contract waits for a person"
like "$output" '^E5002 HELD villes version [0-9a-f]{16}: paie reads villes\.n: .*rule field-removed' "the line names application, field and rule"
like "$output" 'next: clapet-inside approve villes' "and the next command"
like "$output" 'rues: version .* in force, generation 2' "the other dataset goes in"
is "$(rows villes) $(rows rues)" "3 3" "readers see the old one and the new one"
run inside import "$b2"
is "$status" 0 "the bundle again: nothing new to say"
run inside status
is "$status" 3 "status goes on saying that something waits"
like "$output" 'waits +villes \(E5002, approve\)' "and what"
run inside status --check
is "$status" 1 "monitoring warns"
run inside quarantine
is "$status" 3 "quarantine lists it"
like "$output" 'report: .*/quarantine/villes-[0-9a-f]{16}/report.json' "with its report"
run inside exec -- sh -c 'pwd; cat villes/villes.csv; echo "$CLAPET_GENERATION $CLAPET_STORE"'
like "$output" 'generations/2' "exec runs in the generation's folder"
like "$output" '^2 .*/store$' "and says which it is"

# --- approval is a waiver -------------------------------------------------------------------------------------------------
run inside approve villes --application other --reason "wrong application"
is "$status" 2 "an approval of what is not held approves nothing"
run inside approve villes --version 0000000000000000 --reason "wrong version"
is "$status" 2 "nor does that of another version"
run inside approve rues --reason "nothing"
is "$status" 2 "nor that of a dataset with nothing held"
run inside approve villes --reason "paie knows" --operator Alice --until 30d
is "$status" 0 "an approval lets the held version in"
like "$output" 'villes: version .* in force, generation 3' "by a new generation"
run inside waivers
like "$output" 'w1 .*villes .*paie .*villes\.n .*field-removed .*Alice.*paie knows' "the waiver is on record"
world_data villes code,nom 01,Bourg 02,Laon 03,Moulins 04,Digne
world_sync
run inside import "$bundle"
is "$status" 0 "a later version with no other break passes by itself"
is "$(rows villes)" 5 "and is in force"
ok "clapet.json names the waiver" grep -q '"w1"' "$T/in/store/current/clapet.json"
run inside withdraw-waiver w1 --operator Bob
is "$status" 0 "a waiver can be withdrawn"
is "$(rows villes)" 5 "what it let in stays"
world_data villes code,nom 05,Gap
world_sync
run inside import "$bundle"
is "$status" 3 "later versions are held again"
contract paie villes "code:string"
run inside import
is "$status" 0 "a changed contract judges anew, without a bundle"
is "$(rows villes)" 2 "and lets it in"

# --- rollback, pin, release -------------------------------------------------------------------------------------------------
run inside rollback villes --reason "prefecture lost" --operator Alice
is "$status" 0 "rollback"
is "$(rows villes)" 5 "puts the older version in force"
world_data villes code,nom 06,Nice 07,Privas
world_sync
run inside import "$bundle"
is "$status" 3 "the next version is held"
like "$output" '^E5201 HELD villes version [0-9a-f]{16}: pinned .*Alice: prefecture lost' "by the pin"
run inside release villes
is "$status" 0 "release"
is "$(rows villes)" 3 "lets the newest in"
run inside release villes
is "$status" 2 "once"
run inside pin villes --reason "pay closing" --until 2001-01-01
is "$status" 2 "a pin does not end in the past"
run inside pin villes --reason "pay closing" --until 8s
is "$status" 0 "a pin with an end"
world_data villes code,nom 08,Tulle
world_sync
run inside import "$bundle"
is "$status" 3 "holds"
for _ in {1..60}; do
	run inside import
	[ "$(rows villes)" = 2 ] && break
	sleep 0.5
done
is "$(rows villes)" 2 "until it ends by itself"
g=$(current)
run inside rollback --all --generation 1 --reason "all back"
is "$(rows villes) $(rows rues)" "3 2" "rollback of all to a generation"
inside release villes >/dev/null 2>&1
inside release rues >/dev/null 2>&1
is "$(rows villes) $(rows rues)" "2 3" "and forth again"
run inside history
like "$output" "^$((g + 1)) " "history knows each step"
run inside verify
is "$status" 0 "the store verifies after all that"

# --- bad bundles ------------------------------------------------------------------------------------------------------------
world_data villes code,nom 09,Foix 10,Troyes
world_sync
good=$bundle before=$(store_digest)
head -c 5000 "$good" >"$T/late.tar"
run inside import "$T/late.tar"
is "$status" 4 "a truncated bundle is incomplete"
like "$output" '^E3001 MISSING bundle late.tar: .* It stays in incoming' "and says so"
run inside import
is "$status" 4 "it waits"
unlike "$output" 'E3001' "and is not tried again"
# Flipped, not overwritten: a byte may be the wanted one by chance.
python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) - 2100] ^= 1
open(sys.argv[2], "wb").write(data)' "$good" "$T/flipped.tar"
run inside import "$T/flipped.tar"
is "$status" 1 "a flipped byte is refused"
like "$output" '^E[0-9]{4} REFUSED bundle flipped.tar: .*Nothing changed' "in one line"
like "$output" '^  likely cause: ' "with the likely cause"
like "$output" '^  next: ' "and the next command"
ok "and set aside" test -f "$T/in/incoming/refused/flipped.tar"
is "$(store_digest)" "$before" "nothing changed"
mv "$T/in" "$T/in.mine" && mv "$T/out" "$T/out.mine" && mv "$T/root.key" "$T/root.mine"
world_new && world_source villes "code:string" && world_data villes code 99 && world_sync
cp "$bundle" "$T/foreign.tar"
rm -rf "$T/in" "$T/out"
mv "$T/in.mine" "$T/in" && mv "$T/out.mine" "$T/out"
run inside import "$T/foreign.tar"
is "$status" 1 "a bundle signed by unknown keys is refused"
like "$output" '^E21[0-9]{2} REFUSED bundle foreign.tar: ' "by its signatures"
is "$(store_digest)" "$before" "nothing changed"
head -c 100000 /dev/urandom >"$T/noise.tar"
run inside import "$T/noise.tar" "$T/nothere.tar"
is "$status" 1 "noise is refused and a missing file is trouble: the refusal counts"
like "$output" '^E300[0-9] REFUSED bundle noise.tar' "the noise is no bundle"
like "$output" 'nothere.tar: No such file' "the missing file is named"
cp "$good" "$T/late.tar"
run inside import "$T/late.tar"
is "$status" 0 "the truncated bundle, now whole, is taken"
is "$(rows villes)" 3 "and in force"
run inside import "$b2"
is "$status" 0 "an older bundle replayed is no alarm"
like "$output" 'superseded' "it is superseded"

# --- out of order, and missing ----------------------------------------------------------------------------------------------
rm -rf "$T/in2" && mkdir -p "$T/in2/incoming" "$T/in2/spool" "$T/in2/contracts"
cp "$T/in/inside.json" "$T/in/policy.json" "$T/in2/"
mv "$T/in" "$T/in.first" && mv "$T/in2" "$T/in"
inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
run inside import "$good"
is "$status" 4 "a later bundle alone: what it does not bring is missing"
like "$output" '^E3105 MISSING rues version [0-9a-f]{16}: ' "by name"
is "$(rows villes)" 3 "what it brings is in force"
run inside missing
is "$status" 4 "missing asks for it"
like "$output" '^(want|since [0-9]+) rues' "by the dataset's name"
like "$output" 'disclose' "and says what the request discloses"
run inside import "$b2"
is "$status" 0 "an older bundle brings it: its metadata are old, its blobs are not"
is "$(rows rues)" 3 "and completes the set"
run inside missing
is "$status" 0 "nothing is missing"
run inside import "$b1"
like "$output" 'superseded' "what nothing trusted names is superseded"
run inside verify
is "$status" 0 "the store verifies"

# --- lock, quotas, silence, permissions --------------------------------------------------------------------------------------
exec 9>"$T/in/incoming.lock"
flock 9
run inside import
is "$status" 2 "a run while another works does not wait"
like "$output" 'E9005' "it says that the lock is held"
(sleep 1; flock -u 9) &
run inside import --wait 20s
is "$status" 0 "with --wait it does"
exec 9>&-
wait
configure '"quota": {"incoming": 1000, "spool": 100000000}'
run inside import "$good"
is "$status" 2 "a bundle past the quota of incoming is not taken"
like "$output" 'E6003' "with its code"
cp "$good" "$T/in/incoming/a.tar"
configure '"quota": {"spool": 1000}'
run inside import
is "$status" 2 "nor unpacked past that of the spool"
ok "it stays" test -f "$T/in/incoming/a.tar"
configure '"quota": {"incoming": 1000, "spool": 1000}'
run inside import
not_ok "when incoming is full the oldest goes" test -f "$T/in/incoming/a.tar"
like "$(inside log)" 'quota .*a.tar' "logged"
configure '"heartbeat": "1s"'
sleep 2
run inside status --check
is "$status" 2 "silence is critical"
like "$output" 'E6102' "with its code"
run inside status
is "$status" 3 "and an alarm to people"
configure ''
if [ "$(id -u)" = 0 ]; then
	chmod 0755 "$T" "$T/in"
	chmod 0700 "$T/in/store"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/clapet-inside" --config "$T/in/inside.json" status
	is "$status" 2 "who may not read the store is told so"
	chmod 0750 "$T/in/store"
fi
echo '{"format": "clapet contract 1"' >"$T/in/contracts/broken.json"
run inside import
is "$status" 1 "a broken contract stops the run: it would protect nobody"
like "$output" 'broken.json' "and is named"
rm "$T/in/contracts/broken.json"

# --- readers and retention ----------------------------------------------------------------------------------------------------
configure '"keepGenerations": 1, "keepAtLeast": "1s"'
old=$(current)
inside exec -- sh -c "touch $T/reading; sleep 8; cat villes/villes.csv >$T/read" &
until [ -e "$T/reading" ]; do sleep 0.1; done
world_data villes code,nom 11,Nantes
world_sync
sleep 1.5
inside import "$bundle" >/dev/null 2>&1
ok "a generation in use stays" test -d "$T/in/store/generations/$old"
wait
is "$(wc -l <"$T/read")" 3 "its reader saw one set from start to end"
sleep 1.5
inside import >/dev/null 2>&1
not_ok "and goes when it is left" test -d "$T/in/store/generations/$old"
run inside verify
is "$status" 0 "the store verifies"

# --- withdrawn ----------------------------------------------------------------------------------------------------------------
contract paie rues "id:integer"
outside withdraw rues --reason "merged into villes" --replaced-by villes >"$T/withdraw.log" 2>&1
bundle=$(find "$T/out/outbox" -name '*.tar' | sort | tail -n 1)
run inside import "$bundle"
is "$status" 3 "a withdrawn dataset that a contract reads is held"
like "$output" '^E5202 HELD rues: paie reads rues: its publisher withdrew it on [0-9-]{10}: merged into villes; villes replaces it' "with its reader, and why"
run inside status
like "$output" 'held .*E5202|rues .*merged into villes' "status tells why"
run inside list
like "$output" '^rues: withdrawn by its publisher on [0-9-]{10}: merged into villes; replaced by villes$' "list tells why"
run inside quarantine
like "$output" 'withdrawn by its publisher on .*merged into villes' "quarantine tells why"
run inside --json status
ok "status.json says it to programs" python3 -c '
import json, sys
d = {x["name"]: x for x in json.loads(sys.argv[1])["datasets"]}
assert d["rues"]["withdrawn"]["reason"] == "merged into villes" and d["rues"]["withdrawn"]["replacedBy"] == "villes", d["rues"]
assert d["villes"]["withdrawn"] is None' "$output"
rm "$T/in/contracts/paie.rues.json"
run inside import
like "$output" '^rues: left out of generation [0-9]+: its publisher withdrew it on .*merged into villes' "one line says that it leaves, and why"
not_ok "and leaves when nobody reads it" test -e "$T/in/store/current/rues"
run inside status
is "$status" 0 "nothing is wrong then"
like "$output" '^rues +withdrawn .*merged into villes; villes replaces it' "status goes on telling why"
run inside verify
is "$status" 0 "the store verifies"
ok "the other stays" test -e "$T/in/store/current/villes"

# --- watch ----------------------------------------------------------------------------------------------------------------------
"$BIN/clapet-inside" --config "$T/in/inside.json" watch --interval 1s >"$T/watch.log" 2>&1 &
watcher=$!
on_exit "kill $watcher 2>/dev/null"
world_data villes code,nom 12,Rennes 13,Brest 14,Lorient
world_sync
cp "$bundle" "$T/in/incoming/.x" && mv "$T/in/incoming/.x" "$T/in/incoming/x.tar"
for _ in $(seq 100); do
	[ "$(rows villes)" = 4 ] && break
	sleep 0.1
done
is "$(rows villes)" 4 "watch imports what arrives"
kill -TERM $watcher
wait $watcher
is "$?" 0 "and ends well on SIGTERM"
done_testing
