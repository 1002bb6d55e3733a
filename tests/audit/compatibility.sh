#!/bin/bash
# SPDX-License-Identifier: ISC
# The rule table schemas/COMPATIBILITY.md against the code and the tests: no rule without a line, no line without its test.
. tests/lib.sh
table=schemas/COMPATIBILITY.md
cases=tests/unit/schemas_compat.c

# What the code calls its rules: the first text after the verdict.
cat schemas/compat*.c | tr '\n\t' '  ' | grep -oE 'compat_add\((tables->)?[a-z]*, *[^"]*"[a-z-]+"' | grep -oE '"[a-z-]+"$' | tr -d '"' | sort -u >"$T/code"
ok "the code has rules ($(wc -l <"$T/code"))" test "$(wc -l <"$T/code")" -ge 12
grep -E '^\| ([a-z-]+) \| .* \| (yes|no|by data) \|' "$table" | cut -d'|' -f2 | tr -d ' ' | grep -v '^-$' | sort -u >"$T/table"
is "$(comm -23 "$T/code" "$T/table")" "" "every rule in the code has a line"
is "$(comm -13 "$T/code" "$T/table")" "" "every rule in the table is in the code"

grep -E '^\| ([a-z-]+) \| .* \| (yes|no|by data) \|' "$table" | cut -d'|' -f5 | sed 's/^ *//; s/ *$//' >"$T/tests"
ok "the table has lines ($(wc -l <"$T/tests"))" test "$(wc -l <"$T/tests")" -ge 100
while read -r name; do
	case $name in
	e2e:*) grep -qF "\"${name#e2e: }\"" tests/e2e/compat.sh ;;
	all_pairs_of_types | let_through) grep -q "cmocka_unit_test($name)" $cases ;;
	*) grep -qF "{\"$name\"," $cases ;;
	esac || echo "$name"
done <"$T/tests" >"$T/without"
is "$(cat "$T/without")" "" "every line's test exists"

# And the answer is the test's: | rule | … | answer | against {"name", …, YES/DATA/NO, "rule"}.
tr '\n\t' '  ' <$cases | grep -oE '\{"[a-z-]+",[^;]*\};' | sed 's/},/}\n/g' | grep -oE '\{"[a-z-]+".*(YES|DATA|NO), *"[a-z -]*"' |
	sed -E 's/^\{"([a-z-]+)".*[ ,](YES|DATA|NO), *"([a-z -]*)"$/\1 \2 \3/' | sort -u >"$T/answers"
ok "the tests have answers ($(wc -l <"$T/answers"))" test "$(wc -l <"$T/answers")" -ge 60
grep -E '^\| ([a-z-]+) \| .* \| (yes|no|by data) \|' "$table" | awk -F' *\\| *' '{ print $5, $4, $2 }' | sed 's/by data/DATA/; s/ yes / YES /; s/ no / NO /' >"$T/said"
while read -r name answer rule; do
	found=$(grep "^$name " "$T/answers" | head -n 1)
	[ -n "$found" ] || continue
	case $found in
	"$name $answer"*) [ "$rule" = - ] || case " ${found#"$name $answer"} " in *" $rule "*) ;; *) echo "$name: rule $rule" ;; esac ;;
	*) echo "$name: $answer, the test has ${found#"$name "}" ;;
	esac
done <"$T/said" >"$T/wrong"
is "$(cat "$T/wrong")" "" "every line's answer is its test's"
is "$(cut -d' ' -f1 "$T/answers" | sort -u | grep -vxFf "$T/tests" | grep -vxE 'same|missing-words-more-required|header-exact' || true)" "" "every case has a line"
done_testing
