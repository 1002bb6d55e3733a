/* SPDX-License-Identifier: ISC
 *
 * audit_report_html: the page. Well-formed as XML too, without scripts, links or anything from elsewhere; whatever stands in a log or
 * a description is text and stays text. Meant for paper: black on white, A4, and each chapter says so when nothing happened.
 */
#include "inside/audit_report.h"

#include <sodium.h>
#include <string.h>

#include "bundle/html.h"

static const char *const titles[AUDIT_CHAPTER_N] = {
	"What came in",
	"What was refused or held",
	"What persons decided",
	"What a rule deleted",
	"Alarms",
	"Changes of configuration, rules and program",
};

/* --- the head -------------------------------------------------------------------------------------------------------- */

static void write_verdict(const struct report *report)
{
	const struct findings *findings = &report->verify.findings;
	char line[FAULT_LINE_SIZE + 64];

	fprintf(report->file, "<div class=\"verdict\"><p>%s</p>\n",
		findings->n_faults == 0
			? "Everything that this report rests on holds: the log is whole and signed, and the metadata "
			  "are rightly signed."
			: "Something does not hold. Read the lines below before anything else on this page.");
	if (findings->n_faults + findings->n_notes > 0) {
		fputs("<ul>\n", report->file);
		for (size_t i = 0; i < findings->n_faults_kept; i++) {
			fault_format(&findings->faults[i], line, sizeof(line));
			fputs("<li>", report->file);
			html_text(report->file, line);
			fputs("</li>\n", report->file);
		}
		for (size_t i = 0; i < findings->n_notes_kept; i++) {
			fputs("<li>note: ", report->file);
			html_text(report->file, findings->notes[i]);
			fputs("</li>\n", report->file);
		}
		fputs("</ul>\n", report->file);
	}
	if (findings->n_faults > findings->n_faults_kept)
		fprintf(report->file, "<p>and %zu more</p>\n", findings->n_faults - findings->n_faults_kept);
	fputs("</div>\n", report->file);
}

static void write_summary(const struct report *report)
{
	const uint64_t *counts = report->counts;
	FILE *file = report->file;

	fputs("<dl>\n<dt>Period</dt><dd>", file);
	html_time(file, report->from);
	fputs(" to ", file);
	html_time(file, report->to);
	fputs("</dd>\n", file);
	html_item(file, "Store", report->store);
	fputs("<dt>Made</dt><dd>", file);
	html_time(file, report->made);
	fputs(", clapet-audit " CLAPET_VERSION "</dd>\n", file);
	fprintf(file,
		"<dt>In short</dt><dd>%" PRIu64 " bundles taken in, %" PRIu64 " versions came in force, %" PRIu64
		" refused or held, %" PRIu64 " decisions by persons, %" PRIu64 " deletions by rule, %" PRIu64
		" alarms, %" PRIu64 " changes</dd>\n</dl>\n",
		report->n_bundles, report->n_in_force, counts[AUDIT_CHAPTER_REFUSALS], counts[AUDIT_CHAPTER_DECISIONS],
		counts[AUDIT_CHAPTER_RETENTION], counts[AUDIT_CHAPTER_ALARMS], counts[AUDIT_CHAPTER_CHANGES]);
}

static void write_note(FILE *file, const char *note)
{
	fputs("<pre>", file);
	for (const char *line = note; *line != '\0';
	     line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		char text[1024];

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
		html_text(file, text);
		putc('\n', file);
	}
	fputs("</pre>\n", file);
}

static void write_proof(const struct report *report)
{
	const struct checkpoint *head = report->trail.reader == NULL ? NULL : log_reader_head(report->trail.reader);
	const struct trustset *set = report->verify.set;
	FILE *file = report->file;

	fputs("<h2>What this rests on</h2>\n", file);
	if (set != NULL)
		fprintf(file,
			"<p>Metadata: %zu of %zu files rightly signed, from root %" PRIu64 " to root %" PRIu64
			". Digests below are those that these files sign.</p>\n",
			set->n_metadata, report->verify.n_metadata, set->roots[0]->header.version,
			set->roots[set->n_roots - 1]->header.version);
	if (head == NULL)
		return;
	fprintf(file,
		"<p>Log: %" PRIu64 " entries (the first is 0), of which %" PRIu64 " to %" PRIu64 " lie in the period. ",
		head->size, report->first, report->end == 0 ? 0 : report->end - 1);
	if (report->has_old)
		fprintf(file,
			"It was proved that it continues the older checkpoint of %" PRIu64
			" entries%s: nothing before that was rewritten. ",
			report->old.size, report->old_signed ? "" : ", which was given without its signature");
	else
		fputs("It was not held against an older checkpoint (--since). ", file);
	fputs("Its signed checkpoint:</p>\n", file);
	write_note(file, log_reader_note(report->trail.reader));
}

