/* SPDX-License-Identifier: ISC
 *
 * serve_set, the version that a request means: the set's, or the one of ?version= or ?asOf=. A name that the reader may not see is answered as one
 * that is not there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"
#include "bundle/notation.h"
#include "inside/serve_access.h"
#include "inside/serve_history.h"
#include "inside/serve_reply_private.h"
#include "inside/serve_set_private.h"

#define VERSION_BYTES ((STORE_VERSION_SIZE - 1) / 2)

static bool is_version(const char *text)
{
	uint8_t bytes[VERSION_BYTES];

	return notation_unhex(text, bytes, sizeof(bytes));
}

/* Its plain files are not here: was it ever. */
static void tell_absent(const struct serve *serve, struct serve_reply *reply, const char *name, const char *version)
{
	if (serve_history_knows(serve, name, version))
		serve_reply_problem(
			reply, 410, FAULT_SERVE_VERSION_GONE,
			"%s: the plain files of version %s are not here any more; on the host `clapet-inside checkout "
			"%s %s --to DIR` brings them back, where history keeps them",
			name, version, name, version);
	else
		serve_reply_problem(reply, 404, FAULT_SERVE_NO_VERSION, "%s: no version %s is known here", name,
				    version);
}

static const struct serve_dataset *open_version(struct serve *serve, const struct serve_set *set,
						struct serve_reply *reply, const char *name, const char *version)
{
	const struct serve_dataset *shown = serve_set_dataset(set, name), *other;

	if (shown != NULL && strcmp(shown->version, version) == 0) {
		serve_reply_about(reply, shown, false);
		return shown;
	}
	other = serve_sets_version(serve->sets, name, version);
	if (other == NULL) {
		tell_absent(serve, reply, name, version);
		return NULL;
	}
	serve_reply_about(reply, other, true);
	return other;
}

/* Whether the reader may read NAME, of which there is something here. */
static bool is_allowed(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		       const struct serve_reader *reader, struct serve_reply *reply, const char *name)
{
	if (!notation_is_name(name) || !serve_access_may_see(reader, name) ||
	    (serve_set_dataset(set, name) == NULL && !serve_history_knows(serve, name, NULL))) {
		serve_access_refuse(serve, request, reader, name, reply);
		return false;
	}
	if (!serve_access_is_open(serve, name))
		serve_reply_private(reply);
	return true;
}

/* The version of a day, or a moment; false: answered. */
static bool find_day(struct serve *serve, struct serve_reply *reply, const char *name, const char *text,
		     char version[STORE_VERSION_SIZE])
{
	char whole[NOTATION_TIME_SIZE + 16];
	int64_t at;

	snprintf(whole, sizeof(whole), "%.11sT23:59:59Z", text);
	if (!notation_parse_time(text, &at) && !notation_parse_time(whole, &at)) {
		serve_reply_problem(reply, 400, FAULT_SERVE_PARAMETER,
				    "asOf=%s: a day is written 2026-03-01, a moment 2026-03-01T12:00:00Z", text);
		return false;
	}
	if (serve_history_as_of(serve, name, at < serve_now() ? at : serve_now(), version))
		return true;
	serve_reply_problem(reply, 404, FAULT_SERVE_NO_VERSION, "%s: no version is known that was in force at %s", name,
			    text);
	return false;
}

const struct serve_dataset *serve_pick(struct serve *serve, const struct serve_request *request,
				       const struct serve_set *set, const struct serve_reader *reader,
				       struct serve_reply *reply, const char *name)
{
	const char *version = serve_param(request, "version"), *as_of = serve_param(request, "asOf");
	const struct serve_dataset *dataset;
	char day_version[STORE_VERSION_SIZE];

	if (!is_allowed(serve, request, set, reader, reply, name))
		return NULL;
	if ((version != NULL) + (as_of != NULL) + (request->generation != 0) > 1) {
		serve_reply_problem(reply, 400, FAULT_SERVE_PARAMETER,
				    "one of version, asOf and /generations/N says which version is meant");
		return NULL;
	}
	if (version != NULL && !is_version(version)) {
		serve_reply_problem(reply, 400, FAULT_SERVE_PARAMETER, "version=%s: a version is 16 hexadecimal digits",
				    version);
		return NULL;
	}
	if (as_of != NULL) {
		if (!find_day(serve, reply, name, as_of, day_version))
			return NULL;
		version = day_version;
	}
	if (version != NULL) {
		if (as_of == NULL)
			serve_reply_pinned(reply);
		return open_version(serve, set, reply, name, version);
	}
	dataset = serve_set_dataset(set, name);
	if (dataset == NULL)
		serve_access_refuse(serve, request, reader, name, reply);
	else
		serve_reply_about(reply, dataset, false);
	return dataset;
}

const struct serve_dataset *serve_pick_version(struct serve *serve, const struct serve_request *request,
					       const struct serve_set *set, const struct serve_reader *reader,
					       struct serve_reply *reply, const char *name, const char *version)
{
	if (!is_allowed(serve, request, set, reader, reply, name))
		return NULL;
	if (!is_version(version)) {
		serve_reply_problem(reply, 400, FAULT_SERVE_PARAMETER, "%s: a version is 16 hexadecimal digits",
				    version);
		return NULL;
	}
	return open_version(serve, set, reply, name, version);
}
