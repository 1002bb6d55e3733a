/* SPDX-License-Identifier: ISC
 *
 * linkparts: which bundles have crossed the link in part, as clapet-receive leaves it in its folder (bundle/FORMAT.md 18.15): for the request
 * that `clapet-inside missing` prints. Who receives may have been taken over, so it is read as strictly as anything from outside.
 */
#ifndef INSIDE_LINKPARTS_H
#define INSIDE_LINKPARTS_H

#include <stddef.h>

#include "base/fault.h"
#include "bundle/link_ranges.h"
#include "bundle/request_short.h"

/* Of the receiver, beneath its folder, which may be incoming/. */
#define LINKPARTS_FILE ".link/missing.txt"

struct linkparts {
	struct request_part items[LIMIT_REQUEST_PARTS];
	size_t n_items;
};

/* Reads "clapet link missing 1" and a line "<64 digits>:0-3,17" a bundle, the first LIMIT_REQUEST_PARTS of them. Ranges past what a request
 * holds grow together (linkparts_fit). NAME is the file's, for WHY. FAULT_LINK_RANGES. */
enum fault linkparts_parse(const char *name, const char *text, size_t size, struct linkparts *ret_parts,
			   struct refusal *why);

/* The same of the file beneath FOLDER; none there: no parts. FAULT_FILE. */
enum fault linkparts_load(const char *folder, struct linkparts *ret_parts, struct refusal *why);

/* RANGES as text of at most LIMIT_REQUEST_RANGES_SIZE characters: while they are more, the two that are nearest to each other become one. */
void linkparts_fit(struct link_ranges *ranges, char text[LIMIT_REQUEST_RANGES_SIZE + 1]);

#endif
