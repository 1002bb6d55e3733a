/* SPDX-License-Identifier: ISC
 *
 * serve_request, negotiation: what a reader prefers (RFC 9110, 12.5), which bytes of a file (14), and whether it has them already (13). What is
 * out of form counts as not said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "inside/serve_request.h"

#define BLANKS " \t"
#define QUALITY_MAX 1000

/* One element of a list: "text/html;level=1;q=0.5". */
struct element {
	const char *name;
	size_t name_size;
	unsigned quality; /* thousandths */
};

/* "0.75" (RFC 9110, 12.4.2) as thousandths; what is out of form is 0: not wanted. */
static unsigned parse_quality(const char *text, size_t size)
{
	unsigned value = 0, digit = 100;

	if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.'))
		return 0;
	value = text[0] == '1' ? QUALITY_MAX : 0;
	for (size_t i = 2; i < size; i++, digit /= 10) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		value += (unsigned)(text[i] - '0') * digit;
	}
	return value > QUALITY_MAX ? 0 : value;
}

/* Takes the next element from *LIST; false at its end. */
static bool next_element(const char **list, struct element *ret)
{
	const char *at = *list + strspn(*list, BLANKS ","), *end, *parameter;

	if (*at == '\0')
		return false;
	end = at + strcspn(at, ",");
	*list = end;
	ret->name = at;
	ret->name_size = strcspn(at, ";," BLANKS);
	ret->quality = QUALITY_MAX;
	for (parameter = memchr(at, ';', (size_t)(end - at)); parameter != NULL;
	     parameter = memchr(parameter, ';', (size_t)(end - parameter))) {
		parameter++;
		parameter += strspn(parameter, BLANKS);
		if (parameter + 2 <= end && (parameter[0] | 0x20) == 'q' && parameter[1] == '=')
			ret->quality = parse_quality(parameter + 2, strcspn(parameter + 2, ";," BLANKS));
	}
	return true;
}

static bool is_named(const struct element *element, const char *name)
{
	return strlen(name) == element->name_size && strncasecmp(element->name, name, element->name_size) == 0;
}

/* How exactly ELEMENT, a media range, names TYPE: 0 not at all, 1 as any, 2 as any of its kind, 3 by name. */
static unsigned exactness(const struct element *element, const char *type)
{
	size_t kind = strcspn(type, "/");

	if (is_named(element, type))
		return 3;
	if (element->name_size == kind + 2 && strncasecmp(element->name, type, kind + 1) == 0 &&
	    element->name[kind + 1] == '*')
		return 2;
	return is_named(element, "*/*") ? 1 : 0;
}

static unsigned find_quality(const char *accept, const char *type, unsigned *ret_exactness)
{
	unsigned quality = 0;
	struct element element;

	*ret_exactness = 0;
	while (next_element(&accept, &element)) {
		unsigned exact = exactness(&element, type);

		if (exact > *ret_exactness) {
			*ret_exactness = exact;
			quality = element.quality;
		}
	}
	return quality;
}

unsigned serve_accepts(const char *accept, const char *type)
{
	unsigned exact;

	return accept[0] == '\0' ? QUALITY_MAX : find_quality(accept, type, &exact);
}

bool serve_prefers_html(const struct serve_request *request)
{
	unsigned exact, quality = find_quality(request->accept, "text/html", &exact);

	return exact == 3 && quality > 0 && quality >= serve_accepts(request->accept, "application/json");
}

/* "fr", "fr-CA": the language alone. */
static unsigned language_quality(const char *list, const char *language)
{
	unsigned quality = 0;
	struct element element;

	while (next_element(&list, &element))
		if (strncasecmp(element.name, language, 2) == 0 &&
		    (element.name_size == 2 || (element.name_size > 2 && element.name[2] == '-')) &&
		    element.quality > quality)
			quality = element.quality;
	return quality;
}

bool serve_prefers_french(const struct serve_request *request)
{
	return language_quality(request->accept_language, "fr") > language_quality(request->accept_language, "en");
}

