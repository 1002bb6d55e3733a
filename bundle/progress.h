/* SPDX-License-Identifier: ISC
 *
 * progress: one line on a terminal while long work goes on: what is done of how much, how fast, and how long it will take yet. It comes
 * after a second, is drawn five times a second at most, never wraps, and is gone before any other line is printed. Where stderr is no
 * terminal, or somebody wants JSON, nothing of this happens.
 *
 *   by who does the work            progress_begin; progress_show…; progress_end
 *   by who waits for a worker       progress_begin; progress_watch_…(fd)…; progress_poll…; progress_end
 *
 * A worker is not asked: what it has read or written shows in the descriptors that it was given. One that is hostile can thereby lie
 * about its progress, and do nothing else.
 */
#ifndef BUNDLE_PROGRESS_H
#define BUNDLE_PROGRESS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No progress where *IS_FOR_MACHINES is true when the work begins: a command's --json, looked at once options were read. */
void progress_unless(const bool *is_for_machines);

/* Begins the one work that is shown: LABEL ("cog: checking"; escaped and copied), TOTAL of it (0: nobody knows), counted in UNIT
 * ("entries"; NULL: bytes). Ends what was shown before. */
void progress_begin(const char *label, uint64_t total, const char *unit);
/* Now it is known how much there is, or that there is more. */
void progress_expect(uint64_t total);
void progress_expect_more(uint64_t more);
/* So much of it is done. Costs a look at the clock, and nothing where nothing is shown. */
void progress_show(uint64_t done);
/* Takes the line away. No harm where there is none. */
void progress_end(void);

/* What FD's reader has read counts: its offset, which is that of every copy of the descriptor (not moved by pread); its size is added to the
 * total. FD may be closed. */
void progress_watch_offset(int fd);
/* What was written to FD counts: how much longer the file became. FD may be closed. */
void progress_watch_size(int fd);
/* Whether anything is shown, or will be. */
bool progress_is_on(void);
/* poll(). Where nothing is shown it has no timeout. Otherwise it returns 0 a few times a second, when the line was drawn, to be called
 * again. */
int progress_poll(struct pollfd *fds, nfds_t n);

/* --- what the line is made of --- */

/* How fast, of late: the mean over the last few seconds. Zeroed to begin with. */
struct progress_rate {
	int64_t at; /* of the last look, in milliseconds; 0: none yet */
	uint64_t done;
	double per_second; /* 0: not known */
};

/* At NOW (milliseconds of any clock that never stands at 0 or goes back) DONE was reached. */
void progress_rate_add(struct progress_rate *rate, int64_t now, uint64_t done);

/* "cog: checking 214 MB of 538 MB, 310 MB/s, 2 s left", with less where less is known: no time without a total, no speed without
 * bytes, and how long it has taken (SECONDS) where nothing is measured (DONE and rate are 0). At most COLUMNS wide: the end is left out piece by piece,
 * and the label cut last. Returns TEXT. */
char *progress_format(const char *label, const char *unit, uint64_t done, uint64_t total, double per_second,
		      int64_t seconds, unsigned columns, char *text, size_t size);

#endif
