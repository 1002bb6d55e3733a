/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a source's datapackage.json, in a folder with a schema beside it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/clapet-fuzz.XXXXXX";

static void remove_folder(void)
{
	fd_remove_tree(AT_FDCWD, folder);
}

static int open_folder(void)
{
	static const char schema[] = "{\"fields\": [{\"name\": \"code\", \"type\": \"string\"}]}";
	int fd;

	hash_init();
	json_init();
	if (mkdtemp(folder) == NULL)
		abort();
	atexit(remove_folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = fd_make_dir(fd, "cog", 0700);
	if (fd_put_durable(fd, "schema.json", schema, sizeof schema - 1, 0600) < 0)
		abort();
	return openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config config = {.allow_http = true, .allow_file = true, .max_bytes = 1000};
	static int folder_fd = -1;
	struct source *source = NULL;
	struct refusal why;
	_cleanup_close_ int fd = -1;

	if (folder_fd < 0)
		folder_fd = open_folder();
	fd = openat(folder_fd, "cog/datapackage.json", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		abort();
	if (source_load(folder_fd, "cog", &config, &source, &why) != FAULT_NONE)
		return 0;
	for (size_t i = 0; i < source->n_resources; i++)
		if (source->resources[i].body >= source->n_bodies || source->resources[i].name == NULL)
			abort();
	source_free(source);
	return 0;
}