enum serve_coding serve_wanted_coding(const char *accept_encoding)
{
	static const char *const names[SERVE_N_CODINGS] = {"identity", "gzip", "zstd"};
	int quality[SERVE_N_CODINGS] = {-1, -1, -1}, any = -1;
	enum serve_coding best = SERVE_IDENTITY;
	struct element element;

	while (next_element(&accept_encoding, &element)) {
		if (is_named(&element, "*"))
			any = (int)element.quality;
		for (size_t i = 0; i < SERVE_N_CODINGS; i++)
			if (is_named(&element, names[i]) || (i == SERVE_GZIP && is_named(&element, "x-gzip")))
				quality[i] = (int)element.quality;
	}
	for (size_t i = 0; i < SERVE_N_CODINGS; i++)
		if (quality[i] < 0)
			quality[i] = any;
	/* Identity that nobody named is acceptable, and less wanted than what was named. */
	for (size_t i = 1; i < SERVE_N_CODINGS; i++)
		if (quality[i] > 0 && quality[i] >= quality[best])
			best = (enum serve_coding)i;
	return best;
}

/* --- ranges ---------------------------------------------------------------------------------------------------------- */

/* Digits alone, up to 18. */
static const char *parse_number(const char *text, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 18)
		return NULL;
	*ret = strtoull(text, NULL, 10);
	return text + n;
}

enum serve_range serve_range_parse(const char *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_size)
{
	uint64_t first = 0, last = 0;
	const char *at = range;

	if (strncasecmp(range, "bytes=", 6) != 0)
		return SERVE_RANGE_NONE;
	at += 6;
	if (*at == '-') {
		at = parse_number(at + 1, &last);
		if (at == NULL || *at != '\0')
			return SERVE_RANGE_NONE;
		if (last == 0 || size == 0)
			return SERVE_RANGE_UNSATISFIABLE;
		*ret_size = last < size ? last : size;
		*ret_first = size - *ret_size;
		return SERVE_RANGE_PART;
	}
	at = parse_number(at, &first);
	if (at == NULL || *at != '-')
		return SERVE_RANGE_NONE;
	last = INT64_MAX;
	if (at[1] != '\0') {
		at = parse_number(at + 1, &last);
		if (at == NULL || *at != '\0' || last < first)
			return SERVE_RANGE_NONE;
	}
	if (first >= size)
		return SERVE_RANGE_UNSATISFIABLE;
	*ret_first = first;
	*ret_size = (last < size - 1 ? last : size - 1) - first + 1;
	return SERVE_RANGE_PART;
}

/* --- conditions ------------------------------------------------------------------------------------------------------ */

bool serve_names_etag(const char *list, const char *etag)
{
	size_t size = strlen(etag);

	if (strcmp(list, "*") == 0)
		return true;
	for (const char *at = list;;) {
		const char *end;

		at += strspn(at, BLANKS ",");
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		if (*at != '"')
			return false;
		end = strchr(at + 1, '"');
		if (end == NULL)
			return false;
		if ((size_t)(end + 1 - at) == size && memcmp(at, etag, size) == 0)
			return true;
		at = end + 1;
	}
}

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void serve_format_date(int64_t seconds, char text[SERVE_DATE_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	gmtime_r(&time, &tm);
	snprintf(text, SERVE_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday % 100,
		 months[tm.tm_mon], (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

bool serve_parse_date(const char *text, int64_t *ret_seconds)
{
	char again[SERVE_DATE_SIZE], month[4];
	struct tm tm = {0};
	int64_t seconds;

	if (strlen(text) != SERVE_DATE_SIZE - 1 || sscanf(text + 5, "%2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month,
							  &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	while (tm.tm_mon < 12 && strcmp(months[tm.tm_mon], month) != 0)
		tm.tm_mon++;
	tm.tm_year -= 1900;
	if (tm.tm_mon == 12)
		return false;
	seconds = (int64_t)timegm(&tm);
	/* Written again it must be the same: then its weekday and each number were right. */
	serve_format_date(seconds, again);
	if (strcmp(again, text) != 0)
		return false;
	*ret_seconds = seconds;
	return true;
}
