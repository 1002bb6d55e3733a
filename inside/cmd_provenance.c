/* SPDX-License-Identifier: ISC
 *
 * cmd_provenance: show: where a version came from, what was done to it and how it was tested, in plain words, from its attestations.
 * inside-check held them against the files; they are parsed here again behind the sandbox.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/envelope.h"
#include "bundle/notation.h"
#include "bundle/statement.h"
#include "inside/cmd.h"
#include "schemas/tolerated.h"

#define CELL 2048

struct show {
	const char *dataset;
	char version[STORE_VERSION_SIZE];
	bool in_force;
	int fds[ATTESTATION_N]; /* -1: the version has none */
	struct statement *statements[ATTESTATION_N];
};

static void show_clear(struct show *show)
{
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		cleanup_close(&show->fds[i]);
		statement_free(show->statements[i]);
	}
}

/* --- which version ------------------------------------------------------------------------------------------------ */

static enum fault choose_version(const struct inside *inside, const char *wanted, struct show *show,
				 struct refusal *why)
{
	uint8_t bytes[(STORE_VERSION_SIZE - 1) / 2];
	char current[STORE_VERSION_SIZE] = "";
	uint64_t generation = 0;

	if (!notation_is_name(show->dataset))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no dataset's name", show->dataset);
	if (store_current(inside->store_fd, &generation) == 0 && generation != 0)
		store_generation_version(inside->store_fd, generation, show->dataset, current);
	if (wanted == NULL && current[0] == '\0')
		return refuse(why, FAULT_NO_SUCH, "nothing of %s is in force", show->dataset);
	if (wanted != NULL && !notation_unhex(wanted, bytes, sizeof(bytes)))
		return refuse(why, FAULT_NO_SUCH, "\"%s\" is no version: 16 hexadecimal digits", wanted);
	text_copy(show->version, sizeof(show->version), wanted != NULL ? wanted : current);
	show->in_force = strcmp(show->version, current) == 0;
	if (!store_has_version(inside->store_fd, show->dataset, show->version))
		return refuse(why, FAULT_NO_SUCH, "%s has no version %s here", show->dataset, show->version);
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		int fd = store_open_version_file(inside->store_fd, show->dataset, show->version, attestation_file(i));

		if (fd < 0 && fd != -ENOENT)
			return refuse(why, FAULT_STORE_DAMAGED, "%s/%s: %s", show->dataset, attestation_file(i),
				      strerror(-fd));
		show->fds[i] = fd < 0 ? -1 : fd;
	}
	return FAULT_NONE;
}

static enum fault read_statement(struct show *show, enum attestation attestation, struct refusal *why)
{
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load(show->fds[attestation], LIMIT_ENVELOPE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: %s", attestation_file(attestation), strerror(-r));
	if (envelope_parse(data, size, &envelope, why) != FAULT_NONE ||
	    statement_parse(envelope->payload, envelope->payload_size, &show->statements[attestation], why) !=
		    FAULT_NONE ||
	    statement_check(show->statements[attestation], attestation, why) != FAULT_NONE)
		return refuse_within(why, "%s", attestation_file(attestation));
	return FAULT_NONE;
}

/* --- as one document ---------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_string(value) ? json_incref(value) : json_null();
}

static json_t *number_or_null(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_incref(value) : json_null();
}

/* "sha256:…" of a {"sha256": hex}. */
static json_t *digest_text(const json_t *descriptor)
{
	const char *hex = json_string_value(json_object_get(json_object_get(descriptor, "digest"), "sha256"));

	return hex == NULL ? json_null() : json_sprintf("sha256:%s", hex);
}

static json_t *definition_of(const struct show *show)
{
	return json_object_get(show->statements[ATTESTATION_PROVENANCE]->predicate, "buildDefinition");
}

/* The dependency that was fetched from URL; NULL: the statement names none. */
static const json_t *find_dependency(const struct show *show, const char *url)
{
	const json_t *dependencies = json_object_get(definition_of(show), "resolvedDependencies");

	for (size_t i = 0; url != NULL && i < json_array_size(dependencies); i++) {
		const json_t *entry = json_array_get(dependencies, i);
		const char *uri = json_string_value(json_object_get(entry, "uri"));
		const char *name = json_string_value(json_object_get(entry, "name"));

		if ((uri != NULL && strcmp(uri, url) == 0) || (uri == NULL && name != NULL && strcmp(name, url) == 0))
			return entry;
	}
	return NULL;
}

static json_t *stored_text(const struct show *show, const char *file)
{
	const struct statement *statement = show->statements[ATTESTATION_PROVENANCE];
	_cleanup_free_ char *path = xasprintf("%s/%s", show->dataset, file == NULL ? "" : file);
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < statement->n_subjects; i++)
		if (strcmp(statement->subjects[i].name, path) == 0) {
			sha256_to_hex(&statement->subjects[i].sha256, hex);
			return json_sprintf("sha256:%s", hex);
		}
	return json_null();
}

