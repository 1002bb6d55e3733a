/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the file of the newest sessions, and beacons after it: whatever stands there, no beacon counts twice.
 */
#include "inside/receive_link.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inside/receive_partial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[RECEIVE_NEWEST_SIZE], again[RECEIVE_NEWEST_SIZE];
	struct receive_link link = {.folder_fd = -1};
	struct link_header header = {.kind = LINK_BEACON};

	receive_newest_read(data, size, &link);
	if (size < sizeof(bytes))
		return 0;
	memcpy(bytes, data, sizeof(bytes));
	for (uint64_t sum = receive_sum(0, bytes + 16, sizeof(bytes) - 16), i = 0; i < 8; i++)
		bytes[8 + i] = (uint8_t)(sum >> 8 * i);
	if (!receive_newest_read(bytes, sizeof(bytes), &link))
		return 0;
	receive_newest_put(&link, again);
	if (memcmp(bytes, again, sizeof(bytes)) != 0)
		abort();
	for (data += sizeof(bytes), size -= sizeof(bytes); size >= 3; data += 3, size -= 3) {
		memset(header.session, data[0], sizeof(header.session));
		header.sequence = data[2];
		receive_newest_take(link.beacons, &header, data[1], 1000);
		if (receive_newest_take(link.beacons, &header, data[1], 1000))
			abort();
	}
	return 0;
}
