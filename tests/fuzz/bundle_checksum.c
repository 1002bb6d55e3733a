/* SPDX-License-Identifier: ISC
 *
 * fuzz: a text as an announced digest: what is read is read the same when it is written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/checksum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xcalloc(size + 1, 1);
	char written[CHECKSUM_TEXT_SIZE];
	struct checksum checksum, again;

	if (size > 0)
		memcpy(text, data, size);
	if (!checksum_parse(text, &checksum))
		return 0;
	if (checksum.size > CHECKSUM_SIZE || !checksum_parse(checksum_format(&checksum, written), &again) ||
	    !checksum_equal(&checksum, &again))
		abort();
	return 0;
}
