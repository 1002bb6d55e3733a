/* SPDX-License-Identifier: ISC
 *
 * storeverify_files: everything in the store that is neither metadata nor a blob, held against what the metadata sign.
 */
#include "inside/storeverify_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "bundle/progress.h"

#define FOLDER_MODE 0750
#define PRIVATE_MODE 0700
#define FILE_MODE 0440
#define DAMAGED FAULT_STORE_DAMAGED
#define PIECE_SIZE ((size_t)256 * KIB)

static int open_regular(int dir_fd, const char *name)
{
	return fd_open_beneath(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
}

void storeverify_list(struct storeverify *verify, const char *path, struct store_names *ret_names)
{
	int r;

	*ret_names = (struct store_names){NULL, 0};
	r = store_list(verify->store_fd, path, ret_names);
	if (r < 0)
		findings_fault(&verify->findings, DAMAGED, "%s: cannot be listed: %s", path, strerror(-r));
}

/* What is private may be open to a group, the supervisor's, unless that is the readers': the one of the store's own folder. */
static bool is_mode(const struct storeverify *verify, const struct stat *st, mode_t mode)
{
	struct stat store;

	if ((st->st_mode & 0777) == mode)
		return true;
	return mode == PRIVATE_MODE && (st->st_mode & 0777) == FOLDER_MODE && fstat(verify->store_fd, &store) == 0 &&
	       store.st_gid != st->st_gid;
}

int storeverify_open(struct storeverify *verify, const char *path, mode_t mode)
{
	int fd = fd_open_beneath(verify->store_fd, path, O_RDONLY | O_DIRECTORY, 0);
	struct stat st;

	if (fd < 0) {
		findings_fault(&verify->findings, DAMAGED, "%s: not a folder, or it cannot be opened: %s", path,
			       strerror(-fd));
		return -1;
	}
	if (fstat(fd, &st) == 0 && (!is_mode(verify, &st, mode) || st.st_uid != verify->uid))
		findings_fault(&verify->findings, DAMAGED, "%s: mode %04o and owner %u, should be %04o and %u", path,
			       st.st_mode & 0777, st.st_uid, mode, verify->uid);
	return fd;
}

bool storeverify_file(struct storeverify *verify, int dir_fd, const char *path, const char *name, struct stat *ret_st)
{
	if (fstatat(dir_fd, name, ret_st, AT_SYMLINK_NOFOLLOW) < 0) {
		findings_fault(&verify->findings, DAMAGED, "%s/%s: %s", path, name, strerror(errno));
		return false;
	}
	if (!S_ISREG(ret_st->st_mode)) {
		findings_fault(&verify->findings, DAMAGED, "%s/%s: not a regular file", path, name);
		return false;
	}
	if ((ret_st->st_mode & 07777) != FILE_MODE || ret_st->st_uid != verify->uid)
		findings_fault(&verify->findings, DAMAGED, "%s/%s: mode %04o and owner %u, should be %04o and %u", path,
			       name, ret_st->st_mode & 07777, ret_st->st_uid, FILE_MODE, verify->uid);
	return true;
}

void storeverify_show(struct storeverify *verify, const char *what, int dir_fd, const struct store_names *names)
{
	uint64_t total = 0;
	struct stat st;

	for (size_t i = 0; i < names->n_items; i++)
		if (fstatat(dir_fd, names->items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
	verify->shown = 0;
	progress_begin(what, total, NULL);
}

/* As hash_fd; a file may be large, so what is done of it shows. */
static int hash_shown(struct storeverify *verify, int fd, struct sha256 *ret_sha256)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_free_ uint8_t *piece = xmalloc(PIECE_SIZE);
	ssize_t n;

	while ((n = fd_read_up_to(fd, piece, PIECE_SIZE)) > 0) {
		hash_update(hash, piece, (size_t)n);
		verify->hashed_bytes += (uint64_t)n;
		verify->shown += (uint64_t)n;
		progress_show(verify->shown);
	}
	if (n == 0)
		hash_final(hash, ret_sha256);
	return (int)n;
}

bool storeverify_hash(struct storeverify *verify, int dir_fd, const char *path, const char *name,
		      const struct sha256 *sha256)
{
	_cleanup_close_ int fd = open_regular(dir_fd, name);
	struct sha256 found;
	int r = fd < 0 ? fd : hash_shown(verify, fd, &found);

	if (r < 0)
		findings_fault(&verify->findings, DAMAGED, "%s/%s: cannot be read: %s", path, name, strerror(-r));
	else if (!sha256_equal(&found, sha256))
		findings_fault(&verify->findings, DAMAGED, "%s/%s: its bytes are not what its name says", path, name);
	return r == 0 && sha256_equal(&found, sha256);
}

/* --- datasets ----------------------------------------------------------------------------------------------------- */

/* Objects of one dataset, with their inodes: what links are held against. */
struct objects {
	struct object {
		struct sha256 sha256;
		dev_t dev;
		ino_t ino;
		bool is_good;
	} * items;
	size_t n_items;
};

static const struct object *find_object(const struct objects *objects, const struct sha256 *sha256)
{
	for (size_t low = 0, high = objects->n_items; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = sha256_compare(&objects->items[middle].sha256, sha256);

		if (order == 0)
			return &objects->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The list is sorted by name, which is by hash. */
static void verify_objects(struct storeverify *verify, const char *dataset, bool hash, struct objects *ret_objects)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	char path[STORE_PATH_SIZE], what[STORE_PATH_SIZE];

	*ret_objects = (struct objects){NULL, 0};
	snprintf(path, sizeof(path), "datasets/%s/objects", dataset);
	fd = storeverify_open(verify, path, FOLDER_MODE);
	if (fd < 0)
		return;
	storeverify_list(verify, path, &names);
	ret_objects->items = xcalloc(names.n_items + 1, sizeof(*ret_objects->items));
	if (hash) {
		snprintf(what, sizeof(what), "%s: hashing", dataset);
		storeverify_show(verify, what, fd, &names);
	}
	for (size_t i = 0; i < names.n_items; i++) {
		struct object *object = &ret_objects->items[ret_objects->n_items];
		struct stat st;

		if (!sha256_from_hex(names.items[i], &object->sha256)) {
			findings_fault(&verify->findings, DAMAGED, "%s/%s: no object's name", path, names.items[i]);
			continue;
		}
		if (!storeverify_file(verify, fd, path, names.items[i], &st))
			continue;
		object->dev = st.st_dev;
		object->ino = st.st_ino;
		object->is_good = !hash || storeverify_hash(verify, fd, path, names.items[i], &object->sha256);
		ret_objects->n_items++;
		if (!hash)
			continue;
		verify->n_objects++;
		if (verify->set != NULL && !trustset_names_object(verify->set, dataset, &object->sha256))
			findings_fault(&verify->findings, DAMAGED, "%s/%s: nothing signed names it", path,
				       names.items[i]);
	}
}

/* A file that must be SHA256: the object's inode, or the same bytes. */
static void verify_link(struct storeverify *verify, int dir_fd, const char *path, const char *name,
			const struct objects *objects, const struct sha256 *sha256)
{
	const struct object *object = find_object(objects, sha256);
	struct stat st;

	if (!storeverify_file(verify, dir_fd, path, name, &st))
		return;
	if (object == NULL)
		findings_fault(&verify->findings, DAMAGED, "%s/%s: its object is missing", path, name);
	else if (object->dev == st.st_dev && object->ino == st.st_ino)
		return; /* judged with the object */
	storeverify_hash(verify, dir_fd, path, name, sha256);
}

/* One version: the files that its role signed, all of them, and no other. */
static void verify_version(struct storeverify *verify, const char *dataset, const char *version,
			   const struct objects *objects)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	char path[STORE_PATH_SIZE];
	size_t first, end, n_found = 0;

	snprintf(path, sizeof(path), "datasets/%s/v/%s", dataset, version);
	fd = storeverify_open(verify, path, FOLDER_MODE);
	if (fd < 0 || verify->set == NULL)
		return;
	if (!trustset_find_version(verify->set, dataset, version, &first, &end)) {
		findings_fault(&verify->findings, DAMAGED, "%s: no signed metadata describe this version", path);
		return;
	}
	storeverify_list(verify, path, &names);
	for (size_t i = 0; i < names.n_items; i++) {
		const struct signed_file *file = NULL;

		for (size_t j = first; j < end && file == NULL; j++)
			if (strcmp(verify->set->files[j].file, names.items[i]) == 0)
				file = &verify->set->files[j];
		if (file == NULL) {
			findings_fault(&verify->findings, DAMAGED, "%s/%s: no signed metadata name it", path,
				       names.items[i]);
			continue;
		}
		n_found++;
		verify_link(verify, fd, path, names.items[i], objects, &file->blob.plain_sha256);
	}
	if (n_found != end - first)
		findings_fault(&verify->findings, DAMAGED, "%s: %zu of %zu signed files are missing", path,
			       end - first - n_found, end - first);
	verify->n_versions++;
}

/* SQLite files of versions. Nothing signed names them: what they hold was made here of what is signed, and is made again by
 * `clapet-inside rows --again`. Looked at is whose they are, and that each is of a version that is here. */
static void verify_rows(struct storeverify *verify, const char *dataset)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	char path[STORE_PATH_SIZE], version[STORE_VERSION_SIZE];

	snprintf(path, sizeof(path), "datasets/%s/rows", dataset);
	fd = storeverify_open(verify, path, FOLDER_MODE);
	storeverify_list(verify, path, &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		struct stat st;

		if (!storeverify_file(verify, fd, path, names.items[i], &st))
			continue;
		if (!store_parse_rows(names.items[i], version) ||
		    !store_has_version(verify->store_fd, dataset, version))
			findings_fault(&verify->findings, DAMAGED, "%s/%s: of no version that is here", path,
				       names.items[i]);
	}
}

static void verify_dataset(struct storeverify *verify, const char *dataset)
{
	_cleanup_(store_names_free) struct store_names versions = {NULL, 0}, parts = {NULL, 0};
	struct objects objects;
	char path[STORE_PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "datasets/%s", dataset);
	fd = storeverify_open(verify, path, FOLDER_MODE); /* its mode and owner */
	if (fd >= 0)
		close(fd);
	storeverify_list(verify, path, &parts);
	for (size_t i = 0; i < parts.n_items; i++) {
		if (strcmp(parts.items[i], ".tmp") == 0)
			findings_note(&verify->findings,
				      "%s/.tmp: left by an import that did not finish, or that runs now", path);
		else if (strcmp(parts.items[i], "rows") == 0)
			verify_rows(verify, dataset);
		else if (strcmp(parts.items[i], "objects") != 0 && strcmp(parts.items[i], "v") != 0)
			findings_fault(&verify->findings, DAMAGED, "%s/%s: does not belong there", path,
				       parts.items[i]);
	}
	verify_objects(verify, dataset, true, &objects);
	snprintf(path, sizeof(path), "datasets/%s/v", dataset);
	storeverify_list(verify, path, &versions);
	for (size_t i = 0; i < versions.n_items; i++) {
		if (store_has_version(verify->store_fd, dataset, versions.items[i]))
			verify_version(verify, dataset, versions.items[i], &objects);
		else
			findings_fault(&verify->findings, DAMAGED, "%s/%s: no version's folder", path,
				       versions.items[i]);
	}
	free(objects.items);
	verify->n_datasets++;
}

void storeverify_datasets(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "datasets", FOLDER_MODE);

	storeverify_list(verify, "datasets", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		if (notation_is_name(names.items[i]) || strcmp(names.items[i], "status") == 0)
			verify_dataset(verify, names.items[i]);
		else
			findings_fault(&verify->findings, DAMAGED, "datasets/%s: no dataset's name", names.items[i]);
	}
}

