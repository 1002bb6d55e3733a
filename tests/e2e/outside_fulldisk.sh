#!/bin/bash
# SPDX-License-Identifier: ISC
# A full disk outside, while a keyframe, a patch or a bundle is made: exit 2 and a line, what was published stays, and with room the next
# run publishes the rest. The repository, the state and the outbox each on a disk of their own.
. tests/lib.sh
in_mount_namespace "$0"
. tests/world.sh
mkdir -p "$T"/out/{repository,state,outbox}
for folder in repository state outbox; do
	mount -t tmpfs -o size=24M none "$T/out/$folder" || skip_all "no tmpfs in this name space"
	on_exit "umount '$T/out/$folder'"
done
ok "a world is made" world_new
world_source villes "code:string nom:string"
# 40,000 rows of noise, of which some are the generation's own.
table() { # GENERATION EVERY
	awk -v generation="$1" -v every="$2" 'BEGIN {
		print "code,nom"; x = 12345; y = 1000 * generation + 7
		for (i = 1; i <= 40000; i++) { x = (x * 16807) % 2147483647; y = (y * 16807) % 2147483647; printf "%06d,nom-%d\n", i, i % every == 0 ? y : x }
	}' >"$T/data/villes.csv"
}
version() { python3 -c 'import json, sys; p = json.load(open(sys.argv[1]))["published"]; print(p["version"][:16] if p else "none")' "$T/out/state/villes/state.json"; }
# Fills the disk of FOLDER up to LEFT KiB.
fill() { # FOLDER LEFT
	local free
	rm -f "$T/out/$1/filler"
	free=$(df -k --output=avail "$T/out/$1" | tail -n 1)
	[ "$free" -le "$2" ] || head -c $(((free - $2) * 1024)) /dev/zero >"$T/out/$1/filler"
}
# sweep FOLDER NAME LEFT…: with so little left on FOLDER's disk the steward's data of today are not published, or they are, whole.
n=1
sweep() {
	local folder=$1 name=$2 bad= full=0 before
	shift 2
	for left; do
		before=$(version)
		n=$((n + 1))
		table $n "$every"
		fill "$folder" "$left"
		outside sync --force >"$T/sync.log" 2>&1
		status=$?
		case $status in
		0) ;;
		2)
			full=$((full + 1))
			grep -Eq '(^|: )E[0-9]{4} TROUBLE ' "$T/sync.log" || bad="$bad $left(no-line)"
			;;
		*) bad="$bad $left(status-$status)" ;;
		esac
		[ -z "$(find "$T/out/repository/blobs" -name '.*' -type f)" ] || bad="$bad $left(left)"
		rm -f "$T/out/$folder/filler"
		outside sync --force >"$T/sync.log" 2>&1 || bad="$bad $left(again)"
		[ "$(version)" != "$before" ] || bad="$bad $left(same)"
		grep -q "\"sent\": false" "$T/out/state/villes/state.json" && bad="$bad $left(unsent)"
		inside import "$T"/out/outbox/*.tar >"$T/import.log" 2>&1
		cmp -s "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv" || { bad="$bad $left(rows)"; sed 's/^/# /' "$T/import.log"; }
		rm -f "$T"/out/outbox/*.tar
		outside prune >/dev/null 2>&1
	done
	is "$bad" "" "$name: said, and made up for by the next run"
	ok "$name: the disk really was full ($full times)" test "$full" -ge 2
}
sed -i 's/"allowFile": true,/& "keepAtLeast": "1s", "keepVersions": 0,/' "$T/out/outside.json"
every=2
table 1 2
world_sync
is "$(version | wc -c)" 17 "a first version is published"
inside import "$bundle" >/dev/null 2>&1
rm "$T"/out/outbox/*.tar
sweep repository "the repository's disk, a keyframe" 8 40 120 300 900 2000
every=400
sweep repository "the repository's disk, a patch" 0 8 16 24 40 120 400
sweep state "the state's disk, a patch" 0 4 12 100 400 900
sweep outbox "the outbox's disk, a patch" 0 4 8 12 40
every=2
sweep outbox "the outbox's disk, a keyframe" 0 12 40 120 400
run outside check
is "$status" 0 "check finds all whole"
ok "the store verifies" inside verify
done_testing
