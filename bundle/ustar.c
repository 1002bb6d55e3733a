/* SPDX-License-Identifier: ISC
 *
 * ustar: the gate. A member's name and size are read from its header; then the one header that FORMAT.md 3 allows for
 * that name and size is made and compared with what is there, byte by byte.
 */
#include "bundle/ustar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define FORMAT_MEMBER "format"
#define FORMAT_TEXT "clapet bundle 1\n"
#define METADATA_FOLDER "metadata/"
#define BLOBS_FOLDER "blobs/"
#define FORMAT_DIGITS_MAX 9
#define END_SIZE (2 * USTAR_BLOCK_SIZE)

/* The header's fields (POSIX.1-2017, pax, "ustar Interchange Format"), to name the first that is wrong. */
enum field {
	NAME,
	MODE,
	UID,
	GID,
	SIZE,
	MTIME,
	CHKSUM,
	TYPEFLAG,
	LINKNAME,
	MAGIC,
	VERSION,
	UNAME,
	GNAME,
	DEVMAJOR,
	DEVMINOR,
	PREFIX,
	REST
};
static const struct {
	size_t offset, size;
	const char *name;
} fields[] = {
	[NAME] = {0, 100, "name"},       [MODE] = {100, 8, "mode"},         [UID] = {108, 8, "uid"},
	[GID] = {116, 8, "gid"},         [SIZE] = {124, 12, "size"},        [MTIME] = {136, 12, "mtime"},
	[CHKSUM] = {148, 8, "chksum"},   [TYPEFLAG] = {156, 1, "typeflag"}, [LINKNAME] = {157, 100, "linkname"},
	[MAGIC] = {257, 6, "magic"},     [VERSION] = {263, 2, "version"},   [UNAME] = {265, 32, "uname"},
	[GNAME] = {297, 32, "gname"},    [DEVMAJOR] = {329, 8, "devmajor"}, [DEVMINOR] = {337, 8, "devminor"},
	[PREFIX] = {345, 155, "prefix"}, [REST] = {500, 12, "padding"},
};

static void put(uint8_t *block, enum field field, const char *text)
{
	memcpy(block + fields[field].offset, text, strlen(text));
}

static unsigned checksum(const uint8_t block[USTAR_BLOCK_SIZE])
{
	unsigned sum = 0;

	for (size_t i = 0; i < USTAR_BLOCK_SIZE; i++) {
		bool in_chksum = i - fields[CHKSUM].offset < fields[CHKSUM].size;

		sum += in_chksum ? ' ' : block[i];
	}
	return sum;
}

static void put_checksum(uint8_t block[USTAR_BLOCK_SIZE])
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%06o", checksum(block));
	memcpy(block + fields[CHKSUM].offset, digits, 6);
	memcpy(block + fields[CHKSUM].offset + 6, "\0 ", 2);
}

/* The one header of FORMAT.md 3.2 for this name and size. */
static void make_header(const char *name, uint64_t size, uint8_t block[USTAR_BLOCK_SIZE])
{
	char digits[32];

	memset(block, 0, USTAR_BLOCK_SIZE);
	put(block, NAME, name);
	snprintf(digits, sizeof(digits), "%06o ", USTAR_MODE);
	put(block, MODE, digits);
	put(block, UID, "000000 ");
	put(block, GID, "000000 ");
	snprintf(digits, sizeof(digits), "%011" PRIo64 " ", size);
	put(block, SIZE, digits);
	put(block, MTIME, "00000000000 ");
	put(block, TYPEFLAG, "0");
	put(block, MAGIC, "ustar");
	put(block, VERSION, "00");
	put(block, DEVMAJOR, "000000 ");
	put(block, DEVMINOR, "000000 ");
	put_checksum(block);
}

