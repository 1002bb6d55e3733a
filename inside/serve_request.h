/* SPDX-License-Identifier: ISC
 *
 * serve_request: one request as parsed, bounded, decoded. Pure: what arrives as a request line and headers in, a struct or a refusal out.
 */
#ifndef INSIDE_SERVE_REQUEST_H
#define INSIDE_SERVE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"

enum serve_method {
	SERVE_GET,
	SERVE_HEAD, /* answered as GET is: the body is left out by who sends it */
	SERVE_OTHER /* answered 405 before any handler */
};

/* One parameter of the query, in order: decoded, "+" is a blank, UTF-8 without NUL and control characters. */
struct serve_param {
	const char *name, *value;
};

/* The headers that somebody here reads; "" where absent. At most LIMIT_SERVE_HEADER_SIZE bytes each, no control characters. */
enum serve_header {
	SERVE_HOST,
	SERVE_ACCEPT,
	SERVE_ACCEPT_ENCODING,
	SERVE_ACCEPT_LANGUAGE,
	SERVE_RANGE,
	SERVE_IF_RANGE,
	SERVE_IF_NONE_MATCH,
	SERVE_IF_MODIFIED_SINCE,
	SERVE_AUTHORIZATION,
	SERVE_USER_AGENT,
	SERVE_LAST_EVENT_ID,
	SERVE_N_HEADERS
};

struct serve_request {
	enum serve_method method;
	const char *path;                              /* decoded, normal: no "..", no empty segment; starts with "/" */
	const char *segments[LIMIT_SERVE_SEGMENTS];    /* without the view's and the generation's prefix */
	size_t n_segments;                             /* 0: the root */
	struct serve_param params[LIMIT_SERVE_PARAMS]; /* in order */
	size_t n_params;
	const char *headers[SERVE_N_HEADERS];
	const char *host, *accept, *accept_encoding, *accept_language, *range, *if_range, *if_none_match,
		*if_modified_since, *authorization, *user_agent; /* the same, by name */
	const char *peer;                                        /* "192.0.2.7", "2001:db8::7" or "unix" */
	bool is_operator;                                        /* came by the operators' socket: sees everything */
	uint64_t generation;                                     /* of /generations/N/…; 0: the current one */
	const char *view;                                        /* of /views/NAME/…; NULL */
	const char *
		base; /* the prefix of both, for links: "", "/generations/57", "/views/ain", "/views/ain/generations/57" */
	const char *query;                      /* as it came, without "?"; "" */
	char room[LIMIT_SERVE_TARGET_SIZE * 3]; /* what the above points into */
};

enum serve_method serve_method_parse(const char *text);

/* Parses the target of a request line ("/datasets/cog/cog.csv?version=…"; RFC 9112, 3.2.1: the origin form alone) into RET: a GET without
 * headers or peer. FAULT_SERVE_REQUEST (400), FAULT_SERVE_TARGET_LONG (414) or FAULT_SERVE_PATH (404) with the reason.
 * /views/NAME and /generations/N are taken off the segments: alone they are the root of that view, or generation. RET must not be moved. */
enum fault serve_request_parse(const char *target, struct serve_request *ret, struct refusal *why);

/* Takes a header over, if it is one that is read; VALUE is borrowed. FAULT_SERVE_REQUEST: it stands twice, or is out of bounds. */
enum fault serve_request_header(struct serve_request *request, const char *name, const char *value,
				struct refusal *why);

/* The value of the parameter; NULL where it is not given. Of several the first: routes refuse a second one where they name the parameter. */
const char *serve_param(const struct serve_request *request, const char *name);

/* Content negotiation (RFC 9110, 12.5.1). The quality that ACCEPT gives to TYPE ("text/html"), in thousandths; "" accepts all. */
unsigned serve_accepts(const char *accept, const char *type);
/* Whether a page is wanted rather than JSON: text/html is named, and not less wanted than application/json. */
bool serve_prefers_html(const struct serve_request *request);
/* Whether French is wanted rather than English (RFC 9110, 12.5.4); English where nothing is said. */
bool serve_prefers_french(const struct serve_request *request);

/* The coding of an answer's body, by Accept-Encoding (RFC 9110, 12.5.3). */
enum serve_coding { SERVE_IDENTITY, SERVE_GZIP, SERVE_ZSTD, SERVE_N_CODINGS };
/* The best that is wanted: of equals zstd, then gzip. SERVE_IDENTITY where nothing is said. */
enum serve_coding serve_wanted_coding(const char *accept_encoding);

/* One range (RFC 9110, 14.1.2) of SIZE bytes. Several ranges, other units and what is out of form count as none: the whole is sent, as the
 * standard allows. */
enum serve_range {
	SERVE_RANGE_NONE,
	SERVE_RANGE_PART,         /* *RET_FIRST, *RET_SIZE: within SIZE, never empty */
	SERVE_RANGE_UNSATISFIABLE /* 416 */
};
enum serve_range serve_range_parse(const char *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_size);

/* Whether a list of entity tags (If-None-Match) names ETAG, which has its quotes, or is "*": by weak comparison (RFC 9110, 13.1.2). */
bool serve_names_etag(const char *list, const char *etag);
/* "Wed, 25 Nov 2026 14:00:00 GMT" (RFC 9110, 5.6.7: the preferred form, and no other). */
#define SERVE_DATE_SIZE 30
void serve_format_date(int64_t seconds, char text[SERVE_DATE_SIZE]);
bool serve_parse_date(const char *text, int64_t *ret_seconds);

#endif
