/* SPDX-License-Identifier: ISC
 *
 * checksum: announced digests as texts.
 */
#include "bundle/checksum.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bundle/notation.h"

static const struct {
	const char *name;
	size_t size;
} algorithms[] = {{"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"sha512", 64}};

static void lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'F')
			*text = (char)(*text - 'A' + 'a');
	}
}

bool checksum_parse(const char *text, struct checksum *ret_checksum)
{
	const char *colon = strchr(text, ':');
	const char *name = colon != NULL ? text : "md5";
	size_t name_size = colon != NULL ? (size_t)(colon - text) : 3;
	struct checksum checksum = {0};
	char digits[2 * CHECKSUM_SIZE + 1];

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		if (strlen(algorithms[i].name) == name_size && strncasecmp(algorithms[i].name, name, name_size) == 0) {
			checksum.algorithm = algorithms[i].name;
			checksum.size = algorithms[i].size;
		}
	}
	text = colon != NULL ? colon + 1 : text;
	if (checksum.algorithm == NULL || strlen(text) != 2 * checksum.size)
		return false;
	memcpy(digits, text, 2 * checksum.size + 1);
	lower(digits);
	if (!notation_unhex(digits, checksum.bytes, checksum.size))
		return false;
	*ret_checksum = checksum;
	return true;
}

char *checksum_format(const struct checksum *checksum, char text[CHECKSUM_TEXT_SIZE])
{
	char digits[2 * CHECKSUM_SIZE + 1];

	notation_hex(checksum->bytes, checksum->size, digits);
	snprintf(text, CHECKSUM_TEXT_SIZE, "%s:%s", checksum->algorithm, digits);
	return text;
}

bool checksum_equal(const struct checksum *a, const struct checksum *b)
{
	return strcmp(a->algorithm, b->algorithm) == 0 && memcmp(a->bytes, b->bytes, a->size) == 0;
}
