/* SPDX-License-Identifier: ISC
 *
 * tried: a memory that may be lost at any time at the cost of some work.
 */
#include "inside/tried.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/verdict.h"

#define TRIED_FILE ".tried.json"
/* More bundles than this in one folder are tried again each time. */
#define TRIED_MAX 10000

void tried_clear(struct tried *tried)
{
	free(tried->bundles);
	memset(tried, 0, sizeof(*tried));
}

static struct tried_bundle *add(struct tried *tried)
{
	tried->bundles = xrealloc(tried->bundles, tried->n_bundles + 1, sizeof(*tried->bundles));
	memset(&tried->bundles[tried->n_bundles], 0, sizeof(*tried->bundles));
	return &tried->bundles[tried->n_bundles++];
}

static bool read_bundle(const json_t *object, struct tried_bundle *bundle)
{
	const char *name, *code;
	int64_t size;

	if (json_get_text(object, "tried", "name", true, &name, NULL) != FAULT_NONE ||
	    json_get_text(object, "tried", "fault", true, &code, NULL) != FAULT_NONE ||
	    json_get_integer(object, "tried", "size", true, 0, INT64_MAX, &size, NULL) != FAULT_NONE ||
	    json_get_integer(object, "tried", "mtime", true, INT64_MIN, INT64_MAX, &bundle->mtime_sec, NULL) !=
		    FAULT_NONE ||
	    json_get_integer(object, "tried", "nanoseconds", true, 0, 999999999, &bundle->mtime_nsec, NULL) !=
		    FAULT_NONE ||
	    json_get_integer(object, "tried", "trust", true, -1, INT64_MAX, &bundle->trust, NULL) != FAULT_NONE ||
	    !text_copy(bundle->name, sizeof(bundle->name), name))
		return false;
	bundle->size = (uint64_t)size;
	bundle->fault = fault_by_code(code);
	return bundle->fault != FAULT_NONE;
}

void tried_load(int incoming_fd, struct tried *ret_tried)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct tried tried = {0};
	json_t *array;
	size_t size;

	*ret_tried = tried;
	if (fd_load_file(incoming_fd, TRIED_FILE, LIMIT_JSON_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_JSON_SIZE, &root, NULL) != FAULT_NONE ||
	    json_format(root, "tried", "clapet tried", 1, NULL) != FAULT_NONE ||
	    json_get_array(root, "tried", "bundles", true, &array, NULL) != FAULT_NONE)
		return;
	for (size_t i = 0; i < json_array_size(array) && i < TRIED_MAX; i++)
		if (!json_is_object(json_array_get(array, i)) || !read_bundle(json_array_get(array, i), add(&tried)))
			tried.n_bundles--;
	*ret_tried = tried;
}

int tried_store(int incoming_fd, const struct tried *tried)
{
	json_t *array = json_array(), *root;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < tried->n_bundles && i < TRIED_MAX; i++) {
		const struct tried_bundle *bundle = &tried->bundles[i];

		if (fd_exists(incoming_fd, bundle->name))
			json_array_append_new(
				array, json_pack("{so so sI sI sI sI}", "name", verdict_text(bundle->name), "fault",
						 verdict_code(bundle->fault), "size", (json_int_t)bundle->size, "mtime",
						 (json_int_t)bundle->mtime_sec, "nanoseconds",
						 (json_int_t)bundle->mtime_nsec, "trust", (json_int_t)bundle->trust));
	}
	root = json_pack("{ss so}", "format", "clapet tried 1", "bundles", array);
	text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	if (text == NULL)
		die("out of memory");
	return fd_put_durable(incoming_fd, TRIED_FILE, text, strlen(text), 0600);
}

enum fault tried_find(const struct tried *tried, const char *name, const struct stat *st, int64_t trust)
{
	for (size_t i = 0; i < tried->n_bundles; i++) {
		const struct tried_bundle *bundle = &tried->bundles[i];

		if (strcmp(bundle->name, name) == 0 && bundle->size == (uint64_t)st->st_size &&
		    bundle->mtime_sec == st->st_mtim.tv_sec && bundle->mtime_nsec == st->st_mtim.tv_nsec &&
		    (bundle->trust < 0 || bundle->trust == trust))
			return bundle->fault;
	}
	return FAULT_NONE;
}

void tried_note(struct tried *tried, const char *name, const struct stat *st, int64_t trust, enum fault fault)
{
	struct tried_bundle *bundle = NULL;

	for (size_t i = 0; i < tried->n_bundles && bundle == NULL; i++)
		if (strcmp(tried->bundles[i].name, name) == 0)
			bundle = &tried->bundles[i];
	if (bundle == NULL)
		bundle = add(tried);
	if (!text_copy(bundle->name, sizeof(bundle->name), name))
		die("a file name of %zu bytes", strlen(name));
	bundle->size = (uint64_t)st->st_size;
	bundle->mtime_sec = st->st_mtim.tv_sec;
	bundle->mtime_nsec = st->st_mtim.tv_nsec;
	bundle->trust = trust;
	bundle->fault = fault;
}
