/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the head of a state file, with its sum as it is and as it should be; what is taken is written as the same bytes again.
 */
#include "inside/receive_partial.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *bytes, size_t size)
{
	uint8_t again[RECEIVE_STATE_HEAD_SIZE];
	struct receive_info info, same;

	if (!receive_state_read(bytes, size, &info))
		return;
	receive_state_put(&info, again);
	if (!receive_state_read(again, sizeof(again), &same) || same.size != info.size ||
	    same.symbol_size != info.symbol_size || same.is_announced != info.is_announced ||
	    (info.is_announced && memcmp(info.sha256.bytes, info.id, sizeof(info.id)) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t summed[RECEIVE_STATE_HEAD_SIZE];

	read_one(data, size);
	if (size < sizeof(summed))
		return 0;
	/* No fuzzer finds a sum. */
	memcpy(summed, data, sizeof(summed));
	for (uint64_t sum = receive_sum(0, summed, 120), i = 0; i < 8; i++)
		summed[120 + i] = (uint8_t)(sum >> 8 * i);
	read_one(summed, sizeof(summed));
	return 0;
}
