/* SPDX-License-Identifier: ISC
 *
 * serve_status: what was asked and answered, counted; for /metrics and /status.
 */
#ifndef INSIDE_SERVE_STATUS_H
#define INSIDE_SERVE_STATUS_H

#include "inside/serve_access.h"
#include "inside/serve_routes.h"

struct serve_counts *serve_counts_new(void);
/* An answer is over. ROUTE NULL: none fitted. */
void serve_count(struct serve *serve, const struct serve_route *route, const struct serve_outcome *outcome);

#endif
