/* SPDX-License-Identifier: ISC
 *
 * fault: the catalogue of codes and the one line that goes with a refusal.
 */
#include "base/fault.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

struct entry {
	enum fault fault;
	enum fault_kind kind;
	const char *title, *cause, *next;
};

static const struct entry catalogue[] = {
#define FAULT(number, name, kind, title, cause, next) {FAULT_##name, FAULT_KIND_##kind, title, cause, next},
#include "base/codes.def"
#undef FAULT
};

static const struct entry unknown = {FAULT_NONE, FAULT_KIND_TROUBLE, "unknown", "", ""};

static const struct entry *entry_find(unsigned number)
{
	for (size_t i = 0; i < ARRAY_SIZE(catalogue); i++)
		if ((unsigned)catalogue[i].fault == number)
			return &catalogue[i];
	return NULL;
}

static const struct entry *entry_of(enum fault fault)
{
	const struct entry *entry = entry_find((unsigned)fault);

	return entry != NULL ? entry : &unknown;
}

enum fault refuse(struct refusal *why, enum fault fault, const char *format, ...)
{
	char line[4 * FAULT_LINE_SIZE];
	va_list arguments;

	if (why == NULL)
		return fault;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	why->fault = fault;
	text_escape(line, strlen(line), why->line, sizeof why->line);
	return fault;
}

enum fault refuse_within(struct refusal *why, const char *format, ...)
{
	char prefix[FAULT_LINE_SIZE], line[3 * FAULT_LINE_SIZE];
	va_list arguments;

	/* Which fault it was is not known here; that it was one must not get lost. */
	if (why == NULL)
		return FAULT_WORKER;
	va_start(arguments, format);
	vsnprintf(prefix, sizeof prefix, format, arguments);
	va_end(arguments);
	snprintf(line, sizeof line, "%s: %s", prefix, why->line);
	text_escape(line, strlen(line), why->line, sizeof why->line);
	return why->fault;
}

bool fault_is_known(unsigned number)
{
	return number == FAULT_NONE || entry_find(number) != NULL;
}

enum fault_kind fault_kind(enum fault fault)
{
	return fault == FAULT_NONE ? FAULT_KIND_DONE : entry_of(fault)->kind;
}

int fault_exit(enum fault fault)
{
	return (int)fault_kind(fault); /* the kinds are numbered by their exit status */
}

int fault_exit_worse(int a, int b)
{
	static const int order[] = {0, 4, 3, 2, 1}; /* of exit status 0, 1, 2, 3, 4: the larger is worse */

	if (a < 0 || b < 0 || a > 4 || b > 4)
		return 2;
	return order[a] >= order[b] ? a : b;
}

const char *fault_word(enum fault fault)
{
	static const char *const words[] = {"DONE", "REFUSED", "TROUBLE", "HELD", "MISSING"};

	return words[fault_kind(fault)];
}

const char *fault_title(enum fault fault)
{
	return entry_of(fault)->title;
}

const char *fault_cause(enum fault fault)
{
	return entry_of(fault)->cause;
}

const char *fault_next(enum fault fault)
{
	return entry_of(fault)->next;
}

void fault_format(const struct refusal *why, char *text, size_t size)
{
	snprintf(text, size, "E%04u %s %s", (unsigned)why->fault, fault_word(why->fault), why->line);
}

enum fault fault_by_code(const char *code)
{
	unsigned long number;
	char *end;

	if (*code == 'E' || *code == 'e')
		code++;
	if (!isdigit((unsigned char)*code))
		return FAULT_NONE;
	number = strtoul(code, &end, 10);
	if (*end != '\0' || number > 9999 || entry_find((unsigned)number) == NULL)
		return FAULT_NONE;
	return (enum fault)number;
}

enum fault fault_at(size_t index)
{
	return index < ARRAY_SIZE(catalogue) ? catalogue[index].fault : FAULT_NONE;
}
