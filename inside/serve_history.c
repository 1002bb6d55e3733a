/* SPDX-License-Identifier: ISC
 *
 * serve_history: see serve_history.h. The documents of a dataset are read at each question, by one thread at a time: thousands of them take a
 * while, and nobody shall keep all threads with it.
 */
#include "inside/serve_history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/pastlist.h"
#include "inside/versions.h"

bool serve_history_knows(const struct serve *serve, const char *name, const char *version)
{
	char path[STORE_PATH_SIZE];

	if (!notation_is_name(name))
		return false;
	if (version == NULL)
		snprintf(path, sizeof(path), "datasets/%s", name);
	else
		snprintf(path, sizeof(path), "decisions/history/%s/%s.json", name, version);
	return fd_exists(serve->store_fd, path);
}

bool serve_history_as_of(struct serve *serve, const char *name, int64_t at, char ret_version[STORE_VERSION_SIZE])
{
	struct inside inside = INSIDE_NEW;
	enum fault fault;

	inside.store_fd = serve->store_fd;
	pthread_mutex_lock(&serve->history);
	fault = versions_as_of(&inside, name, at, ret_version, NULL);
	pthread_mutex_unlock(&serve->history);
	return fault == FAULT_NONE;
}

int serve_history_open_blob(const struct serve *serve, const char *name, const char *version, const char *file,
			    uint64_t *ret_size)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	int fd = -ENOENT;

	if (past_load(serve->store_fd, name, version, &past, NULL) != FAULT_NONE)
		return -ENOENT;
	for (size_t i = 0; i < past->n_files; i++) {
		const struct past_file *its = &past->files[i];

		if (strcmp(its->path, file) == 0 && !its->is_patch && its->blob.n_parts == 1) {
			fd = store_open_blob(serve->store_fd, &its->blob.parts[0].sha256);
			*ret_size = its->blob.parts[0].length;
		}
	}
	return fd;
}

static json_t *time_or_null(int64_t time)
{
	return time == 0 ? json_null() : json_time(time);
}

static json_t *spans_to_json(const struct past_version *past)
{
	json_t *array = json_array();

	for (size_t i = 0; i < past->n_spans; i++) {
		const struct past_span *span = &past->spans[i];
		json_t *until = span->until == 0 ? json_null() : json_integer((json_int_t)span->until);

		json_array_append_new(
			array,
			json_or_die(json_pack("{sI so so so}", "generation", (json_int_t)span->generation, "from",
					      time_or_null(span->from), "until", until, "to", time_or_null(span->to))));
	}
	return array;
}

json_t *serve_history_list(struct serve *serve, const char *name)
{
	struct shown_list shown;
	struct past_list list;
	json_t *array = json_array();

	pthread_mutex_lock(&serve->history);
	shown_load(serve->store_fd, &shown);
	past_list_load(serve->store_fd, name, &shown, &list);
	for (size_t i = 0; i < list.n_items; i++) {
		const struct past_version *past = list.items[i];
		char version[STORE_VERSION_SIZE];

		store_version_name(&past->version, version);
		json_array_append_new(
			array,
			json_or_die(json_pack("{ss so so ss sI so}", "version", version, "date",
					      past->date[0] == '\0' ? json_null() : json_string(past->date), "received",
					      time_or_null(past->received), "state",
					      past_state_name(past_find(serve->store_fd, past)), "bytes",
					      (json_int_t)past_plain_bytes(past), "inForce", spans_to_json(past))));
	}
	past_list_clear(&list);
	shown_clear(&shown);
	pthread_mutex_unlock(&serve->history);
	return array;
}
