/* SPDX-License-Identifier: ISC
 *
 * outside-unpack: one regular file out of an archive that a portal serves, through libarchive: descriptors only, nothing
 * is extracted to disk by name. Which file is the source's to say; where it does not, the archive must hold one file alone.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "base/worker.h"
#include "outside/records.h"

#define BLOCK_SIZE (64 << 10)
/* Members that are walked at most, so that an archive of nothing but headers ends. */
#define MAX_MEMBERS 65536
#define NAMES_SIZE 256

struct input {
	int fd;
	int64_t offset, size;
	uint8_t block[BLOCK_SIZE];
};

struct job {
	struct outside_unpack request;
	struct input input;
	int out_fd;
	struct archive *archive;
	/* What was met on the way. */
	uint64_t n_files, n_found, n_members, written;
	char names[NAMES_SIZE]; /* of the regular files, for the message */
};

static la_ssize_t input_read(struct archive *archive, void *ctx, const void **ret_buffer)
{
	struct input *input = ctx;
	ssize_t n = pread(input->fd, input->block, sizeof input->block, input->offset);

	if (n < 0) {
		archive_set_error(archive, errno, "read");
		return -1;
	}
	input->offset += n;
	/* Nobody reads by it: it shows our supervisor how far we are. */
	lseek(input->fd, input->offset, SEEK_SET);
	*ret_buffer = input->block;
	return n;
}

static la_int64_t input_seek(struct archive *archive, void *ctx, la_int64_t offset, int whence)
{
	struct input *input = ctx;
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? input->offset : input->size;

	if (offset > input->size - base || offset < -base) {
		archive_set_error(archive, EINVAL, "the archive points outside itself");
		return ARCHIVE_FATAL;
	}
	input->offset = base + offset;
	return input->offset;
}

static la_int64_t input_skip(struct archive *archive, void *ctx, la_int64_t request)
{
	struct input *input = ctx;
	int64_t left = input->size - input->offset;

	(void)archive;
	if (request > left)
		request = left;
	if (request < 0)
		request = 0;
	input->offset += request;
	return request;
}

static struct archive *new_reader(void)
{
	struct archive *archive = archive_read_new();

	/* Zip is read by its directory, which stands at the end: a streaming reader would take a file that was cut for a smaller one. */
	if (archive == NULL || archive_read_support_filter_gzip(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(archive) != ARCHIVE_OK ||
	    archive_read_support_format_zip_seekable(archive) != ARCHIVE_OK ||
	    archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_support_format_7zip(archive) != ARCHIVE_OK ||
	    archive_read_support_format_raw(archive) != ARCHIVE_OK)
		die("libarchive does not start");
	return archive;
}

static enum fault broken(const struct job *job, struct refusal *why)
{
	const char *reason = archive_error_string(job->archive);

	return refuse(why, FAULT_ARCHIVE, "the archive cannot be unpacked: %s", reason != NULL ? reason : "damaged");
}

static enum fault open_archive(struct job *job, struct refusal *why)
{
	archive_read_set_read_callback(job->archive, input_read);
	archive_read_set_seek_callback(job->archive, input_seek);
	archive_read_set_skip_callback(job->archive, input_skip);
	archive_read_set_callback_data(job->archive, &job->input);
	if (archive_read_open1(job->archive) != ARCHIVE_OK)
		return broken(job, why);
	return FAULT_NONE;
}

/* The member's name in UTF-8 where it has one, its bytes otherwise. */
static const char *entry_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);

	if (name == NULL)
		name = archive_entry_pathname(entry);
	return name != NULL ? name : "";
}

/* What Finder and Windows leave in archives beside the data. */
static bool is_litter(const char *name)
{
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;

	return strncmp(name, "__MACOSX/", 9) == 0 || strcmp(base, ".DS_Store") == 0 || strcmp(base, "Thumbs.db") == 0;
}

static void note_name(struct job *job, const char *name)
{
	size_t used = strlen(job->names);
	char shown[80];

	text_escape(name, strlen(name), shown, sizeof shown);
	if (used + strlen(shown) + 8 < sizeof job->names)
		sprintf(job->names + used, "%s%s", used > 0 ? ", " : "", shown);
	else if (used > 0 && job->names[used - 1] != '.')
		strcpy(job->names + used, ", ...");
}

static enum fault extract(struct job *job, struct archive_entry *entry, struct refusal *why)
{
	_cleanup_free_ uint8_t *block = xmalloc(BLOCK_SIZE);
	la_ssize_t n;

	if (archive_entry_is_encrypted(entry))
		return refuse(why, FAULT_ARCHIVE, "the archive's member is encrypted");
	while ((n = archive_read_data(job->archive, block, BLOCK_SIZE)) > 0) {
		if ((uint64_t)n > job->request.max_bytes - job->written)
			return refuse(why, FAULT_FETCH_SIZE,
				      "the archive's member unpacks to more than %llu bytes (maxBytes)",
				      (unsigned long long)job->request.max_bytes);
		if (fd_write_all(job->out_fd, block, (size_t)n) < 0)
			die_errno("writing the member");
		job->written += (uint64_t)n;
	}
	return n < 0 ? broken(job, why) : FAULT_NONE;
}

