#!/bin/bash
# SPDX-License-Identifier: ISC
# The attacks of tests/evil/tuf through real programs, the same repositories made for today: in bundles those that the inside can meet; over
# HTTP, to the client of the conformance suite, those on what only a general client reads.
. tests/lib.sh
ok "the attacks are made for today" "$BUILD/tests/attacks" "$T/tuf" "$(date +%s)"

# One bundle of what was trusted before, one of what arrives, for each attack; on stdout: NAME FAULT ROLE-FAULT TRUSTED SAYS
cat >"$T/bundles.py" <<'PYTHON'
import json, os, re, sys

folder = sys.argv[1]
member = re.compile(r"timestamp\.json|[1-9][0-9]{0,15}\.[a-z0-9][a-z0-9_-]{0,62}\.json")

def read(path):
    with open(path, "rb") as file:
        return file.read()

def header(name, size):  # bundle/FORMAT.md 3.2
    fields = [(0, name), (100, b"000444 "), (108, b"000000 "), (116, b"000000 "), (124, b"%011o " % size), (136, b"%011o " % 0),
              (148, b" " * 8), (156, b"0"), (257, b"ustar\x0000"), (329, b"000000 "), (337, b"000000 ")]
    block = bytearray(512)
    for place, text in fields:
        block[place:place + len(text)] = text
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)

def write(path, files):
    members = [("format", b"clapet bundle 1\n")] + sorted((f"metadata/{name}", data) for name, data in files.items())
    with open(path, "wb") as file:
        for name, data in members:
            file.write(header(name.encode(), len(data)) + data + bytes(-len(data) % 512))
        file.write(bytes(1024))

def versioned(name, data):
    if name == "timestamp.json":
        return name
    return f"{json.loads(data)['signed']['version']}.{name}"

for name in sorted(os.listdir(folder)):
    at = f"{folder}/{name}"
    case = json.load(open(f"{at}/case.json"))
    if case["profile"] != "closed" or case["bytes"] is not None:  # bytes of targets: refused.sh and fetch.sh
        continue
    local, remote = {}, {}
    if os.path.isdir(f"{at}/local"):
        for file in os.listdir(f"{at}/local"):
            data = read(f"{at}/local/{file}")
            local[versioned(file, data)] = data
    for file in os.listdir(f"{at}/remote"):
        if member.fullmatch(file):  # others are no member's name: the gate refuses those, bundle_ustar tests it
            remote[file] = read(f"{at}/remote/{file}")
    if local:
        write(f"{at}/local.tar", local)
    write(f"{at}/remote.tar", remote)
    faults = {fault for fault in case["roles"].values() if fault not in ("NONE", "TUF_ABSENT")}
    trusted = " ".join(f"{role}={version}" for role, version in case["trusted"].items() if version > 0)
    print(name, case["fault"], ",".join(sorted(faults)) or "NONE", trusted, case["says"] or "", sep="\t")
PYTHON
python3 "$T/bundles.py" "$T/tuf" >"$T/list"
ok "they are in bundles" test "$(wc -l <"$T/list")" -ge 60

inside() { "$BIN/clapet-inside" --config "$T/in/inside.json" "$@"; }
code() { sed -n "s/^FAULT(\([0-9]*\), $1,.*/E\1/p" base/codes.def; }
trusts() { # ROLE=VERSION…: what the store's trust/ holds; of a role that is not named nothing is said
	python3 -c 'import json, sys
folder, *pairs = sys.argv[1:]
for pair in pairs:
    role, version = pair.split("=")
    found = json.load(open(f"{folder}/{role}.json"))["signed"]["version"]
    if found != int(version): sys.exit(f"{role}: version {found}, not {version}")' "$T/in/store/trust" "$@"
}
answered() { # FAULT ROLE-FAULT SAYS: the bundle's line, or the role's, and the exit status
	local line
	case $1 in
	TUF_SUPERSEDED) line="bundle remote.tar: superseded: " ;;
	NONE) line="bundle remote.tar: accepted" ;;
	*) line="$(code "$1") REFUSED bundle remote.tar: " ;;
	esac
	line=$(printf '%s\n' "$output" | grep -F "$line") || return
	if [ "$2" != NONE ]; then line=$(printf '%s\n' "$output" | grep "^$(code "$2") REFUSED cog: ") || return; fi
	[ "$1$2" = NONENONE ] || [ "$1" = TUF_SUPERSEDED ] || [ "$status" = 1 ] || return
	printf '%s\n' "$line" | grep -qF -- "$3"
}

