/* SPDX-License-Identifier: ISC
 *
 * mediumslip: see mediumslip.h.
 */
#include "inside/mediumslip.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

#define HEX_SIZE (SHA256_HEX_SIZE - 1)
/* The longest name that a file has, on any file system. */
#define NAME_SIZE 255

void medium_slip_clear(struct medium_slip *slip)
{
	for (size_t i = 0; i < slip->n_entries; i++)
		free(slip->entries[i].name);
	free(slip->entries);
	*slip = (struct medium_slip){NULL, 0};
}

/* --- one line ---------------------------------------------------------------------------------------------------------- */

/* "# 12345 bytes": of the file that the next line names. Any other remark says nothing. */
static bool get_size(const char *line, size_t size, uint64_t *ret_size)
{
	static const char end[] = " bytes";
	uint64_t value = 0;
	size_t at = 2;

	if (size < 2 || memcmp(line, "# ", 2) != 0)
		return false;
	for (; at < size && line[at] >= '0' && line[at] <= '9' && value <= LIMIT_BUNDLE_SIZE; at++)
		value = 10 * value + (uint64_t)(line[at] - '0');
	if (at == 2 || value > LIMIT_BUNDLE_SIZE || size - at != strlen(end) || memcmp(line + at, end, size - at) != 0)
		return false;
	*ret_size = value;
	return true;
}

static bool get_digest(const char *line, struct sha256 *ret_sha256)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < HEX_SIZE; i++)
		hex[i] = line[i] >= 'A' && line[i] <= 'F' ? (char)(line[i] - 'A' + 'a') : line[i];
	hex[HEX_SIZE] = '\0';
	return sha256_from_hex(hex, ret_sha256);
}

/* A file's name in this folder, with "./" before it or not. One with blanks may be anything; what a name cannot have, none has. */
static bool is_name_here(const char **name, size_t *size)
{
	if (*size >= 2 && memcmp(*name, "./", 2) == 0) {
		*name += 2;
		*size -= 2;
	}
	for (size_t i = 0; i < *size; i++)
		if ((*name)[i] == '/' || (unsigned char)(*name)[i] < ' ' || (*name)[i] == 0x7f)
			return false;
	return *size > 0 && *size <= NAME_SIZE;
}

static void add_entry(struct medium_slip *slip, const char *name, size_t name_size, const struct sha256 *sha256,
		      const uint64_t *size)
{
	struct medium_slip_entry *entry;

	if ((slip->n_entries & (slip->n_entries - 1)) == 0)
		slip->entries = xrealloc(slip->entries, slip->n_entries == 0 ? 1 : 2 * slip->n_entries,
					 sizeof(*slip->entries));
	entry = &slip->entries[slip->n_entries++];
	*entry = (struct medium_slip_entry){.name = xasprintf("%.*s", (int)name_size, name), .sha256 = *sha256};
	entry->has_size = size != NULL;
	entry->size = size == NULL ? 0 : *size;
}

/* "<digest>  NAME", or " *NAME". A name with a backslash or a line feed has a backslash before its digest: not one of ours. */
static bool take_line(const char *line, size_t size, const uint64_t *file_size, struct medium_slip *slip)
{
	struct sha256 sha256;
	const char *name;
	size_t name_size;

	if (size > 0 && line[0] == '\\')
		return true;
	if (size < HEX_SIZE + 3 || !get_digest(line, &sha256) || line[HEX_SIZE] != ' ' ||
	    (line[HEX_SIZE + 1] != ' ' && line[HEX_SIZE + 1] != '*'))
		return false;
	name = line + HEX_SIZE + 2;
	name_size = size - HEX_SIZE - 2;
	if (is_name_here(&name, &name_size))
		add_entry(slip, name, name_size, &sha256, file_size);
	return true;
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static enum fault take_lines(const char *data, size_t size, struct medium_slip *slip, struct refusal *why)
{
	const char *end = data + size;
	uint64_t file_size = 0;
	bool has_size = false;

	for (size_t n = 1; data < end; n++) {
		const char *feed = memchr(data, '\n', (size_t)(end - data));
		size_t length = (size_t)((feed == NULL ? end : feed) - data);
		const char *line = data;

		data = feed == NULL ? end : feed + 1;
		/* An editor of another system was here. */
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (length > 0 && line[0] != '#' && !take_line(line, length, has_size ? &file_size : NULL, slip))
			return refuse(why, FAULT_MEDIUM_SLIP,
				      MEDIUM_SLIP_NAME ", line %zu: no digest and name (bundle/FORMAT.md 3.12)", n);
		if (slip->n_entries > LIMIT_MEDIUM_FILES)
			return refuse(why, FAULT_MEDIUM_SLIP,
				      MEDIUM_SLIP_NAME ": more than %d files (bundle/limits.h LIMIT_MEDIUM_FILES)",
				      LIMIT_MEDIUM_FILES);
		has_size = get_size(line, length, &file_size);
	}
	return FAULT_NONE;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct medium_slip_entry *)a)->name, ((const struct medium_slip_entry *)b)->name);
}

