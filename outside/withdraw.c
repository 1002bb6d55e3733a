/* SPDX-License-Identifier: ISC
 *
 * withdraw: ends a dataset. Its role never leaves the snapshot (TUF clients refuse that): from now on it names one target,
 * withdrawn.json, which says why, since when, and what replaces it.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "outside/references.h"
#include "outside/run.h"

#define MAX_REASON 400

static enum fault check_request(const struct run *run, const char *dataset, const char *reason, const char *replaced_by,
				struct refusal *why)
{
	const struct run_dataset *found = run_find(run, dataset);

	/* After a backup was restored the inside may know one that this side does not. */
	if (found == NULL || (!found->state->published.exists && !found->state->pending.exists &&
			      recovery_floor(&run->recovery, dataset) == 0))
		return refuse(why, FAULT_NO_SUCH, "%s was never published", dataset);
	if (found->state->published.withdrawn && !found->state->pending.exists)
		return refuse(why, FAULT_SOURCE_WITHDRAWN, "%s was withdrawn on %.10s", dataset,
			      found->state->published.created);
	if (reason[0] == '\0' || strlen(reason) > MAX_REASON || !text_is_utf8(reason, strlen(reason), NULL))
		return refuse(why, FAULT_SOURCE, "the reason must have 1 to %d bytes of UTF-8", MAX_REASON);
	for (const char *c = reason; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse(why, FAULT_SOURCE, "the reason must be one line");
	if (replaced_by != NULL && (!notation_is_name(replaced_by) || strcmp(replaced_by, dataset) == 0))
		return refuse(why, FAULT_SOURCE, "--replaced-by %s: no name of another dataset", replaced_by);
	return FAULT_NONE;
}

static char *compose(const struct run *run, const char *reason, const char *replaced_by)
{
	char date[NOTATION_TIME_SIZE];
	json_t *object;
	char *text;

	notation_format_time(run->agent.now, date);
	object = json_pack("{s:s, s:s, s:s, s:s?}", "format", "clapet withdrawal 1", "reason", reason, "date", date,
			   "replacedBy", replaced_by);
	text = object != NULL ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	if (text == NULL)
		die("out of memory");
	json_decref(object);
	return text;
}

/* The pending version of the dataset is the withdrawal. */
static enum fault make_version(struct run *run, struct source_state *state, const char *text, struct refusal *why)
{
	_cleanup_(state_version_clear) struct state_version version = {.exists = true, .withdrawn = true};
	_cleanup_close_ int folder_fd = fd_make_dir(run->agent.state_fd, state->name, 0750), fd = -1;
	struct state_file *file = state_version_add(&version, "withdrawn.json");
	int r = folder_fd < 0 ? folder_fd : fd_put_durable(folder_fd, "withdrawn.json", text, strlen(text), 0640);

	if (r == 0)
		r = fd = fd_open_beneath(folder_fd, "withdrawn.json", O_RDONLY, 0);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/%s/withdrawn.json: %s", state->name, strerror(-r));
	notation_format_time(run->agent.now, version.created);
	file->length = strlen(text);
	hash_bytes(text, strlen(text), &file->sha256);
	if (publish_pack(&run->agent, state->name, fd, file, why) != FAULT_NONE ||
	    publish_target(&run->agent, state->name, folder_fd, "withdrawn.json", file, why) != FAULT_NONE)
		return why->fault;
	state_version_clear(&state->pending);
	state->pending = version;
	memset(&version, 0, sizeof version);
	source_state_forget_urls(state);
	r = source_state_save(run->agent.state_fd, state);
	return r < 0 ? refuse(why, FAULT_STORAGE, "state/%s: %s", state->name, strerror(-r)) : FAULT_NONE;
}

/* Their next check fails, and inside they hold the dataset in force. */
static void warn_of_referring(const struct run *run, const char *dataset)
{
	for (size_t i = 0; i < run->n_datasets; i++)
		if (run->datasets[i].source != NULL && references_lead_to(run->datasets[i].source, dataset))
			log_warning("%s refers to %s: it cannot be checked without it, and inside %s stays until it is "
				    "released",
				    run->datasets[i].name, dataset, dataset);
}

static enum fault withdraw(struct run *run, const char *dataset, const char *reason, const char *replaced_by,
			   struct refusal *why)
{
	_cleanup_free_ char *text = NULL;

	if (check_request(run, dataset, reason, replaced_by, why) != FAULT_NONE)
		return why->fault;
	warn_of_referring(run, dataset);
	text = compose(run, reason, replaced_by);
	if (make_version(run, run_find(run, dataset)->state, text, why) != FAULT_NONE ||
	    run_publish(run, why) != FAULT_NONE)
		return why->fault;
	if (waiting_find(&run->waiting, dataset) != NULL)
		printf("%s: its end waits for a person; until then it goes on\n", dataset);
	else
		printf("%s: withdrawn%s%s\n", dataset, replaced_by != NULL ? ", replaced by " : "",
		       replaced_by != NULL ? replaced_by : "");
	run_print_bundles(run);
	return FAULT_NONE;
}

int withdraw_run(const struct config *config, const char *dataset, const char *reason, const char *replaced_by)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status = 0;

	if (run_open(config, true, &run, &why) == FAULT_NONE) {
		withdraw(&run, dataset, reason, replaced_by, &why);
		run_end(&run);
		status = run.exit_status;
		run_close(&run);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit_worse(status, fault_exit(why.fault));
}
