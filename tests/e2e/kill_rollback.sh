#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 while a rollback rebuilds a version whose plain files are gone, and a disk that is full meanwhile: after each, readers see the old set or
# the new one, whole; the same command again ends it, and whatever was half done is gone with the next run.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "no strace"

table() { # GENERATION
	awk -v g="$1" 'BEGIN { print "code,nom"; x = 12345
		for (i = 1; i <= 3000; i++) { x = (x * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i == g ? i * 7 : x } }' >"$T/data/villes.csv"
}
WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 100}'
world_new
world_source villes "code:string nom:string"
for generation in 1 2 3; do
	table $generation
	world_sync && inside import "$bundle" >/dev/null
	[ $generation != 2 ] || {
		cp -rL "$T/in/store/current/villes" "$T/as"
		wanted=$(readlink "$T/in/store/current/villes" | sed 's|.*/||')
	}
	sleep 1.1
done
inside import >/dev/null
newest=$(readlink "$T/in/store/current/villes" | sed 's|.*/||')
is "$(ls "$T/in/store/datasets/villes/v")" "$newest" "the plain files of the older versions are gone"
old=$(store_digest)
cp -a "$T/in" "$T/in.before"
rollback() { "$BIN/clapet-inside" --config "$T/in/inside.json" rollback villes --to "$wanted" --reason test; }
is_back() { diff -r "$T/as" "$T/in/store/current/villes/" >/dev/null; }
run rollback
is "$status" 0 "undisturbed, it comes back" || echo "# $output"
ok "byte for byte" is_back

wrong='' unfinished='' n_kills=0 n_done=0
for call in sendmsg recvmsg renameat,renameat2,rename fsync,syncfs linkat unlinkat write,pwrite64; do
	for n in 1 3 8 18; do
		rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
		{ strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
			"$BIN/clapet-inside" --config "$T/in/inside.json" rollback villes --to "$wanted" --reason test >/dev/null || n_kills=$((n_kills + 1)); } 2>/dev/null
		if is_back; then
			n_done=$((n_done + 1))
		elif [ "$(store_digest)" != "$old" ]; then
			wrong="$wrong $call:$n"
		fi
		# A run in between settles, and retention takes away what nothing shows; a pin that was written already holds the version.
		inside import >"$T/import.log" 2>&1
		is_back || [ "$(store_digest)" = "$old" ] || wrong="$wrong $call:$n(import)"
		is_back || rollback >"$T/rollback.log" 2>&1 || unfinished="$unfinished $call:$n(rollback)"
		is_back && inside verify >"$T/verify.log" 2>&1 && [ -z "$(ls -A "$T/in/spool")" ] || unfinished="$unfinished $call:$n(verify)"
	done
done
ok "the sweep really kills ($n_kills times, $n_done of them after the switch)" test "$n_kills" -gt 10
is "$wrong" "" "after each kill readers see the old set or the new one, whole"
is "$unfinished" "" "after each the same command ends it, in a store that verifies and a spool that is empty"

# A call that fails, as on a full disk: nothing is in force, and the next one has it.
wrong='' n_refused=0
for call in write pwrite64 linkat mkdirat renameat,renameat2 syncfs; do
	for n in 1 3 6; do
		rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
		strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:error=ENOSPC:when=$n" \
			"$BIN/clapet-inside" --config "$T/in/inside.json" rollback villes --to "$wanted" --reason test >"$T/rollback.log" 2>&1 || n_refused=$((n_refused + 1))
		is_back || [ "$(store_digest)" = "$old" ] || wrong="$wrong $call:$n"
		is_back || rollback >"$T/rollback.log" 2>&1 && is_back || wrong="$wrong $call:$n(again)"
	done
done
ok "calls really fail" test "$n_refused" -gt 5
is "$wrong" "" "nor does a call that fails ($n_refused did) leave anything else"
done_testing
