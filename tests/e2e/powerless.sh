#!/bin/bash
# SPDX-License-Identifier: ISC
# inside-commit under strace: the first, second, third, … of every call that changes the disk fails (ENOSPC, EIO) or is the
# last thing that the process does (KILL). After each the store is the old one or the new one, whole, every byte of it; and the
# same plan once more finishes. The sweep itself is tests/unit/inside_commit.c.
. tests/lib.sh
command -v strace >/dev/null || skip_all "no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
# The sweep copies a store some thousand times; nothing here asks whether a disk keeps what it was told.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then TMPDIR=/dev/shm; else TMPDIR=$T; fi
export TMPDIR

# CALL, what is injected, and how many such calls a plan has at least: a sweep that hits nothing proves nothing.
sweep() {
	run "$BUILD/tests/unit/inside_commit" sweep "$1" "$2"
	local places
	places=$(printf '%s\n' "$output" | sed -n 's/ places$//p')
	[ "$status" = 0 ] && [ "${places:-0}" -ge "$3" ]
	_result $? "$1 $2: old or new at each of ${places:-0} places, and a second run finishes" || printf '%s\n' "$output" | sed 's/^/# /'
}

if [ -n "${SANITIZE:-}" ]; then
	for call in renameat2 linkat write syncfs; do sweep $call error=ENOSPC 4; done
	done_testing
fi
for what in error=ENOSPC error=EIO signal=KILL; do
	sweep mkdirat $what 5
	sweep write $what 4
	sweep linkat $what 6
	sweep symlinkat $what 2
	sweep renameat $what 4
	sweep renameat2 $what 8
	sweep fchmod $what 6
	sweep syncfs $what 4
	sweep fsync $what 6
	sweep unlinkat $what 8
done
# Opens create as well. Where links between folders are not to be had, files are copied; reading may fail too.
sweep openat2 error=ENOSPC 60
sweep linkat error=EXDEV 6
sweep read error=EIO 10
sweep getdents64 error=EIO 5
done_testing
