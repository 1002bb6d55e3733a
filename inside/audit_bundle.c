/* SPDX-License-Identifier: ISC
 *
 * audit_bundle: one bundle by itself: the gate, every signature from the root, every blob against its name, and what it would
 * bring.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/bundle.h"
#include "bundle/notation.h"
#include "inside/audit.h"
#include "inside/audit_attest.h"
#include "inside/trustset.h"

/* What a bundle holds: its metadata in memory (the gate bounds them), of its blobs the names. */
struct contents {
	struct held {
		char name[LIMIT_METADATA_NAME_SIZE];
		uint8_t *data;
		size_t size, room;
	} * metadata;
	size_t n_metadata;
	struct blob_part *blobs;
	size_t n_blobs;
	uint64_t blob_bytes;
	size_t n_attestations; /* that hold */
};

static void contents_clear(struct contents *contents)
{
	for (size_t i = 0; i < contents->n_metadata; i++)
		free(contents->metadata[i].data);
	free(contents->metadata);
	free(contents->blobs);
}

/* --- reading a bundle --------------------------------------------------------------------------------------------- */

static void begin_metadata(struct contents *contents, const char *name, uint64_t size)
{
	struct held *held;

	contents->metadata = xrealloc(contents->metadata, contents->n_metadata + 1, sizeof(*contents->metadata));
	held = &contents->metadata[contents->n_metadata++];
	memset(held, 0, sizeof(*held));
	text_copy(held->name, sizeof(held->name), name);
	held->room = (size_t)size;
	held->data = xmalloc(held->room + 1);
}

static enum fault take(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
		       size_t data_size, struct refusal *why)
{
	struct contents *contents = ctx;
	struct held *held = contents->n_metadata == 0 ? NULL : &contents->metadata[contents->n_metadata - 1];

	if (kind == BUNDLE_METADATA) {
		if (held == NULL || strcmp(held->name, name) != 0) {
			begin_metadata(contents, name, size);
			held = &contents->metadata[contents->n_metadata - 1];
		}
		if (data_size > held->room - held->size)
			return refuse(why, FAULT_BUNDLE_FORM, "metadata/%s: longer than its header says", name);
		if (data != NULL)
			memcpy(held->data + held->size, data, data_size);
		held->size += data_size;
	} else if (data == NULL) {
		struct blob_part *part;

		contents->blobs = xrealloc(contents->blobs, contents->n_blobs + 1, sizeof(*contents->blobs));
		part = &contents->blobs[contents->n_blobs++];
		part->length = size;
		if (!sha256_from_hex(name, &part->sha256))
			return refuse(why, FAULT_BUNDLE_MEMBER, "blobs/%s: no blob's name", name);
		contents->blob_bytes += size;
	}
	return FAULT_NONE;
}

static enum fault load_held(void *ctx, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
			    struct refusal *why)
{
	const struct contents *contents = ctx;

