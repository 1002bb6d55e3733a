#!/bin/bash
# SPDX-License-Identifier: ISC
# SUITES=DIR tests/conformance/suite.sh [PYTEST-ARGUMENT…]
# Runs the public TUF conformance suite against build/tests/tuf-client, twice: with the suite's defaults (ECDSA P-256) and with
# repositories that sign with Ed25519. DIR holds checkouts of theupdateframework/tuf-conformance, theupdateframework/python-tuf and
# secure-systems-lab/securesystemslib, each under its own name; none of them is ever committed here. Debian 12 brings the rest:
# python3-cryptography python3-pytest python3-requests python3-urllib3 faketime. For a build with sanitizers: BUILD=build/asan and
# ASAN_OPTIONS=verify_asan_link_order=0.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
client=$(cd "$here/../.." && pwd)/${BUILD:-build}/tests/tuf-client
for name in tuf-conformance python-tuf securesystemslib; do
	[ -d "${SUITES:?names the folder of the checkouts}/$name" ] || { echo "$SUITES/$name is missing" >&2; exit 2; }
done
[ -x "$client" ] || { echo "$client is missing: make conformance-client" >&2; exit 2; }
export PYTHONPATH=$here/plugin:$SUITES/python-tuf:$SUITES/securesystemslib:$SUITES/tuf-conformance PYTHONDONTWRITEBYTECODE=1
dump=$(mktemp -d)
trap 'rm -rf "$dump"' EXIT
status=0
for scheme in ecdsa ed25519; do
	echo "== repositories that sign with $scheme"
	SUITE_SCHEME=$scheme /usr/bin/python3 -m pytest -q -p no:cacheprovider -p suite_plugin "$SUITES/tuf-conformance/tuf_conformance" \
		--entrypoint "$client" --repository-dump-dir "$dump" "$@" || status=1
done
exit $status
