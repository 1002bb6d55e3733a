#!/bin/bash
# SPDX-License-Identifier: ISC
# cross.sh: compat against real triples of an old schema, a new one and data (tests/data/cross): no false "compatible", and with the data the
# verdict of a validator.
. tests/lib.sh
export CROSS=$PWD/tests/data/cross INSIDE=$BIN/clapet-inside
run tests/conformance/cross.sh
is "$status" 0 "every triple has the answer that is true"
unlike "$output" FALSE "none is false"
like "$output" "^$(wc -l <"$CROSS/cross.jsonl") triples .* 0 wrong$" "all of them were tried"
# And the harness sees what is false: the first triple with its verdict turned round.
mkdir "$T/cross"
cp -r "$CROSS/schema" "$CROSS/csv" "$T/cross/"
head -n 1 "$CROSS/cross.jsonl" | sed 's/"valid": true/"valid": t/; s/"valid": false/"valid": true/; s/"valid": t,/"valid": false,/' >"$T/cross/cross.jsonl"
CROSS=$T/cross run tests/conformance/cross.sh
is "$status" 1 "a wrong answer is one"
like "$output" '^FALSE with the data' "and is named"
done_testing