bool ustar_metadata_name_is_valid(const char *name)
{
	size_t n_digits = strspn(name, "0123456789"), size;
	char role[NOTATION_NAME_SIZE];

	if (strcmp(name, "timestamp.json") == 0)
		return true;
	if (n_digits == 0 || n_digits > 16 || name[0] == '0' || name[n_digits] != '.')
		return false;
	name += n_digits + 1;
	size = strlen(name);
	if (size < 6 || size - 5 >= sizeof(role) || strcmp(name + size - 5, ".json") != 0)
		return false;
	memcpy(role, name, size - 5);
	role[size - 5] = '\0';
	return notation_is_name(role) || strcmp(role, "root") == 0 || strcmp(role, "snapshot") == 0 ||
	       strcmp(role, "targets") == 0 || strcmp(role, "status") == 0;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Where a member stands: 0 the format, 1 metadata, 2 blobs, -1 none of them. */
static int rank_of(const char *name)
{
	struct sha256 sha256;

	if (strcmp(name, FORMAT_MEMBER) == 0)
		return 0;
	if (begins(name, METADATA_FOLDER) && ustar_metadata_name_is_valid(name + strlen(METADATA_FOLDER)))
		return 1;
	if (begins(name, BLOBS_FOLDER) && sha256_from_hex(name + strlen(BLOBS_FOLDER), &sha256))
		return 2;
	return -1;
}

static enum fault truncated(int fd, uint64_t offset, struct refusal *why)
{
	int64_t size = fd_size(fd);

	if (size < 0)
		return refuse(why, FAULT_STORAGE, "bundle: %s", strerror((int)-size));
	return refuse(why, FAULT_BUNDLE_TRUNCATED,
		      "ends early: %" PRId64 " bytes are there, at least %" PRIu64
		      " bytes are due (bundle/FORMAT.md 3.8)",
		      size, offset);
}

/* Exactly SIZE bytes at OFFSET. */
static enum fault read_at(int fd, void *data, size_t size, uint64_t offset, struct refusal *why)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, (uint8_t *)data + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(why, FAULT_STORAGE, "bundle, byte %" PRIu64 ": %s", offset + done,
				      strerror(errno));
		if (n == 0)
			return truncated(fd, offset + size, why);
		done += (size_t)n;
	}
	return FAULT_NONE;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static enum fault bad_field(enum field field, uint64_t offset, struct refusal *why)
{
	if (offset == 0 && (field == CHKSUM || field == NAME))
		return refuse(why, FAULT_BUNDLE_FORM,
			      "not a bundle: byte 0 begins no ustar header of ours (bundle/FORMAT.md 3.2)");
	return refuse(why, FAULT_BUNDLE_FORM,
		      "byte %" PRIu64 ": the header's %s is not as it must be (bundle/FORMAT.md 3.2)",
		      offset + fields[field].offset, fields[field].name);
}

static enum fault bad_kind(char typeflag, uint64_t offset, struct refusal *why)
{
	static const struct {
		char typeflag;
		const char *name;
	} kinds[] = {
		{'1', "a hard link"},        {'2', "a symbolic link"},
		{'3', "a character device"}, {'4', "a block device"},
		{'5', "a folder"},           {'6', "a FIFO"},
		{'x', "a pax header"},       {'g', "a global pax header"},
		{'L', "a GNU long name"},    {'K', "a GNU long link"},
		{'S', "a sparse file"},
	};
	const char *name = "of an unknown kind";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].typeflag == typeflag)
			name = kinds[i].name;
	return refuse(why, FAULT_BUNDLE_MEMBER, "byte %" PRIu64 ": a member that is %s (bundle/FORMAT.md 3.2)", offset,
		      name);
}

/* Eleven octal digits and a blank. Base-256 and signs are no octal digits. */
static bool parse_size(const uint8_t *field, uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; i < 11; i++) {
		if (field[i] < '0' || field[i] > '7')
			return false;
		size = size * 8 + (uint64_t)(field[i] - '0');
	}
	*ret_size = size;
	return field[11] == ' ';
}

/* The header's own bytes: what it is, its name, its size; then every byte. */
static enum fault parse_header(const uint8_t block[USTAR_BLOCK_SIZE], uint64_t offset, struct ustar_member *ret_member,
			       struct refusal *why)
{
	uint8_t wanted[USTAR_BLOCK_SIZE];

