/* SPDX-License-Identifier: ISC
 *
 * The slip, its page and SHA256SUMS: what they say is what they were given; hostile titles stay text; what is remembered of an export
 * comes back as it was.
 */
#include "outside/exportslip.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/log.h"
#include "outside/exportrecord.h"

#define NAME_1 "0000000042-1111111111111111111111111111111111111111111111111111111111111111.tar"
#define NAME_2 "0000000041-2222222222222222222222222222222222222222222222222222222222222222.tar"

static struct exportslip_volume volumes[3];
static struct exportslip_dataset datasets[2];
static struct exportslip slip;
static char title[] = "<b>Code</b>\n\xe2\x80\xaeofficiel & g\xc3\xa9ographique", licences[] = "LOV2, ODbL-1.0",
	    moved[] = "moved", none[] = "";

static int setup(void **state)
{
	(void)state;
	memset(volumes, 0, sizeof volumes);
	memset(volumes[0].sha256.bytes, 0x11, 32);
	memset(volumes[1].sha256.bytes, 0x22, 32);
	volumes[0] = (struct exportslip_volume){EXPORTSLIP_HERE, NAME_1,     volumes[0].sha256,
						3900000000,      1790000000, "/media/a"};
	volumes[1] = (struct exportslip_volume){EXPORTSLIP_ELSEWHERE, NAME_2,    volumes[1].sha256, 700,
						1780000000,           "/media/b"};
	volumes[2] = (struct exportslip_volume){.place = EXPORTSLIP_TO_COME, .name = "", .size = 5120, .folder = ""};
	datasets[0] = (struct exportslip_dataset){.name = "cog",
						  .title = title,
						  .licences = licences,
						  .version = "0123456789abcdef",
						  .created = "2026-11-22T16:54:00Z",
						  .size = 1234567,
						  .n_blobs = 3};
	datasets[1] = (struct exportslip_dataset){
		.name = "old", .title = moved, .licences = none, .created = "2026-11-01T00:00:00Z"};
	slip = (struct exportslip){.to = "Pr\xc3\xa9"
					 "fecture <56>",
				   .since = "2026-11-01",
				   .made = 1795000000,
				   .root_version = 3,
				   .timestamp = 42,
				   .until = 1796000000,
				   .volumes = volumes,
				   .n_volumes = 3,
				   .datasets = datasets,
				   .n_datasets = 2};
	memset(slip.root.bytes, 0x33, 32);
	memset(slip.sums_sha256.bytes, 0x44, 32);
	setenv("TZ", "UTC", 1);
	return 0;
}

static char *print(void (*printer)(FILE *, const struct exportslip *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	printer(file, &slip);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void test_sums(void **state)
{
	char *text = print(exportslip_sums);

	(void)state;
	assert_string_equal(text, "# 3900000000 bytes\n"
				  "1111111111111111111111111111111111111111111111111111111111111111  " NAME_1 "\n");
	free(text);
}

static void test_text(void **state)
{
	static const char *const said[] = {
		"To                Pr\xc3\xa9"
		"fecture <56>\n",
		"Holds             what was published since 2026-11-01, as of timestamp 42\n",
		"Made              2026-11-18 11:06 +0000\n",
		"Importable until  2026-11-30 00:53 +0000\n",
		"SHA-256 3333333333333333333333333333333333333333333333333333333333333333, in words ",
		"its root is version 3\n",
		"3, 3.9 GB in all; 1 here, 1 still to be written\n",
		"(44444444), which `sha256sum SHA256SUMS` begins with\n",
		"  1 of 3: 3.9 GB, 3900000000 bytes; here, written ",
		"    file     " NAME_1 "\n    SHA-256  1111111111111111",
		"  2 of 3: 700 B, 700 bytes; on another medium, which was /media/b at ",
		"  3 of 3: 5.1 KB, 5120 bytes; not written yet\n\nDatasets\n",
		"  cog: version 0123456789abcdef of 2026-11-22, 1.2 MB\n    <b>Code</b>\\x0a\\xe2\\x80\\xaeofficiel & "
		"g\xc3\xa9ographique\n"
		"    licences: LOV2, ODbL-1.0\n",
		"  old: withdrawn\n    moved\n\nTo import\n",
	};
	char *text = print(exportslip_text);

	(void)state;
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		has(text, said[i]);
	free(text);
	slip.since = "41";
	text = print(exportslip_text);
	has(text, "what was published since timestamp 41, as of timestamp 42\n");
	free(text);
	slip.since = "all";
	slip.n_datasets = 0;
	text = print(exportslip_text);
	has(text, "everything, as of timestamp 42\n");
	has(text, "none: metadata alone");
	free(text);
}

static void test_page(void **state)
{
	char *text = print(exportslip_page);

	(void)state;
	has(text, "&lt;b&gt;Code&lt;/b&gt;\\x0a\\xe2\\x80\\xaeofficiel &amp; g");
	has(text, "fecture &lt;56&gt;</dd>");
	has(text, "<code>" NAME_1 "</code>");
	has(text, "<td class=\"n\">3900000000</td>");
	has(text,
	    "<code>0123456789abcdef</code></td><td>2026-11-22</td><td class=\"n\">1234567</td><td>LOV2, ODbL-1.0</td>");
	has(text, "withdrawn");
	has_not(text, "<b>");
	has_not(text, "<script");
	has_not(text, "http://clapet");
	free(text);
}

static void test_json(void **state)
{
	json_t *root = exportslip_json(&slip), *list = json_object_get(root, "volumes");

	(void)state;
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "place")), "elsewhere");
	assert_true(json_is_null(json_object_get(json_array_get(list, 2), "hash")));
	assert_string_equal(json_string_value(json_object_get(root, "until")), "2026-11-30T00:53:20Z");
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "datasets"), 1), "version")));
	json_decref(root);
}

