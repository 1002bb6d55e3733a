/* SPDX-License-Identifier: ISC
 *
 * receive_link: three beacons are missed just before the third second is over.
 */
#include "inside/receive_link.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/receive_partial.h"

#define FILE_NAME "newest"
#define FILE_MAGIC "CLrn0001"
#define ENTRY_SIZE 32
/* Milliseconds. Beacons come once a second. */
#define DOWN_AFTER 2950
#define MISSED_AFTER 10000
#define SAMPLE_EVERY 30000
#define SAVE_EVERY 60000
/* One packet lost of so many is no reason to call anybody. */
#define LOSS_TOLERATED 10000

/* --- what is new ----------------------------------------------------------------------------------------------------- */

static void put_entry(const struct link_newest *newest, uint8_t *bytes)
{
	uint64_t started = htole64(newest->started), sequence = htole64(newest->sequence);

	memcpy(bytes, &started, 8);
	memcpy(bytes + 8, newest->session, LINK_SESSION_SIZE);
	memcpy(bytes + 24, &sequence, 8);
}

static bool read_entry(const uint8_t *bytes, struct link_newest *newest)
{
	memcpy(&newest->started, bytes, 8);
	memcpy(newest->session, bytes + 8, LINK_SESSION_SIZE);
	memcpy(&newest->sequence, bytes + 24, 8);
	newest->started = le64toh(newest->started);
	newest->sequence = le64toh(newest->sequence);
	return newest->started <= LIMIT_LINK_TIME && newest->sequence <= LIMIT_LINK_SEQUENCE;
}

void receive_newest_put(const struct receive_link *link, uint8_t *bytes)
{
	uint64_t sum;

	memcpy(bytes, FILE_MAGIC, 8);
	for (size_t i = 0; i < RECEIVE_NEWEST_N; i++) {
		put_entry(&link->beacons[i], bytes + 16 + i * ENTRY_SIZE);
		put_entry(&link->tests[i], bytes + 16 + (RECEIVE_NEWEST_N + i) * ENTRY_SIZE);
	}
	sum = htole64(receive_sum(0, bytes + 16, RECEIVE_NEWEST_SIZE - 16));
	memcpy(bytes + 8, &sum, 8);
}

bool receive_newest_read(const uint8_t *bytes, size_t size, struct receive_link *link)
{
	struct link_newest beacons[RECEIVE_NEWEST_N], tests[RECEIVE_NEWEST_N];
	uint64_t sum;

	if (size != RECEIVE_NEWEST_SIZE || memcmp(bytes, FILE_MAGIC, 8) != 0)
		return false;
	memcpy(&sum, bytes + 8, 8);
	if (le64toh(sum) != receive_sum(0, bytes + 16, RECEIVE_NEWEST_SIZE - 16))
		return false;
	for (size_t i = 0; i < RECEIVE_NEWEST_N; i++)
		if (!read_entry(bytes + 16 + i * ENTRY_SIZE, &beacons[i]) ||
		    !read_entry(bytes + 16 + (RECEIVE_NEWEST_N + i) * ENTRY_SIZE, &tests[i]))
			return false;
	memcpy(link->beacons, beacons, sizeof(beacons));
	memcpy(link->tests, tests, sizeof(tests));
	return true;
}

bool receive_newest_take(struct link_newest newest[RECEIVE_NEWEST_N], const struct link_header *header,
			 uint64_t started, uint64_t now)
{
	size_t oldest = 0, latest = 0;
	struct link_newest next;

	for (size_t i = 0; i < RECEIVE_NEWEST_N; i++) {
		if (newest[i].started == started && memcmp(newest[i].session, header->session, LINK_SESSION_SIZE) == 0)
			return link_newer(&newest[i], header, started, now);
		if (newest[i].started < newest[oldest].started)
			oldest = i;
		if (newest[i].started > newest[latest].started)
			latest = i;
	}
	/* A session that nobody knows counts only if it began after all that are known: who was forgotten never comes back. */
	next = newest[latest];
	if (!link_newer(&next, header, started, now))
		return false;
	newest[oldest] = next;
	return true;
}

