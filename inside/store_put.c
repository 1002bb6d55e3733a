/* SPDX-License-Identifier: ISC
 *
 * store_put: files of the spool become files of the store: hashed again, linked or copied, staged. Knows nothing of
 * what is in them.
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
#include "base/text.h"
#include "bundle/notation.h"
#include "inside/store_mend.h"
#include "inside/store_stage.h"

/* As large as what makes sha256sum quick, and no more. */
#define BUFFER_SIZE (1024 * 1024)

/* One file on its way: NAME in FINAL, staged under the same name in STAGED. */
struct place {
	char final[STAGE_PATH_SIZE];
	char staged[STAGE_PATH_SIZE];
	const char *name;
	mode_t mode; /* of the folders */
};

enum fault stage_storage(struct refusal *why, int error, const char *call, const char *place)
{
	return refuse(why, FAULT_STORAGE, "%s of %s: %s", call, place, strerror(error < 0 ? -error : error));
}

enum fault stage_fsync(int fd, const char *place, struct refusal *why)
{
	return fsync(fd) < 0 ? stage_storage(why, errno, "fsync", place) : FAULT_NONE;
}

enum fault stage_check_dataset(const char *dataset, bool status_too, struct refusal *why)
{
	if (notation_is_name(dataset) || (status_too && strcmp(dataset, "status") == 0))
		return FAULT_NONE;
	return refuse(why, FAULT_NO_SUCH, "\"%s\" is no dataset's name", dataset);
}

/* One step down: opens NAME in DIR_FD, made first where it is missing. A folder below a private one is as private as that: who
 * installed the store may have opened trust/, mirror/ and their like to the supervisor's group. */
static int open_or_make(int dir_fd, const char *name, mode_t mode, bool is_top)
{
	int fd = fd_open_beneath(dir_fd, name, O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (fd != -ENOENT)
		return fd;
	if (mode == STAGE_PRIVATE_MODE && !is_top) {
		if (fstat(dir_fd, &st) < 0)
			return -errno;
		mode = st.st_mode & STAGE_FOLDER_MODE;
	}
	return fd_make_dir(dir_fd, name, mode);
}

enum fault stage_open(int store_fd, const char *path, mode_t mode, int *ret_fd, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	char steps[STAGE_PATH_SIZE], *rest = steps;

	/* Most of them stand. */
	if (fd >= 0) {
		*ret_fd = steal_fd(&fd);
		return FAULT_NONE;
	}
	fd = -1;
	if (!text_copy(steps, sizeof(steps), path))
		return stage_storage(why, ENAMETOOLONG, "open", path);
	for (char *step; (step = strsep(&rest, "/")) != NULL;) {
		int next = open_or_make(fd < 0 ? store_fd : fd, step, mode, fd < 0);

		if (next < 0)
			return stage_storage(why, next, "open", path);
		if (fd >= 0)
			close(fd);
		fd = next;
	}
	*ret_fd = steal_fd(&fd);
	return FAULT_NONE;
}

enum fault stage_has(int store_fd, const char *path, const char *name, bool *ret_has, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (fd == -ENOENT) {
		*ret_has = false;
		return FAULT_NONE;
	}
	if (fd < 0)
		return stage_storage(why, fd, "open", path);
	*ret_has = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*ret_has && errno != ENOENT)
		return stage_storage(why, errno, "stat", path);
	return FAULT_NONE;
}

