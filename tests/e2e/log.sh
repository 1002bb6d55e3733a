#!/bin/bash
# SPDX-License-Identifier: ISC
# The audit log: what it says, what it does not (names), what it refuses when it was touched, what power cuts leave of it; and Go's
# golang.org/x/mod/sumdb, which knows nothing of Clapet, agrees with each tree.
. tests/lib.sh
. tests/world.sh
GO=$(command -v go) || skip_all "no go"
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || skip_all "no golang.org/x/mod"
(export GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE="$T/gocache" CGO_ENABLED=0 && "$GO" build -o "$T/verifylog" tests/go/verifylog.go) || exit 1
world_new
LOG=$T/in/store/log
mkdir "$T/old"

go_says() { # REGEX NAME: what Go's library finds, with every checkpoint that was ever kept
	run "$T/verifylog" "$LOG" "$key" "$T"/old/*
	like "$output" "$1" "$2"
}
keep() { cp "$LOG/checkpoint" "$T/old/$(sed -n 2p "$LOG/checkpoint")"; }
entries() { sed -n 2p "$LOG/checkpoint"; }

# --- a life ----------------------------------------------------------------------------------------------------------------------
key=$(inside log --key)
like "$key" '^clapet-inside/[^ +]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$' "the key is a verifier key"
is "$(stat -c %a "$LOG/key")" 400 "its secret half is its owner's alone"
keep
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg 02,Laon
world_sync
run inside import "$bundle"
is "$status" 0 "an import"
keep
cp -a "$LOG" "$T/log.early"
world_source rues "id:integer nom:string"
world_data rues id,nom 1,Haute
world_sync
inside import "$bundle" >"$T/import.log" 2>&1
inside approve rues --reason "streets are welcome" --operator "Jeanne Dupont" >"$T/approve.log" 2>&1
keep
world_data rues id,nom 1,Haute 2,Basse
sleep 1
world_sync
head -c 2000 "$bundle" >"$T/cut.tar"
head -c 3000 /dev/urandom >"$T/junk.tar"
inside import "$T/junk.tar" >"$T/import.log" 2>&1
inside import "$bundle" >"$T/import.log" 2>&1
inside rollback rues --reason "the old street" --operator "Jeanne Dupont" >"$T/rollback.log" 2>&1
inside release rues --operator "Paul Martin" >"$T/release.log" 2>&1
inside withdraw-waiver w1 --operator "Paul Martin" >"$T/withdraw.log" 2>&1
run inside log
for line in 'init .*p1 ' 'program .*clapet-inside' 'configuration .* the configuration is [0-9a-f]{16}' 'policy .* the policy is' \
	'switch +villes .*generation 1' 'import .*accepted' 'hold +rues +E5101' 'approve +rues +E5101 +p2 \(Jeanne Dupont\) +w1: .*welcome' \
	'refuse .*E3002 .*junk.tar' 'rollback +rues .*p2 ' 'pin +rues .*p2 ' 'release +rues .*p3 \(Paul Martin\)' 'withdraw-waiver +rues .*p3 '; do
	like "$output" "$line" "the log says: $line"
done
like "$(inside --json log)" '"clause": "bundle/FORMAT.md 3' "a refusal has its clause"
is "$(inside --json log | python3 -c 'import json, sys; print([e["sha256"] for e in json.load(sys.stdin) if e["event"] == "import"][-1])')" \
	"$(sha256sum <"$bundle" | cut -d' ' -f1)" "an import has its bundle's digest"
is "$(inside --json log --last 2 | grep -c '"event"')" 2 "--last 2"
go_says "^ok $(entries) entries, 3 older" "Go agrees: signature, tiles, each entry, each older checkpoint"

# --- what changes ------------------------------------------------------------------------------------------------------------------
sed -i 's/"format"/"maxValidity": "399d", "format"/' "$T/in/inside.json"
world_policy villes rues
for i in $(seq 300); do
	sed "s/\"paie\"/\"app$i\"/; s/\"cog\"/\"villes\"/; s/\"communes\"/\"villes\"/" >"$T/in/contracts/app$i.json" <<-'JSON'
	{"format": "clapet contract 1", "application": "paie", "contact": "a@b.example", "dataset": "cog",
	 "resources": [{"name": "communes", "match": "name", "fields": [{"name": "code", "type": "string"}]}]}
	JSON
done
inside import >"$T/import.log" 2>&1
keep
run inside log
like "$output" 'configuration .* is [0-9a-f]{16}, it was [0-9a-f]{16}' "another configuration is told"
like "$output" 'policy .* is [0-9a-f]{16}, it was' "another policy is told"
is "$(grep -c 'the contract of app[0-9]* for villes is' <<<"$output")" 300 "each new contract is told"
size=$(entries)
inside import >"$T/import.log" 2>&1
is "$(entries)" "$size" "and told once: a run in which nothing happens says nothing"
rm "$T/in/contracts/app7.json"
sed -i 's/a@b/c@d/' "$T/in/contracts/app8.json"
inside import >"$T/import.log" 2>&1
run inside log --last 2
like "$output" 'contract of app8 for villes is [0-9a-f]{16}, it was' "a changed contract"
like "$output" 'contract of app7 for villes is gone' "a removed one"
ok "the first 256 entries are a full tile now" test -s "$LOG/tile/0/000" -a -s "$LOG/tile/entries/000" -a ! -e "$LOG/tile/0/000.p"
go_says "^ok $(entries) entries, 4 older" "Go agrees with more than one tile"

# --- people ------------------------------------------------------------------------------------------------------------------------
unlike "$(cat "$LOG"/tile/entries/* "$LOG"/tile/entries/*/* 2>/dev/null | tr -d '\0')" 'Jeanne|Dupont|Paul' "no name is in the tree"
like "$(cat "$LOG/people.json")" 'Jeanne Dupont' "names stand beside it"
run inside forget-person p2
is "$status" 0 "a name is erased"
unlike "$(cat "$LOG/people.json")" 'Jeanne' "really"
run inside log
like "$output" 'approve +rues +E5101 +p2 +w1' "the pseudonym stays"
unlike "$output" 'Jeanne' "without its name"
go_says "^ok $(entries) entries, 4 older" "and the tree verifies as before"
run inside forget-person p2
is "$status" 2 "nobody is forgotten twice"
inside pin villes --reason again --operator "Jeanne Dupont" >"$T/pin.log" 2>&1
like "$(inside log --last 1)" 'pin +villes .*p4 \(Jeanne' "who comes back is somebody new"
world_data villes code,nom 01,Bourg 02,Laon 03,Moulins
sleep 1
world_sync
run inside import "$bundle"
like "$output" 'pinned to [0-9a-f]{16} by Jeanne Dupont: again' "people are told whose pin holds a version"
like "$(inside log)" 'hold +villes +E5201 .*version [0-9a-f]{16}: held by a pin$' "the log tells that a pin does"
unlike "$(cat "$LOG"/tile/entries/* "$LOG"/tile/entries/*/* 2>/dev/null | tr -d '\0')" 'Jeanne|Dupont|Paul' "and still no name is in the tree"
inside release villes >"$T/release.log" 2>&1
inside import >"$T/import.log" 2>&1

