/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a request: its target in the first line, then headers "Name: value". What is understood keeps its promises.
 */
#include "inside/serve_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inside/serve_routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (!text_is_utf8(text, strlen(text), NULL))
		abort();
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

static void check_segment(const char *segment)
{
	check_text(segment);
	if (segment[0] == '\0' || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 ||
	    strpbrk(segment, "/\\%") != NULL)
		abort();
}

static void check(const struct serve_request *request)
{
	const struct serve_route *route = serve_route_find(request);
	uint64_t first = 0, part = 0;
	int64_t seconds;

	check_text(request->path);
	for (size_t i = 0; i < request->n_segments; i++)
		check_segment(request->segments[i]);
	for (size_t i = 0; i < request->n_params; i++) {
		check_text(request->params[i].name);
		check_text(request->params[i].value);
	}
	if (route != NULL)
		serve_route_check_params(route, request, NULL);
	serve_prefers_html(request);
	serve_prefers_french(request);
	serve_wanted_coding(request->accept_encoding);
	serve_names_etag(request->if_none_match, "\"0123\"");
	serve_parse_date(request->if_modified_since, &seconds);
	if (serve_range_parse(request->range, 1000, &first, &part) == SERVE_RANGE_PART &&
	    (part == 0 || first >= 1000 || part > 1000 - first))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serve_request *request = malloc(sizeof(*request));
	char *text = malloc(size + 1), *rest, *line;

	if (text == NULL || request == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	rest = text;
	line = strsep(&rest, "\n");
	if (serve_request_parse(line, request, NULL) == FAULT_NONE) {
		while ((line = strsep(&rest, "\n")) != NULL) {
			char *value = strstr(line, ": ");

			if (value == NULL)
				continue;
			*value = '\0';
			serve_request_header(request, line, value + 2, NULL);
		}
		check(request);
	}
	free(request);
	free(text);
	return 0;
}
