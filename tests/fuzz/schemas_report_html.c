/* SPDX-License-Identifier: ISC
 *
 * A report of any shape becomes a whole page: as many tags closed as opened, and none that is not ours.
 */
#include "schemas/report_html.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *page, const char *text)
{
	size_t n = 0;

	for (const char *at = page; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tags[] = {"table", "thead", "tbody", "tr", "td", "th",
					   "ul",    "li",    "div",   "h2", "h3", "p"};
	json_t *report = NULL;
	char *page = NULL;
	size_t page_size;
	FILE *file;

	if (json_parse(data, size, 1 << 20, &report, NULL) != FAULT_NONE)
		return 0;
	if ((file = open_memstream(&page, &page_size)) == NULL)
		abort();
	report_html(file, report, "fuzz", 0);
	fclose(file);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		char open[16], with[16], close[16];

		snprintf(open, sizeof(open), "<%s>", tags[i]);
		snprintf(with, sizeof(with), "<%s ", tags[i]);
		snprintf(close, sizeof(close), "</%s>", tags[i]);
		if (count(page, open) + count(page, with) != count(page, close))
			abort();
	}
	if (strstr(page, "<script") != NULL || strstr(page, "</html>\n") != page + page_size - 8)
		abort();
	free(page);
	json_decref(report);
	return 0;
}