# --- retention -----------------------------------------------------------------------------------------------------------------------
sed -i 's/"format"/"keepGenerations": 1, "keepAtLeast": "1s", "format"/' "$T/in/inside.json"
for number in 3 4 5; do
	sleep 1
	world_data rues id,nom "$number,Haute"
	world_sync
	inside import "$bundle" >"$T/import.log" 2>&1
done
sleep 2
inside import >"$T/import.log" 2>&1
run inside log
like "$output" 'expire .*generation [0-9]+ deleted: past keepGenerations \(1\)' "a deleted generation is told, with its rule"
like "$output" 'expire +rues .*version [0-9a-f]{16} deleted: no generation that is kept' "so is a version"
gone=$(inside --json log | python3 -c 'import json, sys; print(*[e["sha256"] for e in json.load(sys.stdin) if e["event"] == "expire" and "sha256" in e])')
ok "so are blobs, each by its digest" test -n "$gone"
for blob in $gone; do [ ! -e "$T/in/store/mirror/blobs/$blob" ] || echo "$blob"; done >"$T/still"
is "$(cat "$T/still")" "" "and they are gone"

# --- cut off between the switch and its entry --------------------------------------------------------------------------------------------
world_data rues id,nom 6,Haute
sleep 1
world_sync
before=$(readlink "$T/in/store/current")
mv "$LOG/key" "$T/key"
run inside import "$bundle"
not_ok "an import whose log cannot be written is no success" test "$status" = 0
not_ok "(what it brought is in force all the same)" test "$(readlink "$T/in/store/current")" = "$before"
mv "$T/key" "$LOG/key"
inside import >"$T/import.log" 2>&1
generation=$(basename "$(readlink "$T/in/store/current")")
like "$(inside log)" "switch +rues .*version [0-9a-f]{16} in force, generation $generation, told late" "the next run tells of it"
inside import >"$T/import.log" 2>&1
is "$(inside log | grep -c "generation $generation, told late")" 1 "once"
unlike "$(inside log)" 'villes .*told late' "and of nothing else"

