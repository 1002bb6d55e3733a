/* SPDX-License-Identifier: ISC
 *
 * exportplan: first fit, in the order of datasets. It needs a few more bytes than the best there is, and a lost volume
 * then costs few datasets.
 */
#include "outside/exportplan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

/* What no volume may pass, whatever was asked for (bundle_write's own bound). */
#define VOLUME_MAX (LIMIT_BUNDLE_SIZE - MIB)

void exportplan_clear(struct exportplan *plan)
{
	free(plan->blobs);
	free(plan->first);
	free(plan->sizes);
	memset(plan, 0, sizeof *plan);
}

/* --- the split ------------------------------------------------------------------------------------------------------- */

static enum fault refuse_blob(const struct publish_blob *blob, uint64_t wanted, uint64_t bound, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&blob->sha256, hex);
	return refuse(why, FAULT_EXPORT_VOLUME,
		      "blob %.10s of %s%s%s: with the metadata it needs a volume of %" PRIu64
		      " bytes, --volume-size is %" PRIu64,
		      hex, blob->dataset, blob->dataset[0] != '\0' ? "/" : "", blob->file, wanted, bound);
}

static const struct publish_blob *find_largest(const struct publish_blob *blobs, size_t n_blobs)
{
	const struct publish_blob *largest = NULL;

	for (size_t i = 0; i < n_blobs; i++)
		if (largest == NULL || blobs[i].length > largest->length)
			largest = &blobs[i];
	return largest;
}

uint64_t exportplan_bound(const struct publish_blob *blobs, size_t n_blobs, uint64_t base, uint64_t wanted)
{
	const struct publish_blob *largest = find_largest(blobs, n_blobs);
	uint64_t least = base + (largest != NULL ? publish_bundle_more(largest->length) : 0);

	return wanted > least ? wanted : least;
}

/* The largest is named: a person who raises the size raises it once. */
static enum fault check_fit(const struct publish_blob *blobs, size_t n_blobs, uint64_t base, uint64_t bound,
			    struct refusal *why)
{
	const struct publish_blob *largest = find_largest(blobs, n_blobs);

	if (largest != NULL && base + publish_bundle_more(largest->length) > bound)
		return refuse_blob(largest, base + publish_bundle_more(largest->length), bound, why);
	if (base > bound)
		return refuse(why, FAULT_EXPORT_VOLUME,
			      "the metadata alone need a volume of %" PRIu64 " bytes, --volume-size is %" PRIu64, base,
			      bound);
	return FAULT_NONE;
}

struct volume {
	uint64_t size;
	size_t n_blobs;
};

/* The volume that BLOB goes into; a new one where none has room. LIMIT_EXPORT_VOLUMES: no volume. */
static size_t find_volume(struct volume *volumes, size_t *n_volumes, const struct publish_blob *blob, uint64_t bound,
			  size_t max_blobs, const struct volume *empty)
{
	uint64_t more = publish_bundle_more(blob->length);
	size_t i = 0;

	while (i < *n_volumes && (volumes[i].size + more > bound || volumes[i].n_blobs >= max_blobs))
		i++;
	if (i == LIMIT_EXPORT_VOLUMES)
		return i;
	if (i == *n_volumes)
		volumes[(*n_volumes)++] = *empty;
	volumes[i].size += more;
	volumes[i].n_blobs++;
	return i;
}

/* Sorts by volume, keeping the order within. */
static void gather(const struct publish_blob *blobs, const size_t *places, size_t n_blobs, const struct volume *volumes,
		   size_t n_volumes, struct exportplan *plan)
{
	size_t *next = xcalloc(n_volumes + 1, sizeof *next);

	plan->blobs = xcalloc(n_blobs + 1, sizeof *plan->blobs);
	plan->first = xcalloc(n_volumes + 1, sizeof *plan->first);
	plan->sizes = xcalloc(n_volumes + 1, sizeof *plan->sizes);
	plan->n_volumes = n_volumes;
	for (size_t i = 0; i < n_blobs; i++)
		plan->first[places[i] + 1]++;
	for (size_t i = 0; i < n_volumes; i++) {
		plan->first[i + 1] += plan->first[i];
		plan->sizes[i] = volumes[i].size;
		next[i] = plan->first[i];
	}
	for (size_t i = 0; i < n_blobs; i++)
		plan->blobs[next[places[i]]++] = blobs[i];
	free(next);
}

