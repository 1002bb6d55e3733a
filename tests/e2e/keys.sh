#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-keys as a person uses it: init, generate, show, sign; what it refuses; passphrases from a descriptor, a credential and a
# terminal.
. tests/lib.sh
keys=$BIN/clapet-keys
unset CREDENTIALS_DIRECTORY
cd "$T" || exit 2
fingerprint() { sha256sum "$1" | cut -c 1-64; }
init() { "$keys" init --repository "$1/repository" --keys "$1/keys" --root-key "$1/root.key" "${@:2}"; }

# --- init ---
mkdir a
run init a --no-passphrase --json
is "$status" 0 "init makes a repository"
is "$(cd a && find . -type f | sort | tr '\n' ' ')" "./keys/snapshot.key ./keys/targets.key ./keys/timestamp.key ./repository/metadata/1.root.json ./repository/metadata/1.snapshot.json ./repository/metadata/1.targets.json ./repository/metadata/timestamp.json ./root.key " "exactly the files that it promises"
is "$(stat -c %a a/root.key a/keys/targets.key a/keys | tr '\n' ' ')" "400 400 700 " "secrets are their owner's alone"
like "$output" "\"fingerprint\": \"$(fingerprint a/repository/metadata/1.root.json)\"" "the fingerprint is what sha256sum says"
before=$(find a -type f -exec sha256sum {} + | sort)
run init a --no-passphrase
is "$status" 1 "a second init is refused"
like "$output" "E2124 REFUSED .* already there" "with its code"
rm -r a/repository
run init a --no-passphrase
like "$output" "E2124 REFUSED a/keys/targets.key is already there" "also where only the keys are left"
not_ok "and signs nothing" test -e a/repository/metadata/1.root.json
is "$(grep -c . <<<"$before")" 8 "(there were eight files)"

mkdir b
run init b --dataset-threshold 2 --no-passphrase
is "$status" 1 "a dataset threshold of 2 is refused while the targets key is here"
like "$output" "E2125 REFUSED .*targets.key" "and it says why"
not_ok "before anything was made" test -e b/keys
run "$keys" init --repository b/r --keys b/keys --root-key b/keys/root.key --no-passphrase
like "$output" "E2125 REFUSED .*root key does not belong" "the root key may not lie among the others"
run init b --root-threshold 2 --no-passphrase
is "$status" 2 "a threshold above the number of root keys is a usage error"
run "$keys" init --no-passphrase
is "$status" 2 "so is init without folders"

mkdir c
"$keys" generate --no-passphrase --output c/root.key >/dev/null
run init c --root-key c/second.key --root-threshold 2 --no-passphrase --silence 45d
is "$status" 0 "a root key that exists is used, a second is made"
like "$output" "root.key .was there." "it says which"
run "$keys" show c/repository/metadata/1.root.json
like "$output" "root +2 of 2 keys" "two of two root keys"
like "$output" "signatures +2 good of its own root keys, 2 needed" "both signed"
run "$keys" show --json c/repository/metadata/timestamp.json
expires=$(sed -n 's/.*"expires": "\(.*\)".*/\1/p' <<<"$output")
days=$((($(date -d "$expires" +%s) - $(date +%s)) / 86400))
ok "the timestamp lives as long as the silence ($days days)" test "$days" -ge 44 -a "$days" -le 45

# --- passphrases ---
mkdir d
run init d --passphrase-fd 7 7<<<'correct horse'
is "$status" 0 "init with a passphrase from a descriptor"
like "$(cat d/keys/targets.key)" '"kdf": "argon2id"' "the keys are encrypted"
is "$(cat d/root.key d/keys/*.key | grep -c '"encryption": null')" 0 "all of them"
is "$(grep -h '"salt"' d/root.key d/keys/*.key | sort -u | wc -l)" 1 "under one salt: one derivation opens them all"
metadata=d/repository/metadata
run "$keys" sign --key d/root.key --passphrase-fd 7 $metadata/1.root.json 7<<<'correct horse'
is "$status" 0 "the right passphrase signs"
like "$output" "Was signed already" "and a signature that is there stays"
run "$keys" sign --key d/root.key --passphrase-fd 7 $metadata/1.root.json 7<<<'wrong horse'
is "$status" 1 "a wrong passphrase does not"
like "$output" "E2121 REFUSED d/root.key" "with its code"
mkdir credentials
echo 'correct horse' >credentials/passphrase
CREDENTIALS_DIRECTORY=$T/credentials run "$keys" sign --key d/root.key $metadata/1.root.json
is "$status" 0 "a systemd credential opens it too"
run setsid "$keys" sign --key d/root.key $metadata/1.root.json </dev/null
is "$status" 1 "without any, and without a terminal, it is refused"
chmod 0440 d/root.key
run "$keys" sign --key d/root.key --passphrase-fd 7 $metadata/1.root.json 7<<<'correct horse'
like "$output" "E2122 REFUSED d/root.key: mode 0440" "a key that a group can read is refused"
run "$keys" show d/root.key
like "$output" "OTHERS CAN READ IT" "show says so"
chmod 0400 d/root.key

