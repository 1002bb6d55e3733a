/* SPDX-License-Identifier: ISC
 *
 * columnmap_propose: lines that a steward may want, by the names of what does not fit; see columnmap.h. A person looks at them before
 * they are pasted: a name that is alike is no proof.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/columnmap_internal.h"
#include "schemas/field.h"
#include "schemas/fold.h"

/* What of two names must be the same where one contains the other. */
#define NEAR_SIZE 4

/* NAME without case, accents, punctuation, blanks and byte order marks; "" where it has no letter or digit, or is too long. */
static void fold_name(const char *name, char folded[FOLD_SIZE])
{
	static const struct fold_options options = {true, true, true, true};
	size_t n = 0;

	if (!fold(&options, name, strlen(name), folded))
		folded[0] = '\0';
	for (const char *p = folded; *p != '\0'; p++) {
		if (strncmp(p, "\xef\xbb\xbf", 3) == 0)
			p += 2;
		else if (((unsigned char)*p & 0x80) != 0 || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z'))
			folded[n++] = *p;
	}
	folded[n] = '\0';
}

static bool is_alike(const char *a, const char *b, bool is_near)
{
	size_t shorter = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	if (!is_near)
		return a[0] != '\0' && strcmp(a, b) == 0;
	return shorter >= NEAR_SIZE && (strstr(a, b) != NULL || strstr(b, a) != NULL);
}

struct proposal {
	const struct columnmap *map;
	const struct schema *schema;
	const struct columnmap_binding *binding;
	json_t *lines;
	char (*labels)[FOLD_SIZE]; /* folded */
	bool *is_given;            /* of each column: a line takes or drops it now */
	bool *is_missing;          /* of each field */
};

/* The only column left whose name is like NAME's; its number, or the number of columns. */
static size_t find_like(const struct proposal *proposal, const char *name, bool is_near)
{
	size_t found = proposal->binding->n_labels;
	char folded[FOLD_SIZE];

	fold_name(name, folded);
	for (size_t i = 0; i < proposal->binding->n_labels; i++) {
		if (proposal->binding->uses[i] != COLUMNMAP_LEFT || proposal->is_given[i] ||
		    !is_alike(folded, proposal->labels[i], is_near))
			continue;
		if (found < proposal->binding->n_labels)
			return proposal->binding->n_labels;
		found = i;
	}
	return found;
}

/* The line of a field, a new one if it has none. */
static json_t *field_line(struct proposal *proposal, const char *name)
{
	json_t *line;
	size_t i;

	json_array_foreach(proposal->lines, i, line)
	{
		const char *field = json_string_value(json_object_get(line, "field"));

		if (field != NULL && strcmp(field, name) == 0)
			return line;
	}
	line = json_or_die(json_pack("{s:s}", "field", name));
	json_array_append_new(proposal->lines, line);
	return line;
}

/* The newest name first; names that came before stay good for older files. */
static void add_name(json_t *line, const char *key, const char *label, bool is_first)
{
	json_t *before = json_object_get(line, key), *names;

	if (before == NULL) {
		json_object_set_new(line, key, json_or_die(json_string(label)));
		return;
	}
	names = json_is_array(before) ? json_deep_copy(before) : json_pack("[O]", before);
	json_array_insert_new(json_or_die(names), is_first ? 0 : json_array_size(names),
			      json_or_die(json_string(label)));
	if (is_first && json_array_size(names) > LIMIT_MAP_NAMES)
		json_array_remove(names, LIMIT_MAP_NAMES);
	json_object_set_new(line, key, names);
}

static bool may_be_empty(const struct schema *schema, const struct field *field)
{
	struct value_scratch scratch;

	for (size_t i = 0; i < schema->primary_key.n_columns; i++) {
		if (strcmp(schema->primary_key.columns[i], field->name) == 0)
			return false;
	}
	if (field_is_missing(field, "", 0))
		return !field->required;
	return field_check(field, "", 0, &scratch, NULL) == 0;
}

static void propose_columns(struct proposal *proposal, bool is_near)
{
	for (size_t i = 0; i < proposal->schema->n_fields; i++) {
		const char *name = proposal->schema->fields[i]->name;
		size_t column;

		if (!proposal->is_missing[i] || proposal->map->fields[i].position > 0)
			continue;
		column = find_like(proposal, name, is_near);
		if (column == proposal->binding->n_labels)
			continue;
		add_name(field_line(proposal, name), "from", proposal->binding->labels[column], true);
		proposal->is_given[column] = true;
		proposal->is_missing[i] = false;
	}
}

static void propose_defaults(struct proposal *proposal)
{
	for (size_t i = 0; i < proposal->schema->n_fields; i++) {
		const struct field *field = proposal->schema->fields[i];

		if (proposal->is_missing[i] && may_be_empty(proposal->schema, field))
			json_object_set_new(field_line(proposal, field->name), "default", json_or_die(json_string("")));
	}
}

static void propose_drops(struct proposal *proposal)
{
	json_t *drops = NULL, *line;
	size_t i;

	json_array_foreach(proposal->lines, i, line)
	{
		if (drops == NULL && json_object_get(line, "drop") != NULL)
			drops = line;
	}
	for (i = 0; i < proposal->binding->n_labels; i++) {
		if (proposal->binding->uses[i] != COLUMNMAP_LEFT || proposal->is_given[i])
			continue;
		if (drops == NULL) {
			drops = json_or_die(json_object());
			json_array_append_new(proposal->lines, drops);
		}
		add_name(drops, "drop", proposal->binding->labels[i], false);
		for (size_t j = i; j < proposal->binding->n_labels; j++)
			proposal->is_given[j] |= strcmp(proposal->binding->labels[j], proposal->binding->labels[i]) ==
						 0;
	}
}

json_t *columnmap_propose(const struct columnmap *map, const struct schema *schema,
			  const struct columnmap_binding *binding)
{
	struct proposal proposal = {.map = map, .schema = schema, .binding = binding};
	_cleanup_free_ void *labels = xcalloc(binding->n_labels + 1, FOLD_SIZE);
	_cleanup_free_ bool *is_given = xcalloc(binding->n_labels + 1, sizeof(*is_given));
	_cleanup_free_ bool *is_missing = xcalloc(schema->n_fields, sizeof(*is_missing));

	proposal.lines = json_or_die(map->json != NULL ? json_deep_copy(map->json) : json_array());
	proposal.labels = labels;
	proposal.is_given = is_given;
	proposal.is_missing = is_missing;
	for (size_t i = 0; i < binding->n_labels; i++)
		fold_name(binding->labels[i], proposal.labels[i]);
	for (size_t i = 0; i < schema->n_fields; i++)
		is_missing[i] = binding->columns[i] == COLUMNMAP_MISSING;
	propose_columns(&proposal, false);
	propose_columns(&proposal, true);
	propose_defaults(&proposal);
	propose_drops(&proposal);
	return proposal.lines;
}
