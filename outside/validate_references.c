/* SPDX-License-Identifier: ISC
 *
 * validate_references: opened before the sandbox is entered, parsed behind it.
 */
#include "outside/validate_references.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define READ_SIZE (1 * MIB)
#define PACKAGE_FILE "datapackage.json"

struct given_package {
	char *name;
	const char *path; /* as given */
	int folder_fd;
	uint8_t *descriptor;
	size_t descriptor_size;
	struct package *package; /* NULL until it is needed */
};

/* --- before the sandbox ---------------------------------------------------------------------------------------------- */

static enum fault file_fault(const char *path, int error, struct refusal *why)
{
	return refuse(why, FAULT_FILE, "%s: %s", path, strerror(error));
}

/* A folder with a datapackage.json, or that file itself. */
static enum fault open_package(struct given_package *given, struct refusal *why)
{
	_cleanup_free_ char *folder = xstrdup(given->path);
	const char *file = PACKAGE_FILE;
	char *slash = strrchr(folder, '/');
	struct stat st;
	int r;

	if (stat(given->path, &st) < 0)
		return file_fault(given->path, errno, why);
	if (!S_ISDIR(st.st_mode)) {
		file = slash == NULL ? given->path : given->path + (slash - folder) + 1;
		if (slash != NULL)
			slash[slash == folder] = '\0';
	}
	given->folder_fd = open(!S_ISDIR(st.st_mode) && slash == NULL ? "." : folder,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (given->folder_fd < 0)
		return file_fault(given->path, errno, why);
	r = fd_load_file(given->folder_fd, file, LIMIT_PACKAGE_SIZE, &given->descriptor, &given->descriptor_size);
	return r < 0 ? file_fault(given->path, -r, why) : FAULT_NONE;
}

static struct given_package *find(const struct validate_references *references, const char *name)
{
	for (size_t i = 0; i < references->n_items; i++) {
		if (strcmp(references->items[i].name, name) == 0)
			return &references->items[i];
	}
	return NULL;
}

enum fault validate_references_open(struct validate_references *references, const struct option_list *list,
				    struct refusal *why)
{
	if (list->n_items > LIMIT_REFERENCES)
		die_usage("validate: --reference at most %d times", LIMIT_REFERENCES);
	references->items = xcalloc(list->n_items + 1, sizeof(*references->items));
	for (size_t i = 0; i < list->n_items; i++) {
		const char *equals = strchr(list->items[i], '=');
		struct given_package *given;
		char *name;

		if (equals == NULL || equals == list->items[i] || equals[1] == '\0')
			die_usage("validate: --reference \"%s\" is no NAME=PATH", list->items[i]);
		name = xasprintf("%.*s", (int)(equals - list->items[i]), list->items[i]);
		if (find(references, name) != NULL)
			die_usage("validate: --reference %s twice", name);
		given = &references->items[references->n_items++];
		*given = (struct given_package){.name = name, .path = equals + 1, .folder_fd = -1};
		if (open_package(given, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

size_t validate_references_folders(const struct validate_references *references, struct sandbox_folder *folders)
{
	for (size_t i = 0; i < references->n_items; i++)
		folders[i] = (struct sandbox_folder){references->items[i].folder_fd, SANDBOX_READ};
	return references->n_items;
}

/* --- after it -------------------------------------------------------------------------------------------------------- */

/* A schema by path lies beneath the package's folder. */
static enum fault load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
			      struct refusal *why)
{
	const struct given_package *given = ctx;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(given->folder_fd, path, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return file_fault(path, -r, why);
	return package_parse_schema(data, size, ret_schema, warnings, why);
}

static enum fault parse(struct given_package *given, struct refusal *why)
{
	if (given->package != NULL)
		return FAULT_NONE;
	if (package_parse(given->descriptor, given->descriptor_size, load_schema, given, &given->package, why) !=
	    FAULT_NONE)
		return refuse_within(why, "--reference %s", given->name);
	return FAULT_NONE;
}

static enum fault feed(void *ctx, const void *data, size_t size, struct refusal *why)
{
	return keytable_feed(ctx, data, size, why);
}

static enum fault read_file(int fd, const char *path, struct charset_reader *charset, struct refusal *why)
{
	_cleanup_free_ uint8_t *buffer = xmalloc(READ_SIZE);

	for (;;) {
		ssize_t n = fd_read_up_to(fd, buffer, READ_SIZE);

		if (n < 0)
			die("%s: %s", path, strerror((int)-n));
		if (n == 0)
			return charset_reader_finish(charset, why);
		if (charset_reader_feed(charset, buffer, (size_t)n, why) != FAULT_NONE)
			return why->fault;
	}
}

static enum fault read_table(const struct given_package *given, const struct resource *table, struct keytable *keytable,
			     struct charsets *charsets, struct refusal *why)
{
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	_cleanup_close_ int fd = fd_open_beneath(given->folder_fd, table->path, O_RDONLY, 0);

	if (fd < 0)
		return file_fault(table->path, -fd, why);
	if (charset_reader_new(charsets, table->encoding, feed, keytable, &charset, why) != FAULT_NONE ||
	    read_file(fd, table->path, charset, why) != FAULT_NONE || keytable_finish(keytable, why) != FAULT_NONE)
		return refuse_within(why, "%s", table->path);
	return FAULT_NONE;
}

static enum fault read_reference(struct validate_references *references, const struct package *package,
				 const struct package_reference *reference, struct charsets *charsets,
				 struct validation *validation, struct refusal *why)
{
	struct given_package *given = find(references, reference->package);
	_cleanup_free_ const struct table_key **keys = NULL;
	const struct resource *table;
	struct keytable *keytable;
	size_t n;

	if (parse(given, why) != FAULT_NONE ||
	    package_keys_into(package, given->package, reference, &keys, &n, why) != FAULT_NONE)
		return why->fault;
	table = package_resource(given->package, reference->table);
	if (keytable_new_target(validation, keys[0]->resource, table, keys, n, &table->dialect, &keytable, why) !=
	    FAULT_NONE)
		return why->fault;
	references->tables = xrealloc(references->tables, references->n_tables + 1, sizeof(references->tables[0]));
	references->tables[references->n_tables++] = keytable;
	if (read_table(given, table, keytable, charsets, why) != FAULT_NONE)
		return refuse_within(why, "--reference %s", given->name);
	return FAULT_NONE;
}

enum fault validate_references_read(struct validate_references *references, const struct package *package,
				    struct charsets *charsets, struct validation *validation, struct refusal *why)
{
	_cleanup_free_ struct package_reference *wanted = NULL;
	size_t n;

	package_references(package, &wanted, &n);
	for (size_t i = 0; i < n; i++) {
		bool is_new_package = i == 0 || strcmp(wanted[i].package, wanted[i - 1].package) != 0;

		if (!is_new_package && strcmp(wanted[i].table, wanted[i - 1].table) == 0)
			continue;
		if (find(references, wanted[i].package) == NULL) {
			if (is_new_package)
				log_warning(
					"%s refers to the package %s: give it with --reference %s=PATH, or these keys "
					"cannot be checked",
					wanted[i].resource, wanted[i].package, wanted[i].package);
			continue;
		}
		if (read_reference(references, package, &wanted[i], charsets, validation, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

void validate_references_clear(struct validate_references *references)
{
	for (size_t i = 0; i < references->n_tables; i++)
		keytable_free(references->tables[i]);
	free(references->tables);
	for (size_t i = 0; i < references->n_items; i++) {
		package_free(references->items[i].package);
		free(references->items[i].descriptor);
		free(references->items[i].name);
		cleanup_close(&references->items[i].folder_fd);
	}
	free(references->items);
}
