/* SPDX-License-Identifier: ISC
 *
 * serve_events: /events: who listens is told of each generation that comes in force, and of which datasets' versions changed in it, as far as they may
 * see them. Nothing is kept for a listener but where it stands: what it has not been told is in the generations, and is made when its
 * connection takes it. So a slow one costs a connection and no more, and is cut off as every slow reader is; no thread waits for any.
 */
#include "inside/serve_event.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "inside/serve_access.h"
#include "inside/serve_console.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"

#define SECOND 1000000

struct listener {
	struct serve *serve;
	const struct serve_reader *reader; /* as long as the request */
	uint64_t told;                     /* the last generation that it knows; 0: none */
	int64_t begun;                     /* ticks */
	int64_t spoken;                    /* when something was sent last */
	char *text;                        /* what is being sent */
	size_t size, at;
};

static bool sees(void *ctx, const char *dataset)
{
	const struct listener *listener = ctx;

	return serve_access_may_see(listener->reader, dataset);
}

/* Every generation from the one after BEFORE to CURRENT that is here. Where one between is gone its changes are in the next one's. */
static void tell_steps(struct listener *listener, const struct serve_set *before, const struct serve_set *current,
		       FILE *file)
{
	struct serve_sets *sets = listener->serve->sets;
	const struct serve_set *last = before;

	for (uint64_t number = before->generation + 1; number < current->generation; number++) {
		const struct serve_set *set = serve_sets_get(sets, number);

		if (set == NULL)
			continue;
		serve_event_generation(file, last, set, sees, listener);
		if (last != before)
			serve_set_unref(sets, last);
		last = set;
	}
	serve_event_generation(file, last, current, sees, listener);
	if (last != before)
		serve_set_unref(sets, last);
}

static void tell(struct listener *listener, const struct serve_set *current, FILE *file)
{
	struct serve_sets *sets = listener->serve->sets;
	const struct serve_set *before;

	if (listener->told == current->generation)
		return;
	before = listener->told == 0 || listener->told > current->generation ||
				 current->generation - listener->told > LIMIT_EVENT_RESUME
			 ? NULL
			 : serve_sets_get(sets, listener->told);
	if (before == NULL) {
		serve_event_reset(file, current);
		return;
	}
	tell_steps(listener, before, current, file);
	serve_set_unref(sets, before);
}

/* What there is to say now; false: nothing. */
static bool speak(struct listener *listener)
{
	struct serve_sets *sets = listener->serve->sets;
	const struct serve_set *current = serve_sets_current(sets);
	int64_t now = serve_ticks();
	bool is_first = listener->spoken == 0;
	FILE *file;

	if (!is_first && listener->told == current->generation && now - listener->spoken < LIMIT_EVENT_BEAT * SECOND) {
		serve_set_unref(sets, current);
		return false;
	}
	free(listener->text);
	listener->text = NULL;
	listener->at = 0;
	file = open_memstream(&listener->text, &listener->size);
	if (file == NULL)
		die("out of memory");
	/* Who comes back comes in five seconds. */
	fputs(is_first ? "retry: 5000\n: clapet\n\n" : "", file);
	if (is_first && listener->told == 0)
		serve_event_current(file, current);
	else if (listener->told != current->generation)
		tell(listener, current, file);
	else if (!is_first)
		fputs(":\n\n", file);
	if (fclose(file) != 0)
		die("out of memory");
	listener->told = current->generation;
	listener->spoken = now;
	serve_set_unref(sets, current);
	return true;
}

static ssize_t more(void *ctx, char *to, size_t size)
{
	struct listener *listener = ctx;
	size_t n;

	if (listener->at == listener->size) {
		if (serve_ticks() - listener->begun > (int64_t)LIMIT_EVENT_LISTEN_TIME * SECOND)
			return 0;
		if (!speak(listener))
			return SERVE_STREAM_LATER;
	}
	n = listener->size - listener->at < size ? listener->size - listener->at : size;
	memcpy(to, listener->text + listener->at, n);
	listener->at += n;
	return (ssize_t)n;
}

static void done(void *ctx)
{
	struct listener *listener = ctx;

	atomic_fetch_sub(&listener->serve->n_listeners, 1);
	free(listener->text);
	free(listener);
}

void serve_events(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		  const struct serve_reader *reader, struct serve_reply *reply)
{
	struct listener *listener;

	(void)set;
	if (atomic_fetch_add(&serve->n_listeners, 1) >= LIMIT_EVENT_LISTENERS) {
		atomic_fetch_sub(&serve->n_listeners, 1);
		serve_reply_header(reply, "Retry-After", "60");
		serve_reply_problem(reply, 503, FAULT_EVENTS_FULL, "%d listen for events already",
				    LIMIT_EVENT_LISTENERS);
		return;
	}
	listener = xcalloc(1, sizeof(*listener));
	listener->serve = serve;
	listener->reader = reader;
	listener->told = serve_event_id(request->headers[SERVE_LAST_EVENT_ID]);
	listener->begun = serve_ticks();
	serve_reply_volatile(reply);
	/* nginx would hold events back until its buffer is full. */
	serve_reply_header(reply, "X-Accel-Buffering", "no");
	serve_reply_stream(reply, "text/event-stream", more, done, listener);
}
