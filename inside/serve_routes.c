/* SPDX-License-Identifier: ISC
 *
 * serve_routes: the table.
 */
#include "inside/serve_routes.h"

#include <string.h>

#include "bundle/notation.h"
#include "inside/serve_console.h"
#include "inside/serve_rows.h"
#include "inside/store.h"

static const struct serve_route routes[] = {
	{"/", serve_catalog, serve_console, 0, "application/json application/ld+json", "q state sort page lang",
	 "What can be read here: the catalogue"},
	{"/catalog", serve_catalog, NULL, 0, "application/json application/ld+json", "",
	 "The catalogue: datasets, versions, licences, digests; as DCAT-AP where application/ld+json is asked for"},
	{"/datasets/{name}", serve_dataset, serve_console_dataset, 0, "application/json", "version asOf lang",
	 "One dataset: its description, files, licence, dates, digests as published and as stored"},
	{"/datasets/{name}/history", serve_dataset_history, NULL, SERVE_NO_GENERATION, "application/json", "",
	 "Every version that is remembered, the newest first, and when it was in force"},
	{"/datasets/{name}/diff", serve_diff, NULL, 0, "application/json application/x-ndjson text/csv",
	 "from to resource format",
	 "What changed between two versions, by primary key: a summary (JSON), or every change (NDJSON; CSV of one "
	 "table)"},
	{"/datasets/{name}/rows.sqlite", serve_rows_file, NULL, 0, "application/vnd.sqlite3", "version asOf",
	 "The tables of the version as an SQLite database, typed and indexed"},
	{"/datasets/{name}/{file}", serve_file, NULL, 0, "*/*", "version asOf",
	 "A file of the dataset as it is stored. ETag is the SHA-256 of its bytes"},
	{"/datasets/{name}/{resource}", serve_rows, NULL, 0, "text/csv application/json application/x-ndjson",
	 "version asOf columns sort limit offset format for *",
	 "Rows of a table. column=value (several: one of them), column.min, column.max, column.null=true are "
	 "conditions; a "
	 "dot before a name says that it is a column's"},
	{"/generations", serve_generations, NULL, SERVE_NO_GENERATION, "application/json", "",
	 "The sets of versions that can be read, and until when at least"},
	{"/status", serve_status, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "application/json", "",
	 "How old the data are, and whether the link lives"},
	{"/metrics", serve_metrics, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW | SERVE_FOR_OPERATORS, "text/plain", "",
	 "Counts for Prometheus"},
	{"/healthz", serve_health, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "text/plain", "",
	 "Whether this server can answer"},
	{"/openapi.json", serve_openapi, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "application/json", "",
	 "This description"},
	{"/events", serve_events, NULL, SERVE_NO_GENERATION | SERVE_LETS_GO, "text/event-stream", "",
	 "Server-sent events: each generation as it comes in force, and the datasets whose versions changed"},
	{"/held", serve_console_held, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "text/html", "lang",
	 "What waits and why, on the operators' socket alone: a page"},
	{"/link", serve_console_link, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "text/html", "lang",
	 "Link and trust at a glance, on the operators' socket alone: a page"},
	{"/log", serve_console_log, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW, "text/html",
	 "chapter dataset before lang", "The audit log's entries, on the operators' socket alone: a page"},
	{"/static/{any}", serve_static, NULL, SERVE_NO_GENERATION | SERVE_NO_VIEW,
	 "text/css text/javascript image/svg+xml", "", "What the pages are made with: style, script, picture"},
	{NULL, NULL, NULL, 0, NULL, NULL, NULL},
};

