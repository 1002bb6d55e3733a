#!/bin/bash
# SPDX-License-Identifier: ISC
# The workers that touch bundles, watched by strace: once the sandbox stands, inside-unpack opens nothing but its member in the spool, and
# outside-pack opens nothing at all (libarchive must not look for character sets, libcrypto not for its configuration).
. tests/lib.sh
command -v strace >/dev/null || skip_all "no strace"
# A worker is not dumpable: the strace of an ordinary account sees that it opens something, not what.
[ "$(id -u)" = 0 ] || skip_all "only root can look into a worker"

# The calls that open or make something, of each worker, after its seccomp filter was loaded. The test's own process never loads one.
opened() { # UNIT-TEST
	strace -f -qq -e trace=seccomp,prctl,open,openat,openat2,creat,socket,execve,connect,memfd_create -o "$T/trace" \
		"$BUILD/tests/unit/$1" >"$T/tap" 2>/dev/null || return 1
	awk '/seccomp\(SECCOMP_SET_MODE_FILTER, [^)]*filter=/ && / = 0$/ { on[$1] = 1; n++; next } on[$1] && /(open|openat|openat2|creat|socket|execve|connect|memfd_create)\(/
		END { if (n == 0) print "no worker entered its sandbox" }' "$T/trace"
}

if ! strace -qq -e trace=none true 2>/dev/null; then skip_all "strace may not trace here"; fi
run opened inside_unpack
is "$status" 0 "inside-unpack does its work under strace"
is "$(printf '%s\n' "$output" | grep -c '"\.member", O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC')" "$(printf '%s\n' "$output" | grep -c .)" \
	"inside-unpack opens nothing but new members in the spool"
like "$output" '"\.member"' "and it does open those"
run opened outside_pack
is "$status" 0 "outside-pack does its work under strace"
is "$output" "" "outside-pack opens nothing"
done_testing
