#!/bin/bash
# SPDX-License-Identifier: ISC
# Media that are full, read-only, or FAT's size: an export keeps what is whole, says so, and the same command goes on on the next medium, be it mounted
# at the same place.
. tests/lib.sh
in_mount_namespace "$0"
. tests/world.sh
mkdir "$T/usb"
mount -t tmpfs -o size=1000K none "$T/usb" || skip_all "no tmpfs in this name space"
on_exit "umount '$T/usb' 2>/dev/null"

datasets="d1 d2 d3 d4 d5"
ok "a world is made" world_new
# shellcheck disable=SC2086
world_policy $datasets
for name in $datasets; do
	world_source "$name" "code:string nom:string"
	python3 -c 'import random, sys
random.seed(sys.argv[1])
print("code,nom")
for i in range(20000): print(f"{i},{random.getrandbits(100):x}")' "$name" >"$T/data/$name.csv"
done
world_sync

export_all() { outside export --all --to "$T/usb" --volume-size 500K "$@"; }
volumes() { find "$T/usb" -name '*.tar' | wc -l; }
carry() { mkdir "$T/$1" && cp "$T"/usb/* "$T/$1"; }

run export_all
is "$status" 4 "a medium that is full: good so far, something is missing"
like "$output" 'E1342 MISSING .*/usb has [0-9.]+ [KM]B left, volume 3 of 5 needs [0-9.]+ KB; those before it are whole' "in one line that says where it stopped"
like "$output" 'next: Run the same command on the next medium' "and what to do"
is "$(volumes)" 2 "what is whole stays"
is "$(find "$T/usb" -name '.*' -type f | wc -l)" 0 "and nothing else"
run bash -c "cd '$T/usb' && sha256sum --strict -c SHA256SUMS"
is "$status" 0 "the media station finds it whole"
is "$(grep -c 'not written yet' "$T/usb/transfer-slip.txt")" 3 "the slip says what is still to come"
carry stick1
run export_all
is "$status" 4 "the same medium again: still full"
is "$(volumes)" 2 "nothing is written twice"
outside heartbeat >/dev/null 2>&1

# The next stick, mounted at the same place; meanwhile a heartbeat was signed.
umount "$T/usb" && mount -t tmpfs -o size=1000K none "$T/usb"
run export_all
is "$status" 4 "the next medium at the same place: the same command goes on"
is "$(printf '%s\n' "$output" | grep -c 'on another medium')" 2 "what it lacks is on another medium"
carry stick2
umount "$T/usb" && mount -t tmpfs -o size=1000K none "$T/usb"
run export_all --json
is "$status" 0 "and the last one ends it"
is "$(printf '%s\n' "$output" | python3 -c '
import json, sys
transfer = json.load(sys.stdin)
print([v["place"] for v in transfer["volumes"]], transfer["exit"])')" "['elsewhere', 'elsewhere', 'elsewhere', 'elsewhere', 'here'] 0" "a machine is told where each is"
is "$(grep -c 'not written yet' "$T/usb/transfer-slip.txt")" 0 "the slip of the last medium tells of all"
is "$(grep -c 'on another medium' "$T/usb/transfer-slip.txt")" 4 "and where they are"
carry stick3
for stick in stick2 stick3 stick1; do inside import "$T/$stick" >"$T/import.log" 2>&1; done
run inside import "$T/stick1"
is "$(for name in $datasets; do wc -l <"$T/in/store/current/$name/$name.csv"; done | sort -u)" 20001 "the three sticks, in any order, are everything"
run inside missing
is "$status" 0 "nothing is missing"

# --- too small, read-only, used up under our hands -----------------------------------------------------------------------------
umount "$T/usb" && mount -t tmpfs -o size=300K none "$T/usb"
run export_all --restart
is "$status" 2 "a medium that holds no volume at all is trouble"
like "$output" 'E9004 TROUBLE .*/usb has [0-9.]+ KB left, volume 1 of 5 needs .*: take a larger medium, or smaller volumes' "in one line"
is "$(find "$T/usb" -type f | wc -l)" 0 "and nothing is left on it"
umount "$T/usb" && mount -t tmpfs -o size=2M,ro none "$T/usb"
run export_all
is "$status" 2 "a read-only medium is trouble"
like "$output" 'E9004 TROUBLE .*/usb: Read-only file system' "in one line"
umount "$T/usb" && mount -t tmpfs -o size=4M,nr_inodes=3 none "$T/usb"
run export_all
is "$status" 2 "so is one that takes no more files"
like "$output" 'E9004 TROUBLE .*No space left on device' "which says so"
outside check >/dev/null 2>&1
run outside sync
is "$status" 0 "the outside works on"
done_testing
