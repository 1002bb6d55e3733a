/* SPDX-License-Identifier: ISC
 *
 * rows build CSV SCHEMA DATABASE: what inside-rows does, without its sandbox: one table "etablissements".
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/rowsbuild.h"

int main(int argc, char **argv)
{
	struct rowsbuild_file file = {.resource = "etablissements"};
	struct rowsbuild build = {.dataset = "etablissements", .files = &file, .n_files = 1, .old_fd = -1};
	_cleanup_(package_freep) struct package *package = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ uint8_t *schema = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t size;

	if (argc != 4)
		die_usage("rows CSV SCHEMA DATABASE");
	hash_init();
	json_init();
	rowsfile_init();
	if (fd_load_file(AT_FDCWD, argv[2], LIMIT_PACKAGE_SIZE, &schema, &size) < 0)
		die("%s cannot be read", argv[2]);
	text = xasprintf("{\"name\": \"etablissements\", \"resources\": [{\"name\": \"etablissements\", \"path\": "
			 "\"etablissements.csv\", \"schema\": %s}]}",
			 (const char *)schema);
	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		die("%s", why.line);
	build.package = package;
	file.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	file.size = (uint64_t)fd_size(file.fd);
	build.fd = open(argv[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		build.spill_fds[i] = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (rowsbuild_run(&build, &why) != FAULT_NONE)
		die("%s", why.line);
	return 0;
}
