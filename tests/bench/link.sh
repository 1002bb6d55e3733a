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
# Neither knows how much the receiving end takes: each is shown at the fastest of a list of rates at which all of its runs are whole.
#
#   SIZE=1024 RUNS=3 REPAIR=10 RATES="0.6 0.8 …" CLAPET_RATES="2.4 3.2 …" tests/bench/link.sh       (MiB, percent, Gbit/s)
. tests/lib.sh
. tests/net/net.sh
set -e
SIZE=${SIZE:-1024} RUNS=${RUNS:-3} PER_PACKET=${PER_PACKET:-1} REPAIR=${REPAIR:-10}
RATES=${RATES:-0.4 0.6 0.8 1.0 1.2 1.4 1.6 2.0 2.4 2.8 3.2} CLAPET_RATES=${CLAPET_RATES:-2.4 3.2 3.6 4.0 4.4 4.8 5.2 5.6 6.0 6.6 7.2}
net_needed "$0"
tools/deps.sh bench
on_disk=$T
T=$(mktemp -d /dev/shm/clapet-bench.XXXXXX) # tmpfs, but for what is measured on a disk
on_exit 'rm -rf "$on_disk"'
bytes=$((SIZE << 20))
measure=$PWD/tests/net/measure.py

field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# What one crossing measured, as a line: wire-seconds place-seconds all-seconds sender-cpu receiver-cpu receiver-MiB wire-bytes
told() {
	python3 - "$T/sent" "$T/received" "$T/wire" <<'PYTHON'
import json, sys
sent, received, wire = (json.load(open(name)) for name in sys.argv[1:])
print(f"{wire['end'] - wire['start']:.3f} {received['end'] - wire['start']:.3f} {received['end'] - sent['start']:.3f} "
      f"{sent['cpu']:.2f} {received['cpu']:.2f} {received['rss']:.1f} {wire['bytes']}")
PYTHON
}
column() { cut -d' ' -f"$2" "$T/times.$1" | median; }
speed() { awk "BEGIN { printf \"%.0f\", $bytes / $1 / 1e6 }"; }
row() { # NAME TITLE
	[ -s "$T/times.$1" ] || { printf '%-44s %s\n' "$2" "never whole"; return 0; }
	printf '%-44s %5s %5s %5s MB/s   CPU %5s s a GiB (%s + %s)   %4.0f MiB   wire x %s\n' "$2" "$(speed "$(column "$1" 1)")" "$(speed "$(column "$1" 2)")" \
		"$(speed "$(column "$1" 3)")" "$(per_gib "$1")" "$(column "$1" 4)" "$(column "$1" 5)" "$(column "$1" 6)" "$(awk "BEGIN { printf \"%.3f\", $(column "$1" 7) / $bytes }")"
}
per_gib() { awk "BEGIN { printf \"%.2f\", ($(column "$1" 4) + $(column "$1" 5)) * $((1 << 30)) / $bytes }"; }
share() { awk "BEGIN { printf \"%.0f\", 100 * $(column "$1" "$2") / $(column "$1" 1) }"; }
ratio() { # NAME OF: how much faster, in place
	[ -s "$T/times.$1" ] && [ -s "$T/times.$2" ] || { echo -; return; }
	awk "BEGIN { printf \"%.1f\", $(column "$2" 2) / $(column "$1" 2) }"
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
		--rexmit-hello-interval 100 --max-bitrate "$(awk "BEGIN { print $1 * 1000 }")m" ${2:+--fec "$2"} --file "$T/file" >"$T/udpcast.out.log" 2>&1 || :
	wait $receiver || :
	wire_done
	cmp -s "$T/file" "$T/udpcast.out" && told >"$T/once"
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
	(cd "$into" && sha256sum -- * | cut -d' ' -f1 | sort) | cmp -s - "$T/digests" && told >"$T/once"
}
clapet_file() { # GBIT
	clapet "$T/into" "$(awk "BEGIN { print $1 * 1000 }")M" -- "$T/file"
}

