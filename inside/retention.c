/* SPDX-License-Identifier: ISC
 *
 * retention: the newest generations stay, and every one younger than keepAtLeast, and every one that a reader has locked
 * (flock on the folder; fcntl on its clapet.json, which is what Java's locks are). The plain files of versions stay that a kept generation
 * shows, that are trusted, or pinned; the blobs of more, as history is configured (retention_past.c); of the rest all goes but a document. The
 * bases of trusted patches stay, objects and blobs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "inside/import.h"
#include "inside/retention_private.h"

/* A reader that holds a lock for this many times keepGenerations is asked after, loudly. */
#define PATIENCE 10

static int add_keep(void *ctx, const char *dataset, const char *version)
{
	struct retention *retention = ctx;
	struct keep *keep;

	if ((retention->n_keeps & (retention->n_keeps - 1)) == 0)
		retention->keeps = xrealloc(retention->keeps, retention->n_keeps == 0 ? 1 : 2 * retention->n_keeps,
					    sizeof(*keep));
	retention->keeps_are_sorted = false;
	keep = &retention->keeps[retention->n_keeps++];
	snprintf(keep->dataset, sizeof(keep->dataset), "%s", dataset);
	snprintf(keep->version, sizeof(keep->version), "%s", version);
	return 0;
}

static int compare_keeps(const void *a, const void *b)
{
	const struct keep *left = a, *right = b;
	int order = strcmp(left->dataset, right->dataset);

	return order != 0 ? order : strcmp(left->version, right->version);
}

/* Each once, however many generations show it: its verdict may be read. */
static void sort_keeps(struct retention *retention)
{
	size_t n = 0;

	if (retention->keeps_are_sorted)
		return;
	if (retention->n_keeps > 1)
		qsort(retention->keeps, retention->n_keeps, sizeof(*retention->keeps), compare_keeps);
	for (size_t i = 0; i < retention->n_keeps; i++)
		if (n == 0 || compare_keeps(&retention->keeps[n - 1], &retention->keeps[i]) != 0)
			retention->keeps[n++] = retention->keeps[i];
	retention->n_keeps = n;
	retention->keeps_are_sorted = true;
}

bool retention_is_kept(struct retention *retention, const char *dataset, const char *version)
{
	struct keep key = {.dataset = ""};

	sort_keeps(retention);
	return retention->n_keeps > 0 && text_copy(key.dataset, sizeof(key.dataset), dataset) &&
	       text_copy(key.version, sizeof(key.version), version) &&
	       bsearch(&key, retention->keeps, retention->n_keeps, sizeof(key), compare_keeps) != NULL;
}

void retention_begin(struct retention *retention)
{
	if (!retention->has_commit)
		commit_begin(retention->inside, retention->inside->store_fd, -1, &retention->commit);
	retention->has_commit = true;
}

void retention_order(struct retention *retention, const struct record *record)
{
	retention_begin(retention);
	commit_order(&retention->commit, record, -1);
}

/* --- generations ----------------------------------------------------------------------------------------------------- */

