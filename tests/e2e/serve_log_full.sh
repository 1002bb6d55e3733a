#!/bin/bash
# SPDX-License-Identifier: ISC
# serve_log_full.sh: the access log's disk is full: answers go on, what is lost is told, counted, and said in the log once there is room.
. tests/lib.sh
in_mount_namespace "$0"
. tests/world.sh
. tests/serve.sh
mkdir -p "$T/accesslog"
mount -t tmpfs -o size=1M none "$T/accesslog" || skip_all "no tmpfs in this name space"
on_exit "umount '$T/accesslog'"
serve_config "\"accessLog\": \"$T/accesslog\""
world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01001,Abergement
world_sync && inside import "$bundle" >/dev/null
serve_start || { _result 1 "the server starts"; done_testing; }
get /catalog
head -c 2000000 /dev/zero >"$T/accesslog/filler" 2>/dev/null
# A page may have room left.
for _ in $(seq 60); do get "/catalog?x=$(printf 'a%.0s' {1..200})"; done
for _ in $(seq 40); do grep -q E8130 "$T/serve.log" && break; sleep 0.1; done
like "$(cat "$T/serve.log")" 'E8130 TROUBLE access log: No space left on device: [0-9]+ lines were lost' "a full disk is told"
get /datasets/villes/villes.csv
is "$status_code" 200 "answers go on"
get /metrics
lost=$(sed -n 's/^clapet_serve_access_log_lost_total \([0-9]*\)$/\1/p' "$body")
is "$((lost > 0))" 1 "and what is lost is counted ($lost)"
rm "$T/accesslog/filler"
get "/catalog?after=1"
for _ in $(seq 40); do grep -qs '"lost":' "$T"/accesslog/*.jsonl && break; sleep 0.1; done
serve_stop
like "$(tail -n 5 "$T"/accesslog/*.jsonl)" '^\{"time":"[^"]*","lost":[0-9]+\}$' "once there is room the log says how many"
like "$(cat "$T"/accesslog/*.jsonl)" '"params":\["after"\]' "and goes on"
is "$(python3 -c '
import json, sys
lines = open(sys.argv[1], "rb").read().split(b"\n")
print(sum(1 for l in lines if l and not l.endswith(b"}")) <= 1)' "$T"/accesslog/*.jsonl)" True "with one line cut off at most"
done_testing