static enum fault take_entry(struct job *job, struct archive_entry *entry, struct refusal *why)
{
	const char *wanted = job->request.member, *name = entry_name(entry);
	/* The name of the one file in a .gz is nobody's: it is wanted whatever the source calls it. */
	bool is_raw = archive_format(job->archive) == ARCHIVE_FORMAT_RAW;

	if (is_raw && archive_filter_code(job->archive, 0) == ARCHIVE_FILTER_NONE)
		return refuse(why, FAULT_ARCHIVE,
			      "neither a whole zip, tar or 7z nor compressed: no archive, or one that was cut");
	if (!is_raw &&
	    (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != NULL || is_litter(name)))
		return FAULT_NONE;
	job->n_files++;
	note_name(job, name);
	if (!is_raw && wanted[0] != '\0' && strcmp(name, wanted) != 0)
		return FAULT_NONE;
	job->n_found++;
	return job->n_found == 1 ? extract(job, entry, why) : FAULT_NONE;
}

static enum fault unpack(struct job *job, struct refusal *why)
{
	struct archive_entry *entry;
	int r;

	if (open_archive(job, why) != FAULT_NONE)
		return why->fault;
	while ((r = archive_read_next_header(job->archive, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		if (++job->n_members > MAX_MEMBERS)
			return refuse(why, FAULT_ARCHIVE, "the archive has more than %d members", MAX_MEMBERS);
		if (take_entry(job, entry, why) != FAULT_NONE)
			return why->fault;
	}
	if (r != ARCHIVE_EOF)
		return broken(job, why);
	if (job->n_found == 1)
		return FAULT_NONE;
	if (job->n_files == 0)
		return refuse(why, FAULT_ARCHIVE_MEMBER, "the archive holds no file");
	if (job->request.member[0] == '\0')
		return refuse(why, FAULT_ARCHIVE_MEMBER,
			      "the archive holds %llu files; clapet.member must name one of: %s",
			      (unsigned long long)job->n_files, job->names);
	if (job->n_found > 1)
		return refuse(why, FAULT_ARCHIVE_MEMBER, "the archive holds \"%s\" %llu times", job->request.member,
			      (unsigned long long)job->n_found);
	return refuse(why, FAULT_ARCHIVE_MEMBER, "the archive holds no \"%s\"; it holds: %s", job->request.member,
		      job->names);
}

static void receive_job(int sock, struct job *job)
{
	for (;;) {
		struct outside_record record;
		_cleanup_close_ int fd = -1;

		outside_record_receive(sock, &record, &fd);
		switch (record.kind) {
		case OUTSIDE_UNPACK:
			job->request = record.unpack;
			job->input.fd = steal_fd(&fd);
			break;
		case OUTSIDE_OUTPUT:
			job->out_fd = steal_fd(&fd);
			break;
		case OUTSIDE_GO:
			if (job->input.fd < 0 || job->out_fd < 0)
				die("no request");
			return;
		default:
			die("an unexpected record (kind %u)", record.kind);
		}
	}
}

/* What libarchive opens files for, opened while that is still possible: the zone (zip's times are local), the locale (a member's
 * name is UTF-8 for us), and the charsets that archives write names in. */
static void load_tables(void)
{
	static const char *const charsets[] = {"UTF-8", "ANSI_X3.4-1968", "UTF-16LE", "UTF-16BE",
					       "CP437", "CP932",          "CP866"};

	setenv("TZ", "UTC0", 1);
	tzset();
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		die("this system has no C.UTF-8 locale");
	/* Kept open: glibc keeps a converter for as long as somebody uses it. One that this machine lacks libarchive will not get either. */
	for (size_t i = 0; i < ARRAY_SIZE(charsets); i++) {
		(void)iconv_open("UTF-8", charsets[i]);
		(void)iconv_open("ANSI_X3.4-1968", charsets[i]);
	}
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "outside-unpack");
	struct job *job = xcalloc(1, sizeof *job);
	struct outside_record end;
	struct refusal why = {FAULT_NONE, ""};

	load_tables();
	sandbox_enter(SANDBOX_OUTSIDE_UNPACK, NULL, 0);
	job->input.fd = job->out_fd = -1;
	receive_job(sock, job);
	job->input.size = fd_size(job->input.fd);
	if (job->input.size < 0)
		die("the archive is no regular file");
	job->archive = new_reader();
	unpack(job, &why);
	end = outside_record_end(&why);
	outside_record_send(sock, &end, -1);
	archive_read_free(job->archive);
	free(job);
	return 0;
}
