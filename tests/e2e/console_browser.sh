#!/bin/bash
# SPDX-License-Identifier: ISC
# console_browser.sh: the console in Chromium: click through, keyboard, no scripts, 320 pixels, axe-core on each page in both languages; over an empty store,
# 40 and 5,000 datasets (tests/browser/makestore.py), and a real one with its log. SHOTS=FOLDER keeps the screenshots.
. tests/lib.sh
. tests/world.sh
. tests/serve.sh

CHROMIUM=$(command -v chromium || command -v chromium-browser) || skip_all "no chromium"
command -v node >/dev/null || skip_all "no node"
export CHROMIUM
# playwright-core and axe-core in the build folder, as package-lock.json pins them; installed once.
modules=$PWD/$BUILD/browser
lock=$(cat tests/browser/package.json tests/browser/package-lock.json | sha256sum | cut -c1-64)
if [ "$(cat "$modules/installed" 2>/dev/null)" != "$lock" ]; then
	rm -rf "$modules"
	mkdir -p "$modules"
	cp tests/browser/package.json tests/browser/package-lock.json "$modules/"
	if ! (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline) >"$T/npm.log" 2>&1; then
		if [ -z "${CI:-}" ] && grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED|command not found' "$T/npm.log"; then
			skip_all "no way to the npm registry"
		fi
		sed 's/^/# /' "$T/npm.log"
		ok "playwright-core and axe-core are installed" false
		done_testing
	fi
	echo "$lock" >"$modules/installed"
fi
export MODULES=$modules/node_modules
not_ok "the lock file names no registry" grep -Eq '"resolved"|https?://' tests/browser/package-lock.json
shots=${SHOTS:-}

# What the script prints is TAP without numbers.
browse() { # KIND
	local line
	serve_start || { _result 1 "the server starts over $1"; return; }
	HOME=$T timeout 300 node tests/browser/console.mjs "$url" "$T/operators" "$shots" "$1" >"$T/browse" 2>&1
	_result $? "the browser came to the end of $1"
	while IFS= read -r line; do
		case $line in
		"ok - "*) _result 0 "${line#ok - }" ;;
		"not ok - "*) _result 1 "${line#not ok - }" ;;
		*) echo "# $line" ;;
		esac
	done <"$T/browse"
	serve_stop || _result 1 "the server ends well over $1"
}

generated() { # N: the store of the configuration is one of N datasets
	chmod -R u+w "$T/in/store"
	rm -rf "$T/in/store"
	tests/browser/makestore.py "$T/in/store" "$1"
}

serve_config '"title": "Données de la ville"' "\"operators\": \"unix:$T/operators\""
world_new
browse empty

world_source villes "code:string nom:string"
world_data villes code,nom 01,Ain
world_sync && inside import "$bundle" >/dev/null
world_data villes code,nom 01,Ain 02,Aisne
world_sync && inside import "$bundle" >/dev/null
sed -i 's/"name": "nom", "type": "string"/"name": "libelle", "type": "string"/' "$T/out/sources/villes/datapackage.json"
world_data villes code,libelle 01,Ain 02,Aisne
world_sync
inside import "$bundle" >/dev/null
# While somebody looks: what is held comes in.
IMPORT="$BIN/clapet-inside --config $T/in/inside.json approve villes --reason test --operator test" browse real

generated 40
browse forty
generated 5000
browse thousands
done_testing
