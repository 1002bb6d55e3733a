/* SPDX-License-Identifier: ISC
 *
 * url: scheme, host and a safe way to show an address (RFC 3986, 3: what stands before the first slash, question mark
 * or hash is the authority, and the user ends at its last at sign).
 */
#include "outside/url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum url_scheme url_scheme(const char *url)
{
	size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	if (strncasecmp(url, "https://", 8) == 0)
		return URL_HTTPS;
	if (strncasecmp(url, "http://", 7) == 0)
		return URL_HTTP;
	if (strncasecmp(url, "file:///", 8) == 0)
		return URL_FILE;
	return n > 0 && url[n] == ':' ? URL_OTHER : URL_RELATIVE;
}

/* Where the authority starts and how long it is; 0 where the address has none. */
static size_t find_authority(const char *url, const char **ret_start)
{
	const char *start = strstr(url, "://");

	if (start == NULL)
		return 0;
	start += 3;
	*ret_start = start;
	return strcspn(start, "/?#\\");
}

static const char *last_at(const char *start, size_t size)
{
	return memrchr(start, '@', size);
}

bool url_host(const char *url, char *host, size_t size)
{
	const char *start = NULL, *at, *end;
	size_t n = find_authority(url, &start);
	size_t i;

	host[0] = '\0';
	if (n == 0)
		return true;
	end = start + n;
	at = last_at(start, n);
	if (at != NULL)
		start = at + 1;
	n = (size_t)(end - start);
	if (*start == '[')
		n = strcspn(start, "]") + 1 <= n ? strcspn(start, "]") + 1 : n;
	else if (memchr(start, ':', n) != NULL)
		n = (size_t)((const char *)memchr(start, ':', n) - start);
	if (n >= size)
		return false;
	for (i = 0; i < n; i++)
		host[i] = (char)tolower((unsigned char)start[i]);
	host[n] = '\0';
	return true;
}

char *url_redact(const char *url, char *text, size_t size)
{
	const char *start = NULL, *at = NULL;
	size_t n = find_authority(url, &start);

	if (n > 0)
		at = last_at(start, n);
	if (at == NULL)
		snprintf(text, size, "%s", url);
	else
		snprintf(text, size, "%.*s***%s", (int)(start - url), url, at);
	return text;
}
