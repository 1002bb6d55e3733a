/* SPDX-License-Identifier: ISC
 *
 * The carousel: by examples, and how the link is shared over a long time.
 */
#include "outside/sendqueue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW 1800000000LL
#define DAY 86400LL
#define TURN 64000000ULL

static const struct sendqueue_rules rules = {{8, 3, 1}, 2, DAY, 0, 0};

/* One turn of whoever is next: its id. */
static uint64_t turn(struct sendqueue *queue, int64_t now)
{
	struct sendqueue_item *item = sendqueue_next(queue, now);
	uint64_t id, left;

	if (item == NULL)
		return 0;
	id = item->id;
	left = item->left > 0 ? item->left : item->size;
	sendqueue_spent(queue, item, left < TURN ? left : TURN, left <= TURN, now);
	return id;
}

/* A small one overtakes one that is under way; a large one waits until that one's cycle is through; then comes the second cycle of each. */
static void test_order(void **state)
{
	static const uint64_t expected[] = {3, 1, 1, 2, 2, 3, 2, 2, 1, 1, 1, 0};
	static const struct sendqueue_rules new_only = {{8, 0, 0}, 2, DAY, 0, 0};
	struct sendqueue queue;

	(void)state;
	sendqueue_init(&queue, &new_only);
	assert_null(sendqueue_next(&queue, NOW));
	sendqueue_add(&queue, 1, 3 * TURN, NOW);
	assert_int_equal(turn(&queue, NOW), 1);
	sendqueue_add(&queue, 2, 2 * TURN, NOW);
	sendqueue_find(&queue, 1)->left = 2 * TURN - 1;
	sendqueue_add(&queue, 3, 1000, NOW);
	assert_int_equal(sendqueue_unsent(&queue), 3);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(turn(&queue, NOW), expected[i]);
	assert_int_equal(sendqueue_unsent(&queue), 0);
	sendqueue_clear(&queue);
}

/* What each class had of N turns, in thousandths. */
static void share(struct sendqueue *queue, size_t n, unsigned ret_share[SENDQUEUE_CLASSES])
{
	uint64_t had[SENDQUEUE_CLASSES] = {0}, all = 0;

	for (size_t i = 0; i < n; i++) {
		struct sendqueue_item *item = sendqueue_next(queue, NOW);
		enum sendqueue_class class = sendqueue_class_of(queue, item, NOW);

		/* Never whole: it stays of its class. */
		sendqueue_spent(queue, item, 1000 + i % 7 * 100, false, NOW);
		item->left = 0;
		had[class] += 1000 + i % 7 * 100;
		all += 1000 + i % 7 * 100;
	}
	for (size_t i = 0; i < SENDQUEUE_CLASSES; i++)
		ret_share[i] = (unsigned)(had[i] * 1000 / all);
}

static void test_weights(void **state)
{
	struct sendqueue queue;
	unsigned part[SENDQUEUE_CLASSES];

	(void)state;
	sendqueue_init(&queue, &rules);
	sendqueue_add(&queue, 1, 5000000, NOW);
	sendqueue_add(&queue, 2, 5000000, NOW - DAY + 1);
	sendqueue_add(&queue, 3, 5000000, NOW - DAY);
	sendqueue_find(&queue, 2)->cycles = sendqueue_find(&queue, 3)->cycles = 2;
	assert_int_equal(sendqueue_class_of(&queue, sendqueue_find(&queue, 1), NOW), SENDQUEUE_NEW);
	assert_int_equal(sendqueue_class_of(&queue, sendqueue_find(&queue, 2), NOW), SENDQUEUE_RECENT);
	assert_int_equal(sendqueue_class_of(&queue, sendqueue_find(&queue, 3), NOW), SENDQUEUE_OLD);
	share(&queue, 12000, part);
	assert_in_range(part[SENDQUEUE_NEW], 664, 669);
	assert_in_range(part[SENDQUEUE_RECENT], 248, 252);
	assert_in_range(part[SENDQUEUE_OLD], 82, 85);
	/* With nothing new the other two share; what comes after a long time gets no more than its part. */
	sendqueue_remove(&queue, 1);
	share(&queue, 12000, part);
	assert_in_range(part[SENDQUEUE_RECENT], 748, 752);
	sendqueue_add(&queue, 4, 5000000, NOW);
	share(&queue, 1200, part);
	assert_in_range(part[SENDQUEUE_NEW], 660, 675);
	sendqueue_clear(&queue);
}

static void test_cycles(void **state)
{
	struct sendqueue_rules few = {{8, 3, 0}, 2, DAY, 3, 0};
	struct sendqueue queue;

	(void)state;
	sendqueue_init(&queue, &few);
	sendqueue_add(&queue, 1, 10, NOW);
	sendqueue_add(&queue, 2, 10, NOW - 2 * DAY);
	/* Old ones have no weight, and nothing goes more than three times. */
	for (unsigned i = 0; i < 5; i++)
		assert_int_not_equal(turn(&queue, NOW), 0);
	assert_int_equal(turn(&queue, NOW), 0);
	assert_int_equal(sendqueue_find(&queue, 1)->cycles, 3);
	assert_int_equal(sendqueue_find(&queue, 2)->cycles, 2);
	/* A clock that was set back makes nothing old. */
	assert_int_equal(turn(&queue, NOW - 3 * DAY), 2);
	sendqueue_clear(&queue);
}

/* Of old ones a cycle that was begun is ended, then each has its turn. */
static void test_rounds(void **state)
{
	static const uint64_t expected[] = {1, 2, 2, 3, 1, 2, 2, 3};
	struct sendqueue queue;

	(void)state;
	sendqueue_init(&queue, &rules);
	sendqueue_add(&queue, 1, TURN, NOW);
	sendqueue_add(&queue, 2, 2 * TURN, NOW);
	sendqueue_add(&queue, 3, 0, NOW);
	for (size_t i = 0; i < 3; i++)
		queue.items[i].cycles = 2;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(turn(&queue, NOW), expected[i]);
	sendqueue_remove(&queue, 7);
	sendqueue_remove(&queue, 2);
	assert_int_equal(turn(&queue, NOW), 1);
	assert_int_equal(turn(&queue, NOW), 3);
	sendqueue_clear(&queue);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_rounds),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
