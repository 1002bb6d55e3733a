/* SPDX-License-Identifier: ISC
 *
 * url: the little that we need to know of an address: its scheme, its host, and how to show it without the password
 * that somebody wrote into it. The real parsing is libcurl's, in a worker.
 */
#ifndef OUTSIDE_URL_H
#define OUTSIDE_URL_H

#include <stdbool.h>
#include <stddef.h>

enum url_scheme {
	URL_HTTPS,
	URL_HTTP,
	URL_FILE,     /* "file:///…" */
	URL_RELATIVE, /* no scheme: a path beneath the source's folder */
	URL_OTHER,
};

enum url_scheme url_scheme(const char *url);

/* The host in lower case, without port and user; "" where there is none. False where it does not fit. */
bool url_host(const char *url, char *host, size_t size);

/* The address as it may be shown and logged: user and password become three asterisks. Cut where TEXT is too small.
 * Returns TEXT. */
char *url_redact(const char *url, char *text, size_t size);

#endif
