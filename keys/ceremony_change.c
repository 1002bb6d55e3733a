/* SPDX-License-Identifier: ISC
 *
 * ceremony_change: edits `signed` parts of root and targets, which hold their keys and roles in different places.
 */
#include "keys/ceremony_change.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/document.h"

#define KEYID_PREFIX_MIN 8

json_t *change_first_root(int64_t expires)
{
	static const char *const roles[] = {"root", "targets", "snapshot", "timestamp", NULL};
	json_t *root = document_new_signed("root", 1, expires);

	json_object_set_new(root, "consistent_snapshot", json_true());
	json_object_set_new(root, "keys", json_or_die(json_object()));
	json_object_set_new(root, "roles", json_or_die(json_object()));
	for (const char *const *role = roles; *role != NULL; role++)
		json_object_set_new(json_object_get(root, "roles"), *role,
				    json_or_die(json_pack("{s:[], s:i}", "keyids", "threshold", 1)));
	return root;
}

json_t *change_first_targets(int64_t expires)
{
	json_t *targets = document_new_signed("targets", 1, expires);

	json_object_set_new(targets, "targets", json_or_die(json_object()));
	json_object_set_new(targets, "delegations", json_or_die(json_pack("{s:{}, s:[]}", "keys", "roles")));
	return targets;
}

json_t *change_begin(const json_t *signed_, uint64_t version, int64_t expires)
{
	json_t *next = json_or_die(json_deep_copy(signed_));
	char text[NOTATION_TIME_SIZE];

	notation_format_time(expires, text);
	json_object_set_new(next, "version", json_or_die(json_integer((json_int_t)version)));
	json_object_set_new(next, "expires", json_or_die(json_string(text)));
	return next;
}

/* --- where roles and keys are --- */

static const json_t *delegations(const json_t *signed_)
{
	return json_object_get(signed_, "delegations");
}

json_t *change_keys(const json_t *signed_)
{
	json_t *keys = json_object_get(signed_, "keys");

	return keys != NULL ? keys : json_object_get(delegations(signed_), "keys");
}

json_t *change_role(const json_t *signed_, const char *role)
{
	const json_t *list = json_object_get(delegations(signed_), "roles");
	json_t *object = json_object_get(json_object_get(signed_, "roles"), role);

	for (size_t i = 0; object == NULL && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));

		if (name != NULL && strcmp(name, role) == 0)
			object = json_array_get(list, i);
	}
	return object;
}

/* The role at INDEX, whatever its place; NULL past the end. */
static json_t *role_at(json_t *signed_, size_t index, const char **ret_name)
{
	json_t *roles = json_object_get(signed_, "roles");
	const char *name;
	json_t *object;

	if (roles == NULL) {
		object = json_array_get(json_object_get(delegations(signed_), "roles"), index);
		name = json_string_value(json_object_get(object, "name"));
		*ret_name = name != NULL ? name : "?";
		return object;
	}
	json_object_foreach(roles, name, object)
	{
		if (index-- == 0) {
			*ret_name = name;
			return object;
		}
	}
	return NULL;
}

/* Where KEYID stands in the role's list; -1: nowhere. */
static int index_of(const json_t *keyids, const char *keyid)
{
	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *found = json_string_value(json_array_get(keyids, i));

		if (found != NULL && strcmp(found, keyid) == 0)
			return (int)i;
	}
	return -1;
}

static enum fault find_role(json_t *signed_, const char *role, json_t **ret_role, struct refusal *why)
{
	json_t *object = change_role(signed_, role);

	if (!json_is_array(json_object_get(object, "keyids")))
		return refuse(why, FAULT_NO_SUCH, "no role %s", role);
	*ret_role = object;
	return FAULT_NONE;
}

/* --- changes --- */

enum fault change_add_key(json_t *signed_, const char *role, const struct tuf_key *key, struct refusal *why)
{
	json_t *object = NULL;
	json_t *keyids;
	enum fault fault = find_role(signed_, role, &object, why);

