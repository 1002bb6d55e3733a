/* SPDX-License-Identifier: ISC
 *
 * cmd_request: what the inside trusts, for an outside that was restored from a backup (bundle/request.h). There is no way back but a person:
 * the text is short, says what it discloses, and has a check against typing errors. What is missing alone is cmd_missing's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "bundle/request.h"
#include "inside/cmd.h"

static bool opt_all;

const struct option cmd_request_options[] = {
	{"all", 'a', OPTION_FLAG, &opt_all, NULL, "name every dataset, however many there are"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static uint64_t version_of(const json_t *object, const char *key)
{
	json_int_t version = json_integer_value(json_object_get(object, key));

	return version < 0 ? 0 : (uint64_t)version;
}

static void short_digest(const char *hex, char digest[REQUEST_DIGEST_SIZE])
{
	snprintf(digest, REQUEST_DIGEST_SIZE, "%.10s", hex == NULL ? "-" : hex);
}

/* The file's bytes are the writer's, opaque here; "-" where it cannot be read. */
static void digest_of_trust(const struct inside *inside, const char *role, char digest[REQUEST_DIGEST_SIZE])
{
	_cleanup_free_ char *path = xasprintf("trust/%s.json", role);
	_cleanup_close_ int fd = fd_open_beneath(inside->store_fd, path, O_RDONLY, 0);
	char hex[SHA256_HEX_SIZE];
	struct sha256 sha256;

	if (fd < 0 || hash_fd(fd, LIMIT_TARGETS_SIZE, &sha256, NULL) < 0) {
		short_digest(NULL, digest);
		return;
	}
	sha256_to_hex(&sha256, hex);
	short_digest(hex, digest);
}

static int compare_roles(const void *a, const void *b)
{
	return strcmp(((const struct request_role *)a)->name, ((const struct request_role *)b)->name);
}

/* All roles that the trusted snapshot names, sorted. */
static void take_roles(struct request *request, json_t *roles)
{
	_cleanup_free_ const char **names = xcalloc(json_object_size(roles) + 1, sizeof(*names));
	const char *name;
	json_t *role;

	request->roles = xcalloc(json_object_size(roles) + 1, sizeof(*request->roles));
	json_object_foreach(roles, name, role)
	{
		struct request_role *item = &request->roles[request->n_roles];

		item->version = version_of(role, "version");
		if (item->version == 0 || !text_copy(item->name, sizeof(item->name), name))
			continue;
		short_digest(json_string_value(json_object_get(role, "digest")), item->digest);
		names[request->n_roles++] = name;
		if (item->version > request->highest)
			request->highest = item->version;
	}
	qsort(request->roles, request->n_roles, sizeof(*request->roles), compare_roles);
	request->n_known = request->n_roles;
	request_hash_names(names, request->n_roles, request->names);
	if (request->n_roles > LIMIT_REQUEST_ROLES_SHOWN && !opt_all)
		request->n_roles = 0;
}

/* Returns the bytes of what is wanted, encoded. */
static uint64_t take_wants(struct request *request, const json_t *dataset)
{
	const json_t *missing = json_object_get(dataset, "missing");
	uint64_t bytes = 0;

	for (size_t i = 0; i < json_array_size(missing) && request->n_wants < LIMIT_REQUEST_WANTS; i++) {
		const json_t *one = json_array_get(missing, i);
		const char *kind = json_string_value(json_object_get(one, "kind"));
		const char *name = json_string_value(json_object_get(dataset, "name"));
		const char *item = json_string_value(json_object_get(one, "name"));
		struct request_want want = {.is_blob = kind != NULL && strcmp(kind, "blob") == 0};

		if (name == NULL || item == NULL || !text_copy(want.dataset, sizeof(want.dataset), name) ||
		    !text_copy(want.item, sizeof(want.item), item))
			continue;
		request->wants = xrealloc(request->wants, request->n_wants + 1, sizeof(*request->wants));
		request->wants[request->n_wants++] = want;
		bytes += version_of(one, "size");
	}
	return bytes;
}

