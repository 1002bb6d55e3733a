#!/bin/bash
# SPDX-License-Identifier: ISC
# Provenance: what the outside says of a version, verified with openssl and read with Python; then what a rogue outside may sign, and where
# each of it is refused.
. tests/lib.sh
. tests/portal.sh
portal_start
D=$T/out
outside_init "$D"
inside() { "$BIN/clapet-inside" --config "$T/in/inside.json" "$@"; }
mkdir -p "$T"/in/{incoming,spool,contracts,store}
policy() { # MORE-MEMBERS
	echo "{\"format\": \"clapet policy 1\", \"datasets\": [{\"name\": \"aa\"}, {\"name\": \"bb\"}]$1}" >"$T/in/policy.json"
}
policy ""
cat >"$T/in/inside.json" <<-JSON
{"format": "clapet inside configuration 1", "store": "store", "incoming": "incoming", "spool": "spool", "contracts": "contracts",
 "policy": "policy.json", "testBench": "this machine is a test bench"}
JSON
inside init --root "$D/repository/metadata/1.root.json" >/dev/null
url=http://127.0.0.1:$port

# A zip behind a redirection, in another charset, and a plain file under a conditional address.
printf 'code;people\nL\351on;1\nP\340ris;2\n' >"$T/towns.csv"
zip_of "$T/www/a.zip" "data/towns.csv=$T/towns.csv"
source_put "$D" aa "http://user:secret@127.0.0.1:$port/moved/a.zip" \
	'"encoding": "windows-1252", "dialect": {"delimiter": ";"}, "clapet": {"member": "data/towns.csv"},'
printf 'code,people\nx,7\n' >"$T/www/b.csv"
source_put "$D" bb "$url/b.csv"
outside "$D" sync
is "$status" 0 "a first run"
like "$output" "aa: new version .*1 resource, 2 rows" "counts resources, not attestations"

# --- as targets in the mirror, for whoever comes ---------------------------------------------------------------------
envelope() { # FOLDER DATASET FILE -> the newest
	find "$1/$2" -name "*.$3" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2
}
targets=$D/repository/targets
for dataset in aa bb; do
	for file in provenance.intoto.json test-result.intoto.json; do
		ok "$dataset/$file is a target" test -n "$(envelope "$targets" $dataset $file)"
		like "$(cat "$D/repository/metadata/1.$dataset.json")" "\"$dataset/$file\"" "that $dataset's role names"
	done
done
unlike "$(cat "$targets"/aa/*.datapackage.json)" 'intoto' "datapackage.json does not name them: the version is the data's"