static json_t *resource_json(const struct show *show, size_t index)
{
	const json_t *definition = definition_of(show);
	const json_t *wanted = json_array_get(
		json_object_get(json_object_get(definition, "externalParameters"), "resources"), index);
	const json_t *result = json_array_get(
		json_object_get(json_object_get(definition, "internalParameters"), "results"), index);
	const json_t *dependency = find_dependency(show, json_string_value(json_object_get(wanted, "url")));
	const json_t *facts = json_object_get(dependency, "annotations");
	json_t *object = json_object();

	json_object_set_new(object, "name", text_or_null(wanted, "name"));
	json_object_set_new(object, "file", text_or_null(wanted, "file"));
	json_object_set_new(object, "url", text_or_null(wanted, "url"));
	json_object_set_new(object, "downloadedFrom", text_or_null(dependency, "downloadLocation"));
	json_object_set_new(object, "fetched", text_or_null(facts, "fetched"));
	json_object_set_new(object, "status", number_or_null(facts, "status"));
	json_object_set_new(object, "bytes", number_or_null(facts, "bytes"));
	json_object_set_new(object, "etag", text_or_null(facts, "etag"));
	json_object_set_new(object, "lastModified", text_or_null(facts, "lastModified"));
	json_object_set_new(object, "asPublished", digest_text(dependency));
	json_object_set_new(object, "member", text_or_null(wanted, "member"));
	json_object_set_new(object, "unpacked", json_boolean(json_is_true(json_object_get(result, "unpacked"))));
	json_object_set_new(object, "encoding", text_or_null(wanted, "encoding"));
	json_object_set_new(object, "delimiter", text_or_null(json_object_get(wanted, "dialect"), "delimiter"));
	json_object_set_new(object, "transform", text_or_null(wanted, "transform"));
	if (json_is_array(json_object_get(wanted, "map")))
		json_object_set(object, "map", json_object_get(wanted, "map"));
	json_object_set_new(object, "asStored", stored_text(show, json_string_value(json_object_get(wanted, "file"))));
	return object;
}