	memcpy(wanted, block, sizeof(wanted));
	put_checksum(wanted);
	if (memcmp(wanted, block, sizeof(wanted)) != 0)
		return bad_field(CHKSUM, offset, why);
	if (block[fields[TYPEFLAG].offset] != '0')
		return bad_kind((char)block[fields[TYPEFLAG].offset], offset, why);
	if (memchr(block, '\0', USTAR_NAME_SIZE) == NULL)
		return bad_field(NAME, offset, why);
	memcpy(ret_member->name, block, USTAR_NAME_SIZE);
	ret_member->offset = offset;
	if (rank_of(ret_member->name) < 0)
		return refuse(why, FAULT_BUNDLE_MEMBER,
			      "byte %" PRIu64 ": a member named \"%s\" (bundle/FORMAT.md 3.3)", offset,
			      ret_member->name);
	if (!parse_size(block + fields[SIZE].offset, &ret_member->size))
		return bad_field(SIZE, offset, why);
	make_header(ret_member->name, ret_member->size, wanted);
	/* The checksum was right, so it is wrong only where another field is: that one is named. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (i != CHKSUM && memcmp(block + fields[i].offset, wanted + fields[i].offset, fields[i].size) != 0)
			return bad_field((enum field)i, offset, why);
	return FAULT_NONE;
}

static enum fault past_limit(const char *what, uint64_t limit, const struct ustar_member *member, struct refusal *why)
{
	return refuse(why, FAULT_BUNDLE_LIMIT,
		      "member \"%s\" at byte %" PRIu64 ": %s, at most %" PRIu64 " (bundle/FORMAT.md 3.7)", member->name,
		      member->offset, what, limit);
}

static enum fault check_bounds(struct ustar_walk *walk, const struct ustar_member *member, struct refusal *why)
{
	const struct ustar_bounds *bounds = &walk->bounds;
	int rank = rank_of(member->name);
	uint64_t limit = rank == 2 ? LIMIT_PART_SIZE : LIMIT_TARGETS_SIZE;
	uint64_t space = USTAR_BLOCK_SIZE +
			 (member->size + USTAR_BLOCK_SIZE - 1) / USTAR_BLOCK_SIZE * USTAR_BLOCK_SIZE + END_SIZE;

	if (member->size == 0)
		return refuse(why, FAULT_BUNDLE_MEMBER,
			      "member \"%s\" at byte %" PRIu64 " is empty (bundle/FORMAT.md 3.5)", member->name,
			      member->offset);
	if (++walk->n_members > bounds->max_members)
		return past_limit("too many members", bounds->max_members, member, why);
	if (member->size > limit)
		return past_limit("too large a member", limit, member, why);
	if (space > bounds->max_bytes || walk->offset > bounds->max_bytes - space)
		return past_limit("too many bytes", bounds->max_bytes, member, why);
	if (rank != 1)
		return FAULT_NONE;
	walk->metadata_bytes += member->size;
	if (walk->metadata_bytes > bounds->max_metadata_bytes)
		return past_limit("too many bytes of metadata", bounds->max_metadata_bytes, member, why);
	return FAULT_NONE;
}

/* The first is the format; the rest ascend by rank, then by the bytes of their names. */
static enum fault check_order(const struct ustar_walk *walk, const struct ustar_member *member, struct refusal *why)
{
	int previous = rank_of(walk->previous), rank = rank_of(member->name);

	if (walk->previous[0] == '\0' && rank == 0)
		return FAULT_NONE;
	if (walk->previous[0] == '\0')
		return refuse(why, FAULT_BUNDLE_FORM,
			      "member \"%s\" comes first, not \"format\" (bundle/FORMAT.md 3.3)", member->name);
	if (strcmp(walk->previous, member->name) == 0)
		return refuse(why, FAULT_BUNDLE_MEMBER,
			      "member \"%s\" at byte %" PRIu64 " comes twice (bundle/FORMAT.md 3.3)", member->name,
			      member->offset);
	if (rank < previous || (rank == previous && strcmp(walk->previous, member->name) > 0))
		return refuse(why, FAULT_BUNDLE_FORM,
			      "member \"%s\" at byte %" PRIu64 " is out of order (bundle/FORMAT.md 3.3)", member->name,
			      member->offset);
	return FAULT_NONE;
}

/* "clapet bundle 1\n"; a later version is named as such. */
static enum fault check_format(const struct ustar_walk *walk, const struct ustar_member *member, struct refusal *why)
{
	const char *wanted = FORMAT_TEXT, *digits;
	size_t stem = strlen(wanted) - 2, n_digits;
	char text[sizeof(FORMAT_TEXT) + FORMAT_DIGITS_MAX] = "";
	enum fault fault;

	if (member->size >= sizeof(text))
		return refuse(why, FAULT_BUNDLE_FORM, "member \"format\" of %" PRIu64 " bytes (bundle/FORMAT.md 3.4)",
			      member->size);
	fault = read_at(walk->fd, text, (size_t)member->size, member->offset + USTAR_BLOCK_SIZE, why);
	if (fault != FAULT_NONE)
		return fault;
	if (member->size == strlen(wanted) && memcmp(text, wanted, strlen(wanted)) == 0)
		return FAULT_NONE;
	digits = text + stem;
	n_digits = memcmp(text, wanted, stem) == 0 ? strspn(digits, "0123456789") : 0;
	if (n_digits > 0 && digits[0] != '0' && stem + n_digits + 1 == member->size && digits[n_digits] == '\n')
		return refuse(why, FAULT_BUNDLE_FORMAT, "bundle format %.*s, this reads 1 (bundle/FORMAT.md 3.4)",
			      (int)n_digits, digits);
	return refuse(why, FAULT_BUNDLE_FORM, "member \"format\" is \"%s\" (bundle/FORMAT.md 3.4)", text);
}

static enum fault check_padding(const struct ustar_walk *walk, const struct ustar_member *member, struct refusal *why)
{
	uint8_t padding[USTAR_BLOCK_SIZE];
	uint64_t end = member->offset + USTAR_BLOCK_SIZE + member->size;
	size_t size = (size_t)(-end % USTAR_BLOCK_SIZE);
	enum fault fault = read_at(walk->fd, padding, size, end, why);

