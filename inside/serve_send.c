/* SPDX-License-Identifier: ISC
 *
 * serve_reply, sent: what HTTP asks of every answer alike (RFC 9110): conditions (13), ranges (14), codings (8.4), validators (8.8); and the
 * headers that every answer of ours has.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/serve_encode.h"
#include "inside/serve_history.h"
#include "inside/serve_reply_private.h"

/* What is shorter is not worth a coding: it goes in one packet. */
#define CODING_LEAST 1024
#define STREAM_BLOCK ((size_t)32 << 10)

static const char policy_page[] =
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/* Of data: whatever it is, a browser runs nothing in it. */
static const char policy_data[] = "default-src 'none'; sandbox; frame-ancestors 'none'";

struct plan {
	unsigned status;
	enum serve_coding coding;
	bool is_varying; /* another Accept-Encoding would get other bytes */
	uint64_t first, size;
};

/* --- what is to be sent ------------------------------------------------------------------------------------------------ */

static uint64_t whole_size(const struct serve_reply *reply)
{
	return reply->kind == SERVE_REPLY_FILE ? reply->file_size : reply->size;
}

static void choose_coding(const struct serve_reply *reply, struct plan *plan)
{
	bool is_long = reply->kind == SERVE_REPLY_STREAM || whole_size(reply) >= CODING_LEAST;

	plan->is_varying = is_long && serve_is_compressible(reply->type);
	if (plan->is_varying)
		plan->coding = serve_wanted_coding(reply->request->accept_encoding);
}

static void format_etag(const struct serve_reply *reply, enum serve_coding coding, char etag[SERVE_ETAG_SIZE + 12])
{
	snprintf(etag, SERVE_ETAG_SIZE + 12, "\"%s%s%s\"", reply->etag, coding == SERVE_IDENTITY ? "" : "-",
		 coding == SERVE_IDENTITY ? "" : serve_coding_name(coding));
}

/* RFC 9110, 13.2.2. A date counts only where it is the very one: after a rollback the older file is the new one. */
static bool has_it_already(const struct serve_reply *reply)
{
	const struct serve_request *request = reply->request;
	char etag[SERVE_ETAG_SIZE + 12];
	int64_t since;

	if (request->if_none_match[0] != '\0') {
		for (int coding = 0; reply->etag[0] != '\0' && coding < SERVE_N_CODINGS; coding++) {
			format_etag(reply, (enum serve_coding)coding, etag);
			if (serve_names_etag(request->if_none_match, etag))
				return true;
		}
		return false;
	}
	return reply->modified != 0 && request->if_modified_since[0] != '\0' &&
	       serve_parse_date(request->if_modified_since, &since) && since == reply->modified;
}

/* RFC 9110, 13.1.5: the strong comparison. */
static bool range_holds(const struct serve_reply *reply)
{
	const char *if_range = reply->request->if_range;
	char etag[SERVE_ETAG_SIZE + 12];
	int64_t date;

	if (if_range[0] == '\0')
		return true;
	if (if_range[0] == '"') {
		format_etag(reply, SERVE_IDENTITY, etag);
		return reply->etag[0] != '\0' && strcmp(if_range, etag) == 0;
	}
	return reply->modified != 0 && serve_parse_date(if_range, &date) && date == reply->modified;
}

/* A part of the plain bytes, never of encoded ones. */
static void choose_range(struct serve_reply *reply, struct plan *plan)
{
	char size[40];

	if (reply->kind != SERVE_REPLY_FILE || reply->request->range[0] == '\0' || !range_holds(reply))
		return;
	switch (serve_range_parse(reply->request->range, reply->file_size, &plan->first, &plan->size)) {
	case SERVE_RANGE_PART:
		plan->status = 206;
		plan->coding = SERVE_IDENTITY;
		return;
	case SERVE_RANGE_UNSATISFIABLE:
		snprintf(size, sizeof(size), "bytes */%" PRIu64, reply->file_size);
		serve_reply_header(reply, "Content-Range", size);
		serve_reply_problem(reply, 416, FAULT_SERVE_RANGE, "the file has %" PRIu64 " bytes", reply->file_size);
		*plan = (struct plan){.status = 416, .size = reply->size};
		return;
	case SERVE_RANGE_NONE:
		return;
	}
}

