/* SPDX-License-Identifier: ISC
 *
 * receive_link: is the link well: beacons and test messages, and what follows from them and from the counts: up, degraded or down, nothing
 * new or something missed. A beacon that somebody repeats does not count: the newest sessions are kept on disk (FORMAT.md 30.3).
 */
#ifndef INSIDE_RECEIVE_LINK_H
#define INSIDE_RECEIVE_LINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_message.h"
#include "inside/receive_counts.h"
#include "inside/receive_objects.h"

enum receive_link_state {
	RECEIVE_LINK_WAITING, /* no beacon yet, and not for long */
	RECEIVE_LINK_UP,
	RECEIVE_LINK_DEGRADED, /* it lives, and loses more than it should */
	RECEIVE_LINK_DOWN,     /* three beacons missed */
};

/* Of the sender. */
enum receive_news {
	RECEIVE_NEWS_UNKNOWN, /* the link is silent */
	RECEIVE_NEWS_NONE,    /* all that was announced is here, or arriving */
	RECEIVE_NEWS_MISSED,  /* something was sent that is not here */
};

/* Sessions whose beacons count at the same time: a service, and people's commands beside it. */
#define RECEIVE_NEWEST_N 4

/* Some counts at a moment. */
struct receive_sample {
	uint64_t packets, lost, failed, dropped;
};

struct receive_link {
	pthread_mutex_t lock;
	int folder_fd;
	struct receive_counts *counts;
	int64_t since; /* when this run began: monotonic milliseconds */
	struct link_newest beacons[RECEIVE_NEWEST_N], tests[RECEIVE_NEWEST_N];
	int64_t saved;             /* monotonic milliseconds */
	struct link_beacon beacon; /* the last one that counted */
	int64_t beacon_at;         /* monotonic milliseconds; 0: none yet */
	int64_t beacon_clock;      /* seconds since 1970 */
	uint64_t n_beacons, n_tests;
	struct link_test test; /* the last one that counted */
	int64_t test_clock;    /* seconds since 1970; 0: none yet */
	int64_t missed_since;  /* something that was sent is not known here: monotonic milliseconds; 0: nothing */
	struct receive_sample samples[2]; /* of the last half minute's begin, and of the one before it */
	int64_t sampled;
	enum receive_link_state told_state;
	enum receive_news told_news;
};

/* Reads what was kept in FOLDER_FD, which stays the caller's. */
void receive_link_open(struct receive_link *link, int folder_fd, struct receive_counts *counts);
void receive_link_close(struct receive_link *link);

/* A beacon or test message that proved itself; a test that is new is logged. Whether it counts. */
bool receive_link_beacon(struct receive_link *link, const struct link_header *header, const struct link_beacon *beacon);
bool receive_link_test(struct receive_link *link, const struct link_header *header, const struct link_test *test);

/* Called a few times a second: logs what changed, once, and writes what is to be kept. */
void receive_link_look(struct receive_link *link, const struct receive_known *known, int64_t now);
enum receive_link_state receive_link_state(const struct receive_link *link, int64_t now);
enum receive_news receive_link_news(const struct receive_link *link, int64_t now);
/* What was counted in the last half minute, and up to as much before it. */
struct receive_sample receive_link_recent(const struct receive_link *link);
const char *receive_link_state_name(enum receive_link_state state);
const char *receive_news_name(enum receive_news news);

/* Whether HEADER, of a session that STARTED then, is newer than all that is in NEWEST, or goes on with one of them: then it is put there.
 * NOW: milliseconds since 1970. */
bool receive_newest_take(struct link_newest newest[RECEIVE_NEWEST_N], const struct link_header *header,
			 uint64_t started, uint64_t now);

/* The file, there and back. */
#define RECEIVE_NEWEST_SIZE (16 + 2 * RECEIVE_NEWEST_N * 32)
void receive_newest_put(const struct receive_link *link, uint8_t *bytes);
bool receive_newest_read(const uint8_t *bytes, size_t size, struct receive_link *link);

#endif
