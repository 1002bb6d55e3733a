# SPDX-License-Identifier: ISC
# shellcheck shell=bash
# serve.sh: a server over the store of tests/world.sh, for tests that read over HTTP. Sourced after lib.sh and world.sh.
#
#   serve_config [MEMBER…]        before world_new: the section "serve" goes into WORLD_INSIDE; MEMBER is '"title": "Test"'
#   serve_start                   starts inside-serve, and waits until it answers -> $port $url ($url/catalog); its log is $T/serve.log
#   serve_stop                    ends it; fails where it did not end well
#   serve_current N               waits until generation N answers
#   get PATH [CURL-ARGUMENT…]     -> $status_code $body (a file) $headers (a file, lower-case names, no CR)
#   header NAME                   its value in the last answer; "" where there is none
#   body_json EXPRESSION          of Python, over `d`, the last answer's JSON
#   $SERVE_UNIX                   the socket on which it listens, too

SERVE_UNIX=$T/http serve_pid=
body=$T/serve.body headers=$T/serve.headers

serve_config() {
	local member more=
	for member; do more="$more, $member"; done
	WORLD_INSIDE="${WORLD_INSIDE:+$WORLD_INSIDE, }\"serve\": {\"listen\": [\"127.0.0.1:0\", \"unix:$SERVE_UNIX\"]$more}"
}

serve_start() {
	local i
	: >"$T/serve.log"
	"$BIN/clapet-inside" --config "$T/in/inside.json" serve >"$T/serve.log" 2>&1 &
	serve_pid=$!
	on_exit '[ -z "$serve_pid" ] || kill "$serve_pid" 2>/dev/null'
	for ((i = 0; i < 200; i++)); do
		if grep -q answering "$T/serve.log"; then
			port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$T/serve.log")
			url=http://127.0.0.1:$port
			return 0
		fi
		kill -0 "$serve_pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$T/serve.log" >&2
	return 1
}

serve_stop() {
	local pid=$serve_pid
	serve_pid=
	kill "$pid" 2>/dev/null || return 1
	wait "$pid"
}

serve_current() {
	local i
	for ((i = 0; i < 100; i++)); do
		get /healthz
		[ "$(header clapet-generation)" = "$1" ] && return 0
		sleep 0.05
	done
	return 1
}

get() {
	local path=$1
	shift
	: >"$body"
	status_code=$(curl -sS --path-as-is -m 20 -o "$body" -D "$T/serve.head" -w '%{http_code}' "$@" "$url$path" 2>"$T/serve.curl")
	sed 's/\r$//; s/^\([A-Za-z-]*\):/\L\1:/' "$T/serve.head" >"$headers" 2>/dev/null
}

header() { sed -n "s/^$1: //p" "$headers"; }

body_json() { python3 -c "import json,sys; d=json.load(open(sys.argv[1])); print($1)" "$body"; }
