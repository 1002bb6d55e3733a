/* SPDX-License-Identifier: ISC
 *
 * options: tables of commands and options, parsed and explained.
 */
#include "base/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

static void print_options(const struct option *options)
{
	for (; options->name != NULL; options++) {
		char left[64];

		snprintf(left, sizeof left, "%c%c%s--%s%s%s", options->letter ? '-' : ' ',
			 options->letter ? options->letter : ' ', options->letter ? ", " : "  ", options->name,
			 options->argument != NULL ? " " : "", options->argument != NULL ? options->argument : "");
		printf("  %-30s %s\n", left, options->help);
	}
}

static void print_command_help(const struct program *program, const struct command *command)
{
	printf("Usage: %s %s [OPTION…]%s%s\n\n%s\n", program->name, command->name,
	       command->arguments != NULL ? " " : "", command->arguments != NULL ? command->arguments : "",
	       command->summary);
	if (command->details != NULL)
		printf("\n%s\n", command->details);
	puts("\nOptions:");
	if (command->options != NULL)
		print_options(command->options);
	print_options(program->options);
	printf("  %-30s %s\n", "-h, --help", "this text");
}

static void print_program_help(const struct program *program)
{
	printf("Usage: %s [OPTION…] %s\n\n%s\n", program->name,
	       program->commands != NULL    ? "COMMAND [ARGUMENT…]"
	       : program->arguments != NULL ? program->arguments
					    : "",
	       program->summary);
	if (program->details != NULL)
		printf("\n%s\n", program->details);
	if (program->commands != NULL) {
		puts("\nCommands:");
		for (const struct command *command = program->commands; command->name != NULL; command++)
			printf("  %-16s %s\n", command->name, command->summary);
	}
	puts("\nOptions:");
	print_options(program->options);
	printf("  %-30s %s\n", "-h, --help", "this text; `COMMAND --help` tells about one command");
	printf("  %-30s %s\n", "    --version", "the version");
	puts("\nExit status: 0 done, 1 refused by a rule, 2 trouble (usage too), 3 waits for a person,\n"
	     "4 good so far but something is missing.");
}

static void set_list(const struct option *option, const char *value)
{
	struct option_list *list = option->target;

	if (list->n_items >= OPTION_LIST_MAX)
		die_usage("--%s: more than %d times", option->name, OPTION_LIST_MAX);
	list->items[list->n_items++] = value;
}

static void set_number(const struct option *option, const char *value)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0)
		die_usage("--%s: \"%s\" is not a number", option->name, value);
	*(uint64_t *)option->target = number;
}

static void set_value(const struct option *option, const char *value)
{
	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)option->target = true;
		return;
	case OPTION_TEXT:
		*(const char **)option->target = value;
		return;
	case OPTION_LIST:
		set_list(option, value);
		return;
	case OPTION_NUMBER:
		set_number(option, value);
		return;
	}
}

struct parsing {
	const struct program *program;
	const struct command *command; /* once it was met */
	int argc, at;
	char **argv;
	char **rest; /* what is no option, for the command */
	int n_rest;
	bool wants_help;
};

/* The option of that long name (SIZE bytes) or, with SIZE 0, of that letter: the command's own first, then the program's. */
static const struct option *find_option(const struct parsing *parsing, const char *name, size_t size)
{
	const struct option *tables[] = {parsing->command != NULL ? parsing->command->options : NULL,
					 parsing->program->options};

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct option *option = tables[i]; option != NULL && option->name != NULL; option++)
			if (size > 0 ? strlen(option->name) == size && memcmp(option->name, name, size) == 0
				     : option->letter == *name)
				return option;
	return NULL;
}

/* The word after an option that needs a value. */
static const char *next_word(struct parsing *parsing, const struct option *option)
{
	if (parsing->at >= parsing->argc)
		die_usage("--%s needs %s", option->name, option->argument != NULL ? option->argument : "a value");
	return parsing->argv[parsing->at++];
}

