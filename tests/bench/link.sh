#!/bin/bash
# SPDX-License-Identifier: ISC
# link.sh: one file of SIZE (1 GiB) over a one-way link, by clapet-send and clapet-receive and by udpcast (Debian's; it has neither a MAC nor
# a hash), in the same run: two name spaces, a veth pair of MTU 1500, the way back dropped. With the per-packet setting, which is what a card
# does; PER_PACKET=0 leaves it out, and then speeds look up to twice too good. Medians of RUNS (3). MB/s are 10^6 bytes of the file.
#
#   on the wire   from the first to the last packet
#   in place      from the first packet until the receiver has ended: verified, fsynced, renamed (udpcast: written)
#   in all        from the sender's start, with what it reads and hashes before
#
# Neither knows how much the receiving end takes: of a list of rates the fastest is looked for at which all runs are whole, by halves, then
# step by step upwards from there, for one crossing alone may have misled. For udpcast, which is slow, the halves are of SEARCH_SIZE (64 MiB), of
# which more comes whole; what is printed is always of SIZE. In brackets the bar of the table that Clapet is to keep; all of it takes less than
# ten minutes.
#
#   SIZE=1024 SEARCH_SIZE=64 RUNS=3 REPAIR=10 RATES="0.6 0.8 …" CLAPET_RATES="2.4 3.2 …" tests/bench/link.sh       (MiB, percent, Gbit/s)
. tests/lib.sh
. tests/net/net.sh
set -e
SIZE=${SIZE:-1024} RUNS=${RUNS:-3} PER_PACKET=${PER_PACKET:-1} REPAIR=${REPAIR:-10}
SEARCH_SIZE=${SEARCH_SIZE:-$((SIZE < 64 ? SIZE : 64))}
steps() { awk "BEGIN { for (rate = $1; rate <= $2; rate *= $3) printf \"%.2f \", rate }"; } # FIRST LAST FACTOR
RATES=${RATES:-$(steps 0.4 3.2 1.12)} CLAPET_RATES=${CLAPET_RATES:-$(steps 2 9 1.06)}
net_needed "$0"
tools/deps.sh bench
on_disk=$T
T=$(mktemp -d /dev/shm/clapet-bench.XXXXXX) # tmpfs, but for what is measured on a disk
on_exit 'rm -rf "$on_disk"'
measure=$PWD/tests/net/measure.py

field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# What one crossing measured, as a line: wire-seconds place-seconds all-seconds sender-cpu receiver-cpu receiver-MiB wire-bytes file-bytes
told() {
	python3 - "$T/sent" "$T/received" "$T/wire" "$bytes" <<'PYTHON'
import json, sys
sent, received, wire = (json.load(open(name)) for name in sys.argv[1:4])
print(f"{wire['end'] - wire['start']:.3f} {received['end'] - wire['start']:.3f} {received['end'] - sent['start']:.3f} "
      f"{sent['cpu']:.2f} {received['cpu']:.2f} {received['rss']:.1f} {wire['bytes']} {sys.argv[4]}")
PYTHON
}
column() { cut -d' ' -f"$2" "$T/times.$1" | median; }
speed() { awk "BEGIN { printf \"%.0f\", $(column "$1" 8) / $(column "$1" "$2") / 1e6 }"; } # NAME COLUMN
row() { # NAME TITLE
	[ -s "$T/times.$1" ] || { printf '%-44s %s\n' "$2" "never whole"; return 0; }
	printf '%-44s %5s %5s %5s MB/s   CPU %5s s a GiB (%s + %s)   %4.0f MiB   wire x %s\n' "$2" "$(speed "$1" 1)" "$(speed "$1" 2)" \
		"$(speed "$1" 3)" "$(per_gib "$1")" "$(gib "$(column "$1" 4)")" "$(gib "$(column "$1" 5)")" "$(column "$1" 6)" "$(overhead "$1")"
}
gib() { awk "BEGIN { printf \"%.2f\", $1 * $((1 << 30)) / $bytes }"; }
per_gib() { gib "($(column "$1" 4) + $(column "$1" 5))"; }
overhead() { awk "BEGIN { printf \"%.3f\", $(column "$1" 7) / $bytes }"; }
# WHAT FIGURE at-least|at-most BAR: the bar of the table beside the figure.
bar() {
	local word=met
	awk "BEGIN { exit !($2 $([ "$3" = at-least ] && echo '>=' || echo '<=') $4) }" || word=MISSED
	printf '  %-60s %7s   [%s %s: %s]\n' "$1" "$2" "${3/-/ }" "$4" "$word"
}
share() { awk "BEGIN { printf \"%.0f\", 100 * $(column "$1" "$2") / $(column "$1" 1) }"; }
ratio() { # NAME OF: how much faster, in place
	[ -s "$T/times.$1" ] && [ -s "$T/times.$2" ] || { echo -; return; }
	awk "BEGIN { printf \"%.1f\", $(speed "$1" 2) / $(speed "$2" 2) }"
}

