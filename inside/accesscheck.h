/* SPDX-License-Identifier: ISC
 *
 * accesscheck: access.json and the keys against what is in force: what names nothing, or nobody could read. Warnings: what is named may
 * still come, and what was named may have gone.
 */
#ifndef INSIDE_ACCESSCHECK_H
#define INSIDE_ACCESSCHECK_H

#include "inside/accesskeys.h"

/* Told one line each. */
typedef void access_warn(void *ctx, const char *line);

/* A key that ends sooner than this is told, in seconds. */
#define ACCESS_ENDS_SOON (30 * 86400)

/* Reads the packages in force that the views' filters are about: call it behind a sandbox. FAULT_… where the store cannot be read. */
enum fault access_check(int store_fd, const struct access_rules *rules, const struct access_keys *keys, int64_t now,
			access_warn *warn, void *ctx, struct refusal *why);

#endif
