/* SPDX-License-Identifier: ISC
 *
 * store_read: the store as readers, the supervisor and the auditor see it. Never writes; follows no link but `current`
 * and a generation's, and those by their text.
 */
#include "inside/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/notation.h"

/* "../../datasets/<name>/v/<16 hex>" and more than that, so that a longer text shows. */
#define LINK_SIZE 160
#define GENERATION_JSON_SIZE LIMIT_JSON_SIZE

enum fault store_open(const char *path, int *ret_store_fd, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ uint8_t *format = NULL;
	size_t size;
	int r;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "store %s: %s", path, strerror(errno));
	r = fd_load_file(fd, "format", 256, &format, &size);
	if (r == -ENOENT)
		return refuse(why, FAULT_STORE_FORMAT, "store %s: no file `format`: not a store, or not made yet",
			      path);
	if (r < 0)
		return refuse(why, FAULT_FILE, "store %s/format: %s", path, strerror(-r));
	if (size != strlen(STORE_FORMAT) || memcmp(format, STORE_FORMAT, size) != 0) {
		format[strcspn((char *)format, "\n")] = '\0';
		return refuse(why, FAULT_STORE_FORMAT, "store %s: format \"%s\", this program reads \"clapet store 1\"",
			      path, (char *)format);
	}
	*ret_store_fd = steal_fd(&fd);
	return FAULT_NONE;
}

void store_version_name(const struct sha256 *version, char name[STORE_VERSION_SIZE])
{
	notation_hex(version->bytes, (STORE_VERSION_SIZE - 1) / 2, name);
}

bool store_parse_generation(const char *name, uint64_t *ret_generation)
{
	uint64_t number = 0;

	if (name[0] < '1' || name[0] > '9' || strlen(name) > 16)
		return false;
	for (; *name != '\0'; name++) {
		if (*name < '0' || *name > '9')
			return false;
		number = number * 10 + (uint64_t)(*name - '0');
	}
	if (number > LIMIT_VERSION)
		return false;
	*ret_generation = number;
	return true;
}

bool store_parse_link(const char *text, const char *dataset, char ret_version[STORE_VERSION_SIZE])
{
	uint8_t bytes[(STORE_VERSION_SIZE - 1) / 2];
	char prefix[LINK_SIZE];
	int length = snprintf(prefix, sizeof(prefix), "../../datasets/%s/v/", dataset);

	if (length < 0 || (size_t)length >= sizeof(prefix) || strncmp(text, prefix, (size_t)length) != 0 ||
	    !notation_unhex(text + length, bytes, sizeof(bytes)))
		return false;
	if (ret_version != NULL)
		memcpy(ret_version, text + length, STORE_VERSION_SIZE);
	return true;
}

/* The text of a symbolic link; -EUCLEAN where it is longer than any of ours. */
static int read_link(int dir_fd, const char *name, char text[LINK_SIZE])
{
	ssize_t n = readlinkat(dir_fd, name, text, LINK_SIZE);

	if (n < 0)
		return errno == EINVAL ? -EUCLEAN : -errno;
	if (n >= LINK_SIZE)
		return -EUCLEAN;
	text[n] = '\0';
	return 0;
}

int store_current(int store_fd, uint64_t *ret_generation)
{
	static const char prefix[] = "generations/";
	char text[LINK_SIZE];
	int r = read_link(store_fd, "current", text);

	if (r == -ENOENT) {
		*ret_generation = 0;
		return 0;
	}
	if (r < 0)
		return r;
	if (strncmp(text, prefix, strlen(prefix)) != 0 ||
	    !store_parse_generation(text + strlen(prefix), ret_generation))
		return -EUCLEAN;
	return 0;
}

static int open_folder(int store_fd, const char *path)
{
	return fd_open_beneath(store_fd, path, O_RDONLY | O_DIRECTORY, 0);
}

static int open_generation(int store_fd, uint64_t generation)
{
	char path[64];

	snprintf(path, sizeof(path), "generations/%" PRIu64, generation);
	return open_folder(store_fd, path);
}

static int read_generation_link(int generation_fd, const char *dataset, char ret_version[STORE_VERSION_SIZE])
{
	char text[LINK_SIZE];
	int r = read_link(generation_fd, dataset, text);

	if (r < 0)
		return r;
	return store_parse_link(text, dataset, ret_version) ? 0 : -EUCLEAN;
}

