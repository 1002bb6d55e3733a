/* SPDX-License-Identifier: ISC
 *
 * check_personal: columns that an application's contract forbids, by name or by what they hold. The outside is the exposed host: what it
 * says of them is not asked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "inside/check.h"
#include "schemas/personal.h"

static enum fault break_column(const char *application, const char *resource, const struct personal_column *column,
			       const char *rule, const char *line, struct check_answer *answer, struct refusal *why)
{
	return check_answer_break(answer, FAULT_CONTRACT_PERSONAL, application, resource, column->name, rule, line,
				  why);
}

static enum fault judge_column(const char *application, const char *resource, const struct personal_policy *policy,
			       const struct personal_column *column, struct check_answer *answer, struct refusal *why)
{
	char line[RECORD_LINE_SIZE];
	enum fault fault = FAULT_NONE;

	if (personal_policy_forbids(policy, column->name)) {
		snprintf(line, sizeof(line), "%s: column %.100s is forbidden", resource, column->name);
		fault = break_column(application, resource, column, "forbidden-column", line, answer, why);
	}
	for (enum personal_kind kind = 0; kind < PERSONAL_N && fault == FAULT_NONE; kind++) {
		bool is_named = personal_is_named(kind, column->name);

		if (!policy->stops[kind] || (!is_named && !personal_column_looks_like(column, kind)))
			continue;
		snprintf(line, sizeof(line),
			 "%s: column %.100s: %s is forbidden; %s%" PRIu64 " of %" PRIu64
			 " cells that were looked at are some",
			 resource, column->name, personal_kind_name(kind), is_named ? "its name says so, and " : "",
			 column->n_like[kind], column->n_cells);
		fault = break_column(application, resource, column, personal_kind_rule(kind), line, answer, why);
	}
	return fault;
}

enum fault check_personal(const struct check_contracts *contracts, const struct check_resource *checked,
			  struct check_answer *answer, struct refusal *why)
{
	const struct resource *resource = checked->resource;
	_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < contracts->n_contracts; i++) {
		const struct contract *contract = contracts->contracts[i];

		for (size_t j = 0; j < contract->n_resources; j++) {
			const struct contract_resource *promised = &contract->resources[j];

			if (!promised->has_forbidden || strcmp(promised->name, resource->name) != 0)
				continue;
			if (scan.columns == NULL)
				personal_scan_table(resource, resource->verbatim ? &resource->dialect : &dialect_plain,
						    checked->file->fd, &scan);
			for (size_t k = 0; k < scan.n_columns && fault == FAULT_NONE; k++)
				fault = judge_column(contract->application, resource->name, &promised->forbidden,
						     &scan.columns[k], answer, why);
		}
	}
	return fault;
}
