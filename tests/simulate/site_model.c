/* SPDX-License-Identifier: ISC
 *
 * site, the model: what must be in force, held or missing by all that came in; and status.json, the links and the trust held against it.
 */
#include "tests/simulate/site.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/store.h"

static bool *grow(bool *items, size_t *n, size_t wanted)
{
	if (*n >= wanted)
		return items;
	items = xrealloc(items, wanted, sizeof(bool));
	memset(items + *n, 0, wanted - *n);
	*n = wanted;
	return items;
}

void site_receive(struct site *site, int index)
{
	const struct pub_bundle *bundle = &site->publisher->bundles[index];

	site->has_metadata = grow(site->has_metadata, &site->n_metadata, site->publisher->n_metadata);
	site->has_blob = grow(site->has_blob, &site->n_blobs, site->publisher->n_blobs);
	site->has_bundle = grow(site->has_bundle, &site->n_bundles, site->publisher->n_bundles);
	site->has_bundle[index] = true;
	for (size_t i = 0; i < bundle->n_metadata; i++)
		site->has_metadata[bundle->metadata[i]] = true;
	for (size_t i = 0; i < bundle->n_blobs; i++)
		site->has_blob[bundle->blobs[i]] = true;
	if (site->newest == NOTHING || bundle->state.timestamp > site->publisher->bundles[site->newest].state.timestamp)
		site->newest = index;
}

/* --- the model against the store ------------------------------------------------------------------------------------- */

static json_t *load_status(const struct site *site)
{
	_cleanup_free_ char *path = xasprintf("%s/store/status.json", site->dir);
	json_error_t error;
	json_t *status = json_load_file(path, 0, &error);

	if (status == NULL)
		fail("%s: %s", path, error.text);
	return status;
}

static void check_version(const struct site *site, const json_t *trust, const char *name, uint64_t wanted,
			  uint64_t *before)
{
	uint64_t found = (uint64_t)json_integer_value(json_object_get(trust, name));

	if (found < *before)
		fail("%s: %s went back from %ju to %ju", site->name, name, (uintmax_t)*before, (uintmax_t)found);
	if (found != wanted)
		fail("%s: %s %ju is trusted, it should be %ju", site->name, name, (uintmax_t)found, (uintmax_t)wanted);
	*before = found;
}

static void check_trust(struct site *site, const json_t *status)
{
	const json_t *trust = json_object_get(status, "trust");
	const struct pub_state *wanted = &site->publisher->bundles[site->newest].state;

	check_version(site, trust, "root", wanted->root, &site->root);
	check_version(site, trust, "timestamp", wanted->timestamp, &site->timestamp);
	check_version(site, trust, "snapshot", wanted->snapshot, &site->snapshot);
	check_version(site, trust, "targets", wanted->targets, &site->targets);
}

/* The link of the set in force, which is what readers open; "" where there is none. */
void site_read_in_force(const struct site *site, int dataset, char version[17])
{
	char path[400], link[200] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "%s/store/current/%s", site->dir, dataset_names[dataset]);
	n = readlink(path, link, sizeof(link) - 1);
	version[0] = '\0';
	if (n > 16)
		snprintf(version, 17, "%.16s", link + n - 16);
}

int site_find_release(const struct site *site, int dataset, const char *version)
{
	for (size_t i = 0; i < site->publisher->n_releases; i++)
		if (site->publisher->releases[i].dataset == dataset &&
		    strcmp(site->publisher->releases[i].version, version) == 0)
			return (int)i;
	fail("%s: %s: version %s is in force, and nobody published it", site->name, dataset_names[dataset], version);
}

static void want_missing(struct site *site, const struct pub_release *release, const json_t *entry)
{
	const json_t *named = json_object_get(entry, "missing");
	char hex[SHA256_HEX_SIZE];
	size_t n = 0, index;
	json_t *item;

	for (size_t i = 0; i < release->n_blobs; i++) {
		const struct sha256 *sha256 = &site->publisher->blobs[release->blobs[i]].sha256;
		bool found = false;

		if (site->has_blob[release->blobs[i]])
			continue;
		sha256_to_hex(sha256, hex);
		json_array_foreach(named, index, item)
			found |= strcmp(json_string_value(json_object_get(item, "name")), hex) == 0;
		if (!found)
			fail("%s: %s lacks blob %s and does not name it", site->name, dataset_names[release->dataset],
			     hex);
		site->missing = xrealloc(site->missing, site->n_missing + 1, sizeof(*sha256));
		site->missing[site->n_missing++] = *sha256;
		n++;
	}
	if (json_array_size(named) != n)
		fail("%s: %s names %zu things as missing, it lacks %zu", site->name, dataset_names[release->dataset],
		     json_array_size(named), n);
}

static void want_role(struct site *site, const struct pub_release *release, const json_t *entry)
{
	const json_t *named = json_object_get(entry, "missing");
	const char *name = json_string_value(json_object_get(json_array_get(named, 0), "name"));

	if (json_array_size(named) != 1 || strcmp(name, site->publisher->metadata[release->metadata].name) != 0)
		fail("%s: %s lacks %s and names %s", site->name, dataset_names[release->dataset],
		     site->publisher->metadata[release->metadata].name, name == NULL ? "nothing" : name);
	site->roles_missing |= 1U << release->dataset;
}

