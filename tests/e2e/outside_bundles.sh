#!/bin/bash
# SPDX-License-Identifier: ISC
# What one bundle cannot hold goes into several, each of use by itself: in any order, some lost, the run killed between two of them.
# Names of bundles are a list of words: they have no blanks.
# shellcheck disable=SC2046
. tests/lib.sh
. tests/world.sh

N=6
ok "a world is made" world_new
names=()
for i in $(seq $N); do
	names+=("d$i")
	world_source "d$i" "code:string n:integer"
	world_data "d$i" code,n "$i,1"
done
world_policy "${names[@]}"
limits() { # JSON
	sed -i -e 's/ "limits": {[^}]*},//' -e "s/\"allowFile\": true,/& \"limits\": {$1},/" "$T/out/outside.json"
}
# The bundles of the last run, one a line.
made() { sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$T/sync.log"; }
blobs() { for f; do tar -tf "$f" | sed -n 's|^blobs/||p'; done | sort; }
new_inside() {
	rm -rf "$T/in/store" && mkdir "$T/in/store"
	inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
}
all_in_force() { # FIRST-LINE: each dataset's
	for i in $(seq $N); do [ "$(tail -n 1 "$T/in/store/current/d$i/d$i.csv")" = "$i,$1" ] || return 1; done
}

# --- by number ------------------------------------------------------------------------------------------------------------------
limits '"bundleBlobs": 5'
world_sync
is "$(made | wc -l)" 5 "24 blobs and status.json's, five in a bundle: five bundles"
is "$(blobs $(made) | wc -l)" 25 "each of them once"
is "$(blobs $(made) | uniq -d)" "" "and none twice"
is "$(for f in $(made); do tar -tf "$f" | grep -c '^blobs/'; done | sort -u)" 5 "none holds more"
is "$(for f in $(made); do tar -tf "$f" | grep -c '^metadata/.*\.d[0-9]\.json'; done | sort -u)" $N "each has all metadata"
is "$(for f in $(made); do basename "$f" | cut -c1-10; done | sort -u | wc -l)" 1 "of one signature run"
run inside import $(made | tac)
is "$status" 0 "they come in, the last first"
ok "and all is in force" all_in_force 1
new_inside
first=$(made | head -n 1)
run inside import $(made | tail -n +2)
is "$status" 4 "with one that is lost something is missing"
run inside import "$first"
is "$status" 0 "until it comes"
ok "then all is in force" all_in_force 1
run outside heartbeat
is "$(grep -c '^bundle ' <<<"$output")" 1 "a heartbeat is one bundle"
for i in $(seq $N); do world_data "d$i" code,n "$i,2"; done
outside sync --force --json >"$T/sync.json"
ok "machines are told all of them" python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not (len(d["bundles"]) == 5 and d["bundle"] == d["bundles"][0] and len({b["hash"] for b in d["bundles"]}) == 5))' "$T/sync.json"
run inside import "$T"/out/outbox/*.tar
ok "the new versions come in" all_in_force 2
outside heartbeat >/dev/null
ok "the next status.json names each that was sent" test "$(grep -c '\.tar' "$T"/out/repository/targets/*.status.json)" -ge 10

# --- by size: what fits none goes alone ------------------------------------------------------------------------------------------------
limits '"bundleBytes": 100000'
python3 - "$T/data" <<'PYTHON'
import random, sys
random.seed(3)
for i, n in ((1, 4000), (2, 700), (3, 700), (4, 700)):
    with open(f"{sys.argv[1]}/d{i}.csv", "w") as f:
        f.write("code,n\n" + "".join(f"{random.getrandbits(64):016x},{random.getrandbits(60)}\n" for _ in range(n - 1)) + f"{i},3\n")
PYTHON
for i in 5 6; do world_data "d$i" code,n "$i,3"; done
world_sync
ok "more than one bundle ($(made | wc -l))" test "$(made | wc -l)" -ge 2
large=$(for f in $(made); do stat -c '%s %n' "$f"; done | sort -n | tail -n 1)
ok "one is larger than it should be, for a blob that fits none (${large%% *} bytes)" test "${large%% *}" -gt 100000
is "$(blobs $(made) | uniq -d)" "" "no blob is in two"
run inside import $(made)
ok "all is in force" all_in_force 3

# --- resend heeds it, too ------------------------------------------------------------------------------------------------------------------
limits '"bundleBlobs": 3'
new_inside
run inside import "${large#* }"
inside missing >"$T/request" 2>/dev/null
run outside resend "$T/request"
is "$status" 0 "resend"
ok "makes several, too ($(grep -c '^bundle ' <<<"$output"))" test "$(grep -c '^bundle ' <<<"$output")" -ge 5
run inside import $(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
ok "and all is in force" all_in_force 3

# --- the configuration ------------------------------------------------------------------------------------------------------------------------
for bad in '"bundleBlobs": 0' '"bundleBlobs": 4001' '"bundleBytes": 0' '"bundleBytes": 68719476736'; do
	limits "$bad"
	run outside check
	is "$status" 2 "$bad is refused"
done

# --- killed at any step: no blob is lost, none of the metadata ------------------------------------------------------------------------------------
limits '"bundleBlobs": 2'
if command -v strace >/dev/null; then
	value=3
	for call in renameat fsync sendmsg; do
		killed=0 bad=
		for n in 5 13 29 53 89 137; do
			value=$((value + 1))
			for i in $(seq $N); do world_data "d$i" code,n "$i,$value"; done
			rm -f "$T"/out/outbox/*
			{ strace -qq -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$BIN/clapet-outside" --config "$T/out/outside.json" sync --force >/dev/null; } 2>/dev/null
			[ $? = 137 ] || break
			killed=$((killed + 1))
			outside sync --force >/dev/null 2>&1 || bad="$bad $n(again)"
			grep -q '"sent": false' "$T"/out/state/*/state.json && bad="$bad $n(unsent)"
			[ ! -e "$T/out/outbox/.bundle.tmp" ] || bad="$bad $n(left)"
			inside import "$T"/out/outbox/*.tar >"$T/import.log" 2>&1
			all_in_force $value || bad="$bad $n"
		done
		is "$bad" "" "killed at $killed times $call, the next run sends what is left"
		ok "$call: the sweep met calls" test "$killed" -ge 3
	done
fi

# --- as many as the worker may hold open, and more -----------------------------------------------------------------------------------------------------
limits '"timeout": "1h"'
python3 - "$T/out" <<'PYTHON'
import hashlib, json, sys
out = sys.argv[1]
path = out + "/state/d1/state.json"
state = json.load(open(path))
for k, file in enumerate(state["published"]["files"]):
    for i in range(1000):
        data = b"%d %d" % (k, i)
        digest = hashlib.sha256(data).hexdigest()
        open(f"{out}/repository/blobs/{digest}", "wb").write(data)
        file["parts"].append({"sha256": digest, "length": len(data), "sent": False})
state["published"]["files"].append(dict(state["published"]["files"][0], name="more.csv", parts=[]))
for i in range(1000):
    data = b"more %d" % i
    digest = hashlib.sha256(data).hexdigest()
    open(f"{out}/repository/blobs/{digest}", "wb").write(data)
    state["published"]["files"][-1]["parts"].append({"sha256": digest, "length": len(data), "sent": False})
json.dump(state, open(path, "w"))
PYTHON
run outside heartbeat
is "$status" 0 "five thousand blobs are unsent"
is "$(grep '^bundle ' <<<"$output" | sed 's/.* \([0-9]*\) blobs\{0,1\}.*/\1/' | sort -n | tr '\n' ' ')" "1001 4000 " "four thousand go into one bundle, the rest into another"
done_testing
