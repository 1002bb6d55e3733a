#!/bin/bash
# SPDX-License-Identifier: ISC
# checkout_full.sh: a disk that fills while an older version is rebuilt: no folder, and nothing left.
. tests/lib.sh
. tests/world.sh
in_mount_namespace "$0"

WORLD_INSIDE='"reserve": 0, "keepGenerations": 1, "keepAtLeast": "1s", "history": {"versions": 100}'
world_new
world_source villes "code:string nom:string"
for generation in 1 2; do
	awk -v g=$generation 'BEGIN { print "code,nom"; x = 12345
		for (i = 1; i <= 30000; i++) { x = (x * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i == g ? i * 7 : x } }' >"$T/data/villes.csv"
	cp "$T/data/villes.csv" "$T/villes-$generation.csv"
	world_sync
	inside import "$bundle" >/dev/null
	sleep 1.1
done
inside import >/dev/null
old=$(inside --json history villes | python3 -c 'import json,sys; print(json.load(sys.stdin)[1]["version"])')
new=$(inside --json list | python3 -c 'import json,sys; print(json.load(sys.stdin)[0]["version"])')
mkdir "$T/small"
mount -t tmpfs -o size=256k tmpfs "$T/small" || skip_all "no tmpfs"
on_exit umount "$T/small"
for version in "$old" "$new"; do
	run inside checkout villes "$version" --to "$T/small/out"
	is "$status" 2 "version $version does not fit"
	is "$(ls -A "$T/small")" "" "nothing is left"
done
like "$output" 'E9004 .*No space left' "the supervisor's own copy says why"
mount -o remount,size=64m "$T/small"
run inside checkout villes "$old" --to "$T/small/out"
is "$status" 0 "with room it comes back"
ok "as it was" cmp "$T/villes-1.csv" "$T/small/out/villes.csv"

done_testing
