#!/bin/bash
# SPDX-License-Identifier: ISC
# The main job on real data, told as it happens: a portal publishes four versions of the French official geographic code; an
# outside host fetches, checks and signs them; an inside host without a network believes nothing and takes them in.
set -eu
set -o pipefail
export LC_ALL=C.UTF-8 PATH="$PWD/${BUILD:-build}/bin:$PATH:/usr/sbin"
here=$PWD/demo
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-demo.XXXXXX")
portal_pid=
finish() {
	[ -z "$portal_pid" ] || kill "$portal_pid" 2>/dev/null || :
	chmod -R u+rwX "$T"
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM

bold= plain= grey=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m' grey=$'\033[2m'; fi
step=0
chapter() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" $step "$1" "$plain"
}
say() { printf '   %s\n' "$*"; }
# Shows a command and what it prints, and insists on its exit status.
run() { # WANTED-STATUS COMMAND…
	local wanted=$1 status=0 shown
	shift
	shown=${*//"$T/"/}
	shown=${shown//"$PWD/"/}
	printf '   %s$ %s%s\n' "$grey" "$shown" "$plain"
	"$@" >"$T/output" 2>&1 || status=$?
	sed "s|$T/||g; s/^/     /" "$T/output"
	if [ "$status" != "$wanted" ]; then
		printf '%sThe demo went wrong: exit status %s, %s was expected.%s\n' "$bold" "$status" "$wanted" "$plain"
		exit 1
	fi
}
must() {
	if ! "$@"; then
		printf '%sThe demo went wrong: %s%s\n' "$bold" "$*" "$plain"
		exit 1
	fi
}
publish() { python3 "$here/portal.py" "$T/history/$1" "$T/portal/www/cog.zip"; }
carry() { # the newest bundle crosses by hand
	bundle=$(find "$T/outside/outbox" -name '*.tar' | sort | tail -n 1)
	cp "$bundle" "$T/inside/incoming/"
	say "(the bundle ${bundle##*/} is carried across: $(stat -c %s "$bundle") bytes)"
}
outside() { run "$1" clapet-outside --config "$T/outside/outside.json" "${@:2}"; }
inside() { run "$1" clapet-inside --config "$T/inside/inside.json" "${@:2}"; }
in_force() { readlink -f "$T/inside/store/current/cog" | sed 's|.*/||'; }

application() { inside 0 exec -- "$here/application.py"; }

chapter "Two hosts, one portal, keys"
mkdir -p "$T"/portal/{www,tmp} "$T"/outside/{sources/cog,state,outbox} "$T"/inside/{incoming,spool,contracts,store} "$T/safe"
chmod 755 "$T"
mkdir "$T/history" && tar -xJf "$here/data/cog.tar.xz" -C "$T/history"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
user=
[ "$(id -u)" != 0 ] || user='user root;'
sed "s|@T@|$T|g; s|@PORT@|$port|g; s|@USER@|$user|" "$here/nginx.conf" >"$T/portal/nginx.conf"
publish 2022-02-21
nginx -p "$T/portal" -c "$T/portal/nginx.conf" 2>"$T/portal/error.log" &
portal_pid=$!
for _ in $(seq 50); do
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	sleep 0.1
done
sed "s|@PORT@|$port|g" "$here/sources/cog/datapackage.json" >"$T/outside/sources/cog/datapackage.json"
cat >"$T/outside/outside.json" <<JSON
{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys",
 "repository": "repository", "outbox": "outbox", "allowHttp": true, "testBench": "this machine is a test bench"}
JSON
cp "$here/contracts/paie.json" "$T/inside/contracts/"
cat >"$T/inside/policy.json" <<JSON
{"format": "clapet policy 1", "datasets": [{"name": "cog", "threshold": 1, "opaque": false}], "licences": ["LOV2"]}
JSON
cat >"$T/inside/inside.json" <<JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
 "contracts": "contracts", "policy": "policy.json", "testBench": "this machine is a test bench"}
JSON
say "The portal is nginx on the loopback interface: one zip, windows-1252, semicolons. outside/ and inside/ stand for two hosts."
run 0 clapet-keys init --repository "$T/outside/repository" --keys "$T/outside/keys" --root-key "$T/safe/root.key" --no-passphrase
say "The root of trust is carried inside by hand; from then on the inside believes only what it signs for."
cp "$T/outside/repository/metadata/1.root.json" "$T/inside/root.json"
inside 0 init --root "$T/inside/root.json"

chapter "Version 2022-02-21: fetched, brought to plain form, validated, signed, carried, verified, swapped in"
outside 0 sync
carry
first=$bundle
inside 0 import
application
say "Where it came from, how it was tested: signed outside, held against the files inside."
run 0 bash -c "clapet-inside --config '$T/inside/inside.json' show cog | grep -E 'from|published|tested'"

chapter "Nothing changed at the portal"
sleep 1.1
outside 0 sync
say "What the portal saw:"
sed -n 's/.*"\(GET [^"]*\)" \([0-9]*\) \([0-9]*\).*/     \1 -> \2, \3 bytes/p' "$T/portal/access.log"
must grep -q '" 304 0 ' "$T/portal/access.log"
carry
say "It was only a heartbeat: the link lives, and the inside knows that its data are the newest."
inside 0 import

chapter "Version 2022-06-22: a column that an application reads is gone"
before=$(in_force)
publish 2022-06-22
sleep 1.1
outside 0 sync
carry
inside 3 import
must test "$(in_force)" = "$before"
application
inside 3 quarantine

chapter "A person decides; what has no other break then passes by itself"
inside 0 approve cog --reason "paie reads zone instead from release 4.2 on"
application
for version in 2022-08-31 2026-03-09; do
	publish $version
	sleep 1.1
	outside 0 sync
	carry
	inside 0 import
done
application

chapter "What is not as signed is refused, what is old is set aside, and nothing changes"
before=$(readlink "$T/inside/store/current")
publish 2022-08-31
sleep 1.1
outside 0 sync cog --force
good=$(find "$T/outside/outbox" -name '*.tar' | sort | tail -n 1)
say "One bit of that bundle is flipped on the way:"
python3 - "$good" "$T/flipped.tar" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
inside 1 import "$T/flipped.tar"
say "Somebody else's keys sign the same data:"
mkdir -p "$T"/forger/{sources/cog,state,outbox}
cp "$T/outside/sources/cog/datapackage.json" "$T/forger/sources/cog/"
cp "$T/outside/outside.json" "$T/forger/outside.json"
clapet-keys init --repository "$T/forger/repository" --keys "$T/forger/keys" --root-key "$T/forger/root.key" --no-passphrase >/dev/null 2>&1
for _ in 1 2 3 4 5 6 7 8; do # as many signatures as the true outside has made, and more
	sleep 0.1
	clapet-outside --config "$T/forger/outside.json" sync --force >/dev/null 2>&1
done
forged=$(find "$T/forger/outbox" -name '*.tar' | sort | tail -n 1)
inside 1 import "$forged"
say "The very first bundle comes again:"
inside 0 import "$first"
must test "$(readlink "$T/inside/store/current")" = "$before"

chapter "The operator rolls back, and later releases; the auditor checks everything"
inside 0 rollback cog --reason "payroll closes on Friday with the previous code"
application
say "The bundle that was flipped arrives whole; its newer version is kept, and held by the pin:"
inside 3 import "$good"
inside 0 release cog
application
inside 0 status
run 0 clapet-audit store --root "$T/inside/root.json" "$T/inside/store"
say "Both sides keep a log whose past cannot be rewritten; held against each other they show the two bundles that nobody sent:"
run 1 clapet-audit compare "$T/outside/log" "$T/inside/store" --key-file "$T/outside/log/verifier" --key-file "$T/inside/store/log/verifier"

printf '\n%sDone.%s Four real versions crossed; one was held for a person; three attacks changed nothing.\n' "$bold" "$plain"
