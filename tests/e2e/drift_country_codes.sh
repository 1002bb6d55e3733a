#!/bin/bash
# SPDX-License-Identifier: ISC
# drift_country_codes.sh: 46 real versions of country-codes, from 2013 to 2026, under four sources: the header of 2013 and that of
# 2017 as they were, and two promises that a map keeps. What is stopped, why, and what the inside then has.
. tests/lib.sh
. tests/world.sh
. tests/drift.sh
# country-codes.csv is the only file, so that each row of it has the same number under every source.
drift_world countries-2013 countries-2017 countries codes
drift_unpack country-codes.tar.xz
for file in "$T"/history/country-codes/*.csv; do
	version=${file##*/}
	mv "$file" "$T/country-codes.csv"
	drift_step "${version%_*}" "$T/country-codes.csv"
done
verdicts=$(drift_verdicts countries-2013 countries-2017 countries codes)
of() { sed -n "s/^\(....\)_[0-9-]* $1 /\1 /p" <<<"$verdicts" | sed -E 's/inside (....)_.*/inside \1/'; }

# Runs of versions with the same fate: "0001-0010 passed".
fates() { of "$1" | sed 's/ inside.*//; s/;$//' | awk '{ n = $1; $1 = ""; if ($0 != last) { if (NR > 1) print first "-" before last; first = n; last = $0 } before = n } END { print first "-" before last }'; }
wrong_inside() { of "$1" | awk 'BEGIN { kept = "-" } / passed; / && $NF != $1 || / stopped / && $NF != kept { print } { kept = $NF }'; }

is "$(wc -l <<<"$verdicts")" 184 "46 versions under four sources"
for name in "${drift_sources[@]}"; do
	is "$(wrong_inside "$name")" "" "$name: what passed is in force inside, cell by cell; what was stopped changed nothing" ||
		sed 's/^/# /' <<<"$verdicts"
done

is "$(fates countries-2013)" "\
0001-0010 passed
0011-0011 stopped E4301 incorrect-label official_name, incorrect-label official_name_fr
0012-0019 stopped E4301 incorrect-label official_name_en, incorrect-label official_name_fr
0020-0024 stopped E4301 incorrect-label official_name_ar, incorrect-label official_name_cn
0025-0046 stopped E4301 incorrect-label FIFA, incorrect-label Dial" "the header of 2013: from the first renamed column on, nothing passes"

is "$(fates countries-2017)" "\
0001-0010 stopped E4301 extra-label name, extra-label name_fr
0011-0011 stopped E4301 extra-label name, extra-label official_name
0012-0017 stopped E4301 extra-label name, extra-label geonameid
0018-0019 stopped E4301 extra-label name, missing-label official_name_ar
0020-0023 passed
0024-0024 stopped E4301 unique ISO3166-1-Alpha-3 249, pattern ISO3166-1-Alpha-3 1
0025-0025 stopped E4301 extra-label \xef\xbb\xbfGlobal Code, missing-label Global Code
0026-0029 passed
0030-0030 stopped E4301 missing-label Developed / Developing Countries
0031-0046 stopped E4301 extra-label wikidata_id, missing-label Developed / Developing Countries" "the columns of 2017: a file put in twice, the byte order mark within the header, columns that come and go"

# The map takes renames (11, 12, 17, 18, 20, 25, 26) and lists of currencies (22); a file put in twice and codes that lost
# their zeros are stopped.
is "$(fates countries)" "\
0001-0023 passed
0024-0024 stopped E4301 unique ISO3166-1-Alpha-3 249, pattern ISO3166-1-Alpha-2 1
0025-0029 passed
0030-0030 stopped E4301 pattern ISO3166-1-numeric 30
0031-0033 stopped E4301 pattern ISO3166-1-numeric 30, unique ISO3166-1-Alpha-3 4
0034-0046 stopped E4301 pattern ISO3166-1-numeric 30" "one map keeps the promise of 2013 over all versions that rename"
is "$(grep -c '{"field"\|{"drop"' "$drift_data/sources/countries.json")" 9 "in nine lines"

# As integers the codes do not mind their zeros. Namibia, whose code NA was read as "not available", is missed.
is "$(fates codes)" "\
0001-0011 passed
0012-0012 stopped E4301 required alpha2 3, primary-key alpha3 2
0013-0019 stopped E4301 primary-key alpha3 2, required alpha2 2
0020-0023 stopped E4301 blank-row row 1, primary-key alpha3 1
0024-0024 stopped E4301 primary-key alpha3 251, unique number 249
0025-0029 stopped E4301 blank-row row 1, primary-key alpha3 1
0030-0030 stopped E4301 required alpha2 1
0031-0033 stopped E4301 primary-key alpha3 4, unique number 4
0034-0046 passed" "the codes alone: rows without a code, Namibia without its, a file twice, rows twice"

# The steward reads both names, and where it stands in the file as published.
like "$(cat "$T/kept/0030_2024-09-27/sync.log")" 'E4301 REFUSED codes: country-codes row 154, field alpha2 \(published as ISO3166-1-Alpha-2\): "" is missing but required' \
	"a fault names the promised field, the published column and the published row"
is "$(sed -n 154p "$T/published/0030_2024-09-27/country-codes.csv" | cut -d, -f3)" NAM "where Namibia is"
done_testing
