/* SPDX-License-Identifier: ISC
 *
 * console_read: what the pages show, read from the store and the contracts' folder: bounded, nothing is written, and what cannot be read is left
 * out (a page says that it is unknown), never a reason to fail.
 */
#ifndef INSIDE_CONSOLE_READ_H
#define INSIDE_CONSOLE_READ_H

#include "inside/console_pages.h"

/* status.json; NULL where there is none yet, or it cannot be read (logged). New reference. */
json_t *console_load_status(int store_fd);
/* Its entry of DATASET; borrowed; NULL. */
const json_t *console_status_entry(const json_t *status, const char *dataset);
/* How link and trust stand, of status.json (may be NULL). */
void console_judge(const json_t *status, int64_t heartbeat, int64_t clock_skew, int64_t now,
		   struct console_health *ret_health);
/* Whether a dataset's entry is past its maxAge at NOW. */
bool console_is_stale(const json_t *entry, int64_t now);

/* The versions of DATASET that history knows, newest first, at most CONSOLE_VERSIONS_SHOWN (of more, those whose documents were written last).
 * IN_FORCE: its version now; "". */
struct console_versions {
	struct console_version *items;
	size_t n_items;
	bool is_cut;
};
void console_load_versions(int store_fd, const char *dataset, const char *in_force,
			   struct console_versions *ret_versions);
void console_versions_clear(struct console_versions *versions);
/* The one that was in force before IN_FORCE; NULL. */
const struct console_version *console_version_before(const struct console_versions *versions);

/* The contracts in the folder PATH that read DATASET. False where the folder cannot be read. */
struct console_readers {
	struct console_reader *items;
	size_t n_items;
	json_t *contracts; /* what the texts are borrowed from */
};
bool console_load_readers(const char *path, const char *dataset, struct console_readers *ret_readers);
void console_readers_clear(struct console_readers *readers);

/* What clapet-receive wrote last beneath PATH, its folder; NULL. It hears what is hostile, so that this is, too. New reference. */
#define CONSOLE_RECEIVER_FOLDER ".link"
json_t *console_load_receiver(const char *path);

/* The report of a version that was held back or refused (its 16 digits); NULL. New reference. */
json_t *console_load_report(int store_fd, const char *dataset, const char *version);

/* A page of the audit log: the newest CONSOLE_LOG_ROWS entries below BEFORE (0: all) that fit the filters, of at most CONSOLE_LOG_LOOKED
 * that are looked through. The checkpoint's signature is verified under the key that the folder names, and each entry against the tree. Fills
 * what struct console_log says; ENTRIES are owned. */
#define CONSOLE_LOG_LOOKED 5000
void console_load_log(int store_fd, uint64_t before, const char *chapter, const char *dataset,
		      struct console_log *ret_log, json_t **ret_people);
void console_log_clear(struct console_log *log);

#endif
