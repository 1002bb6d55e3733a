/* SPDX-License-Identifier: ISC
 *
 * sendranges: which generations of an object are to be sent, as a person or a resend request names them: "SHA256:3-5,9" (FORMAT.md 31.2).
 */
#ifndef OUTSIDE_SENDRANGES_H
#define OUTSIDE_SENDRANGES_H

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/link_ranges.h"

struct send_only {
	struct sha256 object;
	struct link_ranges ranges;
};

/* Closed world: the digest's 64 lower-case digits, a colon, and ranges as link_ranges_parse has them. FAULT_SEND_RANGES. */
enum fault sendranges_parse(const char *text, struct send_only *ret_only, struct refusal *why);

/* FAULT_SEND_RANGES where an object of N_GENERATIONS has not all of them. NAME is the object's. */
enum fault sendranges_check(const struct send_only *only, const char *name, uint32_t n_generations,
			    struct refusal *why);

#endif