static bool says_same(const struct medium_slip_entry *a, const struct medium_slip_entry *b)
{
	return sha256_equal(&a->sha256, &b->sha256) && a->has_size == b->has_size && a->size == b->size;
}

static enum fault sort_entries(struct medium_slip *slip, struct refusal *why)
{
	size_t n = 0;
	enum fault fault = FAULT_NONE;

	if (slip->n_entries > 1)
		qsort(slip->entries, slip->n_entries, sizeof(*slip->entries), compare_entries);
	for (size_t i = 0; i < slip->n_entries; i++) {
		struct medium_slip_entry *entry = &slip->entries[i], *before = n == 0 ? NULL : &slip->entries[n - 1];

		if (before == NULL || strcmp(before->name, entry->name) != 0) {
			slip->entries[n++] = *entry;
			continue;
		}
		if (!says_same(before, entry) && fault == FAULT_NONE)
			fault = refuse(why, FAULT_MEDIUM_SLIP,
				       MEDIUM_SLIP_NAME ": says two things of %s (bundle/FORMAT.md 3.12)", entry->name);
		free(entry->name);
	}
	slip->n_entries = n;
	return fault;
}

enum fault medium_slip_parse(const void *data, size_t size, struct medium_slip *ret_slip, struct refusal *why)
{
	struct medium_slip slip = {NULL, 0};
	enum fault fault;

	if (size > LIMIT_SLIP_SIZE)
		return refuse(why, FAULT_MEDIUM_SLIP,
			      MEDIUM_SLIP_NAME ": %zu bytes, at most %llu (bundle/limits.h LIMIT_SLIP_SIZE)", size,
			      LIMIT_SLIP_SIZE);
	fault = take_lines(data, size, &slip, why);
	if (fault == FAULT_NONE)
		fault = sort_entries(&slip, why);
	if (fault != FAULT_NONE)
		medium_slip_clear(&slip);
	*ret_slip = slip;
	return fault;
}

enum fault medium_slip_load(int folder_fd, struct medium_slip *ret_slip, struct refusal *why)
{
	_cleanup_close_ int fd = openat(folder_fd, MEDIUM_SLIP_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size = 0;
	int r;

	*ret_slip = (struct medium_slip){NULL, 0};
	if (fd < 0 && errno == ENOENT)
		return FAULT_NONE;
	r = fd < 0 ? -errno : fd_size(fd) < 0 ? -EINVAL : fd_load(fd, LIMIT_SLIP_SIZE, &data, &size);
	if (r < 0)
		return refuse(why, FAULT_MEDIUM_SLIP, MEDIUM_SLIP_NAME ": %s", strerror(-r));
	return medium_slip_parse(data, size, ret_slip, why);
}

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, ((const struct medium_slip_entry *)entry)->name);
}

struct medium_slip_entry *medium_slip_entry(const struct medium_slip *slip, const char *name)
{
	if (slip->n_entries == 0)
		return NULL;
	return bsearch(name, slip->entries, slip->n_entries, sizeof(*slip->entries), compare_name);
}
