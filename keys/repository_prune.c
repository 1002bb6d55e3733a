/* SPDX-License-Identifier: ISC
 *
 * repository_prune: a client that holds an older snapshot may still be asking for what it names; past a time it may not. A file's time begins
 * when the next version of its role was written: a backup that was put back makes files younger, never older.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "keys/repository_private.h"

size_t repository_n_pruned(const struct repository *repository)
{
	return repository->n_pruned;
}

const struct repository_pruned *repository_pruned(const struct repository *repository, size_t index)
{
	return &repository->pruned[index];
}

/* --- what there is --------------------------------------------------------------------------------------------------- */

struct file {
	char name[LIMIT_METADATA_NAME_SIZE];
	char role[NOTATION_NAME_SIZE];
	uint64_t version, size;
	int64_t written;
};

struct files {
	struct file *items;
	size_t n_items, room;
};

/* "7.cog.json" as document_name writes it; false for all else, which is left alone. */
static bool read_name(const char *name, struct file *file)
{
	char written[LIMIT_METADATA_NAME_SIZE];
	size_t digits = strspn(name, "0123456789"), length = strlen(name);

	if (digits == 0 || digits > 16 || name[digits] != '.' || length < digits + 7 ||
	    strcmp(name + length - 5, ".json") != 0 || length - 5 - digits - 1 >= sizeof(file->role))
		return false;
	file->version = strtoull(name, NULL, 10);
	memcpy(file->role, name + digits + 1, length - 5 - digits - 1);
	file->role[length - 5 - digits - 1] = '\0';
	document_name(file->role, file->version, written);
	return strcmp(written, name) == 0 && text_copy(file->name, sizeof(file->name), name);
}

/* 0: the snapshot names no such role. */
static uint64_t current_version(const struct repository *repository, const char *role)
{
	for (size_t i = 0; i < repository->n_files; i++)
		if (strcmp(repository->files[i].role, role) == 0)
			return repository->files[i].version;
	return 0;
}

static void add(struct files *files, const struct file *file)
{
	if (files->n_items == files->room) {
		files->room = files->room * 2 + 64;
		files->items = xrealloc(files->items, files->room, sizeof(*files->items));
	}
	files->items[files->n_items++] = *file;
}

static enum fault list(const struct repository *repository, struct files *files, struct refusal *why)
{
	int copy = openat(repository->metadata_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (dir == NULL)
		return refuse(why, FAULT_STORAGE, "metadata: %s", strerror(errno));
	for (struct dirent *entry; errno = 0, (entry = readdir(dir)) != NULL;) {
		struct file file = {.version = 0};
		struct stat st;

		if (!read_name(entry->d_name, &file) || strcmp(file.role, "root") == 0)
			continue;
		if (fstatat(repository->metadata_fd, file.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return refuse(why, FAULT_STORAGE, "metadata/%s: %s", file.name, strerror(errno));
		if (!S_ISREG(st.st_mode))
			continue;
		file.size = (uint64_t)st.st_size;
		file.written = st.st_mtim.tv_sec;
		add(files, &file);
	}
	return errno == 0 ? FAULT_NONE : refuse(why, FAULT_STORAGE, "metadata: %s", strerror(errno));
}

/* By role, the newest version first. */
static int compare_files(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	int order = strcmp(x->role, y->role);

	return order != 0 ? order : x->version > y->version ? -1 : x->version < y->version;
}

/* --- what goes ------------------------------------------------------------------------------------------------------- */

/* Of the targets that FILE names. One that cannot be read is no set of any: zero. */
static struct sha256 digest_of_targets(const struct repository *repository, const struct file *file)
{
	_cleanup_(document_clear) struct document document = {0};
	struct sha256 digest = {{0}};
	struct refusal ignored;
	char *text;

	if (document_load(repository->metadata_fd, file->name, "targets", LIMIT_TARGETS_SIZE, &document, &ignored) !=
	    FAULT_NONE)
		return digest;
	text = json_dumps(json_object_get(document.signed_, "targets"), JSON_COMPACT | JSON_SORT_KEYS);
	if (text != NULL)
		hash_bytes(text, strlen(text), &digest);
	free(text);
	return digest;
}

/* One role's files from the current one down. */
struct walk {
	const struct repository_keep *keep;
	bool has_versions; /* a dataset */
	int64_t replaced;  /* when the one before in this walk was written */
	struct sha256 last;
	unsigned n_older; /* sets of targets older than the current one */
};

/* Whether it holds one of the older sets of targets that stay, as the first of them in the walk. */
static bool is_kept_version(const struct repository *repository, struct walk *walk, const struct file *file)
{
	struct sha256 digest;

	if (!walk->has_versions || walk->n_older >= walk->keep->versions)
		return false;
	digest = digest_of_targets(repository, file);
	if (sha256_is_zero(&digest) || sha256_equal(&digest, &walk->last))
		return false;
	walk->last = digest;
	walk->n_older++;
	return true;
}

static bool is_old(const struct repository *repository, const struct walk *walk)
{
	int64_t now = repository->rules.now;

	return now >= walk->replaced && now - walk->replaced >= walk->keep->at_least;
}

static enum fault remove_file(struct repository *repository, const struct file *file, bool dry_run, struct refusal *why)
{
	struct repository_pruned *pruned;

	if (!dry_run && unlinkat(repository->metadata_fd, file->name, 0) < 0)
		return refuse(why, FAULT_STORAGE, "metadata/%s: %s", file->name, strerror(errno));
	repository->pruned = xrealloc(repository->pruned, repository->n_pruned + 1, sizeof(*repository->pruned));
	pruned = &repository->pruned[repository->n_pruned++];
	memcpy(pruned->name, file->name, sizeof(pruned->name));
	pruned->size = file->size;
	return FAULT_NONE;
}

/* The files from FIRST on that are of its role; returns how many in *RET_N. */
static enum fault prune_role(struct repository *repository, const struct repository_keep *keep,
			     const struct files *files, size_t first, bool dry_run, size_t *ret_n, struct refusal *why)
{
	const struct file *items = &files->items[first];
	uint64_t current = current_version(repository, items->role);
	struct walk walk = {.keep = keep, .has_versions = notation_is_name(items->role)};
	size_t n = 0;

	for (; first + n < files->n_items && strcmp(items[n].role, items->role) == 0; n++) {
		bool is_kept = true;

		if (items[n].version == current && walk.has_versions)
			walk.last = digest_of_targets(repository, &items[n]);
		else if (items[n].version < current)
			is_kept = is_kept_version(repository, &walk, &items[n]) || !is_old(repository, &walk);
		if (!is_kept && remove_file(repository, &items[n], dry_run, why) != FAULT_NONE)
			return why->fault;
		walk.replaced = items[n].written;
	}
	*ret_n = n;
	return FAULT_NONE;
}

enum fault repository_prune(struct repository *repository, const struct repository_keep *keep, bool dry_run,
			    struct refusal *why)
{
	struct files files = {.n_items = 0};
	enum fault fault = list(repository, &files, why);
	size_t n = 0;

	if (fault == FAULT_NONE && files.n_items > 1)
		qsort(files.items, files.n_items, sizeof(*files.items), compare_files);
	for (size_t i = 0; fault == FAULT_NONE && i < files.n_items; i += n)
		fault = prune_role(repository, keep, &files, i, dry_run, &n, why);
	free(files.items);
	if (fault == FAULT_NONE && repository->n_pruned > 0 && !dry_run && fsync(repository->metadata_fd) < 0)
		return refuse(why, FAULT_STORAGE, "metadata: %s", strerror(errno));
	return fault;
}