static void make_plan(struct serve_reply *reply, struct plan *plan)
{
	*plan = (struct plan){.status = reply->status};
	if (reply->kind == SERVE_REPLY_TEXT && reply->status == 200 && !reply->is_volatile && reply->etag[0] == '\0') {
		struct sha256 sha256;

		hash_bytes(reply->text, reply->size, &sha256);
		sha256_to_hex(&sha256, reply->etag);
	}
	plan->size = whole_size(reply);
	choose_coding(reply, plan);
	if (reply->status != 200)
		return;
	if (has_it_already(reply))
		plan->status = 304;
	else
		choose_range(reply, plan);
}

/* --- bodies ------------------------------------------------------------------------------------------------------------ */

static struct MHD_Response *from_memory(char *data, size_t size)
{
	return MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Response *from_body(struct serve_body *body)
{
	return MHD_create_response_from_buffer_with_free_callback_cls(body->size, body->data, serve_body_unref, body);
}

static ssize_t read_stream(void *ctx, uint64_t position, char *to, size_t size)
{
	struct serve_call *call = ctx;
	ssize_t n = call->more(call->ctx, to, size);

	(void)position;
	if (n > 0) {
		atomic_fetch_add(&call->streamed, (uint64_t)n);
		return n;
	}
	if (n == SERVE_STREAM_LATER)
		return serve_daemon_rest(call->serve->daemon, call->mhd) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
	return n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_stream(void *ctx)
{
	struct serve_call *call = ctx;

	if (call->done != NULL)
		call->done(call->ctx);
	if (call->is_encoding)
		serve_daemon_encoded(call->serve->daemon);
	serve_call_unref(call);
}

/* MORE, DONE and CTX become the call's. */
static struct MHD_Response *from_stream(struct serve_call *call, struct plan *plan, serve_more *more,
					void (*done)(void *ctx), void *ctx)
{
	if (plan->coding != SERVE_IDENTITY) {
		ctx = serve_encoder_new(plan->coding, more, done, ctx);
		more = serve_encoder_more;
		done = serve_encoder_free;
		call->is_encoding = true;
	}
	call->more = more;
	call->done = done;
	call->ctx = ctx;
	plan->size = 0;
	atomic_fetch_add(&call->refs, 1);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, call, end_stream);
}

static bool open_stored(struct serve_reply *reply)
{
	if (reply->fd < 0 && reply->stored != NULL)
		reply->fd = serve_dataset_open(reply->stored_of, reply->stored);
	return reply->fd >= 0;
}

/* A large file travelled compressed, and lies in the mirror so: then it need not be compressed again. NULL: it does not. */
static struct MHD_Response *from_blob(struct serve_call *call, struct plan *plan)
{
	const struct serve_reply *reply = &call->reply;
	uint64_t size = 0;
	int fd;

	if (reply->stored == NULL || plan->coding != SERVE_ZSTD)
		return NULL;
	fd = serve_history_open_blob(call->serve, reply->stored_of->name, reply->stored_of->version,
				     reply->stored->name, &size);
	/* Nothing is gained where it is not smaller. */
	if (fd >= 0 && size >= reply->file_size) {
		close(fd);
		return NULL;
	}
	plan->size = size;
	return fd < 0 ? NULL : MHD_create_response_from_fd_at_offset64(size, fd, 0);
}

/* A small file, as it is or encoded, out of memory; NULL where it cannot be read. */
static struct MHD_Response *from_small_file(struct serve_call *call, struct plan *plan)
{
	struct serve_reply *reply = &call->reply;
	struct serve_body *body = serve_cache_get(call->serve->cache, reply->etag, plan->coding);
	_cleanup_free_ char *plain = NULL, *encoded = NULL;
	size_t size = (size_t)reply->file_size;

	if (body == NULL) {
		plain = xmalloc(size + 1);
		if (!open_stored(reply) || fd_read_at(reply->fd, plain, size, 0) != (ssize_t)size)
			return NULL;
		encoded = serve_encode(plan->coding, plain, size, &size);
		if (encoded == NULL)
			plan->coding = SERVE_IDENTITY;
		body = serve_cache_put(call->serve->cache, reply->etag, plan->coding, encoded != NULL ? encoded : plain,
				       size);
	}
	plan->size = body->size;
	return from_body(body);
}

static struct MHD_Response *from_file(struct serve_call *call, struct plan *plan)
{
	struct serve_reply *reply = &call->reply;
	struct serve_file_source *source;
	struct MHD_Response *response;

