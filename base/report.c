/* SPDX-License-Identifier: ISC
 *
 * report: progress for people, strings for machines.
 */
#include "base/report.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define PROGRESS_INTERVAL_NS 100000000LL

static int64_t opt_last_shown;
static bool opt_is_shown;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void report_progress(const char *label, uint64_t done, uint64_t total)
{
	int64_t now;

	if (!isatty(STDERR_FILENO))
		return;
	now = now_ns();
	if (opt_is_shown && now - opt_last_shown < PROGRESS_INTERVAL_NS)
		return;
	opt_last_shown = now;
	opt_is_shown = true;
	if (total > 0)
		fprintf(stderr, "\r\033[K%s %.0f %%", label, (double)done * 100 / (double)total);
	else
		fprintf(stderr, "\r\033[K%s %.1f MB", label, (double)done / 1e6);
	fflush(stderr);
}

void report_progress_end(void)
{
	if (opt_is_shown)
		fputs("\r\033[K", stderr);
	opt_is_shown = false;
}

void report_json_string(FILE *file, const char *text)
{
	size_t size = strlen(text), bad;

	fputc('"', file);
	while (size > 0) {
		size_t good = text_is_utf8(text, size, &bad) ? size : bad;

		for (size_t i = 0; i < good; i++) {
			unsigned char c = (unsigned char)text[i];

			if (c == '"' || c == '\\')
				fprintf(file, "\\%c", c);
			else if (c < 0x20 || c == 0x7f)
				fprintf(file, "\\u%04x", c);
			else
				fputc(c, file);
		}
		text += good;
		size -= good;
		if (size > 0) {
			fputs("\xef\xbf\xbd", file);
			text++;
			size--;
		}
	}
	fputc('"', file);
}
