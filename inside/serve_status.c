/* SPDX-License-Identifier: ISC
 *
 * serve_status: what was asked and answered, for machines that watch: /metrics (Prometheus, text format 0.0.4), /status, /healthz.
 */
#include "inside/serve_status.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/serve_daemon.h"
#include "inside/serve_kept.h"
#include "inside/serve_reply.h"
#include "inside/serve_set.h"

/* Routes, and one more for what fitted none. */
#define ROUTES_MAX 63
/* Statuses of ours: 200 to 599, by their place in this list; the last is any other. */
static const unsigned statuses[] = {200, 206, 304, 400, 401, 403, 404, 405, 406, 410, 413, 414, 416, 429, 500, 503, 0};
#define N_STATUSES ARRAY_SIZE(statuses)

struct serve_counts {
	_Atomic uint64_t requests[ROUTES_MAX + 1][N_STATUSES];
	_Atomic uint64_t bytes[ROUTES_MAX + 1];
	_Atomic uint64_t microseconds[ROUTES_MAX + 1];
	_Atomic uint64_t broken; /* answers that were not sent to their end */
};

struct serve_counts *serve_counts_new(void)
{
	return xcalloc(1, sizeof(struct serve_counts));
}

static size_t place_of(const struct serve_route *route)
{
	size_t place = route == NULL ? ROUTES_MAX : (size_t)(route - serve_routes());

	return place < ROUTES_MAX ? place : ROUTES_MAX;
}

void serve_count(struct serve *serve, const struct serve_route *route, const struct serve_outcome *outcome)
{
	struct serve_counts *counts = serve->counts;
	size_t place = place_of(route), status = 0;

	while (statuses[status] != 0 && statuses[status] != outcome->status)
		status++;
	atomic_fetch_add_explicit(&counts->requests[place][status], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->bytes[place], outcome->bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->microseconds[place], (uint64_t)outcome->microseconds, memory_order_relaxed);
	if (!outcome->is_complete)
		atomic_fetch_add_explicit(&counts->broken, 1, memory_order_relaxed);
}

/* --- what the store says ----------------------------------------------------------------------------------------------- */

static int64_t time_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t time = 0;

	return text != NULL && notation_parse_time(text, &time) ? time : 0;
}

void serve_health(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		  const struct serve_reader *reader, struct serve_reply *reply)
{
	char *text = xasprintf("ok\n");

	(void)serve, (void)request, (void)set, (void)reader;
	serve_reply_text(reply, 200, "text/plain; charset=utf-8", text, strlen(text));
	serve_reply_volatile(reply);
}

/* What of status.json a reader may know: of the datasets that it may see alone. */
static json_t *visible_datasets(const struct serve_reader *reader, const json_t *status)
{
	static const char *const keys[] = {"name",        "state",     "version", "date",  "title", "rows",
					   "lastChecked", "succeeded", "maxAge",  "stale", NULL};
	const json_t *datasets = json_object_get(status, "datasets");
	json_t *array = json_array();

	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i);
		const char *name = json_string_value(json_object_get(dataset, "name"));
		json_t *object;

		if (name == NULL || !serve_access_may_see(reader, name))
			continue;
		object = json_object();
		for (size_t j = 0; keys[j] != NULL; j++)
			if (json_object_get(dataset, keys[j]) != NULL)
				json_object_set(object, keys[j], json_object_get(dataset, keys[j]));
		json_array_append_new(array, object);
	}
	return array;
}

void serve_status(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		  const struct serve_reader *reader, struct serve_reply *reply)
{
	_cleanup_(json_decrefp) json_t *status = serve_kept_status(serve);
	json_t *root = json_or_die(json_pack("{ss sI so sI}", "format", "clapet serve status 1", "generation",
					     (json_int_t)set->generation, "created",
					     set->created == 0 ? json_null() : json_time(set->created), "age",
					     (json_int_t)(set->created == 0 ? 0 : serve_now() - set->created)));
	json_t *trust = json_object_get(status, "trust"), *heard = json_object_get(status, "heard");

	(void)request;
	/* It names every dataset. */
	json_object_del(trust, "roles");
	json_object_set(root, "heard", json_is_string(heard) ? heard : json_null());
	json_object_set(root, "trust", trust == NULL ? json_null() : trust);
	json_object_set_new(root, "datasets", visible_datasets(reader, status));
	serve_reply_json(reply, 200, root);
	serve_reply_volatile(reply);
}

/* --- Prometheus -------------------------------------------------------------------------------------------------------- */

static void head(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP clapet_serve_%s %s\n# TYPE clapet_serve_%s %s\n", name, help, name, type);
}

