/* SPDX-License-Identifier: ISC
 *
 * audit_report_json: the report for machines: the same chapters, each entry as it was hashed.
 */
#include "inside/audit_report.h"

#include <string.h>

static const char *const names[AUDIT_CHAPTER_N] = {"arrivals",  "refusals", "decisions",
						   "retention", "alarms",   "changes"};

struct chapter {
	struct report *report;
	enum audit_chapter chapter;
	const char *comma;
};

static void member_time(FILE *file, const char *name, int64_t time)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(time, text);
	fprintf(file, ", \"%s\": \"%s\"", name, text);
}

static void member_text(FILE *file, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	fprintf(file, ", \"%s\": ", name);
	notation_json_string(file, text);
}

static void write_file(struct report *report, const struct report_file *file, void *ctx)
{
	const char **comma = ctx;
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&file->file->blob.plain_sha256, hex);
	fprintf(report->file, "%s\n    {\"file\": ", *comma);
	notation_json_string(report->file, file->file->file);
	fprintf(report->file, ", \"bytes\": %" PRIu64 ", \"asStored\": \"sha256:%s\", \"here\": %s",
		file->file->blob.plain_length, hex, file->is_here ? "true" : "false");
	if (file->is_attested)
		fputs(", \"attested\": true", report->file);
	member_text(report->file, "asPublished", file->published);
	member_text(report->file, "source", file->url);
	member_text(report->file, "fetched", file->fetched);
	fputs("}", report->file);
	*comma = ",";
}

static bool write_entry(void *ctx, uint64_t index, const struct log_entry *entry)
{
	struct chapter *chapter = ctx;
	struct report *report = chapter->report;
	char text[LIMIT_LOG_ENTRY_SIZE];
	const char *comma = "";

	if (audit_chapter(entry) != chapter->chapter)
		return true;
	log_entry_format(entry, text);
	fprintf(report->file, "%s\n  {\"index\": %" PRIu64 ", \"entry\": %s", chapter->comma, index, text);
	member_text(report->file, "name", report_person(report, entry->person));
	if (strcmp(entry->event, "switch") == 0) {
		fputs(", \"files\": [", report->file);
		report_each_file(report, entry->dataset, entry->version, write_file, &comma);
		fputs("]", report->file);
	}
	fputs("}", report->file);
	chapter->comma = ",";
	return true;
}

void report_write_json(struct report *report)
{
	const struct log_reader *reader = report->trail.reader;
	struct findings findings = {0};
	FILE *file = report->file;

	fprintf(file, "{\"format\": \"clapet audit report 1\", \"valid\": %s, \"store\": ",
		report->verify.findings.n_faults == 0 ? "true" : "false");
	notation_json_string(file, report->store);
	member_time(file, "from", report->from);
	member_time(file, "to", report->to);
	member_time(file, "made", report->made);
	if (reader != NULL)
		member_text(file, "checkpoint", log_reader_note(reader));
	if (report->has_old)
		fprintf(file, ", \"since\": {\"size\": %" PRIu64 ", \"signed\": %s}", report->old.size,
			report->old_signed ? "true" : "false");
	fprintf(file, ",\n \"metadata\": %zu, \"signed\": %zu", report->verify.n_metadata,
		report->verify.set == NULL ? 0 : report->verify.set->n_metadata);
	for (enum audit_chapter number = 0; number < AUDIT_CHAPTER_N; number++) {
		struct chapter chapter = {report, number, ""};

		fprintf(file, ",\n \"%s\": [", names[number]);
		if (reader != NULL)
			trail_each(&report->trail, report->first, report->end, write_entry, &chapter, &findings);
		fputs("]", file);
	}
	fputs(",\n ", file);
	findings_print_json(&report->verify.findings, file);
	fputs("}\n", file);
	findings_clear(&findings);
}
