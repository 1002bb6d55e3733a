#!/bin/bash
# SPDX-License-Identifier: ISC
# A full disk: the import says so with exit status 2, readers keep the old set, and once there is room the same command finishes.
. tests/lib.sh
in_mount_namespace "$0"
. tests/world.sh
mkdir "$T/in"
mount -t tmpfs -o size=12M none "$T/in" || skip_all "no tmpfs in this name space"
on_exit "umount '$T/in'"
# shellcheck disable=SC2034
WORLD_INSIDE='"reserve": 0'
world_new
world_source villes "code:string nom:string n:integer"
world_data villes code,nom,n 01,Bourg,1
world_sync
inside import "$bundle" >/dev/null 2>&1
like "$(readlink "$T/in/store/current")" 'generations/1' "a first version is in force"
old=$(store_digest)

# Random digits: what zstd cannot make small.
{ echo code,nom,n; python3 -c '
import random
random.seed(7)
for i in range(60000):
    print(f"{i:05d},{random.getrandbits(160):040x},{i}")'; } >"$T/data/villes.csv"
world_sync
wrong= full=0
for left in 64 256 1024 2048 3072 4096 5120 6144; do
	rm -f "$T/in/filler" "$T"/in/incoming/*
	free=$(df -k --output=avail "$T/in" | tail -n 1)
	[ "$free" -gt $left ] && head -c $(((free - left) * 1024)) /dev/zero >"$T/in/filler"
	inside import "$bundle" >"$T/import.log" 2>&1
	status=$?
	if [ $status = 2 ]; then
		full=$((full + 1))
		# An attempt before may have made trust and blobs durable: then settling puts the new set in force, whole.
		lines=$(wc -l <"$T/in/store/current/villes/villes.csv")
		[ "$(store_digest)" = "$old" ] || [ "$lines" = 60001 ] || wrong="$wrong $left(changed)"
		grep -Eq '(^|: )E[0-9]{4} TROUBLE ' "$T/import.log" || { wrong="$wrong $left(no-line)"; sed 's/^/# /' "$T/import.log"; }
	elif [ $status = 0 ]; then
		break
	else
		wrong="$wrong $left(status-$status)"
		sed 's/^/# /' "$T/import.log"
	fi
done
ok "the disk really was full ($full times)" test "$full" -ge 2
is "$wrong" "" "each time: exit 2, a line with a code, the old set or the new one in force, whole"
rm -f "$T/in/filler"
mount -o remount,size=64M "$T/in"
run inside import "$bundle"
is "$status" 0 "with room the same command finishes"
is "$(wc -l <"$T/in/store/current/villes/villes.csv")" 60001 "and the new version is in force"
run inside verify
is "$status" 0 "the store verifies"
done_testing
