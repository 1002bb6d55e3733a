/* SPDX-License-Identifier: ISC
 *
 * store_mend: see store_mend.h.
 */
#include "inside/store_mend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "inside/store_stage.h"

/* What takes a name's place for the moment before it is renamed. */
#define RELINK "relink"

void store_mend_folder(const char *dataset, char path[MEND_PATH_SIZE])
{
	snprintf(path, MEND_PATH_SIZE, "datasets/%s/" STAGE "/mended", dataset);
}

enum fault store_mend_begin(int store_fd, const char *dataset, const char *object, struct refusal *why)
{
	_cleanup_close_ int objects_fd = -1, damaged_fd = -1;
	char objects[STAGE_PATH_SIZE], damaged[STAGE_PATH_SIZE];
	enum fault fault;

	snprintf(objects, sizeof(objects), "datasets/%s/objects", dataset);
	snprintf(damaged, sizeof(damaged), "datasets/%s/" STAGE "/damaged", dataset);
	fault = stage_open(store_fd, objects, STAGE_FOLDER_MODE, &objects_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, damaged, STAGE_FOLDER_MODE, &damaged_fd, why);
	if (fault == FAULT_NONE && linkat(objects_fd, object, damaged_fd, object, 0) < 0 && errno != EEXIST)
		fault = stage_storage(why, errno, "linkat", damaged);
	return fault;
}

/* --- every name of one object ------------------------------------------------------------------------------------------ */

/* One file may have many names, and a store that somebody touched several files under them. */
#define OLD_MOST 64

