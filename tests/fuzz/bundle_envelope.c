/* SPDX-License-Identifier: ISC
 *
 * Envelopes: what is read is written and read back as the same.
 */
#include "bundle/envelope.h"

#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(envelope_freep) struct envelope *envelope = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL;

	json_init();
	if (envelope_parse(data, size, &envelope, NULL) != FAULT_NONE)
		return 0;
	text = envelope_encode(envelope);
	if (envelope_parse(text, strlen(text), &again, NULL) != FAULT_NONE ||
	    again->payload_size != envelope->payload_size ||
	    memcmp(again->payload, envelope->payload, again->payload_size) != 0 ||
	    strcmp(again->payload_type, envelope->payload_type) != 0 || again->n_signatures != envelope->n_signatures)
		abort();
	for (size_t i = 0; i < again->n_signatures; i++)
		if (again->signatures[i].sig_size != envelope->signatures[i].sig_size ||
		    memcmp(again->signatures[i].sig, envelope->signatures[i].sig, again->signatures[i].sig_size) != 0)
			abort();
	return 0;
}
