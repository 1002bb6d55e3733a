/* SPDX-License-Identifier: ISC
 *
 * resendpart: the outbox's own bundles, header by header.
 */
#include "outside/resendpart.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"

#define BLOBS "blobs/"
/* Where a bundle's name has its hash. */
#define HASH_AT 11

static bool is_bundle_name(const char *name)
{
	return strlen(name) == BUNDLE_FILE_NAME_SIZE - 1 && strspn(name, "0123456789") >= HASH_AT - 1 &&
	       name[HASH_AT - 1] == '-' && strspn(name + HASH_AT, "0123456789abcdef") == SHA256_HEX_SIZE - 1 &&
	       strcmp(name + HASH_AT + SHA256_HEX_SIZE - 1, ".tar") == 0;
}

static enum fault find_names(struct resendask *ask, const struct agent *agent, struct refusal *why)
{
	int fd = fd_open_beneath(agent->outbox_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_closedir_ DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL)
		return refuse(why, FAULT_STORAGE, "%s: %s", agent->config->outbox, strerror(fd < 0 ? -fd : errno));
	while ((entry = readdir(folder)) != NULL) {
		if (!is_bundle_name(entry->d_name))
			continue;
		for (size_t i = 0; i < ask->n_parts; i++) {
			const char *digits = ask->parts[i].asked.digest;

			if (strncmp(entry->d_name + HASH_AT, digits, strlen(digits)) == 0)
				text_copy(ask->parts[i].name, BUNDLE_FILE_NAME_SIZE, entry->d_name);
		}
	}
	return FAULT_NONE;
}

static void cover(struct resendask *ask, const char *blob)
{
	for (size_t i = 0; i < ask->n_items; i++) {
		struct resendask_item *item = &ask->items[i];

		if (item->kind == RESENDASK_BLOB && strncmp(blob, item->digits, strlen(item->digits)) == 0)
			item->is_covered = true;
	}
}

/* A bundle that somebody damaged there covers nothing, and is not sent: it would never become whole. */
static enum fault cover_all(struct resendask *ask, const struct agent *agent, const char *name, struct refusal *why)
{
	static const struct ustar_bounds bounds = {.max_members = LIMIT_MEMBERS,
						   .max_bytes = LIMIT_BUNDLE_SIZE,
						   .max_metadata_bytes = LIMIT_BUNDLE_METADATA_SIZE};
	_cleanup_close_ int fd = fd_open_regular_beneath(agent->outbox_fd, name, O_RDONLY);
	struct ustar_member member;
	struct ustar_walk walk;
	bool end = false;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", name, strerror(-fd));
	ustar_walk_begin(&walk, fd, &bounds);
	while (!end) {
		if (ustar_walk_next(&walk, &member, &end, why) != FAULT_NONE)
			return why->fault;
		if (!end && strncmp(member.name, BLOBS, strlen(BLOBS)) == 0)
			cover(ask, member.name + strlen(BLOBS));
	}
	return FAULT_NONE;
}

enum fault resendpart_find(struct resendask *ask, const struct agent *agent, struct refusal *why)
{
	if (ask->n_parts > 0 && find_names(ask, agent, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < ask->n_parts; i++) {
		struct resendask_part *part = &ask->parts[i];
		struct refusal inner;

		if (part->name[0] == '\0')
			refuse(&inner, FAULT_RESEND_ABSENT, "bundle %s: not in the outbox", part->asked.digest);
		else if (cover_all(ask, agent, part->name, &inner) == FAULT_NONE)
			continue;
		part->name[0] = '\0';
		log_refusal(&inner);
	}
	return FAULT_NONE;
}

size_t resendpart_count(const struct resendask *ask)
{
	size_t n = 0;

	for (size_t i = 0; i < ask->n_parts; i++)
		n += ask->parts[i].name[0] != '\0';
	return n;
}

enum fault resendpart_hand_over(const struct resendask *ask, const struct agent *agent, struct refusal *why)
{
	for (size_t i = 0; i < ask->n_parts; i++) {
		const struct resendask_part *part = &ask->parts[i];
		_cleanup_free_ char *line = xasprintf("%s\n", part->asked.ranges);
		_cleanup_free_ char *name = xasprintf(RESENDPART_PREFIX "%.*s", SHA256_HEX_SIZE - 1,
						      part->name + HASH_AT);
		int r;

		if (part->name[0] == '\0')
			continue;
		r = fd_put_durable(agent->outbox_fd, name, line, strlen(line), 0644);
		if (r < 0)
			return refuse(why, FAULT_STORAGE, "%s/%s: %s", agent->config->outbox, name, strerror(-r));
	}
	return FAULT_NONE;
}
