/* SPDX-License-Identifier: ISC
 *
 * audit_report: one page on a period, to attach to a file: verifies log and metadata, then writes what came in, what was refused
 * and why, who decided what, what a rule deleted, and what was alarming.
 */
#include "inside/audit_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/progress.h"
#include "bundle/statement.h"
#include "inside/attestcheck.h"
#include "inside/audit.h"

/* --- the files of a version ------------------------------------------------------------------------------------------ */

/* A signed file of at most LIMIT bytes, hashed again. FAULT_NO_SUCH where it is not here any more. */
static enum fault load_file(const struct report *report, const struct signed_file *file, size_t limit,
			    uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];
	struct sha256 found;

	if (!store_has_object(report->verify.store_fd, file->dataset, &file->blob.plain_sha256))
		return refuse(why, FAULT_NO_SUCH, "%s/%s: not here any more", file->dataset, file->file);
	sha256_to_hex(&file->blob.plain_sha256, hex);
	snprintf(path, sizeof(path), "datasets/%s/objects/%s", file->dataset, hex);
	if (storeverify_load(&report->verify, path, limit, ret_data, ret_size, why) != FAULT_NONE)
		return why->fault;
	hash_bytes(*ret_data, *ret_size, &found);
	if (sha256_equal(&found, &file->blob.plain_sha256))
		return FAULT_NONE;
	return refuse(why, FAULT_STORE_DAMAGED, "%s: its bytes are not what its name says", path);
}

/* Once a report: each chapter goes through the same files. */
static void tell(struct report *report, const struct refusal *why)
{
	if (!report->is_told && why->fault != FAULT_NO_SUCH)
		findings_add(&report->verify.findings, why);
}

/* The signed description; NULL where it is gone, or not what was signed. */
static json_t *load_description(struct report *report, const struct signed_file *description)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {FAULT_NONE, ""};
	json_t *json = NULL;
	size_t size;

	if (load_file(report, description, LIMIT_PACKAGE_SIZE, &data, &size, &why) == FAULT_NONE)
		return json_parse(data, size, LIMIT_PACKAGE_SIZE, &json, &why) == FAULT_NONE ? json : NULL;
	tell(report, &why);
	return NULL;
}

static bool is_attested(struct report *report, const struct signed_file *file)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t size;

	if (!attestation_is_file(file->file))
		return false;
	if (load_file(report, file, LIMIT_ENVELOPE_SIZE, &data, &size, &why) == FAULT_NONE &&
	    attestcheck_envelope(report->verify.set, file, data, size, &why) == FAULT_NONE)
		return true;
	tell(report, &why);
	return false;
}

static void copy_member(const json_t *object, const char *key, char *to, size_t to_size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text != NULL)
		text_escape(text, strlen(text), to, to_size);
}

/* bundle/FORMAT.md 12.3: the first of a resource's sources is what was fetched. */
static void describe(const json_t *description, struct report_file *file)
{
	const json_t *resources = json_object_get(description, "resources");

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i);
		const char *path = json_string_value(json_object_get(resource, "path"));
		const json_t *source = json_array_get(json_object_get(resource, "sources"), 0);

		if (path == NULL || strcmp(path, file->file->file) != 0)
			continue;
		copy_member(resource, "title", file->title, sizeof(file->title));
		copy_member(source, "path", file->url, sizeof(file->url));
		copy_member(source, "hash", file->published, sizeof(file->published));
		copy_member(source, "fetched", file->fetched, sizeof(file->fetched));
	}
}

bool report_each_file(struct report *report, const char *dataset, const char *version,
		      void (*each)(struct report *report, const struct report_file *file, void *ctx), void *ctx)
{
	const struct trustset *set = report->verify.set;
	_cleanup_(json_decrefp) json_t *description = NULL;
	size_t first, end;

	if (set == NULL || !trustset_find_version(set, dataset, version, &first, &end))
		return false;
	for (size_t i = first; i < end; i++)
		if (strcmp(set->files[i].file, "datapackage.json") == 0)
			description = load_description(report, &set->files[i]);
	for (size_t i = first; i < end; i++) {
		struct report_file file = {.file = &set->files[i]};

		file.is_here = store_has_object(report->verify.store_fd, dataset, &file.file->blob.plain_sha256);
		file.is_attested = is_attested(report, file.file);
		describe(description, &file);
		each(report, &file, ctx);
	}
	return true;
}

const char *report_person(const struct report *report, const char *person)
{
	return trail_person(&report->trail, person);
}

