/* SPDX-License-Identifier: ISC
 *
 * store_delete: what leaves the store: generations that were never current or are no longer, versions that none of them
 * links, objects that no version links. Everything goes by one rename out of sight first.
 */
#include "inside/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "inside/store_stage.h"

/* Renames FOLDER/NAME into the stage and removes it there. Missing is no fault. */
static enum fault discard(int store_fd, const char *folder, const char *name, struct refusal *why)
{
	_cleanup_close_ int from_fd = -1, stage_fd = -1;
	char gone[STAGE_PATH_SIZE];
	bool stands = false;
	enum fault fault = stage_has(store_fd, folder, name, &stands, why);
	int r;

	if (fault != FAULT_NONE || !stands)
		return fault;
	fault = stage_open(store_fd, folder, STAGE_FOLDER_MODE, &from_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, STAGE, STAGE_PRIVATE_MODE, &stage_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(gone, sizeof(gone), "gone-%s", name);
	if (renameat2(from_fd, name, stage_fd, gone, RENAME_NOREPLACE) < 0)
		return stage_storage(why, errno, "rename out of", folder);
	r = fd_remove_tree(stage_fd, gone);
	return r < 0 ? stage_storage(why, r, "removal", name) : FAULT_NONE;
}

enum fault store_delete_generation(int store_fd, uint64_t generation, struct refusal *why)
{
	char name[32];
	uint64_t current;
	int r = store_current(store_fd, &current);

	if (r == -EUCLEAN)
		return refuse(why, FAULT_STORE_DAMAGED, "current: not a link to a generation");
	if (r < 0)
		return stage_storage(why, r, "readlinkat", "current");
	if (generation == current)
		return refuse(why, FAULT_NO_SUCH, "generation %" PRIu64 " is current and stays", generation);
	snprintf(name, sizeof(name), "%" PRIu64, generation);
	return discard(store_fd, "generations", name, why);
}

/* A generation on disk may be in a reader's hands: what it links stays. */
static enum fault check_unlinked(int store_fd, const char *dataset, const char *version, struct refusal *why)
{
	_cleanup_free_ uint64_t *generations = NULL;
	size_t n = 0;
	int r = store_generations(store_fd, &generations, &n);

	if (r < 0)
		return stage_storage(why, r, "list", "generations");
	for (size_t i = 0; i < n; i++) {
		char linked[STORE_VERSION_SIZE];

		r = store_generation_version(store_fd, generations[i], dataset, linked);
		if (r == -ENOENT)
			continue;
		if (r == -EUCLEAN)
			return refuse(why, FAULT_STORE_DAMAGED, "generations/%" PRIu64 "/%s: not a link to a version",
				      generations[i], dataset);
		if (r < 0)
			return stage_storage(why, r, "readlinkat", dataset);
		if (strcmp(linked, version) == 0)
			return refuse(why, FAULT_NO_SUCH,
				      "dataset %s: version %s is in generation %" PRIu64 " and stays", dataset, version,
				      generations[i]);
	}
	return FAULT_NONE;
}

/* The names in the mirror that belong to OBJECT: "<its hash>.<file>", neighbours in the sorted list. */
static size_t find_mirror_names(const struct store_names *mirror, const char *object, size_t *ret_first)
{
	size_t low = 0, high = mirror->n_items, n = 0, length = strlen(object);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(mirror->items[middle], object) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_first = low;
	while (low + n < mirror->n_items && strncmp(mirror->items[low + n], object, length) == 0 &&
	       mirror->items[low + n][length] == '.')
		n++;
	return n;
}

/* A withdrawal is of no version, and stays for as long as its role names it, which is for ever. */
static bool is_withdrawal(const struct store_names *mirror, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		if (strcmp(mirror->items[i] + SHA256_HEX_SIZE, "withdrawn.json") == 0)
			return true;
	return false;
}

/* An object has one link in objects/, one for each of its names in the mirror, one in every version that holds it.
 * Where only the first two kinds are left, they go: the mirror's names first, so that a cut leaves an object that is
 * found again. */
static enum fault collect_object(int objects_fd, int mirror_fd, const char *object, const struct store_names *mirror,
				 struct refusal *why)
{
	struct stat st;
	size_t first, n = find_mirror_names(mirror, object, &first);

