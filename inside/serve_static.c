/* SPDX-License-Identifier: ISC
 *
 * serve_static: /static/NAME: the console's style sheet, script and picture, which are bytes of this program (Makefile: CONSOLE_FILES).
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/console_files.h"
#include "inside/serve_console.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"

static const struct {
	const char *name, *type;
	const unsigned char *data;
	size_t size;
} files[] = {
	{"console.css", "text/css; charset=utf-8", console_css, sizeof(console_css)},
	{"console.js", "text/javascript; charset=utf-8", console_js, sizeof(console_js)},
	{"console.svg", "image/svg+xml", console_svg, sizeof(console_svg)},
};

void serve_static(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		  const struct serve_reader *reader, struct serve_reply *reply)
{
	const char *name = request->n_segments > 1 ? request->segments[1] : "";

	(void)serve, (void)set, (void)reader;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *copy;

		if (strcmp(files[i].name, name) != 0)
			continue;
		copy = xmalloc(files[i].size);
		memcpy(copy, files[i].data, files[i].size);
		serve_reply_text(reply, 200, files[i].type, copy, files[i].size);
		return;
	}
	serve_reply_problem(reply, 404, FAULT_SERVE_PATH, "%s: there is nothing at this address", request->path);
}
