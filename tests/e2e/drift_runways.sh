#!/bin/bash
# SPDX-License-Identifier: ISC
# drift_runways.sh: forty daily versions of OurAirports' runways. Their schema never changed: every one passes untouched, one
# generation a day.
. tests/lib.sh
. tests/world.sh
. tests/drift.sh
drift_world runways
drift_unpack "runways${SHARED:+40}.tar.xz"
for file in "$T"/history/runways/*.csv; do
	version=${file##*/}
	mv "$file" "$T/runways.csv"
	drift_step "${version%_*}" "$T/runways.csv"
done
verdicts=$(drift_verdicts runways)
is "$(grep -c ' passed; ' <<<"$verdicts")" 40 "all forty pass outside"
is "$(sed 's/^\(.*\) runways passed; inside \(.*\)/\1 \2/' <<<"$verdicts" | awk '$1 != $2')" "" "and are in force inside, cell by cell" ||
	sed 's/^/# /' <<<"$verdicts"
is "$(readlink "$T/in/store/current")" "generations/40" "forty versions, forty generations"
unlike "$(cat "$T"/kept/*/import.log)" "held|REFUSED" "nothing was ever held"
run inside status
is "$status" 0 "and nothing waits for a person"
done_testing