	if (fault != FAULT_NONE)
		return fault;
	keyids = json_object_get(object, "keyids");
	if (index_of(keyids, key->keyid) >= 0)
		return refuse(why, FAULT_KEY_ROLE, "role %s has key %.16s already: it can only count once", role,
			      key->keyid);
	if (json_array_size(keyids) >= LIMIT_SIGNATURES)
		return refuse(why, FAULT_KEY_ROLE, "role %s has %d keys already", role, LIMIT_SIGNATURES);
	json_array_append_new(keyids, json_or_die(json_string(key->keyid)));
	json_object_set_new(change_keys(signed_), key->keyid, tuf_key_to_json(key));
	return FAULT_NONE;
}

enum fault change_remove_key(json_t *signed_, const char *role, const char *keyid, struct refusal *why)
{
	json_t *object = NULL;
	int index;
	enum fault fault = find_role(signed_, role, &object, why);

	if (fault != FAULT_NONE)
		return fault;
	index = index_of(json_object_get(object, "keyids"), keyid);
	if (index < 0)
		return refuse(why, FAULT_KEY_ROLE, "role %s does not name key %.16s", role, keyid);
	json_array_remove(json_object_get(object, "keyids"), (size_t)index);
	return FAULT_NONE;
}

enum fault change_threshold(json_t *signed_, const char *role, unsigned threshold, struct refusal *why)
{
	json_t *object = NULL;
	enum fault fault = find_role(signed_, role, &object, why);

	if (fault != FAULT_NONE)
		return fault;
	json_object_set_new(object, "threshold", json_or_die(json_integer((json_int_t)threshold)));
	return FAULT_NONE;
}

static bool is_named(json_t *signed_, const char *keyid)
{
	const char *name;
	json_t *object;

	for (size_t i = 0; (object = role_at(signed_, i, &name)) != NULL; i++)
		if (index_of(json_object_get(object, "keyids"), keyid) >= 0)
			return true;
	return false;
}

enum fault change_finish(json_t *signed_, struct refusal *why)
{
	const char *name;
	json_t *object;
	void *next;

	for (size_t i = 0; (object = role_at(signed_, i, &name)) != NULL; i++) {
		size_t n_keys = json_array_size(json_object_get(object, "keyids"));
		json_int_t threshold = json_integer_value(json_object_get(object, "threshold"));

		if (threshold < 1 || (json_int_t)n_keys < threshold)
			return refuse(why, FAULT_CEREMONY_UNREACHABLE,
				      "role %s would have %zu key%s and a threshold of %" JSON_INTEGER_FORMAT, name,
				      n_keys, n_keys == 1 ? "" : "s", threshold);
	}
	json_object_foreach_safe(change_keys(signed_), next, name, object)
	{
		if (!is_named(signed_, name))
			json_object_del(change_keys(signed_), name);
	}
	return FAULT_NONE;
}

enum fault change_find_key(const json_t *signed_, const char *prefix, const char **ret_keyid, struct refusal *why)
{
	const char *found = NULL;
	const char *keyid;
	json_t *object;

	if (strlen(prefix) < KEYID_PREFIX_MIN)
		return refuse(why, FAULT_NO_SUCH, "\"%s\": a key is named by at least %d digits of its keyid", prefix,
			      KEYID_PREFIX_MIN);
	json_object_foreach(change_keys(signed_), keyid, object)
	{
		if (strncmp(keyid, prefix, strlen(prefix)) != 0)
			continue;
		if (found != NULL)
			return refuse(why, FAULT_NO_SUCH, "\"%s\": several keys begin so", prefix);
		found = keyid;
	}
	if (found == NULL)
		return refuse(why, FAULT_NO_SUCH, "\"%s\": no key here begins so", prefix);
	*ret_keyid = found;
	return FAULT_NONE;
}
