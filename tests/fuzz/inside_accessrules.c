/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: access.json, and what is asked of it.
 */
#include "inside/accessrules.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_rules *rules = NULL;

	json_init();
	if (access_rules_parse(data, size, "access.json", &rules, NULL) != FAULT_NONE)
		return 0;
	/* What it lists is found. */
	for (size_t i = 0; i < rules->n_datasets; i++)
		if (access_grade_of(rules, rules->datasets[i].name) != &rules->datasets[i].grade)
			abort();
	for (size_t i = 0; i < rules->n_views; i++) {
		const struct access_view *view = &rules->views[i];

		if (access_view_of(rules, view->name) != view)
			abort();
		for (size_t j = 0; j < view->n_filters; j++)
			if (access_filter_of(view, view->filters[j].dataset, view->filters[j].resource) !=
				    &view->filters[j] ||
			    !access_view_filters(view, view->filters[j].dataset))
				abort();
	}
	access_rules_free(rules);
	return 0;
}
