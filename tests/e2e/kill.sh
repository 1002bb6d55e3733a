#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 at any moment: strace kills whichever process of an import makes its Nth call of a kind, for N = 1, 2, …; after each, readers
# see the old set or the new one, whole, and the next import finishes.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "no strace"
world_new
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2
world_sync
inside import "$bundle" >/dev/null 2>&1
old=$(store_digest)
world_data villes code,nom,n 01,Bourg,1 02,Laon,2 03,Moulins,3
world_sync
cp -a "$T/in" "$T/in.before"
inside import "$bundle" >/dev/null 2>&1
like "$(readlink "$T/in/store/current")" 'generations/2' "undisturbed, the second import makes a generation"

wrong= unfinished= n_kills=0
# sweep CALL N…: kills at the Nth of each call; of four lines in force it was three.
sweep() {
	local call=$1 n villes now
	shift
	for n; do
		rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
		# In a shell of its own, which says "Killed" to nobody.
		(strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
			"$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle") >"$T/import.log" 2>&1 || n_kills=$((n_kills + 1))
		villes=$(cat "$T/in/store/current/villes/villes.csv" 2>/dev/null | wc -l)
		now=$(store_digest)
		if [ "$now" = "$old" ]; then
			[ "$villes" = 3 ] || wrong="$wrong $call:$n"
		elif [ "$villes" != 4 ] || ! (cd "$T/in/store/current/villes" && test -s datapackage.json); then
			wrong="$wrong $call:$n"
		fi
		inside import "$bundle" >"$T/import.log" 2>&1
		[ "$(wc -l <"$T/in/store/current/villes/villes.csv")" = 4 ] && inside verify >"$T/verify.log" 2>&1 || unfinished="$unfinished $call:$n"
	done
}
# The calls that talk and those that change something; the sweep of every single write is commit.sh's.
for call in sendmsg recvmsg renameat,renameat2,rename fsync,syncfs unlinkat; do
	sweep "$call" 1 2 3 4 5 7 9 12 16 22 30
done
ok "the sweep really kills ($n_kills times)" test "$n_kills" -gt 20
is "$wrong" "" "after each kill readers see the old set or the new one, whole"
is "$unfinished" "" "after each kill the next import finishes, and the store verifies"
is "$(find "$T/in/incoming" -type f -name '*.tar' | wc -l)" 0 "nothing is left in incoming/"

# --- a patch whose base comes with it, and becomes an object: the keyframe between the two was lost ------------------------
rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2 03,Moulins,3 04,Digne,4
world_sync
base=$(sha256sum <"$T/data/villes.csv" | cut -c1-64)
cp "$T/data/villes.csv" "$T/key.csv"
blobs() { python3 tests/patchbundle.py blobs "$T/out/repository" villes; }
cp "$(blobs | sed -n 's/.*\.csv //p')" "$T/key.blob"
world_data villes code,nom,n 01,Bourg,1 02,Laon,2 04,Digne,4
world_sync
"$BIN/clapet-outside" patch --base "$T/key.csv" "$T/data/villes.csv" --output "$T/patch.blob" >/dev/null 2>&1
python3 tests/patchbundle.py sign "$T/out/repository" "$T/out/keys" villes villes.csv "$T/patch.blob" "$T/key.csv" "$T/key.blob"
bundle=$T/patch.tar
# shellcheck disable=SC2046 # names of blobs
python3 tests/patchbundle.py bundle "$bundle" "$T/out/repository" "$T/patch.blob" "$T/key.blob" $(blobs | sed -n '/\.csv /!s/.* //p')
wrong= unfinished= n_kills=0
for call in sendmsg recvmsg renameat,renameat2,rename fsync,syncfs unlinkat; do
	sweep "$call" 2 5 11 20 35
done
ok "the sweep with a patch really kills ($n_kills times)" test "$n_kills" -gt 10
is "$wrong" "" "after each kill readers see the old set or the new one, whole"
is "$unfinished" "" "after each kill the next import finishes, and the store verifies"
ok "the base is an object" cmp "$T/key.csv" "$T/in/store/datasets/villes/objects/$base"
done_testing
