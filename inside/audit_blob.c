/* SPDX-License-Identifier: ISC
 *
 * audit_blob: one blob by itself, as it lies in store/mirror/blobs or in a bundle: what it is, and the file that it makes. Whether that is
 * what somebody signed is for `bundle` and `store` to say; here the digest is printed, to be held against the metadata by eye.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/newfile.h"
#include "bundle/notation.h"
#include "bundle/patch.h"
#include "bundle/progress.h"
#include "inside/audit.h"

#define READ_SIZE ((size_t)256 * KIB)

/* A blob that is read, and what it makes. */
struct work {
	const char *path, *base_path, *output_path; /* NULL: none */
	int fd, base_fd;
	int out_fd; /* newfile_make's; -1: none */
	bool is_patch;
	struct patch_header header;
	struct patch_counts counts;
	struct hash *hash; /* of the plain bytes */
	uint64_t plain_length, length, n_frames;
};

static void work_clear(struct work *work)
{
	cleanup_close(&work->fd);
	cleanup_close(&work->base_fd);
	hash_free(work->hash);
}

static enum fault read_blob(void *ctx, void *data, size_t size, struct refusal *why)
{
	struct work *work = ctx;
	ssize_t n = fd_read_up_to(work->fd, data, size);

	if (n < 0)
		return refuse(why, FAULT_FILE, "%s", strerror((int)-n));
	work->length += (uint64_t)n;
	return (size_t)n == size ? FAULT_NONE
				 : refuse(why, FAULT_BLOB_TRUNCATED, "ends after %" PRIu64 " bytes, within a segment",
					  work->length);
}

static enum fault take_plain(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct work *work = ctx;
	int r = work->out_fd < 0 ? 0 : fd_write_all(work->out_fd, data, size);

	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", work->output_path, strerror(-r));
	hash_update(work->hash, data, size);
	work->plain_length += size;
	progress_show(work->is_patch ? work->plain_length : work->length);
	return FAULT_NONE;
}

/* --- patches --------------------------------------------------------------------------------------------------------- */

static enum fault check_base(struct work *work, struct refusal *why)
{
	char wanted[SHA256_HEX_SIZE];
	struct sha256 sha256;
	uint64_t size = 0;
	int r;

	sha256_to_hex(&work->header.base_sha256, wanted);
	if (work->base_fd < 0)
		return refuse(why, FAULT_BLOB_ABSENT,
			      "is a patch: it needs --base, the file of %" PRIu64 " bytes with SHA-256 %s",
			      work->header.base_length, wanted);
	r = hash_fd(work->base_fd, LIMIT_PLAIN_SIZE, &sha256, &size);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", work->base_path, strerror(-r));
	if (size != work->header.base_length || !sha256_equal(&sha256, &work->header.base_sha256))
		return refuse(why, FAULT_PLAIN_HASH,
			      "%s is not its base, which has %" PRIu64 " bytes and SHA-256 %s (bundle/FORMAT.md 15.2)",
			      work->base_path, work->header.base_length, wanted);
	return FAULT_NONE;
}

static enum fault decode_patch(struct work *work, struct refusal *why)
{
	_cleanup_free_ char *label = xasprintf("%s: decoding", work->path);
	uint8_t more;

	progress_begin(label, work->header.plain_length, NULL);
	if (check_base(work, why) != FAULT_NONE || patch_decode(&work->header, read_blob, work, work->base_fd, NULL,
								take_plain, work, &work->counts, why) != FAULT_NONE)
		return why->fault;
	return fd_read_up_to(work->fd, &more, 1) == 0
		       ? FAULT_NONE
		       : refuse(why, FAULT_BLOB_FRAME, "goes on behind its last segment (bundle/FORMAT.md 15.1)");
}

/* --- zstd ------------------------------------------------------------------------------------------------------------ */

static void free_stream(ZSTD_DCtx **stream)
{
	ZSTD_freeDCtx(*stream);
}

