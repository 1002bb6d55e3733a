/* SPDX-License-Identifier: ISC
 *
 * accesskeys: asked: whose a key is that came over the network, and what it may read; and keys in memory.
 */
#include "inside/accesskeys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"

#define PREFIX "clapet_k"
#define SUM_SIZE 4

void access_key_clear(struct access_key *key)
{
	free(key->owner);
	free(key->operator);
	free(key->reason);
	access_names_clear(&key->datasets);
	access_names_clear(&key->views);
	for (size_t i = 0; i < key->n_accepted; i++)
		free(key->accepted[i].by);
	free(key->accepted);
	*key = (struct access_key){0};
}

void access_keys_free(struct access_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->n_items; i++)
		access_key_clear(&keys->items[i]);
	free(keys->items);
	free(keys);
}

void access_keys_freep(struct access_keys **keys)
{
	access_keys_free(*keys);
}

void access_key_id(const struct access_key *key, char id[ACCESS_KEY_ID_SIZE])
{
	snprintf(id, ACCESS_KEY_ID_SIZE, "k%u", key->number);
}

static int compare_keys(const void *a, const void *b)
{
	const struct access_key *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static struct access_key *find(const struct access_keys *keys, uint32_t number)
{
	struct access_key wanted = {.number = number};

	return keys->n_items == 0 ? NULL
				  : bsearch(&wanted, keys->items, keys->n_items, sizeof(*keys->items), compare_keys);
}

/* The digits at TEXT up to END: a number from 1 of at most nine, with no leading zero; 0: it is none. */
static uint32_t parse_number(const char *text, const char *end)
{
	uint32_t number = 0;

	if (end - text < 1 || end - text > 9 || text[0] == '0')
		return 0;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		number = number * 10 + (uint32_t)(*text - '0');
	}
	return number;
}

struct access_key *access_key_by_id(const struct access_keys *keys, const char *id)
{
	uint32_t number = id[0] == 'k' ? parse_number(id + 1, id + strlen(id)) : 0;

	return number == 0 ? NULL : find(keys, number);
}

enum fault access_keys_add(struct access_keys *keys, struct access_key *key, const struct access_key **ret_key,
			   struct refusal *why)
{
	struct access_key *added;

	if (keys->n_items >= LIMIT_ACCESS_KEYS)
		return refuse(why, FAULT_QUOTA, "%d keys are kept, and all are taken", LIMIT_ACCESS_KEYS);
	key->number = keys->n_items == 0 ? 1 : keys->items[keys->n_items - 1].number + 1;
	keys->items = xrealloc(keys->items, keys->n_items + 1, sizeof(*keys->items));
	added = &keys->items[keys->n_items++];
	*added = *key;
	*key = (struct access_key){0};
	*ret_key = added;
	return FAULT_NONE;
}

static struct access_acceptance *acceptance_of(const struct access_key *key, const char *licence)
{
	for (size_t i = 0; i < key->n_accepted; i++)
		if (strcmp(key->accepted[i].licence, licence) == 0)
			return &key->accepted[i];
	return NULL;
}

void access_key_accept(struct access_key *key, const struct access_licence *licence, const char *by, int64_t now)
{
	struct access_acceptance *acceptance = acceptance_of(key, licence->name);

	if (acceptance == NULL) {
		key->accepted = xrealloc(key->accepted, key->n_accepted + 1, sizeof(*key->accepted));
		acceptance = &key->accepted[key->n_accepted++];
		*acceptance = (struct access_acceptance){0};
		memcpy(acceptance->licence, licence->name, sizeof(acceptance->licence));
	}
	free(acceptance->by);
	acceptance->by = xstrdup(by);
	acceptance->sha256 = licence->sha256;
	acceptance->date = now;
}

bool access_key_is_live(const struct access_key *key, int64_t now)
{
	return key->revoked == 0 && (key->until == 0 || now < key->until);
}

/* --- the text ------------------------------------------------------------------------------------------------------------- */

/* The first bytes of the digest of all that stands before the sum. */
static void sum_of(const char *text, size_t length, char sum[2 * SUM_SIZE + 1])
{
	struct sha256 sha256;

	hash_bytes(text, length, &sha256);
	notation_hex(sha256.bytes, SUM_SIZE, sum);
}

void access_key_format(uint32_t number, const uint8_t secret[ACCESS_SECRET_SIZE], char text[ACCESS_KEY_TEXT_SIZE])
{
	size_t n = (size_t)snprintf(text, ACCESS_KEY_TEXT_SIZE, PREFIX "%u_", number);

	notation_hex(secret, ACCESS_SECRET_SIZE, text + n);
	n += 2 * (size_t)ACCESS_SECRET_SIZE;
	sum_of(text, n, text + n);
}

