#!/bin/bash
# SPDX-License-Identifier: ISC
# Requests that mean harm, against the real server: paths that lead out, injection, framing, floods, slow ones, crowds (tests/hostile.py). Refused, bounded,
# logged; a good reader is served meanwhile.
WORLD_INSIDE='"reserve": 0, "rows": {"default": true, "datasets": {"noise": false}}'
. tests/lib.sh
. tests/world.sh
. tests/readers.sh

serve_config "\"accessLog\": \"$T/in/access\""
ok "a store with a dataset" readers_world
# A table that fills every buffer on the way to who does not read.
world_policy cog noise
world_source noise "code:integer nom:string"
python3 -c 'import random
random.seed(7)
print("code,nom")
for i in range(300_000): print(f"{i},{random.getrandbits(120):x}")' >"$T/data/noise.csv"
world_sync noise && run inside import "$bundle"
is "$status" 0 "and a large one"
mkdir "$T/in/access"
ok "a server" serve_start
while IFS=$'\t' read -r result what; do
	_result "$result" "$what"
done < <(python3 tests/hostile.py "127.0.0.1:$port" "$serve_pid" 2>&1 || printf '1\thostile.py went wrong\n')
ok "the server is the one that was started" kill -0 "$serve_pid"
ok "every line of the access log is JSON, whatever was asked" python3 -c '
import glob, json, sys
lines = [line for path in glob.glob(sys.argv[1] + "/*.jsonl") for line in open(path, encoding="utf-8")]
assert len(lines) > 300, len(lines)
statuses = {json.loads(line)["status"] for line in lines}
assert {200, 404, 400} <= statuses, statuses' "$T/in/access"
ok "the server ends well" serve_stop
done_testing
