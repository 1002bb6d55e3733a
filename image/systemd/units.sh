#!/bin/bash
# SPDX-License-Identifier: ISC
# units.sh FOLDER PREFIX: writes all systemd units into FOLDER. A worker is a socket and a service behind it, so that each runs
# under an account of its own and the supervisors need no privilege.
set -eu
here=$(dirname "$0") out=$1 prefix=$2

hardening() { # FAMILIES NETWORK WALKS
	grep -v '^#' "$here/hardening"
	# systemd answers every openat2 with ENOSYS for it, and who walks folders opens them beneath, without links, by that call.
	[ "$3" = walks ] || echo RestrictSUIDSGID=yes
	echo "RestrictAddressFamilies=${1//_AF_/ AF_}"
	if [ "$2" = private ]; then
		printf '%s\n' PrivateNetwork=yes IPAddressDeny=any
	fi
}

worker() { # SIDE WORKER ACCOUNT FAMILIES NETWORK MEMORY FILE TASKS
	local jit=yes walks=no
	case $2 in inside-verify | inside-commit | inside-log | outside-sign | outside-log) walks=walks ;; esac
	# PCRE2's JIT needs memory that is writable and executable; outside only.
	[ "$2" = outside-check ] && jit=no
	cat >"$out/clapet-$2.socket" <<-UNIT
	[Unit]
	Description=Clapet, $1: $2 is started by who connects here
	Documentation=man:clapet-$1(1)

	[Socket]
	ListenSequentialPacket=/run/clapet-$1/$2
	Accept=yes
	SocketUser=clapet-$1
	SocketMode=0600
	DirectoryMode=0755
	MaxConnections=8
	RemoveOnStop=yes

	[Install]
	WantedBy=sockets.target
	UNIT
	{
		cat <<-UNIT
		[Unit]
		Description=Clapet, $1: $2
		Documentation=man:clapet-$1(1)
		CollectMode=inactive-or-failed

		[Service]
		ExecStart=$prefix/libexec/clapet/$2 socket
		User=$3
		StandardInput=null
		StandardOutput=journal
		StandardError=journal
		RuntimeMaxSec=6h
		MemoryMax=$6
		LimitAS=$6
		LimitFSIZE=$7
		LimitNOFILE=4096
		TasksMax=$8
		MemoryDenyWriteExecute=$jit
		UNIT
		# Only these write beneath folders; all others get descriptors.
		case $2 in
		inside-unpack | inside-commit | inside-log) echo "ReadWritePaths=/var/lib/clapet-inside" ;;
		outside-sign | outside-log) echo "ReadWritePaths=/var/lib/clapet-outside" ;;
		esac
		hardening "$4" "$5" "$walks"
	} >"$out/clapet-$2@.service"
}

supervisor() { # UNIT DESCRIPTION SIDE TYPE COMMAND FAMILIES FOLDER
	local check=check
	# What readers and hooks need keeps no bundle from coming in.
	[ "$3" != inside ] || check="check --import"
	{
		cat <<-UNIT
		[Unit]
		Description=Clapet, $3: $2
		Documentation=man:clapet-$3(1)
		ConditionPathExists=/etc/clapet/$3.json
		UNIT
		for socket in $(awk -v side="$3" '$1 == side { print $2 }' "$here/workers"); do
			printf 'Requires=clapet-%s.socket\nAfter=clapet-%s.socket\n' "$socket" "$socket"
		done
		cat <<-UNIT

		[Service]
		Type=$4
		ExecStartPre=$prefix/bin/clapet-$3 --config /etc/clapet/$3.json $check
		ExecStart=$prefix/bin/clapet-$3 --config /etc/clapet/$3.json $5
		User=clapet-$3
		Group=clapet-$3
		ReadWritePaths=$7
		MemoryMax=2G
		TasksMax=16
		MemoryDenyWriteExecute=yes
		TimeoutStopSec=5min
		UNIT
		if [ "$4" = notify ]; then
			printf '%s\n' Restart=on-failure RestartSec=10 WatchdogSec=10min NotifyAccess=main
		else
			printf '%s\n' TimeoutStartSec=6h 'SuccessExitStatus=3 4'
		fi
		hardening "$6" private walks
		if [ "$4" = notify ]; then
			printf '\n[Install]\nWantedBy=multi-user.target\n'
		fi
	} >"$out/$1.service"
}

