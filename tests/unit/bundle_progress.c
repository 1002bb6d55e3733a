/* SPDX-License-Identifier: ISC
 *
 * progress: how fast, how long yet, and what of it fits; and what a worker's descriptors say, on a terminal of our own.
 */
#include "bundle/progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"

#define MB 1000000ULL

static void assert_line(const char *unit, uint64_t done, uint64_t total, double per_second, unsigned columns,
			const char *wanted)
{
	char text[512];

	progress_format("cog: checking", unit, done, total, per_second, 7, columns, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void what_is_known_is_said(void **state)
{
	(void)state;
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 200, "cog: checking 214 MB of 538 MB, 310 MB/s, 2 s left");
	assert_line(NULL, 214 * MB, 538 * MB, 0, 200, "cog: checking 214 MB of 538 MB");
	assert_line(NULL, 214 * MB, 0, 310e6, 200, "cog: checking 214 MB, 310 MB/s");
	assert_line(NULL, 538 * MB, 538 * MB, 310e6, 200, "cog: checking 538 MB of 538 MB, 310 MB/s");
	/* More came than was said: then nobody knows how much there is. */
	assert_line(NULL, 600 * MB, 538 * MB, 310e6, 200, "cog: checking 600 MB, 310 MB/s");
	assert_line("entries", 300, 1000, 100, 200, "cog: checking 300 of 1000 entries, 8 s left");
	assert_line("entries", 300, 0, 100, 200, "cog: checking 300 entries");
	assert_line(NULL, 0, 538 * MB, 0, 200, "cog: checking, 7 s so far");
	/* It stands still after it went: how much is known, and no time. */
	assert_line(NULL, 214 * MB, 538 * MB, 0.001, 200, "cog: checking 214 MB of 538 MB");
}

static void times_are_rounded_up(void **state)
{
	(void)state;
	assert_line("x", 1, 60, 1, 200, "cog: checking 1 of 60 x, 1 min left");
	assert_line("x", 1, 59, 1, 200, "cog: checking 1 of 59 x, 59 s left");
	assert_line("x", 1, 121, 1, 200, "cog: checking 1 of 121 x, 3 min left");
	assert_line("x", 1, 3599, 1, 200, "cog: checking 1 of 3599 x, 1 h 00 min left");
	assert_line("x", 1, 86400, 1, 200, "cog: checking 1 of 86400 x, 24 h 00 min left");
	assert_line(NULL, 1, UINT64_MAX, 0.02, 200, "cog: checking 1 B of 18 EB, 0 B/s, 277777 h 47 min left");
}

static void what_does_not_fit_is_left_out(void **state)
{
	const char *whole = "cog: checking 214 MB of 538 MB, 310 MB/s, 2 s left";
	char text[512];

	(void)state;
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 50, whole);
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 49, "cog: checking 214 MB of 538 MB, 310 MB/s");
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 39, "cog: checking 214 MB of 538 MB");
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 29, "cog: checking");
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 5, "cog: ");
	assert_line(NULL, 214 * MB, 538 * MB, 310e6, 0, "");
	/* Of a path the end stays; the numbers come before it. */
	progress_format("/srv/sources/r\xc3\xa9gions/communes.csv: checking", NULL, 214 * MB, 538 * MB, 310e6, 7, 70,
			text, sizeof(text));
	assert_string_equal(text, "...r\xc3\xa9gions/communes.csv: checking 214 MB of 538 MB, 310 MB/s, 2 s left");
	progress_format("/srv/sources/r\xc3\xa9gions/communes.csv: checking", NULL, 214 * MB, 538 * MB, 310e6, 7, 45,
			text, sizeof(text));
	assert_string_equal(text, "...ommunes.csv: checking 214 MB of 538 MB");
	/* Never within a character; one that may be two columns wide counts as two. */
	progress_format("r\xc3\xa9gions", NULL, 0, 0, 0, 1, 2, text, sizeof(text));
	assert_string_equal(text, "r\xc3\xa9");
	progress_format("\xe6\x97\xa5\xe6\x9c\xac", NULL, 0, 0, 0, 1, 3, text, sizeof(text));
	assert_string_equal(text, "\xe6\x97\xa5");
	/* A buffer that is small cuts, too. */
	progress_format("cog: checking", NULL, 214 * MB, 538 * MB, 310e6, 7, 200, text, 35);
	assert_string_equal(text, "cog: checking 214 MB of 538 MB");
}

static void the_rate_is_that_of_late(void **state)
{
	struct progress_rate rate = {0};
	int64_t now = 5000;
	uint64_t done = 0;

	(void)state;
	progress_rate_add(&rate, now, 0);
	assert_true(rate.per_second == 0);
	for (int i = 0; i < 50; i++)
		progress_rate_add(&rate, now += 200, done += 20 * MB);
	assert_true(rate.per_second > 99e6 && rate.per_second < 101e6);
	/* The same moment again changes nothing. */
	progress_rate_add(&rate, now, done + 500 * MB);
	assert_true(rate.per_second < 101e6);
	/* Ten times slower: after a second hardly, after half a minute wholly. */
	for (int i = 0; i < 5; i++)
		progress_rate_add(&rate, now += 200, done += 2 * MB);
	assert_true(rate.per_second > 70e6);
	for (int i = 0; i < 150; i++)
		progress_rate_add(&rate, now += 200, done += 2 * MB);
	assert_true(rate.per_second > 9.9e6 && rate.per_second < 10.5e6);
	/* It began anew: no speed below nothing. */
	for (int i = 0; i < 200; i++)
		progress_rate_add(&rate, now += 200, 0);
	assert_true(rate.per_second >= 0 && rate.per_second < 1e6);
}

