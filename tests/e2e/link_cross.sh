#!/bin/bash
# SPDX-License-Identifier: ISC
# Files cross a one-way link by clapet-send and clapet-receive as they come: whole, with 1 % lost at random and with bursts of 180 in 20,000. No
# wrong byte is ever to be seen, nothing goes back, nobody hangs. CLAPET_LINK_MATRIX=1: 200 files of 64 MiB and 20 of 1 GiB (26 GiB of disk, minutes).
. tests/lib.sh
. tests/net/net.sh
. tests/net/link.sh
net_needed "$0"
if [ "${CLAPET_LINK_MATRIX:-0}" = 1 ]; then
	n_small=200 small=64M n_large=20 large=1G rate=${RATE:-2500M}
else
	n_small=4 small=6M n_large=1 large=20M rate=800M
fi
net_new
net_per_packet
link_new
names=()
for ((n = 0; n < n_small; n++)); do link_file "small$n" $small && names+=("small$n"); done
for ((n = 0; n < n_large; n++)); do link_file "large$n" $large && names+=("large$n"); done
for size in 0 1 1383 1384 1385 10K 270K; do link_file "odd$size" $size && names+=("odd$size"); done

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
cross "a clean link"
net_loss 10
cross "1 % lost"
ok "1 % lost: $(net_dropped) packets" test "$(net_dropped)" -gt 100
net_burst 180 20000
cross "bursts"
ok "bursts: $(net_dropped) packets" test "$(net_dropped)" -ge 180
is "$(net_back)" 0 "nothing ever went back"
done_testing
