#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_sockets.sh: inside-serve takes the sockets that a service manager hands it (sd_listen_fds(3)), and opens none of its own then.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh
command -v systemd-socket-activate >/dev/null || skip_all "no systemd-socket-activate"

serve_config
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01001,Abergement
world_sync && inside import "$bundle" >/dev/null

# A socket of ours, which is its descriptor 3.
hand_over() { # LISTENS: 0: a socket on which nobody can call
	python3 - "$1" "$T/in/inside.json" "$LIBEXEC/inside-serve" >"$T/serve.log" 2>&1 <<'PYTHON'
import os, socket, sys
sock = socket.socket()
if sys.argv[1] == "1":
    sock.bind(("127.0.0.1", 0))
    sock.listen()
os.dup2(sock.fileno(), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], [sys.argv[3], "--config", sys.argv[2]])
PYTHON
}
status=0
hand_over 0 || status=$?
is "$status" 2 "a descriptor that does not listen is refused"
like "$(cat "$T/serve.log")" 'E[0-9]{4} .*descriptor 3 \(LISTEN_FDS\) is no socket that listens' "and named"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
systemd-socket-activate -E LC_ALL=C -E ASAN_OPTIONS="${ASAN_OPTIONS:-}" -l "127.0.0.1:$port" \
	"$LIBEXEC/inside-serve" --config "$T/in/inside.json" >"$T/serve.log" 2>&1 &
serve_pid=$!
on_exit '[ -z "$serve_pid" ] || kill "$serve_pid" 2>/dev/null'
url=http://127.0.0.1:$port
for _ in $(seq 100); do
	grep -q 'Listening on' "$T/serve.log" && break
	sleep 0.05
done
get /datasets/villes/villes.csv
is "$status_code" 200 "the first call is answered"
like "$(cat "$T/serve.log")" 'listening on what the service manager handed over: 1' "on the socket that was handed over"
ok "and none is opened beside it" test ! -e "$SERVE_UNIX"
ok "it ends well" serve_stop
done_testing
