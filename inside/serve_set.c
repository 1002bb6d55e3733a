/* SPDX-License-Identifier: ISC
 *
 * serve_set: sets by reference, under one lock that is held for a moment: a look at a pointer and a count. Reading a generation from disk is done
 * without it, by the thread that looks (the current one) or by the request that names an older one.
 */
#include "inside/serve_set.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/serve_encode.h"
#include "inside/serve_request.h"
#include "inside/serve_set_private.h"

/* Seconds after which an older generation that nobody asks for is let go. */
#define SET_AGE 60

struct serve_set_private {
	struct serve_set set;
	struct serve_sets *sets;
	unsigned n_users; /* references that requests hold */
	bool is_listed;   /* in sets->older, or current: freed when neither listed nor used */
	int folder_fd;    /* -1: the empty set */
	bool is_locked;
	int64_t used; /* when it was last given out */
	const struct serve_dataset **datasets;
	struct serve_body *made[SERVE_MADE_N];
};

struct serve_sets {
	pthread_mutex_t lock;
	int store_fd;
	int64_t keep_at_least;
	struct serve_set_private *current;
	struct serve_set_private *older[LIMIT_SERVE_SETS];
	uint64_t bad; /* a generation that could not be read, and was told of */
};

/* --- made and freed -------------------------------------------------------------------------------------------------- */

static void free_set(struct serve_set_private *private)
{
	for (size_t i = 0; i < private->set.n_datasets; i++)
		serve_dataset_unref(private->datasets[i]);
	free(private->datasets);
	for (size_t i = 0; i < SERVE_MADE_N; i++)
		serve_body_unref(private->made[i]);
	cleanup_close(&private->folder_fd);
	free(private);
}

static struct serve_set_private *new_set(struct serve_sets *sets, uint64_t generation)
{
	struct serve_set_private *private = xcalloc(1, sizeof(*private));

	private->sets = sets;
	private->folder_fd = -1;
	private->set.generation = generation;
	private->set.private = private;
	private->used = serve_now();
	return private;
}

struct loading {
	struct serve_set_private *private;
	const struct serve_set *like; /* whose datasets are shared where they are the same; may be NULL */
	const json_t *entries;        /* of clapet.json; may be NULL */
	size_t at;                    /* where the next entry should be: both are sorted */
};

/* The entry of NAME in clapet.json, if it is of VERSION; borrowed. */
static json_t *find_entry(struct loading *loading, const char *name, const char *version)
{
	size_t n = json_array_size(loading->entries);

	for (size_t i = 0; i < n; i++) {
		json_t *entry = json_array_get(loading->entries, (loading->at + i) % n);
		const char *its = json_string_value(json_object_get(entry, "name"));
		const char *shown = json_string_value(json_object_get(entry, "version"));

		if (its == NULL || strcmp(its, name) != 0)
			continue;
		loading->at += i + 1;
		return shown != NULL && strcmp(shown, version) == 0 ? entry : NULL;
	}
	return NULL;
}

static int add_dataset(void *ctx, const char *name, const char *version)
{
	struct loading *loading = ctx;
	struct serve_set_private *private = loading->private;
	json_t *entry = find_entry(loading, name, version);
	const struct serve_dataset *same = loading->like == NULL ? NULL : serve_set_dataset(loading->like, name);
	size_t n = private->set.n_datasets;

	if ((n & (n - 1)) == 0)
	private->datasets = xrealloc(private->datasets, n == 0 ? 1 : 2 * n, sizeof(*private->datasets));
	if (same != NULL && strcmp(same->version, version) == 0 &&
	    (entry == NULL ? same->entry == NULL : json_equal(entry, same->entry)))
		serve_version_ref(same);
	else
		same = serve_version_new(private->sets->store_fd, name, version, json_incref(entry));
	private->datasets[private->set.n_datasets++] = same;
	return 0;
}

/* What clapet.json says; the links are the truth, and a set is served without it. */
static json_t *load_description(struct serve_set_private *private)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	json_t *root = NULL;
	const char *created;
	size_t size;
	int r = store_load_generation(private->sets->store_fd, private->set.generation, &data, &size);

	if (r < 0 || json_parse(data, size, LIMIT_JSON_SIZE, &root, &why) != FAULT_NONE) {
		log_warning("generation %" PRIu64 ": clapet.json: %s", private->set.generation,
			    r < 0 ? strerror(-r) : why.line);
		return NULL;
	}
	created = json_string_value(json_object_get(root, "created"));
	if (created == NULL || !notation_parse_time(created, &private->set.created))
	private->set.created = 0;
	return root;
}

