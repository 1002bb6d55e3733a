/* SPDX-License-Identifier: ISC
 *
 * bundle: written and read through libarchive. Writing sets all that could differ between two machines; reading
 * believes libarchive only where the gate said the same.
 */
#include "bundle/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

#define BUFFER_SIZE (256 * 1024)

static const char *const folders[] = {[BUNDLE_METADATA] = "metadata/", [BUNDLE_BLOB] = "blobs/"};

void bundle_file_name(uint64_t timestamp_version, const struct sha256 *sha256, char name[BUNDLE_FILE_NAME_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	/* Ten digits order the files of 300 years of one bundle a second; past them the name only stops being sorted.
	 */
	sha256_to_hex(sha256, hex);
	snprintf(name, BUNDLE_FILE_NAME_SIZE, "%010" PRIu64 "-%s.tar", timestamp_version % UINT64_C(10000000000), hex);
}

/* --- writing --------------------------------------------------------------------------------------------------------
 */

struct output {
	int fd;
	int error; /* negative errno */
	struct hash *hash;
};

/* After the first error all is dropped, and libarchive told that it went well: told otherwise, it never frees its buffer. Each step asks
 * OUTPUT. */
static la_ssize_t write_output(struct archive *archive, void *ctx, const void *data, size_t size)
{
	struct output *output = ctx;

	(void)archive;
	if (output->error == 0)
		output->error = fd_write_all(output->fd, data, size);
	if (output->error == 0)
		hash_update(output->hash, data, size);
	return (la_ssize_t)size;
}

static void free_writer(struct archive **archive)
{
	archive_write_free(*archive);
}

static void free_entry(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

static int compare_members(const void *a, const void *b)
{
	const struct bundle_member *left = a, *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* libarchive's own failures are memory's or ours; the output's are in OUTPUT. */
static int step(const struct output *output, bool is_done)
{
	return output->error < 0 || is_done ? output->error : -EIO;
}

static int write_header(struct archive *archive, const struct output *output, const char *name, uint64_t size)
{
	_cleanup_(free_entry) struct archive_entry *entry = archive_entry_new();

	if (entry == NULL)
		return -ENOMEM;
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, USTAR_MODE);
	archive_entry_set_size(entry, (la_int64_t)size);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	return step(output, archive_write_header(archive, entry) == ARCHIVE_OK);
}

static int write_data(struct archive *archive, const struct output *output, const void *data, size_t size)
{
	return step(output, archive_write_data(archive, data, size) == (la_ssize_t)size);
}

/* Exactly the size that the header announced: -ENODATA and -EFBIG where the file changed meanwhile. */
static int write_member(struct archive *archive, const struct output *output, const struct bundle_member *member,
			uint8_t *buffer)
{
	char name[USTAR_NAME_SIZE];
	uint64_t done = 0;
	ssize_t n;
	int r;

	snprintf(name, sizeof(name), "%s%s", folders[member->kind], member->name);
	r = write_header(archive, output, name, member->size);
	if (r == 0 && member->data != NULL)
		return write_data(archive, output, member->data, (size_t)member->size);
	while (r == 0) {
		n = pread(member->fd, buffer, BUFFER_SIZE, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return done == member->size ? 0 : -ENODATA;
		if ((uint64_t)n > member->size - done)
			return -EFBIG;
		done += (uint64_t)n;
		r = write_data(archive, output, buffer, (size_t)n);
	}
	return r;
}

/* What the gate inside would refuse is not written. */
static int check_members(const struct bundle_member *members, size_t n_members)
{
	uint64_t metadata = 0, total = 0;
	struct sha256 sha256;

	for (size_t i = 0; i < n_members; i++) {
		const struct bundle_member *member = &members[i];
		bool is_blob = member->kind == BUNDLE_BLOB;

		if (is_blob ? !sha256_from_hex(member->name, &sha256) : !ustar_metadata_name_is_valid(member->name))
			return -EINVAL;
		if (i > 0 && compare_members(member - 1, member) == 0)
			return -EEXIST;
		if (member->size == 0)
			return -EINVAL;
		if (member->size > (is_blob ? LIMIT_PART_SIZE : LIMIT_TARGETS_SIZE))
			return -EFBIG;
		metadata += is_blob ? 0 : member->size;
		total += member->size + 2 * USTAR_BLOCK_SIZE;
	}
	return metadata > LIMIT_BUNDLE_METADATA_SIZE || total > LIMIT_BUNDLE_SIZE - MIB ? -EFBIG : 0;
}

static int write_members(struct archive *archive, const struct output *output, const struct bundle_member *members,
			 size_t n_members)
{
	_cleanup_free_ uint8_t *buffer = xmalloc(BUFFER_SIZE);
	char format[32];
	int r;

	snprintf(format, sizeof(format), "clapet bundle %d\n", BUNDLE_FORMAT_VERSION);
	r = write_header(archive, output, "format", strlen(format));
	if (r == 0)
		r = write_data(archive, output, format, strlen(format));
	for (size_t i = 0; r == 0 && i < n_members; i++)
		r = write_member(archive, output, &members[i], buffer);
	if (r < 0)
		return r;
	return step(output, archive_write_close(archive) == ARCHIVE_OK);
}

int bundle_write(int out_fd, struct bundle_member *members, size_t n_members, struct sha256 *ret_sha256)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct output output = {.fd = out_fd, .hash = hash};
	_cleanup_(free_writer) struct archive *archive = archive_write_new();
	int r;

	if (n_members >= LIMIT_MEMBERS) /* one is the format's */
		return -E2BIG;
	if (n_members > 0)
		qsort(members, n_members, sizeof(*members), compare_members);
	r = check_members(members, n_members);
	if (r < 0)
		return r;
	/* Whole blocks while writing, and exactly two zero blocks at the end: no padding to a tape's record. */
	if (archive == NULL || archive_write_set_format_ustar(archive) != ARCHIVE_OK ||
	    archive_write_add_filter_none(archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(archive, BUFFER_SIZE) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open2(archive, &output, NULL, write_output, NULL, NULL) != ARCHIVE_OK)
		return -ENOMEM;
	r = write_members(archive, &output, members, n_members);
	if (r < 0) {
		output.error = r; /* what libarchive still writes when it is freed goes nowhere */
		return r;
	}
	hash_final(hash, ret_sha256);
	return 0;
}

/* --- reading --------------------------------------------------------------------------------------------------------
 */

struct reader {
	int fd;
	uint64_t offset; /* in the file, of what libarchive reads next */
	uint8_t *buffer;
	struct hash *hash;
	bundle_sink *sink;
	void *ctx;
};

static la_ssize_t read_input(struct archive *archive, void *ctx, const void **ret_data)
{
	struct reader *reader = ctx;
	ssize_t n;

	do
		n = pread(reader->fd, reader->buffer, BUFFER_SIZE, (off_t)reader->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(archive, errno, "read: %s", strerror(errno));
		return -1;
	}
	reader->offset += (uint64_t)n;
	/* Nobody reads by it: it shows who waits for us how far we are. */
	lseek(reader->fd, (off_t)reader->offset, SEEK_SET);
	*ret_data = reader->buffer;
	return n;
}

static void free_reader(struct archive **archive)
{
	archive_read_free(*archive);
}

/* The gate passed this place, libarchive sees it otherwise: never both right. */
static enum fault disagree(const struct ustar_member *member, const char *what, struct refusal *why)
{
	return refuse(why, FAULT_BUNDLE_FORM,
		      "member \"%s\" at byte %" PRIu64
		      ": gate and libarchive disagree on its %s (bundle/FORMAT.md 3.9)",
		      member->name, member->offset, what);
}

static enum fault compare_entry(struct archive_entry *entry, const struct ustar_member *member, int64_t position,
				struct refusal *why)
{
	const char *name = archive_entry_pathname(entry);

	if (name == NULL || strcmp(name, member->name) != 0)
		return disagree(member, "name", why);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL ||
	    archive_entry_symlink(entry) != NULL || archive_entry_sparse_count(entry) != 0)
		return disagree(member, "kind", why);
	if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0 ||
	    (uint64_t)archive_entry_size(entry) != member->size)
		return disagree(member, "size", why);
	if (position < 0 || (uint64_t)position != member->offset)
		return disagree(member, "place", why);
	return FAULT_NONE;
}

/* The bytes of one member to the sink, counted, a blob's hashed; its end only when they are what its name says. */
static enum fault read_member(struct reader *reader, struct archive *archive, const struct ustar_member *member,
			      struct refusal *why)
{
	bool is_blob = strncmp(member->name, folders[BUNDLE_BLOB], strlen(folders[BUNDLE_BLOB])) == 0;
	enum bundle_member_kind kind = is_blob ? BUNDLE_BLOB : BUNDLE_METADATA;
	const char *name = member->name + strlen(folders[kind]);
	struct sha256 wanted, found;
	uint64_t done = 0;
	const void *data;
	la_int64_t offset;
	size_t size;
	enum fault fault;
	int r;

	while ((r = archive_read_data_block(archive, &data, &size, &offset)) == ARCHIVE_OK) {
		if (offset < 0 || (uint64_t)offset != done || size > member->size - done)
			return disagree(member, "bytes", why);
		if (size == 0)
			continue;
		done += size;
		if (is_blob)
			hash_update(reader->hash, data, size);
		fault = reader->sink(reader->ctx, kind, name, member->size, data, size, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	if (r != ARCHIVE_EOF || done != member->size)
		return disagree(member, "bytes", why);
	if (is_blob) {
		hash_final(reader->hash, &found);
		if (!sha256_from_hex(name, &wanted) || !sha256_equal(&wanted, &found))
			return refuse(why, FAULT_BLOB_HASH,
				      "member \"%s\" at byte %" PRIu64
				      " does not hash to its name (bundle/FORMAT.md 3.9)",
				      member->name, member->offset);
	}
	return reader->sink(reader->ctx, kind, name, member->size, NULL, 0, why);
}

/* Gate and libarchive walk side by side. */
static enum fault read_members(struct reader *reader, struct archive *archive, struct ustar_walk *walk,
			       struct refusal *why)
{
	struct ustar_member member;
	struct archive_entry *entry;
	bool end = false;
	enum fault fault;
	int r;

	for (;;) {
		fault = ustar_walk_next(walk, &member, &end, why);
		if (fault != FAULT_NONE)
			return fault;
		r = archive_read_next_header(archive, &entry);
		if (end && r == ARCHIVE_EOF)
			return FAULT_NONE;
		if (end || r != ARCHIVE_OK)
			return disagree(&member, end ? "end" : "header", why);
		fault = compare_entry(entry, &member, archive_read_header_position(archive), why);
		if (fault == FAULT_NONE && strcmp(member.name, "format") != 0)
			fault = read_member(reader, archive, &member, why);
		if (fault != FAULT_NONE)
			return fault;
	}
}

enum fault bundle_read(int fd, const struct ustar_bounds *bounds, bundle_sink *sink, void *ctx, struct refusal *why)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_free_ uint8_t *buffer = xmalloc(BUFFER_SIZE);
	struct reader reader = {.fd = fd, .buffer = buffer, .hash = hash, .sink = sink, .ctx = ctx};
	_cleanup_(free_reader) struct archive *archive = NULL;
	struct ustar_walk walk;
	enum fault fault;

	fault = ustar_check(fd, bounds, why);
	if (fault != FAULT_NONE)
		return fault;
	archive = archive_read_new();
	if (archive == NULL || archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_open(archive, &reader, NULL, read_input, NULL) != ARCHIVE_OK)
		return refuse(why, FAULT_BUNDLE_FORM, "libarchive does not open it: %s (bundle/FORMAT.md 3.9)",
			      archive != NULL ? archive_error_string(archive) : "out of memory");
	ustar_walk_begin(&walk, fd, bounds);
	return read_members(&reader, archive, &walk, why);
}
