/* SPDX-License-Identifier: ISC
 *
 * serve_rows: see serve_rows.h. The first piece of an answer is made before it begins, so that what cannot be answered is said in a status;
 * an answer of one piece has a length and an ETag of its bytes, a longer one is made while it is sent.
 */
#include "inside/serve_rows.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/rowsanswer.h"
#include "inside/serve_access.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"

/* Microseconds that one call may take of a thread which others wait for: before the answer begins, and later between two pieces. */
#define FIRST_TIME 500000
#define LATER_TIME 100000

/* --- the database of a version --------------------------------------------------------------------------------------- */

struct attached_pool {
	struct serve_attached base;
	struct rows_pool *pool;
};

static void free_attached(struct serve_attached *attached)
{
	struct attached_pool *held = (struct attached_pool *)attached;

	rows_pool_free(held->pool);
	free(held);
}

void serve_rows_init(void)
{
	rows_pool_init();
}

void serve_rows_refuse(struct serve_reply *reply, const struct refusal *why)
{
	switch (why->fault) {
	case FAULT_ROWS_QUERY:
	case FAULT_ROWS_LIMIT:
	case FAULT_DIFF_QUERY:
		serve_reply_problem(reply, 400, why->fault, "%s", why->line);
		return;
	default:
		log_refusal(why);
		serve_reply_problem(reply, 503, why->fault, "%s", why->line);
		return;
	}
}

/* Whether it is still to come, or nobody wants one. */
static void refuse_absent(const struct serve *serve, const struct serve_dataset *dataset, struct serve_reply *reply)
{
	bool is_wanted = config_rows_wants(&serve->config->rows, dataset->name);

	if (is_wanted)
		serve_reply_header(reply, "Retry-After", "300");
	serve_reply_problem(
		reply, is_wanted ? 503 : 404, FAULT_ROWS_ABSENT,
		is_wanted ? "rows of %s, version %s, are not built yet: the next import does, or "
			    "`clapet-inside rows %s` on the host; the files are at /datasets/%s"
			  : "rows of %s, version %s, are not kept: \"rows\" in the host's configuration is off "
			    "for %s; the files are at /datasets/%s",
		dataset->name, dataset->version, dataset->name, dataset->name);
}

struct rows_pool *serve_rows_pool(struct serve *serve, const struct serve_dataset *dataset, struct serve_reply *reply)
{
	/* The one member that changes after the dataset was made. */
	_Atomic(struct serve_attached *) *slot = (_Atomic(struct serve_attached *) *)(uintptr_t)&dataset->rows;
	struct serve_attached *held = atomic_load(slot), *expected = NULL;
	struct attached_pool *added;
	struct rows_pool *pool = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (held != NULL)
		return ((struct attached_pool *)held)->pool;
	if (rows_pool_open(serve->store_fd, dataset->name, dataset->version, &pool, &why) != FAULT_NONE) {
		if (why.fault == FAULT_ROWS_ABSENT)
			refuse_absent(serve, dataset, reply);
		else
			serve_rows_refuse(reply, &why);
		return NULL;
	}
	added = xcalloc(1, sizeof(*added));
	added->base.free = free_attached;
	added->pool = pool;
	if (atomic_compare_exchange_strong(slot, &expected, &added->base))
		return pool;
	/* Another thread was quicker. */
	free_attached(&added->base);
	return ((struct attached_pool *)expected)->pool;
}

/* --- what is asked for ----------------------------------------------------------------------------------------------- */

/* The form: `for=tableur`, `format=…`, or what the reader accepts best; of equals CSV. */
static enum fault choose_format(const struct serve_request *request, enum rows_format *ret_format, struct refusal *why)
{
	static const struct {
		const char *name, *type;
		enum rows_format format;
	} forms[] = {{"csv", "text/csv", ROWS_CSV},
		     {"json", "application/json", ROWS_JSON},
		     {"ndjson", "application/x-ndjson", ROWS_NDJSON}};
	const char *format = serve_param(request, "format"), *audience = serve_param(request, "for");
	unsigned best = 0;

