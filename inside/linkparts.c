/* SPDX-License-Identifier: ISC
 *
 * linkparts: lines of a digest and ranges, nothing else.
 */
#include "inside/linkparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/hash.h"
#include "bundle/notation.h"

#define FIRST_LINE "clapet link missing 1\n"
#define CLAUSE " (bundle/FORMAT.md 18.15)"
#define DIGITS (SHA256_HEX_SIZE - 1)
/* What a receiver writes is shorter; what is longer is not looked at. */
#define FILE_SIZE_MAX (64 * KIB)

static void join_nearest(struct link_ranges *ranges)
{
	size_t nearest = 0;

	for (size_t i = 1; i + 1 < ranges->n_items; i++)
		if (ranges->items[i + 1].first - ranges->items[i].last <
		    ranges->items[nearest + 1].first - ranges->items[nearest].last)
			nearest = i;
	ranges->items[nearest].last = ranges->items[nearest + 1].last;
	ranges->n_items--;
	memmove(&ranges->items[nearest + 1], &ranges->items[nearest + 2],
		(ranges->n_items - nearest - 1) * sizeof(*ranges->items));
}

void linkparts_fit(struct link_ranges *ranges, char text[LIMIT_REQUEST_RANGES_SIZE + 1])
{
	char whole[LINK_RANGES_TEXT_SIZE];

	link_ranges_format(ranges, whole);
	while (!text_copy(text, LIMIT_REQUEST_RANGES_SIZE + 1, whole)) {
		join_nearest(ranges);
		link_ranges_format(ranges, whole);
	}
}

static enum fault bad(const char *name, unsigned number, const char *what, struct refusal *why)
{
	return refuse(why, FAULT_LINK_RANGES, "%s line %u: %s" CLAUSE, name, number, what);
}

/* LINE is "<64 digits>:0-3,17", without its line feed. */
static enum fault read_line(const char *name, unsigned number, char *line, struct linkparts *parts, struct refusal *why)
{
	struct request_part part = {.digest = ""};
	uint8_t bytes[SHA256_SIZE];
	struct link_ranges ranges;

	if (strlen(line) < DIGITS + 2 || line[DIGITS] != ':')
		return bad(name, number, "a digest, a colon and ranges are due here", why);
	line[DIGITS] = '\0';
	if (!notation_unhex(line, bytes, sizeof(bytes)))
		return bad(name, number, "no digest", why);
	if (link_ranges_parse(line + DIGITS + 1, LIMIT_LINK_GENERATIONS, &ranges, NULL) != FAULT_NONE)
		return bad(name, number, "no ranges", why);
	if (parts->n_items == LIMIT_REQUEST_PARTS)
		return FAULT_NONE; /* the next request asks for it */
	snprintf(part.digest, sizeof(part.digest), "%.*s", REQUEST_DIGEST_SIZE - 1, line);
	linkparts_fit(&ranges, part.ranges);
	parts->items[parts->n_items++] = part;
	return FAULT_NONE;
}

enum fault linkparts_parse(const char *name, const char *text, size_t size, struct linkparts *ret_parts,
			   struct refusal *why)
{
	struct linkparts parts = {.n_items = 0};
	char line[DIGITS + 1 + LINK_RANGES_TEXT_SIZE];
	unsigned number = 1;

	if (size < strlen(FIRST_LINE) || memcmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return bad(name, number, "the first line is \"clapet link missing 1\"", why);
	for (size_t at = strlen(FIRST_LINE); at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - (text + at));

		number++;
		if (end == NULL || length >= sizeof(line) || memchr(text + at, '\0', length) != NULL)
			return bad(name, number, "no line", why);
		memcpy(line, text + at, length);
		line[length] = '\0';
		if (read_line(name, number, line, &parts, why) != FAULT_NONE)
			return FAULT_LINK_RANGES;
		at += length + 1;
	}
	*ret_parts = parts;
	return FAULT_NONE;
}

enum fault linkparts_load(const char *folder, struct linkparts *ret_parts, struct refusal *why)
{
	_cleanup_free_ char *path = xasprintf("%s/" LINKPARTS_FILE, folder);
	_cleanup_free_ uint8_t *text = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, FILE_SIZE_MAX, &text, &size);

	ret_parts->n_items = 0;
	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return linkparts_parse(path, (const char *)text, size, ret_parts, why);
}