/* Locks a generation's folder against readers that come now; -EWOULDBLOCK where one is in it. */
static int lock_generation(const struct retention *retention, uint64_t number)
{
	char path[64];
	_cleanup_close_ int fd = -1, file = -1;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	fd = fd_open_beneath(retention->inside->store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	file = fd_open_beneath(fd, "clapet.json", O_RDONLY, 0);
	if (file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return -EWOULDBLOCK;
	return steal_fd(&fd);
}

static bool is_young(const struct retention *retention, uint64_t number)
{
	const struct inside *inside = retention->inside;
	char path[64];
	_cleanup_close_ int fd = -1;
	struct stat st;

	snprintf(path, sizeof(path), "generations/%" PRIu64, number);
	fd = fd_open_beneath(inside->store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 || fstat(fd, &st) < 0 || inside->now - st.st_mtim.tv_sec < inside->config->keep_at_least;
}

/* Which of them go; each of these is locked until it is gone. */
static bool *choose_generations(struct retention *retention, const uint64_t *numbers, size_t n, uint64_t current,
				bool *ret_any)
{
	size_t keep = (size_t)retention->inside->config->keep_generations;
	bool *goes = xcalloc(n + 1, sizeof(*goes));

	*ret_any = false;
	for (size_t i = 0; i < n; i++) {
		bool wanted = n - i > keep && numbers[i] != current && !is_young(retention, numbers[i]);
		int lock = wanted ? lock_generation(retention, numbers[i]) : -1;

		if (lock < 0 && wanted && n - i > PATIENCE * keep)
			log_warning("generation %" PRIu64 " is far past keepGenerations, and a reader still holds it",
				    numbers[i]);
		if (lock < 0)
			continue;
		retention->locks = xrealloc(retention->locks, retention->n_locks + 1, sizeof(*retention->locks));
		retention->locks[retention->n_locks++] = lock;
		goes[i] = *ret_any = true;
	}
	return goes;
}

static void drop_generations(struct retention *retention, const uint64_t *numbers, size_t n, uint64_t current)
{
	struct inside *inside = retention->inside;
	bool any;
	_cleanup_free_ bool *goes = choose_generations(retention, numbers, n, current, &any);

	/* What they tell of when versions were in force is written down first, and durable. */
	if (any)
		retention_note_spans(retention, numbers, goes, n);
	for (size_t i = 0; i < n; i++) {
		struct record record = record_new(RECORD_DELETE_GENERATION);

		if (!goes[i]) {
			store_generation_each(inside->store_fd, numbers[i], add_keep, retention);
			continue;
		}
		record.generation.number = numbers[i];
		retention_order(retention, &record);
		inside_event(inside, "expire", "", FAULT_NONE,
			     "generation %" PRIu64 " deleted: past keepGenerations (%" PRId64 ") and keepAtLeast",
			     numbers[i], inside->config->keep_generations);
	}
}

/* --- versions -------------------------------------------------------------------------------------------------------- */

void hash_list_add(struct hash_list *list, const struct sha256 *sha256)
{
	if ((list->n_items & (list->n_items - 1)) == 0)
		list->items = xrealloc(list->items, list->n_items == 0 ? 1 : 2 * list->n_items, sizeof(*sha256));
	list->items[list->n_items++] = *sha256;
}

static void collect_blobs(const struct inside *inside, const char *dataset, const char *version, struct hash_list *list)
{
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	struct sha256 full;

	if (judge_full_version(inside, dataset, version, &full, NULL) != FAULT_NONE ||
	    generation_load_verdict(inside->store_fd, dataset, &full, &verdict, NULL) != FAULT_NONE)
		return;
	for (size_t i = 0; i < verdict->n_blobs; i++)
		hash_list_add(list, &verdict->blobs[i]);
}

/* Its plain files, and where history does not keep it all the rest. */
static void drop_version(struct retention *retention, const char *dataset, const char *version,
			 struct hash_list *dropped)
{
	bool stays = retention_past_keeps(retention, dataset, version);
	struct record record = record_new(stays ? RECORD_DELETE_PLAIN : RECORD_DELETE_VERSION);
	struct record_event *event;

	if (judge_full_version(retention->inside, dataset, version, &record.version.version, NULL) != FAULT_NONE)
		return;
	if (stays)
		retention_past_keep(retention, dataset);
	else
		collect_blobs(retention->inside, dataset, version, dropped);
	snprintf(record.version.dataset, sizeof(record.version.dataset), "%s", dataset);
	retention_order(retention, &record);
	event = inside_event(retention->inside, "expire", dataset, FAULT_NONE,
			     "version %s deleted: no generation that is kept, no pin and no trusted role names it%s",
			     version, stays ? "; history keeps its blobs" : "");
	if (!text_copy(event->version, sizeof(event->version), version))
		event->version[0] = '\0';
}

/* The bases of patches that are trusted: no version need link them. */
static void keep_bases(struct retention *retention, const struct catalogue_role *role)
{
	for (size_t i = 0; role != NULL && i < role->n_targets; i++) {
		const struct record_target *target = &role->targets[i].record;
		struct record record = record_new(RECORD_KEEP_OBJECT);

		if (!target->is_patch)
			continue;
		memcpy(record.put.dataset, target->dataset, sizeof(record.put.dataset));
		memcpy(record.put.file, target->file, sizeof(record.put.file));
		record.put.sha256 = target->base_sha256;
		record.put.size = target->base_length;
		retention_order(retention, &record);
	}
}

static void drop_versions_of(struct retention *retention, const char *dataset, const struct catalogue_role *role,
			     struct hash_list *dropped)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_free_ char *path = xasprintf("datasets/%s/v", dataset);
	bool is_first = true;

	if (store_list(retention->inside->store_fd, path, &names) < 0)
		return;
	for (size_t i = 0; i < names.n_items; i++) {
		if (retention_is_kept(retention, dataset, names.items[i]))
			continue;
		if (is_first)
			keep_bases(retention, role);
		is_first = false;
		drop_version(retention, dataset, names.items[i], dropped);
	}
}

/* The signed status.json: only the newest is of use, and its blobs go with the others. */
static void drop_old_status(struct retention *retention, const struct catalogue *catalogue)
{
	const struct catalogue_role *role = catalogue_role(catalogue, "status");
	_cleanup_(store_names_free) struct store_names names = {0};
	char trusted[STORE_VERSION_SIZE] = "";

	if (role == NULL || sha256_is_zero(&role->record.version) ||
	    store_list(retention->inside->store_fd, "datasets/status/v", &names) < 0)
		return;
	store_version_name(&role->record.version, trusted);
	if (!store_has_version(retention->inside->store_fd, "status", trusted))
		return;
	for (size_t i = 0; i < names.n_items; i++) {
		_cleanup_close_ int fd = -1;
		struct record record = record_new(RECORD_DELETE_VERSION);

		if (strcmp(names.items[i], trusted) == 0)
			continue;
		keep_bases(retention, role);
		fd = store_open_version_file(retention->inside->store_fd, "status", names.items[i], "status.json");
		if (fd < 0 || hash_fd(fd, LIMIT_JSON_SIZE, &record.version.version, NULL) < 0)
			continue;
		snprintf(record.version.dataset, sizeof(record.version.dataset), "status");
		retention_order(retention, &record);
	}
}

static bool is_in(const struct hash_list *sorted, const struct sha256 *sha256)
{
	return sorted->n_items > 0 &&
	       bsearch(sha256, sorted->items, sorted->n_items, sizeof(*sorted->items), sha256_compare) != NULL;
}

/* What came of versions that a newer one overtook before they were whole: no version ever names it. Where a role's metadata are still to
 * come they may be what names it. */
static void add_overtaken(const struct inside *inside, const struct catalogue *catalogue, struct hash_list *dropped)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	struct sha256 sha256;

	if (catalogue_lacks_metadata(catalogue) || store_list(inside->store_fd, "mirror/blobs", &names) < 0)
		return;
	for (size_t i = 0; i < names.n_items; i++)
		if (sha256_from_hex(names.items[i], &sha256) && !catalogue_names_blob(catalogue, &sha256))
			hash_list_add(dropped, &sha256);
}

static void drop_blob(struct retention *retention, const struct sha256 *sha256)
{
	struct record record = record_new(RECORD_DELETE_BLOB);
	struct record_event *event;

	if (!store_has_blob(retention->inside->store_fd, sha256))
		return;
	record.put.sha256 = *sha256;
	retention_order(retention, &record);
	event = inside_event(retention->inside, "expire", "", FAULT_NONE,
			     "blob deleted: no version that is kept travelled in it");
	event->has_sha256 = true;
	event->sha256 = *sha256;
}

/* With versions go blobs, and whatever else nothing names. What is kept is read: where all was in the last day, of most datasets a few documents. */
static void drop_blobs(struct retention *retention, const struct catalogue *catalogue, struct hash_list *dropped)
{
	struct hash_list kept = {0};

	retention_past_dropped(retention, dropped);
	if (dropped->n_items == 0 && !retention->is_full)
		return;
	if (retention->is_full)
		retention_past_all(retention);
	else
		retention_past_keepers(retention);
	sort_keeps(retention);
	for (size_t i = 0; i < retention->n_keeps; i++)
		retention_past_held(retention, retention->keeps[i].dataset, retention->keeps[i].version, &kept);
	if (retention->is_damaged) {
		log_warning("no blob is deleted while the history of a version cannot be read");
		free(kept.items);
		return;
	}
	add_overtaken(retention->inside, catalogue, dropped);
	if (dropped->n_items > 1)
		qsort(dropped->items, dropped->n_items, sizeof(*dropped->items), sha256_compare);
	for (size_t i = 0; i < retention->n_keeps && dropped->n_items > 0; i++)
		collect_blobs(retention->inside, retention->keeps[i].dataset, retention->keeps[i].version, &kept);
	retention_past_kept(retention, &kept);
	if (kept.n_items > 1)
		qsort(kept.items, kept.n_items, sizeof(*kept.items), sha256_compare);
	for (size_t i = 0; i < dropped->n_items; i++)
		if ((i == 0 || !sha256_equal(&dropped->items[i - 1], &dropped->items[i])) &&
		    !catalogue_names_blob(catalogue, &dropped->items[i]) && !is_in(&kept, &dropped->items[i]))
			drop_blob(retention, &dropped->items[i]);
	free(kept.items);
}

static void drop_versions(struct retention *retention, const struct catalogue *catalogue)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	struct hash_list dropped = {0};

	for (size_t i = 0; i < catalogue->n_roles; i++) {
		char version[STORE_VERSION_SIZE];

		store_version_name(&catalogue->roles[i].record.version, version);
		add_keep(retention, catalogue->roles[i].record.name, version);
	}
	for (size_t i = 0; i < retention->inside->decisions.n_pins; i++)
		add_keep(retention, retention->inside->decisions.pins[i].dataset,
			 retention->inside->decisions.pins[i].version);
	if (store_list(retention->inside->store_fd, "datasets", &names) < 0)
		return;
	for (size_t i = 0; i < names.n_items; i++) {
		const struct catalogue_role *role = catalogue_role(catalogue, names.items[i]);

		/* A role that is not trusted right now says nothing about its newest version: nothing of it goes. */
		if (notation_is_name(names.items[i]) && (role == NULL || role->record.fault == FAULT_NONE))
			drop_versions_of(retention, names.items[i], role, &dropped);
	}
	drop_old_status(retention, catalogue);
	if (retention->is_full) {
		retention_past_all(retention);
		retention_past_shortage(retention);
	}
	drop_blobs(retention, catalogue, &dropped);
	free(dropped.items);
	retention_past_end(retention);
}

void retention_run(struct inside *inside, const struct catalogue *catalogue)
{
	struct retention retention = {.inside = inside, .catalogue = catalogue};
	_cleanup_free_ uint64_t *numbers = NULL;
	struct refusal why = {0};
	uint64_t current;
	size_t n = 0;

	if (store_current(inside->store_fd, &current) < 0 || store_generations(inside->store_fd, &numbers, &n) < 0)
		return;
	retention_past_begin(&retention);
	drop_generations(&retention, numbers, n, current);
	drop_versions(&retention, catalogue);
	if (retention.has_commit && commit_end(&retention.commit, &why) != FAULT_NONE) {
		log_refusal(&why);
		inside_event(inside, "expire", "", why.fault, "not all of these deletions were done: %s", why.line);
	}
	for (size_t i = 0; i < retention.n_locks; i++)
		close(retention.locks[i]);
	free(retention.locks);
	shown_clear(&retention.shown);
	retention_past_clear(&retention);
	free(retention.keeps);
}
