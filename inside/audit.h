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

/* --json. */
bool audit_wants_json(void);

/* Loads --root; a usage error without it. */
void audit_load_root(uint8_t **ret_data, size_t *ret_size);

/* A moment that a person typed: "2026-03-01T12:00:00Z", or a date alone, which is its beginning or its end (UTC). Another
 * form is a usage error that names WHAT ("--at"). */
int64_t audit_demand_moment(const char *what, const char *text, bool is_end);

/* --at: true, and the moment, where it was given. */
bool audit_has_moment(int64_t *ret_at);

/* SANDBOX_TOOL over FOLDERS. */
void audit_enter_sandbox(const struct sandbox_folder *folders, size_t n_folders);

int audit_run_bundle(int argc, char **argv);

#endif
