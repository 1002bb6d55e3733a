#!/bin/bash
# SPDX-License-Identifier: ISC
# hooks.sh: programs that are told of each new generation, by import, by watch and by decisions; after the switch, without the lock; and
# what fails in them harms nothing.
. tests/lib.sh
. tests/world.sh
WORLD_INSIDE='"hooks": "hooks", "hookTime": "4s"'
world_new
mkdir -p "$T/in/hooks/generation.d"
hook() { # NAME, its text from stdin
	{ echo '#!/bin/sh'; cat; } >"$T/in/hooks/generation.d/$1"
	chmod 0755 "$T/in/hooks/generation.d/$1"
}
facts() { python3 -c "import json, sys; f = json.load(open('$T/told')); print($1)"; }
world_source villes "code:string nom:string"
hook 10-tell <<-END
	cat >"$T/told"
	readlink "\$CLAPET_STORE/current" >"$T/current"
	echo "\$CLAPET_GENERATION" >>"$T/numbers"
	flock -n "$T/in/incoming.lock" true && echo free >"$T/lock"
	echo "generation \$CLAPET_GENERATION is told"
END

world_data villes code,nom 01001,Abergement
world_sync
run inside import "$bundle"
is "$status" 0 "an import with a hook"
like "$output" 'hook 10-tell: generation 1 is told' "whose words are shown"
is "$(facts 'f["format"], f["generation"], f["before"]')" 'clapet hook generation 1 1 0' "it gets the facts"
is "$(facts '[(c["name"], c["change"], c["versionBefore"]) for c in f["changes"]]')" "[('villes', 'new', None)]" "what is new"
is "$(facts 'f["folder"]')" "$(realpath "$T/in/store")/generations/1" "where it lies"
is "$(cat "$T/current")" generations/1 "the switch has happened"
is "$(cat "$T/lock")" free "and nobody holds the lock"
rm "$T/told"
run inside import
not_ok "where nothing changed no hook runs" test -e "$T/told"
first=$(basename "$(readlink "$T/in/store/current/villes")")

# Hooks that fail, hang, fork, write a lot, or may not run.
hook 20-fails <<<'echo "no reader here" >&2; exit 3'
hook 30-hangs <<<"sleep 100 & echo \$! >'$T/hanging'; trap '' TERM; wait; sleep 100"
hook 40-writes <<<"head -c 1000000 /dev/zero | tr '\\0' x"
hook 50-open <<<"touch '$T/open-ran'"
chmod 0777 "$T/in/hooks/generation.d/50-open"
hook 60-last <<<"touch '$T/last-ran'"
world_data villes code,nom 01001,Abergement 01002,Ambérieu
world_sync
run inside import "$bundle"
is "$status" 0 "hooks that fail change no exit status"
is "$(readlink "$T/in/store/current")" generations/2 "and nothing of what is in force"
like "$output" 'E8140 TROUBLE .*/20-fails: exit status 3' "one that fails is told"
like "$output" 'hook 20-fails: no reader here' "with what it said"
like "$output" 'E8141 TROUBLE .*/30-hangs: did not end in 4 s' "one that hangs"
not_ok "and is gone with all that it started" kill -0 "$(cat "$T/hanging")"
like "$output" 'E8142 TROUBLE .*/50-open: it is not' "one that others can write is told"
not_ok "and not run" test -e "$T/open-ran"
ok "those after it run" test -e "$T/last-ran"
ok "what one writes is bounded" test "${#output}" -lt 20000
is "$(facts '[(c["change"], c["versionBefore"]) for c in f["changes"]]')" "[('changed', '$first')]" "facts name the version before"
log=$(inside log)
like "$log" 'hook.*E8140.*20-fails: exit status 3' "failures are in the log"
like "$log" 'hook.*E8141.*30-hangs' "each"
like "$log" 'hook.*E8142.*50-open' "of them"
run inside check
is "$status" 2 "check names what may not run"
like "$output" '^ok +hook +10-tell' "and what may"
like "$output" '^not ok +hooks +E8142' "by its code"
rm "$T"/in/hooks/generation.d/[2-6]*

# decisions, and the service
run inside rollback villes --reason "a test"
is "$(facts 'f["generation"], f["changes"][0]["version"]')" "3 $first" "a rollback is told too"
inside release villes >/dev/null
is "$(facts 'f["generation"]')" 4 "and what it ends with"
world_data villes code,nom 01003,Ambronay
world_sync
cp "$bundle" "$T/in/incoming/"
run inside watch --once
is "$(facts 'f["generation"]')" 5 "and what watch brings in"
is "$(tr '\n' ' ' <"$T/numbers")" "1 2 3 4 5 " "each generation once, in order"
run inside verify
is "$status" 0 "the store is whole"
done_testing
