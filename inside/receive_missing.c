/* SPDX-License-Identifier: ISC
 *
 * receive_missing: what lacks, read from the files themselves: it is asked for when nothing runs, too.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_ranges.h"
#include "inside/receive_status.h"

/* "<64 digits>:0-3,17", as clapet-send --only takes it: the digest is only known of what was announced; of the rest its beginning is. */
static void print_one(const struct receive_info *info, const struct link_geometry *geometry, const uint8_t *whole,
		      bool as_json, bool is_first)
{
	char name[SHA256_HEX_SIZE], text[LINK_RANGES_TEXT_SIZE];
	struct link_ranges ranges;

	link_ranges_missing(whole, geometry->n_generations, &ranges);
	/* All of it is here but the announcement, which comes with whatever is sent. */
	if (ranges.n_items == 0)
		ranges = (struct link_ranges){.n_items = 1};
	link_ranges_format(&ranges, text);
	if (info->is_announced)
		sha256_to_hex(&info->sha256, name);
	else
		receive_id_text(info->id, name);
	if (as_json)
		printf("%s\n  {\"object\": \"%s\", \"size\": %" PRIu64 ", \"symbolSize\": %u, \"generations\": %" PRIu32
		       ", \"missing\": \"%s\"}",
		       is_first ? "" : ",", name, info->size, info->symbol_size, geometry->n_generations, text);
	else
		printf("%s:%s\n", name, text);
}

size_t receive_missing_print(int objects_fd, bool as_json)
{
	int copy = openat(objects_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	size_t n = 0;

	if (as_json)
		printf("{\"format\": \"clapet link missing 1\", \"objects\": [");
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		_cleanup_free_ uint8_t *whole = NULL;
		struct link_geometry geometry;
		struct receive_info info;

		if (entry->d_name[0] == '.' || !receive_partial_load(objects_fd, entry->d_name, &info, &whole))
			continue;
		link_geometry_make(info.size, info.symbol_size, &geometry);
		if (info.size > 0)
			print_one(&info, &geometry, whole, as_json, n == 0);
		n += info.size > 0;
	}
	if (as_json)
		printf("%s]}\n", n > 0 ? "\n" : "");
	if (fflush(stdout) != 0)
		die_errno("stdout");
	return n;
}