	if (plan->status == 200 && reply->file_size <= LIMIT_SERVE_CACHED_FILE)
		return from_small_file(call, plan);
	response = from_blob(call, plan);
	if (response != NULL || !open_stored(reply))
		return response;
	if (plan->coding != SERVE_IDENTITY && !serve_daemon_may_encode(call->serve->daemon))
		plan->coding = SERVE_IDENTITY;
	if (plan->coding == SERVE_IDENTITY)
		return MHD_create_response_from_fd_at_offset64(plan->size, steal_fd(&reply->fd), plan->first);
	source = serve_file_source_new(steal_fd(&reply->fd));
	return from_stream(call, plan, serve_file_source_more, serve_file_source_free, source);
}

static struct MHD_Response *from_text(struct serve_call *call, struct plan *plan)
{
	struct serve_reply *reply = &call->reply;
	size_t size = reply->size;
	const char *text = reply->shared != NULL ? reply->shared->data : reply->text;
	char *encoded = serve_encode(plan->coding, text, size, &size);

	plan->size = size;
	if (encoded != NULL)
		return from_memory(encoded, size);
	plan->coding = SERVE_IDENTITY;
	return reply->shared != NULL ? from_body(steal_pointer(&reply->shared))
				     : from_memory(steal_pointer(&reply->text), size);
}

static struct MHD_Response *make_body(struct serve_call *call, struct plan *plan)
{
	struct serve_reply *reply = &call->reply;
	struct MHD_Response *response;

	if (plan->status == 304) {
		plan->size = 0;
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	switch (reply->kind) {
	case SERVE_REPLY_FILE:
		return from_file(call, plan);
	case SERVE_REPLY_STREAM:
		if (plan->coding != SERVE_IDENTITY && !serve_daemon_may_encode(call->serve->daemon))
			plan->coding = SERVE_IDENTITY;
		response = from_stream(call, plan, reply->more, reply->done, reply->ctx);
		reply->kind = SERVE_REPLY_NONE;
		reply->done = NULL;
		return response;
	case SERVE_REPLY_TEXT:
	case SERVE_REPLY_NONE:
		break;
	}
	return from_text(call, plan);
}

/* --- headers ----------------------------------------------------------------------------------------------------------- */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_warning("an answer's header %s is left out", name);
}

static void add_validators(const struct serve_reply *reply, const struct plan *plan, struct MHD_Response *response)
{
	char etag[SERVE_ETAG_SIZE + 12], date[SERVE_DATE_SIZE];

	if (reply->etag[0] != '\0' && !reply->is_volatile) {
		format_etag(reply, plan->coding, etag);
		add(response, "ETag", etag);
	}
	if (reply->modified != 0) {
		serve_format_date(reply->modified, date);
		add(response, "Last-Modified", date);
	}
}

static void add_caching(const struct serve_call *call, const struct plan *plan, struct MHD_Response *response)
{
	const struct serve_reply *reply = &call->reply;
	bool negotiates = call->route != NULL && (call->route->html != NULL || strchr(call->route->types, ' ') != NULL);
	const char *vary = plan->is_varying && negotiates ? "Accept, Accept-Encoding"
			   : plan->is_varying             ? "Accept-Encoding"
			   : negotiates                   ? "Accept"
							  : NULL;

	if (vary != NULL)
		add(response, "Vary", vary);
	if (reply->is_volatile || plan->status >= 400)
		add(response, "Cache-Control", "no-store");
	else if (reply->is_pinned)
		add(response, "Cache-Control",
		    reply->is_private ? "private, max-age=31536000, immutable" : "public, max-age=31536000, immutable");
	else
		add(response, "Cache-Control", reply->is_private ? "private, no-cache" : "no-cache");
}

static void add_set(const struct serve_call *call, struct MHD_Response *response)
{
	char text[32];

	if (call->set == NULL)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, call->set->generation);
	add(response, "Clapet-Generation", text);
	if (call->reply.about != NULL)
		add(response, "Clapet-Version", call->reply.about->version);
	if (call->request.generation == 0)
		return;
	notation_format_time(call->set->kept_until, text);
	add(response, "Clapet-Kept-Until", text);
}

