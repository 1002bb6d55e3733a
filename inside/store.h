/* SPDX-License-Identifier: ISC
 *
 * store: how objects, versions, links, generations and the switch are kept on disk. The reading half serves the
 * supervisor and the auditor; the writing half is called by inside-commit alone.
 *
 *     format                                            "clapet store 1\n"
 *     status.json
 *     trust/root.json timestamp.json snapshot.json targets.json <role>.json      the TUF client's state
 *     mirror/metadata/  mirror/targets/<dataset>/<sha256>.<file>  mirror/blobs/<sha256>
 *     mirror/timestamps/<sha256>                        every timestamp that was accepted: what an auditor judges a past day by
 *     datasets/<name>/objects/<sha256>
 *     datasets/<name>/v/<16 hex of version>/<file>      hard links into objects
 *     datasets/<name>/rows/<16 hex of version>.sqlite   its tables (FORMAT.md 33), where the configuration wants them; can be made again
 *     generations/<n>/<name> -> ../../datasets/<name>/v/<16 hex>      generations/<n>/clapet.json
 *     generations/<n>/<name>.sqlite -> ../../datasets/<name>/rows/<16 hex>.sqlite      where it was there in time
 *     current -> generations/<n>
 *     decisions/waivers.json pins.json keys.json sources.json history.json verdicts/<name>-<16 hex>.json
 *     decisions/history/<name>/<16 hex>.json            what each version is made of, and when it was in force
 *     quarantine/<name>-<16 hex>/report.json   log/
 *
 * All of it is the writer's, files 0440, folders 0750 for the readers' group; trust, mirror, decisions, quarantine and log are closed to
 * readers: 0700, or 0750 for the supervisor's group where these folders stood so before store_create. log is the log's.
 *
 * Beside these there is only what an unfinished commit left: `.tmp` here, in mirror/, generations/ and each dataset's
 * folder. What is put is staged there under its final path, and comes to its place at a sync: first syncfs, then the
 * renames, then syncfs again. So nothing under a final name lacks its bytes, whenever the power goes. The next commit
 * removes every `.tmp`.
 */
#ifndef INSIDE_STORE_H
#define INSIDE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/limits.h"
#include "inside/records.h"

#define STORE_FORMAT "clapet store 1\n"
/* The first 16 hex digits of a version, and a NUL: its name in paths. */
#define STORE_VERSION_SIZE 17

/* --- reading: never writes, follows no link but `current` and a generation's. Results are 0 or a negative errno --- */

/* Opens the store's folder and checks its format (-EPROTONOSUPPORT for another, with the one found in WHY). */
enum fault store_open(const char *path, int *ret_store_fd, struct refusal *why);

void store_version_name(const struct sha256 *version, char name[STORE_VERSION_SIZE]);

/* The generation that `current` names; 0 where there is none yet. */
int store_current(int store_fd, uint64_t *ret_generation);
/* The version of DATASET in generation N: its 16 hex digits; -ENOENT where it is not in it. */
int store_generation_version(int store_fd, uint64_t generation, const char *dataset,
			     char ret_version[STORE_VERSION_SIZE]);
/* Calls EACH for every dataset of generation N, sorted by name; stops at the first non-zero result and returns it. */
int store_generation_each(int store_fd, uint64_t generation,
			  int (*each)(void *ctx, const char *dataset, const char *version), void *ctx);
/* All generations on disk, ascending, in a new array. */
int store_generations(int store_fd, uint64_t **ret_generations, size_t *ret_n);
/* Whether the version is whole in datasets/<name>/v/ (its folder exists: it appears by one rename). */
bool store_has_version(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE]);
bool store_has_object(int store_fd, const char *dataset, const struct sha256 *sha256);
bool store_has_blob(int store_fd, const struct sha256 *sha256);
/* Open for reading; a descriptor or a negative errno. */
int store_open_object(int store_fd, const char *dataset, const struct sha256 *sha256);
int store_open_blob(int store_fd, const struct sha256 *sha256);
int store_open_version_file(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE],
			    const char *file);
/* The SQLite file of a version; -ENOENT where there is none. */
int store_open_rows(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE]);
bool store_has_rows(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE]);
/* "0123456789abcdef.sqlite", of a version's 16 digits; false where NAME is no such name. */
#define STORE_ROWS_SUFFIX ".sqlite"
#define STORE_ROWS_SIZE (STORE_VERSION_SIZE + sizeof(STORE_ROWS_SUFFIX) - 1)
bool store_parse_rows(const char *name, char ret_version[STORE_VERSION_SIZE]);
/* A document of ours (waivers, pins, verdicts, status, a generation's clapet.json is store_load_generation); -ENOENT
 * where there is none. */
int store_load_document(int store_fd, enum document document, const char *dataset, const struct sha256 *version,
			size_t limit, uint8_t **ret_data, size_t *ret_size);
