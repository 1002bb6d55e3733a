/* SPDX-License-Identifier: ISC
 *
 * sendrun, what a spool no longer has: files that went or changed are forgotten, wherever they are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "outside/sendrun.h"

/* Those of LIST that are not wanted go. */
static void sift_list(struct send_source *list, size_t *n, sendrun_keep *keep, void *ctx)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (keep(ctx, &list[i]))
			list[kept++] = list[i];
		else
			sendsource_clear(&list[i]);
	}
	*n = kept;
}

static bool is_unproved(void *ctx, const struct send_source *source)
{
	(void)ctx;
	return !source->is_proved;
}

/* Its members that are left are small files again, and as new as they were. */
static void dissolve(struct send_run *run, struct send_object *object, const bool *keeps)
{
	struct sendqueue_item *item = sendqueue_find(&run->queue, object->id);
	struct refusal why;

	if (item != NULL)
		run->inherited = item->cycles;
	for (size_t i = 0; i < object->n_sources; i++) {
		struct send_source *source = &object->sources[i];

		/* One that cannot be opened is taken in again when it can. */
		if (!keeps[i] || sendsource_reopen(source, run->folder_fd, &why) != FAULT_NONE)
			continue;
		run->small = xrealloc(run->small, run->n_small + 1, sizeof(*run->small));
		run->small[run->n_small++] = *source;
		*source = (struct send_source){.fd = -1};
	}
}

/* OBJECT goes where one of its files did. Whether it went. */
static bool sift_object(struct send_run *run, struct send_object *object, sendrun_keep *keep, void *ctx)
{
	const struct refusal gone = {FAULT_NONE, "no longer in the spool"};
	_cleanup_free_ bool *keeps = xcalloc(object->n_sources, sizeof(*keeps));
	bool all = true;

	for (size_t i = 0; i < object->n_sources; i++) {
		keeps[i] = keep(ctx, &object->sources[i]);
		all = all && keeps[i];
	}
	if (all)
		return false;
	if (run->on_drop != NULL)
		run->on_drop(run->ctx, object, &gone);
	if (object->content == LINK_CONTENT_PACK)
		dissolve(run, object, keeps);
	sendrun_drop(run, object);
	return true;
}

void sendrun_sift(struct send_run *run, sendrun_keep *keep, void *ctx)
{
	bool any = false;

	sift_list(run->waiting, &run->n_waiting, keep, ctx);
	sift_list(run->small, &run->n_small, keep, ctx);
	sift_list(run->aside, &run->n_aside, keep, ctx);
	for (size_t i = run->n_objects; i > 0; i--)
		any = sift_object(run, run->objects[i - 1], keep, ctx) || any;
	/* What had the same bytes as one that went takes its place: it is taken in again. */
	if (any)
		sift_list(run->aside, &run->n_aside, is_unproved, NULL);
}
