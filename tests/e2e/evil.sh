#!/bin/bash
# SPDX-License-Identifier: ISC
# The bytes of tests/evil/tuf are those that the generator makes: nobody edits them by hand, and what it does is what is tested.
. tests/lib.sh
ok "the generator writes every attack" "$BUILD/tests/attacks" "$T/tuf"
cp tests/evil/tuf/README.md "$T/tuf/"
ok "and what it writes is what is committed" diff -r "$T/tuf" tests/evil/tuf
ok "which is small" test "$(find tests/evil/tuf -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')" -lt 3000000
is "$(find tests/evil/tuf -mindepth 1 -maxdepth 1 -type d | wc -l)" "$(find tests/evil/tuf -name case.json | wc -l)" "every folder is an attack"
done_testing
