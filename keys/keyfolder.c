/* SPDX-License-Identifier: ISC
 *
 * keyfolder: see keyfolder.h.
 */
#include "keys/keyfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

enum fault keyfolder_load(int keys_fd, const char *name, struct passphrase *passphrase, struct secret_key **ret_key,
			  struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(keys_fd, name, O_RDONLY);
	char where[LIMIT_METADATA_NAME_SIZE + 16];

	snprintf(where, sizeof(where), "keys/%s", name);
	if (fd == -ENOENT)
		return refuse(why, FAULT_FILE, "%s is missing", where);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(-fd));
	return secret_key_load(fd, where, passphrase, ret_key, why);
}

enum fault keyfolder_role(int keys_fd, const char *role, bool may_make, struct passphrase *passphrase,
			  struct secret_key **ret_key, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int folder_fd = -1;
	char file[NOTATION_NAME_SIZE + 24];
	int r;

	snprintf(file, sizeof(file), "datasets/%.63s.key", role);
	if (!may_make || fd_exists(keys_fd, file))
		return keyfolder_load(keys_fd, file, passphrase, ret_key, why);
	r = folder_fd = fd_make_dir(keys_fd, "datasets", 0700);
	key = secret_key_generate();
	if (r >= 0)
		r = secret_key_save(folder_fd, strchr(file, '/') + 1, key, passphrase);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "keys/%s: %s", file, strerror(-r));
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
}
