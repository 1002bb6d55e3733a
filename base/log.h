/* SPDX-License-Identifier: ISC
 *
 * log: one line an event on stderr. Under systemd each line carries its syslog priority; on a terminal
 * the word of trouble is coloured. Bytes that do not print never reach the terminal.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/fault.h"

/* The name before each line: the program's. Kept by pointer. */
void log_set_name(const char *name);
/* BEFORE is called before each line: what else is on the terminal goes away (bundle/progress.h). */
void log_set_before(void (*before)(void));

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shows a refusal: "E2107 REFUSED <line>", then, for people, the likely cause and the next command. */
void log_refusal(const struct refusal *why);

/* Ours or the machine's: says so and ends the process with exit status 2. `die_errno` adds strerror(errno). */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void die_errno(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Bad arguments: the line, a pointer to --help, exit status 2. */
void die_usage(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Whether FD is a terminal on which colours are welcome (NO_COLOR and TERM=dumb are heard). */
bool log_has_colour(int fd);

/* malloc and friends that die instead of returning NULL. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
