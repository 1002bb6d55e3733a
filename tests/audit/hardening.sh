#!/bin/bash
# SPDX-License-Identifier: ISC
# Every binary is position-independent, fully RELRO, without an executable stack, and holds no path of the machine that built it.
. tests/lib.sh

for path in "$BIN"/* "$LIBEXEC"/*; do
	name=${path##*/}
	like "$(readelf -h "$path")" 'Type: +DYN' "$name is position-independent"
	like "$(readelf -d "$path")" 'BIND_NOW|FLAGS.*NOW' "$name binds its symbols at start"
	like "$(readelf -lW "$path")" 'GNU_RELRO' "$name has a read-only relocation table"
	unlike "$(readelf -lW "$path" | grep GNU_STACK)" ' RWE ' "$name has no executable stack"
	unlike "$(readelf -d "$path")" 'RPATH|RUNPATH' "$name has no run path"
	unlike "$(strings -a "$path" | grep -F "$PWD" | head -n 3)" . "$name holds no path of the build machine"
done

bad=$(git grep -nIE '(^|[^a-z@/}>])/(home/[a-z]+|root|work)/[a-z]' -- . ':!tests/audit/hardening.sh' 2>/dev/null | head)
is "$bad" "" "no tracked file names a private path"

done_testing
