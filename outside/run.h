/* SPDX-License-Identifier: ISC
 *
 * run: one run over all datasets: what there is, what is remembered of each, and the end that every run has in common: sign,
 * bundle, remember.
 */
#ifndef OUTSIDE_RUN_H
#define OUTSIDE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "bundle/notation.h"
#include "outside/agent.h"
#include "outside/publish.h"
#include "outside/recovery.h"
#include "outside/source.h"
#include "outside/state.h"
#include "outside/waiting.h"

/* One dataset: a folder of sources/, something remembered in state/, or both. */
struct run_dataset {
	char name[NOTATION_NAME_SIZE];
	bool has_folder;
	struct source *source;  /* NULL: no folder, or REFUSAL */
	struct refusal refusal; /* why the folder cannot be read as a source */
	struct source_state *state;
	bool was_run, is_new; /* by sync */
};

struct run {
	struct agent agent;
	struct run_dataset *datasets; /* sorted by name */
	struct source_state **states; /* of the same datasets, in the same order; borrowed */
	size_t n_datasets;
	struct agent_state *agent_state;
	struct waiting waiting;                         /* as of the last signature run */
	struct recovery recovery;                       /* what this outside must go above */
	const struct outside_cosignature *cosignatures; /* for the next signature run; borrowed */
	size_t n_cosignatures;
	struct publish_bundle *bundles; /* owned: what run_publish made */
	size_t n_bundles;
	int exit_status; /* the worst so far */
};

/* Opens the agent and loads everything. A folder whose name is no dataset's is said to be so (log) and left out. */
enum fault run_open(const struct config *config, bool lock, struct run *ret_run, struct refusal *why);
void run_close(struct run *run);

struct run_dataset *run_find(const struct run *run, const char *name);

/* Attests and signs what is pending and a new status.json, writes the bundles, and remembers each step durably. A version that waits for a
 * person stays pending; it is said (log) and counts in exit_status, and all else is published. FAULT_RECOVER_SYNC where a
 * recovery would bring old data in force. */
enum fault run_publish(struct run *run, struct refusal *why);
/* Its last step (run_bundles.c): what was not sent yet, or keyframes once more, as one bundle, or several where that passes what the
 * configuration lets one hold. */
enum fault run_bundle(struct run *run, const struct publish_signed *signed_, struct refusal *why);
/* What a run that sent nothing still has to say to the audit log; trouble counts in exit_status. */
void run_end(struct run *run);
/* "bundle …/0000000042-….tar: 245 KB, 6 metadata, 4 blobs". */
void run_print_bundle(const struct run *run, const struct publish_bundle *bundle);
/* One line for each that run_publish made. */
void run_print_bundles(const struct run *run);

/* The commands; each returns the exit status. */
int sync_run(const struct config *config, int n_names, char **names, bool force, bool keyframe, bool json);
int sync_heartbeat(const struct config *config);
int withdraw_run(const struct config *config, const char *dataset, const char *reason, const char *replaced_by);
int status_run(const struct config *config, bool json);
int pending_run(const struct config *config, bool json);
int cosign_write_run(const struct config *config, const char *folder, int n_names, char **names);
int cosign_take_run(const struct config *config, int n_paths, char **paths);
int recover_run(const struct config *config, const char *path, bool yes, bool old_data);
int resend_run(const struct config *config, const char *path, bool dry_run, bool json);
int recover_forget_run(const struct config *config);
int selfcheck_run(const char *config_path);

/* A signature file (bundle/FORMAT.md 19.4). FAULT_COSIGN_FORM. */
enum fault cosign_parse(const void *data, size_t size, struct outside_cosignature *ret_cosignature,
			struct refusal *why);

/* status.json as it is signed (inside/records.h, struct record_source). A new text. */
char *status_compose(const struct run *run);

#endif
