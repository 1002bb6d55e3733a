/* SPDX-License-Identifier: ISC
 *
 * config_trust: two members, each by kind of role.
 */
#include "inside/config_trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/metadata.h"

#define VALIDITY_DEFAULT (400 * 86400LL) /* targets are signed for a year */

_Static_assert(RECORD_KINDS == TUF_KIND_N, "the configuration has each kind of role");

static void list_kinds(const char *keys[TUF_KIND_N + 1])
{
	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		keys[kind] = tuf_kind_name(kind);
	keys[TUF_KIND_N] = NULL;
}

static void set_validity(struct inside_config *config, int64_t seconds)
{
	for (enum tuf_kind kind = TUF_KIND_TIMESTAMP; kind < TUF_KIND_N; kind++)
		config->max_validity[kind] = seconds;
}

void config_trust_default(struct inside_config *config)
{
	set_validity(config, VALIDITY_DEFAULT);
	config->max_validity[TUF_KIND_ROOT] = 0;
	memset(config->schemes, 0, sizeof(config->schemes));
}

/* One duration for all but the root, or an object with one for each kind; what it does not name keeps its default. */
static enum fault parse_validity(const json_t *root, const char *where, struct inside_config *config,
				 struct refusal *why)
{
	const json_t *member = json_object_get(root, "maxValidity");
	const char *kinds[TUF_KIND_N + 1];
	int64_t seconds = VALIDITY_DEFAULT;
	enum fault fault;

	if (!json_is_object(member)) {
		fault = json_get_duration(root, where, "maxValidity", false, &seconds, why);
		if (fault == FAULT_NONE)
			set_validity(config, seconds);
		return fault;
	}
	list_kinds(kinds);
	fault = json_only(member, "maxValidity", kinds, why);
	for (enum tuf_kind kind = 0; fault == FAULT_NONE && kind < TUF_KIND_N; kind++)
		fault = json_get_duration(member, "maxValidity", kinds[kind], false, &config->max_validity[kind], why);
	return fault == FAULT_NONE ? fault : refuse_within(why, "%s", where);
}

static enum fault parse_scheme(const json_t *value, const char *kind, uint32_t *schemes, struct refusal *why)
{
	const char *name = json_string_value(value);
	enum tuf_scheme scheme = name != NULL ? tuf_scheme_by_name(name) : TUF_SCHEME_UNKNOWN;

	if (scheme == TUF_SCHEME_UNKNOWN)
		return refuse(why, FAULT_CONFIGURATION, "schemes.%s: \"%.40s\" is none of %s, %s, %s", kind,
			      name != NULL ? name : "", tuf_scheme_name(TUF_SCHEME_ED25519),
			      tuf_scheme_name(TUF_SCHEME_ECDSA_P256), tuf_scheme_name(TUF_SCHEME_RSA_PSS_SHA256));
	if ((tuf_schemes_built() & TUF_SCHEME_BIT(scheme)) == 0)
		return refuse(why, FAULT_CONFIGURATION, "schemes.%s: %s is not in this build (ECDSA=1 adds it)", kind,
			      name);
	if ((*schemes & TUF_SCHEME_BIT(scheme)) != 0)
		return refuse(why, FAULT_CONFIGURATION, "schemes.%s: %s twice", kind, name);
	*schemes |= TUF_SCHEME_BIT(scheme);
	return FAULT_NONE;
}

static enum fault parse_schemes_of(const json_t *schemes, const char *kind, uint32_t *ret, struct refusal *why)
{
	json_t *list = NULL;
	uint32_t found = 0;
	enum fault fault = json_get_array(schemes, "schemes", kind, false, &list, why);

	if (fault != FAULT_NONE || list == NULL)
		return fault;
	if (json_array_size(list) == 0)
		return refuse(why, FAULT_CONFIGURATION, "schemes.%s: names none, so that nothing could be signed",
			      kind);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(list); i++)
		fault = parse_scheme(json_array_get(list, i), kind, &found, why);
	if (fault == FAULT_NONE)
		*ret = found;
	return fault;
}

static enum fault parse_schemes(const json_t *root, const char *where, struct inside_config *config,
				struct refusal *why)
{
	const char *kinds[TUF_KIND_N + 1];
	json_t *schemes = NULL;
	enum fault fault = json_get_object(root, where, "schemes", false, &schemes, why);

	if (fault != FAULT_NONE || schemes == NULL)
		return fault;
	list_kinds(kinds);
	fault = json_only(schemes, "schemes", kinds, why);
	for (enum tuf_kind kind = 0; fault == FAULT_NONE && kind < TUF_KIND_N; kind++)
		fault = parse_schemes_of(schemes, kinds[kind], &config->schemes[kind], why);
	return fault == FAULT_NONE ? fault : refuse_within(why, "%s", where);
}

enum fault config_trust_parse(const json_t *root, const char *where, struct inside_config *config, struct refusal *why)
{
	enum fault fault = parse_validity(root, where, config, why);

	return fault == FAULT_NONE ? parse_schemes(root, where, config, why) : fault;
}

const char *config_trust_kind(size_t kind)
{
	return tuf_kind_name((enum tuf_kind)kind);
}

void config_trust_describe(const struct inside_config *config, size_t kind, char *text, size_t size)
{
	uint32_t schemes = config->schemes[kind] != 0 ? config->schemes[kind] : TUF_SCHEME_BIT(TUF_SCHEME_ED25519);
	char age[32] = "";
	size_t used = 0;

	for (int i = 0; i < TUF_SCHEME_N; i++)
		if (schemes & TUF_SCHEME_BIT(i))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
						 tuf_scheme_name((enum tuf_scheme)i));
	if (config->max_validity[kind] == 0) {
		snprintf(text + used, size - used, "; expires whenever it says");
		return;
	}
	/* To the day: "1 year" is not what was written. */
	if (config->max_validity[kind] >= 2 * 86400)
		snprintf(age, sizeof(age), "%" PRId64 " days", config->max_validity[kind] / 86400);
	else
		notation_format_age(config->max_validity[kind], age, sizeof(age));
	snprintf(text + used, size - used, "; expires at most %s ahead", age);
}