void receive_link_open(struct receive_link *link, int folder_fd, struct receive_counts *counts)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	*link = (struct receive_link){.folder_fd = folder_fd, .counts = counts, .since = receive_ticks()};
	link->sampled = link->saved = link->since;
	pthread_mutex_init(&link->lock, NULL);
	if (fd_load_file(folder_fd, FILE_NAME, RECEIVE_NEWEST_SIZE, &data, &size) == 0 &&
	    !receive_newest_read(data, size, link))
		log_warning("the file \"" FILE_NAME "\" is damaged: an old beacon may count once more");
}

static void save(struct receive_link *link)
{
	uint8_t bytes[RECEIVE_NEWEST_SIZE];
	int r;

	receive_newest_put(link, bytes);
	r = fd_put_durable(link->folder_fd, FILE_NAME, bytes, sizeof(bytes), 0600);
	if (r < 0)
		log_warning("the file \"" FILE_NAME "\" cannot be written: %s", strerror(-r));
	link->saved = receive_ticks();
}

void receive_link_close(struct receive_link *link)
{
	if (link->n_beacons + link->n_tests > 0)
		save(link);
	pthread_mutex_destroy(&link->lock);
}

/* --- what comes ------------------------------------------------------------------------------------------------------ */

/* Of a session that was not known before: what tells its beacons from repeated ones is written at the next look. */
static bool take(struct receive_link *link, struct link_newest newest[RECEIVE_NEWEST_N],
		 const struct link_header *header, uint64_t started)
{
	struct link_newest before[RECEIVE_NEWEST_N];

	memcpy(before, newest, sizeof(before));
	if (!receive_newest_take(newest, header, started, (uint64_t)receive_wall_clock())) {
		receive_add(link->counts, RECEIVE_REPLAYED, 1);
		return false;
	}
	for (size_t i = 0; i < RECEIVE_NEWEST_N; i++)
		if (before[i].started != newest[i].started)
			link->saved = INT64_MIN / 2;
	return true;
}

bool receive_link_beacon(struct receive_link *link, const struct link_header *header, const struct link_beacon *beacon)
{
	bool counts;

	pthread_mutex_lock(&link->lock);
	counts = take(link, link->beacons, header, beacon->started);
	if (counts) {
		link->beacon = *beacon;
		link->beacon_at = receive_ticks();
		link->beacon_clock = receive_wall_clock() / 1000;
		link->n_beacons++;
	}
	pthread_mutex_unlock(&link->lock);
	return counts;
}

bool receive_link_test(struct receive_link *link, const struct link_header *header, const struct link_test *test)
{
	bool counts;

	pthread_mutex_lock(&link->lock);
	counts = take(link, link->tests, header, test->started);
	/* Its sender repeats it, so that one gets through: it is one message. */
	if (counts &&
	    (link->test_clock == 0 || link->test.number != test->number || link->test.started != test->started))
		log_info("test message %" PRIu64 ": %s", test->number, test->text);
	if (counts) {
		link->test = *test;
		link->test_clock = receive_wall_clock() / 1000;
		link->n_tests++;
	}
	pthread_mutex_unlock(&link->lock);
	return counts;
}

/* --- how it is ------------------------------------------------------------------------------------------------------- */

const char *receive_link_state_name(enum receive_link_state state)
{
	static const char *const names[] = {
		[RECEIVE_LINK_WAITING] = "waiting",
		[RECEIVE_LINK_UP] = "up",
		[RECEIVE_LINK_DEGRADED] = "degraded",
		[RECEIVE_LINK_DOWN] = "down",
	};

	return names[state];
}

const char *receive_news_name(enum receive_news news)
{
	static const char *const names[] = {
		[RECEIVE_NEWS_UNKNOWN] = "unknown",
		[RECEIVE_NEWS_NONE] = "nothing new",
		[RECEIVE_NEWS_MISSED] = "missed something",
	};

	return names[news];
}

static struct receive_sample sample_now(const struct receive_link *link)
{
	return (struct receive_sample){.packets = receive_read(link->counts, RECEIVE_PACKETS),
				       .lost = receive_read(link->counts, RECEIVE_LOST),
				       .failed = receive_read(link->counts, RECEIVE_FAILED),
				       .dropped = receive_read(link->counts, RECEIVE_DROPPED)};
}

