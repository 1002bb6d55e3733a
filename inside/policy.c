/* SPDX-License-Identifier: ISC
 *
 * policy: parsed once a run, strictly; judged in memory, so that a changed policy counts at the next settling with no
 * check of the data.
 */
#include "inside/policy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"

struct policy *policy_new(void)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));

	policy->any_licence = true;
	return policy;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; i < policy->n_licences; i++)
		free(policy->licences[i]);
	free(policy->licences);
	free(policy->datasets);
	free(policy);
}

void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}

static int compare_datasets(const void *a, const void *b)
{
	return strcmp(((const struct policy_dataset *)a)->name, ((const struct policy_dataset *)b)->name);
}

static enum fault get_dataset(const json_t *object, const char *where, struct policy_dataset *ret, struct refusal *why)
{
	static const char *const allowed[] = {"name", "threshold", "opaque", NULL};
	const char *name;
	enum fault fault;

	memset(ret, 0, sizeof(*ret));
	ret->threshold = 1;
	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an entry of \"datasets\" is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "name", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "threshold", false, 1, LIMIT_SIGNATURES, &ret->threshold, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_bool(object, where, "opaque", false, &ret->opaque, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(name) || !text_copy(ret->name, sizeof(ret->name), name))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no dataset's name", where, name);
	return FAULT_NONE;
}

static enum fault get_datasets(const json_t *array, const char *where, struct policy *policy, struct refusal *why)
{
	size_t n = json_array_size(array);

	if (n > LIMIT_ROLES)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu datasets, at most %d", where, n, LIMIT_ROLES);
	policy->datasets = xcalloc(n + 1, sizeof(*policy->datasets));
	for (; policy->n_datasets < n; policy->n_datasets++) {
		enum fault fault = get_dataset(json_array_get(array, policy->n_datasets), where,
					       &policy->datasets[policy->n_datasets], why);

		if (fault != FAULT_NONE)
			return fault;
	}
	qsort(policy->datasets, n, sizeof(*policy->datasets), compare_datasets);
	for (size_t i = 1; i < n; i++)
		if (compare_datasets(&policy->datasets[i - 1], &policy->datasets[i]) == 0)
			return refuse(why, FAULT_JSON_MEMBER, "%s: dataset %s twice", where, policy->datasets[i].name);
	return FAULT_NONE;
}

static enum fault get_licences(const json_t *array, const char *where, struct policy *policy, struct refusal *why)
{
	size_t n = json_array_size(array);

	policy->any_licence = false;
	policy->licences = xcalloc(n + 1, sizeof(*policy->licences));
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(array, i));

		if (name == NULL || strlen(name) != json_string_length(json_array_get(array, i)))
			return refuse(why, FAULT_JSON_MEMBER, "%s: an entry of \"licences\" is not a text", where);
		policy->licences[policy->n_licences++] = xstrdup(name);
	}
	return FAULT_NONE;
}

static enum fault get_attestations(const json_t *root, const char *where, struct policy *policy, struct refusal *why)
{
	const char *word = "required";
	enum fault fault = json_get_text(root, where, "attestations", false, &word, why);

	if (fault != FAULT_NONE)
		return fault;
	policy->attestations_optional = strcmp(word, "optional") == 0;
	if (!policy->attestations_optional && strcmp(word, "required") != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"attestations\" is \"%.40s\", not required or optional",
			      where, word);
	return FAULT_NONE;
}

static enum fault get_tolerated(const json_t *root, const char *where, struct policy *policy, struct refusal *why)
{
	const char *word = "allowed";
	enum fault fault = json_get_text(root, where, "tolerated", false, &word, why);

	if (fault != FAULT_NONE)
		return fault;
	policy->tolerated_held = strcmp(word, "held") == 0;
	if (!policy->tolerated_held && strcmp(word, "allowed") != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"tolerated\" is \"%.40s\", not allowed or held", where,
			      word);
	return FAULT_NONE;
}

enum fault policy_parse(const void *data, size_t size, const char *where, struct policy **ret_policy,
			struct refusal *why)
{
	static const char *const allowed[] = {"format", "datasets", "licences", "attestations", "tolerated", NULL};
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(policy_freep) struct policy *policy = policy_new();
	json_t *datasets = NULL, *licences = NULL;
	enum fault fault;