static const struct serve_param_doc params[] = {
	{"version", "string", "a version of the dataset: 16 hexadecimal digits"},
	{"asOf", "string", "the version that was in force at the end of that day (2026-03-01), or at that moment"},
	{"from", "string", "the version to compare with: 16 hexadecimal digits"},
	{"to", "string", "the version to compare; without it the one in force"},
	{"resource", "string", "one table alone"},
	{"columns", "string", "columns to give, with commas between; a comma within a name is written twice"},
	{"sort", "string",
	 "columns to sort by, with commas between; a minus before one: descending. Of the page: date, rows; by name "
	 "where it is left out"},
	{"limit", "integer", "at most so many rows"},
	{"offset", "integer", "rows to pass over"},
	{"format", "string", "csv, json or ndjson; without it by Accept"},
	{"for", "string", "tableur: a CSV for French spreadsheets: semicolons, decimal commas, a byte order mark"},
	{"q", "string", "of the page: what a name, title or licence contains"},
	{"state", "string", "of the page: inforce, held, missing, refused, stale, withdrawn"},
	{"page", "integer", "of the page: fifty datasets each, from 1"},
	{"lang", "string", "of a page: fr or en; as Accept-Language says where it is left out"},
	{"chapter", "string", "arrivals, refusals, decisions, retention, alarms or changes"},
	{"dataset", "string", "the entries of one dataset alone"},
	{"before", "integer", "entries before that number"},
	{NULL, NULL, NULL},
};

const struct serve_route *serve_routes(void)
{
	return routes;
}

const struct serve_param_doc *serve_param_docs(void)
{
	return params;
}

/* Whether SEGMENT is what the placeholder of SIZE bytes at PATTERN stands for. */
static bool fits_placeholder(const char *pattern, size_t size, const char *segment)
{
	static const char name[] = "{name}", resource[] = "{resource}", file[] = "{file}", number[] = "{number}";
	uint64_t ignored;

	/* Whether it is a dataset's name at all is asked where it is looked for: a wrong one is answered as one that is not there. */
	if (size == sizeof(name) - 1 && memcmp(pattern, name, size) == 0)
		return true;
	if (size == sizeof(resource) - 1 && memcmp(pattern, resource, size) == 0)
		return notation_is_name(segment);
	if (size == sizeof(file) - 1 && memcmp(pattern, file, size) == 0)
		return strchr(segment, '.') != NULL && notation_is_file_name(segment);
	if (size == sizeof(number) - 1 && memcmp(pattern, number, size) == 0)
		return store_parse_generation(segment, &ignored);
	return true;
}

static bool fits(const char *pattern, const struct serve_request *request)
{
	size_t n = 0;

	for (const char *at = pattern; at[0] == '/' && at[1] != '\0'; n++) {
		size_t size = strcspn(++at, "/");
		const char *segment = n < request->n_segments ? request->segments[n] : NULL;

		if (segment == NULL || (at[0] == '{' ? !fits_placeholder(at, size, segment)
						     : strlen(segment) != size || memcmp(segment, at, size) != 0))
			return false;
		at += size;
	}
	return n == request->n_segments;
}

const struct serve_route *serve_route_find(const struct serve_request *request)
{
	for (size_t i = 0; routes[i].pattern != NULL; i++)
		if (fits(routes[i].pattern, request))
			return &routes[i];
	return NULL;
}

/* Whether the list LIST, with blanks between, has NAME. */
static bool names(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");

		if (length == size && memcmp(at, name, size) == 0)
			return true;
		at += length;
	}
	return false;
}

enum fault serve_route_check_params(const struct serve_route *route, const struct serve_request *request,
				    struct refusal *why)
{
	bool takes_all = names(route->params, "*");

	for (size_t i = 0; i < request->n_params; i++) {
		const char *name = request->params[i].name;
		bool is_named = names(route->params, name) && strcmp(name, "*") != 0;

		if (!is_named && !takes_all)
			return refuse(why, FAULT_SERVE_PARAMETER, "%s takes no parameter \"%s\"", route->pattern, name);
		for (size_t j = 0; is_named && j < i; j++)
			if (strcmp(request->params[j].name, name) == 0)
				return refuse(why, FAULT_SERVE_PARAMETER, "the parameter \"%s\" stands twice", name);
	}
	return FAULT_NONE;
}