cat >terminal.py <<'END'
# Runs argv[2:] on a terminal of its own; answers each prompt ending in ": " with the next word of argv[1].
import os, pty, signal, sys
signal.alarm(20)
answers = sys.argv[1].split(",")
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        got = os.read(fd, 1024)
    except OSError:
        break
    if not got:
        break
    seen += got
    if seen.endswith(b": ") and answers:
        os.write(fd, answers.pop(0).encode() + b"\n")
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
run python3 terminal.py "correct horse" "$keys" sign --key d/root.key $metadata/1.root.json
is "$status" 0 "a terminal is asked"
unlike "$output" "correct horse" "without echo"
run python3 terminal.py "one,one" "$keys" generate --output e.key
is "$status" 0 "a new passphrase is asked twice"
run python3 terminal.py "a,b,c,d,e,f" "$keys" generate --output f.key
is "$status" 1 "two that differ are no passphrase"
not_ok "and make no key" test -e f.key

# --- generate ---
run "$keys" generate --no-passphrase --output one.key
is "$status" 0 "generate makes a key"
sum=$(sha256sum one.key)
run "$keys" generate --no-passphrase --output one.key
is "$status" 1 "and never overwrites one"
is "$(sha256sum one.key)" "$sum" "(the key is the same)"

# --- sign ---
mkdir s
cp c/repository/metadata/* s/
python3 - s/1.root.json s/2.root.json <<'END'
import json, sys
root = json.load(open(sys.argv[1]))
root["signed"]["version"] = 2
root["signatures"] = []
json.dump(root, open(sys.argv[2], "w"), indent=1)
END
part() { python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["signed"], sort_keys=True))' "$1"; }
signed=$(part s/2.root.json)
run "$keys" sign --key c/root.key s/2.root.json
is "$status" 0 "a first signature"
like "$output" "1 of 2 signatures: not valid yet" "it counts"
run "$keys" sign --key c/second.key s/2.root.json
like "$output" "2 of 2 signatures" "a second by the other key"
run "$keys" sign --json --key c/second.key s/2.root.json
like "$output" '"changed": false, "signatures": 2, "threshold": 2' "the same key counts once"
is "$(part s/2.root.json)" "$signed" "the signed part is the same"
sum=$(sha256sum s/2.root.json)
run "$keys" sign --key one.key s/2.root.json
is "$status" 1 "a key that the role does not name is refused"
like "$output" "E2123 REFUSED one.key" "with its code"
run "$keys" sign --key c/keys/snapshot.key s/1.targets.json
like "$output" "E2123" "also another role's key"
is "$(sha256sum s/2.root.json)" "$sum" "and the file is not touched"
sed -i 's/"sig":"[0-9a-f]/"sig":"g/' s/1.snapshot.json
run "$keys" sign --key c/keys/snapshot.key s/1.snapshot.json
like "$output" "E2126 REFUSED 1.snapshot.json is named by its hash already" "a file that is named by its hash stays as it is"
echo '{"a": 1, "a": 2}' >s/9.root.json
run "$keys" sign --key one.key s/9.root.json
is "$status" 1 "what is no metadata is not signed"
rm s/9.root.json

# --- show ---
run "$keys" show a/root.key c/repository/metadata/*.json
is "$status" 0 "show reads keys and all four types of metadata"
unlike "$output" "$(sed -n 's/.*"secret": "\(.*\)".*/\1/p' a/root.key)" "no secret is shown"
hash=$(fingerprint c/repository/metadata/1.root.json)
like "$output" "fingerprint  ${hash:0:4} ${hash:4:4} ${hash:8:4} ${hash:12:4} " "fingerprints in groups of four"
ok "JSON is JSON" sh -c "'$keys' show --json a/root.key c/repository/metadata/*.json | python3 -m json.tool"
printf '{"signatures": [], "signed": {"_type": "targets", "version": 1, "expires": "2020-01-01T00:00:00Z", "targets": {"a\\u001b[2J": {"length": 1}}}}' >evil.json
run "$keys" show evil.json
unlike "$output" $'\033' "no escape sequence reaches the terminal"
like "$output" "EXPIRED" "what is expired is called so"
run "$keys" show nothing.json a/root.key
is "$status" 2 "a missing file is trouble"
like "$output" "secret key, Ed25519, IN THE OPEN" "the others are shown"
run "$keys" show /dev/null
is "$status" 1 "an empty file is refused"
for command in "" init generate show sign; do
	# shellcheck disable=SC2086
	ok "help ${command:-of all}" "$keys" $command --help
done
done_testing
