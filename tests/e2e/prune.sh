#!/bin/bash
# SPDX-License-Identifier: ISC
# What the outside's repository keeps, and what goes: by age and by versions, never what is named or waits for a signature; killed in between.
. tests/lib.sh
. tests/world.sh

R=$T/out/repository
keys() { "$BIN/clapet-keys" --no-passphrase "$@"; }
# A table that no patch makes small, of the generation N; row 7 as given.
table() { # GENERATION TEXT
	awk -v generation="$1" -v text="$2" 'BEGIN {
		print "code,nom"; y = 1000 * generation + 1
		for (i = 1; i <= 2000; i++) { y = (y * 16807) % 2147483647; printf "%06d,%s-%d\n", i, i == 7 ? text : "nom", y }
	}' >"$T/data/villes.csv"
}
configure() { # keepAtLeast keepVersions
	sed -i -e 's/ "keepAtLeast": "[^"]*", "keepVersions": [0-9]*,//' \
		-e "s/\"allowFile\": true,/& \"keepAtLeast\": \"$1\", \"keepVersions\": $2,/" "$T/out/outside.json"
}
# All that was written, N days ago: the repository as it would be then.
age() { find "$R" -type f -exec touch -d "$1 days ago" {} +; }
count() { find "$R/$1" -type f | wc -l; }
# Every blob and plain file that the newest metadata (and pending ones) name, by their own words; what is not there is printed.
lacking() {
	python3 - "$R" <<-'PYTHON'
	import glob, json, os, sys
	r = sys.argv[1]
	load = lambda path: json.load(open(path))["signed"]
	snapshot = load(f'{r}/metadata/{load(r + "/metadata/timestamp.json")["meta"]["snapshot.json"]["version"]}.snapshot.json')
	files = [f'{r}/metadata/{m["version"]}.{name}' for name, m in snapshot["meta"].items()] + glob.glob(r + "/metadata/pending/*.json")
	for path in files:
	    for name, target in load(path)["targets"].items():
	        custom = target.get("custom", {})
	        for parts in [e["parts"] for e in custom.get("encodings", [])] + [e["base"]["parts"] for e in custom.get("encodings", []) if "base" in e]:
	            for part in parts:
	                if not os.path.exists(f'{r}/blobs/{part["sha256"]}'):
	                    print("blob", part["sha256"][:10], "of", path)
	        for digest in [target["hashes"]["sha256"]] + [e["base"]["sha256"] for e in custom.get("encodings", []) if "base" in e]:
	            folder, file = os.path.split(name)
	            if not os.path.exists(f'{r}/targets/{folder}/{digest}.{file}'):
	                print("file", digest[:10], file, "of", path)
	PYTHON
}
ok "a world is made" world_new
world_source villes "code:string nom:string"
configure 30d 0

# --- by age -----------------------------------------------------------------------------------------------------------------
for generation in 1 2 3 4; do
	table $generation a
	world_sync
