/* SPDX-License-Identifier: ISC
 *
 * ceremony_keys: names, opens, makes and moves everyday keys.
 */
#include "keys/ceremony_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_form.h"
#include "keys/document.h"

#define PATH_SIZE (NOTATION_NAME_SIZE + 32)

/* "targets.key", "datasets/cog.key"; with NEXT "….next.key". */
static void key_path(const char *role, bool next, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s%.63s%s.key", form_is_top(role) ? "" : "datasets/", role, next ? ".next" : "");
}

/* The keyid of the file, without opening it. */
static enum fault about(int keys_fd, const char *path, struct secret_about *ret_about, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(keys_fd, path, O_RDONLY);
	char where[PATH_SIZE + 8];

	snprintf(where, sizeof(where), "keys/%s", path);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(-fd));
	return secret_key_about_fd(fd, where, ret_about, why);
}

/* The path of a key that ROLE_OBJECT names; the waiting one first. */
static bool find(int keys_fd, const char *role, const json_t *role_object, char path[PATH_SIZE])
{
	for (int next = 1; next >= 0; next--) {
		struct secret_about found;

		key_path(role, next == 1, path);
		if (about(keys_fd, path, &found, NULL) == FAULT_NONE && document_role_names(role_object, &found.key))
			return true;
	}
	return false;
}

bool everyday_key_is_here(int keys_fd, const char *role, const json_t *role_object)
{
	char path[PATH_SIZE];

	return find(keys_fd, role, role_object, path);
}

static enum fault open_at(int keys_fd, const char *path, struct passphrase *passphrase, struct secret_key **ret_key,
			  struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(keys_fd, path, O_RDONLY);
	char where[PATH_SIZE + 8];

	snprintf(where, sizeof(where), "keys/%s", path);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(-fd));
	return secret_key_load(fd, where, passphrase, ret_key, why);
}

enum fault everyday_key_open(int keys_fd, const char *role, const json_t *role_object, struct passphrase *passphrase,
			     struct secret_key **ret_key, struct refusal *why)
{
	char path[PATH_SIZE];

	if (!find(keys_fd, role, role_object, path)) {
		key_path(role, false, path);
		return refuse(why, FAULT_KEY_ROLE, "keys/%s: no key that role %s names is here", path, role);
	}
	return open_at(keys_fd, path, passphrase, ret_key, why);
}

enum fault everyday_key_make_next(int keys_fd, const char *role, struct passphrase *passphrase, struct tuf_key *ret_key,
				  struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int folder_fd = -1;
	char path[PATH_SIZE];
	const char *slash;
	int r;

	key_path(role, true, path);
	if (fd_exists(keys_fd, path)) {
		enum fault fault = open_at(keys_fd, path, passphrase, &key, why);

		if (fault == FAULT_NONE)
			*ret_key = *secret_key_public(key);
		return fault;
	}
	slash = strchr(path, '/');
	folder_fd = slash != NULL ? fd_make_dir(keys_fd, "datasets", 0700) : fcntl(keys_fd, F_DUPFD_CLOEXEC, 0);
	r = folder_fd;
	key = secret_key_generate();
	if (r >= 0)
		r = secret_key_save(folder_fd, slash != NULL ? slash + 1 : path, key, passphrase);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "keys/%s: %s", path, strerror(-r));
	*ret_key = *secret_key_public(key);
	return FAULT_NONE;
}

/* Renames beneath KEYS_FD and syncs both folders; never over a file that is there. */
static int move(int keys_fd, const char *from, int to_fd, const char *to)
{
	_cleanup_close_ int datasets_fd = -1;

	if (renameat2(keys_fd, from, to_fd, to, RENAME_NOREPLACE) < 0)
		return -errno;
	if (strchr(from, '/') != NULL) {
		datasets_fd = openat(keys_fd, "datasets", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (datasets_fd < 0 || fsync(datasets_fd) < 0)
			return -errno;
	}
	return fsync(to_fd) < 0 || fsync(keys_fd) < 0 ? -errno : 0;
}

static enum fault retire(int keys_fd, const char *role, const char *path, FILE *out, struct refusal *why)
{
	_cleanup_close_ int retired_fd = fd_make_dir(keys_fd, "retired", 0700);
	struct secret_about old;
	char name[PATH_SIZE + 24];
	int r = retired_fd;
	enum fault fault = about(keys_fd, path, &old, why);

	if (fault != FAULT_NONE)
		return fault;
	snprintf(name, sizeof(name), "%.63s.%.16s.key", role, old.key.keyid);
	if (r >= 0)
		r = move(keys_fd, path, retired_fd, name);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "keys/retired/%s: %s", name, strerror(-r));
	if (out != NULL)
		fprintf(out, "Put aside     keys/retired/%s: destroy it once the inside has taken this in\n", name);
	return FAULT_NONE;
}

enum fault everyday_key_switch(int keys_fd, const char *role, const json_t *role_object, FILE *out, struct refusal *why)
{
	char waiting[PATH_SIZE];
	char path[PATH_SIZE];
	struct secret_about found;
	enum fault fault = FAULT_NONE;
	int r;

	key_path(role, true, waiting);
	key_path(role, false, path);
	if (!fd_exists(keys_fd, waiting))
		return FAULT_NONE;
	fault = about(keys_fd, waiting, &found, why);
	if (fault != FAULT_NONE || !document_role_names(role_object, &found.key))
		return fault;
	if (fd_exists(keys_fd, path))
		fault = retire(keys_fd, role, path, out, why);
	if (fault != FAULT_NONE)
		return fault;
	r = move(keys_fd, waiting, keys_fd, path);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "keys/%s: %s", path, strerror(-r));
	return FAULT_NONE;
}

/* The first everyday key that is here; NULL: none. */
static const char *first_key(int keys_fd)
{
	static const char *const names[] = {"timestamp.key", "snapshot.key", "targets.key"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (fd_exists(keys_fd, names[i]))
			return names[i];
	return NULL;
}

enum fault everyday_keys_encrypted(int keys_fd, bool *ret_any, bool *ret_encrypted, struct refusal *why)
{
	const char *name = first_key(keys_fd);
	struct secret_about found;
	enum fault fault = name == NULL ? FAULT_NONE : about(keys_fd, name, &found, why);

	if (fault != FAULT_NONE)
		return fault;
	*ret_any = name != NULL;
	*ret_encrypted = name != NULL && found.is_encrypted;
	return FAULT_NONE;
}

enum fault everyday_keys_check(int keys_fd, struct passphrase *passphrase, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	const char *name = first_key(keys_fd);

	return name == NULL ? FAULT_NONE : open_at(keys_fd, name, passphrase, &key, why);
}
