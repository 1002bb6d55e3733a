/* SPDX-License-Identifier: ISC
 *
 * json, values of our formats as texts. Apart, so that who only reads needs neither hashes nor times.
 */
#include "bundle/json.h"
#include "bundle/notation.h"

json_t *json_hash(const struct sha256 *sha256)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	return json_string(hex);
}

json_t *json_named_hash(const struct sha256 *sha256)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	return json_sprintf("sha256:%s", hex);
}

json_t *json_time(int64_t seconds)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(seconds, text);
	return json_string(text);
}
