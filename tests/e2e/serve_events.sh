#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_events.sh: who listens is told: of where it begins, of each generation, of what it missed; bounded.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

serve_config
world_new
world_policy villes rues
world_source villes "code:string nom:string"
world_source rues "code:string nom:string"
world_data villes code,nom 01,Ain
world_data rues code,nom 1,Grande
world_sync && inside import "$bundle" >/dev/null
serve_start || { _result 1 "the server starts"; done_testing; }

listen() { # FILE [CURL-ARGUMENT…] -> $listener
	local file=$1
	shift
	curl -sS -N -m 60 -o "$file" -D "$file.head" "$@" "$url/events" 2>"$file.err" &
	listener=$!
	on_exit "kill $listener 2>/dev/null"
}
told() { # FILE REGEX: waits until it was said
	local i
	for ((i = 0; i < 100; i++)); do
		grep -Eq "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	cat "$1"
	return 1
}
events() { # FILE: name generation name:before>after…
	python3 - "$1" <<'PYTHON'
import json, sys
for block in open(sys.argv[1]).read().split("\n\n"):
    lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":") and ": " in line)
    if "data" in lines:
        data = json.loads(lines["data"])
        assert data["format"] == "clapet event 1" and str(data["generation"]) == lines["id"]
        print(lines["event"], lines["id"], " ".join(f"{d['name']}:{'x' if d['before'] else '-'}>{'x' if d['after'] else '-'}" for d in data.get("datasets", [])))
PYTHON
}

listen "$T/first"
ok "it is told where it begins" told "$T/first" '^event: current'
like "$(cat "$T/first.head")" 'Content-Type: text/event-stream' "as server-sent events"
like "$(cat "$T/first.head")" 'Cache-Control: no-store' "that nobody keeps"
like "$(cat "$T/first")" '^retry: 5000' "and when to come back"
world_data rues code,nom 1,Grande 2,Petite
world_sync && inside import "$bundle" >/dev/null
ok "a generation is told of" told "$T/first" '^id: 2'
world_data villes code,nom 01,Ain 02,Aisne
world_sync && inside import "$bundle" >/dev/null
ok "and the next one" told "$T/first" '^id: 3'
is "$(events "$T/first")" "current 1 
generation 2 rues:x>x
generation 3 villes:x>x" "each with what changed in it"
before=$(sed -n 's/^data: .*"after":"\([0-9a-f]*\)".*/\1/p' "$T/first" | tail -n 1)
is "$before" "$(inside --json list | python3 -c 'import json,sys; print([d["version"] for d in json.load(sys.stdin) if d["name"]=="villes"][0])')" "the version is the one in force"
kill "$listener"

listen "$T/back" -H 'Last-Event-ID: 1'
ok "one that comes back is told what it missed" told "$T/back" '^id: 3'
is "$(events "$T/back")" "generation 2 rues:x>x
generation 3 villes:x>x" "generation by generation"
kill "$listener"
listen "$T/same" -H 'Last-Event-ID: 3'
ok "one that missed nothing" told "$T/same" '^: clapet'
listen "$T/odd" -H 'Last-Event-ID: 99'
ok "one that knows what is not there yet reads anew" told "$T/odd" '^event: reset'
listen "$T/text" -H 'Last-Event-ID: <script>'
ok "one that says nothing that means anything begins" told "$T/text" '^event: current'
is "$(events "$T/same")" "" "was told nothing"
get /generations/1/events
is "$status_code" 404 "an older generation has no events"

# A generation is not held up by who listens.
ok "a generation's folder can be locked while somebody listens" flock -n "$T/in/store/generations/1" true

# Only so many.
python3 - "$port" >"$T/many" 2>&1 <<'PYTHON'
import socket, sys
port, sockets, refused = int(sys.argv[1]), [], 0
for _ in range(260):
    s = socket.create_connection(("127.0.0.1", port), 10)
    s.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    sockets.append(s)
for s in sockets:
    s.settimeout(10)
    refused += s.recv(12) == b"HTTP/1.1 503"
print(refused)
PYTHON
ok "more than 256 that listen are refused ($(cat "$T/many"))" test "$(cat "$T/many")" -ge 4
get /healthz
is "$status_code" 200 "and everybody else is answered"
ok "they are let go of when they leave" eval 'for i in $(seq 100); do get /events -m 1; grep -q "^event: current" "$body" && break; sleep 0.1; done; grep -q "^event: current" "$body"'
ok "the server ends well" serve_stop
done_testing
