/* SPDX-License-Identifier: ISC
 *
 * moment: see moment.h.
 */
#include "inside/moment.h"

#include <stdio.h>

#include "base/log.h"
#include "bundle/notation.h"

int64_t moment_demand(const char *what, const char *text, bool is_end)
{
	char whole[NOTATION_TIME_SIZE + 16];
	int64_t moment;

	if (notation_parse_time(text, &moment))
		return moment;
	snprintf(whole, sizeof(whole), "%.11s%s", text, is_end ? "T23:59:59Z" : "T00:00:00Z");
	if (!notation_parse_time(whole, &moment))
		die_usage("%s %s: a day is written 2026-03-01, a moment 2026-03-01T12:00:00Z", what, text);
	return moment;
}
