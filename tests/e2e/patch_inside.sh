#!/bin/bash
# SPDX-License-Identifier: ISC
# Targets that travel as patches (FORMAT.md 5.4), inside: with the base in the store, with the base's blob, in any order, with a base that was lost or
# damaged, with a patch against another file; what retention keeps, and what the auditor re-checks.
. tests/lib.sh
. tests/world.sh
audit() { "$BIN/clapet-audit" --test-bench --root "$T/out/repository/metadata/1.root.json" "$@"; }
repository=$T/out/repository
sha() { sha256sum <"$1" | cut -c1-64; }
table() { # NAME SED…: a table of 3,000 rows, and what is changed in it
	awk 'BEGIN { print "code,nom,n"; for (i = 1; i <= 3000; i++) printf "%05d,Ville %d,%d\n", i, i * 7919 % 3000, i * i % 991 }' |
		sed "${@:2}" -e '' >"$T/data/$1.csv"
}
# Of what was published last: the csv's blob, as outside made it; and those of the other files.
blob_of() { python3 tests/patchbundle.py blobs "$repository" villes | sed -n 's/.*\.csv //p'; }
blobs_of() { python3 tests/patchbundle.py blobs "$repository" villes | sed -n '/\.csv /!s/.* //p'; }
# A patch that makes FILE of the keyframe -> $T/villes.patch
patch() {
	rm -f "$T/villes.patch"
	"$BIN/clapet-outside" patch --base "$T/key.csv" "$1" --output "$T/villes.patch" >"$T/patch.log" 2>&1
}
# sign_patch FILE: what was published last travels as FILE, against $BASE with the blob $BASE_BLOB
BASE=$T/key.csv BASE_BLOB=$T/key.blob
sign_patch() { python3 tests/patchbundle.py sign "$repository" "$T/out/keys" villes villes.csv "$1" "$BASE" "$BASE_BLOB"; }
# publish SED…: a new version that travels as a patch
publish() { table villes "$@" && world_sync && patch "$T/data/villes.csv" && sign_patch "$T/villes.patch" || echo "Bail out! $(cat "$T/patch.log")"; }
bundle() { python3 tests/patchbundle.py bundle "$T/$1.tar" "$repository" "${@:2}"; }
current() { cat "$T/in/store/current/villes/villes.csv"; }
object() { echo "$T/in/store/datasets/villes/objects/$(sha "$1")"; }
fresh() { # another inside, of today's root
	rm -rf "$T/in/store" "$T"/in/incoming/* "$T"/in/spool/*
	mkdir -p "$T/in/store"
	inside init --root "$repository/metadata/1.root.json" >/dev/null
}

world_new
world_source villes "code:string nom:string n:integer"
table villes
world_sync
cp "$T/data/villes.csv" "$T/key.csv"
cp "$(blob_of)" "$T/key.blob"
key_hash=$(sha "$T/key.blob")
run inside import "$bundle"
is "$status" 0 "the keyframe comes in whole"

# --- against an object ---------------------------------------------------------------------------------------------------
publish -e 's/Ville 77$/Bourg/' -e '100s/Ville/Bourg/'
# shellcheck disable=SC2046 # names of blobs
bundle one "$T/villes.patch" $(blobs_of)
ok "its patch is a small part of it" test "$(stat -c %s "$T/villes.patch")" -lt 300
run inside import "$T/one.tar"
is "$status" 0 "a patch against an object of the store comes in force"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
run audit store "$T/in/store"
is "$status" 0 "the auditor finds nothing wrong"
like "$output" "9, 9 files decoded" "and has decoded the patch, too"
run audit bundle "$T/one.tar"
is "$status" 0 "the bundle holds by itself"
like "$output" "a patch against sha256:$(sha "$T/key.csv") \(0 of 1 parts of that here\)" "and says what it is against"
ok "as JSON" python3 -c 'import json, sys, subprocess
told = json.loads(subprocess.run(sys.argv[2:], capture_output=True).stdout)
assert [f["base"] for f in told["files"] if "base" in f] == [{"hash": "sha256:" + sys.argv[1], "bytes": int(0 + __import__("os").path.getsize("'"$T"'/key.csv")), "parts": 1, "partsHere": 0}]' \
	"$(sha "$T/key.csv")" "$BIN/clapet-audit" --test-bench --root "$repository/metadata/1.root.json" --json bundle "$T/one.tar"

# --- a late joiner: the patch first, then what it is against ------------------------------------------------------------
fresh
run inside import "$T/one.tar"
is "$status" 4 "without its base a patch waits"
not_ok "nothing is in force" test -e "$T/in/store/current/villes"
run inside missing
like "$output" "$key_hash" "what is asked for is the keyframe's blob"
unlike "$output" "$(sha "$T/villes.patch")" "and not the patch, which is here"
bundle key "$T/key.blob"
run inside import "$T/key.tar"
is "$status" 0 "the keyframe's blob brings it in force"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
ok "the base is an object of the dataset" cmp "$T/key.csv" "$(object "$T/key.csv")"
run audit store "$T/in/store"
is "$status" 0 "the auditor knows why it is there"
ok "nothing is left in the spool" test -z "$(ls -A "$T/in/spool")"

# --- both in one bundle --------------------------------------------------------------------------------------------------
fresh
# shellcheck disable=SC2046
bundle both "$T/key.blob" "$T/villes.patch" $(blobs_of)
run inside import "$T/both.tar"
is "$status" 0 "keyframe and patch in one bundle come in force at once"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
publish -e '200s/Ville/Bourg/'
# shellcheck disable=SC2046
bundle two "$T/villes.patch" $(blobs_of)
run inside import "$T/two.tar"
is "$status" 0 "the next one is against the object that the base became"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)

# --- a damaged base ------------------------------------------------------------------------------------------------------
damage() { chmod u+w "$1" && printf 'XXXX' | dd of="$1" bs=1 seek=20000 conv=notrunc status=none; }
damage "$(object "$T/key.csv")"
publish -e '300s/Ville/Bourg/'
# shellcheck disable=SC2046
bundle three "$T/villes.patch" $(blobs_of)
run inside import "$T/three.tar"
is "$status" 0 "a damaged base stops nothing while its blob is in the mirror"
like "$output" "E4421 .*villes.csv: its base here is no longer $(sha "$T/key.csv"): other bytes" "but is told, by its name"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
run inside log
like "$output" "alarm.*E4421|E4421" "the log has it"
run audit store "$T/in/store"
is "$status" 1 "the auditor finds the object"
publish -e '400s/Ville/Bourg/'
# shellcheck disable=SC2046
bundle four "$T/villes.patch" $(blobs_of)
rm -f "$T/in/store/mirror/blobs/$key_hash"
before=$(store_digest)
run inside import "$T/four.tar"
is "$status" 4 "where its blob is gone, too, it is missing"
like "$output" "E4421" "the damage is told"
is "$(store_digest)" "$before" "nothing changed"
run inside missing
like "$output" "$key_hash" "and its blob is asked for"
bundle key "$T/key.blob"
run inside import "$T/key.tar"
is "$status" 0 "which brings the version in force"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)
truncate -s 1000 "$(object "$T/key.csv")"
publish -e '500s/Ville/Bourg/'
# shellcheck disable=SC2046
bundle five "$T/villes.patch" $(blobs_of)
run inside import "$T/five.tar"
is "$status" 0 "a base that was cut, likewise"
like "$output" "E4421 .*another length" "is told"

# --- patches that are not what was signed --------------------------------------------------------------------------------
fresh
run inside import "$T/key.tar"
# refused NAME CODE WHAT: what was signed last is refused
refused() {
	local blobs
	blobs=$(blobs_of)
	# shellcheck disable=SC2086
	bundle refused "$T/villes.patch" "$T/key.blob" ${OTHER_BLOB:-} $blobs
	run inside import "$T/refused.tar"
	is "$status" 1 "refused: $2"
	like "$output" "E$1 REFUSED .*villes.csv: $3" "with the rule"
}
table other -e '1000s/Ville/Bourg/'
zstd -q "$T/data/other.csv" -o "$T/other.blob"
BASE=$T/data/other.csv BASE_BLOB=$T/other.blob publish -e '600s/Ville/Bourg/'
OTHER_BLOB=$T/other.blob refused 4420 "a patch against another file than the signed base" "a patch against $(sha "$T/key.csv") of [0-9]+ bytes, $(sha "$T/data/other.csv") of"
publish -e '700s/Ville/Bourg/'
table other -e '701s/Ville/Bourg/'
patch "$T/data/other.csv"
sign_patch "$T/villes.patch"
refused 3104 "a patch that makes another file" "the plain bytes' SHA-256 is $(sha "$T/data/other.csv"), $(sha "$T/data/villes.csv") is signed \(bundle/FORMAT.md 15.2\)"
table other -e '702d'
publish -e '710s/Ville/Bourg/'
patch "$T/data/other.csv"
sign_patch "$T/villes.patch"
refused 4420 "a patch of another length" "a patch that makes $(stat -c %s "$T/data/other.csv") bytes, $(stat -c %s "$T/data/villes.csv") are signed"
publish -e '720s/Ville/Bourg/'
printf x >>"$T/villes.patch"
sign_patch "$T/villes.patch"
refused 3102 "bytes behind a patch" "a patch that goes on behind its last segment"
publish -e '730s/Ville/Bourg/'
truncate -s -5 "$T/villes.patch"
sign_patch "$T/villes.patch"
refused 3103 "half a patch" "the last part ends too early"
publish -e '740s/Ville/Bourg/'
sign_patch "$T/data/villes.csv"
cp "$T/data/villes.csv" "$T/villes.patch"
refused 3102 "what is no patch" 'does not begin with "clapet patch 1"'
publish -e '750s/Ville/Bourg/'
BASE_BLOB=$T/other.blob sign_patch "$T/villes.patch"
OTHER_BLOB=$T/other.blob
refused 3104 "a base whose blob is another file's" "its base: the plain bytes' SHA-256 is "
unset OTHER_BLOB
run audit store "$T/in/store"
not_ok "nothing of all that is in the store" test -e "$T/in/store/current/villes"
publish -e '760s/Ville/Bourg/'
# shellcheck disable=SC2046
bundle good "$T/villes.patch" "$T/key.blob" $(blobs_of)
run inside import "$T/good.tar"
is "$status" 0 "a good one comes in force after them"
ok "with the right bytes" cmp "$T/data/villes.csv" <(current)

# --- what retention keeps -------------------------------------------------------------------------------------------------
sed -i 's/"contracts": "contracts"/"keepGenerations": 2, "keepAtLeast": "1s", &/' "$T/in/inside.json"
fresh
for change in 801 802 803 804; do
	publish -e "${change}s/Ville/Bourg/"
	# shellcheck disable=SC2046
	bundle "keep$change" "$T/villes.patch" "$T/key.blob" $(blobs_of)
	run inside import "$T/keep$change.tar"
	sleep 1.1
	is "$status" 0 "version $change comes in force"
done
is "$(ls "$T/in/store/datasets/villes/v" | wc -l)" 2 "two versions are kept"
ok "and the base, which is none of them" cmp "$T/key.csv" "$(object "$T/key.csv")"
ok "with its blob" test -e "$T/in/store/mirror/blobs/$key_hash"
run audit store "$T/in/store"
is "$status" 0 "the auditor finds all in order"
old_patch=$T/in/store/mirror/blobs/$(sha "$T/villes.patch")
table villes -e '810s/Ville/Bourg/'
world_sync
run inside import "$bundle"
is "$status" 0 "a new keyframe comes in force"
not_ok "the old base goes with the version that was dropped" test -e "$(object "$T/key.csv")"
ok "while a version is kept that came as a patch, its blob stays" test -e "$old_patch"
ok "and so does its base's" test -e "$T/in/store/mirror/blobs/$key_hash"
run audit store "$T/in/store"
is "$status" 0 "the auditor decodes that base anew"
unlike "$output" "not decoded" "from its blob"
for change in 811 812; do
	table villes -e "${change}s/Ville/Bourg/"
	world_sync
	inside import "$bundle" >/dev/null 2>&1
done
not_ok "with the last such version goes its blob" test -e "$old_patch"
not_ok "and its base's" test -e "$T/in/store/mirror/blobs/$key_hash"
run audit store "$T/in/store"
is "$status" 0 "the auditor finds all in order"

done_testing
