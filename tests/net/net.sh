# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# net.sh: two hosts of one test that are joined by a one-way link: a network name space each, a link wo -> wi between them, whose reverse
# direction nftables drops and counts. The name spaces have no name: they go with the processes that hold them, and those with the test.
# Sourced after lib.sh.
#
#   net_needed "$0"            the test runs again as root of a user name space where it must; SKIP, with the reason, where neither may be
#   net_wanted "$0"            the same, but without name spaces both ends are the loopback; $net_way says which: "veth" or "loopback"
#   net_new [MTU]              a veth pair; "${at_out[@]}" COMMAND… and "${at_in[@]}" COMMAND… run there, also with & and kill $!
#   net_new_wire OPTION…       the same over tests/net/wire.c with these options; net_wire_end -> $wire: what it did
#   net_per_packet             no offloads: every packet crosses alone, as over a card (a veth would carry 64 KiB in one piece)
#   net_loss PERMILLE | net_burst N OF_M | net_whole      lost on the way, at random or N in a row of every M; nothing any more
#   net_cut, net_join          a broken fibre that nobody notices; joined again. net_cable out|in: the link goes down, and up
#   net_rate RATE|off [QUEUE]  a slower link (100mbit, 1gbit); what does not fit waits at the sender, or is lost beyond QUEUE (1mb)
#   net_sent, net_received     bytes of frames on the wire (Ethernet header included, preamble and gap not); net_packets: that were received
#   net_back                   frames that tried to go back, without the kernel's own "nobody listens" (ICMP)
#   $NET_OUT, $NET_IN          the two addresses; $net_lost: what net_why says
NET_OUT=10.113.0.1 NET_IN=10.113.0.2
NET_MAC_OUT=02:00:00:00:00:01 NET_MAC_IN=02:00:00:00:00:02
PATH=$PATH:/usr/sbin:/sbin
WIRE=$PWD/$BUILD/tests/net/wire
at_out=() at_in=() net_holders=() net_way=veth

# Whether name spaces, a veth pair, nftables and tbf are to be had. Says why not.
net_can() {
	local program
	for program in ip tc nft ethtool unshare nsenter setpriv; do
		command -v $program >/dev/null || { echo "no $program"; return 1; }
	done
	# shellcheck disable=SC2016
	unshare "$@" -n sh -ec '
		ip link add wo type veth peer name wi && ip link set wo up
		tc qdisc add dev wo root tbf rate 1gbit burst 256kb limit 1mb
		nft add table netdev t
		nft "add chain netdev t c { type filter hook ingress device wo priority 0; }"
		nft add rule netdev t c numgen random mod 1000 \< 1 counter drop' 2>&1 | head -n 3
	[ "${PIPESTATUS[0]}" = 0 ]
}

# Returns where name spaces may be made here, or goes on as root of a user name space; fails where neither may be, $net_lost says why.
_net_spaces() { # SCRIPT
	[ -z "${CLAPET_NET:-}" ] || return 0
	net_lost=$(net_can) && return 0
	net_can -r >/dev/null || return
	rmdir "$T" # exec leaves no trap behind; the shell after it makes its own
	exec env CLAPET_NET=1 unshare -r "$1"
}

net_needed() { # SCRIPT
	_net_spaces "$1" && return
	skip_all "no network name spaces: ${net_lost//$'\n'/; }"
}

