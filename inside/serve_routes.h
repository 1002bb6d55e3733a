/* SPDX-License-Identifier: ISC
 *
 * serve_routes: what there is to ask for, one line each: the pattern, who answers, and what openapi.json says of it. A test walks the table:
 * each route is asked, and must answer as it says.
 */
#ifndef INSIDE_SERVE_ROUTES_H
#define INSIDE_SERVE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "inside/serve.h"
#include "inside/serve_request.h"

enum serve_route_flags {
	SERVE_NO_GENERATION = 1, /* not behind /generations/N/: 404 there */
	SERVE_NO_VIEW = 2,       /* not behind /views/NAME/ */
	SERVE_LETS_GO = 8,       /* answers for long: of the set nothing is needed any more once it was answered */
	SERVE_FOR_OPERATORS = 4, /* of the server as a whole (metrics, held, log): access.json may keep readers away */
};

/* A parameter of a query, as openapi.json describes it; the table is in serve_routes.c. */
struct serve_param_doc {
	const char *name;
	const char *schema; /* "string", "integer", "boolean" */
	const char *summary;
};

/* PATTERN: segments; "{name}" is a dataset's name, "{resource}" a resource's (no dot), "{file}" a file's name with a dot in it, "{number}" a
 * generation, "{any}" any one segment; the rest is literal. The first line that fits counts. */
struct serve_route {
	const char *pattern;
	serve_handler *handler;
	serve_handler *html; /* what a reader gets who prefers pages (serve_prefers_html); NULL: the same */
	unsigned flags;
	const char *types; /* media types of an answer of 200, with blanks between; what HTML gives apart */
	const char *
		params; /* parameters of the query, with blanks between; "*" at the end: others too (filters). Others are answered 400 */
	const char *summary;
};

/* The table; ends with a NULL pattern. */
const struct serve_route *serve_routes(void);
const struct serve_param_doc *serve_param_docs(void); /* ends with a NULL name */
/* The route that fits REQUEST's segments; NULL: none. */
const struct serve_route *serve_route_find(const struct serve_request *request);
/* FAULT_SERVE_PARAMETER: a parameter that the route does not know, or one twice that is no filter. */
enum fault serve_route_check_params(const struct serve_route *route, const struct serve_request *request,
				    struct refusal *why);

/* servecore */
serve_handler serve_catalog, serve_dataset, serve_dataset_history, serve_file, serve_generations, serve_openapi,
	serve_status, serve_metrics, serve_health;

#endif