/* The request that DOCUMENT (status.json) leads to; returns the bytes of what is wanted. */
static uint64_t compose(const struct inside *inside, const json_t *document, struct request *request)
{
	const json_t *trust = json_object_get(document, "trust");
	const json_t *datasets = json_object_get(document, "datasets");
	uint64_t bytes = 0;

	request->root = version_of(trust, "root");
	request->timestamp = version_of(trust, "timestamp");
	request->snapshot.version = version_of(trust, "snapshot");
	request->targets.version = version_of(trust, "targets");
	request->issued = status_time(trust, "issued");
	digest_of_trust(inside, "snapshot", request->snapshot.digest);
	digest_of_trust(inside, "targets", request->targets.digest);
	take_roles(request, json_object_get(trust, "roles"));
	for (size_t i = 0; i < json_array_size(datasets); i++)
		bytes += take_wants(request, json_array_get(datasets, i));
	return bytes;
}

static json_t *role_json(const struct request_role *role)
{
	return json_pack("{sI ss}", "version", (json_int_t)role->version, "digest", role->digest);
}

static json_t *request_json(const struct request *request, const char *text)
{
	json_t *roles = json_object(), *wants = json_array();
	char issued[NOTATION_TIME_SIZE];

	notation_format_time(request->issued, issued);
	for (size_t i = 0; i < request->n_roles; i++)
		json_object_set_new(roles, request->roles[i].name, role_json(&request->roles[i]));
	for (size_t i = 0; i < request->n_wants; i++)
		json_array_append_new(wants,
				      json_pack("{ss ss ss}", "kind", request->wants[i].is_blob ? "blob" : "metadata",
						"dataset", request->wants[i].dataset, "name", request->wants[i].item));
	return json_pack("{ss sI sI so so so sI sI so so ss}", "format", "clapet request 1", "root",
			 (json_int_t)request->root, "timestamp", (json_int_t)request->timestamp, "snapshot",
			 role_json(&request->snapshot), "targets", role_json(&request->targets), "issued",
			 request->issued == 0 ? json_null() : json_string(issued), "known",
			 (json_int_t)request->n_known, "highest", (json_int_t)request->highest, "roles", roles,
			 "missing", wants, "text", text);
}

/* On stderr: `clapet-inside request > FILE` is the request and nothing else. */
static void disclose(const struct request *request, uint64_t bytes)
{
	char size[32];

	notation_format_size(bytes, size, sizeof(size));
	fflush(stdout);
	fprintf(stderr,
		"\nThe lines above are for the outside's operator; a person carries them out. They disclose the newest "
		"versions and the\n"
		"newest signed time that arrived here%s",
		request->n_roles > 0 ? ", and the names of the datasets" : "");
	if (request->n_wants > 0)
		fprintf(stderr, ", and ask for %zu things again (%s): which public files are not here",
			request->n_wants, size);
	fprintf(stderr, ".\nFor an outside that was restored from a backup: `clapet-outside recover FILE`.\n");
	if (request->n_roles == 0 && request->n_known > 0)
		fprintf(stderr, "The %" PRIu64 " datasets are not named one by one; --all does.\n", request->n_known);
}

/* Opens the store, reads status.json, composes. The exit status, 0: composed. */
static int open_request(struct inside *inside, struct request *request, uint64_t *ret_bytes)
{
	_cleanup_(json_decrefp) json_t *document = NULL;
	struct refusal why = {0};
	int status = cmd_open_read(inside);

	if (status != 0)
		return status;
	if (status_load(inside, &document, &why) != FAULT_NONE)
		return cmd_fail(&why);
	*ret_bytes = compose(inside, document, request);
	if (request_can_name((const uint64_t[]){request->root, request->timestamp, request->snapshot.version,
						request->targets.version, request->highest},
			     5, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return 0;
}

static int show(const struct request *request, uint64_t bytes)
{
	_cleanup_free_ char *text = request_format(request);

	if (cmd_wants_json())
		return cmd_print_json(request_json(request, text), 0);
	fputs(text, stdout);
	disclose(request, bytes);
	return cmd_end(0);
}

int cmd_request(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(request_clear) struct request request = {.root = 0};
	uint64_t bytes = 0;
	int status;

	(void)argc, (void)argv;
	if ((status = open_request(&inside, &request, &bytes)) != 0)
		return status;
	return show(&request, bytes);
}
