#!/bin/bash
# SPDX-License-Identifier: ISC
# The medium as people carry it: a FAT32 image, mounted, or filled and emptied by mtools where the kernel has no vfat. Export, the media
# station's sums, import; a copy that was cut off, and made whole.
. tests/lib.sh
in_mount_namespace "$0"
. tests/world.sh
PATH=$PATH:/usr/sbin:/sbin
command -v mkfs.vfat >/dev/null || skip_all "no mkfs.vfat (dosfstools)"
truncate -s 40M "$T/image"
mkfs.vfat -F 32 -n CLAPET "$T/image" >/dev/null || skip_all "mkfs.vfat makes no FAT32"
mkdir "$T/usb"
if mount -o loop -t vfat "$T/image" "$T/usb" 2>/dev/null; then
	how="the kernel"
elif command -v mcopy >/dev/null; then
	how=mtools
else
	skip_all "neither the kernel nor mtools knows FAT32 here"
fi
on_exit "umount '$T/usb' 2>/dev/null"
again() { # ro|rw: the medium is pulled out and put into another machine
	if [ "$how" = mtools ]; then
		mdel -i "$T/image" '::*' >/dev/null 2>&1
		(cd "$T/usb" && for file in *; do mcopy -i "$T/image" "$file" "::$file" || exit; done) &&
			rm -rf "$T/usb" && mkdir "$T/usb" && mcopy -m -n -i "$T/image" '::*' "$T/usb"
		return
	fi
	umount "$T/usb" && mount -o "loop,$1" -t vfat "$T/image" "$T/usb"
}
echo "# FAT32 by: $how"

ok "a world is made" world_new
world_policy villes rues
for name in villes rues; do
	world_source "$name" "code:string nom:string"
	python3 -c 'import random, sys
random.seed(sys.argv[1])
print("code,nom")
for i in range(20000): print(f"{i},{random.getrandbits(100):x}")' "$name" >"$T/data/$name.csv"
done
world_sync
run outside export --all --to "$T/usb" --volume-size 500K
is "$status" 0 "an export onto FAT32" || echo "# $output"
n=$(find "$T/usb" -name '*.tar' | wc -l)
ok "of several volumes ($n)" test "$n" -gt 1
ok "the medium is put into another machine, read-only" again ro
run bash -c "cd '$T/usb' && sha256sum --strict -c SHA256SUMS"
is "$status" 0 "the media station finds it whole" || echo "# $output"
is "$(find "$T/usb" -name '.*' -type f | wc -l)" 0 "and nothing else is on it"
run inside import "$T/usb"
is "$status" 0 "it is imported" || echo "# $output"
for name in villes rues; do ok "$name as it was" cmp "$T/data/$name.csv" "$T/in/store/current/$name/$name.csv"; done

# --- a copy that was cut off on the medium itself
again rw
first=$(find "$T/usb" -name '*.tar' | sort | head -n 1)
cp "$first" "$T/whole.tar"
rm "$first"
head -c 10000 "$T/whole.tar" >"$first"
again ro
run inside import "$T/usb"
is "$status" 4 "a copy that was cut off"
like "$output" "E4440 MISSING $first: half-copied: 10000 bytes are there, SHA256SUMS says $(stat -c %s "$T/whole.tar")" "is told with its lengths"
is "$(printf '%s\n' "$output" | grep -c superseded)" $((n - 1)) "the others are taken"

# --- the same export again onto it: what is whole stays, the rest is written anew
again rw
run outside export --all --to "$T/usb" --volume-size 500K
is "$status" 0 "the same command again" || echo "# $output"
run bash -c "cd '$T/usb' && sha256sum --strict -c SHA256SUMS"
is "$status" 0 "makes it whole" || echo "# $output"
run inside import "$T/usb"
is "$status" 0 "and it imports"
done_testing
