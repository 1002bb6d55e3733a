/* SPDX-License-Identifier: ISC
 *
 * driver: runs a fuzz target over its seed corpus as an ordinary test, where libFuzzer is not linked. Prints TAP.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_one(const char *folder, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	if (asprintf(&path, "%s/%s", folder, name) < 0 ||
	    fd_load_file(-100 /* AT_FDCWD */, path, 64 << 20, &data, &size) < 0)
		return -1;
	LLVMFuzzerTestOneInput(data, size);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	_cleanup_free_ char *folder = NULL;
	_cleanup_closedir_ DIR *dir = NULL;
	unsigned n = 0;

	(void)argc;
	if (asprintf(&folder, "tests/fuzz/corpus/%s", name) < 0 || (dir = opendir(folder)) == NULL) {
		printf("1..1\nnot ok 1 - no corpus %s\n", folder);
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		printf("%s %u - %s\n", run_one(folder, entry->d_name) == 0 ? "ok" : "not ok", ++n, entry->d_name);
	}
	printf("1..%u\n", n);
	return n == 0;
}