int store_generation_version(int store_fd, uint64_t generation, const char *dataset,
			     char ret_version[STORE_VERSION_SIZE])
{
	_cleanup_close_ int fd = -1;

	if (!notation_is_name(dataset))
		return -EINVAL;
	fd = open_generation(store_fd, generation);
	if (fd < 0)
		return fd;
	return read_generation_link(fd, dataset, ret_version);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void store_names_free(struct store_names *names)
{
	for (size_t i = 0; i < names->n_items; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct store_names){NULL, 0};
}

static int add_name(struct store_names *names, size_t *room, const char *name)
{
	if (names->n_items == *room) {
		size_t larger = *room == 0 ? 64 : *room * 2;
		char **items = reallocarray(names->items, larger, sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		names->items = items;
		*room = larger;
	}
	names->items[names->n_items] = strdup(name);
	if (names->items[names->n_items] == NULL)
		return -ENOMEM;
	names->n_items++;
	return 0;
}

/* Takes the names of an open folder; -errno of readdir counts: a list that is cut short would hide files. */
static int list_folder(DIR *dir, struct store_names *names)
{
	size_t room = 0;

	for (;;) {
		struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			return -errno;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = add_name(names, &room, entry->d_name);
		if (r < 0)
			return r;
	}
}

int store_list(int store_fd, const char *path, struct store_names *ret_names)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_closedir_ DIR *dir = NULL;
	int fd = open_folder(store_fd, path), r;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		dir = fdopendir(fd);
		if (dir == NULL) {
			close(fd);
			return -ENOMEM;
		}
		r = list_folder(dir, &names);
		if (r < 0)
			return r;
	}
	if (names.n_items > 1)
		qsort(names.items, names.n_items, sizeof(*names.items), compare_texts);
	*ret_names = names;
	names = (struct store_names){NULL, 0};
	return 0;
}

/* "cog.sqlite", beside the dataset's own link. */
static bool is_rows_link(const char *name)
{
	char dataset[NOTATION_NAME_SIZE];
	size_t length = strlen(name), suffix = strlen(STORE_ROWS_SUFFIX);

	if (length <= suffix || length - suffix >= sizeof(dataset) ||
	    strcmp(name + length - suffix, STORE_ROWS_SUFFIX) != 0)
		return false;
	memcpy(dataset, name, length - suffix);
	dataset[length - suffix] = '\0';
	return notation_is_name(dataset);
}

int store_generation_each(int store_fd, uint64_t generation,
			  int (*each)(void *ctx, const char *dataset, const char *version), void *ctx)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = open_generation(store_fd, generation);
	char path[64], version[STORE_VERSION_SIZE];
	int r;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "generations/%" PRIu64, generation);
	r = store_list(store_fd, path, &names);
	for (size_t i = 0; r == 0 && i < names.n_items; i++) {
		if (strcmp(names.items[i], "clapet.json") == 0 || is_rows_link(names.items[i]))
			continue;
		r = notation_is_name(names.items[i]) ? read_generation_link(fd, names.items[i], version) : -EUCLEAN;
		if (r == 0)
			r = each(ctx, names.items[i], version);
	}
	return r;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

int store_generations(int store_fd, uint64_t **ret_generations, size_t *ret_n)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_free_ uint64_t *numbers = NULL;
	size_t n = 0;
	int r = store_list(store_fd, "generations", &names);

	if (r < 0)
		return r;
	numbers = calloc(names.n_items + 1, sizeof(*numbers));
	if (numbers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < names.n_items; i++)
		if (store_parse_generation(names.items[i], &numbers[n]))
			n++;
	qsort(numbers, n, sizeof(*numbers), compare_numbers);
	*ret_generations = steal_pointer(&numbers);
	*ret_n = n;
	return 0;
}

static bool is_dataset(const char *dataset)
{
	return notation_is_name(dataset) || strcmp(dataset, "status") == 0;
}

static bool is_version(const char *version)
{
	uint8_t bytes[(STORE_VERSION_SIZE - 1) / 2];

	return notation_unhex(version, bytes, sizeof(bytes));
}

/* Opens a regular file beneath the store for reading. Objects have several links, so their count is not asked. */
static int open_file(int store_fd, const char *path)
{
	_cleanup_close_ int fd = fd_open_beneath(store_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EUCLEAN;
	return steal_fd(&fd);
}

int store_open_object(int store_fd, const char *dataset, const struct sha256 *sha256)
{
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];

	if (!is_dataset(dataset))
		return -EINVAL;
	sha256_to_hex(sha256, hex);
	snprintf(path, sizeof(path), "datasets/%s/objects/%s", dataset, hex);
	return open_file(store_fd, path);
}

int store_open_blob(int store_fd, const struct sha256 *sha256)
{
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	snprintf(path, sizeof(path), "mirror/blobs/%s", hex);
	return open_file(store_fd, path);
}

int store_open_version_file(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE], const char *file)
{
	char path[STORE_PATH_SIZE * 2];

	if (!is_dataset(dataset) || !is_version(version) || !notation_is_file_name(file))
		return -EINVAL;
	snprintf(path, sizeof(path), "datasets/%s/v/%s/%s", dataset, version, file);
	return open_file(store_fd, path);
}

