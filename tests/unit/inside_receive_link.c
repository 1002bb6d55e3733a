/* SPDX-License-Identifier: ISC
 *
 * Up, degraded, down; nothing new, or something missed; and which beacons count.
 */
#include "inside/receive_link.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"

struct world {
	char path[64];
	int fd;
	struct receive_counts counts;
	struct receive_link link;
};

static int set_up(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	snprintf(world.path, sizeof(world.path), "/tmp/clapet-link.XXXXXX");
	assert_non_null(mkdtemp(world.path));
	world.fd = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	receive_link_open(&world.link, world.fd, &world.counts);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	receive_link_close(&world->link);
	close(world->fd);
	return fd_remove_tree(AT_FDCWD, world->path);
}

static struct link_header header_of(uint8_t session, uint64_t sequence)
{
	struct link_header header = {.kind = LINK_BEACON, .sequence = sequence};

	memset(header.session, session, sizeof(header.session));
	return header;
}

/* Whether a beacon of SESSION, which began then, counts. */
static bool beacon(struct world *world, uint8_t session, uint64_t started, uint64_t sequence)
{
	const struct link_header header = header_of(session, sequence);
	const struct link_beacon what = {.started = started, .sent = started, .n_objects = 2};

	return receive_link_beacon(&world->link, &header, &what);
}

static const struct receive_known all_known = {.is_newest_known = true, .n_objects = 2};

static void test_states(void **state)
{
	struct world *world = *state;
	int64_t now = world->link.since;

	assert_int_equal(receive_link_state(&world->link, now), RECEIVE_LINK_WAITING);
	assert_int_equal(receive_link_state(&world->link, now + 3000), RECEIVE_LINK_DOWN);
	assert_true(beacon(world, 1, 1000, 5));
	now = world->link.beacon_at;
	assert_int_equal(receive_link_state(&world->link, now), RECEIVE_LINK_UP);
	assert_int_equal(receive_link_state(&world->link, now + 2900), RECEIVE_LINK_UP);
	assert_int_equal(receive_link_state(&world->link, now + 3000), RECEIVE_LINK_DOWN);
	receive_add(&world->counts, RECEIVE_PACKETS, 100000);
	receive_add(&world->counts, RECEIVE_LOST, 10);
	assert_int_equal(receive_link_state(&world->link, now), RECEIVE_LINK_UP);
	receive_add(&world->counts, RECEIVE_LOST, 1);
	assert_int_equal(receive_link_state(&world->link, now), RECEIVE_LINK_DEGRADED);
	/* It is forgotten after a minute. */
	for (int64_t i = 1; i <= 4; i++)
		receive_link_look(&world->link, &all_known, now + i * 31000);
	world->link.beacon_at = now + 4 * 31000;
	assert_int_equal(receive_link_state(&world->link, now + 4 * 31000), RECEIVE_LINK_UP);
	receive_add(&world->counts, RECEIVE_FAILED, 1);
	assert_int_equal(receive_link_state(&world->link, now + 4 * 31000), RECEIVE_LINK_DEGRADED);
}

