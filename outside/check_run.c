/* SPDX-License-Identifier: ISC
 *
 * check_run: see check_run.h. Every resource is read, also after one was broken, so that one report names all there is.
 */
#include "outside/check_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "outside/check_references.h"
#include "outside/descriptor.h"
#include "outside/excerpt.h"
#include "outside/records.h"
#include "outside/sourcerules.h"
#include "schemas/parallel.h"
#include "schemas/tolerated.h"

struct file {
	char name[LIMIT_FILE_NAME_SIZE];
	int raw_fd, plain_fd;
};

/* What there is of one package. */
struct check {
	struct package *package;
	struct validation *validation;
	struct descriptor_resource *resources;
	struct source_rules *rules; /* one a resource */
};

struct request {
	int package_fd, report_fd, descriptor_fd, spill_fd;
	unsigned n_threads;
	uint64_t key_memory;
	struct file *files;
	size_t n_files;
	struct check_references references;
};

static struct file *find_file(struct request *request, const char *name)
{
	for (size_t i = 0; i < request->n_files; i++) {
		if (strcmp(request->files[i].name, name) == 0)
			return &request->files[i];
	}
	return NULL;
}

static void take_fd(int *slot, int fd)
{
	if (fd < 0 || *slot >= 0)
		die("the supervisor sent a descriptor twice, or none");
	*slot = fd;
}

static struct file *add_file(struct request *request, const char *name)
{
	struct file *file = find_file(request, name);

	if (file != NULL)
		return file;
	if (request->n_files == LIMIT_TARGETS_PER_ROLE)
		die("the supervisor sent more than %d resources", LIMIT_TARGETS_PER_ROLE);
	request->files = xrealloc(request->files, request->n_files + 1, sizeof(*request->files));
	file = &request->files[request->n_files++];
	file->raw_fd = file->plain_fd = -1;
	text_copy(file->name, sizeof(file->name), name);
	return file;
}

static void receive(int sock, struct request *request)
{
	struct outside_record record;
	int fd;

	for (;;) {
		outside_record_receive(sock, &record, &fd);
		switch ((enum outside_record_kind)record.kind) {
		case OUTSIDE_PACKAGE:
			take_fd(&request->package_fd, fd);
			request->n_threads = record.check.n_threads > 0 ? record.check.n_threads
									: parallel_usual_threads();
			request->key_memory = record.check.key_memory;
			break;
		case OUTSIDE_RAW:
			take_fd(&add_file(request, record.file.name)->raw_fd, fd);
			break;
		case OUTSIDE_PLAIN:
			take_fd(&add_file(request, record.file.name)->plain_fd, fd);
			break;
		case OUTSIDE_SPILL:
			take_fd(&request->spill_fd, fd);
			break;
		case OUTSIDE_REPORT:
			take_fd(&request->report_fd, fd);
			break;
		case OUTSIDE_DESCRIPTOR:
			take_fd(&request->descriptor_fd, fd);
			break;
		case OUTSIDE_REFERENCE:
		case OUTSIDE_REFERENCE_TABLE:
			check_references_take(&request->references, &record, fd);
			break;
		case OUTSIDE_GO:
			if (request->package_fd < 0 || request->descriptor_fd < 0 || request->spill_fd < 0)
				die("the supervisor sent no package, or nowhere to write its descriptor or keys");
			return;
		default:
			die("the supervisor sent a record of kind %u", record.kind);
		}
	}
}

static enum fault load_package(int fd, struct package **ret_package, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r == -EFBIG)
		return refuse(why, FAULT_JSON_SIZE, "datapackage.json is larger than %llu bytes",
			      (unsigned long long)LIMIT_PACKAGE_SIZE);
	if (r < 0)
		die("reading the package: %s", strerror(-r));
	return package_parse(data, size, NULL, NULL, ret_package, why);
}

