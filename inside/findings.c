/* SPDX-License-Identifier: ISC
 *
 * findings: the list, and its two forms.
 */
#include "inside/findings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->n_notes_kept; i++)
		free(findings->notes[i]);
	free(findings->notes);
	free(findings->faults);
	*findings = (struct findings){0};
}

enum fault findings_add(struct findings *findings, const struct refusal *why)
{
	if (why->fault == FAULT_NONE)
		return FAULT_NONE;
	findings->n_faults++;
	findings->exit_status = fault_exit_worse(findings->exit_status, fault_exit(why->fault));
	if (findings->n_faults_kept < FINDINGS_KEPT) {
		findings->faults = xrealloc(findings->faults, findings->n_faults_kept + 1, sizeof(*findings->faults));
		findings->faults[findings->n_faults_kept++] = *why;
	}
	return why->fault;
}

void findings_fault(struct findings *findings, enum fault fault, const char *format, ...)
{
	char line[FAULT_LINE_SIZE * 2];
	struct refusal why;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	refuse(&why, fault, "%s", line);
	findings_add(findings, &why);
}

void findings_note(struct findings *findings, const char *format, ...)
{
	char line[FAULT_LINE_SIZE * 2], safe[FAULT_LINE_SIZE * 2];
	va_list arguments;

	findings->n_notes++;
	if (findings->n_notes_kept >= FINDINGS_KEPT)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	text_escape(line, strlen(line), safe, sizeof(safe));
	findings->notes = xrealloc(findings->notes, findings->n_notes_kept + 1, sizeof(*findings->notes));
	findings->notes[findings->n_notes_kept++] = xstrdup(safe);
}

void findings_print(const struct findings *findings, FILE *file)
{
	char text[FAULT_LINE_SIZE + 64];

	for (size_t i = 0; i < findings->n_notes_kept; i++)
		fprintf(file, "note: %s\n", findings->notes[i]);
	if (findings->n_notes > findings->n_notes_kept)
		fprintf(file, "note: and %zu more\n", findings->n_notes - findings->n_notes_kept);
	for (size_t i = 0; i < findings->n_faults_kept; i++) {
		fault_format(&findings->faults[i], text, sizeof(text));
		fprintf(file, "%s\n", text);
	}
	if (findings->n_faults > findings->n_faults_kept)
		fprintf(file, "and %zu more\n", findings->n_faults - findings->n_faults_kept);
}

void findings_print_json(const struct findings *findings, FILE *file)
{
	fprintf(file, "\"nFaults\": %zu, \"faults\": [", findings->n_faults);
	for (size_t i = 0; i < findings->n_faults_kept; i++) {
		fprintf(file, "%s\n  {\"code\": \"E%04u\", \"message\": ", i == 0 ? "" : ",",
			(unsigned)findings->faults[i].fault);
		notation_json_string(file, findings->faults[i].line);
		fputs("}", file);
	}
	fprintf(file, "], \"nNotes\": %zu, \"notes\": [", findings->n_notes);
	for (size_t i = 0; i < findings->n_notes_kept; i++) {
		fputs(i == 0 ? "\n  " : ",\n  ", file);
		notation_json_string(file, findings->notes[i]);
	}
	fputs("]", file);
}

int findings_exit(const struct findings *findings)
{
	return findings->exit_status;
}