/* All frames, as `zstd -d` reads them, within the window of FORMAT.md 4.3. */
static enum fault decode_frames(struct work *work, struct refusal *why)
{
	_cleanup_(free_stream) ZSTD_DCtx *stream = ZSTD_createDCtx();
	_cleanup_free_ uint8_t *in = xmalloc(READ_SIZE), *out = xmalloc(READ_SIZE);
	_cleanup_free_ char *label = xasprintf("%s: decoding", work->path);
	int64_t size = fd_size(work->fd);
	size_t left = 1;
	ssize_t n;

	progress_begin(label, size > 0 ? (uint64_t)size : 0, NULL);
	if (stream == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, LIMIT_WINDOW_LOG)))
		die("zstd does not start");
	while ((n = fd_read_up_to(work->fd, in, READ_SIZE)) > 0) {
		ZSTD_inBuffer source = {in, (size_t)n, 0};

		work->length += (uint64_t)n;
		for (bool is_full = false; source.pos < source.size || is_full;) {
			ZSTD_outBuffer target = {out, READ_SIZE, 0};

			left = ZSTD_decompressStream(stream, &target, &source);
			if (ZSTD_isError(left))
				return refuse(why, FAULT_BLOB_FRAME, "near byte %" PRIu64 ": %s (bundle/FORMAT.md 4.3)",
					      work->length, ZSTD_getErrorName(left));
			work->n_frames += left == 0;
			is_full = target.pos == target.size && left != 0;
			if (target.pos > 0 && take_plain(work, out, target.pos, why) != FAULT_NONE)
				return why->fault;
		}
	}
	if (n < 0)
		return refuse(why, FAULT_FILE, "%s", strerror((int)-n));
	return left == 0 ? FAULT_NONE : refuse(why, FAULT_BLOB_TRUNCATED, "ends within a frame (bundle/FORMAT.md 4.2)");
}

/* --- both ------------------------------------------------------------------------------------------------------------ */

/* By its first bytes. */
static enum fault identify(struct work *work, struct refusal *why)
{
	uint8_t start[7];
	ssize_t n = fd_read_up_to(work->fd, start, sizeof(start));

	if (n < 0 || lseek(work->fd, 0, SEEK_SET) != 0)
		return refuse(why, FAULT_FILE, "%s", n < 0 ? strerror((int)-n) : strerror(errno));
	work->is_patch = n == sizeof(start) && memcmp(start, "clapet ", sizeof(start)) == 0;
	return work->is_patch ? patch_read_header(read_blob, work, &work->header, why) : FAULT_NONE;
}

