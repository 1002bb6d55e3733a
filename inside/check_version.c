/* SPDX-License-Identifier: ISC
 *
 * check_version: one version of a dataset from end to end: its package first, which must name exactly the files that came; then
 * what is attested of them; then every file once; then what is to be told of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/statement.h"
#include "inside/check.h"

#define PACKAGE_FILE "datapackage.json"

struct version {
	const struct check_request *request;
	struct check_answer *answer;
	struct package *package;
	struct check_contracts contracts;
	struct validation *validation;
	struct spill *spill;              /* of the version's keys, and of the contracts' */
	struct check_resource *resources; /* in the package's order */
};

static enum fault load_package(struct version *version, struct refusal *why)
{
	const struct check_file *file = check_request_file(version->request, PACKAGE_FILE);
	_cleanup_free_ uint8_t *data = NULL;
	enum fault fault;
	size_t size;

	if (file == NULL)
		return refuse(why, FAULT_VERSION_FORM, "%s: no %s", version->request->version.dataset, PACKAGE_FILE);
	if (!sha256_equal(&file->target.sha256, &version->request->version.version))
		return refuse(why, FAULT_VERSION_FORM, "%s: the version is not its %s",
			      version->request->version.dataset, PACKAGE_FILE);
	fault = check_load(file, LIMIT_PACKAGE_SIZE, &data, &size, why);
	if (fault != FAULT_NONE)
		return fault;
	if ((fault = package_parse(data, size, NULL, NULL, &version->package, why)) != FAULT_NONE)
		return refuse_within(why, PACKAGE_FILE);
	check_answer_plain(version->answer, file);
	return FAULT_NONE;
}

/* Which tables of other datasets its keys lead to. Whether they fit is not this version's own affair: it is asked of two versions, each
 * time that one of them is another (check_resolve). */
static enum fault answer_references(struct version *version, struct refusal *why)
{
	_cleanup_free_ struct package_reference *references = NULL;
	size_t n;

	package_references(version->package, &references, &n);
	for (size_t i = 0; i < n; i++) {
		struct record record = record_new(RECORD_REFERS);

		if (strcmp(references[i].package, version->request->version.dataset) == 0)
			return refuse(why, FAULT_VERSION_FORM,
				      "%s: the package is called \"%s\", and refers to itself as another", PACKAGE_FILE,
				      version->package->name);
		text_copy(record.refers.resource, sizeof(record.refers.resource), references[i].resource);
		text_copy(record.refers.dataset, sizeof(record.refers.dataset), references[i].package);
		text_copy(record.refers.table, sizeof(record.refers.table), references[i].table);
		record_send(version->answer->sock, &record, -1);
	}
	return FAULT_NONE;
}

/* The package's word on a resource against the signed target that it names. */
static enum fault match_resource(struct version *version, size_t index, struct refusal *why)
{
	const struct resource *resource = &version->package->resources[index];
	struct check_resource *checked = &version->resources[index];
	char hash[7 + SHA256_HEX_SIZE] = "sha256:";

	checked->resource = resource;
	checked->contracts = &version->contracts;
	checked->file = check_request_file(version->request, resource->path);
	if (checked->file == NULL || strcmp(resource->path, PACKAGE_FILE) == 0 || attestation_is_file(resource->path))
		return refuse(why, FAULT_VERSION_FORM, "resource %s: its path %s is no file of this version",
			      resource->name, resource->path);
	for (size_t i = 0; i < index; i++) {
		if (version->resources[i].file == checked->file)
			return refuse(why, FAULT_VERSION_FORM, "resources %s and %s share a path", resource->name,
				      version->resources[i].resource->name);
	}
	sha256_to_hex(&checked->file->target.sha256, hash + 7);
	if (resource->hash == NULL || strcmp(resource->hash, hash) != 0)
		return refuse(why, FAULT_VERSION_FORM, "resource %s: the package's hash is not the target's",
			      resource->name);
	if (resource->bytes < 0 || (uint64_t)resource->bytes != checked->file->target.length)
		return refuse(why, FAULT_VERSION_FORM, "resource %s: the package says %lld bytes, the target %llu",
			      resource->name, (long long)resource->bytes,
			      (unsigned long long)checked->file->target.length);
	if (resource->schema != NULL && resource->schema->match != FIELDS_EXACT)
		return refuse(why, FAULT_VERSION_FORM, "resource %s: a published schema is exact", resource->name);
	if (check_tolerated_load(resource, &checked->tolerated, why) != FAULT_NONE)
		return why->fault;
	checked->is_checked = check_resource_is_table(resource) || check_resource_is_json(resource);
	if (!checked->is_checked && !resource->opaque && !resource->verbatim)
		return refuse(why, FAULT_VERSION_FORM, "resource %s: neither a table in UTF-8, nor JSON, nor opaque",
			      resource->name);
	return FAULT_NONE;
}

static enum fault match_files(struct version *version, struct refusal *why)
{
	enum fault fault;

