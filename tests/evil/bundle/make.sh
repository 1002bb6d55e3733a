#!/bin/bash
# SPDX-License-Identifier: ISC
# make.sh: makes the files of this folder anew with GNU tar and gzip: tars that any reader of tars opens, and that are no bundles. What differs
# from a bundle in one thing alone (a link, a device, a second name) is made by tests/unit/bundle_bundle.c.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir metadata blobs
printf 'clapet bundle 1\n' >format
printf '{}' >metadata/1.root.json
printf '{"a": 1}' >metadata/timestamp.json
pack() { # NAME TAR-OPTIONS-AND-MEMBERS…
	local name=$1
	shift
	tar --create --blocking-factor=2 --mtime=@0 --owner=:0 --group=:0 --numeric-owner --mode=0444 --no-recursion --file "$here/$name.tar" "$@"
}
pack gnu-tar --format=ustar format metadata/1.root.json metadata/timestamp.json
pack gnu-format --format=gnu format metadata/1.root.json
pack pax --format=posix --pax-option=comment=x format metadata/1.root.json
pack v7 --format=v7 format metadata/1.root.json
pack long-name --format=gnu --transform="s,1.root,$(printf '%0120d' 1)," format metadata/1.root.json
gzip -9n <"$here/gnu-tar.tar" >"$here/gzip.tar.gz"
truncate -s 1M sparse
pack sparse --format=gnu --sparse format sparse
