/* SPDX-License-Identifier: ISC
 *
 * progress: see progress.h. There is one terminal, so there is one state.
 */
#include "bundle/progress.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"

#define FIRST_AFTER 1000 /* milliseconds: what is done sooner needs no line */
#define INTERVAL 200
#define SMOOTHED_OVER 4.0 /* seconds that the rate remembers: long enough to be read, short enough to be true */
#define USUAL_COLUMNS 80  /* of a terminal that does not say */
#define LINE_SIZE 512
#define CLEAR "\r\033[K"

struct watched {
	int fd;
	bool by_size;
	uint64_t start; /* its offset or size when it began */
};

static struct {
	const bool *unless; /* NULL: always */
	bool is_on, is_shown;
	char label[256];
	const char *unit;
	uint64_t total;
	int64_t began, drawn;
	struct progress_rate rate;
	struct watched *watched;
	size_t n_watched;
} opt_progress;

/* --- the line -------------------------------------------------------------------------------------------------------- */

void progress_rate_add(struct progress_rate *rate, int64_t now, uint64_t done)
{
	double seconds = (double)(now - rate->at) / 1000, speed, weight;

	if (rate->at != 0 && seconds <= 0)
		return;
	if (rate->at != 0) {
		speed = done > rate->done ? (double)(done - rate->done) / seconds : 0;
		weight = rate->per_second == 0 ? 1 : seconds / (seconds + SMOOTHED_OVER);
		rate->per_second += weight * (speed - rate->per_second);
	}
	rate->at = now;
	rate->done = done;
}

static void format_amount(const char *unit, uint64_t amount, char *text, size_t size)
{
	if (unit == NULL)
		notation_format_size(amount, text, size);
	else
		snprintf(text, size, "%" PRIu64, amount);
}

static void format_left(double seconds, char *text, size_t size)
{
	uint64_t left = seconds < 1e9 ? (uint64_t)seconds + 1 : 1000000000, minutes = (left + 59) / 60;

	if (left < 60)
		snprintf(text, size, ", %" PRIu64 " s left", left);
	else if (minutes < 60)
		snprintf(text, size, ", %" PRIu64 " min left", minutes);
	else
		snprintf(text, size, ", %" PRIu64 " h %02" PRIu64 " min left", minutes / 60, minutes % 60);
}

/* Columns of a terminal, or more: what may be wide counts as such. */
static unsigned count_columns(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		n += (byte & 0xc0) != 0x80;
		n += byte >= 0xe1; /* U+1000 and up */
	}
	return n;
}

/* Appends PART where it fits. */
static bool append(char *text, size_t size, unsigned columns, const char *part)
{
	size_t length = strlen(text);

	if (count_columns(text) + count_columns(part) > columns || length + strlen(part) >= size)
		return false;
	memcpy(text + length, part, strlen(part) + 1);
	return true;
}

static void cut(char *text, unsigned columns)
{
	while (*text != '\0' && count_columns(text) > columns) {
		char *end = text + strlen(text) - 1;

		while (end > text && ((unsigned char)*end & 0xc0) == 0x80)
			end--;
		*end = '\0';
	}
}

char *progress_format(const char *label, const char *unit, uint64_t done, uint64_t total, double per_second,
		      int64_t seconds, unsigned columns, char *text, size_t size)
{
	char amount[32], whole[32], part[128];

	snprintf(text, size, "%s", label);
	cut(text, columns);
	if (done == 0 && per_second == 0) {
		snprintf(part, sizeof(part), ", %" PRId64 " s so far", seconds);
		append(text, size, columns, part);
		return text;
	}
	format_amount(unit, done, amount, sizeof(amount));
	format_amount(unit, total, whole, sizeof(whole));
	if (total >= done)
		snprintf(part, sizeof(part), " %s of %s%s%s", amount, whole, unit != NULL ? " " : "",
			 unit != NULL ? unit : "");
	else
		snprintf(part, sizeof(part), " %s%s%s", amount, unit != NULL ? " " : "", unit != NULL ? unit : "");
	if (!append(text, size, columns, part) || per_second < 0.01)
		return text;
	if (unit == NULL) {
		notation_format_size((uint64_t)per_second, amount, sizeof(amount));
		snprintf(part, sizeof(part), ", %s/s", amount);
		if (!append(text, size, columns, part))
			return text;
	}
	if (total > done) {
		format_left((double)(total - done) / per_second, part, sizeof(part));
		append(text, size, columns, part);
	}
	return text;
}

