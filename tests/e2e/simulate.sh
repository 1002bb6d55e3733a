#!/bin/bash
# SPDX-License-Identifier: ISC
# simulate.sh: the real programs behind lines that lose, repeat, delay and cut bundles, each step held against a model (tests/simulate.py).
#
#   SEEDS="1 2 3" ROUNDS=12     what is run; a seed that fails prints itself and every event
. tests/lib.sh
. tests/world.sh

usual="1 2 3, 12 rounds"
SEEDS=${SEEDS:-1 2 3}
ROUNDS=${ROUNDS:-12}
top=$T

# In a subshell, so that lib.sh's $T stays what is removed at the end.
simulated() { # SEED [wrong]
	T=$top/$1${2:-}
	mkdir "$T"
	world_new
	world_policy villes rues cafes
	world_source villes "code:string nom:string"
	world_source rues "code:string nom:string"
	world_source cafes "code:string nom:string"
	mv "$T/out/sources/cafes" "$T/cafes"
	python3 tests/simulate.py "$BIN" "$T" "$1" "$ROUNDS" ${2:+"$2"}
}

total() { # COUNT: over all seeds
	tr ' ' '\n' <"$top/counts" | sed -n "s/^$1=//p" | awk '{n += $1} END {print n + 0}'
}

: >"$top/counts"
for seed in $SEEDS; do
	output=$(simulated "$seed" 2>&1)
	status=$?
	is "$status" 0 "seed $seed: at every step the insides are what the model says, and at the end they are equal"
	printf '%s\n' "$output" | sed 's/^/# /'
	[ "$status" != 0 ] || printf '%s\n' "$output" | tail -n 1 >>"$top/counts"
	chmod -R u+rwX "${top:?}/$seed" && rm -rf "${top:?}/$seed"
done
for what in dropped repeated delayed cut missing-seen late-completed patches withdrawn asked; do
	[ "$SEEDS, $ROUNDS rounds" != "$usual" ] || ok "the line had it all: $what ($(total "$what"))" test "$(total "$what")" -gt 0
done

# A model that believes what was cut must be found out, with its seed.
output=$(simulated "${SEEDS%% *}" wrong 2>&1)
is "$?" 1 "a wrong model disagrees"
like "$output" "^SEED=${SEEDS%% *} ROUNDS=$ROUNDS" "the seed is named"
like "$output" '^  [a-z]+ gets [0-9]+ cut at' "with the events that led to it"
done_testing