# The fastest of the rates in $1 at which all of RUNS crossings by COMMAND RATE… are whole, from the slowest up; two that fail end the search.
fastest() { # RATES NAME COMMAND ARGUMENT…
	local rates=$1 name=$2 command=$3 rate run failed=0
	shift 3
	best=
	rm -f "$T/times.$name"
	for rate in $rates; do
		: >"$T/times.try"
		for ((run = 0; run < RUNS; run++)); do
			$command "$rate" "$@" || break
			cat "$T/once" >>"$T/times.try"
		done
		if [ $run -lt "$RUNS" ]; then
			failed=$((failed + 1))
			[ $failed -lt 2 ] || break
		else
			failed=0 best=$rate
			cp "$T/times.try" "$T/times.$name"
		fi
	done
}
repeat() { # NAME COMMAND…: RUNS times, whole each time
	local name=$1 run
	shift
	: >"$T/times.$name"
	for ((run = 0; run < RUNS; run++)); do
		"$@" || { rm "$T/times.$name"; cat "$T/receive.log" "$T/send.log"; return 0; }
		cat "$T/once" >>"$T/times.$name"
	done
}

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
head -c "$bytes" /dev/urandom >"$T/file"
printf '%-44s %5s %5s %5s\n' "" wire place all
sha256sum "$T/file" | cut -d' ' -f1 >"$T/digests"
fastest "$RATES" udpcast udpcast
row udpcast "udpcast, at ${best:-no} Gbit/s"
fastest "$RATES" udpcast-fec udpcast 8x8/128
row udpcast-fec "udpcast --fec 8x8/128, at ${best:-no} Gbit/s"
net_loss 10
fastest "$RATES" udpcast-loss udpcast 8x8/128
row udpcast-loss "  with 1 % lost, at ${best:-no} Gbit/s"
net_whole
[ -x "$BIN/clapet-send" ] && [ -x "$BIN/clapet-receive" ] || exit 0

"$BIN/clapet-keys" link --output "$T/key" >/dev/null
fastest "$CLAPET_RATES" clapet clapet_file
row clapet "clapet --repair $REPAIR, at ${best:-no} Gbit/s"
whole=$best
net_loss 10
fastest "$CLAPET_RATES" clapet-loss clapet_file
row clapet-loss "  with 1 % lost, at ${best:-no} Gbit/s"
net_whole
echo "  in place $(ratio clapet udpcast-fec) times as fast as udpcast --fec, $(ratio clapet udpcast) times as fast as without; with 1 % lost $(ratio clapet-loss udpcast-loss) times"

if [ -n "$whole" ]; then
	mkdir "$on_disk/into"
	dd_seconds=$(for ((run = 0; run < RUNS; run++)); do
		sync
		dd if="$T/file" of="$on_disk/dd" bs=1M conv=fsync 2>&1 | sed -n 's/.* copied, \([0-9.]*\) s,.*/\1/p'
		rm "$on_disk/dd"
	done | median)
	repeat disk clapet "$on_disk/into" "$(awk "BEGIN { print $whole * 1000 }")M" -- "$T/file"
	row disk "clapet, into a folder on disk"
	[ ! -s "$T/times.disk" ] || echo "  dd conv=fsync of the same file: $(speed "$dd_seconds") MB/s; in place takes $(awk "BEGIN { printf \"%.2f\", $(column disk 2) / $dd_seconds }") times as long"
	rm -r "$on_disk/into"
fi

net_rate 1gbit
repeat gbit clapet "$T/into" 950M -- "$T/file"
row gbit "clapet, 950 Mbit/s on a link of 1 Gbit/s"
[ ! -s "$T/times.gbit" ] || echo "  a core is busy with it: sender $(share gbit 4) %, receiver $(share gbit 5) %"
repeat udpcast-gbit udpcast 0.9 8x8/128
row udpcast-gbit "udpcast --fec 8x8/128, 900 Mbit/s"
[ ! -s "$T/times.udpcast-gbit" ] || echo "  a core is busy with it: sender $(share udpcast-gbit 4) %, receiver $(share udpcast-gbit 5) %"
net_rate off

mkdir "$T/small"
for ((n = 0; n < 300; n++)); do head -c 10240 /dev/urandom >"$T/small/$n"; done
sha256sum "$T/small"/* | cut -d' ' -f1 | sort >"$T/digests"
bytes=$((300 * 10240))
repeat small clapet "$T/into" 900M -- "$T/small"/*
row small "clapet, 300 objects of 10 KiB"