	if (fstatat(objects_fd, object, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return stage_storage(why, errno, "stat of object", object);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 + n || is_withdrawal(mirror, first, n))
		return FAULT_NONE;
	for (size_t i = first; i < first + n; i++)
		if (unlinkat(mirror_fd, mirror->items[i], 0) < 0)
			return stage_storage(why, errno, "unlinkat of target", mirror->items[i]);
	if (unlinkat(objects_fd, object, 0) < 0)
		return stage_storage(why, errno, "unlinkat of object", object);
	return FAULT_NONE;
}

static bool is_kept(const struct store_kept *kept, const char *dataset, const char *object)
{
	struct sha256 sha256;

	if (kept == NULL || !sha256_from_hex(object, &sha256))
		return false;
	for (size_t i = 0; i < kept->n_items; i++)
		if (sha256_equal(&kept->items[i].sha256, &sha256) && strcmp(kept->items[i].dataset, dataset) == 0)
			return true;
	return false;
}

static enum fault collect_objects(int store_fd, const char *dataset, const struct store_kept *kept, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names objects = {NULL, 0}, mirror = {NULL, 0};
	_cleanup_close_ int objects_fd = -1, mirror_fd = -1;
	char objects_path[STAGE_PATH_SIZE], mirror_path[STAGE_PATH_SIZE];
	bool status = strcmp(dataset, "status") == 0;
	enum fault fault;
	int r;

	snprintf(objects_path, sizeof(objects_path), "datasets/%s/objects", dataset);
	snprintf(mirror_path, sizeof(mirror_path), "mirror/targets%s%s", status ? "" : "/", status ? "" : dataset);
	r = store_list(store_fd, objects_path, &objects);
	if (r == 0)
		r = store_list(store_fd, mirror_path, &mirror);
	if (r < 0)
		return stage_storage(why, r, "list", objects_path);
	fault = stage_open(store_fd, objects_path, STAGE_FOLDER_MODE, &objects_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, mirror_path, STAGE_PRIVATE_MODE, &mirror_fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < objects.n_items; i++)
		if (!is_kept(kept, dataset, objects.items[i]))
			fault = collect_object(objects_fd, mirror_fd, objects.items[i], &mirror, why);
	return fault;
}

enum fault store_delete_version(int store_fd, const char *dataset, const struct sha256 *version,
				const struct store_kept *kept, bool remembered, struct refusal *why)
{
	char name[STORE_VERSION_SIZE], path[STAGE_PATH_SIZE], document[STAGE_PATH_SIZE];
	enum fault fault = stage_check_dataset(dataset, true, why);

	if (fault != FAULT_NONE)
		return fault;
	store_version_name(version, name);
	if (strcmp(dataset, "status") != 0) {
		fault = check_unlinked(store_fd, dataset, name, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	/* Before the version, by which what was left of a cut is found again. */
	snprintf(path, sizeof(path), "datasets/%s/rows", dataset);
	snprintf(document, sizeof(document), "%s" STORE_ROWS_SUFFIX, name);
	fault = discard(store_fd, path, document, why);
	snprintf(path, sizeof(path), "datasets/%s/v", dataset);
	if (fault == FAULT_NONE)
		fault = discard(store_fd, path, name, why);
	if (fault == FAULT_NONE)
		fault = collect_objects(store_fd, dataset, kept, why);
	snprintf(document, sizeof(document), "%s-%s.json", dataset, name);
	if (fault == FAULT_NONE && !remembered)
		fault = discard(store_fd, "decisions/verdicts", document, why);
	snprintf(document, sizeof(document), "%s-%s", dataset, name);
	return fault == FAULT_NONE ? discard(store_fd, "quarantine", document, why) : fault;
}

enum fault store_delete_history(int store_fd, const char *dataset, const struct sha256 *version, struct refusal *why)
{
	char name[STORE_VERSION_SIZE], folder[STAGE_PATH_SIZE], document[STORE_VERSION_SIZE + 8];
	enum fault fault = stage_check_dataset(dataset, false, why);

	if (fault != FAULT_NONE)
		return fault;
	store_version_name(version, name);
	snprintf(folder, sizeof(folder), "decisions/history/%s", dataset);
	snprintf(document, sizeof(document), "%s.json", name);
	return discard(store_fd, folder, document, why);
}

enum fault store_delete_blob(int store_fd, const struct sha256 *sha256, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	return discard(store_fd, "mirror/blobs", hex, why);
}
