/* SPDX-License-Identifier: ISC
 *
 * inside-commit: the only process that writes the store. Parses nothing: it reads records of one size, and bytes whose
 * hash a record names. It refuses an order of steps that a power cut could turn into half a store.
 *
 *     RECORD_FOLDER store, RECORD_FOLDER spool (may be left out), operations…, RECORD_GO -> RECORD_END
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/hash.h"
#include "inside/records.h"
#include "inside/store.h"

struct commit {
	int store_fd;
	int spool_fd;
	bool is_dirty;             /* something is staged */
	bool was_synced;           /* at least once: what an earlier run left may not be durable either */
	bool has_roles;            /* of datasets, staged for trust/ */
	struct store_names staged; /* datasets, by what was put since the last sync */
	struct store_kept kept;
};

/* The folders come before the sandbox, which is built from them: two records of a fixed form, and nothing of the
 * data's. *RET_NEXT is the first record that is no folder. */
static void receive_folders(int sock, struct commit *commit, struct record *ret_next, int *ret_fd)
{
	for (;;) {
		int *target;

		record_receive(sock, ret_next, ret_fd);
		if (ret_next->kind != RECORD_FOLDER)
			break;
		target = ret_next->folder.folder == FOLDER_STORE ? &commit->store_fd : &commit->spool_fd;
		if (*ret_fd < 0 || *target >= 0 ||
		    (ret_next->folder.folder != FOLDER_STORE && ret_next->folder.folder != FOLDER_SPOOL))
			die("protocol: a folder that is not the store's or the spool's, or twice");
		*target = *ret_fd;
	}
	if (commit->store_fd < 0)
		die("protocol: no store");
}

/* A new store is made by its writer, so that it is the writer's. */
static enum fault begin(int store_fd, struct refusal *why)
{
	if (!fd_exists(store_fd, "format")) {
		if (!store_is_empty(store_fd))
			return refuse(why, FAULT_STORE_FORMAT,
				      "the store's folder has no file `format` and is not empty");
		return store_create(store_fd, why);
	}
	return store_sweep(store_fd, NULL, why);
}

/* The top roles before those of datasets: the order of the workflow. */
static enum fault put_trust(struct commit *commit, const struct record_put *put, struct refusal *why)
{
	bool is_staged = false;
	enum fault fault = store_put_trust(commit->store_fd, put, &is_staged, why);

	if (fault == FAULT_NONE && commit->has_roles && !is_staged)
		die("protocol: a top role after a dataset's");
	commit->has_roles = commit->has_roles || is_staged;
	return fault;
}

/* What a person or a reader can see changes only when all that it stands on is durable. */
static void insist_synced(const struct commit *commit, const char *what)
{
	if (commit->is_dirty || !commit->was_synced)
		die("protocol: %s without a sync after the last put", what);
}

static void insist_clean(const struct commit *commit)
{
	if (commit->is_dirty || commit->has_roles)
		die("protocol: a deletion between a put and its sync");
}

static void insist_fd(int fd, bool wanted)
{
	if ((fd >= 0) != wanted)
		die("protocol: a record %s", wanted ? "lacks its descriptor" : "with a descriptor that is not its");
}

/* Orders come a dataset after the other, so the last one is enough to look at. */
static void note_dataset(struct commit *commit, const char *dataset)
{
	struct store_names *staged = &commit->staged;

	if (staged->n_items > 0 && strcmp(staged->items[staged->n_items - 1], dataset) == 0)
		return;
	staged->items = xrealloc(staged->items, staged->n_items + 1, sizeof(*staged->items));
	staged->items[staged->n_items++] = xstrdup(dataset);
}

/* Documents that a sync brings to their place. */
static bool is_staged(enum document document)
{
	return document == DOCUMENT_VERDICT || document == DOCUMENT_HISTORY;
}

/* Operations on files of the spool and links between objects: staged. */
static enum fault put(struct commit *commit, const struct record *record, struct refusal *why)
{
	commit->is_dirty = true;
	if (record->kind != RECORD_PUT_LINK && commit->spool_fd < 0)
		die("protocol: a put without a spool");
	switch ((enum record_kind)record->kind) {
	case RECORD_PUT_METADATA:
		return store_put_metadata(commit->store_fd, commit->spool_fd, &record->put, why);
	case RECORD_PUT_BLOB:
		return store_put_blob(commit->store_fd, commit->spool_fd, &record->put, why);
	case RECORD_PUT_OBJECT:
		note_dataset(commit, record->put.dataset);
		return store_put_object(commit->store_fd, commit->spool_fd, &record->put, why);
	case RECORD_PUT_ROWS:
		note_dataset(commit, record->put.dataset);
		return store_put_rows(commit->store_fd, commit->spool_fd, &record->put, why);
	default:
		note_dataset(commit, record->put.dataset);
		return store_put_link(commit->store_fd, &record->put, why);
	}
}

static enum fault sync_store(struct commit *commit, struct refusal *why)
{
	enum fault fault = store_sync(commit->store_fd, &commit->staged, why);

	store_names_free(&commit->staged);
	if (fault == FAULT_NONE) {
		commit->is_dirty = commit->has_roles = false;
		commit->was_synced = true;
	}
	return fault;
}

