#!/bin/bash
# SPDX-License-Identifier: ISC
# progress.sh: one line on a terminal while something takes long, of the workers, too; and never in a pipe, never with --json.
. tests/lib.sh
. tests/portal.sh
. tests/world.sh
command -v script >/dev/null || skip_all "no script(1)"

unset JOURNAL_STREAM
# The command on a terminal of its own -> $status $output, as bytes that grep can read: ^M^[[K for what takes the line back.
on_terminal() { # COMMAND-LINE
	output=$(TERM=xterm script -qec "$1" /dev/null </dev/null 2>&1 | cat -v)
	status=$?
}
# What is left to see: all after the last taking back of each line.
seen() { sed -E 's/.*\^M\^\[\[K//; s/\^M$//'; }
CLEAR='\^M\^\[\[K'

# --- a slow answer: bytes of those announced, and the worker without a terminal ---
portal_start
D=$T/fetch
outside_init "$D"
awk 'BEGIN { print "code,people"; for (i = 1; i <= 40; i++) print i ",10" }' >"$T/www/towns.csv" # 100 bytes a second
source_put "$D" t "http://127.0.0.1:$port/slow/towns.csv" ""
on_terminal "$BIN/clapet-outside --config $D/outside.json sync t"
like "$output" "${CLEAR}t: fetching [0-9]+ B of $(stat -c %s "$T/www/towns.csv") B, [0-9]+ B/s, [0-9]+ s left" "sync shows the bytes of those announced, the rate and the time"
unlike "$(seen <<<"$output")" 'fetching' "and takes it back"
like "$(seen <<<"$output")" '^t: ' "before it says what became of it"
rm -rf "$D/state/t"
run "$BIN/clapet-outside" --config "$D/outside.json" sync t
unlike "$output" 'fetching' "nothing of it in a pipe"
rm -rf "$D/state/t"
on_terminal "$BIN/clapet-outside --config $D/outside.json sync t --json"
unlike "$output" 'fetching' "nor with --json"

# --- validate reads by itself ---
mkfifo "$T/fifo"
rows() { awk 'BEGIN { for (i = 0; i < 250000; i++) print "abc,123" }'; }
slow_rows() { { echo "a,b" && rows && sleep 1.2 && rows && sleep 0.4 && rows; } >"$T/fifo"; }
slow_rows &
on_terminal "$BIN/clapet-outside validate $T/fifo"
wait $!
like "$output" "${CLEAR}$T/fifo: checking [0-9.]+ MB, [0-9.]+ MB/s" "validate of a pipe: how much, for nobody knows of how much"
like "$(seen <<<"$output")" 'fifo: valid' "and then the verdict"
slow_rows &
on_terminal "$BIN/clapet-outside validate --json $T/fifo"
wait $!
unlike "$output" 'checking' "not with --json"

# --- inside: each step of an import by its worker. The workers are made slow: these begin a second late. ---
world_new || exit 1
world_source villes "code:string nom:string"
world_data villes code,nom 01,A 02,B
world_sync || exit 1
mkdir -p "$T/slow/bin" "$T/slow/libexec"
cp "$BIN/clapet-inside" "$T/slow/bin/"
mkdir "$T/slow/libexec/clapet"
for worker in "$LIBEXEC"/inside-*; do
	case ${worker##*/} in
	inside-unpack | inside-check | inside-commit)
		printf '#!/bin/sh\nsleep 1.1\nexec %s "$@"\n' "$worker" >"$T/slow/libexec/clapet/${worker##*/}"
		chmod +x "$T/slow/libexec/clapet/${worker##*/}"
		;;
	*) cp "$worker" "$T/slow/libexec/clapet/" ;;
	esac
done
on_terminal "$T/slow/bin/clapet-inside --config $T/in/inside.json import $bundle"
like "$output" "${CLEAR}bundle: unpacking, [0-9]+ s so far" "import: the step, and how long it takes already where nothing came yet"
like "$output" "${CLEAR}villes: checking, [0-9]+ s so far" "the check names its dataset"
like "$output" "${CLEAR}storing, [0-9]+ s so far" "and storing shows"
unlike "$(seen <<<"$output")" 'so far' "nothing of it is left"
is "$(cat "$T/in/store/current/villes/villes.csv")" "$(cat "$T/data/villes.csv")" "and the data are in force"
world_data villes code,nom 01,A 02,C
world_sync || exit 1
cp "$LIBEXEC/inside-commit" "$T/slow/libexec/clapet/"
run "$T/slow/bin/clapet-inside" --config "$T/in/inside.json" import "$bundle"
unlike "$output" 'so far' "nothing in a pipe"

done_testing