/* --- the mirror's names ------------------------------------------------------------------------------------------- */

/* "<sha256>.<file>" of one folder of the mirror. */
static void verify_target(struct storeverify *verify, int dir_fd, const char *path, const char *name,
			  const char *dataset, const struct objects *objects)
{
	char hex[SHA256_HEX_SIZE] = "";
	struct sha256 sha256;

	if (strlen(name) > SHA256_HEX_SIZE && name[SHA256_HEX_SIZE - 1] == '.')
		memcpy(hex, name, SHA256_HEX_SIZE - 1);
	verify->n_targets++;
	if (!sha256_from_hex(hex, &sha256))
		findings_fault(&verify->findings, DAMAGED, "%s/%s: no target's name", path, name);
	else if (verify->set != NULL && !trustset_names_target(verify->set, dataset, name + SHA256_HEX_SIZE, &sha256))
		findings_fault(&verify->findings, DAMAGED, "%s/%s: nothing signed names it", path, name);
	else
		verify_link(verify, dir_fd, path, name, objects, &sha256);
}

static void verify_target_folder(struct storeverify *verify, const char *dataset)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	struct objects objects;
	char path[STORE_PATH_SIZE];

	snprintf(path, sizeof(path), "mirror/targets/%s", dataset);
	fd = storeverify_open(verify, path, PRIVATE_MODE);
	storeverify_list(verify, path, &names);
	verify_objects(verify, dataset, false, &objects);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++)
		verify_target(verify, fd, path, names.items[i], dataset, &objects);
	free(objects.items);
}

