#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 while a damaged base is mended (E4421): strace kills whichever process of an import makes its Nth call of a kind. After each, readers see
# the old set or the new one, and the base is there: damaged, or whole; the next import brings the new rows in force, and the next patch at the
# latest finds the base whole again, in every version that links it.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "no strace"

# 3,000 rows of noise; row N as given.
table() { # N TEXT
	awk -v n="$1" -v text="$2" 'BEGIN {
		print "code,nom"; y = 4711
		for (i = 1; i <= 3000; i++) { y = (y * 16807) % 2147483647; printf "%05d,%s\n", i, i == n ? text : "nom-" y }
	}' >"$T/data/villes.csv"
}
rows() { sha256sum <"$1" | cut -c1-64; }
world_new
world_source villes "code:string nom:string"
table 0 -
world_sync
inside import "$bundle" >/dev/null 2>&1
keyframe=$(rows "$T/data/villes.csv")
# The version that the base came in: a hard link to it.
linked=$T/in/store/datasets/villes/v/$(readlink "$T/in/store/current/villes" | sed 's|.*/||')/villes.csv
object=$T/in/store/datasets/villes/objects/$keyframe
blob=$(python3 -c 'import json, sys; print([f["parts"][0]["sha256"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["name"] == "villes.csv"][0])' "$T/out/state/villes/state.json")
table 7 Bourg
world_sync
inside import "$bundle" >/dev/null 2>&1
old=$(store_digest) old_rows=$(rows "$T/data/villes.csv")
table 7 Laon
world_sync
new_rows=$(rows "$T/data/villes.csv")
this=$bundle
table 7 Moulins
world_sync
next=$bundle next_rows=$(rows "$T/data/villes.csv") bundle=$this
cp -p "$object" "$T/key.csv"
chmod u+w "$object" && printf XXXX | dd of="$object" bs=1 seek=20000 conv=notrunc status=none
chmod 0440 "$object"
not_ok "the base in the store is damaged" cmp -s "$T/key.csv" "$object"
not_ok "and with it the version that it came in" cmp -s "$T/key.csv" "$linked"
run inside verify
like "$output" 'E6002' "verify says so"
# The one in force is of bytes of its own.
is "$(store_digest)" "$old" "the set in force is not"
cp -a "$T/in" "$T/in.before"
run inside import "$bundle"
is "$status" 0 "undisturbed, the next patch comes in"
like "$output" 'E4421' "the damage is told"
is "$(rows "$T/in/store/current/villes/villes.csv")" "$new_rows" "and the new rows are in force"
ok "the base is mended" cmp "$T/key.csv" "$object"
ok "and with it the version that it came in" test "$object" -ef "$linked"
run inside verify
is "$status" 0 "the store verifies" || echo "# $output"
run inside rollback villes --generation 1 --reason test
is "$status" 0 "a rollback to that version"
ok "serves what was signed" cmp "$T/key.csv" "$T/in/store/current/villes/villes.csv"

wrong= unfinished= n_kills=0 n_mended=0
sweep() { # CALL N…
	local call=$1 n now file
	shift
	for n; do
		rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
		{ strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
			"$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle" >"$T/import.log" || n_kills=$((n_kills + 1)); } 2>/dev/null
		now=$(rows "$T/in/store/current/villes/villes.csv" 2>/dev/null)
		if [ "$(store_digest)" = "$old" ]; then
			[ "$now" = "$old_rows" ] || wrong="$wrong $call:$n"
		elif [ "$now" != "$new_rows" ] || [ ! -s "$T/in/store/current/villes/datapackage.json" ]; then
			wrong="$wrong $call:$n"
		fi
		# Each is the old bytes, or those that it should have; never others, never a part of them, never gone.
		cmp -s "$T/key.csv" "$object" && n_mended=$((n_mended + 1))
		for file in "$object" "$linked"; do
			cmp -s "$T/key.csv" "$file" || cmp -s "$T/in.before/${file#"$T/in/"}" "$file" || wrong="$wrong $call:$n($file)"
		done
		inside import "$bundle" >"$T/import.log" 2>&1
		[ "$(rows "$T/in/store/current/villes/villes.csv")" = "$new_rows" ] || unfinished="$unfinished $call:$n(rows)"
		inside import "$next" >"$T/import.log" 2>&1
		[ "$(rows "$T/in/store/current/villes/villes.csv")" = "$next_rows" ] && cmp -s "$T/key.csv" "$object" &&
			[ "$object" -ef "$linked" ] && [ ! -e "$T/in/store/datasets/villes/.tmp" ] && inside verify >"$T/verify.log" 2>&1 ||
			unfinished="$unfinished $call:$n(next)"
	done
}
for call in sendmsg recvmsg renameat,renameat2,rename fsync,syncfs unlinkat linkat write,pwrite64; do
	sweep "$call" 1 3 7 12 20 33
done
ok "the sweep really kills ($n_kills times, $n_mended of them after the base was mended)" test "$n_kills" -gt 20
is "$wrong" "" "after each kill readers see the old set or the new one, and the base is as it was, or whole"
is "$unfinished" "" "after each kill the next import brings the new rows, and the next patch finds or makes a base that is whole, in a store that verifies"

# --- the base's blob is gone from the mirror, too, and comes again: killed then -----------------------------------------------------
rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
rm -f "$T/in/store/mirror/blobs/$blob"
run inside import "$bundle"
is "$status" 4 "without the keyframe's blob the base cannot be mended"
is "$(store_digest)" "$old" "and nothing changes"
inside missing >"$T/request" 2>/dev/null
run outside resend "$T/request"
bundle=$(sed -n 's/^bundle \(.*\.tar\): .*/\1/p' <<<"$output")
ok "the outside sends it again" sh -c "tar -tf '$bundle' | grep -q '^blobs/$blob'"
# With it comes what is newer by now.
new_rows=$next_rows
rm -rf "$T/in.before" && cp -a "$T/in" "$T/in.before"
wrong= unfinished= n_kills=0
for call in sendmsg renameat,renameat2,rename fsync,syncfs linkat; do
	sweep "$call" 1 4 15
done
ok "the sweep really kills ($n_kills times)" test "$n_kills" -gt 6
is "$wrong" "" "after each kill readers see the old set or the new one, and the base is as it was, or whole"
is "$unfinished" "" "after each kill the next import finishes"
done_testing
