/* SPDX-License-Identifier: ISC
 *
 * requestfile: what a person carried out of the inside, as a file or typed on standard input: hostile bytes, bounded here and read by
 * bundle/request.h and request_short.h.
 */
#ifndef OUTSIDE_REQUESTFILE_H
#define OUTSIDE_REQUESTFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* Reads PATH, or standard input for "-". RET_DATA is new. FAULT_FILE, FAULT_REQUEST_FORM (past LIMIT_REQUEST_SIZE). */
enum fault requestfile_load(const char *path, uint8_t **ret_data, size_t *ret_size, struct refusal *why);
/* What a refusal calls PATH. */
const char *requestfile_name(const char *path);

#endif
