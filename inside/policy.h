/* SPDX-License-Identifier: ISC
 *
 * policy: what may come in force with no person: dataset names, least thresholds, licences, opaque resources.
 *
 *     {"format": "clapet policy 1", "datasets": [{"name": "cog", "threshold": 1, "opaque": false}], "licences": ["LOV2"],
 *      "attestations": "required", "tolerated": "allowed"}
 *
 * "licences" absent: any. "attestations" absent: required. "tolerated" (faults that the outside let through) absent: allowed, for what applications
 * declared, or else what is in force, bounds them in any case.
 */
#ifndef INSIDE_POLICY_H
#define INSIDE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "inside/verdict.h"

struct policy_dataset {
	char name[NOTATION_NAME_SIZE];
	int64_t threshold;
	bool opaque;
};

struct policy {
	struct policy_dataset *datasets; /* sorted by name */
	size_t n_datasets;
	char **licences;
	size_t n_licences;
	bool any_licence;
	bool attestations_optional;
	bool tolerated_held;
	struct sha256 sha256; /* of the file (policy_load) */
};

/* The policy that lists nothing: every dataset waits for a person. */
struct policy *policy_new(void);
enum fault policy_parse(const void *data, size_t size, const char *where, struct policy **ret_policy,
			struct refusal *why);
enum fault policy_load(const char *path, struct policy **ret_policy, struct refusal *why);
void policy_free(struct policy *policy);
void policy_freep(struct policy **policy);

/* What the policy holds against a version of FACTS under a role of THRESHOLD, which brought attestations or not: appended to BREAKS. */
void policy_judge(const struct policy *policy, const struct verdict *facts, unsigned threshold, bool is_attested,
		  struct break_list *breaks);

#endif
