/* SPDX-License-Identifier: ISC
 *
 * ceremony_form: reads what a ceremony may sign, and nothing else.
 */
#include "keys/ceremony_form.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "keys/document.h"

static const char *const top_roles[] = {"root", "targets", "snapshot", "timestamp"};

bool form_is_top(const char *role)
{
	for (size_t i = 0; i < ARRAY_SIZE(top_roles); i++)
		if (strcmp(role, top_roles[i]) == 0)
			return true;
	return false;
}

void form_clear(struct form *form)
{
	for (size_t i = 0; i < form->n_roles; i++)
		free(form->roles[i].keys);
	free(form->roles);
	memset(form, 0, sizeof(*form));
}

const struct form_role *form_find(const struct form *form, const char *role)
{
	for (size_t i = 0; i < form->n_roles; i++)
		if (strcmp(form->roles[i].name, role) == 0)
			return &form->roles[i];
	return NULL;
}

bool form_role_names(const struct form_role *role, const char *keyid)
{
	for (size_t i = 0; role != NULL && i < role->n_keys; i++)
		if (strcmp(role->keys[i].keyid, keyid) == 0)
			return true;
	return false;
}

/* The object of KEYID in KEYS: one of ours has exactly three members. */
static enum fault read_key(const json_t *keys, const char *keyid, const char *where, struct tuf_key *ret_key,
			   struct refusal *why)
{
	static const char *const members[] = {"keytype", "scheme", "keyval", NULL};
	static const char *const value_members[] = {"public", NULL};
	const json_t *object = json_object_get(keys, keyid);
	json_t *value = NULL;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_CEREMONY_FORM, "%s: key %.16s is not among the keys", where, keyid);
	if ((fault = json_only(object, where, members, why)) != FAULT_NONE ||
	    (fault = json_get_object(object, where, "keyval", true, &value, why)) != FAULT_NONE ||
	    (fault = json_only(value, where, value_members, why)) != FAULT_NONE)
		return fault;
	return tuf_key_parse(keyid, object, ret_key, why);
}

/* `keyids` and `threshold` of OBJECT. */
static enum fault read_role(const json_t *object, const json_t *keys, struct form_role *role, struct refusal *why)
{
	json_t *keyids = NULL;
	int64_t threshold = 0;
	enum fault fault = json_get_array(object, role->name, "keyids", true, &keyids, why);

	if (fault != FAULT_NONE)
		return fault;
	if (json_array_size(keyids) == 0 || json_array_size(keyids) > LIMIT_SIGNATURES)
		return refuse(why, FAULT_CEREMONY_FORM, "%s: %zu keys, 1 to %d", role->name, json_array_size(keyids),
			      LIMIT_SIGNATURES);
	fault = json_get_integer(object, role->name, "threshold", true, 1, (int64_t)json_array_size(keyids), &threshold,
				 why);
	role->threshold = (unsigned)threshold;
	role->keys = xcalloc(json_array_size(keyids), sizeof(*role->keys));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(keyids); i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));

		if (keyid == NULL || form_role_names(role, keyid))
			return refuse(why, FAULT_CEREMONY_FORM, "%s: a key twice, or no keyid at all", role->name);
		fault = read_key(keys, keyid, role->name, &role->keys[i], why);
		role->n_keys = i + 1;
	}
	return fault;
}

static enum fault read_root(const json_t *signed_, struct form *form, struct refusal *why)
{
	static const char *const members[] = {"_type", "spec_version", "version", "expires", "consistent_snapshot",
					      "keys",  "roles",        NULL};
	static const char *const role_members[] = {"keyids", "threshold", NULL};
	static const char *const names[] = {"root", "targets", "snapshot", "timestamp", NULL};
	json_t *keys = NULL;
	json_t *roles = NULL;
	bool consistent = false;
	enum fault fault;

