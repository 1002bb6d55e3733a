/* SPDX-License-Identifier: ISC
 *
 * personal: see personal.h: names, values, and what is said of both.
 */
#include "schemas/personal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/fold.h"
#include "schemas/french.h"

static const struct {
	const char *name, *rule;
	unsigned share;
} kinds[PERSONAL_N] = {
	[PERSONAL_NIR] = {"nir", "personal-nir", PERSONAL_SHARE_NIR},
	[PERSONAL_EMAIL] = {"email", "personal-email", PERSONAL_SHARE_EMAIL},
	[PERSONAL_TELEPHONE] = {"telephone", "personal-telephone", PERSONAL_SHARE_TELEPHONE},
};

const char *personal_kind_name(enum personal_kind kind)
{
	return kinds[kind].name;
}

const char *personal_kind_rule(enum personal_kind kind)
{
	return kinds[kind].rule;
}

/* --- names
 * ------------------------------------------------------------------------------------------------------------ */

/* A name in words: lower case, without accents, one blank before each word and one behind the last: " n securite sociale ". */
static bool to_words(const char *name, char words[2 * FOLD_SIZE])
{
	static const struct fold_options plain = {.ignore_accents = true};
	char folded[FOLD_SIZE];
	size_t n = 0;
	bool is_in_word = false, was_lower = false;

	if (!fold(&plain, name, strlen(name), folded))
		return false;
	for (const char *c = folded; *c != '\0'; c++) {
		bool is_upper = *c >= 'A' && *c <= 'Z', is_lower = *c >= 'a' && *c <= 'z';

		/* "telFixe" is two words. */
		if ((is_upper || is_lower) && (!is_in_word || (is_upper && was_lower)))
			words[n++] = ' ';
		if (is_upper || is_lower)
			words[n++] = is_upper ? (char)(*c - 'A' + 'a') : *c;
		is_in_word = is_upper || is_lower;
		was_lower = is_lower;
	}
	words[n++] = ' ';
	words[n] = '\0';
	return true;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
		if (at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

static bool has_any(const char *words, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++)
		if (has_word(words, list[i]))
			return true;
	return false;
}

bool personal_is_named(enum personal_kind kind, const char *name)
{
	static const char *const nir[] = {"nir",
					  "nss",
					  "securite sociale",
					  "secu sociale",
					  "num secu",
					  "numero secu",
					  "no secu",
					  "n secu",
					  "numsecu",
					  "numerosecuritesociale",
					  "numsecuritesociale",
					  "nosecuritesociale",
					  NULL};
	static const char *const email[] = {"email",       "emails",          "mail",      "mails",
					    "mel",         "courriel",        "courriels", "adresse electronique",
					    "adressemail", "adressecourriel", NULL};
	static const char *const telephone[] = {
		"tel",         "tels",  "telephone",       "telephones",    "phone",           "phones",  "gsm",
		"numtel",      "notel", "numerotelephone", "telephonefixe", "telephonemobile", "telfixe", "telmobile",
		"telportable", NULL};
	static const char *const *const lists[PERSONAL_N] = {nir, email, telephone};
	char words[2 * FOLD_SIZE];

	return to_words(name, words) && has_any(words, lists[kind]);
}

/* --- values
 * ----------------------------------------------------------------------------------------------------------- */

static bool is_email(const char *text, size_t size)
{
	const char *at = memchr(text, '@', size), *end = text + size, *dot;

	if (at == NULL || size < 6 || size > 254 || at == text || memchr(at + 1, '@', (size_t)(end - at - 1)) != NULL)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] <= ' ' || strchr(",;()<>\"", text[i]) != NULL)
			return false;
	dot = memrchr(at, '.', (size_t)(end - at));
	return dot != NULL && dot > at + 1 && end - dot > 2;
}

