/* SPDX-License-Identifier: ISC
 *
 * Two steps by two threads: the same bytes, the same fault, the same place as by one, whichever of the two is the slower or fails.
 */
#include "bundle/relay.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tests/unit/bundle_util.h"

/* What the first step gives: SIZE bytes of a known text in pieces of at most PIECE, then FAULT. */
struct giving {
	size_t size, piece;
	enum fault fault;
	bool is_slow;
	enum fault told; /* by the sink */
};

/* What the second has seen, and where it refuses. */
struct taking {
	size_t size, most;
	bool is_slow;
	size_t n_wrong;
};

static uint8_t text_at(size_t at)
{
	return (uint8_t)(at * 2654435761U >> 13);
}

static void dawdle(void)
{
	const struct timespec little = {0, 200000};

	nanosleep(&little, NULL);
}

static enum fault give(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why)
{
	struct giving *giving = ctx;
	_cleanup_free_ uint8_t *piece = xmalloc(giving->piece);

	for (size_t at = 0; at < giving->size;) {
		size_t n = giving->size - at < giving->piece ? giving->size - at : giving->piece;

		for (size_t i = 0; i < n; i++)
			piece[i] = text_at(at + i);
		if (giving->is_slow)
			dawdle();
		giving->told = sink(sink_ctx, piece, n, why);
		if (giving->told != FAULT_NONE)
			return giving->told;
		at += n;
	}
	return giving->fault == FAULT_NONE ? FAULT_NONE : refuse(why, giving->fault, "the first step");
}

static enum fault take(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct taking *taking = ctx;
	const uint8_t *bytes = data;

	assert_true(size > 0);
	if (taking->is_slow)
		dawdle();
	for (size_t i = 0; i < size; i++) {
		if (taking->size == taking->most)
			return refuse(why, FAULT_STORAGE, "the second step");
		taking->n_wrong += bytes[i] != text_at(taking->size++);
	}
	return FAULT_NONE;
}

static void run(struct giving giving, size_t most, bool is_slow, enum fault fault, size_t size)
{
	struct taking taking = {0, most, is_slow, 0};
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(relay_run(give, &giving, take, &taking, &why), fault);
	assert_int_equal(why.fault, fault);
	assert_int_equal(taking.size, size);
	assert_int_equal(taking.n_wrong, 0);
	if (fault != FAULT_NONE)
		assert_string_equal(why.line, fault == FAULT_STORAGE ? "the second step" : "the first step");
}

static void test_whole(void **state)
{
	static const size_t sizes[] = {0,
				       1,
				       RELAY_SLOT_SIZE - 1,
				       RELAY_SLOT_SIZE,
				       RELAY_SLOT_SIZE + 1,
				       RELAY_SLOTS * RELAY_SLOT_SIZE,
				       3 * RELAY_SLOTS * RELAY_SLOT_SIZE + 77};
	static const size_t pieces[] = {977, RELAY_SLOT_SIZE, 3 * RELAY_SLOT_SIZE + 5};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			run((struct giving){sizes[i], pieces[j], FAULT_NONE, false, FAULT_NONE}, SIZE_MAX, false,
			    FAULT_NONE, sizes[i]);
			run((struct giving){sizes[i], pieces[j], FAULT_NONE, false, FAULT_NONE}, SIZE_MAX, true,
			    FAULT_NONE, sizes[i]);
		}
	}
	run((struct giving){9 * RELAY_SLOT_SIZE + 3, 100000, FAULT_NONE, true, FAULT_NONE}, SIZE_MAX, false, FAULT_NONE,
	    9 * RELAY_SLOT_SIZE + 3);
}

/* What comes before the first step's fault is taken; a fault of the second that comes before it in the bytes is the one. */
static void test_faults(void **state)
{
	const size_t size = 20 * RELAY_SLOT_SIZE + 9;

	(void)state;
	for (int is_slow = 0; is_slow < 2; is_slow++) {
		run((struct giving){size, 70000, FAULT_BLOB_FRAME, is_slow == 0, FAULT_NONE}, SIZE_MAX, is_slow == 1,
		    FAULT_BLOB_FRAME, size);
		run((struct giving){size, 70000, FAULT_NONE, is_slow == 0, FAULT_NONE}, RELAY_SLOT_SIZE + 3,
		    is_slow == 1, FAULT_STORAGE, RELAY_SLOT_SIZE + 3);
		run((struct giving){size, 70000, FAULT_BLOB_FRAME, is_slow == 0, FAULT_NONE}, size - 1, is_slow == 1,
		    FAULT_STORAGE, size - 1);
		run((struct giving){0, 70000, FAULT_BLOB_FRAME, is_slow == 0, FAULT_NONE}, SIZE_MAX, is_slow == 1,
		    FAULT_BLOB_FRAME, 0);
	}
}

/* --- steps of three --------------------------------------------------------------------------------------------------- */

/* A relay within a relay, as inside-check reads a file. */
static enum fault give_by_two(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why)
{
	return relay_run(give, ctx, sink, sink_ctx, why);
}

static void test_three(void **state)
{
	const size_t size = 20 * RELAY_SLOT_SIZE + 9;
	struct giving giving = {size, 70000, FAULT_NONE, false, FAULT_NONE};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct taking taking = {0, i == 1 ? size / 2 : SIZE_MAX, i == 2, 0};

		assert_int_equal(relay_run(give_by_two, &giving, take, &taking, &why),
				 i == 1 ? FAULT_STORAGE : FAULT_NONE);
		assert_int_equal(taking.size, i == 1 ? size / 2 : size);
		assert_int_equal(taking.n_wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_three),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
