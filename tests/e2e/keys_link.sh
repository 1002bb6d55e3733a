#!/bin/bash
# SPDX-License-Identifier: ISC
# clapet-keys link: makes the key of a link once, says whose it is, and refuses every file that is no such key.
. tests/lib.sh
keys=$BIN/clapet-keys
cd "$T" || exit 2

run "$keys" link --output a.key
is "$status" 0 "a key is made"
id=$(sed -n 's/^{"format": "clapet link key 1", "id": "\([0-9a-f]\{8\}\)", "key": "[0-9a-f]\{64\}"}$/\1/p' a.key)
is "${#id}" 8 "it is the one line of FORMAT.md 29.2"
is "$(stat -c '%s %a' a.key)" "125 600" "of 125 bytes, its owner's alone"
like "$output" "a.key: a new key of the link $id" "its id is printed"
unlike "$output" "$(sed 's/.*"key": "\(.*\)".*/\1/' a.key)" "its secret is not"
is "$id" "$({
	printf 'clapet link id 1\n'
	python3 -c 'import json, sys; sys.stdout.buffer.write(bytes.fromhex(json.load(open("a.key"))["key"]))'
} | sha256sum | cut -c 1-8)" "the id is what sha256sum says"

before=$(sha256sum a.key)
run "$keys" link --output a.key
is "$status" 1 "no key is made over another"
like "$output" "E2124 REFUSED a.key is already there" "with its code"
is "$(sha256sum a.key)" "$before" "and it stays what it was"
ln -s nowhere dangling
run "$keys" link --output dangling
is "$status" 1 "nor through a link that leads nowhere"
not_ok "where nothing was made" test -e nowhere

run "$keys" link --output b.key --json
is "$(python3 -c 'import json, sys; d = json.load(sys.stdin); print(sorted(d), d["file"])' <<<"$output")" "['file', 'id'] b.key" "--json says file and id"
unlike "$(cat b.key)" "$id" "another key is of another link"

run "$keys" link a.key
is "$status" 0 "a key that is there is looked at"
like "$output" "a.key: the key of the link $id" "and its link named"
run "$keys" link a.key --json
like "$output" "\"id\": \"$id\"" "in JSON too"

chmod 0640 a.key
run "$keys" link a.key
is "$status" 1 "a key that a group can read is refused"
like "$output" "E2122 REFUSED a.key: mode 0640" "with its code"
chmod 0600 a.key
tr a-f A-F <a.key >upper.key
chmod 0600 upper.key
run "$keys" link upper.key
like "$output" "E7001 REFUSED upper.key: bundle/FORMAT.md 29.2" "so is one that was written otherwise"
sed 's/"id": "./"id": "x/' a.key >other.key
chmod 0600 other.key
run "$keys" link other.key
is "$status" 1 "one with another link's id"
: >empty.key
chmod 0600 empty.key
run "$keys" link empty.key
like "$output" "E7001 REFUSED empty.key" "an empty file"
run "$keys" link none.key
is "$status" 2 "a file that is not there is trouble"
run "$keys" link .
like "$output" "not a regular file" "a folder is no key"

run "$keys" link
is "$status" 2 "nothing asked for is a usage error"
run "$keys" link --output c.key a.key
is "$status" 2 "so is both at once"
not_ok "before anything was made" test -e c.key
run "$keys" link --output "nowhere/c.key"
is "$status" 2 "a folder that is not there is trouble"
run "$keys" link --output "c key"
is "$status" 2 "a name that no key file has, too"
mkdir open
chmod 0777 open
run "$keys" link --output open/c.key
is "$status" 1 "no key is made where others may write"
run "$keys" link --output /dev/full
like "$output" "E2124|E9001|E9004|E2122" "nor over a device"
is "$(stat -c %F /dev/full)" "character special file" "which stays one"

done_testing
