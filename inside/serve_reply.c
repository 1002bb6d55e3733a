/* SPDX-License-Identifier: ISC
 *
 * serve_reply: see serve_reply.h.
 */
#include "inside/serve_reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/html.h"
#include "bundle/json.h"
#include "inside/serve_encode.h"
#include "inside/serve_reply_private.h"

/* Where explanations of our codes are; a name, not an address that is fetched. */
#define PROBLEM_TYPE "urn:clapet:problem:E%04d"

void serve_reply_init(struct serve_reply *reply, const struct serve_request *request)
{
	memset(reply, 0, sizeof(*reply));
	reply->fd = -1;
	reply->request = request;
}

/* Drops the answer, not what it is about. */
static void drop(struct serve_reply *reply)
{
	free(steal_pointer(&reply->text));
	serve_body_unref(reply->shared);
	reply->shared = NULL;
	cleanup_close(&reply->fd);
	reply->fd = -1;
	reply->stored = NULL;
	if (reply->kind == SERVE_REPLY_STREAM && reply->done != NULL)
		reply->done(reply->ctx);
	reply->done = NULL;
	reply->kind = SERVE_REPLY_NONE;
	reply->etag[0] = '\0';
	reply->modified = 0;
}

void serve_reply_clear(struct serve_reply *reply)
{
	drop(reply);
	for (size_t i = 0; i < reply->n_headers; i++) {
		free(reply->headers[i].name);
		free(reply->headers[i].value);
	}
	for (size_t i = 0; i < reply->n_kept; i++)
		serve_dataset_unref(reply->kept[i]);
	reply->n_headers = reply->n_kept = 0;
}

bool serve_reply_is_set(const struct serve_reply *reply)
{
	return reply->kind != SERVE_REPLY_NONE;
}

void serve_reply_text(struct serve_reply *reply, unsigned status, const char *type, char *text, size_t size)
{
	drop(reply);
	reply->kind = SERVE_REPLY_TEXT;
	reply->status = status;
	reply->type = type;
	reply->text = text;
	reply->size = size;
}

void serve_reply_shared(struct serve_reply *reply, const char *type, struct serve_body *body)
{
	serve_reply_text(reply, 200, type, NULL, body->size);
	reply->shared = body;
	snprintf(reply->etag, sizeof(reply->etag), "%s", body->digest);
}

char *serve_json_text(json_t *json)
{
	_cleanup_free_ char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);

	json_decref(json);
	if (text == NULL)
		die("out of memory");
	return xasprintf("%s\n", text);
}

void serve_reply_json_as(struct serve_reply *reply, unsigned status, const char *type, json_t *json)
{
	char *text = serve_json_text(json);

	serve_reply_text(reply, status, type, text, strlen(text));
}

void serve_reply_json(struct serve_reply *reply, unsigned status, json_t *json)
{
	serve_reply_json_as(reply, status, "application/json", json);
}

void serve_reply_file(struct serve_reply *reply, int fd, uint64_t size, const char *type, const char *etag,
		      int64_t modified)
{
	drop(reply);
	reply->kind = SERVE_REPLY_FILE;
	reply->status = 200;
	reply->type = type;
	reply->fd = fd;
	reply->file_size = size;
	snprintf(reply->etag, sizeof(reply->etag), "%s", etag);
	reply->modified = modified;
}

void serve_reply_stored(struct serve_reply *reply, const struct serve_dataset *dataset, const struct serve_file *file)
{
	char hex[SHA256_HEX_SIZE];

	serve_reply_file(reply, -1, file->size, file->type, serve_file_hash(dataset, file, hex) ? hex : "",
			 file->modified);
	reply->stored_of = dataset;
	reply->stored = file;
}

void serve_reply_stream(struct serve_reply *reply, const char *type, serve_more *more, void (*done)(void *ctx),
			void *ctx)
{
	drop(reply);
	reply->kind = SERVE_REPLY_STREAM;
	reply->status = 200;
	reply->type = type;
	reply->more = more;
	reply->done = done;
	reply->ctx = ctx;
}

