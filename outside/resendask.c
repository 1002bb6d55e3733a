/* SPDX-License-Identifier: ISC
 *
 * resendask: digits are looked up among the names of repository/blobs/: what was ever published and is still there, keyframes and
 * older versions too.
 */
#include "outside/resendask.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/request.h"
#include "bundle/request_short.h"
#include "outside/requestfile.h"

void resendask_clear(struct resendask *ask)
{
	free(ask->items);
	memset(ask, 0, sizeof *ask);
}

/* --- what is asked for ----------------------------------------------------------------------------------------------- */

static struct resendask_item *add(struct resendask *ask, enum resendask_kind kind, const char *dataset)
{
	struct resendask_item *item;

	ask->items = xrealloc(ask->items, ask->n_items + 1, sizeof *ask->items);
	item = &ask->items[ask->n_items++];
	*item = (struct resendask_item){.kind = kind};
	text_copy(item->dataset, sizeof item->dataset, dataset);
	return item;
}

static enum fault load_short(const char *name, const uint8_t *data, size_t size, struct resendask *ask,
			     struct refusal *why)
{
	struct request_short request;

	if (request_short_parse(name, data, size, &request, why) != FAULT_NONE)
		return why->fault;
	ask->root = request.root;
	ask->timestamp = request.timestamp;
	ask->snapshot = request.snapshot;
	ask->targets = request.targets;
	for (size_t i = 0; i < request.n_objects; i++)
		text_copy(add(ask, RESENDASK_BLOB, request.objects[i].dataset)->digits, SHA256_HEX_SIZE,
			  request.objects[i].digest);
	for (size_t i = 0; i < request.n_sinces; i++)
		add(ask, RESENDASK_SINCE, request.sinces[i].dataset)->since = request.sinces[i].timestamp;
	for (size_t i = 0; i < request.n_parts; i++)
		ask->parts[ask->n_parts++] = (struct resendask_part){.asked = request.parts[i], .name = ""};
	return FAULT_NONE;
}

static enum fault load_long(const char *name, const uint8_t *data, size_t size, struct resendask *ask,
			    struct refusal *why)
{
	_cleanup_(request_clear) struct request request = {.root = 0};

	if (request_parse(name, data, size, &request, why) != FAULT_NONE)
		return why->fault;
	ask->root = request.root;
	ask->timestamp = request.timestamp;
	ask->snapshot = request.snapshot.version;
	ask->targets = request.targets.version;
	for (size_t i = 0; i < request.n_wants; i++) {
		const struct request_want *want = &request.wants[i];
		struct resendask_item *item = add(ask, want->is_blob ? RESENDASK_BLOB : RESENDASK_METADATA,
						  want->dataset);

		if (want->is_blob)
			text_copy(item->digits, sizeof item->digits, want->item);
	}
	return FAULT_NONE;
}

enum fault resendask_load(const char *path, struct resendask *ret_ask, struct refusal *why)
{
	_cleanup_(resendask_clear) struct resendask ask = {.n_items = 0};
	_cleanup_free_ uint8_t *data = NULL;
	const char *name = requestfile_name(path);
	size_t size;

	if (requestfile_load(path, &data, &size, why) != FAULT_NONE)
		return why->fault;
	if ((request_is_short(data, size) ? load_short : load_long)(name, data, size, &ask, why) != FAULT_NONE)
		return why->fault;
	*ret_ask = ask;
	memset(&ask, 0, sizeof ask);
	return FAULT_NONE;
}

/* --- what that is here ------------------------------------------------------------------------------------------------ */

static bool has_moved_on(const struct source_state *state, uint64_t timestamp)
{
	for (size_t i = 0; i < state->published.n_files; i++)
		if (state->published.files[i].since == 0 || state->published.files[i].since > timestamp)
			return true;
	return false;
}

static bool asks_since(const struct resendask *ask, const char *dataset)
{
	for (size_t i = 0; i < ask->n_items; i++)
		if (ask->items[i].kind == RESENDASK_SINCE &&
		    (ask->items[i].dataset[0] == '\0' || strcmp(ask->items[i].dataset, dataset) == 0))
			return true;
	return false;
}

void resendask_add_newer(struct resendask *ask, const struct run *run)
{
	for (size_t i = 0, n = ask->n_items; i < n; i++) {
		const struct run_dataset *dataset = run_find(run, ask->items[i].dataset);

		if (ask->items[i].kind == RESENDASK_SINCE || dataset == NULL || asks_since(ask, dataset->name) ||
		    !has_moved_on(dataset->state, ask->timestamp))
			continue;
		struct resendask_item *item = add(ask, RESENDASK_SINCE, dataset->name);

		item->since = ask->timestamp;
		item->is_added = true;
	}
}

bool resendask_wants_role(const struct resendask *ask, const struct run *run, const char *role)
{
	const struct run_dataset *dataset = run_find(run, role);

	for (size_t i = 0; i < ask->n_items; i++)
		if (ask->items[i].dataset[0] == '\0' || strcmp(ask->items[i].dataset, role) == 0)
			return true;
	return dataset != NULL && has_moved_on(dataset->state, ask->timestamp);
}

