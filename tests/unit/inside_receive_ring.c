/* SPDX-License-Identifier: ISC
 *
 * What is put comes out in order; a full ring makes who puts wait; its form changes only when it is empty.
 */
#include "inside/receive_ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bundle/limits.h"

#define N 20000

static void *put_all(void *argument)
{
	struct receive_ring *ring = argument;

	for (uint32_t i = 0; i < N;) {
		struct receive_cell *cells;
		size_t room = receive_ring_room(ring, 1 + i % 7, 1000, &cells), n = 0;

		for (; n < room && i < N; n++, i++) {
			memcpy(cells[n].data, &i, sizeof(i));
			cells[n].size = sizeof(i);
		}
		receive_ring_push(ring, n);
	}
	return NULL;
}

static void test_order(void **state)
{
	struct receive_ring *ring = receive_ring_new();
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_all, ring), 0);
	for (uint32_t i = 0; i < N;) {
		struct receive_cell *cells;
		size_t n = receive_ring_wait(ring, 1000, &cells);

		assert_true(n > 0);
		for (size_t j = 0; j < n; j++, i++)
			assert_memory_equal(cells[j].data, &i, sizeof(i));
		receive_ring_pop(ring, n);
	}
	pthread_join(thread, NULL);
	receive_ring_free(ring);
}

static void test_full(void **state)
{
	struct receive_ring *ring = receive_ring_new();
	struct receive_cell *cells;
	size_t n_cells = LIMIT_RECEIVE_RING / RECEIVE_CELL_LARGE;

	(void)state;
	assert_int_equal(receive_ring_wait(ring, 1, &cells), 0);
	assert_int_equal(receive_ring_room(ring, SIZE_MAX, 1, &cells), n_cells);
	assert_int_equal(cells[0].room, RECEIVE_CELL_LARGE);
	receive_ring_push(ring, n_cells);
	assert_int_equal(receive_ring_room(ring, 1, 1, &cells), 0);
	assert_false(receive_ring_reshape(ring, RECEIVE_CELL_SMALL));
	assert_int_equal(receive_ring_wait(ring, 1, &cells), n_cells);
	receive_ring_pop(ring, 1);
	assert_int_equal(receive_ring_room(ring, 5, 1, &cells), 1);
	receive_ring_pop(ring, n_cells - 1);
	assert_true(receive_ring_reshape(ring, RECEIVE_CELL_SMALL));
	assert_int_equal(receive_ring_room(ring, SIZE_MAX, 1, &cells), LIMIT_RECEIVE_RING / RECEIVE_CELL_SMALL);
	assert_int_equal(cells[0].room, RECEIVE_CELL_SMALL);
	/* The last cell is writable to its end. */
	memset(cells[LIMIT_RECEIVE_RING / RECEIVE_CELL_SMALL - 1].data, 1, RECEIVE_CELL_SMALL);
	receive_ring_free(ring);
}

static int64_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void *take_until_closed(void *argument)
{
	struct receive_cell *cells;
	size_t n;

	while ((n = receive_ring_wait(argument, 60000, &cells)) > 0)
		receive_ring_pop(argument, n);
	return NULL;
}

/* What was put before is taken; then nobody waits. */
static void test_close(void **state)
{
	struct receive_ring *ring = receive_ring_new();
	struct receive_cell *cells;
	int64_t begun = seconds();
	pthread_t thread;

	(void)state;
	assert_true(receive_ring_room(ring, 1, 1, &cells) == 1);
	receive_ring_push(ring, 1);
	assert_int_equal(pthread_create(&thread, NULL, take_until_closed, ring), 0);
	receive_ring_close(ring);
	pthread_join(thread, NULL);
	assert_int_equal(receive_ring_wait(ring, 60000, &cells), 0);
	assert_true(receive_ring_reshape(ring, RECEIVE_CELL_LARGE)); /* it is empty */
	assert_true(seconds() - begun < 30);
	receive_ring_free(ring);
}

/* An empty ring is filled from its beginning again. */
static void test_again(void **state)
{
	struct receive_ring *ring = receive_ring_new();
	struct receive_cell *first, *cells;

	(void)state;
	assert_int_equal(receive_ring_room(ring, 1, 1, &first), 1);
	receive_ring_push(ring, 1);
	assert_int_equal(receive_ring_room(ring, 1, 1, &cells), 1);
	assert_ptr_equal(cells, first + 1);
	receive_ring_push(ring, 1);
	assert_int_equal(receive_ring_wait(ring, 1, &cells), 2);
	receive_ring_pop(ring, 2);
	assert_int_equal(receive_ring_room(ring, 1, 1, &cells), 1);
	assert_ptr_equal(cells, first);
	receive_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
