#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-receive where the disk is full: what does not fit is not taken, says so, and costs nothing of the rest; with room it goes on.
. tests/lib.sh
in_mount_namespace "$0"

port=$((20000 + $$ % 20000))
into=$T/into
mkdir "$into"
mount -t tmpfs -o size=30m tmpfs "$into" || skip_all "no mount"
on_exit "umount -l $into"
"$BIN/clapet-keys" link --output "$T/key" >/dev/null
head -c 18000000 /dev/urandom >"$T/a"
head -c 24000000 /dev/urandom >"$T/b"
head -c 50000000 /dev/urandom >"$T/c"
a=$(sha256sum <"$T/a" | cut -d' ' -f1)
b=$(sha256sum <"$T/b" | cut -d' ' -f1)

receiver() {
	"$BIN/clapet-receive" --bind 127.0.0.1:$port --key "$T/key" --into "$into" "$@" >"$T/out" 2>"$T/err" &
	receiver=$!
	on_exit "kill -9 $receiver 2>/dev/null"
	for _ in $(seq 100); do
		[ "$into/.link/status.txt" -nt "$T/started" ] && break
		sleep 0.05
	done
}
send() { "$BIN/clapet-send" --to 127.0.0.1:$port --key "$T/key" --rate 400M "$@" >"$T/sent" 2>&1; }

touch "$T/started"
sleep 0.1
receiver --count 1
send "$T/c"
wait "$receiver"
is "$?" 1 "larger than the disk: exit 1"
like "$(cat "$T/err")" 'E7204 TROUBLE object [0-9a-f]{32} of 50 MB is not taken' "and it says so"
is "$(ls "$into")$(ls "$into/.link/objects")" "" "nothing of it is there"

# The first came in part and fell silent; the second needs its room.
touch "$T/started"
sleep 0.1
receiver --count 1 --timeout 10
send --only "$a:0-2" "$T/a"
sleep 1
send "$T/b"
wait "$receiver"
is "$?" 0 "the second has the room of the first" || cat "$T/err"
ok "whole" cmp "$T/b" "$into/$b"
like "$(cat "$T/err")" 'E7204 TROUBLE the disk is full: the longest silent object' "which was given up, with a line"

# Somebody else fills the disk while it arrives.
rm "$into/$b"
touch "$T/started"
sleep 0.1
receiver --count 1 --timeout 2
"$BIN/clapet-send" --to 127.0.0.1:$port --key "$T/key" --rate 60M "$T/a" >"$T/sent" 2>&1 &
sender=$!
sleep 1
dd if=/dev/zero of="$into/other" bs=1M status=none 2>/dev/null
wait $sender
wait "$receiver"
is "$?" 1 "filled while it arrives: exit 1"
like "$(cat "$T/err")" 'E7204 TROUBLE what arrives cannot be written: No space left' "and it says why"
is "$(ls "$into")" other "nothing is visible that is not whole"
rm "$into/other"
touch "$T/started"
sleep 0.1
receiver --count 1
send "$T/a"
wait "$receiver"
is "$?" 0 "with room again it arrives"
ok "whole too" cmp "$T/a" "$into/$a"
done_testing