struct relink {
	int store_fd;
	int objects_fd, stage_fd;
	const char *object;
	struct stat now;           /* the good one */
	struct stat old[OLD_MOST]; /* files that are to have no name any more */
	size_t n_old;
	char mirror[STAGE_PATH_SIZE];
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_old(const struct relink *relink, const struct stat *st)
{
	for (size_t i = 0; i < relink->n_old; i++)
		if (is_same(&relink->old[i], st))
			return true;
	return false;
}

/* "<sha256>.<file>" in the mirror. */
static bool is_mirror_name(const struct relink *relink, const char *name)
{
	size_t length = strlen(relink->object);

	return strncmp(name, relink->object, length) == 0 && name[length] == '.';
}

/* Names in the mirror say whose they are: where one leads to another file than the object, that is an old one, too. */
static enum fault find_old(struct relink *relink, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	enum fault fault;
	int r = store_list(relink->store_fd, relink->mirror, &names);

	if (r < 0)
		return stage_storage(why, r, "list", relink->mirror);
	fault = stage_open(relink->store_fd, relink->mirror, STAGE_PRIVATE_MODE, &fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < names.n_items; i++) {
		struct stat st;

		if (!is_mirror_name(relink, names.items[i]))
			continue;
		if (fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return stage_storage(why, errno, "stat", relink->mirror);
		if (S_ISREG(st.st_mode) && !is_same(&relink->now, &st) && !is_old(relink, &st) &&
		    relink->n_old < OLD_MOST)
			relink->old[relink->n_old++] = st;
	}
	return fault;
}

/* Exchanges those of the names in FOLDER that lead to an old one. */
static enum fault relink_folder(const struct relink *relink, const char *folder, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	enum fault fault;
	int r = store_list(relink->store_fd, folder, &names);

	if (r < 0)
		return stage_storage(why, r, "list", folder);
	fault = names.n_items == 0 ? FAULT_NONE : stage_open(relink->store_fd, folder, STAGE_FOLDER_MODE, &fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < names.n_items; i++) {
		struct stat st;

		if (fstatat(fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return stage_storage(why, errno, "stat", folder);
		if (!is_old(relink, &st))
			continue;
		if (unlinkat(relink->stage_fd, RELINK, 0) < 0 && errno != ENOENT)
			return stage_storage(why, errno, "unlinkat", RELINK);
		if (linkat(relink->objects_fd, relink->object, relink->stage_fd, RELINK, 0) < 0)
			return stage_storage(why, errno, "linkat of object", relink->object);
		if (renameat(relink->stage_fd, RELINK, fd, names.items[i]) < 0)
			return stage_storage(why, errno, "rename into", folder);
	}
	return fault;
}

/* The mirror last: by it the old ones are found. */
static enum fault relink_all(struct relink *relink, const char *dataset, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names versions = {NULL, 0};
	char path[STAGE_PATH_SIZE], folder[2 * STAGE_PATH_SIZE];
	enum fault fault = find_old(relink, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	snprintf(path, sizeof(path), "datasets/%s/v", dataset);
	r = store_list(relink->store_fd, path, &versions);
	if (r < 0)
		return stage_storage(why, r, "list", path);
	for (size_t i = 0; fault == FAULT_NONE && i < versions.n_items; i++) {
		snprintf(folder, sizeof(folder), "%s/%s", path, versions.items[i]);
		fault = relink_folder(relink, folder, why);
	}
	return fault == FAULT_NONE ? relink_folder(relink, relink->mirror, why) : fault;
}

/* Nothing to do where the object itself is still the damaged one: its good one was never brought to its place. */
static enum fault finish_object(int store_fd, const char *dataset, const char *object, struct refusal *why)
{
	struct relink relink = {.store_fd = store_fd, .object = object, .n_old = 1};
	_cleanup_close_ int objects_fd = -1, stage_fd = -1;
	char path[STAGE_PATH_SIZE], damaged[2 * STAGE_PATH_SIZE];
	bool status = strcmp(dataset, "status") == 0;
	enum fault fault;

	snprintf(path, sizeof(path), "datasets/%s/objects", dataset);
	fault = stage_open(store_fd, path, STAGE_FOLDER_MODE, &objects_fd, why);
	snprintf(path, sizeof(path), "datasets/%s/" STAGE, dataset);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, path, STAGE_FOLDER_MODE, &stage_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	relink.objects_fd = objects_fd;
	relink.stage_fd = stage_fd;
	snprintf(relink.mirror, sizeof(relink.mirror), "mirror/targets%s%s", status ? "" : "/", status ? "" : dataset);
	snprintf(damaged, sizeof(damaged), "damaged/%s", object);
	if (fstatat(stage_fd, damaged, &relink.old[0], AT_SYMLINK_NOFOLLOW) < 0)
		return stage_storage(why, errno, "stat", damaged);
	if (fstatat(objects_fd, object, &relink.now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? FAULT_NONE : stage_storage(why, errno, "stat of object", object);
	return is_same(&relink.now, &relink.old[0]) ? FAULT_NONE : relink_all(&relink, dataset, why);
}

enum fault store_mend_finish(int store_fd, const char *folder, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	char path[STAGE_PATH_SIZE];
	enum fault fault = FAULT_NONE;
	int r;

	snprintf(path, sizeof(path), "%s/" STAGE "/damaged", folder);
	r = store_list(store_fd, path, &names);
	if (r < 0)
		return stage_storage(why, r, "list", path);
	for (size_t i = 0; fault == FAULT_NONE && i < names.n_items; i++)
		fault = finish_object(store_fd, folder + strlen("datasets/"), names.items[i], why);
	/* Before the sweep forgets which it was. */
	if (fault == FAULT_NONE && names.n_items > 0 && syncfs(store_fd) < 0)
		return stage_storage(why, errno, "syncfs", "the store");
	return fault;
}

/* --- what is staged ---------------------------------------------------------------------------------------------------- */

enum fault store_mend_place(int store_fd, const char *dataset, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int from_fd = -1, to_fd = -1;
	char from[MEND_PATH_SIZE], to[STAGE_PATH_SIZE], folder[STAGE_PATH_SIZE];
	enum fault fault;
	int r;

	store_mend_folder(dataset, from);
	r = store_list(store_fd, from, &names);
	if (r < 0)
		return stage_storage(why, r, "list", from);
	if (names.n_items == 0)
		return FAULT_NONE;
	snprintf(folder, sizeof(folder), "datasets/%s", dataset);
	snprintf(to, sizeof(to), "datasets/%s/objects", dataset);
	fault = stage_open(store_fd, from, STAGE_FOLDER_MODE, &from_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, to, STAGE_FOLDER_MODE, &to_fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < names.n_items; i++)
		if (renameat(from_fd, names.items[i], to_fd, names.items[i]) < 0)
			fault = stage_storage(why, errno, "rename to", to);
	/* A version must not be mended durably before its object is: by that the others are found. */
	if (fault == FAULT_NONE && syncfs(store_fd) < 0)
		return stage_storage(why, errno, "syncfs", "the store");
	return fault == FAULT_NONE ? store_mend_finish(store_fd, folder, why) : fault;
}
