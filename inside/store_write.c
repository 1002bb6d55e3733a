/* SPDX-License-Identifier: ISC
 *
 * store_write: from the stage to the eye of a reader. What was put is made durable first, comes to its place by renames
 * second, and `current` is swapped last, by one more.
 *
 * Why syncfs and not an fsync a file: a first synchronisation puts tens of thousands of files, many of them hard links
 * to what another process wrote; on ext4, xfs and btrfs one syncfs commits the journal once for all of them, data
 * first. It also reports write-back errors since the store's folder was opened (Linux 5.8). Two are needed: a rename
 * may become durable before the bytes of what it names, so the bytes go first.
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
#include "inside/store_mend.h"
#include "inside/store_stage.h"

static const struct {
	const char *path;
	mode_t mode;
} store_folders[] = {
	{"trust", STAGE_PRIVATE_MODE},
	{"mirror", STAGE_PRIVATE_MODE},
	{"mirror/metadata", STAGE_PRIVATE_MODE},
	{"mirror/targets", STAGE_PRIVATE_MODE},
	{"mirror/blobs", STAGE_PRIVATE_MODE},
	{"mirror/timestamps", STAGE_PRIVATE_MODE},
	{"datasets", STAGE_FOLDER_MODE},
	{"generations", STAGE_FOLDER_MODE},
	{"decisions", STAGE_PRIVATE_MODE},
	{"decisions/verdicts", STAGE_PRIVATE_MODE},
	{"decisions/history", STAGE_PRIVATE_MODE},
	{"quarantine", STAGE_PRIVATE_MODE},
	{"log", STAGE_PRIVATE_MODE},
};

bool store_is_empty(int store_fd)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};

	if (store_list(store_fd, ".", &names) < 0)
		return false;
	for (size_t i = 0; i < names.n_items; i++) {
		bool known = strcmp(names.items[i], STAGE) == 0 || strcmp(names.items[i], "lost+found") == 0;

		for (size_t j = 0; !known && j < ARRAY_SIZE(store_folders); j++)
			known = strcmp(names.items[i], store_folders[j].path) == 0;
		if (!known)
			return false;
	}
	return true;
}

/* Writes SIZE bytes of a document beneath the stage, then renames it over PATH: durable when it returns. */
static enum fault put_durable(int store_fd, const char *path, const void *data, size_t size, struct refusal *why)
{
	_cleanup_close_ int stage_fd = -1, fd = -1, folder_fd = -1;
	char folder[STAGE_PATH_SIZE];
	const char *name = strrchr(path, '/');
	mode_t mode = STAGE_PRIVATE_MODE;
	enum fault fault = stage_open(store_fd, STAGE, mode, &stage_fd, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	snprintf(folder, sizeof(folder), "%.*s", name == NULL ? 1 : (int)(name - path), name == NULL ? "." : path);
	fault = stage_open(store_fd, folder, mode, &folder_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	name = name == NULL ? path : name + 1;
	fd = fd_open_beneath(stage_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return stage_storage(why, fd, "open for", path);
	r = fd_write_all(fd, data, size);
	if (r < 0)
		return stage_storage(why, r, "write", path);
	if (fchmod(fd, STAGE_FILE_MODE) < 0)
		return stage_storage(why, errno, "fchmod", path);
	fault = stage_fsync(fd, path, why);
	if (fault != FAULT_NONE)
		return fault;
	if (renameat(stage_fd, name, folder_fd, name) < 0)
		return stage_storage(why, errno, "renameat", path);
	return stage_fsync(folder_fd, folder, why);
}

/* Writes SIZE bytes as NAME in the folder STAGED: they come to their place, and are durable, by store_sync. Twice in one plan: the last
 * counts. */
static enum fault put_staged(int store_fd, const char *staged, const char *name, const void *data, size_t size,
			     struct refusal *why)
{
	_cleanup_close_ int fd = -1, folder_fd = -1;
	enum fault fault = stage_open(store_fd, staged, STAGE_PRIVATE_MODE, &folder_fd, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT)
		return stage_storage(why, errno, "unlinkat", name);
	fd = fd_open_beneath(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	r = fd < 0 ? fd : fd_write_all(fd, data, size);
	if (r < 0)
		return stage_storage(why, r, "write", name);
	return fchmod(fd, STAGE_FILE_MODE) < 0 ? stage_storage(why, errno, "fchmod", name) : FAULT_NONE;
}

enum fault store_create(int store_fd, struct refusal *why)
{
	enum fault fault;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(store_folders); i++) {
		_cleanup_close_ int fd = -1;

		fault = stage_open(store_fd, store_folders[i].path, store_folders[i].mode, &fd, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	r = fd_remove_tree(store_fd, STAGE);
	if (r < 0)
		return stage_storage(why, r, "removal", STAGE);
	if (syncfs(store_fd) < 0)
		return stage_storage(why, errno, "syncfs", "the store");
	/* Last: a folder with a format is a whole store. */
	fault = put_durable(store_fd, "format", STORE_FORMAT, strlen(STORE_FORMAT), why);
	if (fault != FAULT_NONE)
		return fault;
	r = fd_remove_tree(store_fd, STAGE);
	return r < 0 ? stage_storage(why, r, "removal", STAGE) : FAULT_NONE;
}

/* DATASETS, or all that there are where it is NULL: then in *FOUND, which is to be freed. */
static enum fault choose_datasets(int store_fd, const struct store_names **datasets, struct store_names *found,
				  struct refusal *why)
{
	int r = *datasets == NULL ? store_list(store_fd, "datasets", found) : 0;

	if (r < 0)
		return stage_storage(why, r, "list", "datasets");
	if (*datasets == NULL)
		*datasets = found;
	return FAULT_NONE;
}

/* Calls EACH for every folder that may hold a stage, with its path; of datasets those of DATASETS. */
static enum fault each_stage(int store_fd, const struct store_names *datasets,
			     enum fault (*each)(int store_fd, const char *parent, struct refusal *why),
			     struct refusal *why)
{
	static const char *const fixed[] = {".", "mirror", "trust", "decisions", "generations"};
	_cleanup_(store_names_free) struct store_names found = {NULL, 0};
	enum fault fault = choose_datasets(store_fd, &datasets, &found, why);

	for (size_t i = 0; fault == FAULT_NONE && i < ARRAY_SIZE(fixed); i++)
		fault = each(store_fd, fixed[i], why);
	for (size_t i = 0; fault == FAULT_NONE && i < datasets->n_items; i++) {
		char path[STAGE_PATH_SIZE];

		if (stage_check_dataset(datasets->items[i], true, NULL) != FAULT_NONE)
			return refuse(why, FAULT_STORE_DAMAGED, "datasets/%s: no dataset's name", datasets->items[i]);
		snprintf(path, sizeof(path), "datasets/%s", datasets->items[i]);
		fault = each(store_fd, path, why);
	}
	return fault;
}

static enum fault sweep_one(int store_fd, const char *parent, struct refusal *why)
{
	_cleanup_close_ int fd = -1;
	char stage[STAGE_PATH_SIZE];
	struct stat st;
	enum fault fault;
	int r;

	/* Of a thousand datasets few have one. */
	snprintf(stage, sizeof(stage), "%s/" STAGE, parent);
	if (fstatat(store_fd, stage, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return FAULT_NONE;
	fd = fd_open_beneath(store_fd, parent, O_RDONLY | O_DIRECTORY, 0);
	if (fd >= 0 && strncmp(parent, "datasets/", strlen("datasets/")) == 0 &&
	    (fault = store_mend_finish(store_fd, parent, why)) != FAULT_NONE)
		return fault;
	r = fd < 0 ? fd : fd_remove_tree(fd, STAGE);
	return r < 0 ? stage_storage(why, r, "removal of " STAGE " in", parent) : FAULT_NONE;
}

enum fault store_sweep(int store_fd, const struct store_names *datasets, struct refusal *why)
{
	return each_stage(store_fd, datasets, sweep_one, why);
}

/* --- from the stage to its place -------------------------------------------------------------------------------------
 */

/* Moves all that is in FROM to TO. FLAGS are renameat2's. */
static enum fault move_all(int store_fd, const char *from, const char *to, mode_t mode, unsigned flags,
			   struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int from_fd = -1, to_fd = -1;
	enum fault fault;
	int r = store_list(store_fd, from, &names);

	if (r < 0)
		return stage_storage(why, r, "list", from);
	if (names.n_items == 0)
		return FAULT_NONE;
	fault = stage_open(store_fd, from, mode, &from_fd, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, to, mode, &to_fd, why);
	for (size_t i = 0; fault == FAULT_NONE && i < names.n_items; i++)
		if (renameat2(from_fd, names.items[i], to_fd, names.items[i], flags) < 0)
			fault = stage_storage(why, errno, "rename to", to);
	return fault;
}

/* A version is never seen without its description. */
static enum fault check_versions(int store_fd, const char *dataset, const char *folder, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	const char *description = strcmp(dataset, "status") == 0 ? "status.json" : "datapackage.json";
	int r = store_list(store_fd, folder, &names);

	if (r < 0)
		return stage_storage(why, r, "list", folder);
	for (size_t i = 0; i < names.n_items; i++) {
		char path[STAGE_PATH_SIZE * 2];
		bool has = false;
		enum fault fault;

		snprintf(path, sizeof(path), "%s/%s", folder, names.items[i]);
		fault = stage_has(store_fd, path, description, &has, why);
		if (fault != FAULT_NONE)
			return fault;
		if (!has)
			return refuse(why, FAULT_NO_SUCH, "dataset %s: version %s would lack its %s", dataset,
				      names.items[i], description);
	}
	return FAULT_NONE;
}

/* Objects and versions of one dataset, and its names in the mirror. */
static enum fault place_dataset(int store_fd, const char *dataset, struct refusal *why)
{
	char from[STAGE_PATH_SIZE], to[STAGE_PATH_SIZE];
	bool status = strcmp(dataset, "status") == 0;
	enum fault fault;

	fault = store_mend_place(store_fd, dataset, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(from, sizeof(from), "datasets/%s/" STAGE "/objects", dataset);
	snprintf(to, sizeof(to), "datasets/%s/objects", dataset);
	fault = move_all(store_fd, from, to, STAGE_FOLDER_MODE, RENAME_NOREPLACE, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(from, sizeof(from), "mirror/" STAGE "/targets/%s", dataset);
	snprintf(to, sizeof(to), "mirror/targets%s%s", status ? "" : "/", status ? "" : dataset);
	fault = move_all(store_fd, from, to, STAGE_PRIVATE_MODE, RENAME_NOREPLACE, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(from, sizeof(from), "datasets/%s/" STAGE "/v", dataset);
	snprintf(to, sizeof(to), "datasets/%s/v", dataset);
	fault = check_versions(store_fd, dataset, from, why);
	if (fault == FAULT_NONE)
		fault = move_all(store_fd, from, to, STAGE_FOLDER_MODE, RENAME_NOREPLACE, why);
	snprintf(from, sizeof(from), "datasets/%s/" STAGE "/rows", dataset);
	snprintf(to, sizeof(to), "datasets/%s/rows", dataset);
	return fault == FAULT_NONE ? move_all(store_fd, from, to, STAGE_FOLDER_MODE, 0, why) : fault;
}

/* A generation of that number may stand there: complete, never current, from a run that was cut between sync and
 * switch. The plan that is carried out now is the one that counts. */
static enum fault place_generations(int store_fd, struct refusal *why)
{
	static const char from[] = "generations/" STAGE;
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	int r = store_list(store_fd, from, &names);

	if (r < 0)
		return stage_storage(why, r, "list", from);
	for (size_t i = 0; i < names.n_items; i++) {
		uint64_t number;
		enum fault fault;

		if (!store_parse_generation(names.items[i], &number))
			return refuse(why, FAULT_STORE_DAMAGED, "%s/%s: no generation's number", from, names.items[i]);
		fault = store_delete_generation(store_fd, number, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return move_all(store_fd, from, "generations", STAGE_FOLDER_MODE, RENAME_NOREPLACE, why);
}

/* Histories of versions, staged a folder a dataset. What stands there is replaced. */
static enum fault place_histories(int store_fd, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names datasets = {NULL, 0};
	enum fault fault = FAULT_NONE;
	int r = store_list(store_fd, STAGE "/history", &datasets);

	if (r < 0)
		return stage_storage(why, r, "list", STAGE "/history");
	for (size_t i = 0; fault == FAULT_NONE && i < datasets.n_items; i++) {
		char from[STAGE_PATH_SIZE], to[STAGE_PATH_SIZE];

		snprintf(from, sizeof(from), STAGE "/history/%s", datasets.items[i]);
		snprintf(to, sizeof(to), "decisions/history/%s", datasets.items[i]);
		fault = move_all(store_fd, from, to, STAGE_PRIVATE_MODE, 0, why);
	}
	return fault;
}

/* Whoever reads the mirror sees a timestamp last: metadata come after what they name, and "timestamp.json" sorts last.
 */
static enum fault place_everything(int store_fd, const struct store_names *datasets, struct refusal *why)
{
	enum fault fault = move_all(store_fd, "mirror/" STAGE "/blobs", "mirror/blobs", STAGE_PRIVATE_MODE,
				    RENAME_NOREPLACE, why);

	for (size_t i = 0; fault == FAULT_NONE && i < datasets->n_items; i++)
		fault = place_dataset(store_fd, datasets->items[i], why);
	if (fault == FAULT_NONE)
		fault = place_histories(store_fd, why);
	if (fault == FAULT_NONE)
		fault = place_generations(store_fd, why);
	if (fault == FAULT_NONE)
		fault = move_all(store_fd, "mirror/" STAGE "/timestamps", "mirror/timestamps", STAGE_PRIVATE_MODE,
				 RENAME_NOREPLACE, why);
	if (fault == FAULT_NONE)
		fault = move_all(store_fd, "mirror/" STAGE "/metadata", "mirror/metadata", STAGE_PRIVATE_MODE, 0, why);
	if (fault == FAULT_NONE)
		fault = move_all(store_fd, "decisions/" STAGE "/verdicts", "decisions/verdicts", STAGE_PRIVATE_MODE, 0,
				 why);
	if (fault == FAULT_NONE)
		fault = move_all(store_fd, "trust/" STAGE, "trust", STAGE_PRIVATE_MODE, 0, why);
	return fault;
}

enum fault store_sync(int store_fd, const struct store_names *datasets, struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names found = {NULL, 0};
	enum fault fault;

	if (syncfs(store_fd) < 0)
		return stage_storage(why, errno, "syncfs", "the store");
	fault = choose_datasets(store_fd, &datasets, &found, why);
	if (fault == FAULT_NONE)
		fault = place_everything(store_fd, datasets, why);
	if (fault == FAULT_NONE)
		fault = store_sweep(store_fd, datasets, why);
	if (fault == FAULT_NONE && syncfs(store_fd) < 0)
		return stage_storage(why, errno, "syncfs", "the store");
	return fault;
}

/* --- documents and trust ---------------------------------------------------------------------------------------------
 */

/* A folder a dataset, as they stand. */
static enum fault stage_history(int store_fd, const struct record_document *document, const void *data, size_t size,
				struct refusal *why)
{
	char folder[STAGE_PATH_SIZE], version[STORE_VERSION_SIZE], name[STORE_VERSION_SIZE + 8];

	store_version_name(&document->version, version);
	snprintf(folder, sizeof(folder), STAGE "/history/%s", document->dataset);
	snprintf(name, sizeof(name), "%s.json", version);
	return put_staged(store_fd, folder, name, data, size, why);
}

enum fault store_put_document(int store_fd, const struct record_document *document, int fd, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	char path[STORE_PATH_SIZE];
	size_t size;
	int r = store_document_path((enum document)document->document, document->dataset, &document->version, path);

	if (r < 0)
		return refuse(why, FAULT_NO_SUCH, "document %u of \"%s\": none of ours", document->document,
			      document->dataset);
	if (document->document == DOCUMENT_PEOPLE || document->document == DOCUMENT_MEMORY)
		return refuse(why, FAULT_NO_SUCH, "%s: is inside-log's to write", path);
	/* The anchor is what a person brought once: nothing replaces it but the chain that starts from it. */
	if (document->document == DOCUMENT_ANCHOR && fd_exists(store_fd, path))
		return refuse(why, FAULT_STORE_DAMAGED, "%s: there is an anchor already", path);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return stage_storage(why, errno, "lseek of what is for", path);
	r = fd_load(fd, LIMIT_JSON_SIZE, &data, &size);
	if (r < 0)
		return stage_storage(why, r, "read of what is for", path);
	if (size != document->size)
		return refuse(why, FAULT_SPOOL, "%s: %zu bytes came, should be %" PRIu64, path, size, document->size);
	if (document->document == DOCUMENT_HISTORY)
		return stage_history(store_fd, document, data, size, why);
	if (document->document == DOCUMENT_VERDICT)
		return put_staged(store_fd, "decisions/" STAGE "/verdicts", strrchr(path, '/') + 1, data, size, why);
	return put_durable(store_fd, path, data, size, why);
}

/* Of "cog.json" that it is none of root, timestamp, snapshot and targets. */
static bool is_delegated(const char *name)
{
	char role[LIMIT_METADATA_NAME_SIZE];

	snprintf(role, sizeof(role), "%.*s", (int)strcspn(name, "."), name);
	return notation_is_name(role) || strcmp(role, "status") == 0;
}

enum fault store_put_trust(int store_fd, const struct record_put *put, bool *ret_staged, struct refusal *why)
{
	char from[STORE_PATH_SIZE], name[LIMIT_METADATA_NAME_SIZE], to[STORE_PATH_SIZE];
	_cleanup_close_ int fd = -1;
	_cleanup_free_ uint8_t *data = NULL;
	struct sha256 found;
	size_t size;
	int r;

	if (!record_metadata_name(put->file, name, sizeof(name)))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no metadata's name", put->file);
	snprintf(from, sizeof(from), "mirror/metadata/%s", put->file);
	snprintf(to, sizeof(to), "trust/%s", name);
	fd = fd_open_regular_beneath(store_fd, from, O_RDONLY);
	if (fd == -ENOENT || fd == -EINVAL || fd == -ELOOP)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: missing, or no regular file", from);
	/* Two links: a spool file that was linked and is still in the spool. */
	if (fd == -EMLINK)
		fd = fd_open_beneath(store_fd, from, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return stage_storage(why, fd, "open", from);
	r = fd_load(fd, LIMIT_TARGETS_SIZE, &data, &size);
	if (r < 0 && r != -EFBIG)
		return stage_storage(why, r, "read", from);
	if (r == 0)
		hash_bytes(data, size, &found);
	if (r < 0 || size != put->size || !sha256_equal(&found, &put->sha256))
		return refuse(why, FAULT_STORE_DAMAGED, "%s: its bytes are not those that were verified", from);
	*ret_staged = is_delegated(name);
	if (*ret_staged)
		return put_staged(store_fd, "trust/" STAGE, name, data, size, why);
	return put_durable(store_fd, to, data, size, why);
}

/* --- generations -----------------------------------------------------------------------------------------------------
 */

static enum fault load_current(int store_fd, uint64_t *ret_current, struct refusal *why)
{
	int r = store_current(store_fd, ret_current);

	if (r == -EUCLEAN)
		return refuse(why, FAULT_STORE_DAMAGED, "current: not a link to a generation");
	return r < 0 ? stage_storage(why, r, "readlinkat", "current") : FAULT_NONE;
}

static void generation_path(const char *top, uint64_t generation, char path[STAGE_PATH_SIZE])
{
	snprintf(path, STAGE_PATH_SIZE, "%s/%" PRIu64, top, generation);
}

enum fault store_begin_generation(int store_fd, uint64_t generation, int clapet_json_fd, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1, fd = -1;
	char path[STAGE_PATH_SIZE];
	uint64_t current = 0, size;
	enum fault fault = load_current(store_fd, &current, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	if (generation <= current)
		return refuse(why, FAULT_NO_SUCH,
			      "generation %" PRIu64 ": %" PRIu64 " is current, and numbers only grow", generation,
			      current);
	generation_path("generations/" STAGE, generation, path);
	fault = stage_open(store_fd, path, STAGE_FOLDER_MODE, &folder_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	fd = fd_open_beneath(folder_fd, "clapet.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return stage_storage(why, fd, "open of clapet.json in", path);
	r = lseek(clapet_json_fd, 0, SEEK_SET) < 0 ? -errno : fd_copy(clapet_json_fd, fd, LIMIT_JSON_SIZE, &size);
	if (r < 0)
		return stage_storage(why, r, "write of clapet.json in", path);
	if (fchmod(fd, STAGE_FILE_MODE) < 0)
		return stage_storage(why, errno, "fchmod of clapet.json in", path);
	return FAULT_NONE;
}

/* The link to the version's SQLite file, where there is one, for readers with a mounted store. */
static enum fault add_rows_link(int store_fd, int generation_fd, const char *dataset, const char *version,
				struct refusal *why)
{
	char name[STORE_ROWS_SIZE], path[STAGE_PATH_SIZE], text[STORE_PATH_SIZE];
	bool stands = false;
	enum fault fault;

	snprintf(name, sizeof(name), "%s" STORE_ROWS_SUFFIX, version);
	snprintf(path, sizeof(path), "datasets/%s/" STAGE "/rows", dataset);
	fault = stage_has(store_fd, path, name, &stands, why);
	if (fault == FAULT_NONE && !stands) {
		snprintf(path, sizeof(path), "datasets/%s/rows", dataset);
		fault = stage_has(store_fd, path, name, &stands, why);
	}
	if (fault != FAULT_NONE || !stands)
		return fault;
	snprintf(path, sizeof(path), "%s" STORE_ROWS_SUFFIX, dataset);
	snprintf(text, sizeof(text), "../../datasets/%s/rows/%s", dataset, name);
	return symlinkat(text, generation_fd, path) < 0 ? stage_storage(why, errno, "symlinkat", path) : FAULT_NONE;
}

enum fault store_generation_add(int store_fd, uint64_t generation, const char *dataset, const struct sha256 *version,
				struct refusal *why)
{
	char name[STORE_VERSION_SIZE], path[STAGE_PATH_SIZE], text[STORE_PATH_SIZE];
	_cleanup_close_ int fd = -1;
	bool stands = false;
	enum fault fault = stage_check_dataset(dataset, false, why);

	if (fault != FAULT_NONE)
		return fault;
	store_version_name(version, name);
	snprintf(path, sizeof(path), "datasets/%s/" STAGE "/v", dataset);
	fault = stage_has(store_fd, path, name, &stands, why);
	if (fault == FAULT_NONE && !stands) {
		snprintf(path, sizeof(path), "datasets/%s/v", dataset);
		fault = stage_has(store_fd, path, name, &stands, why);
	}
	if (fault == FAULT_NONE && !stands)
		return refuse(why, FAULT_NO_SUCH, "generation %" PRIu64 ": dataset %s has no version %s", generation,
			      dataset, name);
	generation_path("generations/" STAGE, generation, path);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, path, STAGE_FOLDER_MODE, &fd, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(text, sizeof(text), "../../datasets/%s/v/%s", dataset, name);
	if (symlinkat(text, fd, dataset) < 0)
		return stage_storage(why, errno, "symlinkat", path);
	return add_rows_link(store_fd, fd, dataset, name, why);
}

static int version_stands(void *ctx, const char *dataset, const char *version)
{
	return store_has_version(*(int *)ctx, dataset, version) ? 0 : -EUCLEAN;
}

/* What `current` is about to show must be there, whole, whatever the records said. */
static enum fault check_generation(int store_fd, uint64_t generation, struct refusal *why)
{
	char path[STAGE_PATH_SIZE];
	bool described = false;
	enum fault fault;
	int r;

	generation_path("generations", generation, path);
	fault = stage_has(store_fd, path, "clapet.json", &described, why);
	if (fault == FAULT_NONE && !described)
		return refuse(why, FAULT_NO_SUCH, "%s: not there, or without its clapet.json", path);
	if (fault != FAULT_NONE)
		return fault;
	r = store_generation_each(store_fd, generation, version_stands, &store_fd);
	if (r == -EUCLEAN)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: a link that leads to no version", path);
	return r < 0 ? stage_storage(why, r, "check", path) : FAULT_NONE;
}

enum fault store_switch(int store_fd, uint64_t generation, struct refusal *why)
{
	_cleanup_close_ int stage_fd = -1;
	char text[STAGE_PATH_SIZE];
	uint64_t current = 0;
	enum fault fault = load_current(store_fd, &current, why);

	if (fault != FAULT_NONE || generation == current)
		return fault;
	if (generation < current)
		return refuse(why, FAULT_NO_SUCH,
			      "generation %" PRIu64 ": %" PRIu64 " is current, and numbers only grow", generation,
			      current);
	fault = check_generation(store_fd, generation, why);
	if (fault == FAULT_NONE)
		fault = stage_open(store_fd, STAGE, STAGE_PRIVATE_MODE, &stage_fd, why);
	if (fault != FAULT_NONE)
		return fault;
	generation_path("generations", generation, text);
	if (symlinkat(text, stage_fd, "current") < 0)
		return stage_storage(why, errno, "symlinkat", "current");
	fault = stage_fsync(stage_fd, STAGE, why);
	if (fault != FAULT_NONE)
		return fault;
	if (renameat(stage_fd, "current", store_fd, "current") < 0)
		return stage_storage(why, errno, "renameat", "current");
	return stage_fsync(store_fd, "the store's folder", why);
}
