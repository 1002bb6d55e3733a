/* SPDX-License-Identifier: ISC
 *
 * serve_access, what its two files share: how a key is sent.
 */
#ifndef INSIDE_SERVE_ACCESS_PRIVATE_H
#define INSIDE_SERVE_ACCESS_PRIVATE_H

#include "base/fault.h"
#include "inside/accesslog.h"
#include "inside/serve.h"

/* The key in the Authorization header (bundle/FORMAT.md 34.4), in *RET, new; NULL where none was sent. FAULT_ACCESS_KEY_FORM: something was sent that
 * is none. */
enum fault serve_access_key_sent(const char *authorization, char **ret, struct refusal *why);

/* The access log; NULL: there is none. */
struct accesslog *serve_access_log_of(const struct serve *serve);

struct serve_request;
/* The columns that a question about rows asks for or filters by (33.5), at most ROOM; 0: all. They point into TEXT, of LIMIT_SERVE_TARGET_SIZE bytes. */
size_t serve_access_columns(const struct serve_request *request, char *text, const char **columns, size_t room);

#endif