# CLAPET_NET=loopback: as if there were no name spaces.
net_wanted() { # SCRIPT
	[ "${CLAPET_NET:-}" != loopback ] && _net_spaces "$1" && return
	net_way=loopback NET_OUT=127.0.0.1 NET_IN=127.0.0.1
	PORT=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

_net_host() { # -> $holder, a process in a name space of its own that dies with this shell
	setpriv --pdeathsig KILL unshare -n sleep infinity </dev/null >/dev/null 2>&1 &
	holder=$!
	net_holders+=("$holder")
	disown "$holder"
	for _ in $(seq 200); do
		[ "$(readlink "/proc/$holder/ns/net")" = "$(readlink /proc/self/ns/net)" ] || [ "$(cat "/proc/$holder/comm")" != sleep ] || return 0
		sleep 0.01
	done
	echo "no name space came" >&2
	return 1
}

_net_hosts() {
	local holder
	net_end
	_net_host || return
	out_pid=$holder at_out=(nsenter -t "$holder" -n --)
	_net_host || return
	in_pid=$holder at_in=(nsenter -t "$holder" -n --)
	on_exit net_end
	for holder in "$out_pid" "$in_pid"; do
		nsenter -t "$holder" -n sh -ec 'ip link set lo up
			for file in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >"$file"; done' 2>/dev/null
	done
	:
}

# Nobody asks who has an address: there would be no answer.
_net_neighbours() {
	"${at_out[@]}" ip neigh replace $NET_IN lladdr $NET_MAC_IN dev wo nud permanent &&
		"${at_in[@]}" ip neigh replace $NET_OUT lladdr $NET_MAC_OUT dev wi nud permanent
}

_net_up() { # MTU
	"${at_out[@]}" ip link set wo address $NET_MAC_OUT mtu "$1" arp off multicast off txqueuelen 20000 &&
		"${at_in[@]}" ip link set wi address $NET_MAC_IN mtu "$1" arp off multicast off &&
		"${at_out[@]}" ip addr add $NET_OUT/24 brd + dev wo && "${at_in[@]}" ip addr add $NET_IN/24 brd + dev wi &&
		"${at_in[@]}" ip link set wi up && "${at_out[@]}" ip link set wo up &&
		_net_neighbours || return
	"${at_out[@]}" nft -f - <<-NFT || return
	table netdev clapet {
		chain back { type filter hook ingress device wo priority 0; ip protocol icmp counter drop; counter drop; }
	}
	NFT
	"${at_in[@]}" nft -f - <<-NFT
	table netdev clapet {
		chain way { type filter hook ingress device wi priority 0; }
	}
	NFT
}

net_new() {
	[ $net_way = veth ] || return 0
	_net_hosts || return
	"${at_out[@]}" ip link add wo type veth peer name wi netns "$in_pid" && _net_up "${1:-1500}"
}

net_new_wire() {
	_net_hosts || return
	coproc "$WIRE" --out "$out_pid" --in "$in_pid" "$@"
	wire_fd=${COPROC[0]} wire_pid=$COPROC_PID
	read -r -t 10 -u "$wire_fd" wire && [ "$wire" = ready ] && _net_up 1500
}

net_wire_end() {
	kill "$wire_pid" && read -r -t 10 -u "$wire_fd" wire
}

net_end() {
	local holder
	for holder in ${net_holders[@]+"${net_holders[@]}"}; do kill "$holder" 2>/dev/null; done
	net_holders=()
}

net_per_packet() {
	"${at_out[@]}" ethtool -K wo gso off tso off tx-udp-segmentation off >/dev/null &&
		"${at_in[@]}" ethtool -K wi gro off >/dev/null
}

_net_way() { # RULE…
	"${at_in[@]}" nft flush chain netdev clapet way || return
	[ $# = 0 ] || "${at_in[@]}" nft add rule netdev clapet way "$@"
}
net_loss() { _net_way numgen random mod 1000 '<' "$1" counter drop; }
net_burst() { _net_way numgen inc mod "$2" '<' "$1" counter drop; }
net_whole() { _net_way; }
net_cut() { _net_way counter drop; }
net_join() { _net_way; }
net_dropped() { "${at_in[@]}" nft list chain netdev clapet way | sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'; }

net_cable() { # out|in
	if [ "$1" = out ]; then
		"${at_in[@]}" ip link set wi down
	else
		"${at_in[@]}" ip link set wi up && _net_neighbours
	fi
}

# A queue longer than what a socket may have waiting: a slow link holds the sender up, and loses nothing.
net_rate() { # RATE|off [QUEUE]
	if [ "$1" = off ]; then
		"${at_out[@]}" tc qdisc del dev wo root
	else
		"${at_out[@]}" tc qdisc replace dev wo root tbf rate "$1" burst 256kb limit "${2:-64mb}"
	fi
}

_net_counter() { # HOST-PID INTERFACE COLUMN
	nsenter -t "$1" -n cat /proc/self/net/dev | awk -v name="$2:" -v column="$3" '$1 == name { print $column }'
}
net_sent() { _net_counter "$out_pid" wo 10; }
net_received() { _net_counter "$in_pid" wi 2; }
net_packets() { _net_counter "$in_pid" wi 3; }
net_back() { "${at_out[@]}" nft list chain netdev clapet back | sed -n '/icmp/d; s/.*counter packets \([0-9]*\) .*/\1/p'; }