static json_t *tests_json(const struct show *show)
{
	const json_t *predicate = show->statements[ATTESTATION_TEST_RESULT]->predicate;
	const json_t *configuration = json_object_get(predicate, "configuration");
	json_t *schemas = json_array(), *lists[3], *tolerated = json_object_get(predicate, STATEMENT_TOLERATED);
	static const char *const keys[] = {"passedTests", "warnedTests", "failedTests"};

	for (size_t i = 0; i < json_array_size(configuration); i++) {
		const json_t *entry = json_array_get(configuration, i);

		json_array_append_new(
			schemas, json_pack("{so so}", "name", text_or_null(entry, "name"), "hash", digest_text(entry)));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		lists[i] = json_object_get(predicate, keys[i]) == NULL
				   ? json_array()
				   : json_incref(json_object_get(predicate, keys[i]));
	return json_pack("{so so so so so so}", "result", text_or_null(predicate, "result"), "configuration", schemas,
			 "passed", lists[0], "warned", lists[1], "failed", lists[2], "tolerated",
			 json_is_array(tolerated) ? json_incref(tolerated) : json_array());
}

static json_t *compose(const struct show *show)
{
	json_t *root = json_pack("{ss ss ss sb sb}", "format", "clapet provenance 1", "dataset", show->dataset,
				 "version", show->version, "inForce", (int)show->in_force, "attested",
				 (int)(show->statements[ATTESTATION_PROVENANCE] != NULL));
	const json_t *details, *builder, *metadata, *wanted;
	json_t *resources = json_array();

	if (show->statements[ATTESTATION_PROVENANCE] == NULL) {
		json_decref(resources);
		return root;
	}
	details = json_object_get(show->statements[ATTESTATION_PROVENANCE]->predicate, "runDetails");
	builder = json_object_get(details, "builder");
	metadata = json_object_get(details, "metadata");
	wanted = json_object_get(json_object_get(definition_of(show), "externalParameters"), "resources");
	for (size_t i = 0; i < json_array_size(wanted); i++)
		json_array_append_new(resources, resource_json(show, i));
	json_object_set_new(root, "resources", resources);
	json_object_set_new(root, "builder", text_or_null(builder, "id"));
	json_object_set_new(root, "clapet", text_or_null(json_object_get(builder, "version"), "clapet"));
	json_object_set_new(root, "started", text_or_null(metadata, "startedOn"));
	json_object_set_new(root, "finished", text_or_null(metadata, "finishedOn"));
	json_object_set_new(root, "tests", tests_json(show));
	return root;
}

/* --- for people --------------------------------------------------------------------------------------------------- */

/* BEFORE, the text, AFTER; nothing where there is no text. */
static void print_text(const char *before, const json_t *object, const char *key, const char *after)
{
	char text[CELL];

	if (json_is_string(json_object_get(object, key)))
		printf("%s%s%s", before, status_text(object, key, text, sizeof(text)), after);
}

static void print_origin(const json_t *resource)
{
	const json_t *bytes = json_object_get(resource, "bytes"), *status = json_object_get(resource, "status");
	int64_t seconds = status_time(resource, "fetched");
	char text[64];

	print_text("  from          ", resource, "url", "");
	print_text(", in truth ", resource, "downloadedFrom", "");
	if (seconds != 0) {
		notation_format_local(seconds, text, sizeof(text));
		printf("\n  fetched       %s", text);
	}
	if (json_is_integer(bytes)) {
		notation_format_size((uint64_t)json_integer_value(bytes), text, sizeof(text));
		printf(", %s", text);
	}
	if (json_is_integer(status))
		printf(", status %" JSON_INTEGER_FORMAT, json_integer_value(status));
	print_text(", last modified ", resource, "lastModified", "");
	print_text(", etag ", resource, "etag", "");
	putchar('\n');
	print_text("  as published  ", resource, "asPublished", "\n");
}

/* "communes.csv: unpacked (member data/communes.csv), read as windows-1252 with ";", written in plain form" */
static void print_resource(const json_t *resource)
{
	const char *transform = json_string_value(json_object_get(resource, "transform"));
	bool is_plain = transform != NULL && strcmp(transform, "plain") == 0;
	size_t n_lines = json_array_size(json_object_get(resource, "map"));

	print_text("    ", resource, "file", ": ");
	if (json_is_true(json_object_get(resource, "unpacked"))) {
		printf("unpacked");
		print_text(" (member ", resource, "member", ")");
		printf(", ");
	}
	print_text("read as ", resource, "encoding", "");
	print_text(" with \"", resource, "delimiter", "\"");
	printf("%s%s", json_is_string(json_object_get(resource, "encoding")) ? ", " : "",
	       is_plain ? "written in plain form" : "kept as it was");
	if (n_lines > 0)
		printf(", its columns mapped by %zu line%s (FORMAT.md 23)", n_lines, n_lines == 1 ? "" : "s");
	putchar('\n');
	print_text("    as stored   ", resource, "asStored", "\n");
}

/* Each address once, with all that came from it. */
static void print_resources(const json_t *resources)
{
	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *url = json_object_get(json_array_get(resources, i), "url");
		bool is_first = true;

		for (size_t j = 0; j < i && is_first; j++)
			is_first = !json_equal(json_object_get(json_array_get(resources, j), "url"), url);
		if (!is_first)
			continue;
		print_origin(json_array_get(resources, i));
		for (size_t j = i; j < json_array_size(resources); j++)
			if (json_equal(json_object_get(json_array_get(resources, j), "url"), url))
				print_resource(json_array_get(resources, j));
	}
}

