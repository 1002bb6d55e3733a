/* SPDX-License-Identifier: ISC
 *
 * warnings: a bounded list of lines.
 */
#include "schemas/warnings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"

static void take_line(struct warnings *warnings, const char *line)
{
	char escaped[FAULT_LINE_SIZE];

	if (warnings->n == LIMIT_SCHEMA_WARNINGS) {
		warnings->n_more++;
		return;
	}
	warnings->lines = xrealloc(warnings->lines, warnings->n + 1, sizeof(warnings->lines[0]));
	warnings->lines[warnings->n++] = xstrdup(text_escape(line, strlen(line), escaped, sizeof(escaped)));
}

void warnings_add(struct warnings *warnings, const char *format, ...)
{
	char line[FAULT_LINE_SIZE];
	va_list arguments;

	if (warnings == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	take_line(warnings, line);
}

void warnings_take(struct warnings *warnings, const char *prefix, const struct warnings *from)
{
	for (size_t i = 0; i < from->n; i++) {
		_cleanup_free_ char *line = xasprintf("%s%s", prefix, from->lines[i]);

		take_line(warnings, line);
	}
	warnings->n_more += from->n_more;
}

void warnings_clear(struct warnings *warnings)
{
	for (size_t i = 0; i < warnings->n; i++)
		free(warnings->lines[i]);
	free(warnings->lines);
	*warnings = (struct warnings){0};
}

void warnings_log(const struct warnings *warnings, const char *prefix)
{
	for (size_t i = 0; i < warnings->n; i++)
		log_warning("%s%s", prefix, warnings->lines[i]);
	if (warnings->n_more > 0)
		log_warning("%sand %" PRIu64 " more of the kind", prefix, warnings->n_more);
}
