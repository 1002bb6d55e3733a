/* SPDX-License-Identifier: ISC
 *
 * serve_kept: status.json, parsed once for all who ask until it is replaced: with thousands of datasets that takes longer than a page.
 */
#ifndef INSIDE_SERVE_KEPT_H
#define INSIDE_SERVE_KEPT_H

#include <jansson.h>

#include "inside/serve.h"

struct serve_kept *serve_kept_new(void);
void serve_kept_free(struct serve_kept *kept);
/* A reference to the document as it is on disk; nobody may change it. NULL where there is none, or it cannot be read (logged). */
json_t *serve_kept_status(const struct serve *serve);

#endif
