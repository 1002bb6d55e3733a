#!/bin/bash
# SPDX-License-Identifier: ISC
# Size and shape: base stays small, functions stay short, every module has its test and its licence line.
. tests/lib.sh

modules=$(for file in base/*.h; do basename "$file" .h; done | wc -l)
ok "base/ has at most 10 modules ($modules)" test "$modules" -le 10

# Lines of code: without blank lines and comments, headers apart.
lines=$(for file in base/*.c; do gcc -fpreprocessed -dD -E -P "$file" 2>/dev/null; done | grep -vc '^[[:space:]]*$')
ok "base/ has at most 1,500 lines of code ($lines)" test "$lines" -le 1500

long=$(for file in base/*.c bundle/*.c keys/*.c schemas/*.c outside/*.c inside/*.c; do
	awk -v file="$file" '/^[a-z].*\(/ { name = $0 } /^{/ { start = NR } /^}/ && start { if (NR - start - 1 > 60) print file ": " name " (" NR - start - 1 " lines)"; start = 0 }' "$file"
done)
is "$long" "" "no function is longer than 60 lines"

deep=$(grep -nP '^\t{6,}(if|for|while|switch|do)\b' base/*.c bundle/*.c keys/*.c schemas/*.c outside/*.c inside/*.c)
is "$deep" "" "no block is nested five deep"

big=$(wc -l base/*.c bundle/*.c keys/*.c schemas/*.c outside/*.c inside/*.c | awk '$2 != "total" && $1 > 650 { print $2 " (" $1 ")" }')
is "$big" "" "no file is much longer than 500 lines"

bad=$(for file in $(git ls-files '*.c' '*.h' '*.sh'); do grep -q 'SPDX-License-Identifier: ISC' "$file" || echo "$file"; done)
is "$bad" "" "every source has its licence line"

bad=$(for file in tests/fuzz/*.c; do
	name=$(basename "$file" .c)
	[ "$name" = driver ] || [ -n "$(ls "tests/fuzz/corpus/$name" 2>/dev/null)" ] || echo "$name"
done)
is "$bad" "" "every fuzz target has seeds"

is "$(grep -L 'cmocka_set_message_output(CM_OUTPUT_TAP)' tests/unit/*.c)" "" "every unit test speaks TAP: one that does not counts as none"

done_testing
