/* SPDX-License-Identifier: ISC
 *
 * retention, history: versions whose plain files are gone are kept as blobs, so many, for so long and in so many bytes as the configuration says for
 * their dataset. Never does one go whose file is the base of a version that stays: nothing would come out of that one's patch.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/import.h"
#include "inside/retention_private.h"

#define DAY 86400

/* --- when ------------------------------------------------------------------------------------------------------------ */

/* How many bytes the disk lacks of its reserve. */
static uint64_t shortage(const struct inside *inside)
{
	struct statvfs vfs;
	uint64_t available;

	if (fstatvfs(inside->store_fd, &vfs) < 0)
		return 0;
	available = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	return available < (uint64_t)inside->config->reserve ? (uint64_t)inside->config->reserve - available : 0;
}

void retention_past_begin(struct retention *retention)
{
	const struct inside *inside = retention->inside;
	struct history_state *state = &retention->state;
	struct refusal why = {0};
	int64_t age;

	if (history_state_load(inside->store_fd, state, &why) != FAULT_NONE)
		log_refusal(&why);
	age = inside->now - state->swept;
	retention->is_full = age < 0 || age >= DAY || !sha256_equal(&state->configuration, &inside->config->sha256) ||
			     shortage(inside) > 0;
}

/* --- one dataset ----------------------------------------------------------------------------------------------------- */

static bool is_kept_fate(enum past_fate fate)
{
	return fate == PAST_FATE_HELD || fate == PAST_FATE_KEPT || fate == PAST_FATE_BASE;
}

/* One part, and which version of the list names it. */
struct use {
	struct sha256 sha256;
	uint64_t length;
	size_t index;
};

