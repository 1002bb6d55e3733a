/* SPDX-License-Identifier: ISC
 *
 * audit_attest: see audit_attest.h. The gate hands out a blob in pieces and only the second time it is known which are wanted.
 */
#include "inside/audit_attest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/attestcheck.h"

struct reading {
	const struct trustset *set;
	const struct signed_file **files; /* attestations, each of one part */
	size_t n_files;
	int memory_fd;
	uint64_t size; /* of the blob under way, so far */
	struct findings *findings;
	size_t n_good;
};

static const struct signed_file *find_file(const struct reading *reading, const char *blob)
{
	struct sha256 sha256;

	if (!sha256_from_hex(blob, &sha256))
		return NULL;
	for (size_t i = 0; i < reading->n_files; i++)
		if (!reading->files[i]->is_patch && reading->files[i]->blob.n_parts == 1 &&
		    sha256_equal(&reading->files[i]->blob.parts[0].sha256, &sha256))
			return reading->files[i];
	return NULL;
}

struct load {
	uint8_t *data;
	size_t size, room;
};

static enum fault load_sink(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct load *load = ctx;

	if (size > load->room - load->size)
		return refuse(why, FAULT_PLAIN_HASH, "longer than was signed");
	memcpy(load->data + load->size, data, size);
	load->size += size;
	return FAULT_NONE;
}

/* The whole blob lies in the memory file. */
static void judge(struct reading *reading, const struct signed_file *file)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct load load = {NULL, 0, (size_t)file->blob.plain_length};
	struct refusal why;

	data = load.data = xmalloc(load.room + 1);
	if (blob_decode(&file->blob, &reading->memory_fd, load_sink, &load, &why) != FAULT_NONE) {
		refuse_within(&why, "%s/%s", file->dataset, file->file);
		findings_add(reading->findings, &why);
	} else if (attestcheck_envelope(reading->set, file, data, load.size, &why) != FAULT_NONE) {
		findings_add(reading->findings, &why);
	} else {
		reading->n_good++;
	}
}

static enum fault take(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
		       size_t data_size, struct refusal *why)
{
	struct reading *reading = ctx;
	const struct signed_file *file = kind == BUNDLE_BLOB ? find_file(reading, name) : NULL;

	(void)why;
	if (file == NULL || size > LIMIT_ENVELOPE_SIZE || file->blob.plain_length > LIMIT_ENVELOPE_SIZE)
		return FAULT_NONE;
	if (data != NULL) {
		if (pwrite(reading->memory_fd, data, data_size, (off_t)reading->size) != (ssize_t)data_size)
			die_errno("memory for an attestation");
		reading->size += data_size;
		return FAULT_NONE;
	}
	judge(reading, file);
	reading->size = 0;
	if (ftruncate(reading->memory_fd, 0) < 0)
		die_errno("memory for an attestation");
	return FAULT_NONE;
}

size_t audit_attest(int bundle_fd, const struct ustar_bounds *bounds, const struct trustset *set, int memory_fd,
		    struct findings *findings)
{
	struct reading reading = {.set = set, .memory_fd = memory_fd, .findings = findings};
	struct refusal why;

	reading.files = attestcheck_list(set, &reading.n_files);
	for (size_t i = 0; i < reading.n_files; i++) {
		/* Its base may be in another bundle. */
		if (reading.files[i]->is_patch)
			findings_note(findings, "%s/%s travels as a patch, and was not read", reading.files[i]->dataset,
				      reading.files[i]->file);
		if (reading.files[i]->blob.plain_length > LIMIT_ENVELOPE_SIZE || reading.files[i]->blob.n_parts > 1)
			findings_fault(findings, FAULT_ENVELOPE_FORM,
				       "%s/%s: %llu bytes in %zu parts, at most %llu in one", reading.files[i]->dataset,
				       reading.files[i]->file, (unsigned long long)reading.files[i]->blob.plain_length,
				       reading.files[i]->blob.n_parts, (unsigned long long)LIMIT_ENVELOPE_SIZE);
	}
	if (reading.n_files > 0 && lseek(bundle_fd, 0, SEEK_SET) < 0)
		die_errno("reading the bundle again");
	if (reading.n_files > 0 && bundle_read(bundle_fd, bounds, take, &reading, &why) != FAULT_NONE)
		findings_add(findings, &why);
	free(reading.files);
	return reading.n_good;
}