# The bytes that were signed, built again by hand; the dataset's public key from its delegation, as SubjectPublicKeyInfo (RFC 8410).
openssl_verifies() { # ENVELOPE DATASET
	python3 - "$1" "$D/repository/metadata/2.targets.json" "$2" "$T/v" <<-'PYTHON' || return
	import base64, json, sys
	envelope, targets, dataset, out = json.load(open(sys.argv[1])), json.load(open(sys.argv[2])), sys.argv[3], sys.argv[4]
	payload, kind = base64.b64decode(envelope["payload"], validate=True), envelope["payloadType"].encode()
	open(out + ".pae", "wb").write(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
	[signature] = envelope["signatures"]
	open(out + ".sig", "wb").write(base64.b64decode(signature["sig"], validate=True))
	delegations = targets["signed"]["delegations"]
	[keyid] = next(r for r in delegations["roles"] if r["name"] == dataset)["keyids"]
	assert signature["keyid"] == keyid
	public = bytes.fromhex(delegations["keys"][keyid]["keyval"]["public"])
	open(out + ".der", "wb").write(bytes.fromhex("302a300506032b6570032100") + public)
	PYTHON
	openssl pkey -pubin -inform DER -in "$T/v.der" -out "$T/v.pem" &&
		openssl pkeyutl -verify -rawin -pubin -inkey "$T/v.pem" -sigfile "$T/v.sig" -in "$T/v.pae"
}
for dataset in aa bb; do
	for file in provenance.intoto.json test-result.intoto.json; do
		ok "openssl verifies $dataset/$file" openssl_verifies "$(envelope "$targets" $dataset $file)" $dataset
	done
done
printf ' ' >>"$T/v.pae"
not_ok "and not with one byte more" openssl pkeyutl -verify -rawin -pubin -inkey "$T/v.pem" -sigfile "$T/v.sig" -in "$T/v.pae"

# The same as bundle/FORMAT.md 17.4 tells it.
mkdir "$T/recipe" && cp "$(envelope "$targets" aa provenance.intoto.json)" "$T/recipe/provenance.intoto.json"
key=$(python3 - "$D/repository/metadata/2.targets.json" <<'PYTHON'
import json, sys
delegations = json.load(open(sys.argv[1]))["signed"]["delegations"]
print(delegations["keys"][next(r for r in delegations["roles"] if r["name"] == "aa")["keyids"][0]]["keyval"]["public"])
PYTHON
)
sed -n '/^    python3 -c .import base64/,/^    openssl pkeyutl -verify/s/^    //p' bundle/FORMAT.md |
	sed "s/<the key of the delegation, in hex>/$key/" >"$T/recipe/run.sh"
like "$(cd "$T/recipe" && bash -e run.sh 2>&1)" "^Signature Verified Successfully$" "the recipe of FORMAT.md works"

# What they say.
is "$(python3 - "$D" "$T" "$url" "$BIN/clapet-outside" 2>&1 <<'PYTHON'
import base64, glob, hashlib, json, re, subprocess, sys
folder, top, url, program = sys.argv[1:]
sha = lambda path: hashlib.sha256(open(path, "rb").read()).hexdigest()
def read(dataset, file):
    [path] = glob.glob(f"{folder}/repository/targets/{dataset}/*.{file}")
    return json.loads(base64.b64decode(json.load(open(path))["payload"]))
version = re.search(r"[0-9]+\.[0-9.]+", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)[0]
for dataset in "aa", "bb":
    role = json.load(open(f"{folder}/repository/metadata/1.{dataset}.json"))["signed"]["targets"]
    named = {p: t["hashes"]["sha256"] for p, t in role.items() if not p.endswith(".intoto.json")}
    provenance, result = read(dataset, "provenance.intoto.json"), read(dataset, "test-result.intoto.json")
    for statement in provenance, result:
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert {s["name"]: s["digest"]["sha256"] for s in statement["subject"]} == named, statement["subject"]
        assert len(named) == 2 == len(statement["subject"])
    assert provenance["predicateType"] == "https://slsa.dev/provenance/v1"
    assert result["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    definition, details = provenance["predicate"]["buildDefinition"], provenance["predicate"]["runDetails"]
    assert definition["buildType"] == "urn:clapet:sync:1" and details["builder"]["id"] == "urn:clapet:outside:1"
    assert details["builder"]["version"] == {"clapet": version}, details
    times = [details["metadata"][k] for k in ("startedOn", "finishedOn")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", t) for t in times) and times == sorted(times)
    [package] = glob.glob(f"{folder}/repository/targets/{dataset}/*.datapackage.json")
    schema = json.load(open(package))["resources"][0]["schema"]
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digests = {c["name"]: c["digest"]["sha256"] for c in result["predicate"]["configuration"]}
    assert digests["towns"] == hashlib.sha256(text.encode()).hexdigest(), digests
    assert result["predicate"]["result"] == "PASSED"
    assert sorted(result["predicate"]["passedTests"]) == ["towns/cells", "towns/code/required", "towns/code/type",
        "towns/code/unique", "towns/labels", "towns/people/type"], result["predicate"]["passedTests"]
    assert result["predicate"]["warnedTests"] == result["predicate"]["failedTests"] == []
    counts = result["predicate"]["clapet_counts"]
    assert counts["passed"] == 6 and counts["failed"] == 0 and counts["rows"] == (2 if dataset == "aa" else 1), counts

definition = read("aa", "provenance.intoto.json")["predicate"]["buildDefinition"]
shown = url.replace("//", "//***@") + "/moved/a.zip"
[asked] = definition["externalParameters"]["resources"]
assert asked == {"name": "towns", "file": "towns.csv", "url": shown, "member": "data/towns.csv", "transform": "plain",
    "encoding": "windows-1252", "dialect": {"delimiter": ";", "header": True, "quoteChar": '"'}}, asked
[found] = definition["internalParameters"]["results"]
assert found == {"name": "towns", "unpacked": True, "readHash": "sha256:" + sha(top + "/towns.csv")}, found
[archive] = [d for d in definition["resolvedDependencies"] if "uri" in d]
assert archive["uri"] == shown and archive["digest"]["sha256"] == sha(top + "/www/a.zip")
assert archive["downloadLocation"] == url + "/a.zip", archive
facts = archive["annotations"]
assert facts["status"] == 200 and facts["bytes"] == len(open(top + "/www/a.zip", "rb").read())
assert facts["etag"].startswith('"') and facts["lastModified"].endswith("GMT"), facts
assert "secret" not in json.dumps(definition)
[plain] = read("bb", "provenance.intoto.json")["predicate"]["buildDefinition"]["internalParameters"]["results"]
assert plain["unpacked"] is False
print("all of it")
PYTHON
)" "all of it" "Python reads what happened: address, redirection, digests, ETag, charset, member, rules, versions"

# --- inside ----------------------------------------------------------------------------------------------------------
first=$(newest_bundle "$D")
run inside import "$first"
is "$status" 0 "the inside takes them in"
ok "beside the data" test -e "$T/in/store/current/aa/provenance.intoto.json" -a -e "$T/in/store/current/aa/test-result.intoto.json"
is "$(sha256sum <"$T/in/store/current/aa/provenance.intoto.json")" "$(sha256sum <"$(envelope "$targets" aa provenance.intoto.json)")" \
	"byte for byte"
run inside show aa
is "$status" 0 "show"
like "$output" "^aa version [0-9a-f]{16}, in force" "names the version"
like "$output" "from +http://\*\*\*@127.0.0.1:$port/moved/a.zip, in truth $url/a.zip$" "where from"
like "$output" "fetched .*, status 200, last modified .* GMT, etag " "when, and what the server said"
like "$output" "as published +sha256:$(sha256sum "$T/www/a.zip" | cut -c1-64)" "the digest as published"
like "$output" "as stored +sha256:$(sha256sum "$T/in/store/current/aa/towns.csv" | cut -c1-64)" "the digest as stored"
like "$output" 'towns.csv: unpacked \(member data/towns.csv\), read as windows-1252 with ";", written in plain form' "what was done"
like "$output" "made by +clapet [0-9.]+ \(urn:clapet:outside:1\)" "by which Clapet"
like "$output" "PASSED: 6 rules passed, 0 with a warning, 0 failed" "and how it was tested"
run inside --json show aa
ok "--json says the same" python3 -c 'import json, sys
d = json.loads(sys.argv[1])
assert d["format"] == "clapet provenance 1" and d["attested"] and d["inForce"] and d["resources"][0]["member"] == "data/towns.csv"
assert d["tests"]["result"] == "PASSED" and len(d["tests"]["passed"]) == 6 and d["resources"][0]["asStored"].startswith("sha256:")' "$output"
old=$(readlink -f "$T/in/store/current/aa" | sed 's|.*/||')
run inside show cc
is "$status" 2 "nothing of that name"
run inside show aa 0000000000000000
like "$output" "E6004 .*no version" "no such version"

run "$BIN/clapet-audit" bundle --root "$D/repository/metadata/1.root.json" "$first"
is "$status" 0 "clapet-audit: the bundle holds"
like "$output" "^attested +4 envelopes, signed by their dataset's key" "with four envelopes"
run "$BIN/clapet-audit" store --root "$D/repository/metadata/1.root.json" "$T/in/store"
is "$status" 0 "and so does the store"
like "$output" "^attested +4 envelopes" "with four"

# --- the same data again ---------------------------------------------------------------------------------------------
before=$(find "$targets/aa" "$targets/bb" -type f | sort | sha256sum)
sleep 1.1
outside "$D" sync --force
is "$status" 0 "the same data, looked at again"
like "$output" "^aa: unchanged" "are no new version"
is "$(find "$targets/aa" "$targets/bb" -type f | sort | sha256sum)" "$before" "and no new attestation"
ok "the role's metadata stay" test ! -e "$D/repository/metadata/2.aa.json"

# --- packed by a program that stated nothing, or killed before it did --------------------------------------------------
mv "$D/keys/timestamp.key" "$T/away.key"
printf 'code,people\nx,70\n' >"$T/www/b.csv"
outside "$D" sync bb
is "$status" 2 "packed, not signed: the key is away"
like "$output" "E9001 .*keys/timestamp.key is missing" "which is said"
rm "$D/state/bb/provenance.json"
mv "$T/away.key" "$D/keys/timestamp.key"
outside "$D" heartbeat
is "$status" 0 "a heartbeat signs what there is"
like "$output" "bb: the version that was packed has no statement of where it came from" "and not what nobody can vouch for"
ok "which stays unpublished" test ! -e "$D/repository/metadata/2.bb.json"
outside "$D" sync bb
like "$output" "bb: new version" "the next run fetches it again"
ok "and attests it" test -n "$(envelope "$targets" bb provenance.intoto.json)" -a -e "$D/repository/metadata/2.bb.json"
run inside import "$(newest_bundle "$D")"
like "$output" "bb: version .* in force" "and it goes in"

# --- a rogue outside -------------------------------------------------------------------------------------------------
# Everything is ours but what its signing worker is given, or gives: a proxy before the real one changes it.
mkdir -p "$T/rogue/bin" "$T/rogue/libexec/clapet"
cp "$BIN/clapet-outside" "$T/rogue/bin/"
cp "$LIBEXEC"/outside-* "$T/rogue/libexec/clapet/"
mv "$T/rogue/libexec/clapet/outside-sign" "$T/rogue/libexec/clapet/true-sign"
kinds=$(sed -n '/^enum outside_record_kind/,/^};/s/^\t\(OUTSIDE_[A-Z_]*\)[ ,].*/\1/p' outside/records.h | awk '{ print "s/\\<" $1 "\\>/" NR - 1 "/" }')
sed "$kinds" >"$T/rogue/libexec/clapet/outside-sign" <<PYTHON
#!/usr/bin/python3
import base64, json, os, select, socket, struct, sys
def statement(s): return s
def envelope(e, s): return e
dropped, skipping = [], False
exec(open("$T/rogue/mode.py").read())
above = socket.socket(fileno=3)
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:
    os.dup2(theirs.fileno(), 3)
    os.execv("$T/rogue/libexec/clapet/true-sign", ["outside-sign"] + sys.argv[1:])
theirs.close()
outputs = []
def memory(data):
    fd = os.memfd_create("rogue")
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
while True:
    for sock in select.select([above, ours], [], [])[0]:
        record, fds, flags, address = socket.recv_fds(sock, 65536, 1)
        if not record:
            os._exit(0)
        kind = struct.unpack_from("<I", record)[0]
        if sock is above and kind == OUTSIDE_ATTEST:
            said = statement(json.loads(os.pread(fds[0], 1 << 24, 0)))
            fds = [memory(json.dumps(said).encode())]
        if sock is above and kind == OUTSIDE_DATASET and not record[8:].startswith(b"status\\0"):
            record = record[:72] + struct.pack("<I", struct.unpack_from("<I", record, 72)[0] - len(dropped)) + record[76:]
        if sock is above and kind == OUTSIDE_TARGET:
            path = record[8:168].split(b"\\0")[0].decode()
            skipping = any(path == f"bb/{name}.intoto.json" for name in dropped)
        if sock is above and skipping and kind in (OUTSIDE_TARGET, OUTSIDE_PART):
            continue
        if sock is above and kind == OUTSIDE_OUTPUT:
            outputs.append((fds[0], said))
        if sock is ours and kind == OUTSIDE_END:
            for fd, said in outputs:
                text = envelope(json.loads(os.pread(fd, 1 << 24, 0) or b"{}"), said)
                os.ftruncate(fd, 0)
                os.pwrite(fd, (text if isinstance(text, str) else json.dumps(text)).encode(), 0)
        socket.send_fds(ours if sock is above else above, [record], fds)
PYTHON
chmod 0755 "$T/rogue/libexec/clapet/outside-sign"
people=100
rogue() { # STATUS CODE WORDS NAME: mode.py from stdin; a new version of bb, signed so, is carried inside
	cat >"$T/rogue/mode.py"
	people=$((people + 1))
	printf 'code,people\nx,%s\n' $people >"$T/www/b.csv"
	touch -d "@$((1700000000 + people))" "$T/www/b.csv" # another ETag within the same second
	run "$T/rogue/bin/clapet-outside" --config "$D/outside.json" sync bb
	is "$status" 0 "$4: the rogue outside signs it" || echo "$output" | sed 's/^/# /'
	run inside import "$(newest_bundle "$D")"
	is "$status" "$1" "$4: exit status $1"
	like "$output" "$2" "$4: by code"
	like "$output" "$3" "$4: in words"
}
seal='import base64
def seal(said, e):
    return {"payload": base64.b64encode(json.dumps(said).encode()).decode(), "payloadType": e.get("payloadType", "application/vnd.in-toto+json"),
            "signatures": e.get("signatures", [{"sig": "AAAA"}])}'

rogue 0 "bb: version .* in force" "in force" "a proxy that changes nothing" <<<""
data=$(cat "$T/in/store/current/bb/towns.csv")
rogue 1 "E4411 REFUSED bb" "provenance.intoto.json: subject bb/towns.csv has another SHA-256" "a wrong hash" <<'PYTHON'
def statement(s):
    next(x for x in s["subject"] if x["name"].endswith(".csv"))["digest"]["sha256"] = "0" * 64
    return s
PYTHON
rogue 1 "E4411 REFUSED bb" "test-result.intoto.json: bb/towns.csv is not among the subjects" "a file that is missing" <<'PYTHON'
def statement(s):
    if "test-result" in s["predicateType"]:
        s["subject"] = [x for x in s["subject"] if not x["name"].endswith(".csv")]
    return s
PYTHON
rogue 1 "E4411 REFUSED bb" "subject bb/other.csv is no file of this version" "a file too many" <<'PYTHON'
def statement(s):
    s["subject"].append({"name": "bb/other.csv", "digest": {"sha256": "0" * 64}})
    return s
PYTHON
rogue 1 "E4410 REFUSED bb" 'provenance.intoto.json: predicateType "https://slsa.dev/provenance/v0.2"' "a wrong predicate" <<PYTHON
$seal
def envelope(e, s):
    s["predicateType"] = s["predicateType"].replace("provenance/v1", "provenance/v0.2")
    return seal(s, e)
PYTHON
rogue 1 "E4410 REFUSED bb" '_type "https://in-toto.io/Statement/v0.1"' "a wrong statement type" <<PYTHON
$seal
def envelope(e, s):
    s["_type"] = "https://in-toto.io/Statement/v0.1"
    return seal(s, e)
PYTHON
rogue 1 "E4412 REFUSED bb" "1 tests failed, the first is towns/cells" "a result that is FAILED" <<'PYTHON'
def statement(s):
    if "test-result" in s["predicateType"]:
        s["predicate"].update(result="FAILED", failedTests=["towns/cells"])
    return s
PYTHON
rogue 1 "E4411 REFUSED bb" "resource towns: its digest as published" "another origin than the package names" <<'PYTHON'
def statement(s):
    for d in s["predicate"].get("buildDefinition", {}).get("resolvedDependencies", []):
        d["digest"]["sha256"] = "1" * 64
    return s
PYTHON
rogue 1 "E2170 REFUSED bb" 'provenance.intoto.json: envelope: "payload" is not base64' "malformed base64" <<'PYTHON'
def envelope(e, s):
    return dict(e, payload=e["payload"].rstrip("=") + "A")
PYTHON
is "$(cat "$T/in/store/current/bb/towns.csv")" "$data" "none of it is in force, what was stays"

# What only a key can tell: the bytes are those that TUF names, the signature in them is nobody's.
rogue 0 "bb: version .* in force" "in force" "a signature that does not hold" <<'PYTHON'
import base64
def envelope(e, s):
    if "slsa" in s["predicateType"]:
        signature = bytearray(base64.b64decode(e["signatures"][0]["sig"]))
        signature[5] ^= 1
        e["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return e
PYTHON
run "$BIN/clapet-audit" store --root "$D/repository/metadata/1.root.json" "$T/in/store"
is "$status" 1 "clapet-audit sees it in the store"
like "$output" "E2171 .*bb/provenance.intoto.json: 0 of the 1 signatures that the delegation asks for" "and names it"
is "$(grep -c E2171 <<<"$output")" 1 "it alone"
run "$BIN/clapet-audit" bundle --root "$D/repository/metadata/1.root.json" "$(newest_bundle "$D")"
is "$status" 1 "and in the bundle"
like "$output" "E2171 .*bb/provenance.intoto.json" "by name"
run inside verify
is "$status" 1 "clapet-inside verify sees it, too"
like "$output" "E2171" "by code"

echo 'def envelope(e, s): return json.dumps(e) + " " * 6291456' >"$T/rogue/mode.py"
printf 'code,people\nx,large\n' | sed 's/large/999/' >"$T/www/b.csv"
run "$T/rogue/bin/clapet-outside" --config "$D/outside.json" sync bb
is "$status" 2 "an envelope larger than any may be is not published"
like "$output" "E1302 .*bb: outside-sign wrote no provenance.intoto.json: File too large" "and named"
echo "" >"$T/rogue/mode.py"
outside "$D" sync
is "$status" 0 "the next run attests what waited"
run inside import "$(newest_bundle "$D")"
like "$output" "bb: version .* in force" "and it goes in"

# --- none, from an outside that makes none: held, unless the policy says that they are optional -----------------------
rogue 1 "E4410 REFUSED bb" "test-result.intoto.json is missing: both attestations, or none" "one of two" <<<'dropped = ["test-result"]'
rogue 3 "E4413 HELD bb version .*rule policy-attestations" "In force stays" "none at all" <<<'dropped = ["provenance", "test-result"]'
run inside quarantine
like "$output" "E4413 policy, - \(rule policy-attestations\)" "quarantine gives the reason"
policy ', "attestations": "optional"'
run inside import
is "$status" 0 "a policy that says optional lets it in"
like "$output" "bb: version .* in force" "as a version"
run inside show bb
is "$status" 0 "show of it"
like "$output" "published without attestations" "says that there are none"
policy ""
rogue 3 "E4413 HELD bb" "policy-attestations" "none again" <<<'dropped = ["provenance", "test-result"]'
run inside approve bb --reason "the outside is updated next week"
is "$status" 0 "a person may let it in as well"
run "$BIN/clapet-audit" store --root "$D/repository/metadata/1.root.json" "$T/in/store"
is "$(grep -c '^E' <<<"$output")" 1 "and the auditor still has but the one envelope to complain of" || echo "$output" | sed 's/^/# /'

done_testing
