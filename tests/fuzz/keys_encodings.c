/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a target's `custom`. What is taken keeps its bounds, is written again, and is read back as the same.
 */
#include "keys/encodings.h"

#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_blob(const struct blob *one, const struct blob *again)
{
	if (one->n_parts < 1 || one->n_parts > LIMIT_PARTS || one->n_parts != again->n_parts ||
	    one->plain_length != again->plain_length || !sha256_equal(&one->plain_sha256, &again->plain_sha256))
		abort();
	for (size_t i = 0; i < one->n_parts; i++)
		if (!sha256_equal(&one->parts[i].sha256, &again->parts[i].sha256) || one->parts[i].length < 1 ||
		    one->parts[i].length > LIMIT_PART_SIZE || one->parts[i].length != again->parts[i].length)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(encoding_clear) struct encoding encoding = {.is_patch = false}, again = {.is_patch = false};
	_cleanup_(json_decrefp) json_t *custom = NULL, *built = NULL;
	const struct sha256 plain = {{0x07}};

	json_init();
	if (json_parse(data, size, LIMIT_ROLE_SIZE, &custom, NULL) != FAULT_NONE ||
	    encodings_parse(custom, "fuzz", &plain, 99, &encoding, NULL) != FAULT_NONE)
		return 0;
	built = encodings_build(&encoding);
	if (encodings_parse(built, "fuzz", &plain, 99, &again, NULL) != FAULT_NONE ||
	    encoding.is_patch != again.is_patch)
		abort();
	check_blob(&encoding.blob, &again.blob);
	if (encoding.is_patch)
		check_blob(&encoding.base, &again.base);
	if (encoding.is_patch && (encoding.base.plain_length > LIMIT_PLAIN_SIZE ||
				  sha256_equal(&encoding.base.plain_sha256, &encoding.blob.plain_sha256)))
		abort();
	return 0;
}
