/* SPDX-License-Identifier: ISC
 *
 * findings: what an auditor's run noticed: faults, which end in exit status 1, and notes, which do not. One list, two
 * ways to print it.
 */
#ifndef INSIDE_FINDINGS_H
#define INSIDE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

/* Kept with their words; all are counted. */
#define FINDINGS_KEPT 1000

struct findings {
	struct refusal *faults;
	size_t n_faults, n_faults_kept;
	char **notes;
	size_t n_notes, n_notes_kept;
	int exit_status; /* of all faults, kept or not */
};

void findings_clear(struct findings *findings);

/* FAULT_NONE in WHY is no fault. Returns WHY's fault. */
enum fault findings_add(struct findings *findings, const struct refusal *why);
void findings_fault(struct findings *findings, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void findings_note(struct findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes and faults as lines, each fault with its code. */
void findings_print(const struct findings *findings, FILE *file);
/* `"faults": [{"code", "message"}], "notes": ["…"]`, without the braces around it. */
void findings_print_json(const struct findings *findings, FILE *file);
/* 0 with no fault; else that of the worst. */
int findings_exit(const struct findings *findings);

#endif