int store_load_generation(int store_fd, uint64_t generation, uint8_t **ret_data, size_t *ret_size);

/* The path of a document beneath the store, for readers, the writer and the auditor. -EINVAL for an unknown one. */
#define STORE_PATH_SIZE 256
int store_document_path(enum document document, const char *dataset, const struct sha256 *version,
			char path[STORE_PATH_SIZE]);
/* Whether TEXT is what a generation's link to DATASET says; its version in RET_VERSION (may be NULL). */
bool store_parse_link(const char *text, const char *dataset, char ret_version[STORE_VERSION_SIZE]);
/* Whether NAME is a generation's: decimal, from 1, no leading zero. */
bool store_parse_generation(const char *name, uint64_t *ret_generation);
/* Names in a folder beneath the store, sorted, without "." and ".."; a missing folder is an empty one. Freed with
 * store_names_free. */
struct store_names {
	char **items;
	size_t n_items;
};
int store_list(int store_fd, const char *path, struct store_names *ret_names);
void store_names_free(struct store_names *names);

/* --- writing: inside-commit only (store_create: and tests). FAULT_STORAGE with the call and the place in words;
 * FAULT_STORE_DAMAGED where the store is not what it should be; FAULT_SPOOL where a spool file is not what was planned;
 * FAULT_NO_SUCH where an order names what is not there. After a fault nothing more may be written but by a new commit
 * --- */

/* The folders and the format file of a new store beneath an empty folder (log/ may be there). Completes what an
 * interrupted one left. */
enum fault store_create(int store_fd, struct refusal *why);
/* Whether the folder holds nothing but what store_create may find. */
bool store_is_empty(int store_fd);

/* Removes what an unfinished commit left. First of all, then with DATASETS NULL: of every dataset; later of those that it staged something
 * of is enough. */
enum fault store_sweep(int store_fd, const struct store_names *datasets, struct refusal *why);

/* From a spool file, named by its hash: a regular file with one link, hashed again here; linked into the store where it
 * is ours, copied otherwise. What is there already is verified instead. Staged until store_sync. An object that is there and is damaged gives way to the
 * spool's, with every link to it: in versions, in the mirror (store_mend.h); where the spool has none it is FAULT_STORE_DAMAGED. */
enum fault store_put_metadata(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why);
enum fault store_put_blob(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why);
enum fault store_put_object(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why);
/* The SQLite file of a version. One that stands there is replaced at the sync. */
enum fault store_put_rows(int store_fd, int spool_fd, const struct record_put *put, struct refusal *why);
/* Collects the version's links in a temporary folder, which the sync renames to its place as one. */
enum fault store_put_link(int store_fd, const struct record_put *put, struct refusal *why);
/* Collects generation N in a temporary folder; N must be above the current one. A generation of that number that was
 * never current is replaced. */
enum fault store_begin_generation(int store_fd, uint64_t generation, int clapet_json_fd, struct refusal *why);
enum fault store_generation_add(int store_fd, uint64_t generation, const char *dataset, const struct sha256 *version,
				struct refusal *why);
/* Makes all that is staged durable, and only then visible under its final names, and that durable too. DATASETS: those of which something is
 * staged; NULL: any. */
enum fault store_sync(int store_fd, const struct store_names *datasets, struct refusal *why);

/* Durable when it returns; but for verdicts and histories, of which there may be thousands: these are staged until store_sync. */
enum fault store_put_document(int store_fd, const struct record_document *document, int fd, struct refusal *why);
/* The top roles are durable when it returns. For those of datasets, which come after them and in no order (TUF 1.0.34, 5.6.7), *RET_STAGED is
 * true: staged until store_sync. */
enum fault store_put_trust(int store_fd, const struct record_put *put, bool *ret_staged, struct refusal *why);
/* Insists that every link of the generation leads to a version. A switch to the current one does nothing. */
enum fault store_switch(int store_fd, uint64_t generation, struct refusal *why);

/* Objects that deletions leave though no version links them: the bases of patches. */
struct store_kept {
	struct kept_object {
		char dataset[NOTATION_NAME_SIZE];
		struct sha256 sha256;
	} * items;
	size_t n_items;
};

/* Never the current generation; never a version that a generation links. What is gone already is no fault. Whether
 * readers still hold a generation is the supervisor's question. With a version go the objects that no version links any
 * more (and their names in the mirror) unless they are KEPT (NULL: none is), its report, and, unless it is REMEMBERED, its verdict. */
enum fault store_delete_generation(int store_fd, uint64_t generation, struct refusal *why);
enum fault store_delete_version(int store_fd, const char *dataset, const struct sha256 *version,
				const struct store_kept *kept, bool remembered, struct refusal *why);
/* The document of a version's history. */
enum fault store_delete_history(int store_fd, const char *dataset, const struct sha256 *version, struct refusal *why);
enum fault store_delete_blob(int store_fd, const struct sha256 *sha256, struct refusal *why);

#endif
