/* SPDX-License-Identifier: ISC
 *
 * fault: what can be wrong with data. Every refusal, alarm and waiting state has one stable code; the
 * catalogue is codes.def, from which this enum, the exit statuses and the texts of `explain` are made.
 * What is wrong with us or with the machine is not here: that is die() (log.h).
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault {
	FAULT_NONE = 0,
#define FAULT(number, name, kind, title, cause, next) FAULT_##name = (number),
#include "base/codes.def"
#undef FAULT
};

/* What a fault means for the operator; each kind is one exit status. */
enum fault_kind {
	FAULT_KIND_DONE,    /* exit 0: nothing is wrong (superseded, already in force) */
	FAULT_KIND_REFUSED, /* exit 1: a rule refused it */
	FAULT_KIND_TROUBLE, /* exit 2: ours or the machine's; usage too */
	FAULT_KIND_HELD,    /* exit 3: waits for a person */
	FAULT_KIND_MISSING, /* exit 4: good so far, something has not arrived */
};

/* One line, ready to be shown: what is wrong, where, and the clause. No newline, no code. */
#define FAULT_LINE_SIZE 480

/* Written once, by the place that knows; callers pass it on. */
struct refusal {
	enum fault fault;
	char line[FAULT_LINE_SIZE];
};

/* Records FAULT with its line in WHY (which may be NULL) and returns FAULT, so that a check reads
 * `return refuse(why, FAULT_X, "…")`. Bytes that do not print are escaped as \xNN; a long line is cut. */
enum fault refuse(struct refusal *why, enum fault fault, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "FORMAT: " before the line that WHY already holds (names the file around an inner fault). Returns its
 * fault; with WHY NULL that is not known, and FAULT_WORKER stands for it. */
enum fault refuse_within(struct refusal *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether NUMBER is a fault of the catalogue, or FAULT_NONE: asked before a number that came over a
 * socket becomes an enum. */
bool fault_is_known(unsigned number);

enum fault_kind fault_kind(enum fault fault);

/* The exit status of one fault, and of a run that met two (refused is worst, then trouble, held, missing, done). */
int fault_exit(enum fault fault);
int fault_exit_worse(int a, int b);

/* "REFUSED", "HELD", … : the word after the code. */
const char *fault_word(enum fault fault);
/* Title, likely cause and next command, from the catalogue; never NULL. */
const char *fault_title(enum fault fault);
const char *fault_cause(enum fault fault);
const char *fault_next(enum fault fault);

/* Writes "E2107 REFUSED <line>" into TEXT. */
void fault_format(const struct refusal *why, char *text, size_t size);

/* Finds a fault by what a person typed ("E2107", "e2107", "2107"); FAULT_NONE if there is none. */
enum fault fault_by_code(const char *code);

/* The catalogue in order, for documents: the fault at INDEX, FAULT_NONE past the end. */
enum fault fault_at(size_t index);

#endif