void storeverify_targets(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "mirror/targets", PRIVATE_MODE);
	struct objects objects = {NULL, 0};
	bool has_status = false;

	storeverify_list(verify, "mirror/targets", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		if (notation_is_name(names.items[i])) {
			verify_target_folder(verify, names.items[i]);
			continue;
		}
		if (!has_status)
			verify_objects(verify, "status", false, &objects);
		has_status = true;
		verify_target(verify, fd, "mirror/targets", names.items[i], "status", &objects);
	}
	free(objects.items);
}

/* --- generations -------------------------------------------------------------------------------------------------- */

static void verify_description(struct storeverify *verify, uint64_t generation, const char *path, int dir_fd)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why;
	struct stat st;
	size_t size;
	int r;

	if (!storeverify_file(verify, dir_fd, path, "clapet.json", &st))
		return;
	r = store_load_generation(verify->store_fd, generation, &data, &size);
	if (r < 0) {
		findings_fault(&verify->findings, DAMAGED, "%s/clapet.json: %s", path, strerror(-r));
		return;
	}
	if (json_parse(data, size, LIMIT_JSON_SIZE, &json, &why) != FAULT_NONE)
		findings_fault(&verify->findings, DAMAGED, "%s/clapet.json: %s", path, why.line);
	else if (json_integer_value(json_object_get(json, "generation")) != (json_int_t)generation)
		findings_fault(&verify->findings, DAMAGED, "%s/clapet.json: is of another generation", path);
}