	version->resources = xcalloc(version->package->n_resources + 1, sizeof(*version->resources));
	for (size_t i = 0; i < version->package->n_resources; i++) {
		if ((fault = match_resource(version, i, why)) != FAULT_NONE)
			return fault;
	}
	for (size_t i = 0; i < version->request->n_files; i++) {
		const char *name = version->request->files[i].target.file;
		bool is_named = strcmp(name, PACKAGE_FILE) == 0 || attestation_is_file(name);

		for (size_t j = 0; j < version->package->n_resources; j++)
			is_named |= version->resources[j].file == &version->request->files[i];
		if (!is_named)
			return refuse(why, FAULT_VERSION_FORM, "target %s: no resource of the package", name);
	}
	return FAULT_NONE;
}

/* The package tells the rows of each table, so that the next version can be measured against it: it must tell the truth. */
static enum fault check_rows(const struct check_resource *checked, struct refusal *why)
{
	const json_t *said = json_object_get(json_object_get(checked->resource->json, "clapet"), "rows");
	uint64_t rows = validation_n_rows(checked->table);

	if (said != NULL && (!json_is_integer(said) || (uint64_t)json_integer_value(said) != rows))
		return refuse(why, FAULT_VERSION_FORM, "resource %s: the package's clapet.rows is not %llu",
			      checked->resource->name, (unsigned long long)rows);
	return FAULT_NONE;
}

static enum fault read_files(struct version *version, struct refusal *why)
{
	enum fault fault;

	/* What its keys lead to outside is not judged here; the contracts, before, were to see them. */
	for (size_t i = 0; i < version->package->n_resources; i++) {
		if (version->package->resources[i].schema != NULL)
			schema_drop_foreign_packages(version->package->resources[i].schema);
	}
	for (size_t i = 0; i < version->package->n_resources; i++) {
		if (check_resource_is_table(version->resources[i].resource))
			validation_declare(version->validation, version->resources[i].resource->name,
					   version->resources[i].resource->schema);
	}
	for (size_t i = 0; i < version->package->n_resources; i++) {
		struct check_resource *checked = &version->resources[i];

		if (!check_resource_is_table(checked->resource))
			continue;
		checked->table = validation_table(version->validation, checked->resource->name,
						  checked->resource->schema);
		validation_table_set_levels(checked->table, &checked->tolerated);
	}
	for (size_t i = 0; i < version->package->n_resources; i++) {
		struct check_resource *checked = &version->resources[i];

		if ((fault = check_resource_read(checked, why)) != FAULT_NONE)
			return fault;
		if (checked->table != NULL && (fault = check_rows(checked, why)) != FAULT_NONE)
			return fault;
		check_answer_plain(version->answer, checked->file);
	}
	return FAULT_NONE;
}

static int64_t rows_of(void *ctx, const char *resource)
{
	const struct version *version = ctx;

	for (size_t i = 0; i < version->package->n_resources; i++) {
		const struct check_resource *checked = &version->resources[i];

		if (checked->table != NULL && strcmp(checked->resource->name, resource) == 0)
			return (int64_t)validation_n_rows(checked->table);
	}
	return -1;
}

static enum fault answer_breaks(struct version *version, struct refusal *why)
{
	enum fault fault;

	for (size_t i = 0; i < version->package->n_resources; i++) {
		const struct check_resource *checked = &version->resources[i];

		if (checked->table == NULL)
			continue;
		fault = check_table_breaks(checked->table, FAULT_ROWS, "", checked->resource->name, version->answer,
					   why);
		if (fault == FAULT_NONE)
			fault = check_tolerated_breaks(checked->table, &checked->tolerated, FAULT_ROWS, "",
						       checked->resource->name, "the package", version->answer, why);
		if (fault != FAULT_NONE)
			return fault;
		if ((fault = check_personal(&version->contracts, checked, version->answer, why)) != FAULT_NONE)
			return fault;
		check_tolerated_answer(checked->table, &checked->tolerated, checked->resource->name, version->answer);
	}
	return check_contracts_end(&version->contracts, rows_of, version, version->answer, why);
}

static void answer_facts(const struct version *version)
{
	const struct package *package = version->package;
	struct record record = record_new(RECORD_FACTS);

	record_text(record.facts.title, sizeof(record.facts.title),
		    package->title != NULL ? package->title : package->name);
	record_text(record.facts.created, sizeof(record.facts.created),
		    package->created != NULL ? package->created : "");
	record.facts.n_resources = package->n_resources;
	for (size_t i = 0; i < package->n_resources; i++)
		record.facts.has_opaque |= !version->resources[i].is_checked;
	record_send(version->answer->sock, &record, -1);
	for (size_t i = 0; i < package->n_licences; i++) {
		record = record_new(RECORD_LICENCE);
		record_text(record.licence.name, sizeof(record.licence.name), package->licences[i]);
		if (record.licence.name[0] != '\0')
			record_send(version->answer->sock, &record, -1);
	}
}