static void write_json(int fd, const json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
	int r;

	if (text == NULL)
		die("out of memory");
	if ((r = fd_write_all(fd, text, strlen(text))) < 0 || (r = fd_write_all(fd, "\n", 1)) < 0)
		die("writing a document: %s", strerror(-r));
}

static void check_clear(struct check *check)
{
	for (size_t i = 0; check->rules != NULL && i < check->package->n_resources; i++)
		source_rules_clear(&check->rules[i]);
	free(check->rules);
	free(check->resources);
	validation_free(check->validation);
	package_free(check->package);
}

static void answer(int sock, const struct check *check)
{
	for (size_t i = 0; i < check->package->n_resources; i++) {
		struct outside_record record = outside_record_new(OUTSIDE_CHECKED);
		const struct descriptor_resource *item = &check->resources[i];

		text_copy(record.file.name, sizeof(record.file.name), item->resource->name);
		record.file.sha256 = item->tabulated.sha256;
		record.file.size = item->tabulated.size;
		record.file.rows = item->table != NULL ? validation_n_rows(item->table) : 0;
		outside_record_send(sock, &record, -1);
	}
}

/* The kinds of all resources, and their tables, before the first row: keys refer from one to another. */
static enum fault prepare(struct request *request, struct check *check, struct refusal *why)
{
	const struct package *package = check->package;
	enum fault fault = FAULT_NONE;

	check->resources = xcalloc(package->n_resources + 1, sizeof(check->resources[0]));
	check->rules = xcalloc(package->n_resources + 1, sizeof(check->rules[0]));
	for (size_t i = 0; i < package->n_resources && fault == FAULT_NONE; i++) {
		const struct resource *resource = &package->resources[i];

		check->resources[i].resource = resource;
		if ((fault = tabulate_kind(resource, &check->resources[i].kind, why)) == FAULT_NONE)
			fault = source_rules_parse(package, resource, &check->rules[i], why);
		if (fault == FAULT_NONE && check->resources[i].kind == TABULATE_TABLE)
			validation_declare(check->validation, resource->name, resource->schema);
	}
	if (fault == FAULT_NONE)
		fault = check_references_read(&request->references, package, check->validation, why);
	for (size_t i = 0; i < package->n_resources && fault == FAULT_NONE; i++) {
		struct descriptor_resource *item = &check->resources[i];

		if (item->kind != TABULATE_TABLE)
			continue;
		item->table = validation_table(check->validation, item->resource->name, item->resource->schema);
		validation_table_set_levels(item->table, &check->rules[i].levels);
	}
	return fault;
}

/* What is wrong with rows: where a baseline knows faults, those that it does not know are said first. */
static enum fault judge(const struct check *check, struct refusal *why)
{
	char line[FAULT_LINE_SIZE];
	size_t n_kinds = 0;

	for (size_t i = 0; i < check->package->n_resources; i++) {
		_cleanup_(rule_levels_clear) struct rule_levels passed = {.n_items = 0};
		const struct descriptor_resource *item = &check->resources[i];

		if (item->table == NULL)
			continue;
		if (source_rules_judge(&check->rules[i], item->table, item->resource->name, why) != FAULT_NONE)
			return why->fault;
		tolerated_collect(item->table, &passed);
		n_kinds += passed.n_items;
	}
	if (!validation_is_valid(check->validation)) {
		validation_summary(check->validation, line, sizeof(line));
		return refuse(why, FAULT_ROWS, "%s", line);
	}
	if (n_kinds > LIMIT_TOLERATED)
		return refuse(why, FAULT_ROWS, "%zu kinds of faults would be let through, at most %d", n_kinds,
			      LIMIT_TOLERATED);
	return FAULT_NONE;
}

/* The first fault of bytes, if any; else of rows. */
static enum fault read_all(struct request *request, const struct tabulate_means *means, struct check *check,
			   struct refusal *why)
{
	enum fault first = FAULT_NONE;