/* "cog.sqlite", which leads to the SQLite file of the version that the generation shows. */
static bool is_rows_link(struct storeverify *verify, int dir_fd, uint64_t generation, const char *name)
{
	char dataset[NOTATION_NAME_SIZE], version[STORE_VERSION_SIZE], wanted[STORE_PATH_SIZE], found[STORE_PATH_SIZE];
	const char *dot = strchr(name, '.');
	ssize_t n;

	if (dot == NULL || strcmp(dot, STORE_ROWS_SUFFIX) != 0 || (size_t)(dot - name) >= sizeof(dataset))
		return false;
	memcpy(dataset, name, (size_t)(dot - name));
	dataset[dot - name] = '\0';
	if (!notation_is_name(dataset) || store_generation_version(verify->store_fd, generation, dataset, version) < 0)
		return false;
	snprintf(wanted, sizeof(wanted), "../../datasets/%s/rows/%s" STORE_ROWS_SUFFIX, dataset, version);
	n = readlinkat(dir_fd, name, found, sizeof(found) - 1);
	found[n < 0 ? 0 : n] = '\0';
	return strcmp(found, wanted) == 0;
}

static void verify_generation(struct storeverify *verify, uint64_t generation)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "generations/%" PRIu64, generation);
	fd = storeverify_open(verify, path, FOLDER_MODE);
	if (fd < 0)
		return;
	verify->n_generations++;
	verify_description(verify, generation, path, fd);
	storeverify_list(verify, path, &names);
	for (size_t i = 0; i < names.n_items; i++) {
		char version[STORE_VERSION_SIZE];
		int r;

		if (strcmp(names.items[i], "clapet.json") == 0 || is_rows_link(verify, fd, generation, names.items[i]))
			continue;
		r = store_generation_version(verify->store_fd, generation, names.items[i], version);
		if (r < 0)
			findings_fault(&verify->findings, DAMAGED, "%s/%s: not a dataset's link to a version", path,
				       names.items[i]);
		else if (!store_has_version(verify->store_fd, names.items[i], version))
			findings_fault(&verify->findings, DAMAGED, "%s/%s: leads to no version", path, names.items[i]);
	}
}

void storeverify_generations(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "generations", FOLDER_MODE);
	bool has_current = false;
	int r = store_current(verify->store_fd, &verify->current);

	if (r < 0) {
		findings_fault(&verify->findings, DAMAGED, "current: not a link to a generation");
		verify->current = 0;
	}
	storeverify_list(verify, "generations", &names);
	for (size_t i = 0; fd >= 0 && i < names.n_items; i++) {
		uint64_t generation;

		if (store_parse_generation(names.items[i], &generation)) {
			has_current |= generation == verify->current;
			verify_generation(verify, generation);
		} else if (strcmp(names.items[i], ".tmp") == 0) {
			findings_note(&verify->findings,
				      "generations/.tmp: left by an import that did not finish, or that runs now");
		} else {
			findings_fault(&verify->findings, DAMAGED, "generations/%s: no generation's number",
				       names.items[i]);
		}
	}
	if (verify->current != 0 && !has_current)
		findings_fault(&verify->findings, DAMAGED, "current: generation %" PRIu64 " is missing",
			       verify->current);
}
