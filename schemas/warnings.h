/* SPDX-License-Identifier: ISC
 *
 * warnings: what was read otherwise than it is written, in lines for people: published schemas spell the standard in
 * ways of their own, and none of that is passed over in silence.
 */
#ifndef SCHEMAS_WARNINGS_H
#define SCHEMAS_WARNINGS_H

#include <stddef.h>
#include <stdint.h>

/* All zero: none. */
struct warnings {
	char **lines; /* owned, each; the first LIMIT_SCHEMA_WARNINGS */
	size_t n;
	uint64_t n_more; /* counted only */
};

/* Adds a line, escaped for terminals and cut at FAULT_LINE_SIZE; with NULL nobody listens. */
void warnings_add(struct warnings *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds all lines of FROM, each after PREFIX ("resource towns: "). */
void warnings_take(struct warnings *warnings, const char *prefix, const struct warnings *from);
void warnings_clear(struct warnings *warnings);
/* Each line to the log as a warning, after PREFIX, and how many more there are. */
void warnings_log(const struct warnings *warnings, const char *prefix);

#endif
