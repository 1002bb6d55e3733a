/* SPDX-License-Identifier: ISC
 *
 * receive_report: written by hand: this process links no JSON.
 */
#include "inside/receive_report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"

/* Deletes the oldest where there are more than LIMIT_RECEIVE_REPORTS. */
static void keep_few(int folder_fd)
{
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	char oldest[SHA256_HEX_SIZE + 8] = "";
	struct timespec age = {0};
	size_t n = 0;

	if (dir == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		struct stat st;

		if (strlen(entry->d_name) >= sizeof(oldest) || entry->d_name[0] == '.' ||
		    fstatat(folder_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		n++;
		if (oldest[0] == '\0' || st.st_mtim.tv_sec < age.tv_sec ||
		    (st.st_mtim.tv_sec == age.tv_sec && st.st_mtim.tv_nsec < age.tv_nsec)) {
			strcpy(oldest, entry->d_name);
			age = st.st_mtim;
		}
	}
	if (n > LIMIT_RECEIVE_REPORTS)
		unlinkat(folder_fd, oldest, 0);
}

void receive_report_write(int folder_fd, const struct receive_object *object, size_t n_files)
{
	char hex[SHA256_HEX_SIZE], name[SHA256_HEX_SIZE + 8], begun[NOTATION_TIME_SIZE], ended[NOTATION_TIME_SIZE];
	const struct receive_info *info = &object->info;
	_cleanup_free_ char *text = NULL;
	int64_t now = receive_wall_clock();
	int r;

	sha256_to_hex(&info->sha256, hex);
	snprintf(name, sizeof(name), "%s.json", hex);
	notation_format_time(info->since / 1000, begun);
	notation_format_time(now / 1000, ended);
	text = xasprintf(
		"{\"format\": \"clapet link report 1\", \"object\": \"%s\", \"content\": \"%s\", \"size\": %" PRIu64
		", \"version\": %" PRIu64
		", \"files\": %zu, \"begun\": \"%s\", \"ended\": \"%s\", \"milliseconds\": %" PRId64
		", \"symbolSize\": %u, \"generations\": {\"all\": %" PRIu32 ", \"repaired\": %" PRIu32
		", \"failed\": %" PRIu32 "}, \"symbolsRestored\": %" PRIu32 "}\n",
		hex, info->content == LINK_CONTENT_PACK ? "pack" : "file", info->size, info->version, n_files, begun,
		ended, now > info->since ? now - info->since : 0, info->symbol_size, object->geometry.n_generations,
		object->n_repaired, object->n_failed, object->n_restored);
	r = fd_put_durable(folder_fd, name, text, strlen(text), 0640);
	if (r < 0)
		log_warning("report %s: %s", name, strerror(-r));
	keep_few(folder_fd);
}