static enum fault open_work(struct work *work, struct refusal *why)
{
	work->fd = open(work->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (work->fd < 0)
		return refuse(why, FAULT_FILE, "%s", strerror(errno));
	if (work->base_path != NULL && (work->base_fd = open(work->base_path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", work->base_path, strerror(errno));
	return FAULT_NONE;
}

static json_t *describe(const struct work *work)
{
	json_t *told = json_or_die(json_pack("{ss ss sI}", "format", "clapet blob 1", "encoding",
					     work->is_patch ? "patch" : "zstd", "length", (json_int_t)work->length));
	char hex[SHA256_HEX_SIZE];

	if (work->is_patch) {
		sha256_to_hex(&work->header.base_sha256, hex);
		json_object_set_new(told, "base",
				    json_or_die(json_pack("{ss sI}", "sha256", hex, "length",
							  (json_int_t)work->header.base_length)));
		json_object_set_new(told, "segments", json_integer(work->header.n_segments));
		json_object_set_new(told, "plainLength", json_integer((json_int_t)work->header.plain_length));
	} else {
		json_object_set_new(told, "frames", json_integer((json_int_t)work->n_frames));
		json_object_set_new(told, "plainLength", json_integer((json_int_t)work->plain_length));
	}
	return told;
}

static void print_description(const struct work *work)
{
	char hex[SHA256_HEX_SIZE], length[32], plain[32], base[32];

	notation_format_size(work->length, length, sizeof(length));
	notation_format_size(work->is_patch ? work->header.plain_length : work->plain_length, plain, sizeof(plain));
	if (!work->is_patch) {
		printf("%s: zstd, %s, %" PRIu64 " frame%s for a file of %s\n", work->path, length, work->n_frames,
		       work->n_frames == 1 ? "" : "s", plain);
		return;
	}
	sha256_to_hex(&work->header.base_sha256, hex);
	notation_format_size(work->header.base_length, base, sizeof(base));
	printf("%s: patch, %s, %" PRIu32 " segment%s for a file of %s\n  base: %s, sha256:%s\n", work->path, length,
	       work->header.n_segments, work->header.n_segments == 1 ? "" : "s", plain, base, hex);
}

static void print_json(json_t *told)
{
	json_dumpf(told, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(told);
}

/* Decodes all of it; prints the digest. */
static enum fault decode(struct work *work, struct refusal *why)
{
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];
	enum fault fault = work->is_patch ? decode_patch(work, why) : decode_frames(work, why);

	progress_end();
	if (fault != FAULT_NONE)
		return fault;
	hash_final(work->hash, &sha256);
	sha256_to_hex(&sha256, hex);
	if (audit_wants_json()) {
		json_t *told = describe(work);

		json_object_set_new(told, "sha256", json_or_die(json_string(hex)));
		print_json(told);
	} else {
		printf("%s: %" PRIu64 " bytes, sha256:%s\n", work->output_path, work->plain_length, hex);
	}
	return FAULT_NONE;
}

/* What it is: a patch says so in front; frames are counted by decoding them. */
static enum fault show(struct work *work, struct refusal *why)
{
	int64_t size = fd_size(work->fd);

	if (!work->is_patch && decode_frames(work, why) != FAULT_NONE)
		return why->fault;
	progress_end();
	if (size >= 0)
		work->length = (uint64_t)size;
	if (audit_wants_json())
		print_json(describe(work));
	else
		print_description(work);
	return FAULT_NONE;
}

static int refused(const struct work *work, struct refusal *why)
{
	refuse_within(why, "%s", work->path);
	log_refusal(why);
	return fault_exit(why->fault);
}

/* From here on without power. */
static int run(struct work *work, enum fault (*act)(struct work *, struct refusal *))
{
	struct refusal why = {FAULT_NONE, ""};

	audit_enter_sandbox(NULL, 0);
	work->hash = hash_new();
	if (identify(work, &why) == FAULT_NONE && act(work, &why) == FAULT_NONE &&
	    (fflush(stdout) != 0 || ferror(stdout)))
		refuse(&why, FAULT_STORAGE, "stdout: %s", strerror(errno));
	return why.fault == FAULT_NONE ? 0 : refused(work, &why);
}

static int run_decode(void *ctx, int out_fd)
{
	struct work *work = ctx;

	work->out_fd = out_fd;
	return run(work, decode);
}

int audit_run_decode(int argc, char **argv)
{
	_cleanup_(work_clear) struct work work = {
		.base_path = audit_base(), .output_path = audit_output(), .fd = -1, .base_fd = -1, .out_fd = -1};
	struct refusal why = {FAULT_NONE, ""};

	if (argc != 1 || work.output_path == NULL)
		die_usage("decode takes BLOB --output FILE, and --base OLD where it is a patch");
	work.path = argv[0];
	if (open_work(&work, &why) != FAULT_NONE)
		return refused(&work, &why);
	return newfile_make(work.output_path, run_decode, &work);
}

int audit_run_blob(int argc, char **argv)
{
	_cleanup_(work_clear) struct work work = {.fd = -1, .base_fd = -1, .out_fd = -1};
	struct refusal why = {FAULT_NONE, ""};

	if (argc != 1)
		die_usage("blob takes one BLOB");
	work.path = argv[0];
	return open_work(&work, &why) == FAULT_NONE ? run(&work, show) : refused(&work, &why);
}
