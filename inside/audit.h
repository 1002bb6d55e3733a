/* SPDX-License-Identifier: ISC
 *
 * audit: what the commands of clapet-audit share: options, the root that the auditor brought, moments in time.
 */
#ifndef INSIDE_AUDIT_H
#define INSIDE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sandbox.h"
#include "inside/audit_trail.h"

/* --json. */
bool audit_wants_json(void);

/* Loads --root; a usage error without it. */
void audit_load_root(uint8_t **ret_data, size_t *ret_size);

/* --at: true, and the moment, where it was given. */
bool audit_has_moment(int64_t *ret_at);

/* SANDBOX_TOOL over FOLDERS. */
void audit_enter_sandbox(const struct sandbox_folder *folders, size_t n_folders);

/* --key and --key-file: read before the sandbox, parsed within it. A usage error where there is none. */
struct audit_keys {
	char *texts[TRAIL_KEYS_MAX];
	size_t n_texts;
};
void audit_load_keys(struct audit_keys *ret_keys);
bool audit_has_keys(void);
/* Frees them. A key out of form ends the program: nothing can be judged by it. */
void audit_parse_keys(struct audit_keys *keys, struct trail_keys *ret_keys);

/* --from and --to; all times where they were not given. */
void audit_demand_range(int64_t *ret_from, int64_t *ret_to);
bool audit_has_range(void);

/* --since: the older checkpoint's bytes; NULL where it was not given. */
bool audit_has_since(void);
uint8_t *audit_load_since(size_t *ret_size);

/* --entry, --proof, --output; NULL and false where they were not given. */
const char *audit_entry(void);
bool audit_wants_proof(void);
const char *audit_output(void);
/* --base: the file that a patch is decoded with; NULL. */
const char *audit_base(void);
/* --log: where the log is, if it is not the store's own; NULL. */
const char *audit_log_folder(void);

/* Each fault and each note as a JSON object on a line of its own. */
void audit_print_findings(const struct findings *findings);

int audit_run_bundle(int argc, char **argv);
int audit_run_log(int argc, char **argv);
int audit_run_compare(int argc, char **argv);
int audit_run_report(int argc, char **argv);
int audit_run_decode(int argc, char **argv);
int audit_run_blob(int argc, char **argv);

#endif