static void test_news(void **state)
{
	const struct receive_known newest = {.n_objects = 2}, fewer = {.is_newest_known = true, .n_objects = 1},
				   stalled = {.is_newest_known = true, .n_objects = 2, .n_stalled = 1};
	const struct receive_known *const cases[] = {&newest, &fewer, &stalled};
	struct world *world = *state;
	int64_t now;

	assert_int_equal(receive_link_news(&world->link, world->link.since), RECEIVE_NEWS_UNKNOWN);
	assert_true(beacon(world, 1, 1000, 5));
	now = world->link.beacon_at;
	receive_link_look(&world->link, &all_known, now);
	assert_int_equal(receive_link_news(&world->link, now), RECEIVE_NEWS_NONE);
	for (size_t i = 0; i < 3; i++) {
		/* It may be on its way; after that it is missed, well within a minute. */
		world->link.beacon_at = now;
		receive_link_look(&world->link, cases[i], now);
		assert_int_equal(receive_link_news(&world->link, now), RECEIVE_NEWS_NONE);
		now += 11000;
		world->link.beacon_at = now;
		receive_link_look(&world->link, cases[i], now);
		assert_int_equal(receive_link_news(&world->link, now), RECEIVE_NEWS_MISSED);
		receive_link_look(&world->link, &all_known, now);
		assert_int_equal(receive_link_news(&world->link, now), RECEIVE_NEWS_NONE);
	}
	assert_int_equal(receive_link_news(&world->link, now + 4000), RECEIVE_NEWS_UNKNOWN);
	/* A newer version there, and nothing that waits to be sent. */
	world->link.beacon.version = 43;
	receive_link_look(&world->link, &(struct receive_known){true, 2, 0, 42}, now);
	receive_link_look(&world->link, &(struct receive_known){true, 2, 0, 42}, now + 11000);
	assert_int_equal(receive_link_news(&world->link, now + 11000), RECEIVE_NEWS_MISSED);
}

static void test_replays(void **state)
{
	struct world *world = *state;

	assert_true(beacon(world, 1, 1000, 5));
	assert_false(beacon(world, 1, 1000, 5));
	assert_false(beacon(world, 1, 1000, 4));
	assert_true(beacon(world, 1, 1000, 6));
	/* A newer session, and the older one that goes on beside it; never one that nobody knew and that is older. */
	assert_true(beacon(world, 2, 2000, 0));
	assert_true(beacon(world, 1, 1000, 7));
	assert_true(beacon(world, 2, 2000, 1));
	assert_false(beacon(world, 3, 1500, 9));
	assert_false(beacon(world, 3, 1000, 9));
	/* The oldest makes room, and does not come back. */
	for (uint8_t i = 0; i < RECEIVE_NEWEST_N; i++)
		assert_true(beacon(world, (uint8_t)(10 + i), 3000 + i, 0));
	assert_false(beacon(world, 1, 1000, 100));
	/* A clock that is a week ahead silences nobody. */
	assert_false(beacon(world, 4, (uint64_t)receive_wall_clock() + 7 * 86400000ULL, 0));
	assert_int_equal(receive_read(&world->counts, RECEIVE_REPLAYED), 6);
}

static void test_kept(void **state)
{
	struct receive_link again;
	struct world *world = *state;
	uint8_t bytes[RECEIVE_NEWEST_SIZE];

	assert_true(beacon(world, 1, 1000, 5));
	/* A session that is new is written at once. */
	receive_link_look(&world->link, &all_known, receive_ticks());
	receive_link_open(&again, world->fd, &world->counts);
	assert_int_equal(again.beacons[0].started + again.beacons[1].started + again.beacons[2].started +
				 again.beacons[3].started,
			 1000);
	assert_false(receive_link_beacon(&again, &(struct link_header){.sequence = 0},
					 &(struct link_beacon){.started = 999}));
	receive_newest_put(&world->link, bytes);
	assert_true(receive_newest_read(bytes, sizeof(bytes), &again));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 1;
		assert_false(receive_newest_read(bytes, sizeof(bytes), &again));
		bytes[i] ^= 1;
	}
	receive_link_close(&again);
}

static void test_messages(void **state)
{
	struct world *world = *state;
	const struct link_header header = header_of(9, 1);
	const struct link_test test = {.started = 5000, .number = 3, .text = "can you hear me"};

	/* Beside the service's session: its beacons go on to count. */
	assert_true(beacon(world, 1, 1000, 5));
	assert_true(receive_link_test(&world->link, &header, &test));
	assert_false(receive_link_test(&world->link, &header, &test));
	assert_true(beacon(world, 1, 1000, 6));
	assert_int_equal(world->link.test.number, 3);
	assert_int_equal(world->link.n_tests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_news, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_messages, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