/* --- what is remembered ---------------------------------------------------------------------------------------------- */

static void test_record(void **state)
{
	struct exportrecord record = {.exists = false}, back;
	struct publish_blob blobs[4] = {0};
	struct publish_blobs left = {.items = xcalloc(4, sizeof *left.items), .n_items = 4};
	struct publish_bundle bundle = {.name = NAME_1, .size = 4096};
	char folder[] = "/tmp/clapet-export.XXXXXX";
	struct refusal why;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(exportrecord_load(fd, &back, &why), FAULT_NONE);
	assert_false(back.exists);
	for (size_t i = 0; i < 4; i++) {
		blobs[i].sha256.bytes[0] = (uint8_t)(9 - i);
		left.items[i] = blobs[i];
	}
	exportrecord_begin(&record, "2026-11-01", 64000, 1795000000);
	exportrecord_add(&record, &bundle, 42, 1796000000, 1795000001, "/media/a", blobs, 2);
	exportrecord_add(&record, &bundle, 43, 1796000000, 1795000002, "/media/b \"", blobs + 3, 1);
	assert_int_equal(exportrecord_save(fd, &record), 0);
	assert_int_equal(exportrecord_load(fd, &back, &why), FAULT_NONE);
	assert_true(back.exists);
	assert_false(back.is_complete);
	assert_string_equal(back.since, "2026-11-01");
	assert_int_equal(back.volume_size, 64000);
	assert_int_equal(back.started, 1795000000);
	assert_int_equal(back.n_volumes, 2);
	assert_string_equal(back.volumes[0].name, NAME_1);
	assert_int_equal(back.volumes[0].size, 4096);
	assert_int_equal(back.volumes[1].timestamp, 43);
	assert_int_equal(back.volumes[1].written, 1795000002);
	assert_string_equal(back.volumes[1].folder, "/media/b \"");
	assert_false(back.volumes[1].is_here);
	exportrecord_subtract(&back, &left);
	assert_int_equal(left.n_items, 1);
	assert_true(sha256_equal(&left.items[0].sha256, &blobs[2].sha256));
	exportrecord_drop(&back, 0);
	assert_int_equal(back.n_volumes, 1);
	assert_int_equal(back.volumes[0].timestamp, 43);
	assert_int_equal(fd_put_durable(fd, "export.json", "{}", 2, 0600), 0);
	exportrecord_clear(&back);
	assert_int_not_equal(exportrecord_load(fd, &back, &why), FAULT_NONE);
	has(why.line, "state/export.json (our own file: remove it");
	exportrecord_clear(&record);
	publish_blobs_clear(&left);
	close(fd);
	assert_int_equal(fd_remove_tree(AT_FDCWD, folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sums, setup),
		cmocka_unit_test_setup(test_text, setup),
		cmocka_unit_test_setup(test_page, setup),
		cmocka_unit_test_setup(test_json, setup),
		cmocka_unit_test(test_record),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