# The inside's end of the link: a network, and one folder. It hears, and has no call that sends (base/sandbox.def). What it may map and
# write stands here, as for workers.
receiver() {
	{
		cat <<-UNIT
		[Unit]
		Description=Clapet, inside: takes what comes over the one-way link
		Documentation=man:clapet-receive(1)
		ConditionPathExists=/etc/clapet/inside.json
		After=network.target

		[Service]
		Type=notify
		ExecStart=$prefix/bin/clapet-receive --config /etc/clapet/inside.json
		User=clapet-receive
		ReadWritePaths=/var/lib/clapet-inside/link
		MemoryMax=1G
		LimitAS=512M
		LimitFSIZE=256G
		LimitNOFILE=4096
		TasksMax=8
		Nice=-10
		MemoryDenyWriteExecute=yes
		NotifyAccess=main
		Restart=on-failure
		RestartSec=5
		WatchdogSec=1min
		UNIT
		hardening AF_INET_AF_INET6_AF_UNIX shared walks
		printf '\n[Install]\nWantedBy=multi-user.target\n'
	} >"$out/clapet-receive.service"
}

# Readers' server: it listens, and reads the store; it writes nothing but its access log. Its account is in the readers' group for the data, and in the
# supervisor's for decisions, status and blobs. Where a socket unit of the same name hands it sockets, it takes these.
server() {
	{
		cat <<-UNIT
		[Unit]
		Description=Clapet, inside: answers readers over HTTP
		Documentation=man:clapet-inside(1)
		ConditionPathExists=/etc/clapet/inside.json
		After=network.target

		[Service]
		Type=exec
		ExecStart=$prefix/libexec/clapet/inside-serve --config /etc/clapet/inside.json
		User=clapet-serve
		Group=clapet-serve
		RuntimeDirectory=clapet-serve
		RuntimeDirectoryMode=0750
		ReadWritePaths=/var/log/clapet-serve
		MemoryMax=1G
		LimitAS=4G
		LimitFSIZE=64G
		LimitNOFILE=4096
		TasksMax=128
		MemoryDenyWriteExecute=yes
		Restart=on-failure
		RestartSec=5
		TimeoutStopSec=20
		UNIT
		hardening AF_INET_AF_INET6_AF_UNIX shared walks
		printf '\n[Install]\nWantedBy=multi-user.target\n'
	} >"$out/clapet-inside-serve.service"
}

# A link of the configuration each: the sender reads the outbox, and takes from it what `clapet-outside resend` asks for there.
sender() {
	{
		cat <<-UNIT
		[Unit]
		Description=Clapet, outside: sends what is bundled over the link %i
		Documentation=man:clapet-send(1)
		ConditionPathExists=/etc/clapet/outside.json
		After=network.target

		[Service]
		Type=notify
		ExecStartPre=-$prefix/bin/clapet-send check --config /etc/clapet/outside.json --link %i
		ExecStart=$prefix/bin/clapet-send --config /etc/clapet/outside.json --link %i
		User=clapet-outside
		ReadWritePaths=/var/lib/clapet-outside
		Restart=on-failure
		RestartSec=5
		WatchdogSec=1min
		NotifyAccess=main
		MemoryMax=256M
		LimitAS=512M
		LimitFSIZE=64M
		LimitNOFILE=4096
		TasksMax=4
		MemoryDenyWriteExecute=yes
		UNIT
		hardening AF_INET_AF_INET6_AF_NETLINK_AF_UNIX open walks
		printf '\n[Install]\nWantedBy=multi-user.target\n'
	} >"$out/clapet-send@.service"
}

timer() { # UNIT DESCRIPTION WHEN
	cat >"$out/$1.timer" <<-UNIT
	[Unit]
	Description=Clapet, outside: $2

	[Timer]
	OnCalendar=$3
	RandomizedDelaySec=60
	Persistent=yes

	[Install]
	WantedBy=timers.target
	UNIT
}

mkdir -p "$out"
while read -r side name account families network memory file tasks; do
	worker "$side" "$name" "$account" "$families" "$network" "$memory" "$file" "$tasks"
done < <(grep -v '^#' "$here/workers")
supervisor clapet-inside "verifies what arrived and swaps it in" inside notify watch AF_UNIX /var/lib/clapet-inside
receiver
server
supervisor clapet-outside "fetches, validates, signs and bundles" outside oneshot sync AF_UNIX /var/lib/clapet-outside
supervisor clapet-heartbeat "tells the inside that all is well" outside oneshot heartbeat AF_UNIX /var/lib/clapet-outside
timer clapet-outside "synchronises" "*:0/15"
timer clapet-heartbeat "heartbeat" "hourly"
sender
