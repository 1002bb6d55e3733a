/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the console's pages over any JSON in the place of a description, a status and a report; and Accept-Language. The first byte
 * chooses. Whatever comes, a page holds no control character and is UTF-8.
 */
#include "inside/console_pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/console_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *page, size_t size)
{
	if (!text_is_utf8(page, size, NULL))
		abort();
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)page[i] < ' ' && page[i] != '\n')
			abort();
}

static void write_pages(const struct console_page *page, const json_t *json)
{
	struct console_version versions[2] = {{"0123456789abcdef", "", 1, 1, 0, 5, 7, "here", true},
					      {"1123456789abcdef", "", 0, 0, 0, CONSOLE_UNKNOWN, 9, "gone", false}};
	struct console_dataset dataset = {.name = "cog",
					  .version = "0123456789abcdef",
					  .date = console_member(json, "date"),
					  .package = json,
					  .status = json,
					  .filtered = "",
					  .versions = versions,
					  .n_versions = 2,
					  .before = "1123456789abcdef",
					  .previous = json_object_get(json, "previous")};
	struct console_held held = {json, json};
	struct console_link link = {.status = json, .link_status = json, .receiver = "", .has_log = true};

	console_judge(json, 3600, 300, page->now, &link.health);
	console_write_dataset(page, &dataset);
	console_write_held(page, &held, 1);
	console_write_link(page, &link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console_page page = {.site = "", .base = "", .view = "", .path = "/", .query = "", .now = 1795608000};
	char *text = NULL, *accept;
	json_t *json = NULL;
	size_t text_size;

	if (size == 0)
		return 0;
	json_init();
	accept = xcalloc(size, 1);
	memcpy(accept, data + 1, size - 1);
	page.language = console_language_choose((data[0] & 1) != 0 ? NULL : "fr", accept);
	page.is_operator = (data[0] & 2) != 0;
	page.is_chosen = (data[0] & 4) != 0;
	free(accept);
	if (json_parse_published(data + 1, size - 1, 1 << 20, NULL, NULL, &json, NULL) != FAULT_NONE)
		return 0;
	page.file = open_memstream(&text, &text_size);
	if (page.file == NULL)
		die("out of memory");
	write_pages(&page, json);
	if (fclose(page.file) != 0)
		die("out of memory");
	check(text, text_size);
	free(text);
	json_decref(json);
	return 0;
}