/* --- chapters -------------------------------------------------------------------------------------------------------- */

struct chapter {
	struct report *report;
	enum audit_chapter chapter;
};

static void write_file(struct report *report, const struct report_file *file, void *ctx)
{
	char hex[SHA256_HEX_SIZE], size[32];

	(void)ctx;
	sha256_to_hex(&file->file->blob.plain_sha256, hex);
	notation_format_size(file->file->blob.plain_length, size, sizeof(size));
	fputs("<dt>", report->file);
	html_text(report->file, file->file->file);
	fprintf(report->file, ", %s%s</dt><dd>as stored <code>sha256:%s</code>", size,
		file->is_here ? "" : ", no longer here", hex);
	if (file->is_attested)
		fputs("<br/>attestation, signed by the dataset's key, about the files of this version", report->file);
	if (file->published[0] != '\0') {
		fputs("<br/>as published <code>", report->file);
		html_text(report->file, file->published);
		fputs("</code>", report->file);
	}
	if (file->url[0] != '\0') {
		fputs("<br/>from <code>", report->file);
		html_text(report->file, file->url);
		fputs("</code>", report->file);
	}
	if (file->fetched[0] != '\0') {
		fputs(", fetched ", report->file);
		html_text(report->file, file->fetched);
	}
	fputs("</dd>\n", report->file);
}

static void write_subject(struct report *report, const struct log_entry *entry)
{
	FILE *file = report->file;

	html_text(file, entry->line);
	if (entry->sha256[0] != '\0' && strstr(entry->line, entry->sha256) == NULL)
		fprintf(file, "<br/><code>sha256:%s</code>", entry->sha256);
	if (strcmp(entry->event, "switch") != 0 || entry->version[0] == '\0')
		return;
	fputs("<dl>\n", file);
	if (!report_each_file(report, entry->dataset, entry->version, write_file, NULL))
		fputs("<dt>no signed metadata here describe it</dt><dd></dd>", file);
	fputs("</dl>", file);
}

static bool write_entry(void *ctx, uint64_t index, const struct log_entry *entry)
{
	const struct chapter *chapter = ctx;
	struct report *report = chapter->report;
	char reason[FAULT_LINE_SIZE];
	FILE *file = report->file;

	if (audit_chapter(entry) != chapter->chapter)
		return true;
	audit_reason(entry, reason, sizeof(reason));
	fprintf(file, "<tr><td class=\"n\">%" PRIu64 "</td><td>", index);
	html_time(file, entry->time);
	fputs("</td><td>", file);
	html_text(file, audit_words(entry));
	fputs("</td><td>", file);
	html_text(file, entry->dataset);
	if (entry->version[0] != '\0')
		fprintf(file, "<br/><code>%s</code>", entry->version);
	fputs("</td><td>", file);
	write_subject(report, entry);
	if (reason[0] != '\0') {
		fputs("<br/>", file);
		html_text(file, reason);
	}
	if (entry->person[0] != '\0') {
		fputs("<br/>by ", file);
		html_text(file, entry->person);
		if (report_person(report, entry->person)[0] != '\0') {
			fputs(", ", file);
			html_text(file, report_person(report, entry->person));
		}
	}
	fputs("</td></tr>\n", file);
	return true;
}

static void write_chapter(struct report *report, enum audit_chapter number)
{
	struct chapter chapter = {report, number};
	struct findings findings = {0}; /* the entries were all read before */

	fprintf(report->file, "<h2>%s</h2>\n", titles[number]);
	if (report->counts[number] == 0) {
		fputs("<p>Nothing in this period.</p>\n", report->file);
		return;
	}
	fputs("<table>\n<thead><tr><th>Entry</th><th>When</th><th>What</th><th>Dataset, version</th><th>In "
	      "words</th></tr></thead>\n"
	      "<tbody>\n",
	      report->file);
	trail_each(&report->trail, report->first, report->end, write_entry, &chapter, &findings);
	fputs("</tbody>\n</table>\n", report->file);
	findings_clear(&findings);
}

void report_write_html(struct report *report)
{
	FILE *file = report->file;

	html_begin(file, "What came in: audit report", false);
	write_verdict(report);
	write_summary(report);
	for (enum audit_chapter chapter = 0; report->trail.reader != NULL && chapter < AUDIT_CHAPTER_N; chapter++)
		write_chapter(report, chapter);
	write_proof(report);
	html_end(file);
}