static enum fault make_generation(struct commit *commit, const struct record *record, int fd, struct refusal *why)
{
	/* One generation at a time: the dataset records belong to the last one begun. */
	commit->is_dirty = true;
	return store_begin_generation(commit->store_fd, record->generation.number, fd, why);
}

static void keep_object(struct commit *commit, const struct record_put *put)
{
	struct store_kept *kept = &commit->kept;

	if (kept->n_items == (size_t)LIMIT_ROLES * LIMIT_TARGETS_PER_ROLE)
		die("protocol: more objects to keep than there can be bases");
	kept->items = xrealloc(kept->items, kept->n_items + 1, sizeof(*kept->items));
	memcpy(kept->items[kept->n_items].dataset, put->dataset, sizeof(put->dataset));
	kept->items[kept->n_items++].sha256 = put->sha256;
}

/* Does one operation. GENERATION is the one that was begun last, 0 if none. */
static enum fault operate(struct commit *commit, const struct record *record, int fd, uint64_t *generation,
			  struct refusal *why)
{
	insist_fd(fd, record->kind == RECORD_PUT_DOCUMENT || record->kind == RECORD_GENERATION);
	switch ((enum record_kind)record->kind) {
	case RECORD_PUT_METADATA:
	case RECORD_PUT_BLOB:
	case RECORD_PUT_OBJECT:
	case RECORD_PUT_ROWS:
	case RECORD_PUT_LINK:
		return put(commit, record, why);
	case RECORD_PUT_DOCUMENT:
		commit->is_dirty = commit->is_dirty || is_staged((enum document)record->document.document);
		return store_put_document(commit->store_fd, &record->document, fd, why);
	case RECORD_SYNC:
		return sync_store(commit, why);
	case RECORD_PUT_TRUST:
		insist_synced(commit, "trust");
		return put_trust(commit, &record->put, why);
	case RECORD_GENERATION:
		*generation = record->generation.number;
		return make_generation(commit, record, fd, why);
	case RECORD_GENERATION_DATASET:
		if (*generation == 0 || !commit->is_dirty)
			die("protocol: a dataset without a generation that is being made");
		return store_generation_add(commit->store_fd, *generation, record->version.dataset,
					    &record->version.version, why);
	case RECORD_SWITCH:
		insist_synced(commit, "a switch");
		if (commit->has_roles)
			die("protocol: a switch before the roles that it follows are durable");
		return store_switch(commit->store_fd, record->generation.number, why);
	case RECORD_DELETE_GENERATION:
		insist_clean(commit);
		return store_delete_generation(commit->store_fd, record->generation.number, why);
	case RECORD_DELETE_VERSION:
	case RECORD_DELETE_PLAIN:
		insist_clean(commit);
		return store_delete_version(commit->store_fd, record->version.dataset, &record->version.version,
					    &commit->kept, record->kind == RECORD_DELETE_PLAIN, why);
	case RECORD_DELETE_HISTORY:
		insist_clean(commit);
		return store_delete_history(commit->store_fd, record->version.dataset, &record->version.version, why);
	case RECORD_KEEP_OBJECT:
		keep_object(commit, &record->put);
		return FAULT_NONE;
	case RECORD_DELETE_BLOB:
		insist_clean(commit);
		return store_delete_blob(commit->store_fd, &record->put.sha256, why);
	default:
		die("protocol: a record (kind %u) that is not for commit", record->kind);
	}
}

/* All operations up to RECORD_GO. After a fault the rest is read and left undone: the store may be full or broken, and
 * the next commit starts with a sweep. */
static enum fault work(int sock, struct commit *commit, struct record *record, int fd, struct refusal *why)
{
	enum fault fault = begin(commit->store_fd, why);
	uint64_t generation = 0;

	while (record->kind != RECORD_GO) {
		_cleanup_close_ int record_fd = fd;

		if (fault == FAULT_NONE)
			fault = operate(commit, record, record_fd, &generation, why);
		record_receive(sock, record, &fd);
	}
	insist_fd(fd, false);
	if (fault == FAULT_NONE && (commit->is_dirty || commit->has_roles))
		fault = sync_store(commit, why);
	return fault == FAULT_NONE ? store_sweep(commit->store_fd, &commit->staged, why) : fault;
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-commit"), fd = -1;
	struct commit commit = {.store_fd = -1, .spool_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	struct sandbox_folder folders[2];
	struct record record, end;

	hash_init();
	umask(0);
	receive_folders(sock, &commit, &record, &fd);
	folders[0] = (struct sandbox_folder){commit.store_fd, SANDBOX_WRITE};
	/* Write: a hard link from the spool takes Landlock's right to refer, and fchmod makes what was linked
	 * read-only. */
	folders[1] = (struct sandbox_folder){commit.spool_fd, SANDBOX_WRITE};
	sandbox_enter(SANDBOX_INSIDE_COMMIT, folders, commit.spool_fd < 0 ? 1 : 2);

	work(sock, &commit, &record, fd, &why);
	end = record_end(&why);
	record_send(sock, &end, -1);
	free(commit.kept.items);
	store_names_free(&commit.staged);
	return 0;
}
