#!/bin/bash
# SPDX-License-Identifier: ISC
# install.sh: `make install` into a folder: programs, workers, pages, units; what was installed finds its workers and does the job.
. tests/lib.sh
D=$T/dest
run make --no-print-directory BUILD="$BUILD" SANITIZE="${SANITIZE:-}" DESTDIR="$D" PREFIX=/usr install
is "$status" 0 "make install DESTDIR PREFIX=/usr" || printf '%s\n' "$output" | tail -n 5 | sed 's/^/# /'
for program in "$BIN"/*; do ok "bin/${program##*/}" test -x "$D/usr/bin/${program##*/}"; done
for worker in "$LIBEXEC"/*; do ok "libexec/clapet/${worker##*/}" test -x "$D/usr/libexec/clapet/${worker##*/}"; done
for page in image/man/*.1; do ok "a page of ${page##*/}" test -s "$D/usr/share/man/man1/${page##*/}"; done
is "$(find "$BIN" -type f -printf '%f.1\n' | sort)" "$(find image/man -name '*.1' -printf '%f\n' | sort)" "every program has its page"
ok "units" test -s "$D/usr/lib/systemd/system/clapet-inside.service"
is "$(find "$D/usr" -type f -perm /022 | wc -l)" 0 "nothing that others may write"
is "$(find "$D" -mindepth 1 -maxdepth 1)" "$D/usr" "nothing beside the prefix"
is "$(grep -rl -- "$D" "$D/usr" | wc -l)" 0 "nothing names the folder of the packager"
if command -v mandoc >/dev/null; then
	ok "the pages are in form" mandoc -T lint -W error "$D"/usr/share/man/man1/*.1
fi

# The installed programs, from another place, with nothing of the build beside them.
BIN=$D/usr/bin
. tests/world.sh
ok "keys are made and a store" world_new
world_source villes "code:string nom:string"
world_data villes code,nom 01,Bourg
ok "the installed outside signs and bundles" world_sync
run inside import "$bundle"
is "$status" 0 "the installed inside takes it in"
is "$(cat "$T/in/store/current/villes/villes.csv")" $'code,nom\n01,Bourg' "and an application reads it"
mv "$D/usr/libexec" "$D/usr/away"
run env -u CLAPET_LIBEXEC "$BIN/clapet-inside" --config "$T/in/inside.json" import
is "$status" 2 "without its workers it is trouble"
like "$output" 'E9003 TROUBLE' "with its code"
done_testing