enum fault exportplan_split(const struct publish_blob *blobs, size_t n_blobs, uint64_t base, uint64_t bound,
			    size_t max_blobs, struct exportplan *ret_plan, struct refusal *why)
{
	const struct volume empty = {.size = base};
	_cleanup_free_ size_t *places = xcalloc(n_blobs + 1, sizeof *places);
	_cleanup_free_ struct volume *volumes = xcalloc(LIMIT_EXPORT_VOLUMES, sizeof *volumes);
	size_t n_volumes = 1;

	if (bound > VOLUME_MAX)
		bound = VOLUME_MAX;
	if (check_fit(blobs, n_blobs, base, bound, why) != FAULT_NONE)
		return why->fault;
	volumes[0] = empty;
	for (size_t i = 0; i < n_blobs; i++) {
		places[i] = find_volume(volumes, &n_volumes, &blobs[i], bound, max_blobs, &empty);
		if (places[i] == LIMIT_EXPORT_VOLUMES)
			return refuse(why, FAULT_EXPORT_VOLUME,
				      "more than %d volumes of %" PRIu64
				      " bytes (bundle/limits.h LIMIT_EXPORT_VOLUMES)",
				      LIMIT_EXPORT_VOLUMES, bound);
	}
	gather(blobs, places, n_blobs, volumes, n_volumes, ret_plan);
	return FAULT_NONE;
}

/* --- what people write ----------------------------------------------------------------------------------------------- */

static bool read_number(const char **at, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	const char *start = *at;

	for (; isdigit((unsigned char)**at); (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return *at > start;
}

/* Thousandths of what the unit will multiply: "3.9" is 3900. */
static bool read_thousandths(const char **at, uint64_t *ret)
{
	uint64_t whole, digit;

	if (!read_number(at, VOLUME_MAX, &whole))
		return false;
	*ret = whole * 1000;
	if (**at != '.')
		return true;
	(*at)++;
	for (uint64_t worth = 100; worth > 0 && isdigit((unsigned char)**at); worth /= 10) {
		digit = (uint64_t)(**at - '0');
		*ret += digit * worth;
		(*at)++;
	}
	return isdigit((unsigned char)(*at)[-1]) && !isdigit((unsigned char)**at);
}

enum fault exportplan_parse_size(const char *text, uint64_t *ret_size, struct refusal *why)
{
	static const struct {
		char letter;
		uint64_t bytes;
	} units[] = {{'K', 1000}, {'M', 1000000}, {'G', 1000000000}};
	const char *at = text;
	uint64_t thousandths = 0, unit = 1;
	bool is_size = read_thousandths(&at, &thousandths);

	for (size_t i = 0; is_size && i < ARRAY_SIZE(units); i++)
		if (toupper((unsigned char)*at) == units[i].letter) {
			unit = units[i].bytes;
			at++;
			break;
		}
	if (!is_size || *at != '\0' || thousandths == 0 || (unit == 1 && thousandths % 1000 != 0))
		return refuse(why, FAULT_EXPORT_VOLUME,
			      "--volume-size %s: a size is written 3.9G, 700M, 64K or in bytes", text);
	if (thousandths / 1000 > VOLUME_MAX / unit)
		return refuse(why, FAULT_EXPORT_VOLUME, "--volume-size %s: at most %llu bytes (bundle/FORMAT.md 3.7)",
			      text, VOLUME_MAX);
	*ret_size = unit == 1 ? thousandths / 1000 : thousandths * (unit / 1000);
	return FAULT_NONE;
}

bool exportplan_parse_since(const char *text, uint64_t *ret_since, int64_t *ret_from)
{
	const char *at = text;
	char time[NOTATION_TIME_SIZE];
	int64_t from;

	if (read_number(&at, LIMIT_VERSION, ret_since) && *at == '\0') {
		*ret_from = 0;
		return *ret_since > 0;
	}
	snprintf(time, sizeof time, strlen(text) == strlen("YYYY-MM-DD") ? "%.10sT00:00:00Z" : "%.20s", text);
	if (strlen(text) >= sizeof time || !notation_parse_time(time, &from) || from <= 0)
		return false;
	*ret_since = 0;
	*ret_from = from;
	return true;
}
