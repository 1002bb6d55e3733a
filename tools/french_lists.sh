#!/bin/bash
# SPDX-License-Identifier: ISC
# french_lists.sh FOLDER > schemas/french_lists.c: the codes of communes and the postal codes as bits, from the CSV of the French official
# geographic code (INSEE, Licence Ouverte 2.0, as @etalab/decoupage-administratif publishes it). FOLDER has a folder for each version, named
# by its date; of each year the last one counts.
set -eu
folder=$1

last=$(for version in "$folder"/*/; do basename "$version"; done | sort | awk -F- '{ last[$1] = $0 } END { for (year in last) print last[year] }' | sort)
years=()
for version in $last; do years+=("$folder/$version/communes.csv"); done

cat <<'HEAD'
/* SPDX-License-Identifier: ISC
 *
 * french_lists: made by tools/french_lists.sh, not by hand. Data: INSEE, code officiel géographique, and La Poste's postal codes with it, as
 * published in @etalab/decoupage-administratif; Licence Ouverte 2.0 (Etalab).
 */
#include "schemas/french_lists.h"

/* clang-format off */
HEAD

awk -F, '
# "2A004" is 100004, "2B033" 101033, all others are their number.
function place(code) {
	if (code ~ /^2A/) return 100000 + substr(code, 3)
	if (code ~ /^2B/) return 101000 + substr(code, 3)
	return code + 0
}
function print_bits(name, size, bits,    i, j, k, nibble, word, n, line) {
	print "const uint64_t " name "[" size " / 64 + 1] = {"
	line = ""
	for (i = 0; i <= size; i += 64) {
		word = ""
		for (j = 60; j >= 0; j -= 4) {
			nibble = 0
			for (k = 3; k >= 0; k--)
				nibble = nibble * 2 + ((i + j + k) in bits)
			word = word substr("0123456789abcdef", nibble + 1, 1)
		}
		sub(/^0+/, "", word)
		line = line (word == "" ? "0," : "0x" word ",")
		if (++n % 7 == 0 || i + 64 > size) {
			print line
			line = ""
		}
	}
	print "};\n"
}
FNR == 1 {
	year++
	match(FILENAME, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/)
	if (year == 1)
		first = substr(FILENAME, RSTART, 4)
	else if (substr(FILENAME, RSTART, 4) != first + year - 1)
		exit 1
	delete current
	next
}
{
	at = place($1)
	seen[at] = 1
	in_year[year, at] = 1
	current[at] = 1
	n = split($11, codes, "|")
	for (i = 1; i <= n; i++)
		postal[codes[i] + 0] = 1
}
END {
	print_bits("french_communes", 102000, current)
	print "/* Those that not every year has: a bit for each, the first for " first ". */"
	print "const struct french_commune_change french_commune_changes[] = {"
	for (at in seen) {
		mask = 0
		for (y = year; y >= 1; y--)
			mask = mask * 2 + ((y, at) in in_year)
		if (mask != 2 ^ year - 1)
			changes[++n_changes] = at " " mask
	}
	for (i = 2; i <= n_changes; i++)
		for (j = i; j > 1 && changes[j - 1] + 0 > changes[j] + 0; j--) {
			swap = changes[j]
			changes[j] = changes[j - 1]
			changes[j - 1] = swap
		}
	line = ""
	for (i = 1; i <= n_changes; i++) {
		split(changes[i], part, " ")
		line = line "{" part[1] ", " part[2] "}, "
		if (i % 8 == 0 || i == n_changes) {
			sub(/ $/, "", line)
			print line
			line = ""
		}
	}
	print "};"
	print "const size_t french_n_commune_changes = sizeof(french_commune_changes) / sizeof(french_commune_changes[0]);\n"
	print_bits("french_postal_codes", 100000, postal)
}' "${years[@]}"