/* --- the terminal ---------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die_errno("CLOCK_MONOTONIC");
	return now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

/* Asked each time: windows change. The last column stays free, for some terminals wrap there already. */
static unsigned terminal_columns(void)
{
	struct winsize window = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col < 2)
		return USUAL_COLUMNS - 1;
	return window.ws_col - 1;
}

/* Nobody is left to tell if this fails. */
static void write_terminal(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void clear_line(void)
{
	if (opt_progress.is_shown)
		write_terminal(CLEAR);
	opt_progress.is_shown = false;
}

void progress_unless(const bool *is_for_machines)
{
	opt_progress.unless = is_for_machines;
}

/* The journal is none, and a terminal that cannot take a line back ("dumb", or unknown) gets none. */
static bool has_terminal(void)
{
	const char *term = getenv("TERM");

	return term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 && getenv("JOURNAL_STREAM") == NULL &&
	       isatty(STDERR_FILENO);
}

void progress_begin(const char *label, uint64_t total, const char *unit)
{
	progress_end();
	if ((opt_progress.unless != NULL && *opt_progress.unless) || !has_terminal())
		return;
	opt_progress.is_on = true;
	text_escape(label, strlen(label), opt_progress.label, sizeof(opt_progress.label));
	opt_progress.unit = unit;
	opt_progress.total = total;
	opt_progress.began = now_ms();
	opt_progress.drawn = opt_progress.began + FIRST_AFTER - INTERVAL;
	opt_progress.rate = (struct progress_rate){.at = opt_progress.began};
	log_set_before(clear_line);
}

void progress_expect(uint64_t total)
{
	opt_progress.total = total;
}

void progress_expect_more(uint64_t more)
{
	opt_progress.total += more;
}

void progress_show(uint64_t done)
{
	char text[LINE_SIZE], line[LINE_SIZE + sizeof(CLEAR)];
	int64_t now;

	if (!opt_progress.is_on || (now = now_ms()) - opt_progress.drawn < INTERVAL)
		return;
	progress_rate_add(&opt_progress.rate, now, done);
	opt_progress.drawn = now;
	progress_format(opt_progress.label, opt_progress.unit, done, opt_progress.total, opt_progress.rate.per_second,
			(now - opt_progress.began) / 1000, terminal_columns(), text, sizeof(text));
	snprintf(line, sizeof(line), CLEAR "%s", text);
	opt_progress.is_shown = true;
	write_terminal(line);
}

void progress_end(void)
{
	clear_line();
	for (size_t i = 0; i < opt_progress.n_watched; i++)
		close(opt_progress.watched[i].fd);
	free(opt_progress.watched);
	opt_progress.watched = NULL;
	opt_progress.n_watched = 0;
	opt_progress.is_on = false;
}

/* --- workers --------------------------------------------------------------------------------------------------------- */

static uint64_t look(const struct watched *watched)
{
	int64_t at = watched->by_size ? fd_size(watched->fd) : lseek(watched->fd, 0, SEEK_CUR);

	return at < 0 ? 0 : (uint64_t)at;
}

/* A copy: the original is handed over and closed. */
static void watch(int fd, bool by_size)
{
	struct watched watched = {.by_size = by_size};

	if (!opt_progress.is_on || fd < 0 || (watched.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
		return;
	/* Who reads begins at the start, wherever the offset stands now. */
	watched.start = by_size ? look(&watched) : 0;
	opt_progress.watched = xrealloc(opt_progress.watched, opt_progress.n_watched + 1, sizeof(watched));
	opt_progress.watched[opt_progress.n_watched++] = watched;
}

void progress_watch_offset(int fd)
{
	int64_t size = opt_progress.is_on ? fd_size(fd) : 0;

	watch(fd, false);
	if (size > 0)
		progress_expect_more((uint64_t)size);
}

void progress_watch_size(int fd)
{
	watch(fd, true);
}

bool progress_is_on(void)
{
	return opt_progress.is_on;
}

int progress_poll(struct pollfd *fds, nfds_t n)
{
	int ready = poll(fds, n, opt_progress.is_on ? INTERVAL : -1);
	uint64_t done = 0;

	if (ready != 0)
		return ready;
	for (size_t i = 0; i < opt_progress.n_watched; i++) {
		uint64_t at = look(&opt_progress.watched[i]);

		done += at > opt_progress.watched[i].start ? at - opt_progress.watched[i].start : 0;
	}
	progress_show(done);
	return 0;
}