	if ((fault = json_only(signed_, "signed", members, why)) != FAULT_NONE ||
	    (fault = json_get_bool(signed_, "signed", "consistent_snapshot", true, &consistent, why)) != FAULT_NONE ||
	    (fault = json_get_object(signed_, "signed", "keys", true, &keys, why)) != FAULT_NONE ||
	    (fault = json_get_object(signed_, "signed", "roles", true, &roles, why)) != FAULT_NONE ||
	    (fault = json_only(roles, "roles", names, why)) != FAULT_NONE)
		return fault;
	if (!consistent)
		return refuse(why, FAULT_CEREMONY_FORM, "signed: consistent_snapshot is not true");
	form->roles = xcalloc(ARRAY_SIZE(top_roles), sizeof(*form->roles));
	for (size_t i = 0; i < ARRAY_SIZE(top_roles); i++) {
		json_t *object = NULL;

		form->n_roles = i + 1;
		text_copy(form->roles[i].name, sizeof(form->roles[i].name), top_roles[i]);
		if ((fault = json_get_object(roles, "roles", top_roles[i], true, &object, why)) != FAULT_NONE ||
		    (fault = json_only(object, top_roles[i], role_members, why)) != FAULT_NONE ||
		    (fault = read_role(object, keys, &form->roles[i], why)) != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* A delegation as repository.c writes it: the role's own paths, terminating. */
static enum fault read_delegation(const json_t *object, const json_t *keys, struct form *form, struct refusal *why)
{
	static const char *const members[] = {"name", "keyids", "paths", "terminating", "threshold", NULL};
	struct form_role *role = &form->roles[form->n_roles];
	char pattern[NOTATION_NAME_SIZE + 8];
	const char *name = NULL;
	const char *found;
	json_t *paths = NULL;
	bool terminating = false;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_CEREMONY_FORM, "roles: something that is no role");
	if ((fault = json_only(object, "roles", members, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, "roles", "name", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, "roles", "paths", true, &paths, why)) != FAULT_NONE ||
	    (fault = json_get_bool(object, "roles", "terminating", true, &terminating, why)) != FAULT_NONE)
		return fault;
	if ((!notation_is_name(name) && strcmp(name, "status") != 0) || form_find(form, name) != NULL)
		return refuse(why, FAULT_CEREMONY_FORM, "roles: \"%s\" cannot be a role, or is there twice", name);
	snprintf(pattern, sizeof(pattern), strcmp(name, "status") == 0 ? "%.63s.json" : "%.63s/*", name);
	found = json_string_value(json_array_get(paths, 0));
	if (json_array_size(paths) != 1 || found == NULL || strcmp(found, pattern) != 0 || !terminating)
		return refuse(why, FAULT_CEREMONY_FORM, "%s: its paths are not \"%s\" alone, terminating", name,
			      pattern);
	text_copy(role->name, sizeof(role->name), name);
	form->n_roles++;
	return read_role(object, keys, role, why);
}

static enum fault read_targets(const json_t *signed_, struct form *form, struct refusal *why)
{
	static const char *const members[] = {"_type",   "spec_version", "version", "expires",
					      "targets", "delegations",  NULL};
	static const char *const delegation_members[] = {"keys", "roles", NULL};
	json_t *targets = NULL;
	json_t *delegations = NULL;
	json_t *keys = NULL;
	json_t *roles = NULL;
	enum fault fault;

	if ((fault = json_only(signed_, "signed", members, why)) != FAULT_NONE ||
	    (fault = json_get_object(signed_, "signed", "targets", true, &targets, why)) != FAULT_NONE ||
	    (fault = json_get_object(signed_, "signed", "delegations", true, &delegations, why)) != FAULT_NONE ||
	    (fault = json_only(delegations, "delegations", delegation_members, why)) != FAULT_NONE ||
	    (fault = json_get_object(delegations, "delegations", "keys", true, &keys, why)) != FAULT_NONE ||
	    (fault = json_get_array(delegations, "delegations", "roles", true, &roles, why)) != FAULT_NONE)
		return fault;
	if (json_object_size(targets) != 0 || json_array_size(roles) > LIMIT_ROLES)
		return refuse(why, FAULT_CEREMONY_FORM, "signed: a target of its own, or more than %d roles",
			      LIMIT_ROLES);
	form->roles = xcalloc(json_array_size(roles) + 1, sizeof(*form->roles));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(roles); i++)
		fault = read_delegation(json_array_get(roles, i), keys, form, why);
	return fault;
}

/* A key that no role names: it is signed for, and nobody is told of it. */
static enum fault check_all_named(const json_t *keys, const struct form *form, struct refusal *why)
{
	const char *keyid;
	json_t *object;

	json_object_foreach((json_t *)keys, keyid, object)
	{
		bool is_named = false;

		for (size_t i = 0; i < form->n_roles && !is_named; i++)
			is_named = form_role_names(&form->roles[i], keyid);
		if (!is_named)
			return refuse(why, FAULT_CEREMONY_FORM, "key %.16s is named by no role", keyid);
	}
	return FAULT_NONE;
}

static enum fault read_all(const json_t *signed_, struct form *form, struct refusal *why)
{
	const char *type = NULL;
	const char *spec_version = NULL;
	const char *expires = NULL;
	int64_t version = 0;
	enum fault fault;

	if ((fault = json_get_text(signed_, "signed", "_type", true, &type, why)) != FAULT_NONE ||
	    (fault = json_get_text(signed_, "signed", "spec_version", true, &spec_version, why)) != FAULT_NONE ||
	    (fault = json_get_integer(signed_, "signed", "version", true, 1, LIMIT_VERSION, &version, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(signed_, "signed", "expires", true, &expires, why)) != FAULT_NONE)
		return fault;
	if (strcmp(spec_version, DOCUMENT_SPEC_VERSION) != 0 || !notation_parse_time(expires, &form->expires))
		return refuse(why, FAULT_CEREMONY_FORM, "signed: spec_version is not %s, or expires is no time",
			      DOCUMENT_SPEC_VERSION);
	form->version = (uint64_t)version;
	form->is_root = strcmp(type, "root") == 0;
	if (form->is_root)
		fault = read_root(signed_, form, why);
	else if (strcmp(type, "targets") == 0)
		fault = read_targets(signed_, form, why);
	else
		return refuse(why, FAULT_CEREMONY_FORM, "signed: _type \"%s\", root or targets are signed so", type);
	if (fault != FAULT_NONE)
		return fault;
	return check_all_named(form->is_root ? json_object_get(signed_, "keys")
					     : json_object_get(json_object_get(signed_, "delegations"), "keys"),
			       form, why);
}

enum fault form_read(const json_t *signed_, const char *where, struct form *ret_form, struct refusal *why)
{
	_cleanup_(form_clear) struct form form = {0};
	struct refusal inner;

	if (read_all(signed_, &form, &inner) != FAULT_NONE)
		return refuse(why, FAULT_CEREMONY_FORM, "%s: %s (bundle/FORMAT.md 16.5)", where, inner.line);
	*ret_form = form;
	memset(&form, 0, sizeof(form));
	return FAULT_NONE;
}