watch_wire() {
	rm -f "$T/wire" "$T/sent" "$T/received"
	"${at_out[@]}" python3 "$measure" "$T/wire" wire wo &
	watcher=$!
	sleep 0.3
}
wire_done() {
	kill $watcher
	wait $watcher
}

# --- the peer ----------------------------------------------------------------------------------------------------------
udpcast() { # GBIT [FEC]: one crossing; true, with its times in $T/once, where the file arrived whole
	rm -f "$T/udpcast.out"
	watch_wire
	"${at_in[@]}" timeout 120 python3 "$measure" "$T/received" udp-receiver --interface wi --nokbd --no-progress --nosync --rcvbuf 8m \
		--start-timeout 20 --receive-timeout 5 --file "$T/udpcast.out" >"$T/udpcast.in.log" 2>&1 &
	local receiver=$!
	sleep 0.5
	"${at_out[@]}" timeout 120 python3 "$measure" "$T/sent" udp-sender --interface wo --nokbd --no-progress --async --autostart 1 \
		--rexmit-hello-interval 100 --max-bitrate "$(awk "BEGIN { print $1 * 1000 }")m" ${2:+--fec "$2"} --file "$file" >"$T/udpcast.out.log" 2>&1 || :
	wait $receiver || :
	wire_done
	cmp -s "$file" "$T/udpcast.out" && told >"$T/once"
}

# --- ours --------------------------------------------------------------------------------------------------------------
# FOLDER RATE OPTION… -- FILE…: one crossing into a new folder; true, with its times in $T/once, where all arrived whole.
clapet() {
	local into=$1 rate=$2 options=()
	shift 2
	while [ "$1" != -- ]; do options+=("$1") && shift; done
	shift
	rm -rf "$into"
	mkdir "$into"
	watch_wire
	"${at_in[@]}" timeout 300 python3 "$measure" "$T/received" "$BIN/clapet-receive" --bind "$NET_IN:4000" --key "$T/key" --into "$into" --count $# --timeout 10 \
		>"$T/receive.log" 2>&1 &
	local receiver=$! status=0
	for _ in $(seq 100); do
		"${at_in[@]}" grep -q ':0FA0 ' /proc/self/net/udp && break # 4000
		sleep 0.05
	done
	"${at_out[@]}" timeout 300 python3 "$measure" "$T/sent" "$BIN/clapet-send" --to "$NET_IN:4000" --key "$T/key" --rate "$rate" --repair "$REPAIR" "${options[@]}" "$@" \
		>"$T/send.log" 2>&1 || status=$?
	wait $receiver || status=$?
	wire_done
	[ $status = 0 ] || return 1
	(cd "$into" && sha256sum -- * | cut -d' ' -f1 | sort) | cmp -s - "$digests" && told >"$T/once"
}
clapet_file() { # GBIT
	clapet "$T/into" "$(awk "BEGIN { print $1 * 1000 }")M" -- "$file"
}