	if (audience != NULL && (strcmp(audience, "tableur") != 0 || (format != NULL && strcmp(format, "csv") != 0)))
		return refuse(why, FAULT_ROWS_QUERY, "for may be \"tableur\", which is a CSV");
	if (audience != NULL) {
		*ret_format = ROWS_TABLEUR;
		return FAULT_NONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		unsigned quality = serve_accepts(request->accept, forms[i].type);

		if (format != NULL ? strcmp(format, forms[i].name) == 0 : quality > best) {
			*ret_format = forms[i].format;
			best = format != NULL ? 1000 : quality;
		}
	}
	if (best == 0 && format != NULL)
		return refuse(why, FAULT_ROWS_QUERY, "format is csv, json or ndjson");
	return best > 0
		       ? FAULT_NONE
		       : refuse(why, FAULT_SERVE_ACCEPT, "rows are text/csv, application/json or application/x-ndjson");
}

static const struct rows_catalog_table *find_table(struct rows_pool *pool, const struct serve_dataset *dataset,
						   const char *resource, struct serve_reply *reply)
{
	const struct rows_catalog *catalog = rows_pool_catalog(pool);
	const struct rows_catalog_table *table = rows_catalog_table(catalog, resource);
	struct rows_text names = {NULL, 0, 0};

	if (table != NULL)
		return table;
	for (size_t i = 0; i < catalog->n_tables && names.size < 200; i++) {
		rows_text_add(&names, i == 0 ? " " : ", ", i == 0 ? 1 : 2);
		rows_text_add(&names, catalog->tables[i].resource, strlen(catalog->tables[i].resource));
	}
	serve_reply_problem(reply, 404, FAULT_SERVE_NO_FILE, "%s %s has no table %s; it has%.*s", dataset->name,
			    dataset->version, resource, (int)names.size, names.size == 0 ? "" : names.data);
	free(names.data);
	return NULL;
}

static enum fault parse(const struct serve_request *request, const struct serve_reader *reader,
			const struct serve_dataset *dataset, const struct rows_catalog_table *table,
			struct rows_query **ret_query, struct refusal *why)
{
	static const char *const others[] = {"format", "for", "version", "asOf", NULL};
	const char *value = NULL, *column = serve_access_row_filter(reader, dataset->name, table->resource, &value);
	_cleanup_(rows_query_freep) struct rows_query *query = NULL;
	enum fault fault = rows_query_parse(table, request->params, request->n_params, others, &query, why);

	if (fault == FAULT_NONE && column != NULL)
		fault = rows_query_restrict(query, column, value, why);
	if (fault == FAULT_NONE)
		*ret_query = steal_pointer(&query);
	return fault;
}

/* --- the answer ------------------------------------------------------------------------------------------------------ */

struct stream {
	struct rows_answer *answer;
	struct serve_reply *reply;
};

static void free_stream(void *ctx)
{
	struct stream *stream = ctx;

	rows_answer_free(stream->answer);
	free(stream);
}

/* Works until there is something to send, at most for TIME. */
static enum fault work(struct rows_answer *answer, int64_t time, size_t *ret_size, struct refusal *why)
{
	int64_t until = rows_ticks() + time;
	enum fault fault = FAULT_NONE;

	for (;;) {
		rows_answer_bytes(answer, ret_size);
		if (*ret_size > 0 || rows_answer_has_ended(answer) || rows_ticks() > until)
			return FAULT_NONE;
		if ((fault = rows_answer_work(answer, why)) != FAULT_NONE)
			return fault;
	}
}

static ssize_t more(void *ctx, char *to, size_t size)
{
	struct stream *stream = ctx;
	struct refusal why = {FAULT_NONE, ""};
	const char *bytes;
	size_t n;

	if (work(stream->answer, LATER_TIME, &n, &why) != FAULT_NONE) {
		log_refusal(&why);
		return SERVE_STREAM_ERROR;
	}
	if (n == 0)
		return rows_answer_has_ended(stream->answer) ? 0 : SERVE_STREAM_LATER;
	bytes = rows_answer_bytes(stream->answer, &n);
	n = n < size ? n : size;
	memcpy(to, bytes, n);
	rows_answer_take(stream->answer, n);
	serve_reply_add_rows(stream->reply, rows_answer_new_rows(stream->answer));
	return (ssize_t)n;
}

/* Of the version, and of what was asked: the same until the rows are others. */
static void make_etag(const struct serve_dataset *dataset, const struct rows_query *query, enum rows_format format,
		      char etag[64])
{
	struct sha256 digest;
	char hex[SHA256_HEX_SIZE];

	rows_query_digest(query, &digest);
	sha256_to_hex(&digest, hex);
	snprintf(etag, 64, "%s-%.24s-%d", dataset->version, hex, (int)format);
}