enum fault stage_copy(int in_fd, int out_fd, const struct sha256 *sha256, uint64_t size, enum fault fault,
		      const char *place, struct refusal *why)
{
	size_t room = size < BUFFER_SIZE ? (size_t)size + 1 : BUFFER_SIZE;
	_cleanup_free_ uint8_t *buffer = malloc(room);
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct sha256 found;
	uint64_t done = 0;
	ssize_t n;
	int r;

	if (buffer == NULL)
		return stage_storage(why, ENOMEM, "reading", place);
	posix_fadvise(in_fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((n = fd_read_up_to(in_fd, buffer, room)) > 0) {
		done += (uint64_t)n;
		if (done > size)
			return refuse(why, fault, "%s: longer than its %" PRIu64 " bytes", place, size);
		hash_update(hash, buffer, (size_t)n);
		r = out_fd < 0 ? 0 : fd_write_all(out_fd, buffer, (size_t)n);
		if (r < 0)
			return stage_storage(why, r, "write", place);
	}
	if (n < 0)
		return stage_storage(why, (int)n, "read", place);
	if (done != size)
		return refuse(why, fault, "%s: %" PRIu64 " bytes, should be %" PRIu64, place, done, size);
	hash_final(hash, &found);
	if (!sha256_equal(&found, sha256))
		return refuse(why, fault, "%s: its bytes do not hash to its name", place);
	return FAULT_NONE;
}

/* What stands under the final name: hashed again, never replaced. */
static enum fault verify_standing(int store_fd, const struct place *place, const struct record_put *put,
				  struct refusal *why)
{
	char path[STAGE_PATH_SIZE * 2];
	_cleanup_close_ int fd = -1;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", place->final, place->name);
	fd = fd_open_beneath(store_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd == -ELOOP)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: a link where a file belongs", path);
	if (fd < 0)
		return stage_storage(why, fd, "open", path);
	if (fstat(fd, &st) < 0)
		return stage_storage(why, errno, "stat", path);
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_STORE_DAMAGED, "%s: not a regular file", path);
	return stage_copy(fd, -1, &put->sha256, put->size, FAULT_STORE_DAMAGED, path, why);
}

/* Opens a spool file anew. What it is was somebody else's word until now. */
static enum fault open_spool(int spool_fd, const char *hex, const struct record_put *put, int *ret_fd,
			     struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(spool_fd, hex, O_RDONLY);
	struct stat st;

	switch (fd) {
	case -EMLINK:
		return refuse(why, FAULT_SPOOL, "spool file %s: has more than one link", hex);
	case -EINVAL:
	case -ELOOP:
	case -ENXIO:
	case -EISDIR:
		return refuse(why, FAULT_SPOOL, "spool file %s: not a regular file", hex);
	case -ENOENT:
		return refuse(why, FAULT_SPOOL, "spool file %s: missing", hex);
	default:
		break;
	}
	if (fd < 0)
		return stage_storage(why, fd, "open of spool file", hex);
	if (fstat(fd, &st) < 0)
		return stage_storage(why, errno, "stat of spool file", hex);
	if ((uint64_t)st.st_size != put->size)
		return refuse(why, FAULT_SPOOL, "spool file %s: %" PRIu64 " bytes, should be %" PRIu64, hex,
			      (uint64_t)st.st_size, put->size);
	*ret_fd = steal_fd(&fd);
	return FAULT_NONE;
}

/* Whether the spool file may become the store's by a link: ours, and of the group that the folder gives. */
static bool can_link(int fd, int dir_fd)
{
	struct stat file, dir;

	return fstat(fd, &file) == 0 && fstat(dir_fd, &dir) == 0 && file.st_uid == geteuid() &&
	       file.st_gid == dir.st_gid && file.st_dev == dir.st_dev;
}

/* Links by name, for a link by descriptor needs a capability, then insists that it is the inode that was hashed.
 * *RET_LINKED is false where the file system or a wall says no: then it is copied. */
