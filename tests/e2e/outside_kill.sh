#!/bin/bash
# SPDX-License-Identifier: ISC
# outside_kill.sh: kill -9 of clapet-outside at its every mutating call: what is remembered stays valid, and the next run brings the
# new version into a bundle, signed, with every blob that no finished bundle had.
. tests/lib.sh
. tests/portal.sh
command -v strace >/dev/null || skip_all "strace is not installed"
portal_start
D=$T/out
outside_init "$D"
source_put "$D" aa "http://127.0.0.1:$port/noetag/a.csv"
printf 'code,people\n1,1\n' >"$T/www/a.csv"
outside "$D" sync
is "$status" 0 "the first run"

# Whether all bundles together hold every blob that aa's newest role names.
is_complete() {
	for bundle in "$D"/outbox/*.tar; do tar tf "$bundle"; done | sed -n 's|^blobs/||p' | sort -u >"$T/sent"
	python3 - "$D" "$T/sent" <<-'PYTHON'
	import glob, json, os, re, sys
	folder, sent = sys.argv[1], set(open(sys.argv[2]).read().split())
	newest = max(glob.glob(folder + "/repository/metadata/*.aa.json"), key=lambda p: int(re.search(r"(\d+)\.aa", p)[1]))
	targets = json.load(open(newest))["signed"]["targets"]
	parts = {p["sha256"] for t in targets.values() for e in t["custom"]["encodings"] for p in e["parts"]}
	plain = targets["aa/towns.csv"]["hashes"]["sha256"]
	text = open(glob.glob(folder + f"/repository/targets/aa/{plain}.towns.csv")[0]).read()
	attested = sum(path.endswith(".intoto.json") for path in targets) == 2
	sys.exit(0 if attested and parts <= sent and text == open(folder + "/../www/a.csv").read() else 1)
	PYTHON
}

people=1
for call in renameat fsync unlinkat; do
	killed=0 bad=
	for n in $(seq 1 70); do
		people=$((people + 1))
		printf 'code,people\n1,%s\n' $people >"$T/www/a.csv"
		{ strace -qq -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$BIN/clapet-outside" --config "$D/outside.json" sync >/dev/null; } 2>/dev/null
		status=$?
		[ "$status" = 137 ] || break
		killed=$((killed + 1))
		outside "$D" sync
		[ "$status" = 0 ] && is_complete && ! grep -Eq '"sent": false|"version".*pending' "$D/state/aa/state.json" &&
			[ ! -e "$D/state/aa/work" ] && [ ! -e "$D/outbox/.bundle.tmp" ] || bad="$bad $n"
	done
	is "$bad" "" "killed at each of $killed times $call: the next run finishes the job"
	ok "$call: the sweep met calls and came to its end" test "$killed" -gt 2 -a "$killed" -lt 70
done
done_testing
