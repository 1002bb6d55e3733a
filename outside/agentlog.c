/* SPDX-License-Identifier: ISC
 *
 * agentlog: events are kept until they are signed, and told again by the next attempt of the same run.
 */
#include "outside/agentlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

struct agent_notes {
	struct outside_event *events;
	size_t n_events;
};

struct agent_notes *agent_notes_new(void)
{
	return xcalloc(1, sizeof(struct agent_notes));
}

void agent_notes_free(struct agent_notes *notes)
{
	if (notes == NULL)
		return;
	free(notes->events);
	free(notes);
}

void agent_note(const struct agent *agent, const char *event, const char *dataset, const struct sha256 *version,
		const struct sha256 *sha256, enum fault fault, const char *format, ...)
{
	struct agent_notes *notes = agent->notes;
	struct outside_event *item;
	char line[FAULT_LINE_SIZE];
	va_list args;

	if (notes == NULL)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	notes->events = xrealloc(notes->events, notes->n_events + 1, sizeof *notes->events);
	item = &notes->events[notes->n_events++];
	memset(item, 0, sizeof *item);
	item->time = agent->now;
	item->fault = fault;
	snprintf(item->event, sizeof item->event, "%s", event);
	snprintf(item->dataset, sizeof item->dataset, "%s", dataset);
	if (version != NULL)
		notation_hex(version->bytes, 8, item->version);
	item->has_sha256 = sha256 != NULL;
	if (sha256 != NULL)
		item->sha256 = *sha256;
	text_escape(line, strlen(line), item->line, sizeof item->line);
}

enum fault agent_log(const struct agent *agent, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_EVENT);
	struct job job;

	if (agent->notes == NULL || agent->notes->n_events == 0)
		return FAULT_NONE;
	if (job_start(agent, WORKER_LOG, &job, why) != FAULT_NONE)
		return why->fault;
	job_send_kind(&job, OUTSIDE_LOG_FOLDER, agent->log_fd);
	for (size_t i = 0; i < agent->notes->n_events; i++) {
		record.event = agent->notes->events[i];
		job_send(&job, &record, -1);
	}
	job_send_kind(&job, OUTSIDE_GO, -1);
	if (job_receive(&job, &record, why))
		job_refuse_record(&job, &record, why);
	if (job_finish(&job, why) != FAULT_NONE)
		return why->fault;
	agent->notes->n_events = 0;
	return FAULT_NONE;
}
