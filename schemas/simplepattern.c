/* SPDX-License-Identifier: ISC
 *
 * simplepattern: see simplepattern.h. A pattern becomes a few sequences of sets of ASCII characters, one set a character.
 */
#include "schemas/simplepattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define SEQUENCES_MAX 8
#define LENGTH_MAX 40

struct sequence {
	size_t length;
	struct character_set sets[LENGTH_MAX];
};

struct simple_pattern {
	size_t n_sequences;
	struct sequence sequences[SEQUENCES_MAX];
};

struct cursor {
	const char *p, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Stands for itself behind a backslash. */
static bool is_punctuation(char c)
{
	return c > ' ' && c < 0x7f && !is_digit(c) && !is_letter(c);
}

/* Stands for itself outside a class. */
static bool is_literal(char c)
{
	return c == ' ' || is_digit(c) || is_letter(c) || (is_punctuation(c) && strchr("\\^$.[]|()?*+{}", c) == NULL);
}

static void set_range(struct character_set *set, char first, char last)
{
	for (int c = first; c <= last; c++)
		set->bits[c >> 6] |= 1ULL << (c & 63);
}

/* What follows a backslash: a digit's class, or one character, which is in *RET_CHARACTER (else NUL). */
static bool take_escape(struct cursor *c, struct character_set *set, char *ret_character)
{
	*ret_character = '\0';
	if (c->p == c->end)
		return false;
	if (*c->p == 'd')
		set_range(set, '0', '9');
	else if (is_punctuation(*c->p))
		set_range(set, *c->p, *ret_character = *c->p);
	else
		return false;
	c->p++;
	return true;
}

/* Behind "[", with its "]". Characters, ranges of letters or digits, escapes. */
static bool take_class(struct cursor *c, struct character_set *set)
{
	const char *start = c->p;
	char ignored;

	for (; c->p < c->end && *c->p != ']'; c->p++) {
		bool is_end = c->p == start || (c->p + 1 < c->end && c->p[1] == ']');

		if (*c->p == '\\') {
			c->p++;
			if (!take_escape(c, set, &ignored))
				return false;
			c->p--;
		} else if ((is_digit(*c->p) || is_letter(*c->p)) && c->end - c->p > 2 && c->p[1] == '-' &&
			   c->p[2] != ']') {
			if (!(is_digit(c->p[2]) || is_letter(c->p[2])) || c->p[2] < *c->p)
				return false;
			set_range(set, *c->p, c->p[2]);
			c->p += 2;
		} else if (*c->p == '-'
				   ? is_end
				   : *c->p != '[' && *c->p != '^' && (is_punctuation(*c->p) || is_literal(*c->p))) {
			set_range(set, *c->p, *c->p);
		} else {
			return false;
		}
	}
	if (c->p == c->end || c->p == start)
		return false;
	c->p++;
	return true;
}

/* "{n}", or nothing. */
static bool take_count(struct cursor *c, size_t *ret_n)
{
	size_t n = 0;

	*ret_n = 1;
	if (c->p == c->end || *c->p != '{')
		return true;
	for (c->p++; c->p < c->end && is_digit(*c->p) && n <= LENGTH_MAX; c->p++)
		n = n * 10 + (size_t)(*c->p - '0');
	if (c->p == c->end || *c->p != '}' || c->p[-1] == '{')
		return false;
	c->p++;
	*ret_n = n;
	return true;
}

/* One kind of character and how many; *RET_TAKEN is false where something else stands. */
static bool take_item(struct cursor *c, struct sequence *sequence, bool *ret_taken)
{
	struct character_set set = {{0, 0}};
	char ignored;
	size_t n;

	*ret_taken = false;
	if (c->p == c->end || (*c->p != '\\' && *c->p != '[' && !is_literal(*c->p)))
		return true;
	*ret_taken = true;
	if (*c->p == '\\') {
		c->p++;
		if (!take_escape(c, &set, &ignored))
			return false;
	} else if (*c->p == '[') {
		c->p++;
		if (!take_class(c, &set))
			return false;
	} else {
		set_range(&set, *c->p, *c->p);
		c->p++;
	}
	if (!take_count(c, &n) || n > LENGTH_MAX - sequence->length)
		return false;
	for (; n > 0; n--)
		sequence->sets[sequence->length++] = set;
	return true;
}

static bool take_items(struct cursor *c, struct sequence *sequence)
{
	bool taken = true;

	sequence->length = 0;
	while (taken) {
		if (!take_item(c, sequence, &taken))
			return false;
	}
	return true;
}

/* Each sequence so far, followed by each of the alternatives. */
static bool multiply(struct simple_pattern *pattern, const struct simple_pattern *group)
{
	struct simple_pattern product = {0};

	if (pattern->n_sequences * group->n_sequences > SEQUENCES_MAX)
		return false;
	for (size_t i = 0; i < pattern->n_sequences * group->n_sequences; i++) {
		const struct sequence *head = &pattern->sequences[i / group->n_sequences];
		const struct sequence *tail = &group->sequences[i % group->n_sequences];
		struct sequence *both = &product.sequences[product.n_sequences++];

		if (head->length + tail->length > LENGTH_MAX)
			return false;
		*both = *head;
		memcpy(both->sets + head->length, tail->sets, tail->length * sizeof(tail->sets[0]));
		both->length += tail->length;
	}
	*pattern = product;
	return true;
}

/* Behind "(", with its ")". A count behind it is not for us: what follows is then no item, and no end. */
static bool take_group(struct cursor *c, struct simple_pattern *group)
{
	if (c->end - c->p >= 2 && c->p[0] == '?' && c->p[1] == ':')
		c->p += 2;
	do {
		if (group->n_sequences == SEQUENCES_MAX || !take_items(c, &group->sequences[group->n_sequences++]))
			return false;
	} while (c->p < c->end && *c->p++ == '|');
	return c->p[-1] == ')';
}

static bool take_pattern(struct cursor *c, struct simple_pattern *pattern)
{
	pattern->n_sequences = 1;
	if (c->p < c->end && *c->p == '^')
		c->p++;
	while (c->p < c->end && !(*c->p == '$' && c->p + 1 == c->end)) {
		struct simple_pattern part = {0};

		if (*c->p == '(') {
			c->p++;
			if (!take_group(c, &part))
				return false;
		} else {
			const char *start = c->p;

			part.n_sequences = 1;
			if (!take_items(c, &part.sequences[0]) || c->p == start)
				return false;
		}
		if (!multiply(pattern, &part))
			return false;
	}
	return true;
}

struct simple_pattern *simple_pattern_new(const char *pattern, size_t size)
{
	struct simple_pattern *simple = xcalloc(1, sizeof(*simple));
	struct cursor c = {pattern, pattern + size};

	if (take_pattern(&c, simple))
		return simple;
	free(simple);
	return NULL;
}

void simple_pattern_free(struct simple_pattern *pattern)
{
	free(pattern);
}

static bool is_of(const struct sequence *sequence, const char *text)
{
	for (size_t i = 0; i < sequence->length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80 || (sequence->sets[i].bits[c >> 6] >> (c & 63) & 1) == 0)
			return false;
	}
	return true;
}

bool simple_pattern_matches(const struct simple_pattern *pattern, const char *text, size_t size)
{
	for (size_t i = 0; i < pattern->n_sequences; i++) {
		if (pattern->sequences[i].length == size && is_of(&pattern->sequences[i], text))
			return true;
	}
	return false;
}

size_t simple_pattern_n_sequences(const struct simple_pattern *pattern)
{
	return pattern->n_sequences;
}

size_t simple_pattern_sequence(const struct simple_pattern *pattern, size_t i, const struct character_set **ret_sets)
{
	*ret_sets = pattern->sequences[i].sets;
	return pattern->sequences[i].length;
}
