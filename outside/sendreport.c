/* SPDX-License-Identifier: ISC
 *
 * sendreport: reports are written and never read again by us.
 */
#include "outside/sendreport.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, json_or_die(value)) < 0)
		die("out of memory");
}

static json_t *file_name(const char *path)
{
	const char *last = strrchr(path, '/');
	json_t *name = json_string(last == NULL ? path : last + 1);

	/* A name that is not UTF-8. */
	return name != NULL ? name : json_string("?");
}

static json_t *time_or_null(int64_t seconds)
{
	return seconds == 0 ? json_null() : json_time(seconds);
}

void sendreport_set_counts(json_t *object, const struct sendline_counts *counts)
{
	set(object, "packets", json_integer((json_int_t)counts->packets));
	set(object, "bytes", json_integer((json_int_t)counts->bytes));
	set(object, "wireBytes", json_integer((json_int_t)counts->wire_bytes));
	set(object, "lost", json_integer((json_int_t)counts->lost));
}

json_t *sendreport_object(const struct send_object *object)
{
	json_t *json = json_or_die(json_object()), *files = json_or_die(json_array());

	for (size_t i = 0; i < object->n_sources; i++)
		json_array_append_new(files, json_or_die(file_name(object->sources[i].name)));
	set(json, "files", files);
	set(json, "content", json_string(object->content == LINK_CONTENT_PACK ? "pack" : "file"));
	set(json, "sha256", json_hash(&object->sha256));
	set(json, "size", json_integer((json_int_t)object->size));
	set(json, "version", object->version == 0 ? json_null() : json_integer((json_int_t)object->version));
	set(json, "generations", json_integer(object->geometry.n_generations));
	set(json, "symbolSize", json_integer(object->geometry.symbol_size));
	set(json, "cycles", json_integer(object->cycle));
	set(json, "came", time_or_null(object->came));
	set(json, "firstSent", time_or_null(object->first_sent));
	set(json, "lastSent", time_or_null(object->last_sent));
	sendreport_set_counts(json, &object->counts);
	return json;
}

json_t *sendreport_new(const struct send_session *session, json_t *objects)
{
	char id[2 * LINK_ID_SIZE + 1], session_id[2 * LINK_SESSION_SIZE + 1];
	json_t *json = json_or_die(json_object());

	notation_hex(session->link_id, LINK_ID_SIZE, id);
	notation_hex(session->id, LINK_SESSION_SIZE, session_id);
	set(json, "format", json_string("clapet send report 1"));
	set(json, "to", json_string(session->profile->to));
	set(json, "link", json_string(id));
	set(json, "session", json_string(session_id));
	set(json, "started", json_time((int64_t)(session->started / 1000)));
	set(json, "written", json_time(time(NULL)));
	set(json, "rate", json_integer((json_int_t)session->profile->rate));
	set(json, "repair", json_integer((json_int_t)session->profile->repair));
	set(json, "objects", objects);
	return json;
}

char *sendreport_text(json_t *object)
{
	char *dump = json_dumps(object, JSON_INDENT(2)), *text;

	if (dump == NULL)
		die("out of memory");
	text = xasprintf("%s\n", dump);
	free(dump);
	json_decref(object);
	return text;
}