	for (size_t i = 0; i < contents->n_metadata; i++) {
		const struct held *held = &contents->metadata[i];

		if (strcmp(held->name, name) != 0)
			continue;
		if (held->size > limit)
			return refuse(why, FAULT_TUF_FORM, "metadata/%s: %zu bytes, at most %zu", name, held->size,
				      limit);
		*ret_data = xmalloc(held->size + 1);
		memcpy(*ret_data, held->data, held->size);
		*ret_size = held->size;
		return FAULT_NONE;
	}
	return refuse(why, FAULT_TUF_ABSENT, "metadata/%s: not in the bundle", name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The blobs of a bundle are sorted by name: the gate insists. */
static const struct blob_part *find_blob(const struct contents *contents, const struct sha256 *sha256)
{
	for (size_t i = 0, n = contents->n_blobs; n > 0;) {
		size_t half = n / 2;
		int order = sha256_compare(&contents->blobs[i + half].sha256, sha256);

		if (order == 0)
			return &contents->blobs[i + half];
		if (order < 0) {
			i += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return NULL;
}

/* --- judging a bundle --------------------------------------------------------------------------------------------- */

/* As the inside would have judged on that day: root (TUF 1.0.34, 5.3.10), timestamp (5.4.4), snapshot (5.5.6), targets and
 * roles (5.6.6). */
static void judge_moment(struct findings *findings, const struct trustset *set, int64_t at)
{
	const struct tuf_root *root = set->roots[set->n_roots - 1];
	char then[64];

	notation_format_local(root->header.expires, then, sizeof(then));
	if (root->header.expires < at)
		findings_fault(findings, FAULT_TUF_EXPIRED, "root %" PRIu64 " had expired on %s", root->header.version,
			       then);
	for (size_t i = 0; i < set->n_metadata; i++) {
		const struct signed_metadata *metadata = &set->metadata[i];

		notation_format_local(metadata->expires, then, sizeof(then));
		if (metadata->expires < at && strcmp(metadata->role, "root") != 0)
			findings_fault(findings, FAULT_TUF_EXPIRED, "metadata/%s had expired on %s", metadata->name,
				       then);
	}
	notation_format_local(set->timestamp->issued, then, sizeof(then));
	if (set->timestamp->issued > at)
		findings_note(findings, "the timestamp was issued on %s: on that day this bundle was not made yet",
			      then);
}

static void judge_metadata(struct findings *findings, const struct trustset *set)
{
	char name[LIMIT_METADATA_NAME_SIZE + 24];
	size_t n_elsewhere = 0;
	int64_t at;

	if (set->timestamp == NULL) {
		findings_fault(findings, FAULT_TUF_ABSENT, "the bundle brings no timestamp that was rightly signed");
		return;
	}
	if (set->snapshot == NULL) {
		findings_fault(findings, FAULT_TUF_ABSENT,
			       "%" PRIu64 ".snapshot.json, which the timestamp names, is not in the bundle",
			       set->timestamp->snapshot.version);
		return;
	}
	for (size_t i = 0; i < set->snapshot->n_metas; i++) {
		snprintf(name, sizeof(name), "%" PRIu64 ".%s.json", set->snapshot->metas[i].version,
			 set->snapshot->metas[i].role);
		n_elsewhere += trustset_metadata(set, name) == NULL;
	}
	if (n_elsewhere > 0)
		findings_note(findings,
			      "%zu roles that the snapshot names are not in this bundle: they came with an earlier one",
			      n_elsewhere);
	if (audit_has_moment(&at))
		judge_moment(findings, set, at);
	else if (set->timestamp->header.expires < (int64_t)time(NULL))
		findings_note(findings,
			      "the timestamp has expired: an inside that has a newer one calls this bundle superseded");
}

static void judge_lengths(struct findings *findings, const struct contents *contents, const struct signed_file *file,
			  const struct blob *blob, const char *what)
{
	for (size_t i = 0; i < blob->n_parts; i++) {
		const struct blob_part *held = find_blob(contents, &blob->parts[i].sha256);

		if (held != NULL && held->length != blob->parts[i].length)
			findings_fault(findings, FAULT_BLOB_HASH,
				       "%s/%s: part %zu%s has another length than was signed", file->dataset,
				       file->file, i, what);
	}
}

static void judge_blobs(struct findings *findings, const struct trustset *set, const struct contents *contents)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < contents->n_blobs; i++) {
		if (trustset_names_blob(set, &contents->blobs[i].sha256))
			continue;
		sha256_to_hex(&contents->blobs[i].sha256, hex);
		findings_note(findings, "blobs/%s: no role in this bundle names it", hex);
	}
	for (size_t i = 0; i < set->n_files; i++) {
		judge_lengths(findings, contents, &set->files[i], &set->files[i].blob, "");
		judge_lengths(findings, contents, &set->files[i], &set->files[i].base, " of its base");
	}
}

static size_t parts_here(const struct contents *contents, const struct blob *blob)
{
	size_t n = 0;

	for (size_t j = 0; j < blob->n_parts; j++)
		n += find_blob(contents, &blob->parts[j].sha256) != NULL;
	return n;
}

static void print_files(const struct trustset *set, const struct contents *contents)
{
	for (size_t i = 0; i < set->n_files; i++) {
		const struct signed_file *file = &set->files[i];
		char hex[SHA256_HEX_SIZE], size[32], travels[64];

		sha256_to_hex(&file->blob.plain_sha256, hex);
		notation_format_size(file->blob.plain_length, size, sizeof(size));
		snprintf(travels, sizeof(travels), "%zu of %zu parts here", parts_here(contents, &file->blob),
			 file->blob.n_parts);
		if (i == 0 || strcmp(file->dataset, set->files[i - 1].dataset) != 0)
			printf("dataset    %s, role version %" PRIu64 "\n", file->dataset, file->role_version);
		printf("           %s, %s, sha256:%s (%s)\n", file->file, size, hex, travels);
		if (!file->is_patch)
			continue;
		sha256_to_hex(&file->base.plain_sha256, hex);
		printf("             a patch against sha256:%s (%zu of %zu parts of that here)\n", hex,
		       parts_here(contents, &file->base), file->base.n_parts);
	}
}

static void print_people(const char *path, const struct contents *contents, const struct trustset *set,
			 const struct findings *findings)
{
	char size[32], time_text[64];

	notation_format_size(contents->blob_bytes, size, sizeof(size));
	printf("bundle     %s\n", path);
	printf("members    %zu metadata, %zu blobs of %s\n", contents->n_metadata, contents->n_blobs, size);
	if (set != NULL) {
		printf("trust      root %" PRIu64 " to %" PRIu64 ", %zu of %zu metadata rightly signed\n",
		       set->roots[0]->header.version, set->roots[set->n_roots - 1]->header.version, set->n_metadata,
		       contents->n_metadata);
		if (set->timestamp != NULL) {
			notation_format_local(set->timestamp->issued, time_text, sizeof(time_text));
			printf("timestamp  version %" PRIu64 ", issued %s\n", set->timestamp->header.version,
			       time_text);
		}
		print_files(set, contents);
		printf("attested   %zu envelopes, signed by their dataset's key, about these files\n",
		       contents->n_attestations);
	}
	findings_print(findings, stdout);
	puts(findings->n_faults == 0 ? "Everything holds." : "This bundle does not hold.");
}

static void print_json_file(const struct contents *contents, const struct signed_file *file)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&file->blob.plain_sha256, hex);
	printf("  {\"dataset\": \"%s\", \"roleVersion\": %" PRIu64 ", \"file\": ", file->dataset, file->role_version);
	notation_json_string(stdout, file->file);
	printf(", \"bytes\": %" PRIu64 ", \"hash\": \"sha256:%s\", \"parts\": %zu, \"partsHere\": %zu",
	       file->blob.plain_length, hex, file->blob.n_parts, parts_here(contents, &file->blob));
	if (file->is_patch) {
		sha256_to_hex(&file->base.plain_sha256, hex);
		printf(", \"base\": {\"hash\": \"sha256:%s\", \"bytes\": %" PRIu64
		       ", \"parts\": %zu, \"partsHere\": %zu}",
		       hex, file->base.plain_length, file->base.n_parts, parts_here(contents, &file->base));
	}
	putchar('}');
}