/* The digest of what the portal published, as the outside says; "" where it says none that could be one. */
static const char *published_hash(const struct resource *resource)
{
	const char *hash = json_string_value(
		json_object_get(json_array_get(json_object_get(resource->json, "sources"), 0), "hash"));

	return hash != NULL && strlen(hash) < sizeof(((struct record_resource *)0)->published_hash) ? hash : "";
}

static void answer_resources(const struct version *version)
{
	for (size_t i = 0; i < version->package->n_resources; i++) {
		const struct check_resource *checked = &version->resources[i];
		struct record record = record_new(RECORD_RESOURCE);

		text_copy(record.resource.name, sizeof(record.resource.name), checked->resource->name);
		record.resource.rows = checked->table != NULL ? validation_n_rows(checked->table) : 0;
		record_text(record.resource.published_hash, sizeof(record.resource.published_hash),
			    published_hash(checked->resource));
		record.resource.sha256 = checked->file->target.sha256;
		record_send(version->answer->sock, &record, -1);
		check_resource_answer_good(checked, version->answer);
	}
}

/* {"RESOURCE": bytes}: in how much of it rows that a patch copied were not judged again. */
static json_t *spared_json(const struct version *version)
{
	json_t *object = json_object();

	for (size_t i = 0; version->resources != NULL && i < version->package->n_resources; i++) {
		const struct check_resource *checked = &version->resources[i];

		if (checked->spared > 0)
			json_object_set_new(object, checked->resource->name, json_integer((json_int_t)checked->spared));
	}
	return object;
}

/* Everything that this run found, for people and their tools; also where the version was refused half-way. */
static void write_report(const struct version *version, const struct refusal *why)
{
	char hex[SHA256_HEX_SIZE], code[8];
	_cleanup_(json_decrefp) json_t *report = json_object();
	_cleanup_free_ char *text = NULL;
	int r;

	if (version->request->report_fd < 0)
		return;
	sha256_to_hex(&version->request->version.version, hex);
	snprintf(code, sizeof(code), "E%04d", (int)why->fault);
	json_object_set_new(report, "format", json_string("clapet report 1"));
	json_object_set_new(report, "dataset", json_string(version->request->version.dataset));
	json_object_set_new(report, "version", json_string(hex));
	json_object_set_new(report, "fault", why->fault == FAULT_NONE ? json_null() : json_string(code));
	json_object_set_new(report, "line", why->fault == FAULT_NONE ? json_null() : check_json_text(why->line));
	json_object_set_new(report, "spared", spared_json(version));
	json_object_set(report, "breaks", version->answer->breaks);
	json_object_set_new(report, "validation",
			    version->validation != NULL ? validation_json(version->validation) : json_null());
	json_object_set_new(report, "contracts",
			    version->contracts.n_runs > 0 ? validation_json(version->contracts.validation)
							  : json_null());
	text = json_dumps(report, JSON_INDENT(2));
	if (text == NULL)
		die("out of memory");
	if ((r = fd_write_all(version->request->report_fd, text, strlen(text))) < 0 ||
	    (r = fd_write_all(version->request->report_fd, "\n", 1)) < 0)
		die("writing the report: %s", strerror(-r));
}

static enum fault judge(struct version *version, struct refusal *why)
{
	enum fault fault;

	if ((fault = load_package(version, why)) != FAULT_NONE || (fault = match_files(version, why)) != FAULT_NONE ||
	    (fault = answer_references(version, why)) != FAULT_NONE ||
	    (fault = check_attestations(version->request, version->package, version->answer, why)) != FAULT_NONE ||
	    (fault = check_contracts_load(version->request, &version->contracts, why)) != FAULT_NONE)
		return fault;
	fault = check_contracts_compare(&version->contracts, version->package, version->answer, why);
	if (fault != FAULT_NONE)
		return fault;
	version->validation = validation_new();
	validation_set_spill(version->validation, version->spill);
	fault = read_files(version, why);
	if (fault != FAULT_NONE)
		return fault;
	validation_end(version->validation);
	if (spill_fault(version->spill, why) != FAULT_NONE)
		return why->fault;
	answer_facts(version);
	answer_resources(version);
	return answer_breaks(version, why);
}

enum fault check_version(const struct check_request *request, struct check_answer *answer, struct refusal *why)
{
	struct version version = {.request = request, .answer = answer};
	enum fault fault;

	why->fault = FAULT_NONE;
	version.contracts.spill = version.spill = spill_new(request->key_memory, request->spill_fd);
	fault = judge(&version, why);
	write_report(&version, why);
	validation_free(version.validation);
	check_contracts_clear(&version.contracts);
	for (size_t i = 0; version.resources != NULL && i < version.package->n_resources; i++)
		rule_levels_clear(&version.resources[i].tolerated);
	package_free(version.package);
	spill_free(version.spill);
	free(version.resources);
	return fault;
}