# The fastest of the rates in $1 at which all of RUNS crossings by COMMAND RATE… are whole; its times are those of NAME.
fastest() { # RATES NAME SEARCH-SIZE COMMAND ARGUMENT…
	local -a rates
	read -ra rates <<<"$1"
	local name=$2 search=$3 low=-1 high=${#rates[@]} middle failed=0
	shift 3
	best=
	rm -f "$T/times.$name"
	# Half of what is left at a time, by one crossing, or two where the first is not whole. The highest rate first: who sends no faster
	# than the receiver takes needs no other.
	middle=$((high - 1))
	of_size "$search"
	while [ $((high - low)) -gt 1 ]; do
		if "$1" "${rates[middle]}" "${@:2}" || "$1" "${rates[middle]}" "${@:2}"; then low=$middle; else high=$middle; fi
		middle=$(((low + high) / 2))
	done
	# Down to where all are whole…
	of_size "$SIZE"
	until [ "$low" -lt 0 ] || repeat "$name" "$1" "${rates[low]}" "${@:2}"; do
		low=$((low - 1)) failed=1
	done
	[ "$low" -ge 0 ] || return 0
	best=${rates[low]}
	# … or up until two rates are not.
	while [ $failed -lt 2 ] && [ $((++low)) -lt ${#rates[@]} ]; do
		if repeat "$name.higher" "$1" "${rates[low]}" "${@:2}"; then
			best=${rates[low]}
			mv "$T/times.$name.higher" "$T/times.$name"
		else
			failed=$((failed + 1))
		fi
	done
}
repeat() { # NAME COMMAND…: RUNS times; true, with their times, where all are whole
	local name=$1 run
	shift
	: >"$T/times.$name"
	for ((run = 0; run < RUNS; run++)); do
		"$@" || { rm "$T/times.$name"; return 1; }
		cat "$T/once" >>"$T/times.$name"
	done
}
must_repeat() { repeat "$@" || cat "$T/receive.log" "$T/send.log"; }
of_size() { bytes=$(($1 << 20)) file=$T/file.$1 digests=$T/digests.$1; } # MIB

echo "file: $SIZE MiB of noise on tmpfs; $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg); medians of $RUNS runs"
net_new
# udpcast greets by broadcast and sends by multicast.
"${at_out[@]}" ip link set wo multicast on arp on
"${at_in[@]}" ip link set wi multicast on arp on
_net_neighbours # the kernel forgot them
if [ "$PER_PACKET" = 1 ]; then
	net_per_packet
	echo "link: veth, MTU 1500, per packet (gso and tx-udp-segmentation off at the sender, gro off at the receiver)"
else
	echo "link: veth, MTU 1500, WITHOUT the per-packet setting: not what a card does"
fi
echo "net.core.rmem_max is $(cat /proc/sys/net/core/rmem_max): udpcast's buffer is no larger; clapet-receive has what it may force (as root)"
head -c $((SIZE << 20)) /dev/urandom >"$T/file.$SIZE"
[ "$SIZE" = "$SEARCH_SIZE" ] || head -c $((SEARCH_SIZE << 20)) "$T/file.$SIZE" >"$T/file.$SEARCH_SIZE"
printf '%-44s %5s %5s %5s\n' "" wire place all
sha256sum "$T/file.$SIZE" | cut -d' ' -f1 >"$T/digests.$SIZE"
fastest "$RATES" udpcast "$SEARCH_SIZE" udpcast
row udpcast "udpcast, at ${best:-no} Gbit/s"
fastest "$RATES" udpcast-fec "$SEARCH_SIZE" udpcast 8x8/128
row udpcast-fec "udpcast --fec 8x8/128, at ${best:-no} Gbit/s"
net_loss 10
fastest "$RATES" udpcast-loss "$SEARCH_SIZE" udpcast 8x8/128
row udpcast-loss "  with 1 % lost, at ${best:-no} Gbit/s"
net_whole
[ -x "$BIN/clapet-send" ] && [ -x "$BIN/clapet-receive" ] || exit 0

"$BIN/clapet-keys" link --output "$T/key" >/dev/null
fastest "$CLAPET_RATES" clapet "$SIZE" clapet_file
row clapet "clapet --repair $REPAIR, at ${best:-no} Gbit/s"
whole=$best
net_loss 10
fastest "$CLAPET_RATES" clapet-loss "$SIZE" clapet_file
row clapet-loss "  with 1 % lost, at ${best:-no} Gbit/s"
net_whole
echo "  in place $(ratio clapet udpcast-fec) times as fast as udpcast --fec, $(ratio clapet udpcast) times as fast as without; with 1 % lost $(ratio clapet-loss udpcast-loss) times"

# SHA-256 at both ends is no part of moving: what libcrypto takes for it, of the processor, is measured beside.
sha_seconds() {
	for ((run = 0; run < RUNS; run++)); do
		python3 - "$file" <<'PYTHON'
import hashlib, sys, time
digest, took = hashlib.sha256(), 0.0
with open(sys.argv[1], "rb") as file:
    while block := file.read(1 << 18):
        begun = time.process_time()
        digest.update(block)
        took += time.process_time() - begun
print(took)
PYTHON
	done | median
}
if [ -n "$whole" ]; then
	bar "transport, MB/s" "$(speed clapet 1)" at-least 500
	[ ! -s "$T/times.clapet-loss" ] || bar "transport at 1 % loss, MB/s" "$(speed clapet-loss 1)" at-least 450
	bar "verified, fsynced, renamed, MB/s" "$(speed clapet 2)" at-least 380
	bar "both ends with MAC and two SHA-256, s of CPU a GiB" "$(per_gib clapet)" at-most 5
	bar "both ends without the two SHA-256, s of CPU a GiB" "$(gib "($(column clapet 4) + $(column clapet 5) - 2 * $(sha_seconds))")" at-most 4
	bar "receiver, MiB" "$(column clapet 6)" at-most 64
	mkdir "$on_disk/into"
	dd_seconds=$(for ((run = 0; run < RUNS; run++)); do
		sync
		dd if="$file" of="$on_disk/dd" bs=1M conv=fsync 2>&1 | sed -n 's/.* copied, \([0-9.]*\) s,.*/\1/p'
		rm "$on_disk/dd"
	done | median)
	must_repeat disk clapet "$on_disk/into" "$(awk "BEGIN { print $whole * 1000 }")M" -- "$file"
	row disk "clapet, into a folder on disk"
	[ ! -s "$T/times.disk" ] || echo "  dd conv=fsync of the same file: $(awk "BEGIN { printf \"%.0f\", $bytes / $dd_seconds / 1e6 }") MB/s; in place takes $(awk "BEGIN { printf \"%.2f\", $(column disk 2) / $dd_seconds }") times as long"
	rm -r "$on_disk/into"
fi

net_rate 1gbit
must_repeat gbit clapet "$T/into" 950M -- "$file"
row gbit "clapet, 950 Mbit/s on a link of 1 Gbit/s"
if [ -s "$T/times.gbit" ]; then
	bar "sender, % of a processor" "$(share gbit 4)" at-most 33
	bar "receiver, % of a processor" "$(share gbit 5)" at-most 33
fi
repeat udpcast-gbit udpcast 0.9 8x8/128 || :
row udpcast-gbit "udpcast --fec 8x8/128, 900 Mbit/s"
[ ! -s "$T/times.udpcast-gbit" ] || echo "  a processor is busy with it: sender $(share udpcast-gbit 4) %, receiver $(share udpcast-gbit 5) %"
net_rate off

mkdir "$T/small"
for ((n = 0; n < 300; n++)); do head -c 10240 /dev/urandom >"$T/small/$n"; done
sha256sum "$T/small"/* | cut -d' ' -f1 | sort >"$T/digests.small"
bytes=$((300 * 10240)) digests=$T/digests.small
must_repeat small clapet "$T/into" 900M -- "$T/small"/*
row small "clapet, 300 objects of 10 KiB"
[ ! -s "$T/times.small" ] || bar "300 objects of 10 KiB, times their size on the wire" "$(overhead small)" at-most 1.3
echo "took $SECONDS s"
