#!/bin/bash
# SPDX-License-Identifier: ISC
# Two datasets that publish the same bytes, in one bundle and one after the other: each gets a file of its own, for a file of the spool may
# have one link.
. tests/lib.sh
. tests/world.sh

world_new
world_policy gauche droite tiers
for name in gauche droite; do
	world_source "$name" "code:string nom:string"
	world_data "$name" code,nom 01,Bourg
done
world_sync
run inside import "$bundle"
is "$status" 0 "two datasets with the same bytes in one bundle"
like "$output" "gauche: version .* in force" "the one is in force"
like "$output" "droite: version .* in force" "and the other"
ok "with the same rows" cmp "$T/in/store/current/gauche/gauche.csv" "$T/in/store/current/droite/droite.csv"
run inside verify
is "$status" 0 "the store is as it should be"
is "$(find "$T/in/store/datasets" -path '*/objects/*' -name "$(sha256sum <"$T/in/store/current/gauche/gauche.csv" | cut -c1-64)" | wc -l)" 2 \
	"each has a file of its own"

world_source tiers "code:string nom:string"
world_data tiers code,nom 01,Bourg
for name in gauche droite; do world_data "$name" code,nom 02,Laon; done
world_sync
run inside import "$bundle"
is "$status" 0 "bytes that another dataset had before"
like "$output" "tiers: version .* in force" "are a new dataset's"
run inside verify
is "$status" 0 "and the store is as it should be"

done_testing
