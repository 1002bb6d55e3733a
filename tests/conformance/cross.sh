#!/bin/bash
# SPDX-License-Identifier: ISC
# CROSS=DIR tests/conformance/cross.sh
# Holds `clapet-inside compat` against real triples: DIR/cross.jsonl names, a line each, an old schema, a new one, a CSV that is valid under the
# new, and whether a validator that reads by name under the old one accepts it. Twice: with the schemas alone "compatible" may stand only
# where the verdict is true; with the data the exit status must be the verdict. Prints one line for each that is not so, and the counts.
set -u
cd "${CROSS:?names the folder of cross.jsonl}" || exit 2
inside=${INSIDE:?names clapet-inside}
[ -f cross.jsonl ] || { echo "$CROSS/cross.jsonl is missing" >&2; exit 2; }
n=0 n_valid=0 wrong=0
declare -A alone=([0]=0 [1]=0 [4]=0)
while IFS=$'\t' read -r old new csv valid; do
	n=$((n + 1))
	[ "$valid" = true ] && n_valid=$((n_valid + 1))
	delimiter=,
	case $(head -n 1 "$csv") in *\;*\;*) delimiter=';' ;; esac
	"$inside" compat "$old" "$new" >/dev/null 2>&1
	status=$?
	alone[$status]=$((${alone[$status]:-0} + 1))
	if [ "$status" = 0 ] && [ "$valid" != true ] || { [ "$status" != 0 ] && [ "$status" != 1 ] && [ "$status" != 4 ]; }; then
		echo "FALSE schemas alone: $status, valid is $valid: $old $new $csv"
		wrong=$((wrong + 1))
	fi
	"$inside" compat --data "$csv" --delimiter "$delimiter" "$old" "$new" >/dev/null 2>&1
	status=$?
	if [ "$valid" = true ] && [ "$status" != 0 ] || [ "$valid" != true ] && [ "$status" != 1 ]; then
		echo "FALSE with the data: $status, valid is $valid: $old $new $csv"
		wrong=$((wrong + 1))
	fi
done < <(sed -E 's/^.*"old": "([^"]*)", "new": "([^"]*)", "csv": "([^"]*)", "valid": (true|false).*$/\1\t\2\t\3\t\4/' cross.jsonl)
echo "$n triples ($n_valid valid under the old schema): schemas alone say compatible ${alone[0]}, incompatible ${alone[1]}, by data ${alone[4]}; $wrong wrong"
[ "$n" -gt 0 ] && [ "$wrong" = 0 ]
