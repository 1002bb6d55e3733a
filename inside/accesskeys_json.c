/* SPDX-License-Identifier: ISC
 *
 * accesskeys, to JSON and back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/accesskeys.h"
#include "inside/store.h"
#include "inside/verdict.h"

/* --- from JSON -------------------------------------------------------------------------------------------------------------- */

static enum fault get_text(const json_t *object, const char *where, const char *key, bool may_be_empty, char **ret,
			   struct refusal *why)
{
	const char *text = NULL;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if ((text[0] == '\0' && !may_be_empty) || strlen(text) >= LIMIT_ACCESS_TEXT_SIZE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is empty or longer than %d bytes", where, key,
			      LIMIT_ACCESS_TEXT_SIZE - 1);
	*ret = xstrdup(text);
	return FAULT_NONE;
}

/* A time; null, where it may be, is 0. */
static enum fault get_time(const json_t *object, const char *where, const char *key, bool may_be_null, int64_t *ret,
			   struct refusal *why)
{
	const json_t *value = json_object_get(object, key);

	*ret = 0;
	if (may_be_null && json_is_null(value))
		return FAULT_NONE;
	if (!json_is_string(value) || !notation_parse_time(json_string_value(value), ret) || *ret == 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no time", where, key);
	return FAULT_NONE;
}

static enum fault get_hash(const json_t *object, const char *where, struct sha256 *ret, struct refusal *why)
{
	const char *hex = NULL;
	enum fault fault = json_get_text(object, where, "sha256", true, &hex, why);

	if (fault == FAULT_NONE && !sha256_from_hex(hex, ret))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"sha256\" is no digest", where);
	return fault;
}

/* "k7"; null, where it may be, is 0. */
static enum fault get_number(const json_t *object, const char *where, const char *key, bool may_be_null, uint32_t *ret,
			     struct refusal *why)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	char again[ACCESS_KEY_ID_SIZE];

	*ret = 0;
	if (may_be_null && json_is_null(value))
		return FAULT_NONE;
	if (text != NULL && text[0] == 'k' && strlen(text) <= 10)
		*ret = (uint32_t)strtoul(text + 1, NULL, 10);
	snprintf(again, sizeof(again), "k%u", *ret);
	if (text == NULL || *ret == 0 || strcmp(text, again) != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no key's id", where, key);
	return FAULT_NONE;
}

static enum fault get_acceptance(const json_t *object, const char *where, struct access_acceptance *ret,
				 struct refusal *why)
{
	static const char *const allowed[] = {"licence", "sha256", "by", "date", NULL};
	const char *licence = NULL;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an acceptance is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "licence", true, &licence, why)) != FAULT_NONE ||
	    (fault = get_hash(object, where, &ret->sha256, why)) != FAULT_NONE ||
	    (fault = get_text(object, where, "by", false, &ret->by, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "date", false, &ret->date, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(licence) || !text_copy(ret->licence, sizeof(ret->licence), licence))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an acceptance of no licence", where);
	return FAULT_NONE;
}

static enum fault get_accepted(const json_t *object, const char *where, struct access_key *key, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = json_get_array(object, where, "accepted", true, &array, why);
	size_t n = json_array_size(array);

	if (fault == FAULT_NONE && n > LIMIT_ACCESS_LICENCES)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu acceptances, at most %d", where, n,
			      LIMIT_ACCESS_LICENCES);
	key->accepted = xcalloc(n + 1, sizeof(*key->accepted));
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		key->n_accepted = i + 1;
		fault = get_acceptance(json_array_get(array, i), where, &key->accepted[i], why);
		for (size_t j = 0; fault == FAULT_NONE && j < i; j++)
			if (strcmp(key->accepted[i].licence, key->accepted[j].licence) == 0)
				return refuse(why, FAULT_JSON_MEMBER, "%s: licence %s accepted twice", where,
					      key->accepted[i].licence);
	}
	return fault;
}

static enum fault get_grants(const json_t *object, const char *where, struct access_key *key, struct refusal *why)
{
	json_t *datasets = NULL, *views = NULL;
	enum fault fault;

	if ((fault = json_get_array(object, where, "datasets", true, &datasets, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, where, "views", true, &views, why)) != FAULT_NONE ||
	    (fault = json_get_bool(object, where, "operations", true, &key->operations, why)) != FAULT_NONE ||
	    (fault = access_names_parse(datasets, where, "dataset", LIMIT_ROLES, &key->datasets, why)) != FAULT_NONE)
		return fault;
	return access_names_parse(views, where, "view", LIMIT_ACCESS_VIEWS, &key->views, why);
}

static enum fault get_application(const json_t *object, const char *where, struct access_key *key, struct refusal *why)
{
	const char *name = NULL;
	enum fault fault;

