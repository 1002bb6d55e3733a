#!/bin/bash
# SPDX-License-Identifier: ISC
# rough.sh: what users and machines do wrong: arguments, files that are none, no permission, a pipe that closes, SIGTERM. Each
# gives one clear line with the right exit status, and nothing is half done.
. tests/lib.sh
. tests/world.sh

one_line() { [ "$(printf '%s\n' "$output" | grep -c '^clapet-[a-z]*: E[0-9]\{4\} ')" = 1 ]; }

ok "a world is made" world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
world_sync
inside import "$bundle" >/dev/null 2>&1

# --- every command explains itself and refuses arguments that it does not know --------------------------------------------
undocumented='' lenient=''
for program in clapet-inside clapet-outside clapet-keys clapet-audit; do
	for command in $("$BIN/$program" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
		"$BIN/$program" "$command" --help >"$T/help" 2>"$T/help.err" || undocumented="$undocumented $program-$command"
		[ -s "$T/help.err" ] && undocumented="$undocumented $program-$command(stderr)"
		[ -z "$(sed -n '/^Options:/,$s/^  .....*\(--[a-z-]*\) .*/\1/p' "$T/help" | sort | uniq -d)" ] || undocumented="$undocumented $program-$command(twice)"
		[ -z "$(sed -n '/^Options:/,$s/^  \(-[a-z]\),.*/\1/p' "$T/help" | sort | uniq -d)" ] || undocumented="$undocumented $program-$command(letter-twice)"
		"$BIN/$program" "$command" --no-such-option >/dev/null 2>&1
		[ $? = 2 ] || lenient="$lenient $program-$command"
	done
done
is "$undocumented" "" "every command has its help, on stdout, with each option once"
is "$lenient" "" "an option that is not there is a usage error everywhere"
count=$(grep -c '^FAULT(' base/codes.def)
run inside explain --all
is "$(printf '%s\n' "$output" | grep -c '^E[0-9]\{4\} [A-Z]*: ')" "$count" "explain --all explains every code of the catalogue"
is "$(printf '%s\n' "$output" | grep -Ec '^ *(likely cause|next): *$')" 0 "with a cause and a next step each"
codes=$(sed -n 's/^FAULT(\([0-9]*\),.*/\1/p' base/codes.def)
is "$codes" "$(printf '%s\n' "$codes" | sort -un)" "codes are sorted, and none is there twice"
unused=
for code in $(sed -n 's/^FAULT([0-9]*, \([A-Z_0-9]*\),.*/\1/p' base/codes.def); do
	grep -rqw "FAULT_$code" --include='*.[ch]' base bundle keys schemas inside outside || unused="$unused $code"
done
is "$unused" "" "no code is only in the catalogue"

# --- files that are none ------------------------------------------------------------------------------------------------
for what in "import $T" "import /dev/null" "import $T/none.tar"; do
	# shellcheck disable=SC2086
	run inside $what
	ok "$what: exit 1 or 2 (is $status)" test "$status" = 1 -o "$status" = 2
	like "$output" 'E[0-9]{4} (TROUBLE|REFUSED|MISSING) ' "$what: one line with a code"
done
run "$BIN/clapet-inside" --config "$T" status
is "$status" 2 "a folder as configuration is trouble"
ok "in one line" one_line
run "$BIN/clapet-outside" --config "$T" sync
is "$status" 2 "outside too"
ok "in one line" one_line
run "$BIN/clapet-audit" --root "$T" store "$T/in/store"
is "$status" 2 "a folder as root metadata"
run "$BIN/clapet-keys" show "$T"
is "$status" 2 "a folder as a key"
run outside validate "$T"
is "$status" 2 "a folder as a CSV"
run outside validate "$T/none.csv"
is "$status" 2 "a CSV that is not there"
like "$output" 'none.csv' "is named"
mv "$T/in/policy.json" "$T/policy.away" && mkdir "$T/in/policy.json"
run inside import
is "$status" 2 "a folder as policy is trouble"
ok "in one line" one_line
rmdir "$T/in/policy.json" && mv "$T/policy.away" "$T/in/policy.json"
rm -f "$T"/in/incoming/*.tar

# --- a pipe that closes, a full stdout, no terminal ---------------------------------------------------------------------------
run bash -c "'$BIN/clapet-inside' --config '$T/in/inside.json' explain --all | head -n 1"
is "$status" 0 "a pipe that closes"
is "$(printf '%s\n' "$output" | wc -l)" 1 "and no word about it"
if [ -w /dev/full ]; then
	for command in status list history "explain --all" "--json status"; do
		# shellcheck disable=SC2086
		run bash -c "'$BIN/clapet-inside' --config '$T/in/inside.json' $command >/dev/full"
		is "$status" 2 "$command onto a full disk: exit 2"
		like "$output" 'No space left' "$command: and says so"
	done
fi
run bash -c "'$BIN/clapet-keys' generate -o '$T/k.key' </dev/null 2>&1 | cat" # a passphrase, and nobody to ask
not_ok "without terminal or passphrase no key is made" test -s "$T/k.key"

# --- no permission -----------------------------------------------------------------------------------------------------------
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 0755 "$T" "$T/in" "$T/out"
	chmod 0600 "$T/in/inside.json" "$T/out/outside.json"
	nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	if nobody "$BIN/clapet-inside" --version >/dev/null 2>&1; then
		run nobody "$BIN/clapet-inside" --config "$T/in/inside.json" status
		is "$status" 2 "a configuration that may not be read"
		ok "in one line" one_line
		run nobody "$BIN/clapet-outside" --config "$T/out/outside.json" sync
		is "$status" 2 "outside too"
		ok "in one line" one_line
		chmod 0644 "$T/in/inside.json" "$T/out/outside.json"
		before=$(store_digest)
		run nobody "$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle"
		is "$status" 2 "who may not write the store imports nothing"
		like "$output" 'E9001 TROUBLE .*Permission denied' "and is told where"
		run nobody "$BIN/clapet-outside" --config "$T/out/outside.json" sync
		is "$status" 2 "nor is anything signed by who may not"
		is "$(store_digest)" "$before" "nothing changed"
	fi
fi

# --- SIGTERM -----------------------------------------------------------------------------------------------------------------
python3 -c '
print("code,nom")
for i in range(300000):
    print(f"{i},{i:030d}")' >"$T/data/villes.csv"
world_sync
before=$(store_digest) wrong=
for wait in 0.02 0.05 0.1 0.2 0.4; do
	"$BIN/clapet-inside" --config "$T/in/inside.json" import "$bundle" >"$T/term.log" 2>&1 &
	pid=$!
	sleep $wait
	kill -TERM $pid 2>/dev/null
	wait $pid 2>/dev/null
	lines=$(wc -l <"$T/in/store/current/villes/villes.csv")
	[ "$lines" = 2 ] || [ "$lines" = 300001 ] || wrong="$wrong $wait($lines)"
done
is "$wrong" "" "SIGTERM in an import: readers see the old set or the new one"
run inside import --wait 10s "$bundle"
is "$status" 0 "and the same command finishes it"
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 300001 "the new set is in force"
is "$(find "$T/in/spool" -mindepth 1 | wc -l)" 0 "nothing is left in the spool"
run inside verify
is "$status" 0 "the store verifies"
done_testing
