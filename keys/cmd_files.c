/* SPDX-License-Identifier: ISC
 *
 * cmd_files: how the commands put what people carry.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

static enum fault put(const char *path, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	_cleanup_free_ uint8_t *there = NULL;
	const char *name;
	size_t there_size;
	enum fault fault = cmd_open_folder(path, &folder_fd, &name, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_is_file_name(name))
		return refuse(why, FAULT_FILE, "%s: such a name holds letters, digits, '.', '_' and '-' alone", path);
	if (fd_exists(folder_fd, name)) {
		r = fd_load_file(folder_fd, name, LIMIT_SIGN_REQUEST_SIZE, &there, &there_size);
		if (r == 0 && there_size == size && memcmp(there, data, size) == 0)
			return FAULT_NONE;
		return refuse(why, FAULT_KEY_EXISTS, "%s is already there", path);
	}
	r = fd_put_durable(folder_fd, name, data, size, 0644);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-r));
	return FAULT_NONE;
}

enum fault cmd_put_request(const char *path, const struct sign_request *request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	sign_request_encode(request, &data, &size);
	return put(path, data, size, why);
}

enum fault cmd_put_signature(const char *path, const struct sign_signature *signature, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	sign_signature_encode(signature, &data, &size);
	return put(path, data, size, why);
}

char *cmd_signature_path(const char *request_path, const struct sign_signature *signature)
{
	static const char ending[] = ".request";
	size_t size = strlen(request_path);

	if (size > sizeof(ending) && strcmp(request_path + size - (sizeof(ending) - 1), ending) == 0)
		size -= sizeof(ending) - 1;
	return xasprintf("%.*s.%.16s.signature", (int)size, request_path, signature->keyid);
}
