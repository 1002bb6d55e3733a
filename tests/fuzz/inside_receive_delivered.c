/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the list of what was delivered; each entry that is taken is written as it was.
 */
#include "inside/receive_delivered.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inside/receive_partial.h"

#define N 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct receive_delivery items[N];
	uint8_t list[N * RECEIVE_DELIVERY_SIZE], again[RECEIVE_DELIVERY_SIZE];
	size_t n = size / RECEIVE_DELIVERY_SIZE < N ? size / RECEIVE_DELIVERY_SIZE : N;

	if (receive_deliveries_read(data, size, items, N) > n)
		abort();
	/* The same with sums that are right. */
	memcpy(list, data, n * RECEIVE_DELIVERY_SIZE);
	for (size_t i = 0; i < n; i++)
		for (uint64_t sum = receive_sum(0, list + i * RECEIVE_DELIVERY_SIZE, 56), j = 0; j < 8; j++)
			list[i * RECEIVE_DELIVERY_SIZE + 56 + j] = (uint8_t)(sum >> 8 * j);
	n = receive_deliveries_read(list, n * RECEIVE_DELIVERY_SIZE, items, N);
	for (size_t i = 0; i < n; i++) {
		struct receive_delivery same;

		receive_delivery_put(&items[i], again);
		if (receive_deliveries_read(again, sizeof(again), &same, 1) != 1 || same.started != items[i].started ||
		    same.at != items[i].at || !sha256_equal(&same.sha256, &items[i].sha256))
			abort();
	}
	return 0;
}
