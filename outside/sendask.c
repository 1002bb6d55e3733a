/* SPDX-License-Identifier: ISC
 *
 * sendspool, what is asked for there: `clapet-outside resend` puts a file for each bundle that crossed in part. It is deleted when it was taken.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "outside/sendspool.h"

#define PREFIX ".ask-"
#define NAME_SIZE (sizeof(PREFIX) - 1 + SHA256_HEX_SIZE)

enum fault sendspool_parse_ask(const char *hex, const void *data, size_t size, struct send_only *ret_only,
			       struct refusal *why)
{
	char text[SHA256_HEX_SIZE + LINK_RANGES_TEXT_SIZE + 1];

	if (size > 0 && ((const char *)data)[size - 1] == '\n')
		size--;
	if (size >= LINK_RANGES_TEXT_SIZE || memchr(data, '\0', size) != NULL)
		return refuse(why, FAULT_SEND_RANGES, PREFIX "%.16s…: one line of ranges (bundle/FORMAT.md 31.6)", hex);
	snprintf(text, sizeof(text), "%.64s:%.*s", hex, (int)size, (const char *)data);
	return sendranges_parse(text, ret_only, why);
}

static bool was_taken(const struct sendspool_asks *asks, const struct stat *st)
{
	for (size_t i = 0; i < SENDSPOOL_ASKS; i++)
		if (asks->taken[i].inode == st->st_ino && asks->taken[i].seconds == st->st_mtim.tv_sec &&
		    asks->taken[i].nanoseconds == st->st_mtim.tv_nsec)
			return true;
	return false;
}

static void forget(struct send_run *run, struct sendspool_asks *asks, const char *name, const struct stat *st)
{
	if (unlinkat(run->folder_fd, name, 0) == 0)
		return;
	asks->taken[asks->next].inode = st->st_ino;
	asks->taken[asks->next].seconds = st->st_mtim.tv_sec;
	asks->taken[asks->next].nanoseconds = st->st_mtim.tv_nsec;
	asks->next = (asks->next + 1) % SENDSPOOL_ASKS;
}

static void take(struct send_run *run, struct sendspool_asks *asks, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	const char *hex = name + sizeof(PREFIX) - 1;
	struct refusal why = {FAULT_NONE, ""};
	struct send_only only;
	struct stat st;
	size_t size = 0;

	if (fstatat(run->folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || was_taken(asks, &st))
		return;
	if (fd_load_file(run->folder_fd, name, LINK_RANGES_TEXT_SIZE, &data, &size) < 0)
		refuse(&why, FAULT_SEND_RANGES, "%s: one line of ranges is what it should be (bundle/FORMAT.md 31.6)",
		       name);
	else if (sendspool_parse_ask(hex, data, size, &only, &why) == FAULT_NONE) {
		if (sendrun_find(run, &only.object) == NULL && run->n_waiting > 0)
			return;
		sendrun_urge(run, &only, 1, &why);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	else
		log_info("%" PRIu64 " generations of %.16s… are sent again", link_ranges_count(&only.ranges), hex);
	forget(run, asks, name, &st);
}

void sendspool_take_asks(struct send_run *run, struct sendspool_asks *asks)
{
	int fd = openat(run->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0 && strlen(entry->d_name) == NAME_SIZE - 1)
			take(run, asks, entry->d_name);
}