# --- checkpoints on paper ----------------------------------------------------------------------------------------------------------
run inside status
like "$output" '^log +well: [0-9]+ entries, no checkpoint was ever taken out$' "status: none was taken"
sed -i 's/"began": "[^"]*"/"began": "2020-01-01T00:00:00Z"/' "$LOG/memory.json"
run inside status
like "$output" '^log +E6110 .*35 days: none ever was' "35 days later it asks for one"
is "$status" 3 "and that waits for a person"
like "$(inside status --check)" '^CLAPET WARNING - E6110' "so does monitoring"
run inside checkpoint --qr --operator "Paul Martin"
is "$status" 0 "one is taken"
like "$output" '^— clapet-inside/' "it is signed"
like "$output" '##############' "as a QR code too"
sed -n '1,/^— /p' <<<"$output" >"$T/old/paper"
is "$(sed -n 2p "$T/old/paper")" "$(entries)" "and holds the entry that says so"
is "$(inside --json checkpoint | python3 -c 'import json, sys; print(json.load(sys.stdin)["note"], end="")')" "$(cat "$LOG/checkpoint")" "--json has the note"
like "$(inside status)" '^log +well: .*taken out [0-9]+ s ago' "status is content"
keep
go_says "^ok $(entries) entries, 6 older" "Go agrees with the paper"