/* --- on a terminal --------------------------------------------------------------------------------------------------- */

/* stderr is a new terminal until terminal_close, whose other end is returned. */
static int terminal_open(unsigned short columns, int *ret_stderr)
{
	struct winsize window = {.ws_row = 24, .ws_col = columns};
	int main_fd = posix_openpt(O_RDWR | O_NOCTTY), fd;

	assert_true(main_fd >= 0);
	assert_int_equal(grantpt(main_fd), 0);
	assert_int_equal(unlockpt(main_fd), 0);
	fd = open(ptsname(main_fd), O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &window), 0);
	*ret_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
	assert_int_equal(fcntl(main_fd, F_SETFL, O_NONBLOCK), 0);
	return main_fd;
}

static void terminal_close(int main_fd, int stderr_fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	/* What it gives at once may be less than all. */
	while ((n = read(main_fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
	close(stderr_fd);
	close(main_fd);
}

/* Waits on a pipe that says nothing, as on a worker, for more than the second that nothing is shown. */
static void wait_a_while(int turns)
{
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < turns; i++) {
		struct pollfd fd = {pipes[0], POLLIN, 0};

		assert_int_equal(progress_poll(&fd, 1), 0);
	}
	/* Where there is something it is told at once. */
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(progress_poll(&(struct pollfd){pipes[0], POLLIN, 0}, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
}

static void descriptors_tell_how_far_a_worker_is(void **state)
{
	char text[4096];
	_cleanup_close_ int in_fd = memfd_create("in", 0), out_fd = memfd_create("out", 0);
	int stderr_fd, main_fd;

	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(ftruncate(in_fd, 5000000), 0);
	assert_int_equal(ftruncate(out_fd, 777), 0); /* was there before */
	main_fd = terminal_open(80, &stderr_fd);
	progress_begin("a\033b", 0, NULL);
	assert_true(progress_is_on());
	progress_watch_offset(in_fd);
	progress_watch_size(out_fd);
	progress_expect_more(1000000);
	assert_int_equal(lseek(in_fd, 2000000, SEEK_SET), 2000000);
	assert_int_equal(ftruncate(out_fd, 777 + 500000), 0);
	wait_a_while(7);
	log_info("a line of ours");
	progress_end();
	assert_false(progress_is_on());
	terminal_close(main_fd, stderr_fd, text, sizeof(text));
	assert_non_null(strstr(text, "\r\033[Ka\\x1bb 2.5 MB of 6.0 MB, "));
	assert_non_null(strstr(text, "s left\r\033[Kclapet: a line of ours\r\n"));
}

static void what_is_short_or_for_machines_shows_nothing(void **state)
{
	static const char *const terms[] = {"dumb", "", "xterm"};
	char text[4096];
	bool json = false;
	int stderr_fd, main_fd;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
		setenv("TERM", terms[i], 1);
		json = i == 2;
		main_fd = terminal_open(80, &stderr_fd);
		progress_unless(&json);
		progress_begin("work", 10, NULL);
		assert_false(progress_is_on());
		usleep(1100000);
		progress_show(5);
		progress_end();
		terminal_close(main_fd, stderr_fd, text, sizeof(text));
		assert_string_equal(text, "");
	}
	/* Shorter than a second. */
	json = false;
	main_fd = terminal_open(80, &stderr_fd);
	progress_begin("work", 10, NULL);
	assert_true(progress_is_on());
	wait_a_while(1);
	progress_show(5);
	log_info("done");
	progress_end();
	terminal_close(main_fd, stderr_fd, text, sizeof(text));
	assert_string_equal(text, "clapet: done\r\n");
	/* No terminal at all. */
	stderr_fd = dup(STDERR_FILENO);
	main_fd = open("/dev/null", O_WRONLY);
	assert_true(dup2(main_fd, STDERR_FILENO) >= 0);
	progress_begin("work", 10, NULL);
	assert_false(progress_is_on());
	assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
	close(stderr_fd);
	close(main_fd);
	progress_unless(NULL);
}

static void windows_change(void **state)
{
	struct winsize window = {.ws_row = 24, .ws_col = 21};
	char text[4096];
	int stderr_fd, main_fd;

	(void)state;
	setenv("TERM", "xterm", 1);
	main_fd = terminal_open(200, &stderr_fd);
	progress_begin("twenty and one columns", 100, "x");
	usleep(1100000);
	progress_show(50);
	assert_int_equal(ioctl(main_fd, TIOCSWINSZ, &window), 0);
	usleep(250000);
	progress_show(60);
	progress_show(70); /* too soon after the last */
	progress_end();
	progress_end();
	terminal_close(main_fd, stderr_fd, text, sizeof(text));
	assert_non_null(strstr(
		text, "\r\033[Ktwenty and one columns 50 of 100 x, 2 s left\r\033[Ktwenty and one colum\r\033[K"));
	assert_null(strstr(text, "70"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_is_said),
		cmocka_unit_test(times_are_rounded_up),
		cmocka_unit_test(what_does_not_fit_is_left_out),
		cmocka_unit_test(the_rate_is_that_of_late),
		cmocka_unit_test(descriptors_tell_how_far_a_worker_is),
		cmocka_unit_test(what_is_short_or_for_machines_shows_nothing),
		cmocka_unit_test(windows_change),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
