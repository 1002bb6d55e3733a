/* SPDX-License-Identifier: ISC
 *
 * serve_console_operators: /held, /link and /log, on the operators' socket alone.
 */
#include "inside/serve_console_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Whether the request came where these pages are; false: the reply says where they are. */
static bool is_for_operator(const struct serve *serve, const struct serve_request *request, struct serve_reply *reply)
{
	if (request->is_operator)
		return true;
	serve_reply_problem(reply, 403, FAULT_CONSOLE_OPERATORS, "%s is for operators: %s", request->path,
			    serve->config->serve.operators == NULL
				    ? "the configuration names no socket for them (serve.operators)"
				    : "it is answered on their socket alone");
	return false;
}

/* --- what waits ---------------------------------------------------------------------------------------------------------- */

static bool waits(const json_t *status)
{
	static const char *const states[] = {"held", "missing", "refused", "trouble"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(console_member(status, "state"), states[i]) == 0)
			return true;
	return false;
}

void serve_console_held(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			const struct serve_reader *reader, struct serve_reply *reply)
{
	_cleanup_(json_decrefp) json_t *status = NULL;
	_cleanup_free_ struct console_held *held = NULL;
	struct serve_console_call call;
	const json_t *datasets;
	size_t n = 0;

	(void)reader;
	if (!is_for_operator(serve, request, reply))
		return;
	status = serve_kept_status(serve);
	datasets = json_object_get(status, "datasets");
	held = xcalloc(json_array_size(datasets) + 1, sizeof(*held));
	for (size_t i = 0; i < json_array_size(datasets) && n < CONSOLE_HELD_SHOWN; i++) {
		const json_t *entry = json_array_get(datasets, i);

		if (!waits(entry))
			continue;
		held[n++] = (struct console_held){.status = entry,
						  .report = console_load_report(serve->store_fd,
										console_member(entry, "name"),
										console_member(entry, "trusted"))};
	}
	serve_console_begin(serve, request, set, "/held", &call);
	console_write_held(&call.page, held, n);
	serve_console_end(&call, reply);
	for (size_t i = 0; i < n; i++)
		json_decref((json_t *)held[i].report);
}

/* --- link and trust ------------------------------------------------------------------------------------------------------ */

void serve_console_link(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			const struct serve_reader *reader, struct serve_reply *reply)
{
	_cleanup_(json_decrefp) json_t *status = NULL, *people = NULL, *receiver = NULL;
	const struct inside_config *config = serve->config;
	struct console_link link = {.receiver = config->link_bind == NULL ? "" : config->link_bind};
	struct serve_console_call call;
	struct console_log log;

	(void)reader;
	if (!is_for_operator(serve, request, reply))
		return;
	status = serve_kept_status(serve);
	link.status = status;
	receiver = console_load_receiver(config->link_folder == NULL ? config->incoming : config->link_folder);
	link.link_status = receiver;
	serve_console_begin(serve, request, set, "/link", &call);
	console_judge(status, config->heartbeat, config->clock_skew, call.page.now, &link.health);
	console_load_log(serve->store_fd, 0, "", "", &log, &people);
	link.has_log = log.has_log;
	link.log_size = log.size;
	link.log = log.why;
	console_write_link(&call.page, &link);
	serve_console_end(&call, reply);
	console_log_clear(&log);
}

/* --- the log ------------------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9' && number < UINT64_MAX / 20; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

void serve_console_log(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		       const struct serve_reader *reader, struct serve_reply *reply)
{
	const char *chapter = serve_console_param(request, "chapter");
	_cleanup_(json_decrefp) json_t *people = NULL;
	struct serve_console_call call;
	struct console_log log;

	(void)reader;
	if (!is_for_operator(serve, request, reply))
		return;
	if (chapter[0] != '\0' && console_chapter_parse(chapter) == AUDIT_CHAPTER_N) {
		serve_reply_problem(reply, 400, FAULT_SERVE_PARAMETER, "chapter=%s: there is no such chapter", chapter);
		return;
	}
	console_load_log(serve->store_fd, number_of(serve_console_param(request, "before")), chapter,
			 serve_console_param(request, "dataset"), &log, &people);
	serve_console_begin(serve, request, set, "/log", &call);
	console_write_log(&call.page, &log);
	serve_console_end(&call, reply);
	console_log_clear(&log);
}