static void send_answer(struct serve_reply *reply, struct rows_answer *answer, enum rows_format format,
			const char *etag)
{
	struct stream *stream;
	size_t size;
	const char *bytes = rows_answer_bytes(answer, &size);
	char *text;

	if (rows_answer_has_ended(answer)) {
		text = xmalloc(size + 1);
		memcpy(text, bytes, size);
		serve_reply_text(reply, 200, rows_format_type(format), text, size);
		serve_reply_add_rows(reply, rows_answer_new_rows(answer));
		rows_answer_free(answer);
	} else {
		stream = xcalloc(1, sizeof(*stream));
		stream->answer = answer;
		stream->reply = reply;
		serve_reply_stream(reply, rows_format_type(format), more, free_stream, stream);
	}
	serve_reply_etag(reply, etag);
}

static enum fault answer(struct rows_pool *pool, struct rows_query *query, enum rows_format format,
			 struct rows_answer **ret_answer, struct refusal *why)
{
	_cleanup_(rows_answer_freep) struct rows_answer *answer = NULL;
	size_t size;
	enum fault fault = rows_answer_begin(pool, query, format, &answer, why);

	if (fault == FAULT_NONE)
		fault = work(answer, FIRST_TIME, &size, why);
	if (fault == FAULT_NONE)
		*ret_answer = steal_pointer(&answer);
	return fault;
}

static void attach_name(struct serve_reply *reply, const char *resource)
{
	_cleanup_free_ char *value = xasprintf("attachment; filename=\"%s.csv\"", resource);

	serve_reply_header(reply, "Content-Disposition", value);
}

void serve_rows(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);
	const char *resource = request->segments[2];
	const struct rows_catalog_table *table = NULL;
	struct rows_answer *rows = NULL;
	struct rows_query *query = NULL;
	struct rows_pool *pool = dataset == NULL ? NULL : serve_rows_pool(serve, dataset, reply);
	struct refusal why = {FAULT_NONE, ""};
	enum rows_format format = ROWS_CSV;
	char etag[64];

	if (pool != NULL)
		table = find_table(pool, dataset, resource, reply);
	if (table == NULL)
		return;
	if (choose_format(request, &format, &why) != FAULT_NONE) {
		serve_reply_problem(reply, why.fault == FAULT_SERVE_ACCEPT ? 406 : 400, why.fault, "%s", why.line);
		return;
	}
	if (parse(request, reader, dataset, table, &query, &why) == FAULT_NONE)
		make_etag(dataset, query, format, etag);
	if (why.fault != FAULT_NONE || answer(pool, query, format, &rows, &why) != FAULT_NONE) {
		serve_rows_refuse(reply, &why);
		return;
	}
	send_answer(reply, rows, format, etag);
	serve_reply_header(reply, "Vary", "Accept");
	if (format == ROWS_TABLEUR)
		attach_name(reply, resource);
}

void serve_rows_file(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		     const struct serve_reader *reader, struct serve_reply *reply)
{
	const struct serve_dataset *dataset = serve_pick(serve, request, set, reader, reply, request->segments[1]);
	_cleanup_close_ int fd = -1;
	const char *value;
	char etag[64];
	struct stat st;

	if (dataset == NULL)
		return;
	if (serve_access_row_filter(reader, dataset->name, NULL, &value) != NULL) {
		serve_reply_problem(reply, 403, FAULT_SERVE_NO_FILE,
				    "this view gives some rows, not the file: ask /datasets/%s/RESOURCE",
				    dataset->name);
		return;
	}
	fd = store_open_rows(serve->store_fd, dataset->name, dataset->version);
	if (fd == -ENOENT) {
		refuse_absent(serve, dataset, reply);
		return;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		serve_reply_problem(reply, 503, FAULT_SERVE_TROUBLE, "rows of %s %s: %s", dataset->name,
				    dataset->version, strerror(fd < 0 ? -fd : errno));
		return;
	}
	/* One that was built again has the same rows, and may have other bytes. */
	snprintf(etag, sizeof(etag), "%s-rows-%jx", dataset->version, (uintmax_t)st.st_mtim.tv_sec);
	serve_reply_file(reply, steal_fd(&fd), (uint64_t)st.st_size, "application/vnd.sqlite3", etag,
			 st.st_mtim.tv_sec);
}