static enum fault link_spool(int spool_fd, const char *hex, int fd, int dir_fd, const struct place *place,
			     bool *ret_linked, struct refusal *why)
{
	struct stat opened, linked;

	*ret_linked = false;
	if (fchmod(fd, STAGE_FILE_MODE) < 0)
		return stage_storage(why, errno, "fchmod of spool file", hex);
	if (linkat(spool_fd, hex, dir_fd, place->name, 0) < 0) {
		if (errno == EXDEV || errno == EPERM || errno == EACCES || errno == EOPNOTSUPP)
			return FAULT_NONE;
		return stage_storage(why, errno, "linkat of spool file", hex);
	}
	if (fstat(fd, &opened) < 0 || fstatat(dir_fd, place->name, &linked, AT_SYMLINK_NOFOLLOW) < 0)
		return stage_storage(why, errno, "stat of", place->staged);
	if (opened.st_dev != linked.st_dev || opened.st_ino != linked.st_ino || !S_ISREG(linked.st_mode) ||
	    linked.st_nlink != 2)
		return refuse(why, FAULT_SPOOL, "spool file %s: exchanged while it was put", hex);
	*ret_linked = true;
	return FAULT_NONE;
}

static enum fault copy_spool(int fd, int dir_fd, const struct place *place, const struct record_put *put,
			     struct refusal *why)
{
	_cleanup_close_ int out_fd = fd_open_beneath(dir_fd, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
						     0600);
	enum fault fault;

	if (out_fd < 0)
		return stage_storage(why, out_fd, "open", place->staged);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return stage_storage(why, errno, "lseek of spool file", place->name);
	fault = stage_copy(fd, out_fd, &put->sha256, put->size, FAULT_SPOOL, place->staged, why);
	if (fault != FAULT_NONE)
		return fault;
	if (fchmod(out_fd, STAGE_FILE_MODE) < 0)
		return stage_storage(why, errno, "fchmod", place->staged);
	/* Some file systems tell of a full disk only here. */
	if (close(steal_fd(&out_fd)) < 0)
		return stage_storage(why, errno, "close", place->staged);
	return FAULT_NONE;
}

/* Brings one spool file to its place in the stage. */
static enum fault stage_spool(int store_fd, int spool_fd, const struct place *place, const struct record_put *put,
			      struct refusal *why)
{
	_cleanup_close_ int fd = -1, dir_fd = -1;
	char hex[SHA256_HEX_SIZE], where[128];
	bool linked = false;
	enum fault fault;

	sha256_to_hex(&put->sha256, hex);
	snprintf(where, sizeof(where), "spool file %s", hex);
	fault = stage_open(store_fd, place->staged, place->mode, &dir_fd, why);
	if (fault == FAULT_NONE)
		fault = open_spool(spool_fd, hex, put, &fd, why);
	if (fault != FAULT_NONE)
		return fault;
	if (put->is_shared == 0 && can_link(fd, dir_fd)) {
		fault = stage_copy(fd, -1, &put->sha256, put->size, FAULT_SPOOL, where, why);
		if (fault == FAULT_NONE)
			fault = link_spool(spool_fd, hex, fd, dir_fd, place, &linked, why);
		if (fault != FAULT_NONE || linked)
			return fault;
	}
	return copy_spool(fd, dir_fd, place, put, why);
}