done
run outside prune
is "$status" 0 "prune"
like "$output" '^gone: 0 metadata, 0 blobs, 0 files, 0 B' "what lost its place a moment ago stays"
ok "the oldest version's blobs, too" test "$(count blobs)" -gt 12
age 29
outside prune >/dev/null
ok "for as long as the configuration says" test "$(count blobs)" -gt 12
age 31
before=$(find "$R" -type f | sort)
run outside prune --dry-run
like "$output" '^would go: [1-9][0-9]* metadata, [1-9][0-9]* blobs, [1-9][0-9]* files, .*; what others took the place of stays for 30 days, and 0 older versions' "a dry run says how much would go"
is "$(find "$R" -type f | sort)" "$before" "and removes nothing"
would=$(sed 's/^would go: \([^;]*\);.*/\1/' <<<"$output")
run outside prune
like "$output" "^gone: $would;" "and just that goes"
is "$(lacking)" "" "all that the newest metadata name is there"
is "$(count metadata)" 6 "of the metadata the current ones are left, and the root"
ok "root, first and last" test -e "$R/metadata/1.root.json"
like "$(outside log --last 1)" 'prune +-? *.*[0-9]+ metadata, [0-9]+ blobs and [0-9]+ files that nothing names any more' "the log says it"
run outside prune
like "$output" '^gone: 0 metadata, 0 blobs, 0 files' "then there is nothing left to remove"
table 5 a
world_sync
is "$(sed -n 's/^villes: \(new\) version.*/\1/p' "$T/sync.log")" new "and the outside goes on"
run inside import "$T"/out/outbox/*.tar
is "$status" 0 "an inside that starts now takes it"
ok "with its rows" cmp "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"

# --- by versions, patches and their keyframes -----------------------------------------------------------------------------------
for text in b c d; do
	table 5 $text
	world_sync
done
keyframe=$(python3 -c 'import json, sys; print([f["base"]["parts"][0]["sha256"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["base"]][0])' "$T/out/state/villes/state.json")
ok "it travels as a patch" test -n "$keyframe"
configure 30d 2
age 60
outside prune >/dev/null
is "$(find "$R/metadata" -name '*.villes.json' | wc -l)" 3 "two older versions stay, whatever their age"
is "$(find "$R/targets/villes" -name '*.villes.csv' | wc -l)" 4 "with their files, and the keyframe's"
configure 30d 0
outside prune >/dev/null
is "$(find "$R/targets/villes" -name '*.villes.csv' | wc -l)" 2 "or only the newest and what it is a patch against"
ok "the keyframe's blob stays for as long as a patch needs it" test -e "$R/blobs/$keyframe"
is "$(lacking)" "" "nothing that is named is lacking"
table 5 e
world_sync
run outside status
like "$output" 'villes/villes.csv +patch ' "the next one is a patch against it"

# --- what a request may still ask for -----------------------------------------------------------------------------------------
old=$(python3 -c 'import json, sys; print([f["parts"][0]["sha256"] for f in json.load(open(sys.argv[1]))["published"]["files"] if f["name"] == "villes.csv"][0])' "$T/out/state/villes/state.json")
table 5 f
world_sync
ok "a blob of the version before can still be sent again" test -e "$R/blobs/$old"

# --- what nothing ever named ----------------------------------------------------------------------------------------------------
printf lost >"$R/blobs/$(printf lost | sha256sum | cut -c1-64)"
printf lost >"$R/targets/villes/$(printf lost | sha256sum | cut -c1-64).villes.csv"
printf mine >"$R/blobs/readme"
printf mine >"$R/targets/villes/readme.csv"
outside prune >/dev/null
ok "what a killed run left stays for its time" test -e "$R/blobs/$(printf lost | sha256sum | cut -c1-64)"
age 31
outside prune >/dev/null
not_ok "and then goes" test -e "$R/blobs/$(printf lost | sha256sum | cut -c1-64)" -o -e "$R/targets/villes/$(printf lost | sha256sum | cut -c1-64).villes.csv"
ok "what is not ours is left alone" test -e "$R/blobs/readme" -a -e "$R/targets/villes/readme.csv"

# --- a state that is lost: the metadata still name what they name ------------------------------------------------------------------
mv "$T/out/state/villes" "$T/villes.state"
age 31
outside prune >/dev/null
is "$(lacking)" "" "what the newest metadata name stays without a state"
mv "$T/villes.state" "$T/out/state/villes"

# --- metadata that cannot be read: nothing goes ----------------------------------------------------------------------------------------
table 6 a
world_sync
age 31
mkdir "$R/metadata/strange"
ln -s nowhere "$R/metadata/strange/9.villes.json"
outside prune >/dev/null
is "$(lacking)" "" "a folder or a link among the metadata does no harm"
rm -r "$R/metadata/strange"

# --- once a day, by itself -----------------------------------------------------------------------------------------------------------------
table 7 a
world_sync
age 31
n=$(count blobs)
outside heartbeat >/dev/null
ok "a run of the same day does not look" test "$(count blobs)" -ge "$n"
python3 - "$T/out/state/agent.json" <<'PYTHON'
import json, sys
state = json.load(open(sys.argv[1]))
state["prunedAt"] = "2020-01-01T00:00:00Z"
json.dump(state, open(sys.argv[1], "w"))
PYTHON
outside heartbeat >/dev/null
ok "one a day later does" test "$(count blobs)" -lt "$n"
is "$(lacking)" "" "and nothing that is named is lacking"

# --- what the configuration may say ------------------------------------------------------------------------------------------------------------
run outside check
like "$output" '^good     keepAtLeast: what others took the place of stays for 30 days, and 0 older versions' "check says what stays"
configure 1d 5
run outside check
like "$output" '^WARNING  keepAtLeast is 1 day: an inside that heard nothing for 3 days \(longestSilence\) may ask for what is gone' "and warns of what is too short"
configure 30d 1001
run outside check
is "$status" 2 "there is a bound"
configure never 3
run outside check
is "$status" 2 "and a form"
configure 1s 0
run outside --json prune
is "$status" 2 "--json is prune's own option"
run outside prune --json
ok "prune tells machines" python3 -c 'import json, sys; d = json.loads(sys.argv[1]); sys.exit(not (d["format"] == "clapet prune 1" and d["metadata"] >= 0 and d["exit"] == 0))' "$output"

# --- killed in between: what is named is there, and the next one ends it ---------------------------------------------------------------------------
if command -v strace >/dev/null; then
	configure 30d 0
	for generation in 8 9 10 11 12; do
		table $generation a
		world_sync
	done
	configure 1s 0
	age 31
	cp -a "$T/out" "$T/out.before"
	killed=0 bad=
	for n in 1 2 3 5 8 12 17 23 30; do
		rm -rf "$T/out" && cp -a "$T/out.before" "$T/out"
		{ strace -f -qq -o /dev/null -e trace=unlinkat,sendmsg,fsync -e inject=unlinkat,sendmsg,fsync:signal=KILL:when=$n \
			"$BIN/clapet-outside" --config "$T/out/outside.json" prune >/dev/null || killed=$((killed + 1)); } 2>/dev/null
		[ -z "$(lacking)" ] || bad="$bad $n(lacking)"
		outside prune >/dev/null 2>&1 || bad="$bad $n(again)"
		[ -z "$(lacking)" ] || bad="$bad $n(lacking-after)"
		find "$R" -type f ! -name readme\* | sed "s|$R||" | sort >"$T/left"
		[ -e "$T/left.first" ] || cp "$T/left" "$T/left.first"
		cmp -s "$T/left" "$T/left.first" || bad="$bad $n(other)"
		outside sync --force >/dev/null 2>&1 || bad="$bad $n(sync)"
	done
	ok "the sweep really kills ($killed times)" test $killed -gt 5
	is "$bad" "" "killed at any call, nothing that is named is lost, and the next pruning ends as every other"
fi

# --- four eyes: what waits for its second signature keeps all that it needs ---------------------------------------------------------------------------
mkdir "$T/safe" "$T/carry"
keys generate --output "$T/safe/second.key" --public "$T/carry/second.pub" >/dev/null
mv "$T/out/keys/targets.key" "$T/safe/"
keys delegate villes --repository "$R" --keys "$T/out/keys" --key-public "$T/carry/second.pub" --threshold 2 --request "$T/carry/targets.request" >/dev/null
keys sign "$T/carry/targets.request" --key "$T/safe/targets.key" --yes >/dev/null
keys assemble "$T/carry/targets.request" "$T"/carry/targets.*.signature --repository "$R" >/dev/null
outside heartbeat >/dev/null 2>&1
sign() {
	rm -f "$T"/carry/*.villes.*
	outside cosign --to "$T/carry" >/dev/null && keys sign "$T"/carry/*.villes.request --key "$T/safe/second.key" --yes >/dev/null
	run outside cosign "$T"/carry/*.villes.*.signature
}
configure 1s 0
sign
is "$status" 0 "villes is signed by two"
table 7 b
run outside sync --force
is "$status" 3 "a new version waits"
age 31
run outside prune
is "$status" 0 "while it waits"
is "$(lacking)" "" "nothing of it goes, nor of the version in force"
mv "$T/out/state/villes" "$T/villes.state"
outside prune >/dev/null
is "$(lacking)" "" "not even without its state: the metadata that wait name it"
mv "$T/villes.state" "$T/out/state/villes"
sign
is "$status" 0 "the second signature comes"
is "$(lacking)" "" "and all is there"
rm -rf "$T/in/store" && mkdir "$T/in/store"
inside init --root "$R/metadata/1.root.json" >/dev/null
mkdir "$T/medium"
run outside export --all --to "$T/medium"
is "$status" 0 "all of it can be exported"
echo '{"format": "clapet policy 1", "datasets": [{"name": "villes", "threshold": 2, "opaque": false}]}' >"$T/in/policy.json"
run inside import "$T/medium"
is "$status" 0 "for a new inside"
ok "that has the newest rows" cmp "$T/data/villes.csv" "$T/in/store/current/villes/villes.csv"
done_testing