/* The names of repository/blobs/ that are hashes. */
struct index {
	char (*names)[SHA256_HEX_SIZE]; /* owned */
	size_t n_names;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static enum fault load_index(const struct agent *agent, struct index *ret_index, struct refusal *why)
{
	int fd = fd_open_beneath(agent->blobs_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct index index = {.n_names = 0};
	const struct dirent *entry;
	uint8_t bytes[SHA256_SIZE];

	if (folder == NULL)
		return refuse(why, FAULT_STORAGE, "repository/blobs: %s", strerror(fd < 0 ? -fd : errno));
	while ((entry = readdir(folder)) != NULL) {
		if (!notation_unhex(entry->d_name, bytes, sizeof bytes))
			continue;
		index.names = xrealloc(index.names, index.n_names + 1, sizeof *index.names);
		text_copy(index.names[index.n_names++], SHA256_HEX_SIZE, entry->d_name);
	}
	closedir(folder);
	/* The same answer, whatever the file system's order. */
	if (index.n_names > 0)
		qsort(index.names, index.n_names, sizeof *index.names, compare_names);
	*ret_index = index;
	return FAULT_NONE;
}

static void say_absent(struct resendask_item *item, const char *what)
{
	struct refusal why;

	item->n_absent++;
	refuse(&why, FAULT_RESEND_ABSENT, "%s of %s: not here", what, item->dataset);
	log_refusal(&why);
}

/* Every blob whose hash begins so: a person cannot be asked for more digits. */
static enum fault resolve_blob(struct resendask_item *item, const struct agent *agent, const struct index *index,
			       struct publish_blobs *blobs, struct refusal *why)
{
	_cleanup_free_ char *what = xasprintf("blob %s", item->digits);

	for (size_t i = 0; i < index->n_names; i++) {
		const char *name = index->names[i];
		struct publish_blob blob = {.dataset = item->dataset, .file = ""};
		_cleanup_close_ int fd = -1;
		int64_t size;

		if (strncmp(name, item->digits, strlen(item->digits)) != 0)
			continue;
		fd = fd_open_regular_beneath(agent->blobs_fd, name, O_RDONLY);
		size = fd < 0 ? fd : fd_size(fd);
		if (size < 0)
			return refuse(why, FAULT_STORAGE, "repository/blobs/%s: %s", name, strerror((int)-size));
		notation_unhex(name, blob.sha256.bytes, SHA256_SIZE);
		blob.length = (uint64_t)size;
		publish_blobs_add(blobs, &blob, 1);
		item->n_blobs++;
		item->bytes += blob.length;
	}
	if (item->n_blobs == 0)
		say_absent(item, what);
	return FAULT_NONE;
}

static void resolve_since(struct resendask_item *item, const struct run *run, struct source_state *const *states,
			  size_t n_states, struct publish_blobs *blobs)
{
	_cleanup_(publish_blobs_clear) struct publish_blobs found = {.n_items = 0};

	publish_choose_since(run->agent_state, states, n_states, item->since, 0, &found);
	for (size_t i = 0; i < found.n_items; i++) {
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&found.items[i].sha256, hex);
		if (found.items[i].dataset[0] == '\0')
			continue; /* status.json's: added to every answer */
		if (!fd_exists(run->agent.blobs_fd, hex)) {
			_cleanup_free_ char *what = xasprintf("blob %.10s (%s/%s)", hex, found.items[i].dataset,
							      found.items[i].file);

			say_absent(item, what);
			continue;
		}
		publish_blobs_add(blobs, &found.items[i], 1);
		item->n_blobs++;
		item->bytes += found.items[i].length;
	}
}

static enum fault resolve(struct resendask_item *item, const struct run *run, const struct index *index,
			  struct publish_blobs *blobs, struct refusal *why)
{
	const struct run_dataset *dataset = run_find(run, item->dataset);

	if (item->is_covered)
		return FAULT_NONE;
	if (item->kind == RESENDASK_BLOB)
		return resolve_blob(item, &run->agent, index, blobs, why);
	if (item->kind == RESENDASK_SINCE && item->dataset[0] == '\0')
		resolve_since(item, run, run->states, run->n_datasets, blobs);
	else if (dataset == NULL && strcmp(item->dataset, "status") != 0)
		say_absent(item, "anything");
	else if (item->kind == RESENDASK_SINCE && dataset != NULL)
		resolve_since(item, run, &(struct source_state *const){dataset->state}, 1, blobs);
	return FAULT_NONE;
}

enum fault resendask_resolve(struct resendask *ask, const struct run *run, struct publish_blobs *ret_blobs,
			     struct refusal *why)
{
	_cleanup_(publish_blobs_clear) struct publish_blobs blobs = {.n_items = 0}, status = {.n_items = 0};
	struct index index = {.n_names = 0};
	enum fault fault = load_index(&run->agent, &index, why);

	for (size_t i = 0; fault == FAULT_NONE && i < ask->n_items; i++)
		fault = resolve(&ask->items[i], run, &index, &blobs, why);
	free(index.names);
	if (fault != FAULT_NONE)
		return fault;
	publish_choose_since(run->agent_state, run->states, 0, 0, 0, &status);
	publish_blobs_add(&blobs, status.items, status.n_items);
	publish_blobs_once(&blobs);
	*ret_blobs = blobs;
	memset(&blobs, 0, sizeof blobs);
	return FAULT_NONE;
}
