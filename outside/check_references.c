/* SPDX-License-Identifier: ISC
 *
 * check_references: what the supervisor sent against what the package's keys ask for.
 */
#include "outside/check_references.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"

#define PIECE_SIZE (256 * KIB)

struct given_file {
	char name[LIMIT_TARGET_PATH_SIZE];
	int fd;
};

static int find(const struct check_references *references, const char *name)
{
	for (size_t i = 0; i < references->n_files; i++) {
		if (strcmp(references->files[i].name, name) == 0)
			return references->files[i].fd;
	}
	return -1;
}

void check_references_take(struct check_references *references, const struct outside_record *record, int fd)
{
	const char *name = record->kind == OUTSIDE_REFERENCE ? record->dataset.name : record->target.path;
	struct given_file *file;

	if (fd < 0 || find(references, name) >= 0 || references->n_files == 2 * LIMIT_REFERENCES)
		die("the supervisor sent %s twice, without its file, or too much", name);
	references->files = xrealloc(references->files, references->n_files + 1, sizeof(*references->files));
	file = &references->files[references->n_files++];
	if (!text_copy(file->name, sizeof(file->name), name))
		die("a name of %zu bytes", strlen(name));
	file->fd = fd;
}

static enum fault load_package(struct check_references *references, const char *dataset, struct package **ret_package,
			       struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	int fd = find(references, dataset), r;
	size_t size;

	if (fd < 0)
		die("the supervisor sent no package %s", dataset);
	if ((r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size)) < 0)
		die("reading the package %s: %s", dataset, strerror(-r));
	if (package_parse(data, size, NULL, NULL, ret_package, why) != FAULT_NONE)
		return refuse_within(why, "%s, which is referred to", dataset);
	return FAULT_NONE;
}

static enum fault read_table(const struct check_references *references, const char *name, struct keytable *table,
			     struct refusal *why)
{
	_cleanup_free_ uint8_t *piece = xmalloc(PIECE_SIZE);
	int fd = find(references, name);

	if (fd < 0)
		die("the supervisor sent no table %s", name);
	for (;;) {
		ssize_t n = fd_read_up_to(fd, piece, PIECE_SIZE);

		if (n < 0)
			die("reading %s: %s", name, strerror((int)-n));
		if (n == 0)
			return keytable_finish(table, why);
		if (keytable_feed(table, piece, (size_t)n, why) != FAULT_NONE)
			return why->fault;
	}
}

static enum fault read_reference(struct check_references *references, const struct package *package,
				 const struct package *target, const struct package_reference *reference,
				 struct validation *validation, struct refusal *why)
{
	_cleanup_free_ const struct table_key **keys = NULL;
	const struct resource *table = package_resource(target, reference->table);
	struct keytable *keytable = NULL;
	size_t n;

	if (package_keys_into(package, target, reference, &keys, &n, why) != FAULT_NONE ||
	    keytable_new_target(validation, keys[0]->resource, table, keys, n,
				table->verbatim ? &table->dialect : &dialect_plain, &keytable, why) != FAULT_NONE)
		return why->fault;
	references->tables = xrealloc(references->tables, references->n_tables + 1, sizeof(references->tables[0]));
	references->tables[references->n_tables++] = keytable;
	return read_table(references, keys[0]->resource, keytable, why);
}

enum fault check_references_read(struct check_references *references, const struct package *package,
				 struct validation *validation, struct refusal *why)
{
	_cleanup_free_ struct package_reference *wanted = NULL;
	struct package *target = NULL;
	size_t n;

	package_references(package, &wanted, &n);
	for (size_t i = 0; i < n; i++) {
		bool is_new_package = i == 0 || strcmp(wanted[i].package, wanted[i - 1].package) != 0;

		if (!is_new_package && strcmp(wanted[i].table, wanted[i - 1].table) == 0)
			continue;
		if (is_new_package && load_package(references, wanted[i].package, &target, why) != FAULT_NONE)
			return why->fault;
		if (is_new_package) {
			references->packages = xrealloc(references->packages, references->n_packages + 1,
							sizeof(references->packages[0]));
			references->packages[references->n_packages++] = target;
		}
		if (read_reference(references, package, target, &wanted[i], validation, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

void check_references_clear(struct check_references *references)
{
	for (size_t i = 0; i < references->n_tables; i++)
		keytable_free(references->tables[i]);
	for (size_t i = 0; i < references->n_packages; i++)
		package_free(references->packages[i]);
	for (size_t i = 0; i < references->n_files; i++)
		cleanup_close(&references->files[i].fd);
	free(references->tables);
	free(references->packages);
	free(references->files);
	memset(references, 0, sizeof(*references));
}
