/* SPDX-License-Identifier: ISC
 *
 * A checkpoint as a person has it: whatever is typed, what is believed is of the key's own log, has a size that a log may have, and is
 * signed where it is said to be.
 */
#include "inside/audit_trail.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct note_verifier verifier;
	struct checkpoint checkpoint, again;
	bool is_signed, again_signed;
	char text[CHECKPOINT_TEXT_SIZE];

	hash_init();
	if (sodium_init() < 0 || size > LIMIT_CHECKPOINT_SIZE)
		return 0;
	if (note_verifier_parse("clapet-inside/fuzz+1d227848+AWMvbic1r7CgQuiXTriAzy4l3pTarp2uBu+8da+yjDG7", &verifier,
				NULL) != FAULT_NONE)
		abort();
	if (trail_read_checkpoint(data, size, &verifier, &checkpoint, &is_signed, NULL) != FAULT_NONE)
		return 0;
	if (strcmp(checkpoint.origin, verifier.name) != 0 || checkpoint.size > LIMIT_VERSION)
		abort();
	/* What was read is what its three lines say. */
	checkpoint_format(&checkpoint, text);
	if (trail_read_checkpoint((const uint8_t *)text, strlen(text), &verifier, &again, &again_signed, NULL) !=
		    FAULT_NONE ||
	    again_signed || again.size != checkpoint.size || !sha256_equal(&again.root, &checkpoint.root))
		abort();
	return 0;
}
