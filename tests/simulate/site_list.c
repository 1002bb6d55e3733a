/* SPDX-License-Identifier: ISC
 *
 * site, the whole store as lines, so that two of them can be compared.
 */
#include "tests/simulate/site.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/store.h"

/* What was withdrawn once stays by design, also when it was published again: the past, which depends on what came in. */
static bool is_withdrawal(int fd)
{
	static const char begins[] = "{\"format\":\"clapet withdrawal";
	char head[sizeof(begins)] = "";

	return pread(fd, head, sizeof(head) - 1, 0) > 0 && strncmp(head, begins, sizeof(begins) - 1) == 0;
}

static void list_folder(const char *top, const char *path, FILE *out)
{
	_cleanup_free_ char *full = xasprintf("%s/%s", top, path);
	_cleanup_(store_names_free) struct store_names names = {0};
	int dir = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || store_list(dir, ".", &names) < 0)
		die_errno("%s", full);
	for (size_t i = 0; i < names.n_items; i++) {
		_cleanup_free_ char *inner = xasprintf("%s/%s", path, names.items[i]);
		_cleanup_close_ int fd = openat(dir, names.items[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		char hex[SHA256_HEX_SIZE];
		struct sha256 sha256;
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0)
			die_errno("%s", inner);
		if (S_ISDIR(st.st_mode)) {
			list_folder(top, inner, out);
			continue;
		}
		if (is_withdrawal(fd))
			continue;
		hash_fd(fd, UINT64_MAX, &sha256, NULL);
		sha256_to_hex(&sha256, hex);
		fprintf(out, "%s %.16s\n", inner, hex);
	}
	close(dir);
}

/* Left out: what counts or tells what happened (log/, status.json, generations' numbers, decisions/, mirror/timestamps/), and in mirror/metadata/ what
 * is not current any more: the past of each. */
char *site_list(const struct site *site)
{
	static const char *const folders[] = {"trust", "mirror/blobs", "mirror/targets", "datasets"};
	_cleanup_free_ char *top = xasprintf("%s/store", site->dir);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		list_folder(top, folders[i], out);
	for (int i = 0; i < DATASETS; i++) {
		char version[17];

		site_read_in_force(site, i, version);
		fprintf(out, "current/%s %s\n", dataset_names[i], version);
	}
	for (size_t i = 0; i < site->publisher->n_metadata && site->newest != NOTHING; i++) {
		const struct pub_state *state = &site->publisher->bundles[site->newest].state;
		const struct pub_metadata *metadata = &site->publisher->metadata[i];
		char snapshot[40], path[400];
		struct stat st;
		bool is_current;

		snprintf(snapshot, sizeof(snapshot), "%ju.snapshot.json", (uintmax_t)state->snapshot);
		is_current = strcmp(metadata->name, snapshot) == 0;
		for (int k = 0; k < DATASETS; k++)
			is_current |= state->releases[k] >= 0 &&
				      site->publisher->releases[state->releases[k]].metadata == (int)i;
		snprintf(path, sizeof(path), "%s/mirror/metadata/%s", top, metadata->name);
		if (is_current)
			fprintf(out, "%s %s\n", metadata->name, lstat(path, &st) == 0 ? "is there" : "is not there");
	}
	fclose(out);
	return text;
}
