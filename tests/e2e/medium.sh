#!/bin/bash
# SPDX-License-Identifier: ISC
# Importing from media: half-copied files and what becomes of them, folders with other people's files in them, media that are read-only, that
# fail, whose files change or vanish while they are read.
. tests/lib.sh
. tests/world.sh

rows() { wc -l <"$T/in/store/current/$1/$1.csv"; }
# A fresh inside in the place of the old one, which goes to $T/in.NAME.
fresh() {
	mv "$T/in" "$T/in.$1"
	mkdir -p "$T"/in/{incoming,spool,contracts}
	cp "$T/in.$1/inside.json" "$T/in.$1/policy.json" "$T/in/"
	inside init --root "$T/out/repository/metadata/1.root.json" >/dev/null
}

ok "a world is made" world_new
world_policy villes rues
world_source villes "code:string nom:string"
world_source rues "code:string"
world_data villes code,nom 01,Bourg
world_data rues code 1
world_sync && b1=$bundle
world_data villes code,nom 01,Bourg 02,Laon
world_sync && b2=$bundle
world_data rues code 1 2
world_sync && b3=$bundle

# --- half-copied ------------------------------------------------------------------------------------------------------------
size=$(stat -c %s "$b1")
head -c 3000 "$b1" >"$T/in/incoming/${b1##*/}"
run inside import
is "$status" 4 "a half-copied file is incomplete"
is "$(printf '%s\n' "$output" | grep -c '^E')" 1 "in one line"
like "$output" '^E3001 MISSING bundle 0000000002: ends early: 3000 bytes are there, at least [0-9]+ bytes are due \(bundle/FORMAT.md 3.8\)\. It stays in incoming' \
	"that says how many bytes are there, and how many are due"
due=$(printf '%s\n' "$output" | sed -n 's/.*at least \([0-9]*\) bytes.*/\1/p')
ok "and no more are due than there are ($due of $size)" test "$due" -gt 3000 -a "$due" -le "$size"
run inside --json import
is "$status" 4 "a machine is told the same status"
"$BIN/clapet-inside" --config "$T/in/inside.json" watch --interval 1h >"$T/watch.log" 2>&1 &
pid=$!
for _ in $(seq 100); do grep -q . "$T/watch.log" && break; [ -e "$T/in/incoming/.tried.json" ] && sleep 0.1 && break; sleep 0.1; done
sleep 0.5
tail -c +3001 "$b1" >>"$T/in/incoming/${b1##*/}"
for _ in $(seq 100); do [ -e "$T/in/store/current/villes/villes.csv" ] && break; sleep 0.1; done
kill "$pid"
wait "$pid"
is "$(rows villes)" 2 "the service takes it when it is whole, and nobody did anything"
is "$(find "$T/in/incoming" -type f ! -name '.*' | wc -l)" 0 "nothing is left in incoming"
head -c 4000 "$b2" >"$T/cut.tar"
run inside import "$T/cut.tar"
is "$status" 4 "a half copy under another name"
run inside import "$b2"
like "$output" 'villes: version [0-9a-f]{16} in force' "does not keep the whole one out"
ok "it may still be written to, and stays" test -e "$T/in/incoming/cut.tar"
touch -d '20 minutes ago' "$T/in/incoming/cut.tar"
inside import >/dev/null 2>&1
run inside import "$b2"
is "$status" 0 "once nobody wrote to it for long, the whole one ends it"
like "$output" 'cut.tar: the beginning of 0000000003-[0-9a-f]{64}.tar, which is here whole: deleted' "with a line"
not_ok "it is gone" test -e "$T/in/incoming/cut.tar"
for n in 0 1 100 511; do
	head -c $n "$b3" >"$T/in/incoming/short$n.tar"
	run inside import
	is "$status" 4 "$n bytes are a half copy, too"
	like "$output" "ends early: $n bytes are there" "and are counted"
	rm "$T/in/incoming/short$n.tar"