/* Opens and locks the folder. Retention takes the exclusive lock before it deletes: who has the shared one, and sees the folder still under
 * its name, has it whole. */
static int open_locked(struct serve_set_private *private)
{
	char path[64];
	struct stat own, named;
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "generations/%" PRIu64, private->set.generation);
	fd = fd_open_beneath(private->sets->store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 || fstat(fd, &own) < 0 ||
	    fstatat(private->sets->store_fd, path, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (own.st_ino != named.st_ino || own.st_dev != named.st_dev)
		return -ENOENT;
	private->set.kept_until = own.st_mtim.tv_sec + private->sets->keep_at_least;
	private->folder_fd = steal_fd(&fd);
	private->is_locked = true;
	return 0;
}

/* Reads a generation. It holds its lock when this returns. */
static int load_set(struct serve_sets *sets, uint64_t generation, const struct serve_set *like,
		    struct serve_set_private **ret)
{
	struct serve_set_private *private = new_set(sets, generation);
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct loading loading = {.private = private, .like = like};
	int r = open_locked(private);

	if (r == 0) {
		root = load_description(private);
		loading.entries = json_object_get(root, "datasets");
		r = store_generation_each(sets->store_fd, generation, add_dataset, &loading);
	}
	if (r < 0) {
		free_set(private);
		return r;
	}
	private->set.datasets = private->datasets;
	*ret = private;
	return 0;
}

struct serve_sets *serve_sets_new(int store_fd, const struct inside_config *config)
{
	struct serve_sets *sets = xcalloc(1, sizeof(*sets));

	pthread_mutex_init(&sets->lock, NULL);
	sets->store_fd = store_fd;
	sets->keep_at_least = config->keep_at_least;
	sets->current = new_set(sets, 0);
	sets->current->is_listed = true;
	return sets;
}

void serve_sets_free(struct serve_sets *sets)
{
	if (sets == NULL)
		return;
	free_set(sets->current);
	for (size_t i = 0; i < LIMIT_SERVE_SETS; i++)
		if (sets->older[i] != NULL)
			free_set(sets->older[i]);
	pthread_mutex_destroy(&sets->lock);
	free(sets);
}

/* --- by reference; the lock is held in what is static ------------------------------------------------------------------ */

static void unlock_folder(struct serve_set_private *private)
{
	if (private->is_locked && flock(private->folder_fd, LOCK_UN) < 0)
		log_warning("generation %" PRIu64 ": flock: %s", private->set.generation, strerror(errno));
	private->is_locked = false;
}

/* Takes the lock again; false where the generation goes, or went. */
static bool lock_folder(struct serve_set_private *private)
{
	char path[64];
	struct stat own, named;

	if (private->is_locked)
		return true;
	snprintf(path, sizeof(path), "generations/%" PRIu64, private->set.generation);
	if (flock(private->folder_fd, LOCK_SH | LOCK_NB) < 0)
		return false;
	private->is_locked = true;
	if (fstat(private->folder_fd, &own) == 0 &&
	    fstatat(private->sets->store_fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 && own.st_ino == named.st_ino &&
	    own.st_dev == named.st_dev)
		return true;
	unlock_folder(private);
	return false;
}

/* Nobody uses it, and it is not the current one. */
static void rest(struct serve_set_private *private)
{
	if (private->n_users > 0 || private == private->sets->current)
		return;
	if (private->is_listed)
		unlock_folder(private);
	else
		free_set(private);
}

static void unlist(struct serve_sets *sets, size_t i)
{
	struct serve_set_private *private = sets->older[i];

	sets->older[i] = NULL;
	private->is_listed = false;
	rest(private);
}

/* Puts it among the older ones, in the place of the one that was not asked for the longest. */
static void list(struct serve_sets *sets, struct serve_set_private *private)
{
	size_t place = 0;

	for (size_t i = 0; i < LIMIT_SERVE_SETS; i++) {
		if (sets->older[i] == NULL) {
			place = i;
			break;
		}
		if (sets->older[i]->used < sets->older[place]->used)
			place = i;
	}
	if (sets->older[place] != NULL)
		unlist(sets, place);
	sets->older[place] = private;
	private->is_listed = true;
	rest(private);
}

static const struct serve_set *use(struct serve_set_private *private)
{
	private->n_users++;
	private->used = serve_now();
	return &private->set;
}

/* A set that is open, if it can still be locked. */
static const struct serve_set *find_open(struct serve_sets *sets, uint64_t generation)
{
	if (sets->current->set.generation == generation)
		return use(sets->current);
	for (size_t i = 0; i < LIMIT_SERVE_SETS; i++) {
		if (sets->older[i] == NULL || sets->older[i]->set.generation != generation)
			continue;
		if (lock_folder(sets->older[i]))
			return use(sets->older[i]);
		unlist(sets, i);
	}
	return NULL;
}

const struct serve_set *serve_sets_current(struct serve_sets *sets)
{
	const struct serve_set *set;

	pthread_mutex_lock(&sets->lock);
	set = use(sets->current);
	pthread_mutex_unlock(&sets->lock);
	return set;
}

const struct serve_set *serve_sets_get(struct serve_sets *sets, uint64_t generation)
{
	const struct serve_set *set, *like;
	struct serve_set_private *loaded = NULL;
	int r;

	pthread_mutex_lock(&sets->lock);
	set = find_open(sets, generation);
	like = set == NULL && generation < sets->current->set.generation ? use(sets->current) : NULL;
	pthread_mutex_unlock(&sets->lock);
	/* One that is above the current one was never, or is about to be, in force. */
	if (set != NULL || like == NULL)
		return set;
	r = load_set(sets, generation, like, &loaded);
	serve_set_unref(sets, like);
	if (r < 0)
		return NULL;
	pthread_mutex_lock(&sets->lock);
	set = find_open(sets, generation);
	if (set == NULL) {
		set = use(loaded);
		list(sets, loaded);
		loaded = NULL;
	}
	pthread_mutex_unlock(&sets->lock);
	if (loaded != NULL)
		free_set(loaded);
	return set;
}

void serve_set_unref(struct serve_sets *sets, const struct serve_set *set)
{
	pthread_mutex_lock(&sets->lock);
	set->private->n_users--;
	rest(set->private);
	pthread_mutex_unlock(&sets->lock);
}

const struct serve_dataset *serve_sets_version(struct serve_sets *sets, const char *name, const char *version)
{
	const struct serve_dataset *bare, *described;

	if (!store_has_version(sets->store_fd, name, version))
		return NULL;
	bare = serve_version_new(sets->store_fd, name, version, NULL);
	described = serve_version_new(sets->store_fd, name, version, serve_version_describe(bare));
	serve_dataset_unref(bare);
	return described;
}

/* --- the switch -------------------------------------------------------------------------------------------------------- */

static void let_go(struct serve_sets *sets)
{
	int64_t now = serve_now();

	for (size_t i = 0; i < LIMIT_SERVE_SETS; i++)
		if (sets->older[i] != NULL && sets->older[i]->n_users == 0 && now - sets->older[i]->used > SET_AGE)
			unlist(sets, i);
}

bool serve_sets_look(struct serve_sets *sets)
{
	struct serve_set_private *loaded = NULL, *before = sets->current;
	uint64_t generation = 0;
	int r = store_current(sets->store_fd, &generation);

	pthread_mutex_lock(&sets->lock);
	let_go(sets);
	pthread_mutex_unlock(&sets->lock);
	if (r == 0 && (generation == before->set.generation || generation == 0))
		return false;
	if (r == 0)
		r = load_set(sets, generation, &before->set, &loaded);
	if (r < 0) {
		/* Gone meanwhile: the next look finds the one after it. */
		if (r != -ENOENT && sets->bad != generation)
			log_error("generation %" PRIu64 " cannot be served, %" PRIu64 " still is: %s", generation,
				  before->set.generation, strerror(-r));
		sets->bad = generation;
		return false;
	}
	pthread_mutex_lock(&sets->lock);
	loaded->is_listed = true;
	sets->current = loaded;
	list(sets, before);
	pthread_mutex_unlock(&sets->lock);
	return true;
}

/* --- asked ------------------------------------------------------------------------------------------------------------- */

struct serve_body *serve_set_made(const struct serve_set *set, enum serve_made what)
{
	struct serve_sets *sets = set->private->sets;
	struct serve_body *body;

	pthread_mutex_lock(&sets->lock);
	body = set->private->made[what];
	if (body != NULL)
		atomic_fetch_add(&body->refs, 1);
	pthread_mutex_unlock(&sets->lock);
	return body;
}

void serve_set_keep(const struct serve_set *set, enum serve_made what, struct serve_body *body)
{
	struct serve_sets *sets = set->private->sets;
	struct serve_body *old;

	pthread_mutex_lock(&sets->lock);
	old = set->private->made[what];
	set->private->made[what] = body;
	pthread_mutex_unlock(&sets->lock);
	serve_body_unref(old);
}

const struct serve_dataset *serve_set_dataset(const struct serve_set *set, const char *name)
{
	size_t low = 0, high = set->n_datasets;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(set->datasets[middle]->name, name);

		if (order == 0)
			return set->datasets[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
