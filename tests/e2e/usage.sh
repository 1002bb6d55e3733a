#!/bin/bash
# SPDX-License-Identifier: ISC
# usage.sh: who read what over HTTP, summed by application; which columns of contracts nobody reads, and who reads what none declares.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

mkdir -p "$T/accesslog"
serve_config "\"accessLog\": \"$T/accesslog\""
world_new
world_source villes "code:string nom:string pop:integer"
world_data villes code,nom,pop 01001,Abergement,771 01002,Ambérieu,3
world_sync && inside import "$bundle" >/dev/null
inside contract-from villes/villes --application paie --fields code,pop >"$T/in/contracts/paie.json"
paie=$(inside key add --owner paie 2>/dev/null)
other=$(inside key add --owner 'Direction du plan' 2>/dev/null)
serve_start || { _result 1 "the server starts"; done_testing; }
get /datasets/villes/datapackage.json -H "Authorization: Bearer $paie"
get /datasets/villes/villes.csv -H "Authorization: Bearer $other"
get /datasets/villes/nothing.csv
serve_stop

run inside usage
is "$status" 0 "the access log is summed"
like "$output" '^paie +villes +1 +0 ' "by application"
like "$output" '^Direction du plan +villes +1 +0 +0 +55 B|^Direction du plan +villes +1 +0 ' "or owner"
like "$output" '^\(without a key\) +villes +1 +1 ' "who gave no key, and what was refused"
unlike "$output" 'nobody read' "a whole file is all of its columns"
like "$output" '^no contract: Direction du plan reads all of villes/villes' "who reads what no contract declares"
like "$output" 'mounted store are not in this log' "and what is not in it"

# One more day, made by hand: columns by name, hostile lines, a line cut off.
python3 - "$T/accesslog" <<'END'
import json, sys, glob, os
for name in glob.glob(sys.argv[1] + "/*"): os.unlink(name)
with open(sys.argv[1] + "/access-2026-11-20.jsonl", "wb") as f:
    line = {"time": "2026-11-20T10:00:00Z", "key": "k1", "method": "GET", "path": "/datasets/villes/villes", "dataset": "villes",
            "resource": "villes", "columns": ["code"], "status": 200, "rows": 2, "bytes": 30, "us": 1}
    for _ in range(3): f.write(json.dumps(line).encode() + b"\n")
    line["columns"] = ["code", "nom"]
    f.write(json.dumps(line).encode() + b"\n")
    f.write(b"\xff\xfe garbage\n{\"time\": 1}\n" + b"x" * 100000 + b"\n")
    f.write(b'{"time":"2026-11-20T10:00:01Z","lost":5}\n')
    f.write(b'{"time":"2026-11-20T10:00:02Z","status":200,"bytes":1,"dataset":"villes","agent":"\\u001b[2J\\u202e"}\n{"time":"2026')
END
run inside usage
is "$status" 0 "hostile lines do not keep it from its work"
like "$output" '^paie +villes +4 +0 +8 +120 B ' "requests, rows and bytes"
like "$output" '^contract of paie on villes/villes: nobody read pop$' "the column of a contract that nobody reads"
like "$output" '^no contract: paie reads nom of villes/villes$' "the column that is read and not declared"
like "$output" '^3 lines are none of ours' "bad lines are counted"
like "$output" '^5 lines were lost' "and lost ones"
run inside usage --json
is "$(python3 -c 'import json, sys; d = json.loads(sys.argv[1]); print(d["format"], d["lines"], d["badLines"], d["contracts"][0]["unread"])' "$output")" "clapet usage 1 9 3 ['pop']" "as JSON"
run inside usage --since 2026-11-21
unlike "$output" '^paie' "--since leaves out what was before"
like "$output" '^contract of paie on villes/villes: it read nothing of villes here' "a contract of who read nothing"
run inside usage --since yesterday
is "$status" 2 "a date that is none is a usage error"
sed -i 's/"accessLog": "[^"]*"/"title": "x"/' "$T/in/inside.json"
run inside usage
is "$status" 2 "without an access log"
like "$output" 'E9002.*"accessLog"' "it says so"
done_testing
