/* SPDX-License-Identifier: ISC
 *
 * serve_console_private: what the console's handlers share.
 */
#ifndef INSIDE_SERVE_CONSOLE_PRIVATE_H
#define INSIDE_SERVE_CONSOLE_PRIVATE_H

#include "inside/console_read.h"
#include "inside/serve_access.h"
#include "inside/serve_console.h"
#include "inside/serve_kept.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_set.h"

/* A page that is being written. */
struct serve_console_call {
	struct console_page page;
	char *text;
	size_t size;
	char *query; /* page.query */
};

/* Whose page, in which language; PATH: of the page, behind the base. */
void serve_console_begin(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			 const char *path, struct serve_console_call *ret_call);
/* The page is the answer. */
void serve_console_end(struct serve_console_call *call, struct serve_reply *reply);
/* "" where it was not given. */
const char *serve_console_param(const struct serve_request *request, const char *name);

#endif