void serve_reply_header(struct serve_reply *reply, const char *name, const char *value)
{
	char *copy, *to;

	if (reply->n_headers == SERVE_REPLY_HEADERS) {
		log_warning("an answer's header %s is left out: more than %d", name, SERVE_REPLY_HEADERS);
		return;
	}
	copy = to = xstrdup(value);
	for (const char *from = value; *from != '\0'; from++)
		if ((unsigned char)*from >= ' ' && *from != 0x7f)
			*to++ = *from;
	*to = '\0';
	reply->headers[reply->n_headers].name = xstrdup(name);
	reply->headers[reply->n_headers++].value = copy;
}

void serve_reply_etag(struct serve_reply *reply, const char *etag)
{
	snprintf(reply->etag, sizeof(reply->etag), "%s", etag);
}

void serve_reply_volatile(struct serve_reply *reply)
{
	reply->is_volatile = true;
}

void serve_reply_private(struct serve_reply *reply)
{
	reply->is_private = true;
}

void serve_reply_pinned(struct serve_reply *reply)
{
	reply->is_pinned = true;
}

void serve_reply_add_rows(struct serve_reply *reply, uint64_t n)
{
	atomic_fetch_add(&reply->rows, n);
}

void serve_reply_about(struct serve_reply *reply, const struct serve_dataset *dataset, bool is_taken)
{
	if (is_taken && reply->n_kept == SERVE_REPLY_DATASETS)
		die("an answer about more than %d versions", SERVE_REPLY_DATASETS);
	if (is_taken)
		reply->kept[reply->n_kept++] = dataset;
	reply->about = dataset;
}

/* --- problems ---------------------------------------------------------------------------------------------------------- */

static const char *title_of(unsigned status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 410:
		return "Gone";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 416:
		return "Range Not Satisfiable";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	default:
		return status >= 500 ? "Internal Server Error" : "Refused";
	}
}

static void problem_page(struct serve_reply *reply, unsigned status, enum fault code, const char *line)
{
	bool french = serve_prefers_french(reply->request);
	_cleanup_free_ char *title = xasprintf("%u %s", status, title_of(status));
	char *text = NULL;
	size_t size = 0;
	FILE *page = open_memstream(&text, &size);

	if (page == NULL)
		die_errno("open_memstream");
	/* No style of its own: the policy that each answer has forbids it. */
	fprintf(page,
		"<!DOCTYPE html>\n<html lang=\"%s\"><head><meta "
		"charset=\"utf-8\"><title>%s</title></head>\n<body><main>",
		french ? "fr" : "en", title);
	fprintf(page, "<h1>%s</h1>\n<p>", title);
	html_text(page, line);
	fputs("</p>\n", page);
	if (code != FAULT_NONE) {
		fprintf(page, "<p>E%04d: ", code);
		html_text(page, fault_next(code));
		fputs("</p>\n", page);
	}
	fprintf(page, "<p><a href=\"/\">%s</a></p>\n", french ? "Le catalogue" : "The catalogue");
	fputs("</main></body></html>\n", page);
	if (fclose(page) != 0)
		die_errno("open_memstream");
	serve_reply_text(reply, status, "text/html; charset=utf-8", text, size);
}

void serve_reply_problem(struct serve_reply *reply, unsigned status, enum fault code, const char *format, ...)
{
	char line[FAULT_LINE_SIZE], type[64] = "about:blank";
	struct refusal why = {0};
	json_t *problem;
	va_list list;

	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	/* What does not print is escaped, as on the console. */
	refuse(&why, code, "%s", line);
	if (serve_prefers_html(reply->request)) {
		problem_page(reply, status, code, why.line);
		return;
	}
	if (code != FAULT_NONE)
		snprintf(type, sizeof(type), PROBLEM_TYPE, code);
	problem = json_or_die(json_pack("{ss ss si ss}", "type", type, "title", title_of(status), "status", (int)status,
					"detail", why.line));
	if (code != FAULT_NONE) {
		snprintf(type, sizeof(type), "E%04d", code);
		json_object_set_new(problem, "code", json_or_die(json_string(type)));
		json_object_set_new(problem, "next", json_or_die(json_string(fault_next(code))));
	}
	serve_reply_json_as(reply, status, "application/problem+json", problem);
}
