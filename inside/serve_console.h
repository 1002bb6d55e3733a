/* SPDX-License-Identifier: ISC
 *
 * serve_console: the handlers of the console (pages for people, in French and English) and of events. Who may see what is decided here, before
 * a page is written: a dataset that a reader may not see is on no page of theirs. What waits in detail, the link and the log are for operators:
 * they are answered on the operators' socket ("operators" of the configuration), and nowhere else. There no access rule is asked: whoever may open that
 * socket may see all. Deciding stays a command on the host; the pages show it ready to copy.
 */
#ifndef INSIDE_SERVE_CONSOLE_H
#define INSIDE_SERVE_CONSOLE_H

#include "inside/serve.h"

/* "/" and "/datasets/{name}" as pages. */
serve_handler serve_console, serve_console_dataset;
/* For operators. */
serve_handler serve_console_held, serve_console_link, serve_console_log;
/* "/static/{any}". */
serve_handler serve_static;
/* "/events" (bundle/FORMAT.md 35). */
serve_handler serve_events;

#endif