/* What TEXT says; the number 0 where it is no key. */
static uint32_t parse_text(const char *text, uint8_t secret[ACCESS_SECRET_SIZE])
{
	const size_t length = strlen(text), tail = 2 * ((size_t)ACCESS_SECRET_SIZE + SUM_SIZE);
	char digits[2 * ACCESS_SECRET_SIZE + 1], sum[2 * SUM_SIZE + 1];
	const char *end;
	uint32_t number;

	if (length >= ACCESS_KEY_TEXT_SIZE || length < strlen(PREFIX) + tail + 2 ||
	    strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	end = text + length - tail - 1;
	number = *end == '_' ? parse_number(text + strlen(PREFIX), end) : 0;
	memcpy(digits, end + 1, sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	sum_of(text, length - 2 * SUM_SIZE, sum);
	if (number == 0 || strcmp(sum, text + length - 2 * SUM_SIZE) != 0 ||
	    !notation_unhex(digits, secret, ACCESS_SECRET_SIZE))
		number = 0;
	explicit_bzero(digits, sizeof(digits));
	return number;
}

/* As long whatever they hold. What is compared are digests, of which a clock would tell nothing useful; it costs nothing either. */
static bool is_same(const struct sha256 *a, const struct sha256 *b)
{
	volatile uint8_t differ = 0;

	for (size_t i = 0; i < SHA256_SIZE; i++)
		differ = (uint8_t)(differ | (a->bytes[i] ^ b->bytes[i]));
	return differ == 0;
}

enum fault access_keys_find(const struct access_keys *keys, const char *text, int64_t now,
			    const struct access_key **ret_key, struct refusal *why)
{
	static const struct sha256 nobody;
	uint8_t secret[ACCESS_SECRET_SIZE];
	uint32_t number = parse_text(text, secret);
	const struct access_key *key;
	char until[NOTATION_TIME_SIZE];
	struct sha256 sha256;

	if (number == 0)
		return refuse(why, FAULT_ACCESS_KEY_FORM, "this is no key, or a key with a typing error in it");
	hash_bytes(secret, sizeof(secret), &sha256);
	explicit_bzero(secret, sizeof(secret));
	key = find(keys, number);
	if (!is_same(&sha256, key == NULL ? &nobody : &key->sha256) || key == NULL)
		return refuse(why, FAULT_ACCESS_KEY_UNKNOWN, "this key is not known here");
	if (key->revoked != 0)
		return refuse(why, FAULT_ACCESS_KEY_REVOKED, "key k%u was revoked", number);
	if (!access_key_is_live(key, now)) {
		notation_format_time(key->until, until);
		return refuse(why, FAULT_ACCESS_KEY_ENDED, "key k%u ended on %.10s", number, until);
	}
	*ret_key = key;
	return FAULT_NONE;
}

/* --- what it may read ------------------------------------------------------------------------------------------------------ */

static enum fault judge_licence(const struct access_licence *licence, const struct access_key *key, const char *name,
				struct refusal *why)
{
	const struct access_acceptance *acceptance = acceptance_of(key, licence->name);

	if (acceptance == NULL)
		return refuse(why, FAULT_ACCESS_LICENCE,
			      "%s is read under licence %s, which the owner of key k%u has not accepted", name,
			      licence->name, key->number);
	if (!sha256_equal(&acceptance->sha256, &licence->sha256))
		return refuse(why, FAULT_ACCESS_LICENCE,
			      "%s is read under licence %s, whose text changed since the owner of key k%u accepted it",
			      name, licence->name, key->number);
	return FAULT_NONE;
}

enum fault access_judge(const struct access_grade *grade, const struct access_key *key, bool is_view, const char *name,
			struct refusal *why)
{
	if (grade->kind == ACCESS_OPEN)
		return FAULT_NONE;
	if (key == NULL)
		return refuse(why, FAULT_ACCESS_KEY_NEEDED, "%s is read with a key", name);
	if (grade->kind == ACCESS_LICENCE)
		return judge_licence(grade->licence, key, name, why);
	if (access_names_has(is_view ? &key->views : &key->datasets, name))
		return FAULT_NONE;
	return refuse(why, FAULT_ACCESS_DENIED, "key k%u may not read %s %s", key->number, is_view ? "view" : "dataset",
		      name);
}