static int compare_uses(const void *a, const void *b)
{
	const struct use *left = a, *right = b;
	int order = sha256_compare(&left->sha256, &right->sha256);

	return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

static void add_uses(const struct past_blob *blob, size_t index, struct use **uses, size_t *n)
{
	*uses = xrealloc(*uses, *n + blob->n_parts + 1, sizeof(**uses));
	for (size_t i = 0; i < blob->n_parts; i++)
		(*uses)[(*n)++] = (struct use){blob->parts[i].sha256, blob->parts[i].length, index};
}

static struct use *list_uses(const struct dataset_past *past, size_t *ret_n)
{
	struct use *uses = NULL;
	size_t n = 0;

	for (size_t i = 0; i < past->list.n_items; i++) {
		const struct past_version *version = past->list.items[i];

		for (size_t j = 0; j < version->n_files && version->gone == 0; j++)
			add_uses(&version->files[j].blob, i, &uses, &n);
		for (size_t j = 0; j < version->n_bases && version->gone == 0; j++)
			add_uses(&version->bases[j], i, &uses, &n);
	}
	if (n > 1)
		qsort(uses, n, sizeof(*uses), compare_uses);
	*ret_n = n;
	return uses;
}

/* What of the blobs is there for a version alone: charged to the newest that needs them, and to none where one that is held does. */
static void count_costs(const struct retention *retention, struct dataset_past *past)
{
	size_t n, next;
	_cleanup_free_ struct use *uses = list_uses(past, &n);

	for (size_t i = 0; i < n; i = next) {
		bool is_free = catalogue_names_blob(retention->catalogue, &uses[i].sha256);

		for (next = i; next < n && sha256_equal(&uses[next].sha256, &uses[i].sha256); next++)
			is_free |= past->fates[uses[next].index] == PAST_FATE_HELD;
		if (!is_free)
			past->costs[uses[i].index] += uses[i].length;
	}
}

static const char *past_limit(const struct history_limits *limits, const struct past_version *version, int64_t now,
			      int64_t rank, uint64_t bytes)
{
	if (rank > limits->versions)
		return "versions";
	if (limits->days != INT64_MAX && now - past_last(version) >= limits->days * DAY)
		return "days";
	return limits->bytes != INT64_MAX && bytes > (uint64_t)limits->bytes ? "bytes" : NULL;
}

/* The newest stay. Past "bytes" all that is older goes, too: what stays is without holes. */
static void apply_limits(const struct retention *retention, struct dataset_past *past)
{
	const struct inside *inside = retention->inside;
	const struct history_limits *limits = config_history_for(&inside->config->history, past->name);
	const char *limit = NULL;
	uint64_t bytes = 0;
	int64_t rank = 0;

	for (size_t i = 0; i < past->list.n_items; i++) {
		if (past->fates[i] != PAST_FATE_KEPT)
			continue;
		bytes += past->costs[i];
		if (limit == NULL)
			limit = past_limit(limits, past->list.items[i], inside->now, ++rank, bytes);
		if (limit == NULL)
			continue;
		past->fates[i] = PAST_FATE_GOES;
		past->limits[i] = limit;
	}
}

static void list_bases(const struct dataset_past *past, struct hash_list *bases)
{
	bases->n_items = 0;
	for (size_t i = 0; i < past->list.n_items; i++)
		for (size_t j = 0; j < past->list.items[i]->n_bases && is_kept_fate(past->fates[i]); j++)
			hash_list_add(bases, &past->list.items[i]->bases[j].sha256);
	if (bases->n_items > 1)
		qsort(bases->items, bases->n_items, sizeof(*bases->items), sha256_compare);
}

static bool has_any(const struct past_version *version, const struct hash_list *bases)
{
	for (size_t i = 0; i < version->n_files && bases->n_items > 0; i++)
		if (bsearch(&version->files[i].blob.sha256, bases->items, bases->n_items, sizeof(*bases->items),
			    sha256_compare) != NULL)
			return true;
	return false;
}

/* A base may have a base of its own: until no more of them come back. Without any history nothing is spared: the base's own blobs are kept by
 * what is a patch against it, and two insides that got the same bundles in another order hold the same. */
static void spare_bases(const struct retention *retention, struct dataset_past *past)
{
	struct hash_list bases = {0};
	bool changed;

	if (config_history_for(&retention->inside->config->history, past->name)->is_off)
		return;
	do {
		changed = false;
		list_bases(past, &bases);
		for (size_t i = 0; i < past->list.n_items; i++) {
			if (past->fates[i] != PAST_FATE_GOES || !has_any(past->list.items[i], &bases))
				continue;
			past->fates[i] = PAST_FATE_BASE;
			changed = true;
		}
	} while (changed);
	free(bases.items);
}

/* A role that is not trusted right now says nothing about its newest version: what its versions travelled in stays. */
static bool is_untrusted(const struct retention *retention, const char *dataset)
{
	const struct catalogue_role *role = catalogue_role(retention->catalogue, dataset);

	return role != NULL && role->record.fault != FAULT_NONE;
}

static void judge(struct retention *retention, struct dataset_past *past)
{
	bool is_unknown = is_untrusted(retention, past->name);
	size_t n = past->list.n_items + 1;

	past->fates = xcalloc(n, sizeof(*past->fates));
	past->limits = xcalloc(n, sizeof(*past->limits));
	past->costs = xcalloc(n, sizeof(*past->costs));
	for (size_t i = 0; i < past->list.n_items; i++) {
		char version[STORE_VERSION_SIZE];

		store_version_name(&past->list.items[i]->version, version);
		past->fates[i] = retention_is_kept(retention, past->name, version) ? PAST_FATE_HELD
				 : past->list.items[i]->gone != 0                  ? PAST_FATE_GONE
				 : is_unknown                                      ? PAST_FATE_HELD
										   : PAST_FATE_KEPT;
	}
	count_costs(retention, past);
	apply_limits(retention, past);
	spare_bases(retention, past);
}

struct dataset_past *retention_past(struct retention *retention, const char *dataset)
{
	struct dataset_past *past;
	size_t at = 0;

	while (at < retention->n_pasts && strcmp(retention->pasts[at].name, dataset) < 0)
		at++;
	if (at < retention->n_pasts && strcmp(retention->pasts[at].name, dataset) == 0)
		return &retention->pasts[at];
	retention->pasts = xrealloc(retention->pasts, retention->n_pasts + 1, sizeof(*past));
	past = &retention->pasts[at];
	memmove(past + 1, past, (retention->n_pasts++ - at) * sizeof(*past));
	*past = (struct dataset_past){.fates = NULL};
	text_copy(past->name, sizeof(past->name), dataset);
	past_list_load_kept(retention->inside->store_fd, dataset, &retention->shown, &past->list);
	retention->is_damaged |= past->list.is_damaged;
	judge(retention, past);
	return past;
}

bool retention_past_keeps(struct retention *retention, const char *dataset, const char *version)
{
	struct dataset_past *past = retention_past(retention, dataset);

	for (size_t i = 0; i < past->list.n_items; i++) {
		char name[STORE_VERSION_SIZE];

		store_version_name(&past->list.items[i]->version, name);
		if (strcmp(name, version) != 0)
			continue;
		/* It was never in the history: that its files go says it all. */
		past->limits[i] = NULL;
		return is_kept_fate(past->fates[i]);
	}
	return false;
}

static void add_blobs(const struct past_version *version, struct hash_list *list)
{
	for (size_t i = 0; i < version->n_files; i++)
		for (size_t j = 0; j < version->files[i].blob.n_parts; j++)
			hash_list_add(list, &version->files[i].blob.parts[j].sha256);
	for (size_t i = 0; i < version->n_bases; i++)
		for (size_t j = 0; j < version->bases[i].n_parts; j++)
			hash_list_add(list, &version->bases[i].parts[j].sha256);
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

/* By the state, which is never behind: it says so before a version becomes one of these. */
static bool has_kept(const struct retention *retention, const char *dataset)
{
	for (size_t i = 0; i < retention->state.n_counts; i++)
		if (strcmp(retention->state.counts[i].name, dataset) == 0)
			return true;
	return false;
}

void retention_past_keep(struct retention *retention, const char *dataset)
{
	if (has_kept(retention, dataset))
		return;
	history_state_set(&retention->state, dataset, 1, 0);
	retention_begin(retention);
	commit_document(&retention->commit, DOCUMENT_HISTORY_STATE, NULL, NULL,
			history_state_to_json(&retention->state));
}

void retention_past_keepers(struct retention *retention)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	int r = store_list(retention->inside->store_fd, "decisions/history", &names);

	if (r < 0) {
		log_warning("decisions/history: %s", strerror(-r));
		retention->is_damaged = true;
	}
	for (size_t i = 0; i < names.n_items; i++)
		if (notation_is_name(names.items[i]) &&
		    (has_kept(retention, names.items[i]) || is_untrusted(retention, names.items[i])))
			retention_past(retention, names.items[i]);
}

void retention_past_held(struct retention *retention, const char *dataset, const char *version, struct hash_list *kept)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	struct refusal why = {0};
	enum fault fault;

	/* "status" has no histories. */
	if (!notation_is_name(dataset))
		return;
	for (size_t i = 0; i < retention->n_pasts; i++)
		if (strcmp(retention->pasts[i].name, dataset) == 0)
			return;
	fault = past_load(retention->inside->store_fd, dataset, version, &past, &why);
	if (fault == FAULT_NONE)
		add_blobs(past, kept);
	if (fault == FAULT_NONE || fault == FAULT_NO_SUCH)
		return;
	log_refusal(&why);
	retention->is_damaged = true;
}

