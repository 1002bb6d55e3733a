#!/bin/bash
# SPDX-License-Identifier: ISC
# kill -9 while an import brings a version and its SQLite file: strace kills whichever process makes its Nth call of a kind. After each, the generation in force
# is whole, and what it says of its SQLite file is true; the next import finishes, in a store that verifies.
. tests/lib.sh
. tests/world.sh
command -v strace >/dev/null || skip_all "no strace"
command -v sqlite3 >/dev/null || skip_all "no sqlite3"

WORLD_INSIDE='"rows": true'
world_new
world_source villes "code:string nom:string"
world_data villes 'code,nom' '01,Bourg'
world_sync
inside import "$bundle" >/dev/null 2>&1
old=$(store_digest)
world_data villes 'code,nom' '01,Bourg' '02,Laon'
world_sync
cp -a "$T/in" "$T/in.before"
inside import "$bundle" >/dev/null 2>&1
new=$(readlink "$T/in/store/current/villes")

# Whether what the generation in force says of its SQLite file holds.
is_sound() {
	local link=$T/in/store/current/villes.sqlite n
	[ -L "$link" ] || return 0
	[ "$(basename "$(readlink "$link")" .sqlite)" = "$(basename "$(readlink "$T/in/store/current/villes")")" ] || return 1
	n=$(($(wc -l <"$T/in/store/current/villes/villes.csv") - 1))
	[ "$(sqlite3 "file:$link?immutable=1" 'SELECT count(*) FROM villes')" = "$n" ]
}
wrong= unfinished= n_kills=0 n_before=0
for call in sendmsg renameat,renameat2,rename fsync,syncfs linkat,symlinkat pwrite64 ftruncate; do
	for n in 1 3 8 15; do
		rm -rf "$T/in" && cp -a "$T/in.before" "$T/in"
		{ strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
			"$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle" >"$T/import.log" || n_kills=$((n_kills + 1)); } 2>/dev/null
		[ "$(store_digest)" = "$old" ] && n_before=$((n_before + 1))
		is_sound || wrong="$wrong $call:$n"
		inside import "$bundle" >"$T/import.log" 2>&1
		inside rows >"$T/rows.log" 2>&1 || unfinished="$unfinished $call:$n(rows)"
		[ "$(readlink "$T/in/store/current/villes")" = "$new" ] && [ -f "$T/in/store/datasets/villes/rows/$(basename "$new").sqlite" ] &&
			inside verify >"$T/verify.log" 2>&1 || unfinished="$unfinished $call:$n"
	done
done
ok "the sweep really kills ($n_kills times, $n_before before the switch)" test "$n_kills" -gt 8
is "$wrong" "" "after each kill what the generation in force says of its SQLite file is true"
is "$unfinished" "" "after each kill the next import finishes, and the file is there or can be made"
done_testing
