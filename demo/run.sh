#!/bin/bash
# SPDX-License-Identifier: ISC
# The main job on real data, told as it happens: a portal publishes versions of the French official geographic code; an outside host fetches, checks
# and signs them; they cross a one-way link; an inside host without any other network believes nothing and takes them in.
set -eu
set -o pipefail
export LC_ALL=C.UTF-8 BUILD=${BUILD:-build}
export PATH="$PWD/$BUILD/bin:$PATH:/usr/sbin"
here=$PWD/demo
T=$(mktemp -d "${TMPDIR:-/tmp}/clapet-demo.XXXXXX")
PORT=7000 pids=() at_exit=:
finish() {
	local pid
	for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || :; done
	eval "$at_exit"
	chmod -R u+rwX "$T"
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM
on_exit() { at_exit="$*"; }
# The two hosts and what is between them: network name spaces, or the loopback.
. tests/net/net.sh
net_wanted "$0"
if ! net_new >"$T/net.log" 2>&1; then
	net_lost=$(tail -n 1 "$T/net.log")
	CLAPET_NET=loopback net_wanted "$0"
	at_out=() at_in=()
fi

bold= plain= grey=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m' grey=$'\033[2m'; fi
step=0
chapter() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" $step "$1" "$plain"
}
say() { printf '   %s\n' "$*"; }
show() { # COMMAND… : as a person types it
	local shown=$*
	shown=${shown#nsenter -t * -n -- }
	shown=${shown#bash -c }
	shown=${shown//"$T/"/}
	printf '   %s$ %s%s\n' "$grey" "${shown//"$PWD/"/}" "$plain"
}
quote() { sed "s|$T/||g; s/^/     /"; }
wrong() {
	printf '%sThe demo went wrong: %s%s\n' "$bold" "$*" "$plain"
	exit 1
}
# Shows a command and what it prints, and insists on its exit status.
run() { # WANTED-STATUS COMMAND…
	local wanted=$1 status=0
	shift
	show "$@"
	"$@" >"$T/output" 2>&1 || status=$?
	quote <"$T/output"
	[ "$status" = "$wanted" ] || wrong "exit status $status, $wanted was expected"
}
must() { "$@" || wrong "$*"; }
eventually() { # COMMAND… : within half a minute
	local i
	for ((i = 0; i < 600; i++)); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.05
	done
	quote <"$T/inside/service.log"
	wrong "this did not come: $*"
}
# Starts a service of one of the hosts; what it says goes to FOLDER/service.log. $! is its process.
service() { # FOLDER COMMAND…
	show "${@:2}" "&"
	"${@:2}" >>"$T/$1/service.log" 2>&1 &
	pids+=("$!")
}
outside() { run "$1" "${at_out[@]}" clapet-outside --config "$T/outside/outside.json" "${@:2}"; }
inside() { run "$1" "${at_in[@]}" clapet-inside --config "$T/inside/inside.json" "${@:2}"; }
in_force() { readlink -f "$T/inside/store/current/cog" | sed 's|.*/||'; }
application() { inside 0 exec -- "$here/application.py"; }
publish() { python3 "$here/portal.py" "$T/history/$1" "$T/portal/www/cog.zip"; }
made() { sed -n 's/^bundle \(.*\.tar\): .*/\1/p' "$T/output" | tail -n 1; } # the bundle that was made last
bytes() { stat -c %s "$1"; }

# What the services inside say of FILE, once it has crossed, was dealt with, and the inside rests again.
is_through() { # NAME
	grep -q "received $1" "$T/inside/service.log" && [ ! -e "$T/inside/incoming/$1" ] && flock -n "$T/inside/incoming.lock" true
}
told=0
cross() { # FILE
	local name=${1##*/}
	[[ $name =~ ^[0-9]{10}-[0-9a-f]{64}\.tar$ ]] || name=$(sha256sum <"$1" | cut -d' ' -f1)
	eventually is_through "$name"
	say "(it crosses the link: $(bytes "$1") bytes; the inside's services say:)"
	tail -n +$((told + 1)) "$T/inside/service.log" | sed '/: link /d; /the kernel gives/d' | quote
	told=$(wc -l <"$T/inside/service.log")
}
# A version is published outside and crosses.
transfer() { # WANTED-STATUS COMMAND-OF-OUTSIDE…
	outside "$@"
	bundle=$(made)
	cross "$bundle"
}
# The same, but the bundle comes away from the outbox before it is sent -> $bundle, now elsewhere.
withhold() { # COMMAND-OF-OUTSIDE…
	kill -STOP "$sender"
	outside 0 "$@"
	bundle=$T/safe/$(basename "$(made)")
	mv "$(made)" "$bundle"
	kill -CONT "$sender"
}
# Somebody on the outside's network who has the link's key sends a file.
somebody_sends() { # FILE
	run 0 "${at_out[@]}" clapet-send --to "$NET_IN:$PORT" --key "$T/outside/link.key" "$1"
	cross "$1"
}
chapter "Two hosts, a one-way link, a portal, keys"
mkdir -p "$T"/portal/{www,tmp} "$T"/outside/{sources/cog,state,outbox} "$T"/inside/{incoming,spool,contracts,store,readers} "$T/safe"
chmod 755 "$T"
: >"$T/inside/service.log"
mkdir "$T/history" && tar -xJf "$here/data/cog.tar.xz" -C "$T/history"
if [ $net_way = veth ]; then
	say "outside/ and inside/ stand for two hosts: each in a network name space of its own. One cable joins them, and whatever tries to"
	say "come back over it is dropped, and counted."
else
	say "outside/ and inside/ stand for two hosts. This machine lets us make no network name spaces, so that the loopback interface is"
	say "their link; programs and packets are the same."
	[ -z "${net_lost:-}" ] || say "(${net_lost//$'\n'/; })"
fi
port=$("${at_out[@]}" python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
user=
[ "$(id -u)" != 0 ] || user='user root;'
sed "s|@T@|$T|g; s|@PORT@|$port|g; s|@USER@|$user|" "$here/nginx.conf" >"$T/portal/nginx.conf"
publish 2022-02-21
"${at_out[@]}" nginx -p "$T/portal" -c "$T/portal/nginx.conf" 2>"$T/portal/error.log" &
pids+=("$!")
eventually "${at_out[@]}" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
sed "s|@PORT@|$port|g" "$here/sources/cog/datapackage.json" >"$T/outside/sources/cog/datapackage.json"
cat >"$T/outside/outside.json" <<JSON
{"format": "clapet outside configuration 1", "sources": "sources", "state": "state", "keys": "keys",
 "repository": "repository", "outbox": "outbox", "allowHttp": true, "testBench": "this machine is a test bench",
 "links": {"diode": {"to": "$NET_IN:$PORT", "key": "link.key", "state": "sending"}}}
JSON
cp "$here/contracts/paie.json" "$T/inside/contracts/"
cat >"$T/inside/policy.json" <<JSON
{"format": "clapet policy 1", "datasets": [{"name": "cog", "threshold": 1, "opaque": false}], "licences": ["LOV2"]}
JSON
cat >"$T/inside/access.json" <<JSON
{"format": "clapet access 1", "default": {"access": "private"}}
JSON
cat >"$T/inside/inside.json" <<JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool",
 "contracts": "contracts", "policy": "policy.json", "link": {"bind": "$NET_IN:$PORT", "key": "link.key"},
 "rows": true, "access": "access.json", "serve": {"listen": ["unix:http"], "accessLog": "readers"}, "testBench": "this machine is a test bench"}
JSON
say "The portal is nginx on the outside's loopback interface: one zip, windows-1252, semicolons."
run 0 clapet-keys init --repository "$T/outside/repository" --keys "$T/outside/keys" --root-key "$T/safe/root.key" --no-passphrase
say "The root of trust is carried inside by hand; from then on the inside believes only what it signs for. The link has a key, too: it"
say "keeps strangers' packets out, and proves nothing else."
cp "$T/outside/repository/metadata/1.root.json" "$T/inside/root.json"
run 0 clapet-keys link --output "$T/outside/link.key"
cp -p "$T/outside/link.key" "$T/inside/link.key"
inside 0 init --root "$T/inside/root.json"
say "The inside listens, and takes in whatever arrives whole; the outside sends whatever lies in its outbox:"
service inside "${at_in[@]}" clapet-receive --config "$T/inside/inside.json"
service inside "${at_in[@]}" clapet-inside --config "$T/inside/inside.json" watch
service outside "${at_out[@]}" clapet-send --config "$T/outside/outside.json" --link diode
sender=$!
say "Two people on the telephone try the link:"
eventually test -e "$T/outside/sending/lock"
eventually grep -q 'sends .* to' "$T/outside/service.log"
run 0 "${at_out[@]}" clapet-send test --config "$T/outside/outside.json" --link diode --number 4711 "is anybody there?"
eventually "${at_in[@]}" bash -c "clapet-receive status --config '$T/inside/inside.json' | grep 'message 4711'"
run 0 "${at_in[@]}" bash -c "clapet-receive status --config '$T/inside/inside.json' | head -n 3"
told=$(wc -l <"$T/inside/service.log")

chapter "Version 2022-02-21: fetched, brought to plain form, validated, signed, sent, verified, swapped in"
transfer 0 sync
first=$bundle
application
say "Where it came from, how it was tested: signed outside, held against the files inside."
run 0 bash -c "clapet-inside --config '$T/inside/inside.json' show cog | grep -E 'from|published|tested'"

chapter "Nothing changed at the portal"
outside 0 sync
say "What the portal saw:"
sed -n 's/.*"\(GET [^"]*\)" \([0-9]*\) \([0-9]*\).*/     \1 -> \2, \3 bytes/p' "$T/portal/access.log"
must grep -q '" 304 0 ' "$T/portal/access.log"
cross "$(made)"
say "It was only a heartbeat: the link lives, and the inside knows that its data are the newest."

chapter "Version 2022-06-22: a column that an application reads is gone"
before=$(in_force)
publish 2022-06-22
transfer 0 sync
must test "$(in_force)" = "$before"
application
inside 3 quarantine

chapter "A person decides; what has no other break then passes by itself, as a patch"
inside 0 approve cog --reason "paie reads zone instead from release 4.2 on"
application
for version in 2022-08-31 2026-03-09; do
	publish $version
	transfer 0 sync
	if [ $version = 2022-08-31 ]; then
		say "The largest file, of 3 MB, did not cross again, only what makes the new one of the old:"
		run 0 bash -c "clapet-audit --test-bench --root $T/inside/root.json bundle $bundle | grep -A 1 communes.csv"
	fi
done
application

chapter "A bundle is lost; a person brings a few lines back, and it is sent again"
publish 2022-08-31
withhold sync
say "(somebody tidies up the outbox before that is sent)"
sleep 1.1
transfer 0 heartbeat
say "The heartbeat tells of a version that never came. The inside can send nothing: it prints what it lacks, to be read, typed or scanned."
show clapet-inside --config "$T/inside/inside.json" missing ">request.txt"
clapet-inside --config "$T/inside/inside.json" missing >"$T/request.txt" 2>"$T/output" || must test $? = 4
quote <"$T/request.txt"
transfer 0 resend "$T/request.txt"
application

chapter "What is not as signed is refused, what is old is set aside, and nothing changes"
before=$(readlink "$T/inside/store/current")
publish 2026-03-09
withhold sync
good=$bundle
say "(the bundle is held back for a while)"
say "A stranger who does not have the link's key sends a bundle: no packet of it is even looked at."
clapet-keys link --output "$T/stranger.key" >/dev/null
run 0 "${at_out[@]}" clapet-send --to "$NET_IN:$PORT" --key "$T/stranger.key" "$first"
strays() { "${at_in[@]}" clapet-receive status --config "$T/inside/inside.json" | grep '^refused'; }
counted() { strays | grep -q 'refused *[1-9]'; }
eventually counted
strays | quote
say "Somebody has that key, too, and sends a bundle of which one bit is flipped:"
python3 - "$good" "$T/flipped.tar" <<'PYTHON'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
PYTHON
somebody_sends "$T/flipped.tar"
say "Somebody else's keys sign the same data:"
mkdir -p "$T"/forger/{sources/cog,state,outbox}
cp "$T/outside/sources/cog/datapackage.json" "$T/forger/sources/cog/"
sed '/"links"/d; s/bench",$/bench"}/' "$T/outside/outside.json" >"$T/forger/outside.json"
clapet-keys init --repository "$T/forger/repository" --keys "$T/forger/keys" --root-key "$T/forger/root.key" --no-passphrase >/dev/null 2>&1
for _ in 1 2 3 4 5 6 7 8 9 10 11; do # as many signatures as the true outside has made, and more
	"${at_out[@]}" clapet-outside --config "$T/forger/outside.json" sync --force >/dev/null 2>&1
done
somebody_sends "$(find "$T/forger/outbox" -name '*.tar' | sort | tail -n 1)"
say "The very first bundle comes again:"
somebody_sends "$first"
must test "$(readlink "$T/inside/store/current")" = "$before"

chapter "Where there is no link, media carry it"
mkdir -p "$T"/media "$T"/second/{incoming,spool,store,contracts}
outside 0 export --all --to "$T/media"
cp "$T/inside/policy.json" "$T/second/"
sed 's/, "link": {[^}]*}//' "$T/inside/inside.json" >"$T/second/inside.json"
run 0 clapet-inside --config "$T/second/inside.json" init --root "$T/inside/root.json"
run 0 clapet-inside --config "$T/second/inside.json" import "$T/media"

chapter "Readers on other hosts ask over HTTP, with a key where the operator wants one"
service inside clapet-inside --config "$T/inside/inside.json" serve
eventually test -S "$T/inside/http"
ask() { run "$1" curl -sS --fail-with-body --unix-socket "$T/inside/http" "${@:2}"; }
ask 22 http://inside/datasets/cog
inside 0 key add --owner paie --dataset cog
printf 'header = "Authorization: Bearer %s"\n' "$(grep -o 'clapet_k1_[0-9a-f]*' "$T/output")" >"$T/paie.key"
say "One row by its key, typed by the schema (01 stays 01), and the file with what proves it:"
ask 0 -K "$T/paie.key" 'http://inside/datasets/cog/communes?code=01004&format=ndjson'
ask 0 -K "$T/paie.key" -I http://inside/datasets/cog/communes.csv
say "Who read what, by application, and what a contract names that nobody reads:"
logged() { cat "$T"/inside/readers/access-* | grep -q '"method":"HEAD"'; } # written within a second
eventually logged
inside 0 usage

chapter "The operator rolls back, and later releases; the auditor checks everything"
inside 0 rollback cog --reason "payroll closes on Friday with the previous code"
application
say "The bundle that was flipped crosses as it was signed; its newer version is kept, and held by the pin until it is released:"
mv "$good" "$T/outside/outbox/"
cross "$T/outside/outbox/${good##*/}"
inside 0 release cog
application
inside 0 status
run 0 clapet-audit store --root "$T/inside/root.json" "$T/inside/store"
say "Both sides keep a log whose past cannot be rewritten; held against each other they show the bundle that was lost, and two that nobody sent:"
run 1 clapet-audit compare "$T/outside/log" "$T/inside/store" --key-file "$T/outside/log/verifier" --key-file "$T/inside/store/log/verifier"
if [ $net_way = veth ]; then
	say "And over the link came back, in all that time: $(net_back) frames."
	must test "$(net_back)" = 0
fi

printf '\n%sDone.%s Real versions crossed a one-way link; one was held for a person, one was lost and asked for; four attacks changed nothing.\nWhat you would type yourself stands in README.md, "Quick start".\n' "$bold" "$plain"