static void print_list(const char *before, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		char text[CELL];

		if (name != NULL)
			printf("%s%s\n", before, text_escape(name, strlen(name), text, sizeof(text)));
	}
}

static void print_tests(const json_t *tests)
{
	const json_t *configuration = json_object_get(tests, "configuration");
	char words[400];

	print_text("  tested        ", tests, "result", "");
	printf(": %zu rules passed, %zu with a warning, %zu failed\n",
	       json_array_size(json_object_get(tests, "passed")), json_array_size(json_object_get(tests, "warned")),
	       json_array_size(json_object_get(tests, "failed")));
	print_list("    warned      ", json_object_get(tests, "warned"));
	if (json_array_size(json_object_get(tests, "tolerated")) > 0)
		printf("    let through: %s\n",
		       tolerated_list_words(json_object_get(tests, "tolerated"), words, sizeof(words)));
	print_list("    failed      ", json_object_get(tests, "failed"));
	for (size_t i = 0; i < json_array_size(configuration); i++) {
		print_text("    against     ", json_array_get(configuration, i), "name", "");
		print_text(" ", json_array_get(configuration, i), "hash", "");
		putchar('\n');
	}
}

static void print_people(const json_t *root)
{
	const json_t *resources = json_object_get(root, "resources");
	int64_t seconds = status_time(root, "finished");
	char text[64] = "";

	print_text("", root, "dataset", "");
	print_text(" version ", root, "version",
		   json_is_true(json_object_get(root, "inForce")) ? ", in force\n" : "\n");
	if (!json_is_true(json_object_get(root, "attested"))) {
		printf("  It was published without attestations: nothing signed says where it came from.\n");
		return;
	}
	print_resources(resources);
	if (seconds != 0)
		notation_format_local(seconds, text, sizeof(text));
	print_text("  made by       clapet ", root, "clapet", "");
	print_text(" (", root, "builder", ")");
	printf("%s%s\n", text[0] == '\0' ? "" : ", ", text);
	print_tests(json_object_get(root, "tests"));
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int show_version(const struct inside *inside, const char *wanted, struct show *show)
{
	struct refusal why = {FAULT_NONE, ""};
	json_t *root;

	if (choose_version(inside, wanted, show, &why) != FAULT_NONE)
		return cmd_fail(&why);
	tzset(); /* before the sandbox: local times read a file */
	sandbox_set_test_bench(inside->config->test_bench);
	sandbox_enter(SANDBOX_TOOL, NULL, 0);
	for (enum attestation i = 0; i < ATTESTATION_N; i++)
		if (show->fds[ATTESTATION_PROVENANCE] >= 0 && read_statement(show, i, &why) != FAULT_NONE)
			return cmd_fail(&why);
	root = compose(show);
	if (root == NULL)
		die("out of memory");
	if (cmd_wants_json())
		return cmd_print_json(root, 0);
	print_people(root);
	json_decref(root);
	return cmd_end(0);
}

int cmd_show(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct show show = {.fds = {-1, -1}};
	int status;

	if (argc < 1 || argc > 2)
		die_usage("show: name one dataset, and a version if it is not the one in force");
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	show.dataset = argv[0];
	status = show_version(&inside, argc == 2 ? argv[1] : NULL, &show);
	show_clear(&show);
	return status;
}
