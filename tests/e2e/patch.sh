#!/bin/bash
# SPDX-License-Identifier: ISC
# Patches by hand: made outside, looked at and decoded by the auditor's tool, and decoded by a reader that is not ours.
. tests/lib.sh
audit() { "$BIN/clapet-audit" --test-bench "$@"; }
patch() { "$BIN/clapet-outside" patch "$@"; }

awk 'BEGIN { print "code,nom,n"; for (i = 1; i <= 20000; i++) printf "%05d,Ville %d,%d\n", i, i * 7919 % 20000, i * i % 99991 }' >"$T/old.csv"
sed -e '1000s/Ville/Bourg/' -e '5000,5010d' -e '15000a 99999,Nouvelle,1' "$T/old.csv" >"$T/new.csv"

run patch --base "$T/old.csv" "$T/new.csv" --output "$T/blob"
is "$status" 0 "a patch is made"
like "$output" 'blob: [0-9]+ B for a file of .*, of which .* are in the base \([0-9]+ copies\); base sha256:[0-9a-f]{64}$' "one line says what it costs"
ok "a few hundred bytes for three changes" test "$(stat -c %s "$T/blob")" -lt 500
for threads in 1 3; do
	run patch --base "$T/old.csv" "$T/new.csv" --threads $threads --output "$T/blob.$threads" --json
	is "$status" 0 "$threads threads, as JSON"
	ok "which is JSON" python3 -c 'import json, sys; d = json.loads(sys.argv[1]); assert d["length"] < 500 and d["copied"] > 300000' "$output"
	ok "the same patch" cmp "$T/blob" "$T/blob.$threads"
done

run audit blob "$T/blob"
is "$status" 0 "blob: what it is"
like "$output" 'patch, .*, 1 segment for a file of' "its encoding"
like "$output" "base: .*, sha256:$(sha256sum <"$T/old.csv" | cut -c1-64)" "and its base"
run audit decode --base "$T/old.csv" "$T/blob" --output "$T/out.csv"
is "$status" 0 "decode"
like "$output" "sha256:$(sha256sum <"$T/new.csv" | cut -c1-64)" "prints the digest"
ok "and makes the file" cmp "$T/out.csv" "$T/new.csv"
run audit decode --base "$T/old.csv" "$T/blob" --output "$T/out.csv"
is "$status" 2 "no file is written over"
ok "decoded by a reader that is not ours" cmp "$T/new.csv" <(python3 tests/patchreader.py "$T/old.csv" "$T/blob")

run audit decode "$T/blob" --output "$T/no-base.csv"
is "$status" 4 "without its base it waits"
like "$output" "E3105 MISSING .*needs --base, the file of $(stat -c %s "$T/old.csv") bytes with SHA-256" "and says for which"
run audit decode --base "$T/new.csv" "$T/blob" --output "$T/wrong.csv"
is "$status" 1 "another base is refused"
like "$output" 'E3104 REFUSED .*new.csv is not its base' "by its digest"
head -c 100 "$T/blob" >"$T/cut"
run audit decode --base "$T/old.csv" "$T/cut" --output "$T/cut.csv"
is "$status" 1 "half a patch is refused"
like "$output" 'E3103 REFUSED' "as cut"
cat "$T/blob" "$T/blob" >"$T/twice"
run audit decode --base "$T/old.csv" "$T/twice" --output "$T/twice.csv"
is "$status" 1 "bytes behind it are refused"
like "$output" 'FORMAT.md 15.1' "with the clause"

not_ok "no file is left of what was refused" ls "$T/no-base.csv" "$T/wrong.csv" "$T/cut.csv" "$T/twice.csv"
is "$(find "$T" -name '.[!o]*')" "" "under no other name either"

# --- an output that cannot be ---
run audit decode --base "$T/old.csv" "$T/blob" --output "$T/absent/out.csv"
is "$status" 2 "a folder that is not there"
like "$output" 'absent/out.csv: No such file' "is named"
run audit decode --base "$T/old.csv" "$T/blob" --output "$T/"
is "$status" 2 "a folder is no file"
ln -s nowhere "$T/link"
run audit decode --base "$T/old.csv" "$T/blob" --output "$T/link"
is "$status" 2 "a link that leads nowhere is not followed"
like "$output" 'link: File exists' "for it is there"
(
	ulimit -f 8
	trap '' XFSZ
	audit decode --base "$T/old.csv" "$T/blob" --output "$T/full.csv" >"$T/full.said" 2>&1
	echo $? >"$T/full.status"
)
is "$(cat "$T/full.status")" 2 "a disk that takes no more is trouble"
like "$(cat "$T/full.said")" 'full.csv: File too large' "with what it said"
not_ok "and leaves no file" test -e "$T/full.csv"
(umask 077 && audit decode --base "$T/old.csv" "$T/blob" --output "$T/closed.csv" >/dev/null)
is "$(stat -c %a "$T/closed.csv")" 600 "the umask is heard"

# --- zstd ---
zstd -q "$T/new.csv" -o "$T/new.zst"
run audit blob "$T/new.zst"
is "$status" 0 "blob: zstd frames"
like "$output" 'zstd, .*, 1 frame for a file of' "are counted"
run audit decode "$T/new.zst" --output "$T/plain.csv"
is "$status" 0 "and decoded"
ok "to the file" cmp "$T/plain.csv" "$T/new.csv"
head -c 1000 "$T/new.zst" >"$T/cut.zst"
run audit blob "$T/cut.zst"
is "$status" 1 "a frame that ends early is refused"
run audit decode "$T/cut.zst" --output "$T/cut.plain"
is "$status" 1 "decoding it, too"
not_ok "and what was decoded before is no file" test -e "$T/cut.plain"
run audit blob "$T/new.csv"
is "$status" 1 "what is neither is refused"

# --- usage and trouble ---
run patch "$T/new.csv" --output "$T/x"
is "$status" 2 "patch without a base"
run patch --base "$T/absent" "$T/new.csv" --output "$T/x"
is "$status" 2 "a base that is not there"
like "$output" 'absent: No such file' "is named"
run patch --base "$T/old.csv" "$T" --output "$T/x"
is "$status" 2 "a folder"
not_ok "no blob is left of it" test -e "$T/x"
run patch --base "$T/old.csv" "$T/new.csv" --output "$T/blob"
is "$status" 2 "no blob is written over"
run patch --base "$T/old.csv" "$T/new.csv" --output "$T/y" --threads 0
is "$status" 2 "no thread"
run audit decode "$T/blob"
is "$status" 2 "decode without --output"

done_testing