	for (size_t i = 0; i < check->package->n_resources; i++) {
		const struct resource *resource = &check->package->resources[i];
		struct file *file = find_file(request, resource->name);
		struct refusal broken;

		if (file == NULL || file->raw_fd < 0 || file->plain_fd < 0)
			die("the supervisor sent no files for %s", resource->name);
		if (tabulate(means, resource, file->raw_fd, file->plain_fd, check->resources[i].table,
			     &check->resources[i].tabulated, &broken) != FAULT_NONE &&
		    first == FAULT_NONE) {
			first = broken.fault;
			*why = broken;
		} else if (check->resources[i].table != NULL && first == FAULT_NONE) {
			source_rules_look(&check->rules[i], resource, file->plain_fd, check->resources[i].table);
		}
	}
	validation_end(check->validation);
	return first != FAULT_NONE ? first : judge(check, why);
}

/* The rows at fault are taken from what was written. A table without a header got one there; where rows were dropped or joined, the
 * numbers are those of what was published. */
static json_t *make_report(struct request *request, struct charsets *charsets, const struct package *package,
			   const struct validation *validation)
{
	json_t *report = validation_json(validation), *tasks = json_object_get(report, "tasks");

	for (size_t i = 0; i < json_array_size(tasks); i++) {
		json_t *task = json_array_get(tasks, i);
		const char *name = json_string_value(json_object_get(task, "name"));
		const struct resource *resource = package_resource(package, name);
		const struct file *file = find_file(request, name);
		int fd = file->plain_fd;

		if (resource->verbatim)
			excerpt_put(charsets, &resource->dialect, resource->encoding, fd, 0, task);
		else if (!dialect_is_usual(&resource->dialect))
			excerpt_put(charsets, &resource->dialect, resource->encoding, file->raw_fd, 0, task);
		else
			excerpt_put(charsets, &dialect_plain, "utf-8", fd, !resource->dialect.header, task);
	}
	return report;
}

static enum fault check_package(int sock, struct request *request, struct charsets *charsets, struct refusal *why)
{
	_cleanup_(spill_freep) struct spill *spill = spill_new(request->key_memory, request->spill_fd);
	_cleanup_(check_clear) struct check check = {.validation = validation_new()};
	_cleanup_(json_decrefp) json_t *report = NULL, *descriptor = NULL;
	const struct tabulate_means means = {charsets, request->n_threads};
	enum fault fault = load_package(request->package_fd, &check.package, why);

	validation_set_spill(check.validation, spill);
	if (fault != FAULT_NONE || (fault = prepare(request, &check, why)) != FAULT_NONE)
		return fault;
	fault = read_all(request, &means, &check, why);
	/* What is known of keys then is no verdict, whatever else was found. */
	if (spill_fault(spill, why) != FAULT_NONE)
		return why->fault;
	if (request->report_fd >= 0) {
		report = make_report(request, charsets, check.package, check.validation);
		write_json(request->report_fd, report);
	}
	if (fault != FAULT_NONE)
		return fault;
	descriptor = descriptor_build(check.package, check.resources);
	write_json(request->descriptor_fd, descriptor);
	answer(sock, &check);
	return FAULT_NONE;
}

void check_run(int sock, struct charsets *charsets)
{
	struct request request = {.package_fd = -1, .report_fd = -1, .descriptor_fd = -1, .spill_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	struct outside_record end;

	receive(sock, &request);
	check_package(sock, &request, charsets, &why);
	end = outside_record_end(&why);
	outside_record_send(sock, &end, -1);
	for (size_t i = 0; i < request.n_files; i++) {
		cleanup_close(&request.files[i].raw_fd);
		cleanup_close(&request.files[i].plain_fd);
	}
	free(request.files);
	check_references_clear(&request.references);
	cleanup_close(&request.package_fd);
	cleanup_close(&request.report_fd);
	cleanup_close(&request.descriptor_fd);
	cleanup_close(&request.spill_fd);
}
