#!/bin/bash
# SPDX-License-Identifier: ISC
# The systemd units: exposure at most 1.5 where a unit touches a network, 0.5 everywhere else; no unknown directive.
. tests/lib.sh
command -v systemd-analyze >/dev/null || skip_all "no systemd-analyze"

image/systemd/units.sh "$T/units" /usr
for unit in "$T"/units/*.service; do
	name=${unit##*/}
	limit=0.5
	case $name in clapet-outside-fetch@* | clapet-receive.service | clapet-inside-serve.service | clapet-send@*) limit=1.5 ;; esac
	score=$(systemd-analyze security --offline=yes --no-pager "$unit" 2>/dev/null | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
	ok "$name: exposure ${score:-unknown}, at most $limit" awk -v score="${score:-10}" -v limit=$limit 'BEGIN { exit !(score <= limit) }'
done
# Programs are not installed where tests run, man pages neither.
bad=$(systemd-analyze verify "$T"/units/* 2>&1 | grep -E 'clapet-' | grep -vE "is not executable|'man |Failed to create .*/(start|verify)|Unit .* not found|cannot open shared")
is "$bad" "" "systemd-analyze verify finds nothing"

# A profile of base/sandbox.def and its unit agree on memory and file size.
for name in $(awk '!/^#/ { print $2 }' image/systemd/workers); do
	ok "$name has a socket and a service" test -e "$T/units/clapet-$name.socket" -a -e "$T/units/clapet-$name@.service"
	like "$(cat "$T/units/clapet-$name@.service")" "^User=clapet-[a-z]+$" "$name has an account of its own"
done
is "$(awk '!/^#/ { print $3 }' image/systemd/workers | sort | uniq -d)" "" "no two workers share an account"
for account in $(awk '!/^#/ { print $3 }' image/systemd/workers); do
	like "$(cat image/sysusers.d/clapet.conf)" "^u +$account " "sysusers.d makes $account"
done

# For RestrictSUIDSGID systemd answers every openat2 with ENOSYS: who opens beneath folders (base/fdio.c) must be without it.
for unit in clapet-inside clapet-outside clapet-heartbeat clapet-receive clapet-inside-serve clapet-send@ clapet-inside-verify@ clapet-inside-commit@ clapet-inside-log@ clapet-outside-sign@ clapet-outside-log@; do
	unlike "$(cat "$T/units/$unit.service")" '^RestrictSUIDSGID=yes' "$unit.service leaves openat2 alone"
done
unlike "$(cat "$T"/units/*@.service)" '^(Supplementary)?Group' "no worker has a group beside its account's"

unlike "$(cat "$T/units/clapet-receive.service")" '^(Supplementary)?Group' "nor has clapet-receive"
is "$(grep ReadWritePaths "$T/units/clapet-receive.service")" "ReadWritePaths=/var/lib/clapet-inside/link" "which writes its own folder alone"
like "$(cat image/tmpfiles.d/clapet.conf)" '/var/lib/clapet-inside/link +2770 clapet-receive clapet-inside$' "that the inside takes files from"

# sysusers.d really makes them, into a folder that stands for the root.
mkdir -p "$T/host/usr/lib/sysusers.d" "$T/host/etc"
cp image/sysusers.d/clapet.conf "$T/host/usr/lib/sysusers.d/"
run systemd-sysusers --root="$T/host"
is "$status" 0 "systemd-sysusers takes the file"
unlike "$output" 'not a valid|ignoring' "and finds nothing wrong in it"
for account in clapet-inside clapet-outside clapet-receive clapet-serve $(awk '!/^#/ { print $3 }' image/systemd/workers); do
	like "$(cat "$T/host/etc/passwd")" "^$account:" "it makes $account"
done

done_testing