bool store_parse_rows(const char *name, char ret_version[STORE_VERSION_SIZE])
{
	char version[STORE_VERSION_SIZE];

	if (strlen(name) != STORE_ROWS_SIZE - 1 || strcmp(name + STORE_VERSION_SIZE - 1, STORE_ROWS_SUFFIX) != 0)
		return false;
	memcpy(version, name, STORE_VERSION_SIZE - 1);
	version[STORE_VERSION_SIZE - 1] = '\0';
	if (!is_version(version))
		return false;
	memcpy(ret_version, version, STORE_VERSION_SIZE);
	return true;
}

int store_open_rows(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE])
{
	char path[STORE_PATH_SIZE];

	if (!notation_is_name(dataset) || !is_version(version))
		return -EINVAL;
	snprintf(path, sizeof(path), "datasets/%s/rows/%s" STORE_ROWS_SUFFIX, dataset, version);
	return open_file(store_fd, path);
}

bool store_has_rows(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE])
{
	_cleanup_close_ int fd = store_open_rows(store_fd, dataset, version);

	return fd >= 0;
}

bool store_has_object(int store_fd, const char *dataset, const struct sha256 *sha256)
{
	_cleanup_close_ int fd = store_open_object(store_fd, dataset, sha256);

	return fd >= 0;
}

bool store_has_blob(int store_fd, const struct sha256 *sha256)
{
	_cleanup_close_ int fd = store_open_blob(store_fd, sha256);

	return fd >= 0;
}

bool store_has_version(int store_fd, const char *dataset, const char version[STORE_VERSION_SIZE])
{
	_cleanup_close_ int fd = -1;
	char path[STORE_PATH_SIZE];

	if (!is_dataset(dataset) || !is_version(version))
		return false;
	snprintf(path, sizeof(path), "datasets/%s/v/%s", dataset, version);
	fd = open_folder(store_fd, path);
	return fd >= 0;
}

int store_document_path(enum document document, const char *dataset, const struct sha256 *version,
			char path[STORE_PATH_SIZE])
{
	char name[STORE_VERSION_SIZE];
	const char *fixed = NULL;

	switch (document) {
	case DOCUMENT_STATUS:
		fixed = "status.json";
		break;
	case DOCUMENT_ANCHOR:
		fixed = "trust/root.json";
		break;
	case DOCUMENT_WAIVERS:
		fixed = "decisions/waivers.json";
		break;
	case DOCUMENT_PINS:
		fixed = "decisions/pins.json";
		break;
	case DOCUMENT_KEYS:
		fixed = "decisions/keys.json";
		break;
	case DOCUMENT_HISTORY_STATE:
		fixed = "decisions/history.json";
		break;
	case DOCUMENT_SOURCES:
		fixed = "decisions/sources.json";
		break;
	case DOCUMENT_PEOPLE:
		fixed = "log/people.json";
		break;
	case DOCUMENT_MEMORY:
		fixed = "log/memory.json";
		break;
	case DOCUMENT_VERDICT:
	case DOCUMENT_REPORT:
	case DOCUMENT_HISTORY:
		if (!notation_is_name(dataset))
			return -EINVAL;
		store_version_name(version, name);
		snprintf(path, STORE_PATH_SIZE,
			 document == DOCUMENT_VERDICT   ? "decisions/verdicts/%s-%s.json"
			 : document == DOCUMENT_HISTORY ? "decisions/history/%s/%s.json"
							: "quarantine/%s-%s/report.json",
			 dataset, name);
		return 0;
	case DOCUMENT_N:
		break;
	}
	if (fixed == NULL)
		return -EINVAL;
	snprintf(path, STORE_PATH_SIZE, "%s", fixed);
	return 0;
}

static int load_file(int store_fd, const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_close_ int fd = open_file(store_fd, path);

	if (fd < 0)
		return fd;
	return fd_load(fd, limit, ret_data, ret_size);
}

int store_load_document(int store_fd, enum document document, const char *dataset, const struct sha256 *version,
			size_t limit, uint8_t **ret_data, size_t *ret_size)
{
	char path[STORE_PATH_SIZE];
	int r = store_document_path(document, dataset, version, path);

	if (r < 0)
		return r;
	return load_file(store_fd, path, limit, ret_data, ret_size);
}

int store_load_generation(int store_fd, uint64_t generation, uint8_t **ret_data, size_t *ret_size)
{
	char path[STORE_PATH_SIZE];

	snprintf(path, sizeof(path), "generations/%" PRIu64 "/clapet.json", generation);
	return load_file(store_fd, path, GENERATION_JSON_SIZE, ret_data, ret_size);
}
