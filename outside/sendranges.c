/* SPDX-License-Identifier: ISC
 *
 * sendranges: parses what may have been typed from a telephone call; so nothing is guessed.
 */
#include "outside/sendranges.h"

#include <string.h>

enum fault sendranges_parse(const char *text, struct send_only *ret_only, struct refusal *why)
{
	struct refusal inner;
	struct send_only only;
	char hex[SHA256_HEX_SIZE];

	if (strnlen(text, SHA256_HEX_SIZE) < SHA256_HEX_SIZE || text[SHA256_HEX_SIZE - 1] != ':')
		return refuse(
			why, FAULT_SEND_RANGES,
			"\"%.80s\": an object's digest has 64 digits, and a colon follows (bundle/FORMAT.md 31.2)",
			text);
	memcpy(hex, text, SHA256_HEX_SIZE - 1);
	hex[SHA256_HEX_SIZE - 1] = '\0';
	if (!sha256_from_hex(hex, &only.object))
		return refuse(why, FAULT_SEND_RANGES,
			      "\"%.80s\": a digest is of lower-case hexadecimal digits (bundle/FORMAT.md 31.2)", hex);
	if (link_ranges_parse(text + SHA256_HEX_SIZE, LIMIT_LINK_GENERATIONS, &only.ranges, &inner) != FAULT_NONE)
		return refuse(why, FAULT_SEND_RANGES, "generations of %.16s…: %s", hex, inner.line);
	*ret_only = only;
	return FAULT_NONE;
}

enum fault sendranges_check(const struct send_only *only, const char *name, uint32_t n_generations, struct refusal *why)
{
	uint32_t last = only->ranges.items[only->ranges.n_items - 1].last;

	if (last < n_generations)
		return FAULT_NONE;
	return refuse(why, FAULT_SEND_RANGES, "%s has the generations 0 to %u, there is no %u (bundle/FORMAT.md 31.2)",
		      name, n_generations - 1, last);
}
