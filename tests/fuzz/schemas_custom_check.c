/* SPDX-License-Identifier: ISC
 *
 * fuzz: a descriptor's custom checks. Each that is understood gets a few cells; every schema keeps its own checks, and those of one that asks for
 * nothing.
 */
#include "schemas/custom_check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct custom_check *check)
{
	static const char *const CELLS[] = {"",     "552008443", "73282932000074", "2020/2021", "2.29, 48.8",
					    "24/7", "2A331",     "Corse",          "+33 1",     "\xc3\xa9"};

	if (check->n_columns == 0 || check->columns[0] == NULL)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(CELLS); i++) {
		const char *rule = NULL, *words = custom_check_cell(check, CELLS[i], strlen(CELLS[i]), &rule);

		if (rule == NULL || !custom_check_is_rule(rule) || (words != NULL && words[0] == '\0'))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct custom_checks *checks, none = {0};

	if (json_parse(data, size, LIMIT_PACKAGE_SIZE, &json, NULL) != FAULT_NONE)
		return 0;
	checks = custom_checks_new(json);
	for (size_t i = 0; i < checks->n_items; i++)
		use(&checks->items[i]);
	for (size_t i = 0; i < checks->n_remarks; i++) {
		if (checks->remarks[i].rule == NULL || checks->remarks[i].words[0] == '\0')
			abort();
	}
	if (!custom_checks_hold(checks, checks, NULL) || !custom_checks_hold(&none, checks, NULL) ||
	    custom_checks_hold(checks, &none, NULL) != (checks->n_items == 0))
		abort();
	custom_checks_free(checks);
	return 0;
}