	if (json_is_null(json_object_get(object, "application")))
		return FAULT_NONE;
	if ((fault = json_get_text(object, where, "application", true, &name, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(name) || !text_copy(key->application, sizeof(key->application), name))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"application\" is no name", where);
	return FAULT_NONE;
}

static enum fault get_key(const json_t *object, struct access_key *key, struct refusal *why)
{
	static const char *const allowed[] = {"id",       "sha256", "owner",    "application", "operator",
					      "date",     "until",  "revoked",  "reason",      "replaces",
					      "datasets", "views",  "accepted", "operations",  NULL};
	const char *where = "a key";
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_number(object, where, "id", false, &key->number, why)) != FAULT_NONE ||
	    (fault = get_hash(object, where, &key->sha256, why)) != FAULT_NONE ||
	    (fault = get_text(object, where, "owner", false, &key->owner, why)) != FAULT_NONE ||
	    (fault = get_application(object, where, key, why)) != FAULT_NONE ||
	    (fault = get_text(object, where, "operator", false, &key->operator, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "date", false, &key->date, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "until", true, &key->until, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "revoked", true, &key->revoked, why)) != FAULT_NONE ||
	    (fault = get_text(object, where, "reason", true, &key->reason, why)) != FAULT_NONE ||
	    (fault = get_number(object, where, "replaces", true, &key->replaces, why)) != FAULT_NONE ||
	    (fault = get_grants(object, where, key, why)) != FAULT_NONE)
		return fault;
	return get_accepted(object, where, key, why);
}

static enum fault get_keys(const json_t *array, struct access_keys *keys, struct refusal *why)
{
	size_t n = json_array_size(array);
	enum fault fault = FAULT_NONE;

	if (n > LIMIT_ACCESS_KEYS)
		return refuse(why, FAULT_JSON_MEMBER, "%zu keys, at most %d", n, LIMIT_ACCESS_KEYS);
	keys->items = xcalloc(n + 1, sizeof(*keys->items));
	for (size_t i = 0; i < n; i++) {
		keys->n_items = i + 1;
		if ((fault = get_key(json_array_get(array, i), &keys->items[i], why)) != FAULT_NONE)
			return fault;
		if (i > 0 && keys->items[i - 1].number >= keys->items[i].number)
			return refuse(why, FAULT_JSON_MEMBER, "key k%u is not behind k%u", keys->items[i].number,
				      keys->items[i - 1].number);
	}
	return FAULT_NONE;
}

enum fault access_keys_parse(const void *data, size_t size, struct access_keys **ret_keys, struct refusal *why)
{
	static const char *const allowed[] = {"format", "keys", NULL};
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(access_keys_freep) struct access_keys *keys = xcalloc(1, sizeof(*keys));
	json_t *array = NULL;
	enum fault fault;

	if ((fault = json_parse(data, size, LIMIT_JSON_SIZE, &root, why)) != FAULT_NONE ||
	    (fault = json_format(root, "keys", "clapet keys", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, "keys", allowed, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, "keys", "keys", true, &array, why)) != FAULT_NONE ||
	    (fault = get_keys(array, keys, why)) != FAULT_NONE)
		return fault;
	*ret_keys = steal_pointer(&keys);
	return FAULT_NONE;
}

enum fault access_keys_load(int store_fd, struct access_keys **ret_keys, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = store_load_document(store_fd, DOCUMENT_KEYS, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT) {
		*ret_keys = xcalloc(1, sizeof(**ret_keys));
		return FAULT_NONE;
	}
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "decisions/keys.json: %s", strerror(-r));
	if (access_keys_parse(data, size, ret_keys, why) == FAULT_NONE)
		return FAULT_NONE;
	refuse_within(why, "decisions/keys.json");
	if (why != NULL)
		why->fault = FAULT_STORE_DAMAGED;
	return FAULT_STORE_DAMAGED;
}

/* --- to JSON ----------------------------------------------------------------------------------------------------------------- */

static json_t *time_or_null(int64_t time)
{
	return time == 0 ? json_null() : json_time(time);
}

static json_t *accepted_to_json(const struct access_key *key)
{
	json_t *array = json_or_die(json_array());

	for (size_t i = 0; i < key->n_accepted; i++) {
		const struct access_acceptance *item = &key->accepted[i];

		json_array_append_new(array,
				      json_or_die(json_pack("{ss so so so}", "licence", item->licence, "sha256",
							    json_hash(&item->sha256), "by", verdict_text(item->by),
							    "date", json_time(item->date))));
	}
	return array;
}

static json_t *key_to_json(const struct access_key *key)
{
	char id[ACCESS_KEY_ID_SIZE], replaces[ACCESS_KEY_ID_SIZE];

	access_key_id(key, id);
	snprintf(replaces, sizeof(replaces), "k%u", key->replaces);
	return json_or_die(json_pack("{ss so so so so so so so so so so so sb so}", "id", id, "sha256",
				     json_hash(&key->sha256), "owner", verdict_text(key->owner), "application",
				     key->application[0] == '\0' ? json_null() : json_string(key->application),
				     "operator", verdict_text(key->operator), "date", json_time(key->date), "until",
				     time_or_null(key->until), "revoked", time_or_null(key->revoked), "reason",
				     verdict_text(key->reason), "replaces",
				     key->replaces == 0 ? json_null() : json_string(replaces), "datasets",
				     access_names_to_json(&key->datasets), "views", access_names_to_json(&key->views),
				     "operations", (int)key->operations, "accepted", accepted_to_json(key)));
}

json_t *access_keys_to_json(const struct access_keys *keys)
{
	json_t *array = json_or_die(json_array());

	for (size_t i = 0; i < keys->n_items; i++)
		json_array_append_new(array, key_to_json(&keys->items[i]));
	return json_or_die(json_pack("{ss so}", "format", "clapet keys 1", "keys", array));
}