void retention_past_all(struct retention *retention)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	int r = store_list(retention->inside->store_fd, "decisions/history", &names);

	if (r < 0) {
		log_warning("decisions/history: %s", strerror(-r));
		retention->is_damaged = true;
	}
	for (size_t i = 0; i < names.n_items; i++)
		if (notation_is_name(names.items[i]))
			retention_past(retention, names.items[i]);
}

struct candidate {
	struct dataset_past *past;
	size_t index;
	int64_t last;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return (left->last > right->last) - (left->last < right->last);
}

static struct candidate *list_candidates(struct retention *retention, size_t *ret_n)
{
	struct candidate *candidates = NULL;
	size_t n = 0;

	for (size_t i = 0; i < retention->n_pasts; i++) {
		struct dataset_past *past = &retention->pasts[i];

		candidates = xrealloc(candidates, n + past->list.n_items + 1, sizeof(*candidates));
		for (size_t j = 0; j < past->list.n_items; j++)
			if (past->fates[j] == PAST_FATE_KEPT)
				candidates[n++] = (struct candidate){past, j, past_last(past->list.items[j])};
	}
	if (n > 1)
		qsort(candidates, n, sizeof(*candidates), compare_candidates);
	*ret_n = n;
	return candidates;
}

/* What comes in now is worth more than what was: history yields, the oldest first. What is shared with newer ones frees nothing, so this may not be
 * enough; the next run goes on. */
void retention_past_shortage(struct retention *retention)
{
	uint64_t lack = shortage(retention->inside), freed = 0;
	_cleanup_free_ struct candidate *candidates = NULL;
	size_t n = 0, n_goes = 0;

	if (lack == 0)
		return;
	candidates = list_candidates(retention, &n);
	for (; n_goes < n && freed < lack; n_goes++) {
		struct candidate *candidate = &candidates[n_goes];

		candidate->past->fates[candidate->index] = PAST_FATE_GOES;
		candidate->past->limits[candidate->index] = "reserve";
		freed += candidate->past->costs[candidate->index];
	}
	for (size_t i = 0; i < retention->n_pasts; i++)
		spare_bases(retention, &retention->pasts[i]);
	if (n_goes > 0)
		log_warning("the disk is short of its reserve: up to %zu versions of the history go", n_goes);
}

