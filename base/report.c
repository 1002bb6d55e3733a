/* SPDX-License-Identifier: ISC
 *
 * report: progress.
 */
#include "base/report.h"

#include <stdbool.h>
#include <time.h>
#include <unistd.h>

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
