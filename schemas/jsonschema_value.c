/* SPDX-License-Identifier: ISC
 *
 * jsonschema, values: equal, ordered, multiples, without a repetition.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/jsonschema_internal.h"

/* Past this every double is a whole number. */
#define WHOLE_DOUBLES 9007199254740992.0

/* A long double holds every integer and every double. */
static long double number_of(const json_t *number)
{
	return json_is_integer(number) ? (long double)json_integer_value(number) : (long double)json_real_value(number);
}

int json_compare_numbers(const json_t *a, const json_t *b)
{
	long double x = number_of(a), y = number_of(b);

	return (x > y) - (x < y);
}

static bool is_whole(double number)
{
	return number >= WHOLE_DOUBLES || number <= -WHOLE_DOUBLES || (double)(int64_t)number == number;
}

bool json_is_of_type(const json_t *value, const char *type)
{
	if (strcmp(type, "integer") == 0)
		return json_is_integer(value) || (json_is_real(value) && is_whole(json_real_value(value)));
	if (strcmp(type, "number") == 0)
		return json_is_number(value);
	if (strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "object") == 0)
		return json_is_object(value);
	if (strcmp(type, "array") == 0)
		return json_is_array(value);
	return json_is_null(value);
}

/* Exactly, of numbers above 0; as fmod() has it. */
static double remainder_of(double number, double by)
{
	double step = by;

	while (step * 2 <= number)
		step *= 2;
	for (; step >= by; step /= 2) {
		if (number >= step)
			number -= step;
	}
	return number;
}

bool json_is_multiple(const json_t *value, const json_t *divisor)
{
	double number = json_number_value(value), by = json_number_value(divisor), quotient = number / by;
	char whole[64], written[64];

	if (json_is_integer(value) && json_is_integer(divisor))
		return json_integer_value(value) % json_integer_value(divisor) == 0;
	/* Past 15 digits a rounded quotient says nothing: the binary numbers count, or parts of 1 (0.01). */
	if (!(quotient < 1e15 && quotient > -1e15))
		return (is_whole(1 / by) && is_whole(number)) || remainder_of(number < 0 ? -number : number, by) == 0;
	quotient = (double)(int64_t)(quotient + (quotient < 0 ? -0.5 : 0.5));
	snprintf(whole, sizeof(whole), "%.15g", quotient * by + 0.0);
	snprintf(written, sizeof(written), "%.15g", number + 0.0);
	return strcmp(whole, written) == 0;
}

static bool objects_are_equal(struct json_run *run, json_t *a, const json_t *b)
{
	const char *key;
	json_t *member;

	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach(a, key, member)
	{
		const json_t *other = json_object_get(b, key);

		if (other == NULL || !json_value_equal(run, member, other))
			return false;
	}
	return true;
}

bool json_value_equal(struct json_run *run, const json_t *a, const json_t *b)
{
	if (++run->n_steps > LIMIT_JSON_SCHEMA_STEPS)
		return false;
	if (json_is_number(a) && json_is_number(b))
		return json_compare_numbers(a, b) == 0;
	if (json_typeof(a) != json_typeof(b))
		return false;
	if (json_is_object(a))
		return objects_are_equal(run, (json_t *)(uintptr_t)a, b);
	if (!json_is_array(a))
		return json_equal(a, b);
	if (json_array_size(a) != json_array_size(b))
		return false;
	for (size_t i = 0; i < json_array_size(a); i++) {
		if (!json_value_equal(run, json_array_get(a, i), json_array_get(b, i)))
			return false;
	}
	return true;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

/* Equal values have equal hashes; whoever makes others collide runs into the bound of steps. */
static uint64_t hash_value(struct json_run *run, const json_t *value)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	const char *key;
	json_t *member;

	if (++run->n_steps > LIMIT_JSON_SCHEMA_STEPS)
		return 0;
	if (json_is_number(value)) {
		double number = json_number_value(value) + 0.0;

		return mix(hash, &number, sizeof(number));
	}
	if (json_is_string(value))
		return mix(hash + 1, json_string_value(value), json_string_length(value));
	if (json_is_array(value)) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			uint64_t item = hash_value(run, json_array_get(value, i));

			hash = mix(hash + 2, &item, sizeof(item));
		}
		return hash;
	}
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		uint64_t one = hash_value(run, member);

		hash += mix(mix(0xcbf29ce484222325ULL, key, strlen(key)), &one, sizeof(one));
	}
	return hash + (uint64_t)json_typeof(value);
}

struct hashed {
	uint64_t hash;
	const json_t *value;
};

static int compare_hashed(const void *a, const void *b)
{
	uint64_t x = ((const struct hashed *)a)->hash, y = ((const struct hashed *)b)->hash;

	return (x > y) - (x < y);
}

bool json_values_are_unique(struct json_run *run, const json_t *array)
{
	size_t n = json_array_size(array);
	struct hashed *items;
	bool are_unique = true;

	if (n < 2)
		return true;
	items = xcalloc(n, sizeof(items[0]));
	for (size_t i = 0; i < n; i++)
		items[i] = (struct hashed){hash_value(run, json_array_get(array, i)), json_array_get(array, i)};
	qsort(items, n, sizeof(items[0]), compare_hashed);
	for (size_t i = 0; are_unique && i + 1 < n && run->n_steps <= LIMIT_JSON_SCHEMA_STEPS; i++) {
		for (size_t j = i + 1; are_unique && j < n && items[j].hash == items[i].hash; j++) {
			are_unique = !json_value_equal(run, items[i].value, items[j].value);
			if (run->n_steps > LIMIT_JSON_SCHEMA_STEPS)
				break;
		}
	}
	free(items);
	return are_unique;
}