static void one(FILE *file, const char *name, const char *type, const char *help, int64_t value)
{
	head(file, name, type, help);
	fprintf(file, "clapet_serve_%s %" PRId64 "\n", name, value);
}

static const char *route_name(size_t place)
{
	return place == ROUTES_MAX ? "none" : serve_routes()[place].pattern;
}

static bool is_route(size_t place)
{
	const struct serve_route *all = serve_routes();

	for (size_t i = 0; place < ROUTES_MAX && i <= place; i++)
		if (all[i].pattern == NULL)
			return false;
	return true;
}

static void write_requests(FILE *file, const struct serve_counts *counts)
{
	head(file, "requests_total", "counter", "answers by address and status");
	for (size_t place = 0; place <= ROUTES_MAX; place++) {
		for (size_t i = 0; is_route(place) && i < N_STATUSES; i++) {
			uint64_t n = atomic_load_explicit(&counts->requests[place][i], memory_order_relaxed);

			if (n > 0)
				fprintf(file, "clapet_serve_requests_total{route=\"%s\",status=\"%u\"} %" PRIu64 "\n",
					route_name(place), statuses[i], n);
		}
	}
	head(file, "response_bytes_total", "counter", "bytes of bodies that were sent");
	for (size_t place = 0; place <= ROUTES_MAX; place++)
		if (is_route(place) && atomic_load(&counts->bytes[place]) > 0)
			fprintf(file, "clapet_serve_response_bytes_total{route=\"%s\"} %" PRIu64 "\n",
				route_name(place), atomic_load(&counts->bytes[place]));
	head(file, "response_seconds_total", "counter", "time from a request's first line to its answer's last byte");
	for (size_t place = 0; place <= ROUTES_MAX; place++)
		if (is_route(place) && atomic_load(&counts->microseconds[place]) > 0)
			fprintf(file, "clapet_serve_response_seconds_total{route=\"%s\"} %.6f\n", route_name(place),
				(double)atomic_load(&counts->microseconds[place]) / 1e6);
}

static void write_connections(FILE *file, const struct serve *serve)
{
	struct serve_connection_counts connections = serve_daemon_connections(serve);

	one(file, "connections", "gauge", "connections that are open", (int64_t)connections.now);
	one(file, "connections_total", "counter", "connections that were accepted", (int64_t)connections.all);
	one(file, "connections_refused_total", "counter", "connections past a bound", (int64_t)connections.turned_away);
	one(file, "connections_cut_head_total", "counter", "connections cut off: no request in time",
	    (int64_t)connections.cut_head);
	one(file, "connections_cut_pace_total", "counter", "connections cut off: an answer that was taken too slowly",
	    (int64_t)connections.cut_pace);
	one(file, "answering", "gauge", "requests that are being answered", (int64_t)serve_daemon_answering(serve));
	one(file, "broken_total", "counter", "answers that were not taken to their end",
	    (int64_t)atomic_load(&serve->counts->broken));
	one(file, "access_log_lost_total", "counter", "lines of the access log that could not be written",
	    (int64_t)serve_access_lost(serve));
}

static void write_store(FILE *file, const struct serve *serve, const struct serve_set *set)
{
	_cleanup_(json_decrefp) json_t *status = serve_kept_status(serve);
	const json_t *datasets = json_object_get(status, "datasets");
	int64_t now = serve_now(), heard = time_of(status, "heard");
	size_t n_stale = 0, n_held = 0;

	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i);
		const char *state = json_string_value(json_object_get(dataset, "state"));

		n_stale += json_is_true(json_object_get(dataset, "stale"));
		n_held += state != NULL && strcmp(state, "held") == 0;
	}
	one(file, "generation", "gauge", "the generation that is current", (int64_t)set->generation);
	one(file, "generation_age_seconds", "gauge", "how long ago it was made",
	    set->created == 0 ? 0 : now - set->created);
	one(file, "datasets", "gauge", "datasets in it", (int64_t)set->n_datasets);
	one(file, "datasets_stale", "gauge", "datasets that are older than they may be", (int64_t)n_stale);
	one(file, "datasets_held", "gauge", "datasets of which a newer version waits for a person", (int64_t)n_held);
	if (heard != 0)
		one(file, "heard_age_seconds", "gauge", "how long ago the outside was heard last", now - heard);
	one(file, "start_time_seconds", "gauge", "when this server started", serve->started);
}

void serve_metrics(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader, struct serve_reply *reply)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	(void)request, (void)reader;
	if (file == NULL)
		die_errno("open_memstream");
	write_store(file, serve, set);
	write_connections(file, serve);
	write_requests(file, serve->counts);
	if (fclose(file) != 0)
		die_errno("open_memstream");
	serve_reply_text(reply, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
	serve_reply_volatile(reply);
}
