# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# lib.sh: what every shell test starts with. TAP on stdout; everything else on stderr, shown by `prove -v`.
#
#   . tests/lib.sh            (tests run from the top of the tree)
#   ok "what holds" COMMAND…            is GOT WANTED "what"           like TEXT REGEX "what"
#   run COMMAND…                        -> $status $output (stdout and stderr together)
#   done_testing
#
# $BUILD names the build folder (default build); $T is a temporary folder that is removed at the end.
set -u
export LC_ALL=C TZ=UTC
BUILD=${BUILD:-build}
BIN=$PWD/$BUILD/bin
LIBEXEC=$PWD/$BUILD/libexec/clapet
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-test.XXXXXX")
n_tests=0 n_failed=0 at_exit=:
trap 'eval "$at_exit"; chmod -R u+rwX "$T" 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

# Runs SCRIPT again where it may mount what nobody else sees; skips it where that cannot be had.
in_mount_namespace() { # SCRIPT
	[ -z "${CLAPET_IN_NAMESPACE:-}" ] || return 0
	rmdir "$T" # exec leaves no trap behind; the shell after it makes its own
	unshare -m true 2>/dev/null && exec env CLAPET_IN_NAMESPACE=1 unshare -m "$1"
	unshare -rm true 2>/dev/null && exec env CLAPET_IN_NAMESPACE=1 unshare -rm "$1"
	skip_all "no mount name space"
}

# Adds a command to what is done when the test ends, however it ends.
on_exit() { at_exit="$*; $at_exit"; }

_result() { # CONDITION-STATUS NAME
	n_tests=$((n_tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n_tests - $2"
	else
		echo "not ok $n_tests - $2"
		n_failed=$((n_failed + 1))
	fi
	return "$1"
}

ok() {
	local name=$1
	shift
	"$@" >"$T/.ok" 2>&1
	_result $? "$name" || sed 's/^/# /' "$T/.ok"
}

not_ok() {
	local name=$1
	shift
	if "$@" >"$T/.ok" 2>&1; then
		_result 1 "$name"
		sed 's/^/# /' "$T/.ok"
	else
		_result 0 "$name"
	fi
}

is() {
	[ "$1" = "$2" ]
	_result $? "$3" || printf '#      got: %s\n# expected: %s\n' "$1" "$2"
}

like() {
	printf '%s\n' "$1" | grep -Eq -- "$2"
	_result $? "$3" || { printf '# no match for: %s\n# in:\n' "$2"; printf '%s\n' "$1" | sed 's/^/# /'; }
}

unlike() {
	! printf '%s\n' "$1" | grep -Eq -- "$2"
	_result $? "$3" || { printf '# unwanted: %s\n# in:\n' "$2"; printf '%s\n' "$1" | sed 's/^/# /'; }
}

run() {
	output=$("$@" 2>&1)
	status=$?
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing() {
	echo "1..$n_tests"
	[ "$n_failed" = 0 ]
	exit
}