# --- touched -----------------------------------------------------------------------------------------------------------------------
cp -a "$T/in" "$T/in.good"
flip() { # FILE OFFSET
	local byte
	chmod u+w "$1"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
touched() { # NAME CODE-OF-READER FILE-NAMED CODE-OF-WRITER; then the good log again
	local before
	before=$(cat "$LOG/checkpoint" 2>/dev/null)
	run inside log
	is "$status" 1 "$1: log refuses"
	like "$output" "$2 REFUSED log: .*$3" "$1: by name ($2, $3)"
	run "$T/verifylog" "$LOG" "$key"
	like "$output" '^FAIL' "$1: so does Go"
	run inside checkpoint
	if [ -n "$4" ]; then
		is "$status" 1 "$1: nothing is signed over it"
		like "$output" "$4 REFUSED" "$1: by $4"
		is "$(cat "$LOG/checkpoint" 2>/dev/null)" "$before" "$1: the checkpoint stays as it was"
	fi
	rm -rf "$T/in" && cp -a "$T/in.good" "$T/in"
}
width=$(($(entries) % 256))
flip "$LOG/tile/entries/001.p/$width" 40
touched "an entry changed" E6114 "tile/entries/001.p/$width: entry 256" E6114
flip "$LOG/tile/entries/000" 5000
touched "an old entry changed" E6114 "tile/entries/000: entry" ""
flip "$LOG/tile/0/001.p/$width" 40
touched "a leaf changed" E6111 "tile/" E6111
flip "$LOG/tile/0/000" 77
touched "an old tile changed" E6111 "tile/0/000: is not the tile that tile/1/000.p/1 names" ""
truncate -s -1 "$LOG/tile/0/001.p/$width"
touched "a tile cut" E6115 "tile/0/001.p/$width: [0-9]+ bytes" E6115
rm "$LOG/tile/1/000.p/1"
touched "a tile lost" E6115 "tile/1/000.p/1: is missing" E6115
rm "$LOG/tile/entries/001.p/$width"
touched "entries lost" E6115 "tile/entries/001.p/$width: is missing" E6115
sed -i '2s/.*/1/' "$LOG/checkpoint"
touched "a checkpoint changed" E6112 "checkpoint: the signature of clapet-inside/.* does not hold" E6112
rm -rf "$LOG" && cp -a "$T/log.early" "$LOG"
run inside checkpoint
is "$status" 0 "a log that was set back whole, from a backup, does not know it"
run "$T/verifylog" "$LOG" "$key" "$T/old/paper"
like "$output" '^FAIL' "who holds a checkpoint does"
rm -rf "$T/in" && cp -a "$T/in.good" "$T/in"

chmod 0440 "$LOG/key"
run inside checkpoint
like "$output" 'E2122 REFUSED log: key: mode 0440' "a key that others read is not used"
chmod 0400 "$LOG/key"
mv "$LOG/key" "$T/key"
run inside checkpoint
like "$output" 'E6113 REFUSED log: key: is missing, and the log has entries' "a lost key is not made anew"
mv "$T/key" "$LOG/key"
mv "$LOG/checkpoint" "$T/checkpoint"
like "$(inside status --check)" '^CLAPET CRITICAL - E6004 log: checkpoint: is missing' "monitoring sees that a checkpoint is lost"
run inside pin villes --reason "without a log"
like "$output" 'E6112 REFUSED log: checkpoint: is missing, and there is a key' "it is not signed anew"
is "$status" 1 "and the run says so"
mv "$T/checkpoint" "$LOG/checkpoint"
run inside import
is "$status" 0 "put right, it goes on"

# --- the outside's -----------------------------------------------------------------------------------------------------------------
OUT=$T/out/log
out_key=$(outside log --key)
like "$out_key" '^clapet-outside/' "the outside keeps a log of its own"
outside log --checkpoint >"$T/outside.old"
world_source broken "code:string"
run outside sync
is "$status" 2 "a source without data"
run outside sync
run outside log
for line in 'fetch +villes .*villes.csv, as published; 2 rows' 'publish +rues .*version of .* is signed' 'send .*bundle 0000000002-[0-9a-f]{64}.tar: .*catalogue' \
	'refuse +broken +E1203'; do
	like "$output" "$line" "it says: $line"
done
is "$(outside log --json | python3 -c 'import json, sys; print(sum(e["event"] == "refuse" for e in json.load(sys.stdin)))')" 1 "the same failure is told once"
is "$(outside log --json | python3 -c 'import json, sys; print(*sorted(e["sha256"] for e in json.load(sys.stdin) if e["event"] == "send"))')" \
	"$(for f in "$T"/out/outbox/*.tar; do sha256sum "$f" | cut -d' ' -f1; done | sort | paste -sd' ')" "each bundle's digest is in it"
run outside withdraw rues --reason "no more streets"
like "$(outside log --last 2)" 'withdraw +rues' "a withdrawal"
is "$(stat -c %a "$OUT/key")" 400 "its key is its owner's alone"
run "$T/verifylog" "$OUT" "$out_key" "$T/outside.old"
like "$output" '^ok [0-9]+ entries, 1 older' "Go agrees"
n_bundles=$(find "$T/out/outbox" -name '*.tar' | wc -l)
truncate -s 10 "$OUT/tile/0/000.p/$(sed -n 2p "$OUT/checkpoint")"
run outside heartbeat
is "$status" 1 "with a log that was touched nothing is sent"
like "$output" 'E6115 REFUSED log: tile/0/000.p/[0-9]+: 10 bytes' "by name"
is "$(find "$T/out/outbox" -name '*.tar' | wc -l)" "$n_bundles" "the outbox is as it was"

# --- killed, and a full disk ---------------------------------------------------------------------------------------------------------
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	wrong= n_cut=0
	for what in error=ENOSPC signal=KILL; do
		for call in write renameat fsync openat mkdirat; do
			for n in 1 2 3 4 5 6 8 10 12; do
				(strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:$what:when=$n" \
					"$BIN/clapet-inside" --config "$T/in/inside.json" checkpoint; exit $?) >"$T/strace.log" 2>&1 || n_cut=$((n_cut + 1))
				keep
				[ -s "$LOG/.checkpoint.tmp" ] && cp "$LOG/.checkpoint.tmp" "$T/old/tmp.$what.$call.$n"
				inside checkpoint >"$T/after.log" 2>&1 || { wrong="$wrong $what:$call:$n"; sed 's/^/# /' "$T/after.log"; }
				keep
			done
		done
	done
	ok "the sweep really cuts ($n_cut times)" test "$n_cut" -gt 15
	is "$wrong" "" "after each the log goes on"
	# What a kill left half written is no note.
	for tmp in "$T"/old/tmp.*; do [ -e "$tmp" ] && ! grep -q '^— .*=$' "$tmp" && rm "$tmp"; done
	go_says "^ok $(entries) entries, " "and continues every checkpoint that was ever signed ($(find "$T/old" -type f | wc -l))"
	run inside log
	is "$status" 0 "it reads from its first entry to its last"
fi
done_testing