done

# --- folders --------------------------------------------------------------------------------------------------------------
fresh one
medium=$T/medium
mkdir -p "$medium/System Volume Information" "$medium/sub" "$medium/folder.tar"
cp "$b1" "$b2" "$b3" "$medium"
mv "$medium/${b3##*/}" "$medium/a volume.tar"
(cd "$medium" && sha256sum ./*.tar) >"$medium/SHA256SUMS" 2>/dev/null
echo "Bordereau" >"$medium/transfer.txt"
echo "<html>" >"$medium/transfer.html"
head -c 3000 /dev/urandom >"$medium/photo.jpg"
cp "$b3" "$medium/.hidden.tar"
cp "$b3" "$medium/sub/other.tar"
tar -cf "$medium/holidays.tar" -C "$medium" photo.jpg
printf 'xy' >"$medium/tiny.tar"
ln -s "$b3" "$medium/link.tar"
run inside import "$medium"
is "$status" 0 "a folder is imported: its bundles, in any order"
is "$(rows villes) $(rows rues)" "3 3" "all of them"
is "$(printf '%s\n' "$output" | grep -c 'holidays.tar')" 1 "a *.tar that is no bundle is one line"
like "$output" 'holidays.tar: not a bundle, left alone \(bundle/FORMAT.md 3.3\)' "which says so"
like "$output" 'tiny.tar: not a bundle, left alone' "however short it is"
like "$output" 'link.tar: not a regular file, left alone' "a link is not followed"
like "$output" 'folder.tar: not a regular file, left alone' "a folder of that name is none"
unlike "$output" 'SHA256SUMS|transfer|photo|hidden|other.tar|Volume' "other files are left alone without a word"
is "$(find "$T/in/incoming" -mindepth 1 ! -name .tried.json ! -name .lock)" "" "nothing of them came into incoming"
run inside import "$medium"
is "$status" 0 "the same medium again"
is "$(printf '%s\n' "$output" | grep -c 'superseded')" 3 "one line a volume: superseded"
is "$(printf '%s\n' "$output" | grep -c '^E')" 0 "and no alarm"
before=$(store_digest)
mkdir "$T/empty" "$T/broken"
run inside import "$T/empty"
is "$status" 2 "a folder without a bundle is trouble"
like "$output" 'E9001 TROUBLE .*empty: no bundle in this folder' "in one line"
head -c 20000 /dev/urandom >"$T/broken/${b1##*/}"
cp "$b2" "$T/broken"
run inside import "$T/broken"
is "$status" 1 "a file that is called as a bundle and is none is an alarm"
like "$output" '^E3002 REFUSED bundle 0000000002: not a bundle' "named"
like "$output" '^bundle 0000000003: superseded' "the others are taken all the same"
is "$(store_digest)" "$before" "nothing changed"
run inside import "$T/empty" "$medium" "$T/none"
is "$status" 2 "several folders, two of them bad: trouble"
is "$(printf '%s\n' "$output" | grep -c 'E9001')" 2 "each told once"
is "$(printf '%s\n' "$output" | grep -c 'superseded')" 3 "the good one is imported"