static void print_json(const char *path, const struct contents *contents, const struct trustset *set,
		       const struct findings *findings)
{
	fputs("{\"format\": \"clapet bundle verification 1\", \"bundle\": ", stdout);
	notation_json_string(stdout, path);
	printf(", \"valid\": %s, \"metadata\": %zu, \"signed\": %zu, \"blobs\": %zu, \"blobBytes\": %" PRIu64
	       ", \"attestations\": %zu,\n",
	       findings->n_faults == 0 ? "true" : "false", contents->n_metadata, set == NULL ? 0 : set->n_metadata,
	       contents->n_blobs, contents->blob_bytes, contents->n_attestations);
	printf(" \"timestamp\": %" PRIu64 ", \"files\": [",
	       set == NULL || set->timestamp == NULL ? 0 : set->timestamp->header.version);
	for (size_t i = 0; set != NULL && i < set->n_files; i++) {
		fputs(i == 0 ? "\n" : ",\n", stdout);
		print_json_file(contents, &set->files[i]);
	}
	fputs("],\n ", stdout);
	findings_print_json(findings, stdout);
	fputs("}\n", stdout);
}

/* One bundle by itself: nothing carries over from another. */
static int audit_bundle(const char *path, int fd, int memory_fd, const uint8_t *root, size_t root_size)
{
	static const struct ustar_bounds bounds = {LIMIT_MEMBERS, LIMIT_BUNDLE_SIZE, LIMIT_BUNDLE_METADATA_SIZE};
	_cleanup_(contents_clear) struct contents contents = {0};
	_cleanup_(findings_clear) struct findings findings = {0};
	_cleanup_(trustset_freep) struct trustset *set = NULL;
	struct store_names names = {NULL, 0};
	struct trustset_source source = {&contents, load_held, &names};
	struct refusal why;

	if (bundle_read(fd, &bounds, take, &contents, &why) != FAULT_NONE) {
		findings_add(&findings, &why);
	} else {
		names.items = xcalloc(contents.n_metadata + 1, sizeof(char *));
		for (; names.n_items < contents.n_metadata; names.n_items++)
			names.items[names.n_items] = contents.metadata[names.n_items].name;
		qsort(names.items, names.n_items, sizeof(char *), compare_names);
		trustset_build(&source, root, root_size, &findings, &set);
		free(names.items);
	}
	if (set != NULL) {
		judge_metadata(&findings, set);
		judge_blobs(&findings, set, &contents);
		contents.n_attestations = audit_attest(fd, &bounds, set, memory_fd, &findings);
	}
	if (audit_wants_json())
		print_json(path, &contents, set, &findings);
	else
		print_people(path, &contents, set, &findings);
	return findings_exit(&findings);
}

int audit_run_bundle(int argc, char **argv)
{
	_cleanup_free_ uint8_t *root = NULL;
	_cleanup_free_ int *fds = NULL;
	_cleanup_close_ int memory_fd = memfd_create("attestation", MFD_CLOEXEC);
	size_t root_size;
	int status = 0;

	if (memory_fd < 0)
		die_errno("memory for attestations");
	if (argc < 1)
		die_usage("no BUNDLE");
	audit_load_root(&root, &root_size);
	fds = xcalloc((size_t)argc, sizeof(*fds));
	for (int i = 0; i < argc; i++) {
		fds[i] = open(argv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fds[i] < 0 || fd_size(fds[i]) < 0)
			die("%s: %s", argv[i], fds[i] < 0 ? strerror(errno) : "not a regular file");
	}
	audit_enter_sandbox(NULL, 0);
	for (int i = 0; i < argc; i++) {
		status = fault_exit_worse(status, audit_bundle(argv[i], fds[i], memory_fd, root, root_size));
		close(fds[i]);
	}
	if (fflush(stdout) != 0)
		die_errno("stdout");
	return status;
}
