/* SPDX-License-Identifier: ISC
 *
 * ceremony_public: reads and writes public key files.
 */
#include "keys/ceremony_public.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "keys/canonical.h"

enum fault public_key_read(const json_t *object, const char *where, struct tuf_key *ret_key, struct refusal *why)
{
	static const char *const members[] = {"keytype", "scheme", "keyval", NULL};
	static const char *const value_members[] = {"public", NULL};
	char keyid[SHA256_HEX_SIZE];
	struct sha256 sha256;
	json_t *public = NULL;
	json_t *value = NULL;
	enum fault fault;

	if ((fault = json_get_object(object, where, "public", true, &public, why)) != FAULT_NONE ||
	    (fault = json_only(public, where, members, why)) != FAULT_NONE ||
	    (fault = json_get_object(public, where, "keyval", true, &value, why)) != FAULT_NONE ||
	    (fault = json_only(value, where, value_members, why)) != FAULT_NONE ||
	    (fault = canonical_hash(public, &sha256, why)) != FAULT_NONE)
		return fault;
	sha256_to_hex(&sha256, keyid);
	fault = tuf_key_parse(keyid, public, ret_key, why);
	if (fault != FAULT_NONE)
		refuse_within(why, "%s", where);
	return fault;
}

enum fault public_key_parse(const void *data, size_t size, const char *where, struct tuf_key *ret_key,
			    struct refusal *why)
{
	static const char *const members[] = {"format", "public", NULL};
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal inner;
	enum fault fault = json_parse(data, size, LIMIT_PUBLIC_KEY_FILE_SIZE, &json, &inner);

	if (fault != FAULT_NONE)
		return refuse(why, FAULT_KEY_FORM, "%s: %s", where, inner.line);
	if ((fault = json_format(json, where, "clapet public key", 1, &inner)) != FAULT_NONE ||
	    (fault = json_only(json, where, members, &inner)) != FAULT_NONE ||
	    (fault = public_key_read(json, where, ret_key, &inner)) != FAULT_NONE)
		return refuse(why, fault == FAULT_JSON_FORMAT ? fault : FAULT_KEY_FORM, "%s (bundle/FORMAT.md 16.3)",
			      inner.line);
	return FAULT_NONE;
}

enum fault public_key_load(const char *path, struct tuf_key *ret_key, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_PUBLIC_KEY_FILE_SIZE, &data, &size);

	if (r == -EFBIG)
		return refuse(why, FAULT_KEY_FORM, "%s: more than %llu bytes (bundle/FORMAT.md 16.3)", path,
			      LIMIT_PUBLIC_KEY_FILE_SIZE);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return public_key_parse(data, size, path, ret_key, why);
}

int public_key_save(int dir_fd, const char *name, const struct tuf_key *key)
{
	_cleanup_(json_decrefp)
		json_t *json = json_pack("{s:s, s:o}", "format", "clapet public key 1", "public", tuf_key_to_json(key));
	_cleanup_free_ char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(2));
	_cleanup_free_ char *line = NULL;

	if (text == NULL)
		return -ENOMEM;
	if (fd_exists(dir_fd, name))
		return -EEXIST;
	line = xasprintf("%s\n", text);
	return fd_put_durable(dir_fd, name, line, strlen(line), 0444);
}
