/* SPDX-License-Identifier: ISC
 *
 * options: a program's commands and their options are tables; parsing and --help are made from them.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,   /* bool *target */
	OPTION_TEXT,   /* const char **target */
	OPTION_LIST,   /* struct option_list *target: may be given several times */
	OPTION_NUMBER, /* uint64_t *target: decimal */
};

#define OPTION_LIST_MAX 256
struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t n_items;
};

/* One option. LETTER may be 0. ARGUMENT names the value in --help. The table ends with a NULL name. */
struct option {
	const char *name;
	char letter;
	enum option_kind kind;
	void *target;
	const char *argument;
	const char *help;
};

/* One command. RUN gets what is left after the options and returns the exit status. The table ends with a NULL name. */
struct command {
	const char *name;
	const char *arguments;        /* "[BUNDLE…]" for --help; NULL: none taken */
	const char *summary;          /* one line */
	const char *details;          /* paragraphs for `COMMAND --help`; may be NULL */
	const struct option *options; /* beside the program's own; may be NULL */
	int (*run)(int argc, char **argv);
};

struct program {
	const char *name;
	const char *summary;
	const struct option *options;      /* understood by every command */
	const struct command *commands;    /* NULL for a program of a single job: then RUN */
	int (*run)(int argc, char **argv); /* with commands too: what is done where none is named */
	const char *arguments;
	const char *details;
};

/* Parses, answers --help, --version and `help COMMAND` by itself, runs the command. Usage errors exit with 2.
 * Options may stand before or after the command; "--" ends them. */
int program_main(const struct program *program, int argc, char **argv);

#endif
