/* SPDX-License-Identifier: ISC
 *
 * log: lines on stderr, and the allocators that die.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define LOG_LINE_SIZE 2048

static const char *opt_name = "clapet";
static void (*opt_before)(void);

void log_set_name(const char *name)
{
	opt_name = name;
}

void log_set_before(void (*before)(void))
{
	opt_before = before;
}

bool log_has_colour(int fd)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	/* isatty last: it is an ioctl, which a worker (no TERM in its environment) may not call. */
	return term != NULL && strcmp(term, "dumb") != 0 && (no_colour == NULL || *no_colour == '\0') && isatty(fd);
}

/* One write a line, so that lines of several processes do not mix. */
static void write_line(int priority, const char *colour, const char *text)
{
	char line[LOG_LINE_SIZE + 256], safe[LOG_LINE_SIZE];
	int size;

	if (opt_before != NULL)
		opt_before();
	text_escape(text, strlen(text), safe, sizeof safe);
	if (getenv("JOURNAL_STREAM") != NULL)
		size = snprintf(line, sizeof line, "<%d>%s\n", priority, safe);
	else if (colour != NULL && log_has_colour(STDERR_FILENO))
		size = snprintf(line, sizeof line, "%s: \033[%sm%s\033[0m\n", opt_name, colour, safe);
	else
		size = snprintf(line, sizeof line, "%s: %s\n", opt_name, safe);
	if (size < 0)
		return;
	if ((size_t)size >= sizeof line)
		size = sizeof line - 1;
	/* Nobody is left to tell if this fails. */
	if (write(STDERR_FILENO, line, (size_t)size) < 0)
		return;
}

#define WRITE_FORMATTED(priority, colour, format)                                                                      \
	do {                                                                                                           \
		char text_[LOG_LINE_SIZE];                                                                             \
		va_list arguments_;                                                                                    \
                                                                                                                       \
		va_start(arguments_, format);                                                                          \
		vsnprintf(text_, sizeof text_, format, arguments_);                                                    \
		va_end(arguments_);                                                                                    \
		write_line(priority, colour, text_);                                                                   \
	} while (0)

void log_info(const char *format, ...)
{
	WRITE_FORMATTED(LOG_INFO, NULL, format);
}

void log_warning(const char *format, ...)
{
	WRITE_FORMATTED(LOG_WARNING, "33", format);
}

void log_error(const char *format, ...)
{
	WRITE_FORMATTED(LOG_ERR, "31", format);
}

void log_refusal(const struct refusal *why)
{
	char text[FAULT_LINE_SIZE + 32];

	fault_format(why, text, sizeof text);
	if (fault_kind(why->fault) == FAULT_KIND_DONE) {
		log_info("%s", text);
		return;
	}
	log_error("%s", text);
	if (*fault_cause(why->fault) != '\0')
		log_info("  likely cause: %s", fault_cause(why->fault));
	if (*fault_next(why->fault) != '\0')
		log_info("  next: %s", fault_next(why->fault));
}

void die(const char *format, ...)
{
	WRITE_FORMATTED(LOG_CRIT, "31", format);
	_exit(2);
}

void die_errno(const char *format, ...)
{
	int error = errno;
	char text[LOG_LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	die("%s: %s", text, strerror(error));
}

void die_usage(const char *format, ...)
{
	WRITE_FORMATTED(LOG_ERR, "31", format);
	log_info("see '%s --help'", opt_name);
	exit(2);
}

void *xmalloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		die("out of memory: %zu bytes", size);
	return memory;
}

void *xcalloc(size_t n, size_t size)
{
	void *memory = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (memory == NULL)
		die("out of memory: %zu times %zu bytes", n, size);
	return memory;
}

void *xrealloc(void *old, size_t n, size_t size)
{
	void *memory = reallocarray(old, n > 0 ? n : 1, size > 0 ? size : 1);

	if (memory == NULL)
		die("out of memory: %zu times %zu bytes", n, size);
	return memory;
}

char *xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		die("out of memory: %zu bytes", strlen(text) + 1);
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list arguments;
	char *text;
	int size;

	va_start(arguments, format);
	size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		die("out of memory");
	return text;
}
