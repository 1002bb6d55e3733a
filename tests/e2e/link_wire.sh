#!/bin/bash
# SPDX-License-Identifier: ISC
# Files cross a fibre that loses, repeats, holds back and damages frames, all of it from a seed (tests/net/wire.c): whole, in one cycle where repair
# does it, and never a wrong byte.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
[ -w /dev/net/tun ] && net_new_wire >"$T/log" 2>&1 || skip_all "no TAP: $(tail -n 1 "$T/log" 2>/dev/null)"
link_new
link_file large 6M
link_file middle 1M
names=(large middle)
for size in 0 1 1384 1385 10K 200K; do link_file "odd$size" $size && names+=("odd$size"); done
counted() { python3 -c "import json; d = json.load(open('$T/into/.link/status.json'))['counts']; print($1)"; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

cross() { # TITLE WIRE-OPTION…
	local title=$1
	shift
	rm -rf "$T/into"
	mkdir "$T/into"
	net_new_wire "$@" >"$T/log" 2>&1
	link_watch
	link_receive --count ${#names[@]} --timeout 20
	link_send --rate 100M "${names[@]}"
	is "$status" 0 "$title: all is sent"
	link_wait
	net_wire_end
	is "$status" 0 "$title: all has arrived" || { cat "$T/receive.log" "$T/received" "$T/send.log"; echo "$wire"; } >&2
	ok "$title: byte for byte" link_whole "${names[@]}"
	is "$(link_watched)" ${#names[@]} "$title: nothing else was ever to be seen"
	like "$wire" ' full 0 back 0$' "$title: $wire"
	lost=$(sed 's/.* lost \([0-9]*\) .*/\1/' <<<"$wire")
}
cross "a clean wire" --seed 1
is "$(counted "d['lost'], d['duplicate'], d['reordered'], d['badMac'], d['generationsFailed']")" "0 0 0 0 0" "a clean wire: nothing to count"
cross "out of order" --seed 2 --reorder 100
ok "out of order: counted ($(counted "d['reordered']"))" test "$(counted "d['reordered']")" -gt 100
# All files may be whole while the last packets are still held back.
is "$(counted "d['lost'] <= 16, d['generationsFailed']")" "True 0" "out of order: but nothing is lost of it"
cross "twice" --seed 3 --duplicate 200
ok "twice: counted ($(counted "d['duplicate']"))" test "$(counted "d['duplicate']")" -gt 200
cross "everything at once" --seed 4 --loss 10 --duplicate 20 --reorder 30 --damage 5
# A frame that is damaged is lost, too; what is lost behind the last packet nobody can count.
ok "everything at once: lost is what was lost ($(counted "d['lost'], d['badMac'], d['stray']"), $lost)" between "$(counted "d['lost']")" $((lost - 5)) $((lost + 100))
ok "everything at once: what is damaged proves nothing" test "$(counted "d['badMac'] + d['stray']")" -gt 5
cross "bursts, and a long way" --seed 5 --burst 100 --every 5000 --delay 30 --reorder 20
done_testing
