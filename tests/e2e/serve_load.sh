#!/bin/bash
# SPDX-License-Identifier: ISC
# Swap under load: readers ask for pinned and current files of three datasets at a fixed rate while sets come in force, by import and by rollback. No error, no
# mixed set: every answer is what the store shows for the generation that the answer names. tests/bench/serve_load.sh is the same with more of all.
WORLD_INSIDE='"reserve": 0, "keepGenerations": 1000, "rows": {"default": false, "datasets": {"villes": true}}'
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

RATE=${RATE:-400} SETS=${SETS:-5}
datasets="rues villes zones"
data() { # NUMBER: a set, which says its number in every row
	local name row
	for name in $datasets; do
		{
			echo code,nom,lot
			for row in {1..150}; do echo "$row,$name $row,$1"; done
		} >"$T/data/$name.csv"
	done
}
paths() {
	local name
	echo /catalog
	for name in $datasets; do
		printf '%s\n' "/datasets/$name" "/datasets/$name/$name.csv" "/datasets/$name/datapackage.json" "@/datasets/$name/$name.csv" "@/datasets/$name/datapackage.json" "@/datasets/$name"
	done
	printf '%s\n' @/catalog '/datasets/villes/villes?code=7' '@/datasets/villes/villes?code=7' '@/datasets/villes/villes?columns=lot&sort=-code'
}
# What was seen, against the store: of each generation the version and the bytes.
as_the_store_says() {
	python3 - "$T/in/store" "$1" <<'PYTHON'
import hashlib, os, sys
store, seen = sys.argv[1:]
n = 0
for line in open(seen, encoding="utf-8"):
    generation, path, version, etag = line.split()
    parts = path.partition("?")[0].split("/")[1:]
    if parts[0] != "datasets":
        continue
    folder = os.path.join(store, "generations", generation, parts[1])
    assert os.path.basename(os.readlink(folder)) == version, f"{line}: the store has {os.readlink(folder)}"
    if len(parts) == 3 and "." in parts[2]:
        with open(os.path.join(folder, parts[2]), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() in etag, f"{line}: the store has other bytes"
    n += 1
print(n)
assert n > 0
PYTHON
}
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$T/load.json" "$1"; }

serve_config
ok "a world is made" world_new
# shellcheck disable=SC2086
world_policy $datasets
for name in $datasets; do world_source "$name" "code:integer nom:string lot:integer"; done
bundles=()
for ((n = 0; n <= SETS; n++)); do
	data "$n"
	world_sync || break
	bundles+=("$bundle")
done
is "${#bundles[@]}" $((SETS + 1)) "bundles to come"
run inside import "${bundles[0]}"
is "$status" 0 "the first is in force"
ok "a server" serve_start

paths >"$T/paths"
"$PWD/$BUILD/tests/bench/serve_load" --rate "$RATE" --seconds 300 --seen "$T/seen" "127.0.0.1:$port" <"$T/paths" >"$T/load.json" 2>"$T/load.log" &
load=$!
on_exit "kill $load 2>/dev/null"
sleep 0.5
swapped=0
for ((n = 1; n <= SETS; n++)); do
	inside import "${bundles[n]}" >"$T/import.log" 2>&1 && swapped=$((swapped + 1))
	inside rollback --all --generation "$n" --reason test >>"$T/import.log" 2>&1 && swapped=$((swapped + 1))
	for name in $datasets; do inside release "$name" >>"$T/import.log" 2>&1 && swapped=$((swapped + 1)); done
done
ok "sets came in force while it was read ($swapped)" test "$swapped" -ge $((3 * SETS))
ok "the load had not ended before" kill "$load"
wait "$load"
is "$?" 0 "no error and no mixed set under load" || sed 's/^/# /' "$T/load.log" "$T/load.json"
is "$(field answers)" "$(field asked)" "every request was answered ($(field asked))"
ok "by many generations ($(field generations))" test "$(field generations)" -ge "$SETS"
ok "some by \"you have it\" ($(field unchanged))" test "$(field unchanged)" -gt 0
ok "every answer is what the store shows for its generation" as_the_store_says "$T/seen"
mixed=
for folder in "$T"/in/store/generations/*; do
	get "/generations/${folder##*/}/datasets/villes/villes?columns=lot&limit=1"
	[ "$(tail -n 1 "$body")" = "$(sed -n '2s/.*,//p' "$folder/villes/villes.csv")" ] || mixed="$mixed ${folder##*/}"
done
is "$mixed" "" "the rows of each generation are those of its file"
sed 's/^/# /' "$T/load.json"
ok "the server ends well" serve_stop
done_testing