/* --- gathering ------------------------------------------------------------------------------------------------------- */

static void ignore(struct report *report, const struct report_file *file, void *ctx)
{
	(void)report;
	(void)file;
	(void)ctx;
}

static bool count(void *ctx, uint64_t index, const struct log_entry *entry)
{
	struct report *report = ctx;

	(void)index;
	report->counts[audit_chapter(entry)]++;
	report->n_bundles += audit_is_arrival(entry) && strcmp(entry->event, "import") == 0;
	report->n_in_force += strcmp(entry->event, "switch") == 0;
	/* What is wrong with a description is to be known before the first line is written. */
	if (strcmp(entry->event, "switch") == 0)
		report_each_file(report, entry->dataset, entry->version, ignore, NULL);
	return true;
}

/* The log, whole; then the store's metadata, which prove the digests that the log speaks of. */
static void gather(struct report *report, const struct trail_keys *keys, const uint8_t *since, size_t since_size,
		   const uint8_t *root, size_t root_size)
{
	struct findings *findings = &report->verify.findings;

	storeverify_metadata(&report->verify, root, root_size);
	if (!trail_open(&report->trail, keys, findings))
		return;
	trail_verify(&report->trail, findings);
	trail_load_people(&report->trail, findings);
	if (since != NULL)
		report->has_old = trail_extends(&report->trail, since, since_size, keys, &report->old,
						&report->old_signed, findings);
	trail_range(&report->trail, report->from, report->to, &report->first, &report->end, findings);
	trail_each(&report->trail, report->first, report->end, count, report, findings);
	progress_end();
	report->is_told = true;
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

/* The one file that is written. It is made before the sandbox, and never in the place of another. */
static FILE *open_output(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	FILE *file;

	if (fd < 0 && errno == EEXIST)
		die_usage("--output %s: is there already", path);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL)
		die_errno("%s", path);
	return file;
}

static void open_report(struct report *report, const char *store)
{
	struct refusal why;

	if (audit_output() == NULL)
		die_usage("--output FILE is needed: where the report goes");
	if (!audit_has_range())
		die_usage("--from DATE and --to DATE are needed: the period");
	audit_demand_range(&report->from, &report->to);
	report->store = store;
	report->made = time(NULL);
	if (report->to > report->made)
		report->to = report->made;
	if (store_open(store, &report->verify.store_fd, &why) != FAULT_NONE)
		die("%s", why.line);
	trail_find(audit_log_folder() == NULL ? store : audit_log_folder(), &report->trail);
	report->file = open_output(audit_output());
}

static int close_report(struct report *report)
{
	int status = findings_exit(&report->verify.findings);

	if (fclose(report->file) != 0)
		die_errno("%s", audit_output());
	printf("%s: %" PRIu64 " entries of the log, %s\n", audit_output(), report->end - report->first,
	       status == 0 ? "everything holds" : "something does not hold: it stands first on the page");
	findings_print(&report->verify.findings, stderr);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	findings_clear(&report->verify.findings);
	trustset_free(report->verify.set);
	trail_clear(&report->trail);
	close(report->verify.store_fd);
	return status;
}

int audit_run_report(int argc, char **argv)
{
	_cleanup_free_ uint8_t *root = NULL, *since = NULL;
	struct report report = {.trail = TRAIL_NONE, .verify = {.store_fd = -1}};
	struct sandbox_folder folders[] = {{-1, SANDBOX_READ}, {-1, SANDBOX_READ}};
	struct audit_keys texts = {.n_texts = 0};
	struct trail_keys keys;
	size_t root_size, since_size = 0;
	struct stat st;

	if (argc != 1)
		die_usage("one STORE");
	audit_load_root(&root, &root_size);
	audit_load_keys(&texts);
	since = audit_load_since(&since_size);
	open_report(&report, argv[0]);
	folders[0].fd = report.verify.store_fd;
	folders[1].fd = report.trail.folder_fd;
	audit_enter_sandbox(folders, 2);
	audit_parse_keys(&texts, &keys);
	if (fstatat(report.verify.store_fd, "format", &st, AT_SYMLINK_NOFOLLOW) < 0)
		die_errno("%s/format", argv[0]);
	report.verify.uid = st.st_uid;
	gather(&report, &keys, since, since_size, root, root_size);
	if (audit_wants_json())
		report_write_json(&report);
	else
		report_write_html(&report);
	return close_report(&report);
}