# --- what SHA256SUMS beside them says ---------------------------------------------------------------------------------------
slip=$T/slip
mkdir "$slip"
n1=${b1##*/} n2=${b2##*/} n3=${b3##*/}
sums() { # [SIZES]: of the whole files
	rm -rf "$slip" && mkdir "$slip" && cp "$b1" "$b2" "$b3" "$slip"
	(cd "$slip" && for v in *.tar; do
		[ "${1:-sizes}" = none ] || echo "# $(stat -c %s "$v") bytes"
		sha256sum "$v"
	done >SHA256SUMS)
}
slip_says() { # STATUS LINES PATTERN WHAT
	run inside import "$slip"
	is "$status" "$1" "$4: exit status"
	is "$(printf '%s\n' "$output" | grep -c E4440)" "$2" "$4: so many lines"
	[ -z "$3" ] || like "$output" "$3" "$4: said"
	is "$(find "$T/in/incoming" -type f ! -name '.*')" "" "$4: nothing of it is in incoming"
}
fresh slip
sums
head -c 3000 "$b1" >"$slip/$n1"
slip_says 4 1 "E4440 MISSING $slip/$n1: half-copied: 3000 bytes are there, SHA256SUMS says $(stat -c %s "$b1")\. Nothing of it was taken" "a half copy"
like "$output" 'next: Copy what is named again' "and what to do"
is "$(rows villes)" 3 "the others are imported all the same"
cp "$b1" "$slip/$n1"
slip_says 0 0 'bundle 0000000002' "the same folder with a whole copy"
is "$(rows villes) $(rows rues)" "3 3" "which completes it"
fresh slip2
sums
printf X | dd of="$slip/$n2" bs=1 seek=700 conv=notrunc status=none
slip_says 4 1 "E4440 MISSING $slip/$n2: damaged: its bytes are not those that SHA256SUMS names" "a damaged file"
sums
echo more >>"$slip/$n2"
slip_says 4 1 "$n2: damaged: [0-9]+ bytes are there, SHA256SUMS says" "one that is too long"
sums none
head -c 3000 "$b2" >"$slip/$n2"
slip_says 4 1 "$n2: damaged, or half-copied" "a slip of another's making has no lengths"
sums
rm "$slip/$n3"
mv "$slip/$n2" "$slip/.$n2"
slip_says 4 2 "E4440 MISSING $slip/$n3: SHA256SUMS names it, and it is not here" "files that are lacking"
sums
for i in $(seq 30); do echo "$(sha256sum </dev/null | cut -c1-64)  v$i.tar" >>"$slip/SHA256SUMS"; done
slip_says 4 20 "$slip: 10 more are not here" "thirty that are lacking are not thirty lines"
# The slip is anybody's: it may say what it likes, and stops nothing that it does not name.
for bad in '/dev/zero' '/dev/urandom'; do
	sums
	head -c 100000 "$bad" >"$slip/SHA256SUMS"
	slip_says 0 0 "$slip: SHA256SUMS, line 1: no digest and name .*: what is there is not held against it" "a slip of $bad"
done
sums
head -c 2000000 /dev/zero >>"$slip/SHA256SUMS"
slip_says 0 0 'SHA256SUMS: File too large' "a slip that is too large"
sums
sed 's/^[0-9a-f]\{8\}/00000000/' "$slip/SHA256SUMS" >"$T/sums" && cat "$T/sums" >>"$slip/SHA256SUMS"
slip_says 0 0 'SHA256SUMS: says two things of' "a slip that contradicts itself"
sums
rm "$slip/SHA256SUMS" && ln -s /dev/zero "$slip/SHA256SUMS"
slip_says 0 0 'SHA256SUMS: Too many levels of symbolic links' "a slip that is a link"
sums
sed 's/^[0-9a-f]\{8\}/00000000/' "$slip/SHA256SUMS" >"$T/sums" && cat "$T/sums" >"$slip/SHA256SUMS"
slip_says 4 3 "" "a slip that is wrong of all of them"
run inside import "$slip/$n1" "$slip/$n2" "$slip/$n3"
is "$status" 0 "files that are named one by one are not held against it"

# --- bundles in the wrong order, in one run ---------------------------------------------------------------------------------
fresh two
cp "$b1" "$T/in/incoming/z.tar"
cp "$b3" "$T/in/incoming/a.tar"
cp "$b2" "$T/in/incoming/m.tar"
run inside import
is "$status" 0 "a run in the wrong order ends as in the right one, and so does its exit status"
is "$(rows villes) $(rows rues)" "3 3" "everything is in force"
is "$(find "$T/in/incoming" -type f ! -name '.*' | wc -l)" 0 "nothing waits"
two=$(store_digest)
run inside missing
is "$status" 0 "nothing is missing"
unlike "$two" '^$' "there is a store"

# --- media that are bad -------------------------------------------------------------------------------------------------------
run inside import /proc/self/mem
is "$status" 2 "a medium that cannot be read is trouble"
like "$output" 'E9001 TROUBLE /proc/self/mem cannot be read after byte 0: Input/output error\. Nothing of it was taken' "in one line"
if [ -r /sys/kernel/uevent_seqnum ]; then
	run inside import /sys/kernel/uevent_seqnum
	is "$status" 4 "a file that is shorter than its folder says is not whole"
	like "$output" 'E3001 MISSING /sys/kernel/uevent_seqnum changed while it was read: [0-9]+ bytes were there, 4096 were promised' "and both lengths are said"
fi
run inside import /proc/self/status
is "$status" 4 "nor is one that is longer"
is "$(find "$T/in/incoming" -mindepth 1 ! -name .tried.json ! -name .lock)" "" "nothing of any came into incoming"
mkfifo "$T/pipe.tar"
run timeout 20 "$BIN/clapet-inside" --config "$T/in/inside.json" import "$T/pipe.tar"
is "$status" 2 "a pipe does not stop us"
like "$output" 'neither a regular file nor a folder' "and is told to be one"
# Faults that no file system gives on demand are given by strace.
mkdir "$T/pulled" && cp "$b1" "$b2" "$T/pulled"
failing() { strace -qq -o /dev/null -P "$T/pulled/${b1##*/}" -e "inject=$1" "$BIN/clapet-inside" --config "$T/in/inside.json" import "$T/pulled"; }
if command -v strace >/dev/null && strace -qq -o /dev/null -e trace=none true 2>/dev/null; then
	run failing read:error=EIO:when=1
	is "$status" 2 "a bundle on a medium that fails is trouble"
	like "$output" 'E9001 TROUBLE .*/0000000002-[0-9a-f]{64}\.tar cannot be read after byte 0: Input/output error' "named, with the place"
	like "$output" '^bundle 0000000003: superseded' "and stops no other"
	run failing open,openat:error=ENOENT:when=1
	is "$status" 2 "one that vanishes between the list and its turn, too"
	like "$output" 'E9001 TROUBLE .*/0000000002-[0-9a-f]{64}\.tar: No such file or directory' "named"
	like "$output" '^bundle 0000000003: superseded' "and stops no other"
	run failing read:retval=0:when=1
	is "$status" 4 "one that ends before its length"
	like "$output" 'changed while it was read: 0 bytes were there' "is not taken for a short one"
	is "$(find "$T/in/incoming" -type f ! -name '.*')" "" "nothing of it is in incoming"
fi
run inside import "$T/pulled"
is "$status" 0 "and the same command takes it when it can be read"

# --- a medium that is read-only -----------------------------------------------------------------------------------------------
readonly_import() { # in a mount name space: a read-only tmpfs with the bundles
	mount -t tmpfs none "$T/mount" && cp "$b1" "$b2" "$b3" "$T/mount" && mount -o remount,ro "$T/mount" &&
		! touch "$T/mount/x" 2>/dev/null && "$BIN/clapet-inside" --config "$T/in/inside.json" import "$T/mount"
}
mkdir "$T/mount"
export -f readonly_import
export T BIN b1 b2 b3
if unshare -m true 2>/dev/null; then unshare=(unshare -m); else unshare=(unshare -rm); fi
if "${unshare[@]}" mount -t tmpfs none "$T/mount" 2>/dev/null; then
	fresh three
	run "${unshare[@]}" bash -c readonly_import
	is "$status" 0 "a read-only medium is imported"
	is "$(rows villes) $(rows rues)" "3 3" "whole"
	is "$(store_digest | wc -c)" 65 "and its store reads"
fi
run inside verify
is "$status" 0 "the store verifies"
done_testing
