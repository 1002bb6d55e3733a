/* SPDX-License-Identifier: ISC
 *
 * store: how objects, versions, links, generations and the switch are kept on disk. The reading half serves the
 * supervisor and the auditor; the writing half is called by inside-commit alone.
 *
 *     format                                            "clapet store 1\n"
 *     status.json
 *     trust/root.json timestamp.json snapshot.json targets.json <role>.json      the TUF client's state
 *     mirror/metadata/  mirror/targets/<dataset>/<sha256>.<file>  mirror/blobs/<sha256>
 *     datasets/<name>/objects/<sha256>
 *     datasets/<name>/v/<16 hex of version>/<file>      hard links into objects
 *     generations/<n>/<name> -> ../../datasets/<name>/v/<16 hex>      generations/<n>/clapet.json
 *     current -> generations/<n>
 *     decisions/waivers.json pins.json sources.json verdicts/<name>-<16 hex>.json
 *     quarantine/<name>-<16 hex>/report.json   log/
 */
#ifndef INSIDE_STORE_H
#define INSIDE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
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
int store_generation_version(int store_fd, uint64_t generation, const char *dataset, char ret_version[STORE_VERSION_SIZE]);
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
int store_open_version_file(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE], const char *file);
/* A document of ours (waivers, pins, verdicts, status, a generation's clapet.json is store_load_generation); -ENOENT where there is none. */
int store_load_document(int store_fd, enum document document, const char *dataset, const struct sha256 *version,
			size_t limit, uint8_t **ret_data, size_t *ret_size);
int store_load_generation(int store_fd, uint64_t generation, uint8_t **ret_data, size_t *ret_size);

/* --- writing: inside-commit only. 0 or a negative errno; nothing half done is visible after any of them --- */

/* The folders and the format file of a new store beneath an empty folder. */
int store_create(int store_fd);
int store_put_metadata(int store_fd, int spool_fd, const struct record_put *put);
int store_put_blob(int store_fd, int spool_fd, const struct record_put *put);
int store_put_object(int store_fd, int spool_fd, const struct record_put *put);
/* Collects the version's links in a temporary folder; store_finish_versions renames each to its place once all are in. */
int store_put_link(int store_fd, const struct record_put *put);
int store_finish_versions(int store_fd);
int store_put_document(int store_fd, const struct record_document *document, int fd);
int store_sync(int store_fd);
int store_put_trust(int store_fd, const struct record_put *put);
int store_begin_generation(int store_fd, uint64_t generation, int clapet_json_fd);
int store_generation_add(int store_fd, uint64_t generation, const char *dataset, const struct sha256 *version);
int store_switch(int store_fd, uint64_t generation);
int store_delete_generation(int store_fd, uint64_t generation);
int store_delete_version(int store_fd, const char *dataset, const struct sha256 *version);
int store_delete_blob(int store_fd, const struct sha256 *sha256);

#endif
