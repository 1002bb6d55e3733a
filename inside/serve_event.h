/* SPDX-License-Identifier: ISC
 *
 * serve_event: what is sent to who listens for changes (bundle/FORMAT.md 35), as text: server-sent events (WHATWG HTML, 9.2), each one JSON object on
 * one line. Pure: two sets in, bytes out.
 *
 *     id: 57
 *     event: generation
 *     data: {"format":"clapet event 1","generation":57,"created":"…","datasets":[{"name":"cog","before":"9f86…","after":"a1b2…"}]}
 */
#ifndef INSIDE_SERVE_EVENT_H
#define INSIDE_SERVE_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "inside/serve_set.h"

/* Whether a dataset may be told of. */
typedef bool serve_event_sees(void *ctx, const char *dataset);

/* "current": where the listener begins; nothing is said of changes. */
void serve_event_current(FILE *file, const struct serve_set *set);
/* "generation": SET came in force after BEFORE: each dataset whose version changed, "before" or "after" null where it is not in one of
 * them. */
void serve_event_generation(FILE *file, const struct serve_set *before, const struct serve_set *set,
			    serve_event_sees *sees, void *ctx);
/* "reset": what came between is not known any more; the listener reads all anew. */
void serve_event_reset(FILE *file, const struct serve_set *set);
/* What a Last-Event-ID says: a generation; 0 where it says none. */
uint64_t serve_event_id(const char *text);

#endif
