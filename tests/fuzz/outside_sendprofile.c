/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a member of "links", an address, a rate, and what --only says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "outside/sendprofile.h"
#include "outside/sendranges.h"
#include "outside/sendsource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_profile(const struct send_profile *profile)
{
	if (profile->rate < LIMIT_SEND_RATE_LEAST || profile->rate > LIMIT_SEND_RATE ||
	    profile->repair > LIMIT_LINK_PERCENT || strlen(profile->to) >= SENDPROFILE_TO_SIZE ||
	    profile->rules.weights[SENDQUEUE_NEW] < 1)
		abort();
}

static void as_texts(const char *text)
{
	_cleanup_(sendprofile_clear) struct send_profile profile;
	struct refusal why;
	struct send_only only;
	struct sha256 sha256;
	uint64_t version;

	sendprofile_init(&profile);
	sendprofile_set_to(&profile, text, &why);
	sendprofile_set_rate(&profile, text, &why);
	check_profile(&profile);
	if (sendranges_parse(text, &only, &why) == FAULT_NONE &&
	    (only.ranges.n_items == 0 || sendranges_check(&only, "it", LIMIT_LINK_GENERATIONS, &why) != FAULT_NONE))
		abort();
	if (sendsource_parse_name(text, &version, &sha256) && version > 9999999999ULL)
		abort();
}

static void as_link(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_(sendprofile_clear) struct send_profile profile;
	struct refusal why;

	sendprofile_init(&profile);
	if (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &object, &why) != FAULT_NONE ||
	    sendprofile_parse(object, "link", "/etc/clapet", &profile, &why) != FAULT_NONE)
		return;
	check_profile(&profile);
	if (profile.to[0] == '\0' || profile.key == NULL || profile.state == NULL ||
	    sendprofile_symbol_size(&profile) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xmalloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	as_texts(text);
	as_link(data, size);
	return 0;
}
