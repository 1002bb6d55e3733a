/* SPDX-License-Identifier: ISC
 *
 * missing: the dataset that misses most is the first to be asked for as a whole.
 */
#include "inside/missing.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

void missing_clear(struct missing *missing)
{
	free(missing->datasets);
	free(missing->text);
	memset(missing, 0, sizeof(*missing));
}

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number < 0 ? 0 : (uint64_t)number;
}

/* A blob's hash, or NULL: ITEM is metadata, or nothing that can be asked for. */
static const char *blob_of(const json_t *item)
{
	const char *kind = json_string_value(json_object_get(item, "kind"));
	const char *name = json_string_value(json_object_get(item, "name"));

	if (kind == NULL || strcmp(kind, "blob") != 0 || name == NULL || strlen(name) != SHA256_HEX_SIZE - 1 ||
	    strspn(name, "0123456789abcdef") != SHA256_HEX_SIZE - 1)
		return NULL;
	return name;
}

static void take_dataset(struct missing *missing, const json_t *object)
{
	struct missing_dataset dataset = {.name = json_string_value(json_object_get(object, "name")),
					  .items = json_object_get(object, "missing"),
					  .since = number_of(json_object_get(object, "complete"), "timestamp")};

	if (dataset.name == NULL || strlen(dataset.name) >= NOTATION_NAME_SIZE || json_array_size(dataset.items) == 0)
		return;
	for (size_t i = 0; i < json_array_size(dataset.items); i++) {
		const json_t *item = json_array_get(dataset.items, i);

		missing->bytes += number_of(item, "size");
		if (blob_of(item) != NULL)
			dataset.n_blobs++;
		else
			dataset.n_metadata++;
	}
	/* A status.json that was put together by hand: a request never asks for what comes after it. */
	if (dataset.since > missing->request.timestamp)
		dataset.since = 0;
	dataset.by_since = dataset.n_metadata > 0;
	missing->n_blobs += dataset.n_blobs;
	missing->n_metadata += dataset.n_metadata;
	missing->datasets = xrealloc(missing->datasets, missing->n_datasets + 1, sizeof(*missing->datasets));
	missing->datasets[missing->n_datasets++] = dataset;
}

/* The one with the most objects is asked for since when. False where none is left. */
static bool widen(struct missing *missing)
{
	struct missing_dataset *most = NULL;

	for (size_t i = 0; i < missing->n_datasets; i++) {
		struct missing_dataset *dataset = &missing->datasets[i];

		if (!dataset->by_since && (most == NULL || dataset->n_blobs > most->n_blobs))
			most = dataset;
	}
	if (most != NULL)
		most->by_since = true;
	return most != NULL;
}

/* Whether the request has room for it. */
static bool add_dataset(struct request_short *request, const struct missing_dataset *dataset)
{
	if (dataset->by_since) {
		struct request_since *since = &request->sinces[request->n_sinces];

		if (request->n_sinces == LIMIT_REQUEST_SINCES)
			return false;
		request->n_sinces++;
		since->timestamp = dataset->since;
		return text_copy(since->dataset, sizeof(since->dataset), dataset->name);
	}
	for (size_t i = 0; i < json_array_size(dataset->items); i++) {
		struct request_object *object = &request->objects[request->n_objects];

		if (request->n_objects == LIMIT_REQUEST_OBJECTS)
			return false;
		request->n_objects++;
		text_copy(object->dataset, sizeof(object->dataset), dataset->name);
		snprintf(object->digest, sizeof(object->digest), "%.10s", blob_of(json_array_get(dataset->items, i)));
	}
	return true;
}

/* The request as the datasets say, or false: it is too long. */
static bool try_request(struct missing *missing)
{
	bool fits = true;

	missing->request.n_objects = missing->request.n_sinces = 0;
	for (size_t i = 0; fits && i < missing->n_datasets; i++)
		fits = add_dataset(&missing->request, &missing->datasets[i]);
	if (fits)
		missing->text = request_short_format(&missing->request);
	return missing->text != NULL;
}

/* More datasets than a person would type: all of them, since the first of them was whole. */
static void ask_for_all(struct missing *missing)
{
	struct request_short *request = &missing->request;

	request->n_objects = 0;
	request->n_sinces = 1;
	request->sinces[0] = (struct request_since){.timestamp = request->timestamp};
	for (size_t i = 0; i < missing->n_datasets; i++)
		if (missing->datasets[i].since < request->sinces[0].timestamp)
			request->sinces[0].timestamp = missing->datasets[i].since;
	missing->text = request_short_format(request);
	if (missing->text == NULL)
		die("a request of one line does not fit");
}

void missing_compose(const json_t *status, const struct linkparts *parts, struct missing *ret_missing)
{
	const json_t *trust = json_object_get(status, "trust"), *datasets = json_object_get(status, "datasets");
	struct missing missing = {.n_datasets = 0};

	missing.request.root = number_of(trust, "root");
	missing.request.timestamp = number_of(trust, "timestamp");
	missing.request.snapshot = number_of(trust, "snapshot");
	missing.request.targets = number_of(trust, "targets");
	for (size_t i = 0; i < json_array_size(datasets); i++)
		take_dataset(&missing, json_array_get(datasets, i));
	memcpy(missing.request.parts, parts->items, parts->n_items * sizeof(*parts->items));
	missing.request.n_parts = parts->n_items;
	while (!try_request(&missing)) {
		if (widen(&missing))
			continue;
		/* The next request asks for it. */
		if (missing.request.n_parts > 0)
			missing.request.n_parts--;
		else
			ask_for_all(&missing);
		if (missing.text != NULL)
			break;
	}
	*ret_missing = missing;
}
