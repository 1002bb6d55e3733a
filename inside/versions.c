/* SPDX-License-Identifier: ISC
 *
 * versions: see versions.h.
 */
#include "inside/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"

/* Of many that fit, so many are named. */
#define SHOWN 5

static enum fault list_versions(const struct inside *inside, const char *dataset, struct store_names *ret_names,
				struct refusal *why)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: no dataset's name", dataset);
	path = xasprintf("datasets/%s/v", dataset);
	r = store_list(inside->store_fd, path, ret_names);
	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: %s", path, strerror(-r));
	return ret_names->n_items > 0 ? FAULT_NONE
				      : refuse(why, FAULT_NO_SUCH, "%s: no version of it is here", dataset);
}

enum fault versions_find(const struct inside *inside, const char *dataset, const char *digits,
			 char ret_version[STORE_VERSION_SIZE], struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	char fit[SHOWN * (STORE_VERSION_SIZE + 2)] = "";
	enum fault fault = list_versions(inside, dataset, &names, why);
	const char *found = NULL;
	size_t n = 0;

	if (fault != FAULT_NONE)
		return fault;
	if (strlen(digits) < VERSIONS_DIGITS_LEAST)
		return refuse(why, FAULT_NO_SUCH, "%s: version %s: at least %d of its digits", dataset, digits,
			      VERSIONS_DIGITS_LEAST);
	for (size_t i = 0; i < names.n_items; i++) {
		if (strncmp(names.items[i], digits, strlen(digits)) != 0)
			continue;
		found = names.items[i];
		if (n++ < SHOWN)
			snprintf(fit + strlen(fit), sizeof(fit) - strlen(fit), "%s%s", n > 1 ? ", " : "", found);
	}
	if (n > 1)
		return refuse(why, FAULT_NO_SUCH, "%s: %zu versions begin with %s: %s%s", dataset, n, digits, fit,
			      n > SHOWN ? ", …" : "");
	if (n == 0)
		return refuse(why, FAULT_NO_SUCH, "%s: no version %s is here; see `clapet-inside history %s`", dataset,
			      digits, dataset);
	return text_copy(ret_version, STORE_VERSION_SIZE, found)
		       ? FAULT_NONE
		       : refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s: no version's name", dataset, found);
}

enum fault versions_in_force(const struct inside *inside, const char *dataset, char ret_version[STORE_VERSION_SIZE],
			     struct refusal *why)
{
	uint64_t generation = 0;

	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: no dataset's name", dataset);
	if (store_current(inside->store_fd, &generation) < 0 || generation == 0 ||
	    store_generation_version(inside->store_fd, generation, dataset, ret_version) < 0)
		return refuse(why, FAULT_NO_SUCH, "nothing of %s is in force", dataset);
	return FAULT_NONE;
}

enum fault versions_before(const struct inside *inside, const char *dataset, const char *version,
			   char ret_version[STORE_VERSION_SIZE], struct refusal *why)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	char shown[STORE_VERSION_SIZE];
	size_t n = 0;
	int r = store_generations(inside->store_fd, &numbers, &n);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "generations: %s", strerror(-r));
	/* Back to the newest generation that shows VERSION, then on to the first that shows another. */
	while (n > 0 && (store_generation_version(inside->store_fd, numbers[n - 1], dataset, shown) < 0 ||
			 strcmp(shown, version) != 0))
		n--;
	while (n-- > 0) {
		if (store_generation_version(inside->store_fd, numbers[n], dataset, shown) == 0 &&
		    strcmp(shown, version) != 0) {
			memcpy(ret_version, shown, STORE_VERSION_SIZE);
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_NO_SUCH, "%s: no generation that is still here shows another version before %s",
		      dataset, version);
}