	if ((fault = json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &root, why)) != FAULT_NONE) {
		refuse_within(why, "%s", where);
		return fault;
	}
	if ((fault = json_format(root, where, "clapet policy", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, where, "datasets", true, &datasets, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, where, "licences", false, &licences, why)) != FAULT_NONE ||
	    (fault = get_attestations(root, where, policy, why)) != FAULT_NONE ||
	    (fault = get_tolerated(root, where, policy, why)) != FAULT_NONE ||
	    (fault = get_datasets(datasets, where, policy, why)) != FAULT_NONE ||
	    (licences != NULL && (fault = get_licences(licences, where, policy, why)) != FAULT_NONE))
		return fault;
	*ret_policy = steal_pointer(&policy);
	return FAULT_NONE;
}

enum fault policy_load(const char *path, struct policy **ret_policy, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_CONFIGURATION_SIZE, &data, &size);
	enum fault fault;

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	fault = policy_parse(data, size, path, ret_policy, why);
	if (fault == FAULT_NONE)
		hash_bytes(data, size, &(*ret_policy)->sha256);
	return fault;
}

static bool has_licence(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->n_licences; i++)
		if (strcmp(policy->licences[i], name) == 0)
			return true;
	return policy->any_licence;
}

/* A break with no application and no resource: the policy speaks of the whole version. */
static struct record_break *add(struct break_list *breaks, enum fault fault, bool approvable, const char *rule,
				const char *field)
{
	struct record_break item;

	memset(&item, 0, sizeof(item));
	item.fault = fault;
	item.can_be_approved = approvable;
	snprintf(item.rule, sizeof(item.rule), "%s", rule);
	snprintf(item.field, sizeof(item.field), "%s", field);
	break_list_add(breaks, &item);
	return &breaks->items[breaks->n_items - 1];
}

/* One for each kind: a waiver lets that one pass, also when there are more of it, and no other. */
static void judge_tolerated(const struct verdict *facts, struct break_list *breaks)
{
	for (size_t i = 0; i < facts->n_tolerated; i++) {
		const struct record_tolerated *tolerated = &facts->tolerated[i];
		struct record_break *item = add(breaks, FAULT_POLICY_TOLERATED, true, tolerated->rule,
						tolerated->field);

		memcpy(item->resource, tolerated->resource, sizeof(item->resource));
		snprintf(item->line, sizeof(item->line), "%s: the outside let %llu faults of %s through%s%.120s",
			 tolerated->resource, (unsigned long long)tolerated->count, tolerated->rule,
			 tolerated->field[0] == '\0' ? "" : ", field ", tolerated->field);
	}
}

void policy_judge(const struct policy *policy, const struct verdict *facts, unsigned threshold, bool is_attested,
		  struct break_list *breaks)
{
	struct policy_dataset key = {0}, *entry = NULL;
	struct record_break *item;

	snprintf(key.name, sizeof(key.name), "%s", facts->dataset);
	if (policy->n_datasets > 0)
		entry = bsearch(&key, policy->datasets, policy->n_datasets, sizeof(key), compare_datasets);
	if (entry == NULL) {
		item = add(breaks, FAULT_POLICY_NAME, true, "policy-name", "");
		snprintf(item->line, sizeof(item->line), "the policy does not list dataset %s", facts->dataset);
	} else if (threshold < entry->threshold) {
		/* Signatures are no matter of opinion: this one cannot be waived, only the policy or the delegation changed. */
		item = add(breaks, FAULT_POLICY_THRESHOLD, false, "policy-threshold", "");
		snprintf(item->line, sizeof(item->line), "%u signatures are asked of it, the policy asks for %lld",
			 threshold, (long long)entry->threshold);
	}
	for (size_t i = 0; i < facts->n_licences; i++) {
		if (has_licence(policy, facts->licences[i].name))
			continue;
		item = add(breaks, FAULT_POLICY_LICENCE, true, "policy-licence", facts->licences[i].name);
		snprintf(item->line, sizeof(item->line), "licence %s is not in the policy", facts->licences[i].name);
	}
	if (facts->n_licences == 0 && !policy->any_licence) {
		item = add(breaks, FAULT_POLICY_LICENCE, true, "policy-licence", "");
		snprintf(item->line, sizeof(item->line),
			 "it names no licence, and the policy lists those that need no person");
	}
	if (facts->facts.has_opaque && (entry == NULL || !entry->opaque)) {
		item = add(breaks, FAULT_POLICY_OPAQUE, true, "policy-opaque", "");
		snprintf(item->line, sizeof(item->line), "it has an opaque resource, which the policy does not allow");
	}
	if (policy->tolerated_held)
		judge_tolerated(facts, breaks);
	if (!is_attested && !policy->attestations_optional) {
		item = add(breaks, FAULT_ATTESTATION_ABSENT, true, "policy-attestations", "");
		snprintf(item->line, sizeof(item->line),
			 "nothing signed says where it came from and how it was tested, and the policy asks for that");
	}
}