/* Short numbers (15, 3949) and numbers without their first zero, which a SIREN looks like, are none here. */
static bool is_telephone(const char *text, size_t size)
{
	size_t n_digits = 0;

	if (size < 10 || size > 32 || (text[0] != '0' && text[0] != '+'))
		return false;
	for (size_t i = 0; i < size; i++)
		n_digits += text[i] >= '0' && text[i] <= '9';
	return n_digits >= 10 && french_phone(text, size) == NULL;
}

bool personal_looks_like(enum personal_kind kind, const char *text, size_t size)
{
	switch (kind) {
	case PERSONAL_NIR:
		return size >= 15 && size <= 32 && text[0] >= '1' && text[0] <= '8' && french_nir(text, size) == NULL;
	case PERSONAL_EMAIL:
		return is_email(text, size);
	case PERSONAL_TELEPHONE:
		return is_telephone(text, size);
	case PERSONAL_N:
		break;
	}
	return false;
}

bool personal_column_looks_like(const struct personal_column *column, enum personal_kind kind)
{
	return column->n_like[kind] > 0 && column->n_like[kind] * 100 >= column->n_cells * kinds[kind].share;
}

/* --- what may not be there
 * -------------------------------------------------------------------------------------------- */

static enum fault parse_forbidden(const json_t *list, const char *where, struct personal_policy *policy,
				  struct refusal *why)
{
	if (!json_is_array(list) || json_array_size(list) > LIMIT_FIELDS)
		return refuse(why, FAULT_JSON_MEMBER, "%s: forbiddenColumns is no list of at most %d", where,
			      LIMIT_FIELDS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || text[0] == '\0' || strlen(text) != json_string_length(json_array_get(list, i)))
			return refuse(
				why, FAULT_JSON_MEMBER,
				"%s: forbiddenColumns holds what is neither nir, email, telephone nor a column's name",
				where);
		for (size_t k = 0; k < i; k++)
			if (strcmp(json_string_value(json_array_get(list, k)), text) == 0)
				return refuse(why, FAULT_JSON_MEMBER, "%s: forbiddenColumns has \"%.80s\" twice", where,
					      text);
		for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++)
			policy->stops[kind] |= strcmp(text, kinds[kind].name) == 0;
	}
	policy->forbidden = list;
	return FAULT_NONE;
}

enum fault personal_policy_parse(const json_t *forbidden, const json_t *allowed, const char *where,
				 struct personal_policy *ret, struct refusal *why)
{
	json_t *reason;
	const char *column;

	*ret = (struct personal_policy){.forbidden = NULL};
	if (forbidden != NULL && parse_forbidden(forbidden, where, ret, why) != FAULT_NONE)
		return FAULT_JSON_MEMBER;
	if (allowed != NULL && !json_is_object(allowed))
		return refuse(why, FAULT_JSON_MEMBER, "%s: allowedColumns is no object of reasons", where);
	ret->allowed = allowed;
	json_object_foreach((json_t *)(uintptr_t)allowed, column, reason)
	{
		if (!json_is_string(reason) || json_string_length(reason) == 0)
			return refuse(why, FAULT_JSON_MEMBER, "%s: allowedColumns gives no reason for \"%.80s\"", where,
				      column);
		if (personal_policy_forbids(ret, column))
			return refuse(why, FAULT_JSON_MEMBER, "%s: \"%.80s\" is forbidden and allowed", where, column);
	}
	return FAULT_NONE;
}

const char *personal_policy_reason(const struct personal_policy *policy, const char *column)
{
	return json_string_value(json_object_get(policy->allowed, column));
}

static bool is_kind(const char *text)
{
	for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++)
		if (strcmp(text, kinds[kind].name) == 0)
			return true;
	return false;
}

bool personal_policy_forbids(const struct personal_policy *policy, const char *column)
{
	for (size_t i = 0; i < json_array_size(policy->forbidden); i++) {
		const char *name = json_string_value(json_array_get(policy->forbidden, i));

		if (!is_kind(name) && strcmp(name, column) == 0)
			return true;
	}
	return false;
}