/* Puts a file whose name is its hash: verified where it stands, else staged. *RET_FOLDER says where it is now. */
static enum fault put_content(int store_fd, int spool_fd, const struct place *place, const struct record_put *put,
			      const char **ret_folder, struct refusal *why)
{
	bool stands = false, waits = false;
	enum fault fault = stage_has(store_fd, place->final, place->name, &stands, why);

	if (fault == FAULT_NONE)
		fault = stage_has(store_fd, place->staged, place->name, &waits, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_folder = stands ? place->final : place->staged;
	if (stands)
		return verify_standing(store_fd, place, put, why);
	return waits ? FAULT_NONE : stage_spool(store_fd, spool_fd, place, put, why);
}

enum fault store_put_blob(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why)
{
	struct place place = {.final = "mirror/blobs", .staged = "mirror/" STAGE "/blobs", .mode = STAGE_PRIVATE_MODE};
	char hex[SHA256_HEX_SIZE];
	const char *folder;

	sha256_to_hex(&put->sha256, hex);
	place.name = hex;
	return put_content(store_fd, spool_fd, &place, put, &folder, why);
}

/* A timestamp has no version in its name, so the next one replaces it. An auditor judges by the one of a past day: each is
 * kept, a few hundred bytes under its hash. A copy, for a spool file may be linked only once. */
static enum fault keep_timestamp(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why)
{
	struct place place = {
		.final = "mirror/timestamps", .staged = "mirror/" STAGE "/timestamps", .mode = STAGE_PRIVATE_MODE};
	_cleanup_close_ int fd = -1, dir_fd = -1;
	char hex[SHA256_HEX_SIZE];
	bool stands = false, waits = false;
	enum fault fault;

	sha256_to_hex(&put->sha256, hex);
	place.name = hex;
	fault = stage_has(store_fd, place.final, hex, &stands, why);
	if (fault == FAULT_NONE)
		fault = stage_has(store_fd, place.staged, hex, &waits, why);
	if (fault != FAULT_NONE || waits)
		return fault;
	if (stands)
		return verify_standing(store_fd, &place, put, why);
	fault = stage_open(store_fd, place.staged, place.mode, &dir_fd, why);
	if (fault == FAULT_NONE)
		fault = open_spool(spool_fd, hex, put, &fd, why);
	return fault == FAULT_NONE ? copy_spool(fd, dir_fd, &place, put, why) : fault;
}

/* Metadata have names of their own. The same name may come with other bytes once root has ended a compromise by new
 * keys (TUF 5.3.11): inside-verify has judged that, so it replaces. */
enum fault store_put_metadata(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why)
{
	struct place place = {
		.final = "mirror/metadata", .staged = "mirror/" STAGE "/metadata", .mode = STAGE_PRIVATE_MODE};
	struct refusal differs = {FAULT_NONE, ""};
	bool stands = false;
	enum fault fault;

	if (!record_metadata_name(put->file, NULL, 0))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no metadata's name", put->file);
	place.name = put->file;
	fault = stage_has(store_fd, place.final, place.name, &stands, why);
	if (fault == FAULT_NONE && strcmp(put->file, "timestamp.json") == 0)
		fault = keep_timestamp(store_fd, spool_fd, put, why);
	if (fault != FAULT_NONE)
		return fault;
	if (stands) {
		fault = verify_standing(store_fd, &place, put, &differs);
		if (fault == FAULT_NONE)
			return fault;
		if (fault == FAULT_STORAGE)
			return refuse(why, fault, "%s", differs.line);
	}
	fault = stage_has(store_fd, place.staged, place.name, &stands, why);
	if (fault != FAULT_NONE)
		return fault;
	if (stands)
		return refuse(why, FAULT_STORE_DAMAGED, "metadata %s twice in one plan", put->file);
	return stage_spool(store_fd, spool_fd, &place, put, why);
}

/* Whether A in A_FD and B in B_FD are one file. */
static enum fault check_same(int a_fd, const char *a, int b_fd, const char *b, const char *place, struct refusal *why)
{
	struct stat left, right;

	if (fstatat(a_fd, a, &left, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(b_fd, b, &right, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return refuse(why, FAULT_STORE_DAMAGED, "%s: %s is missing", place, b);
		return stage_storage(why, errno, "stat", place);
	}
	if (left.st_dev != right.st_dev || left.st_ino != right.st_ino)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: %s is not the object's link", place, b);
	return FAULT_NONE;
}

/* Links OBJECT in OBJECT_FOLDER to its place; what stands there already must be that link. */
static enum fault link_object(int store_fd, const char *object_folder, const char *object, const struct place *place,
			      struct refusal *why)
{
	_cleanup_close_ int object_fd = -1, fd = -1;
	bool stands = false;
	enum fault fault = stage_has(store_fd, place->final, place->name, &stands, why);

	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, object_folder, STAGE_FOLDER_MODE, &object_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, stands ? place->final : place->staged, place->mode, &fd, why);
	if (fault != FAULT_NONE)
		return fault;
	if (!stands && linkat(object_fd, object, fd, place->name, 0) < 0 && errno != EEXIST) {
		if (errno == ENOENT)
			return refuse(why, FAULT_STORE_DAMAGED, "%s/%s: the object is not in the store", object_folder,
				      object);
		return stage_storage(why, errno, "linkat", place->staged);
	}
	return check_same(object_fd, object, fd, place->name, stands ? place->final : place->staged, why);
}

static struct place object_place(const char *dataset, const char *hex)
{
	struct place place = {.name = hex, .mode = STAGE_FOLDER_MODE};

	snprintf(place.final, sizeof(place.final), "datasets/%s/objects", dataset);
	snprintf(place.staged, sizeof(place.staged), "datasets/%s/" STAGE "/objects", dataset);
	return place;
}

/* Where a stock TUF client looks for a target with consistent snapshots (TUF 1.0.34, 3.1, 5.7.3): the hash before the
 * last part of its path. status.json is a target without a folder. */
static struct place target_place(const char *dataset, const char *name)
{
	struct place place = {.name = name, .mode = STAGE_PRIVATE_MODE};
	bool status = strcmp(dataset, "status") == 0;

	snprintf(place.final, sizeof(place.final), "mirror/targets%s%s", status ? "" : "/", status ? "" : dataset);
	snprintf(place.staged, sizeof(place.staged), "mirror/" STAGE "/targets/%s", dataset);
	return place;
}

/* An object that stands and is damaged: the spool's file is staged to take its place. *RET_MENDED is false where there is none, or what stands is no
 * file. */
static enum fault mend_object(int store_fd, int spool_fd, const struct place *place, const struct record_put *put,
			      char folder[MEND_PATH_SIZE], bool *ret_mended, struct refusal *why)
{
	_cleanup_close_ int objects_fd = -1;
	struct place mended = *place;
	struct stat st;
	bool waits = false;
	enum fault fault = stage_open(store_fd, place->final, place->mode, &objects_fd, why);

	*ret_mended = false;
	if (fault != FAULT_NONE)
		return fault;
	if (fstatat(objects_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return FAULT_NONE;
	store_mend_folder(put->dataset, folder);
	text_copy(mended.staged, sizeof(mended.staged), folder);
	fault = stage_has(store_fd, folder, place->name, &waits, why);
	if (fault != FAULT_NONE || (!waits && !fd_exists(spool_fd, place->name)))
		return fault;
	if (!waits && (fault = store_mend_begin(store_fd, put->dataset, place->name, why)) == FAULT_NONE)
		fault = stage_spool(store_fd, spool_fd, &mended, put, why);
	*ret_mended = fault == FAULT_NONE;
	return fault;
}

/* The mirror's name of a mended object, where it stands, is exchanged with all the others. */
static enum fault link_target(int store_fd, const char *folder, const char *object, const struct place *target,
			      bool is_mended, struct refusal *why)
{
	bool stands = false;
	enum fault fault = is_mended ? stage_has(store_fd, target->final, target->name, &stands, why) : FAULT_NONE;

	return fault != FAULT_NONE || stands ? fault : link_object(store_fd, folder, object, target, why);
}

enum fault store_put_object(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE], name[SHA256_HEX_SIZE + LIMIT_FILE_NAME_SIZE], mended[MEND_PATH_SIZE];
	struct refusal damage = {FAULT_NONE, ""};
	struct place place, target;
	const char *folder = NULL;
	bool is_mended = false;
	enum fault fault = stage_check_dataset(put->dataset, true, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_is_file_name(put->file))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no file's name", put->file);
	sha256_to_hex(&put->sha256, hex);
	place = object_place(put->dataset, hex);
	fault = put_content(store_fd, spool_fd, &place, put, &folder, &damage);
	if (fault == FAULT_STORE_DAMAGED &&
	    (fault = mend_object(store_fd, spool_fd, &place, put, mended, &is_mended, why)) != FAULT_NONE)
		return fault;
	if (damage.fault != FAULT_NONE && !is_mended)
		return refuse(why, damage.fault, "%s", damage.line);
	snprintf(name, sizeof(name), "%s.%s", hex, put->file);
	target = target_place(put->dataset, name);
	return link_target(store_fd, is_mended ? mended : folder, hex, &target, is_mended, why);
}

/* A version is named by the hash of its description: the one thing about its files that commit knows by itself. */
static enum fault check_version_file(const struct record_put *put, struct refusal *why)
{
	const char *description = strcmp(put->dataset, "status") == 0 ? "status.json" : "datapackage.json";

	if (!notation_is_file_name(put->file))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no file's name", put->file);
	if (strcmp(put->file, description) == 0 && !sha256_equal(&put->sha256, &put->version))
		return refuse(why, FAULT_STORE_DAMAGED, "dataset %s: a version that is not its %s's hash", put->dataset,
			      description);
	return FAULT_NONE;
}

/* A version that is whole takes no more files: the link must stand in it. */
static enum fault check_in_whole(int store_fd, const struct place *link, struct refusal *why)
{
	bool linked = false;
	enum fault fault = stage_has(store_fd, link->final, link->name, &linked, why);

	if (fault == FAULT_NONE && !linked)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: %s is missing", link->final, link->name);
	return fault;
}

enum fault store_put_link(int store_fd, const struct record_put *put, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE], version[STORE_VERSION_SIZE];
	struct place link = {.name = put->file, .mode = STAGE_FOLDER_MODE}, object;
	char mended[MEND_PATH_SIZE];
	bool stands = false, whole = false, is_mended = false;
	enum fault fault = stage_check_dataset(put->dataset, true, why);

	if (fault == FAULT_NONE)
		fault = check_version_file(put, why);
	if (fault != FAULT_NONE)
		return fault;
	sha256_to_hex(&put->sha256, hex);
	store_version_name(&put->version, version);
	object = object_place(put->dataset, hex);
	snprintf(link.final, sizeof(link.final), "datasets/%s/v", put->dataset);
	fault = stage_has(store_fd, link.final, version, &whole, why);
	if (fault == FAULT_NONE)
		fault = stage_has(store_fd, object.final, hex, &stands, why);
	store_mend_folder(put->dataset, mended);
	if (fault == FAULT_NONE && stands && !whole)
		fault = stage_has(store_fd, mended, hex, &is_mended, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(link.final, sizeof(link.final), "datasets/%s/v/%s", put->dataset, version);
	snprintf(link.staged, sizeof(link.staged), "datasets/%s/" STAGE "/v/%s", put->dataset, version);
	if (whole) {
		fault = check_in_whole(store_fd, &link, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return link_object(store_fd, is_mended ? mended : stands ? object.final : object.staged, hex, &link, why);
}

/* It is not named by its hash, which says nothing to who holds the store: it is made of the version's files, here, and can be made again. */
enum fault store_put_rows(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why)
{
	char version[STORE_VERSION_SIZE], name[STORE_ROWS_SIZE];
	struct place place = {.name = name, .mode = STAGE_FOLDER_MODE};
	bool waits = false;
	enum fault fault = stage_check_dataset(put->dataset, false, why);

	if (fault != FAULT_NONE)
		return fault;
	store_version_name(&put->version, version);
	snprintf(name, sizeof(name), "%s" STORE_ROWS_SUFFIX, version);
	snprintf(place.final, sizeof(place.final), "datasets/%s/rows", put->dataset);
	snprintf(place.staged, sizeof(place.staged), "datasets/%s/" STAGE "/rows", put->dataset);
	fault = stage_has(store_fd, place.staged, name, &waits, why);
	if (fault == FAULT_NONE && waits)
		return refuse(why, FAULT_STORE_DAMAGED, "rows of dataset %s, version %s, twice in one plan",
			      put->dataset, version);
	return fault == FAULT_NONE ? stage_spool(store_fd, spool_fd, &place, put, why) : fault;
}
