# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154
# readers.sh: what the tests of docs/readers share: a store with the dataset that the recipes read, and their steps run as they are written.
# After lib.sh and world.sh.
#
#   readers_world                 the dataset cog (departements, communes) in force, generation 1
#   readers_serve                 the same with rows in SQLite, and a server over it (serve.sh)
#   readers_second                its next version comes in force, generation 2: a commune more
#   recipe NAME                   docs/readers/NAME.md: every step of it, and what it must print
#   needs COMMAND "WHAT"          skips the test where WHAT is not installed
#   RECIPE_WORDS=(OLD=NEW…)       what a recipe calls by a name of its own, and what that is here

. tests/serve.sh

needs() { command -v "$1" >/dev/null || skip_all "$2 is not installed (tools/deps.sh readers)"; }

RECIPE_WORDS=("/var/lib/clapet-inside/store=$T/in/store")

# A table with all that a reader gets wrong without the schema: leading zeros, a comma as the decimal point, two words for what is missing, truth in
# French, a quote, a comma and a line feed within cells.
readers_tables() {
	cat >"$T/data/departements.csv" <<-'CSV'
	code,nom,surface
	01,Ain,"5762,4"
	02,Aisne,"7361,7"
	2A,Corse-du-Sud,"4014,2"
	CSV
	cat >"$T/data/communes.csv" <<-'CSV'
	code,nom,departement,population,altitude,creation,cheflieu
	01004,Ambérieu-en-Bugey,01,15554,"253,5",1790-03-04,non
	01053,Bourg-en-Bresse,01,42284,"240,25",1790-03-04,oui
	02408,Laon,02,NC,"83,0",,oui
	2A004,Ajaccio,2A,75013,,1793-07-01,oui
	2A999,"Le ""Vieux"", dit
	le Neuf",2A,0,"1,5",2026-01-01,non
	CSV
}

readers_world() {
	world_new || return
	world_policy cog
	readers_tables
	mkdir -p "$T/out/sources/cog"
	cat >"$T/out/sources/cog/datapackage.json" <<-JSON
	{"name": "cog", "title": "Code officiel géographique", "licenses": [{"name": "LOV2"}], "clapet": {"every": "1s"}, "resources": [
	 {"name": "departements", "path": "file://$T/data/departements.csv", "format": "csv", "encoding": "utf-8", "schema": {"primaryKey": ["code"], "fields": [
	  {"name": "code", "type": "string"}, {"name": "nom", "type": "string"}, {"name": "surface", "type": "number", "decimalChar": ","}]}},
	 {"name": "communes", "path": "file://$T/data/communes.csv", "format": "csv", "encoding": "utf-8", "schema": {"primaryKey": ["code"],
	  "missingValues": ["", "NC"], "foreignKeys": [{"fields": ["departement"], "reference": {"resource": "departements", "fields": ["code"]}}], "fields": [
	  {"name": "code", "type": "string", "constraints": {"required": true}}, {"name": "nom", "type": "string"}, {"name": "departement", "type": "string"},
	  {"name": "population", "type": "integer"}, {"name": "altitude", "type": "number", "decimalChar": ","}, {"name": "creation", "type": "date"},
	  {"name": "cheflieu", "type": "boolean", "trueValues": ["oui"], "falseValues": ["non"]}]}}]}
	JSON
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1 || { cat "$T/import.log"; return 1; }
	# The recipes call it as an installed program.
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nexec "%s" --config "%s" "$@"\n' "$BIN/clapet-inside" "$T/in/inside.json" >"$T/bin/clapet-inside"
	chmod 0755 "$T/bin/clapet-inside"
}

readers_serve() {
	serve_config
	WORLD_INSIDE="$WORLD_INSIDE, \"rows\": true"
	readers_world && serve_start || return
	RECIPE_WORDS+=("http://127.0.0.1:8080=$url")
}

readers_second() {
	echo '2A005,Alata,2A,3303,"400,0",1790-03-04,non' >>"$T/data/communes.csv"
	world_sync && inside import "$bundle" >"$T/import.log" 2>&1 || { cat "$T/import.log"; return 1; }
}

# Whether each line is like the line wanted, where "…" stands for anything.
as_written() { # WANTED GOT
	python3 - "$1" "$2" <<-'PYTHON'
	import re, sys
	wanted, got = (open(path, encoding="utf-8", errors="backslashreplace").read().rstrip("\n") for path in sys.argv[1:])
	pattern = "[^\n]*".join(re.escape(part) for part in wanted.split("…"))
	sys.exit(0 if re.fullmatch(pattern, got) else f"wanted:\n{wanted}\ngot:\n{got}")
	PYTHON
}

recipe() { # NAME
	local folder=$T/recipe/$1 step name run
	ok "docs/readers/$1.md is a recipe" python3 tests/recipe.py "docs/readers/$1.md" "$folder" "${RECIPE_WORDS[@]}" || return
	ok "it has steps" test -e "$folder/.steps/01.sh"
	for step in "$folder"/.steps/*.sh; do
		name="$(cat "${step%.sh}.name"), step $(basename "$step" .sh)"
		(cd "$folder" && PATH="$T/bin:$PATH" LC_ALL=C.UTF-8 timeout 120 bash -eu -o pipefail "$step" >"$step.out" 2>"$step.err" </dev/null)
		run=$?
		is $run 0 "$1: $name"
		[ $run = 0 ] || sed 's/^/# /' "$step.out" "$step.err"
		[ ! -e "${step%.sh}.wanted" ] || ok "$1: $name prints what is written" as_written "${step%.sh}.wanted" "$step.out"
	done
}