static void add_headers(const struct serve_call *call, const struct plan *plan, struct MHD_Response *response)
{
	const struct serve_reply *reply = &call->reply;
	bool is_page = reply->kind == SERVE_REPLY_TEXT && strncmp(reply->type, "text/html", 9) == 0;
	char text[80];

	if (plan->status != 304)
		add(response, "Content-Type", reply->type);
	if (plan->coding != SERVE_IDENTITY && plan->status != 304)
		add(response, "Content-Encoding", serve_coding_name(plan->coding));
	if (plan->status == 206) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, plan->first,
			 plan->first + plan->size - 1, reply->file_size);
		add(response, "Content-Range", text);
	}
	if (reply->kind == SERVE_REPLY_FILE && plan->coding == SERVE_IDENTITY)
		add(response, "Accept-Ranges", "bytes");
	add_validators(reply, plan, response);
	add_caching(call, plan, response);
	add_set(call, response);
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Referrer-Policy", "no-referrer");
	add(response, "Content-Security-Policy", is_page ? policy_page : policy_data);
	for (size_t i = 0; i < reply->n_headers; i++)
		add(response, reply->headers[i].name, reply->headers[i].value);
	/* What follows a body that nobody reads would be taken for the next request. */
	if (call->has_body)
		add(response, "Connection", "close");
}

static void note_outcome(struct serve_call *call, const struct plan *plan)
{
	call->outcome.status = plan->status;
	call->outcome.encoding = serve_coding_name(plan->coding);
	call->outcome.bytes = call->request.method == SERVE_HEAD ? 0 : plan->size;
}

/* What of a stored file the headers are made of; false: its answer is not one that is kept. */
static bool answer_key(const struct serve_call *call, const struct plan *plan, struct serve_answer_key *key)
{
	const struct serve_reply *reply = &call->reply;

	if (reply->kind != SERVE_REPLY_FILE || reply->stored == NULL || plan->status != 200 || reply->n_headers > 0 ||
	    reply->is_volatile || call->has_body || reply->about == NULL || reply->file_size > LIMIT_SERVE_CACHED_FILE)
		return false;
	memset(key, 0, sizeof(*key));
	key->generation = call->set->generation;
	key->modified = reply->modified;
	key->type = reply->type;
	memcpy(key->version, reply->about->version, sizeof(key->version));
	key->is_pinned = reply->is_pinned;
	key->is_private = reply->is_private;
	key->negotiates = call->route != NULL && call->route->html != NULL;
	key->names_generation = call->request.generation != 0;
	return true;
}

static enum MHD_Result send_made(struct serve_call *call, struct plan *plan, struct MHD_Connection *connection)
{
	struct serve_reply *reply = &call->reply;
	struct MHD_Response *response;
	struct serve_answer_key key;
	enum MHD_Result result;

	response = make_body(call, plan);
	if (response == NULL) {
		log_warning("%s: an answer cannot be read or held", call->request.path);
		serve_reply_problem(reply, 503, FAULT_SERVE_TROUBLE, "the answer cannot be read or held");
		*plan = (struct plan){.status = 503};
		response = from_text(call, plan);
	}
	if (response == NULL)
		return MHD_NO;
	add_headers(call, plan, response);
	note_outcome(call, plan);
	result = MHD_queue_response(connection, plan->status, response);
	if (answer_key(call, plan, &key))
		serve_cache_keep(call->serve->cache, reply->etag, plan->coding, &key, response);
	else
		MHD_destroy_response(response);
	return result;
}

enum MHD_Result serve_send(struct serve_call *call, struct MHD_Connection *connection)
{
	struct serve_answer_key key;
	struct plan plan;
	size_t size;

	make_plan(&call->reply, &plan);
	call->mhd = connection;
	call->is_answered = true;
	if (!answer_key(call, &plan, &key) ||
	    !serve_cache_send(call->serve->cache, call->reply.etag, plan.coding, &key, connection, &size))
		return send_made(call, &plan, connection);
	plan.size = size;
	note_outcome(call, &plan);
	return MHD_YES;
}
