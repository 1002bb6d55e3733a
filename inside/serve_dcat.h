/* SPDX-License-Identifier: ISC
 *
 * serve_dcat: the catalogue as portals read it: DCAT-AP 3.0 (of the terms that are also in 2.1) as JSON-LD.
 */
#ifndef INSIDE_SERVE_DCAT_H
#define INSIDE_SERVE_DCAT_H

#include <jansson.h>

#include "inside/serve_access.h"
#include "inside/serve_request.h"
#include "inside/serve_set.h"

/* New. Addresses in it are absolute: behind "publicUrl" of the configuration, or the request's Host. */
json_t *serve_dcat(const struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader);

#endif