static void parse_long(struct parsing *parsing, const char *text)
{
	size_t size = strcspn(text, "=");
	const char *value = text[size] == '=' ? text + size + 1 : NULL;
	const struct option *option = size > 0 ? find_option(parsing, text, size) : NULL;

	if (option == NULL)
		die_usage("unknown option --%.*s%s", (int)size, text,
			  parsing->command == NULL && parsing->program->commands != NULL
				  ? " (a command's options follow the command)"
				  : "");
	if (option->kind == OPTION_FLAG && value != NULL)
		die_usage("--%s takes no value", option->name);
	if (option->kind != OPTION_FLAG && value == NULL)
		value = next_word(parsing, option);
	set_value(option, value);
}

static void parse_letters(struct parsing *parsing, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct option *option = find_option(parsing, letters, 0);

		if (option == NULL && *letters == 'h') {
			parsing->wants_help = true;
			continue;
		}
		if (option == NULL)
			die_usage("unknown option -%c", *letters);
		if (option->kind != OPTION_FLAG) {
			set_value(option, letters[1] != '\0' ? letters + 1 : next_word(parsing, option));
			return;
		}
		set_value(option, NULL);
	}
}

static const struct command *find_command(const struct program *program, const char *name)
{
	for (const struct command *command = program->commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	die_usage("unknown command \"%s\"", name);
}

static void parse_word(struct parsing *parsing, char *word)
{
	if (parsing->program->commands == NULL || parsing->command != NULL) {
		parsing->rest[parsing->n_rest++] = word;
		return;
	}
	if (strcmp(word, "help") == 0) {
		parsing->wants_help = true;
		if (parsing->at < parsing->argc)
			parsing->command = find_command(parsing->program, parsing->argv[parsing->at++]);
		return;
	}
	parsing->command = find_command(parsing->program, word);
}

static void parse_all(struct parsing *parsing)
{
	while (parsing->at < parsing->argc && !parsing->wants_help) {
		char *word = parsing->argv[parsing->at++];

		if (strcmp(word, "--") == 0) {
			while (parsing->at < parsing->argc)
				parse_word(parsing, parsing->argv[parsing->at++]);
		} else if (strcmp(word, "--help") == 0) {
			parsing->wants_help = true;
		} else if (strcmp(word, "--version") == 0 && parsing->command == NULL) {
			printf("%s %s\n", parsing->program->name, CLAPET_VERSION);
			exit(0);
		} else if (strncmp(word, "--", 2) == 0) {
			parse_long(parsing, word + 2);
		} else if (word[0] == '-' && word[1] != '\0') {
			parse_letters(parsing, word + 1);
		} else {
			parse_word(parsing, word);
		}
	}
}

int program_main(const struct program *program, int argc, char **argv)
{
	_cleanup_free_ char **rest = xcalloc((size_t)argc + 1, sizeof *rest);
	struct parsing parsing = {.program = program, .argc = argc, .at = 1, .argv = argv, .rest = rest};

	log_set_name(program->name);
	parse_all(&parsing);
	if (parsing.wants_help) {
		if (parsing.command != NULL)
			print_command_help(program, parsing.command);
		else
			print_program_help(program);
		return fflush(stdout) == 0 ? 0 : 2;
	}
	if (program->commands == NULL) {
		if (program->arguments == NULL && parsing.n_rest > 0)
			die_usage("unexpected argument \"%s\"", rest[0]);
		return program->run(parsing.n_rest, rest);
	}
	if (parsing.command == NULL && program->run != NULL)
		return program->run(0, rest);
	if (parsing.command == NULL)
		die_usage("which command?");
	if (parsing.command->arguments == NULL && parsing.n_rest > 0)
		die_usage("%s: unexpected argument \"%s\"", parsing.command->name, rest[0]);
	return parsing.command->run(parsing.n_rest, rest);
}