static bool lacks_blobs(const struct site *site, const struct pub_release *release)
{
	for (size_t i = 0; i < release->n_blobs; i++)
		if (!site->has_blob[release->blobs[i]])
			return true;
	return false;
}

/* What the model says of the dataset's state; what is to be in force in *RET_IN_FORCE, or -2: it may have moved to any newer one. */
#define ANY_NEWER (-2)
static const char *expect(struct site *site, int dataset, int *ret_in_force)
{
	int newest = site->publisher->bundles[site->newest].state.releases[dataset], before = site->in_force[dataset];
	const struct pub_release *release = &site->publisher->releases[newest];
	bool stopped = site->pinned[dataset] && before != NOTHING;

	*ret_in_force = stopped ? before : ANY_NEWER;
	if (!site->has_metadata[release->metadata])
		return "missing";
	if (release->version[0] == '\0') {
		*ret_in_force = stopped ? before : NOTHING;
		return stopped ? "held" : "withdrawn";
	}
	if (before == newest) {
		*ret_in_force = newest;
		return "in force";
	}
	if (lacks_blobs(site, release))
		return "missing";
	if (site->pinned[dataset] || (release->breaks && !site->waived[dataset])) {
		site->is_held_by_contract[dataset] = release->breaks && !site->waived[dataset];
		return "held";
	}
	*ret_in_force = newest;
	return "in force";
}

/* For the trace: which bundles brought what the inside says that it lacks. */
static void trace_missing(const struct site *site, const json_t *entry)
{
	const json_t *named = json_object_get(entry, "missing");

	for (size_t i = 0; i < json_array_size(named); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(named, i), "name"));
		struct sha256 sha256;
		int blob = sha256_from_hex(name, &sha256) ? publisher_blob(site->publisher, &sha256) : -1;

		for (size_t k = 0; k < site->n_bundles; k++) {
			const struct pub_bundle *bundle = &site->publisher->bundles[k];

			for (size_t m = 0; site->has_bundle[k] && m < bundle->n_blobs; m++)
				if (bundle->blobs[m] == blob)
					trace("%s: blob %.10s was in bundle %zu (timestamp %ju)", site->name, name, k,
					      (uintmax_t)bundle->state.timestamp);
		}
	}
}

/* Whether something between may have taken it out of force, or brought NOW in. */
static bool may_be_newer(const struct site *site, int dataset, int before, int now)
{
	for (size_t i = 0; now == NOTHING && i < site->publisher->n_releases; i++)
		if (site->publisher->releases[i].dataset == dataset && (int)i > before &&
		    site->publisher->releases[i].version[0] == '\0')
			return true;
	return now > before || now == before;
}

static void check_dataset(struct site *site, int dataset, const json_t *entry)
{
	int newest = site->publisher->bundles[site->newest].state.releases[dataset], wanted, found = NOTHING;
	const char *name = dataset_names[dataset], *state = json_string_value(json_object_get(entry, "state")), *right;
	char version[17];

	site_read_in_force(site, dataset, version);
	if (version[0] != '\0')
		found = site_find_release(site, dataset, version);
	site->is_held_by_contract[dataset] = false;
	if (newest == NOTHING) {
		if (found != NOTHING || entry != NULL)
			fail("%s: %s is known, and was never published", site->name, name);
		return;
	}
	right = expect(site, dataset, &wanted);
	if (state == NULL || strcmp(state, right) != 0)
		trace_missing(site, entry);
	if (state == NULL || strcmp(state, right) != 0)
		fail("%s: %s is \"%s\" (%s), it should be \"%s\"; release %ju is the newest", site->name, name,
		     state == NULL ? "not there" : state, json_string_value(json_object_get(entry, "why")), right,
		     (uintmax_t)site->publisher->releases[newest].role_version);
	if (wanted != ANY_NEWER ? found != wanted : !may_be_newer(site, dataset, site->in_force[dataset], found))
		fail("%s: %s: release %d is in force, it should be %d, and %d was before", site->name, name, found,
		     wanted, site->in_force[dataset]);
	if (strcmp(right, "missing") == 0 && site->has_metadata[site->publisher->releases[newest].metadata])
		want_missing(site, &site->publisher->releases[newest], entry);
	else if (strcmp(right, "missing") == 0)
		want_role(site, &site->publisher->releases[newest], entry);
	else if (json_array_size(json_object_get(entry, "missing")) > 0)
		fail("%s: %s lacks nothing, and names something", site->name, name);
	site->is_missing |= strcmp(right, "missing") == 0;
	site->in_force[dataset] = found;
}

void site_check(struct site *site)
{
	json_t *status;
	const json_t *datasets;

	site->is_missing = false;
	site->roles_missing = 0;
	site->n_missing = 0;
	if (site->newest == NOTHING)
		return;
	site->has_metadata = grow(site->has_metadata, &site->n_metadata, site->publisher->n_metadata);
	site->has_blob = grow(site->has_blob, &site->n_blobs, site->publisher->n_blobs);
	status = load_status(site);
	datasets = json_object_get(status, "datasets");
	check_trust(site, status);
	for (int i = 0; i < DATASETS; i++) {
		const json_t *entry = NULL;

		for (size_t k = 0; k < json_array_size(datasets); k++)
			if (strcmp(json_string_value(json_object_get(json_array_get(datasets, k), "name")),
				   dataset_names[i]) == 0)
				entry = json_array_get(datasets, k);
		check_dataset(site, i, entry);
	}
	json_decref(status);
}