struct receive_sample receive_link_recent(const struct receive_link *link)
{
	struct receive_sample now = sample_now(link);
	const struct receive_sample *then = &link->samples[1];

	/* A packet that was taken for lost and came late makes the count of lost ones go back. */
	return (struct receive_sample){.packets = now.packets - then->packets,
				       .lost = now.lost > then->lost ? now.lost - then->lost : 0,
				       .failed = now.failed - then->failed,
				       .dropped = now.dropped - then->dropped};
}

enum receive_link_state receive_link_state(const struct receive_link *link, int64_t now)
{
	struct receive_sample recent;

	if (now - (link->beacon_at > 0 ? link->beacon_at : link->since) > DOWN_AFTER)
		return RECEIVE_LINK_DOWN;
	if (link->beacon_at == 0)
		return RECEIVE_LINK_WAITING;
	recent = receive_link_recent(link);
	return recent.failed > 0 || recent.dropped > 0 || recent.lost > recent.packets / LOSS_TOLERATED
		       ? RECEIVE_LINK_DEGRADED
		       : RECEIVE_LINK_UP;
}

enum receive_news receive_link_news(const struct receive_link *link, int64_t now)
{
	if (link->missed_since > 0 && now - link->missed_since > MISSED_AFTER)
		return RECEIVE_NEWS_MISSED;
	return receive_link_state(link, now) == RECEIVE_LINK_DOWN || link->beacon_at == 0 ? RECEIVE_NEWS_UNKNOWN
											  : RECEIVE_NEWS_NONE;
}

/* Whether the last beacon tells of more than is known here. What is queued there was not sent yet. */
static bool is_missing_something(const struct receive_link *link, const struct receive_known *known)
{
	if (known->n_stalled > 0)
		return true;
	if (link->beacon_at == 0)
		return false;
	return !known->is_newest_known ||
	       (link->beacon.n_objects <= LIMIT_RECEIVE_DELIVERED && known->n_objects < link->beacon.n_objects) ||
	       (link->beacon.n_queued == 0 && known->version > 0 && known->version < link->beacon.version);
}

/* A change is said once. */
static void tell(struct receive_link *link, enum receive_link_state state, enum receive_news news, int64_t now)
{
	if (state != link->told_state) {
		if (state == RECEIVE_LINK_DOWN)
			log_error("E%04d %s link down: no beacon for %" PRId64 " s", FAULT_LINK_DOWN,
				  fault_word(FAULT_LINK_DOWN),
				  (now - (link->beacon_at > 0 ? link->beacon_at : link->since) + 500) / 1000);
		else if (state == RECEIVE_LINK_DEGRADED)
			log_warning("E%04d %s link degraded: packets are lost", FAULT_LINK_DEGRADED,
				    fault_word(FAULT_LINK_DEGRADED));
		else if (state == RECEIVE_LINK_UP)
			log_info("link up");
		link->told_state = state;
	}
	if (news != link->told_news && news == RECEIVE_NEWS_MISSED)
		log_warning("E%04d %s the sender tells of more than arrived here", FAULT_LINK_MISSED,
			    fault_word(FAULT_LINK_MISSED));
	else if (link->told_news == RECEIVE_NEWS_MISSED && news == RECEIVE_NEWS_NONE)
		log_info("nothing is missed any more");
	if (news != RECEIVE_NEWS_UNKNOWN)
		link->told_news = news;
}

void receive_link_look(struct receive_link *link, const struct receive_known *known, int64_t now)
{
	pthread_mutex_lock(&link->lock);
	if (!is_missing_something(link, known))
		link->missed_since = 0;
	else if (link->missed_since == 0)
		link->missed_since = now;
	if (now - link->sampled > SAMPLE_EVERY) {
		link->samples[1] = link->samples[0];
		link->samples[0] = sample_now(link);
		link->sampled = now;
	}
	tell(link, receive_link_state(link, now), receive_link_news(link, now), now);
	if (link->n_beacons + link->n_tests > 0 && now - link->saved > SAVE_EVERY)
		save(link);
	pthread_mutex_unlock(&link->lock);
}
