/* SPDX-License-Identifier: ISC
 *
 * keys_tile: hostile entry bundles and tile paths. The first byte says how many entries there should be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "keys/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_path(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);
	char again[TILE_PATH_SIZE];
	struct tile tile;

	memcpy(text, data, size);
	text[size] = '\0';
	if (!tile_parse_path(text, &tile))
		return;
	tile_format_path(&tile, again);
	if (strcmp(text, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tile_entries entries;
	struct refusal why;
	size_t total = 1;

	if (size == 0)
		return 0;
	try_path(data, size);
	if (tile_parse_entries(data + 1, size - 1, (size_t)data[0] + 1, &entries, &why) != FAULT_NONE)
		return 0;
	for (size_t i = 0; i < entries.n_entries; i++) {
		struct sha256 hash;

		tlog_leaf_hash(entries.items[i].data, entries.items[i].size, &hash);
		total += 2 + entries.items[i].size;
	}
	if (total != size || entries.n_entries != (size_t)data[0] + 1)
		abort();
	return 0;
}
