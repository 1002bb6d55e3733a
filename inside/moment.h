/* SPDX-License-Identifier: ISC
 *
 * moment: a day or a moment as people give it to an option.
 */
#ifndef INSIDE_MOMENT_H
#define INSIDE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-03-01T12:00:00Z", or "2026-03-01": its last second where IS_END, else its first, in UTC. Else a usage error that names WHAT ("--at"). */
int64_t moment_demand(const char *what, const char *text, bool is_end);

#endif
