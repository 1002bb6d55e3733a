# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# linkcount.sh: a counting receiver (tests/linkcount.py) for tests of the sender, on the loopback. Sourced after lib.sh.
#
#   listen [ADDRESS [SILENCE]]   starts it on a free port -> $to
#   counted [quiet]              waits for its end -> $counted (0: every packet was as FORMAT.md 29 says)
#   count EXPRESSION             of what it counted, d
#   $send $T/key                 the sender, and the link's key

send="$BIN/clapet-send"
python3 - "$T/key" <<'PY'
import hashlib, os, sys
key = os.urandom(32)
link = hashlib.sha256(b'clapet link id 1\n' + key).digest()[:4].hex()
with open(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600), 'w') as f:
	f.write('{"format": "clapet link key 1", "id": "%s", "key": "%s"}\n' % (link, key.hex()))
PY

listen() { # [ADDRESS [SILENCE]]
	local address=${1:-127.0.0.1}
	rm -rf "$T/ready" "$T/got"
	mkdir "$T/got"
	python3 tests/linkcount.py "$address" 0 "$T/key" "$T/got" "${2:-1.3}" "$T/ready" >"$T/counted" 2>"$T/counted.err" &
	receiver=$!
	for _ in $(seq 100); do [ -s "$T/ready" ] && break; sleep 0.05; done
	case $address in *:*) address="[$address]" ;; esac
	to=$address:$(cat "$T/ready")
}
counted() { # [quiet]
	wait $receiver
	counted=$?
	[ $counted = 0 ] || [ "${1:-}" = quiet ] || cat "$T/counted" "$T/counted.err" >&2
}
count() { python3 -c "import json, sys; d = json.load(open('$T/counted')); print($1)"; }
digest() { sha256sum "$1" | cut -c1-64; }
