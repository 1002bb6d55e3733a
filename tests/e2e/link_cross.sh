#!/bin/bash
# SPDX-License-Identifier: ISC
# Files cross a one-way link by clapet-send and clapet-receive as they come, in one cycle: whole, with 1 % lost at random and with bursts of 180 in
# 20,000. No wrong byte is ever to be seen, nothing goes back, nobody hangs. CLAPET_LINK_MATRIX=1: 200 files of 64 MiB, then 20 of 1 GiB (42 GiB of
# disk, most of an hour); RATE=2500M where disks can.
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
if [ "${CLAPET_LINK_MATRIX:-0}" = 1 ]; then
	groups=("200 64M 0 0" "0 0 20 1G") rate=${RATE:-800M}
else
	groups=("4 6M 1 20M") rate=800M
fi
net_new
net_per_packet
link_new
make_files() { # N-SMALL SIZE N-LARGE SIZE -> $names, all that is in $T/files
	local n size
	rm -f "$T"/files/*
	names=()
	for ((n = 0; n < $1; n++)); do link_file "small$n" "$2" && names+=("small$n"); done
	for ((n = 0; n < $3; n++)); do link_file "large$n" "$4" && names+=("large$n"); done
	for size in 0 1 1383 1384 1385 10K 270K; do link_file "odd$size" $size && names+=("odd$size"); done
}

cross() { # TITLE
	rm -rf "$T/into"
	mkdir "$T/into"
	link_watch
	link_receive --count "${#names[@]}" --timeout 20
	link_send --rate $rate "${names[@]}"
	is "$status" 0 "$1: all is sent"
	link_wait
	is "$status" 0 "$1: all has arrived" || { cat "$T/receive.log" "$T/received" "$T/send.log"; "$BIN/clapet-receive" status --into "$T/into"; } >&2
	ok "$1: byte for byte" link_whole "${names[@]}" || { cat "$T/receive.log" "$T/send.log"; ls "$T/into"; sha256sum "$T/files"/*; } >&2
	is "$(link_watched)" "${#names[@]}" "$1: nothing else was ever to be seen"
	ok "$1: at once ($link_took ms)" test "$link_took" -lt 5000
}
for group in "${groups[@]}"; do
	# shellcheck disable=SC2086 # four words
	make_files $group
	net_whole
	cross "a clean link"
	net_loss 10
	cross "1 % lost"
	ok "1 % lost: $(net_dropped) packets" test "$(net_dropped)" -gt 100
	net_burst 180 20000
	cross "bursts"
	ok "bursts: $(net_dropped) packets" test "$(net_dropped)" -ge 180
done
is "$(net_back)" 0 "nothing ever went back"
done_testing