while IFS=$'\t' read -r name fault role_fault trusted says; do
	rm -rf "$T/in"
	mkdir -p "$T"/in/{store,incoming,spool,contracts}
	echo '{"format": "clapet policy 1", "datasets": [{"name": "cog", "threshold": 1, "opaque": false}]}' >"$T/in/policy.json"
	echo '{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool", "clockSkew": "1s",
	 "contracts": "contracts", "policy": "policy.json", "testBench": "this machine is a test bench"}' >"$T/in/inside.json"
	inside init --root "$T/tuf/$name/root.json" >"$T/before" 2>&1
	[ ! -e "$T/tuf/$name/local.tar" ] || inside import "$T/tuf/$name/local.tar" >>"$T/before" 2>&1
	touch -d tomorrow "$T/tuf/$name/remote.tar" # a file's date says nothing
	run inside import "$T/tuf/$name/remote.tar"
	ok "$name: $fault, $role_fault" answered "$fault" "$role_fault" "$says" || printf '%s\n' "$output" | sed 's/^/# /'
	# shellcheck disable=SC2086
	ok "$name: then trusts $trusted" trusts $trusted || sed 's/^/# /' "$T/before"
done <"$T/list"

# --- a general client, over the network ---------------------------------------------------------------------------------
# Files by the bytes of their names: "%2F" in an address is in the file's name too.
cat >"$T/serve.py" <<'PYTHON'
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = sys.argv[1] + self.path
        if "/../" in path or not os.path.isfile(path):
            return self.send_error(404)
        data = open(path, "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
PYTHON
python3 "$T/serve.py" "$T/tuf" >"$T/port" &
on_exit "kill $!"
for _ in $(seq 100); do [ -s "$T/port" ] && break; sleep 0.05; done
url=http://127.0.0.1:$(cat "$T/port")
python3 - "$T/tuf" >"$T/lookups" <<'PYTHON'
import json, os, sys
for name in sorted(os.listdir(sys.argv[1])):
    case = json.load(open(f"{sys.argv[1]}/{name}/case.json"))
    if case["profile"] == "open":
        for path, role in case["lookups"].items():
            print(name, path, role if role and not role.startswith("TUF_") else "-", sep="\t")
PYTHON
client() { # NAME STATE PATH…: a client that STATE keeps
	local name=$1 state=$2 path arguments=()
	shift 2
	mkdir -p "$state/metadata" "$state/targets"
	for path; do arguments+=(--target-name "$path"); done
	[ -e "$state/metadata/root.json" ] || "$BUILD/tests/tuf-client" --metadata-dir "$state/metadata" init "$T/tuf/$name/root.json" || return
	"$BUILD/tests/tuf-client" --metadata-dir "$state/metadata" --metadata-url "$url/$name/remote" --target-dir "$state/targets" \
		--target-base-url "$url/$name/targets" "${arguments[@]}" download
}
ok "there are attacks on a general client" test "$(wc -l <"$T/lookups")" -ge 15
while IFS=$'\t' read -r name path role; do
	rm -rf "$T/state"
	run client "$name" "$T/state" "$path"
	if [ "$role" = - ]; then
		is "$status" 1 "$name: $path may be named by nobody" || printf '%s\n' "$output" | sed 's/^/# /'
		is "$(find "$T/state/targets" -type f | wc -l)" 0 "$name: and nothing is stored"
	else
		is "$status" 0 "$name: $path is found" || printf '%s\n' "$output" | sed 's/^/# /'
		is "$(cat "$T"/state/targets/*)" "$role of version 1" "$name: it is that of $role"
	fi
done <"$T/lookups"
run client CVE-2021-41131-open "$T/deep/a/b" evil
is "$status" 0 "a role whose name climbs is read" || printf '%s\n' "$output" | sed 's/^/# /'
is "$(find "$T/deep" -name '*escaped*' -printf '%P\n')" "a/b/metadata/..%2F..%2F..%2Fescaped.json" "and its metadata are kept in their folder"
run client diamond "$T/both" team-a/good team-b/evil
is "$status" 1 "diamond: both in one run are refused" || printf '%s\n' "$output" | sed 's/^/# /'
is "$(cat "$T"/both/targets/*)" "release of version 1" "diamond: the first is there"
is "$(find "$T/both/targets" -type f | wc -l)" 1 "diamond: and alone"
run client diamond "$T/both" team-b/evil
is "$status" 1 "diamond: the same client, another day, refuses it too"
done_testing