	if (fault == FAULT_NONE && !is_zero(padding, size))
		return refuse(why, FAULT_BUNDLE_FORM,
			      "byte %" PRIu64 ": padding that is not zero (bundle/FORMAT.md 3.5)", end);
	return fault;
}

/* A zero block stands at the walk's offset: a second one, and nothing behind. */
static enum fault check_end(const struct ustar_walk *walk, struct refusal *why)
{
	uint8_t block[USTAR_BLOCK_SIZE];
	uint64_t end = walk->offset + END_SIZE;
	enum fault fault = read_at(walk->fd, block, sizeof(block), walk->offset + USTAR_BLOCK_SIZE, why);
	ssize_t n;

	if (fault != FAULT_NONE)
		return fault;
	if (!is_zero(block, sizeof(block)))
		return refuse(why, FAULT_BUNDLE_FORM,
			      "byte %" PRIu64 ": one zero block, not two (bundle/FORMAT.md 3.6)",
			      walk->offset + USTAR_BLOCK_SIZE);
	do
		n = pread(walk->fd, block, 1, (off_t)end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return refuse(why, FAULT_STORAGE, "bundle, byte %" PRIu64 ": %s", end, strerror(errno));
	if (n > 0)
		return refuse(why, FAULT_BUNDLE_FORM, "byte %" PRIu64 ": bytes behind the end (bundle/FORMAT.md 3.6)",
			      end);
	return FAULT_NONE;
}

/* A file shorter than a header: waited for only where it begins as a bundle does. */
static enum fault check_start(const struct ustar_walk *walk, struct refusal *why)
{
	char start[sizeof(FORMAT_MEMBER)];
	ssize_t n;

	do
		n = pread(walk->fd, start, sizeof(start), 0);
	while (n < 0 && errno == EINTR);
	if (n > 0 && memcmp(start, FORMAT_MEMBER, (size_t)n) != 0)
		return bad_field(NAME, 0, why);
	return FAULT_BUNDLE_TRUNCATED;
}

void ustar_walk_begin(struct ustar_walk *walk, int fd, const struct ustar_bounds *bounds)
{
	memset(walk, 0, sizeof(*walk));
	walk->fd = fd;
	walk->bounds = *bounds;
}

enum fault ustar_walk_next(struct ustar_walk *walk, struct ustar_member *ret_member, bool *ret_end, struct refusal *why)
{
	uint8_t block[USTAR_BLOCK_SIZE];
	struct ustar_member member;
	enum fault fault;

	fault = read_at(walk->fd, block, sizeof(block), walk->offset, why);
	if (fault == FAULT_BUNDLE_TRUNCATED && walk->n_members == 0)
		return check_start(walk, why);
	if (fault != FAULT_NONE)
		return fault;
	if (walk->n_members > 0 && is_zero(block, sizeof(block))) {
		*ret_end = true;
		return check_end(walk, why);
	}
	fault = parse_header(block, walk->offset, &member, why);
	if (fault == FAULT_NONE)
		fault = check_bounds(walk, &member, why);
	if (fault == FAULT_NONE)
		fault = check_order(walk, &member, why);
	if (fault == FAULT_NONE && walk->n_members == 1)
		fault = check_format(walk, &member, why);
	if (fault == FAULT_NONE)
		fault = check_padding(walk, &member, why);
	if (fault != FAULT_NONE)
		return fault;
	walk->offset += USTAR_BLOCK_SIZE + (member.size + USTAR_BLOCK_SIZE - 1) / USTAR_BLOCK_SIZE * USTAR_BLOCK_SIZE;
	memcpy(walk->previous, member.name, sizeof(walk->previous));
	*ret_member = member;
	*ret_end = false;
	return FAULT_NONE;
}

enum fault ustar_check(int fd, const struct ustar_bounds *bounds, struct refusal *why)
{
	struct ustar_walk walk;
	struct ustar_member member;
	bool end = false;
	enum fault fault = FAULT_NONE;

	ustar_walk_begin(&walk, fd, bounds);
	while (fault == FAULT_NONE && !end)
		fault = ustar_walk_next(&walk, &member, &end, why);
	return fault;
}