/* --- what goes --------------------------------------------------------------------------------------------------------- */

static void collect(const struct retention *retention, bool goes, struct hash_list *list)
{
	for (size_t i = 0; i < retention->n_pasts; i++) {
		const struct dataset_past *past = &retention->pasts[i];

		for (size_t j = 0; j < past->list.n_items; j++)
			if (goes ? past->fates[j] == PAST_FATE_GOES : is_kept_fate(past->fates[j]))
				add_blobs(past->list.items[j], list);
	}
}

void retention_past_dropped(const struct retention *retention, struct hash_list *dropped)
{
	collect(retention, true, dropped);
}

void retention_past_kept(const struct retention *retention, struct hash_list *kept)
{
	collect(retention, false, kept);
}

/* The verdict goes with the blobs; the document stays and says so. */
static void end_version(struct retention *retention, struct past_version *version, const char *limit)
{
	struct record record = record_new(RECORD_DELETE_VERSION);
	char name[STORE_VERSION_SIZE];

	store_version_name(&version->version, name);
	memcpy(record.version.dataset, version->dataset, sizeof(record.version.dataset));
	record.version.version = version->version;
	retention_order(retention, &record);
	if (limit != NULL)
		inside_event(retention->inside, "expire", version->dataset, FAULT_NONE,
			     "version %s left the history: past \"%s\"", name, limit);
	version->gone = retention->inside->now;
}

/* Those that went longest ago, where there are more than are remembered. */
static void forget(struct retention *retention, const struct dataset_past *past)
{
	for (size_t i = past->list.n_items; i-- > LIMIT_HISTORY_VERSIONS;) {
		struct record record = record_new(RECORD_DELETE_HISTORY);

		if (past->fates[i] != PAST_FATE_GONE)
			continue;
		memcpy(record.version.dataset, past->name, sizeof(record.version.dataset));
		record.version.version = past->list.items[i]->version;
		retention_order(retention, &record);
	}
}

static bool end_dataset(struct retention *retention, struct dataset_past *past)
{
	uint64_t versions = 0, bytes = 0;

	forget(retention, past);
	for (size_t i = 0; i < past->list.n_items; i++) {
		if (past->fates[i] == PAST_FATE_GOES)
			end_version(retention, past->list.items[i], past->limits[i]);
		if (past->fates[i] != PAST_FATE_KEPT && past->fates[i] != PAST_FATE_BASE)
			continue;
		versions++;
		bytes += past->costs[i];
	}
	return history_state_set(&retention->state, past->name, versions, bytes);
}

static void put_documents(struct retention *retention)
{
	bool any = false;

	for (size_t i = 0; i < retention->n_pasts; i++) {
		const struct dataset_past *past = &retention->pasts[i];

		for (size_t j = 0; j < past->list.n_items; j++) {
			const struct past_version *version = past->list.items[j];

			if (past->fates[j] != PAST_FATE_GOES)
				continue;
			commit_document(&retention->commit, DOCUMENT_HISTORY, version->dataset, &version->version,
					past_to_json(version));
			any = true;
		}
	}
	if (any)
		commit_sync(&retention->commit);
}

void retention_past_end(struct retention *retention)
{
	bool changed = retention->is_full;

	if (retention->is_damaged)
		return;
	for (size_t i = 0; i < retention->n_pasts; i++)
		changed |= end_dataset(retention, &retention->pasts[i]);
	put_documents(retention);
	if (!changed)
		return;
	if (retention->is_full)
		retention->state.swept = retention->inside->now;
	retention->state.configuration = retention->inside->config->sha256;
	retention_begin(retention);
	commit_document(&retention->commit, DOCUMENT_HISTORY_STATE, NULL, NULL,
			history_state_to_json(&retention->state));
}

void retention_past_clear(struct retention *retention)
{
	for (size_t i = 0; i < retention->n_pasts; i++) {
		past_list_clear(&retention->pasts[i].list);
		free(retention->pasts[i].fates);
		free(retention->pasts[i].limits);
		free(retention->pasts[i].costs);
	}
	free(retention->pasts);
	history_state_clear(&retention->state);
}
