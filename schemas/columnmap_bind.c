/* SPDX-License-Identifier: ISC
 *
 * columnmap_bind: a published header against a map: which column gives which field, and what is left; see columnmap.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/columnmap_internal.h"
#include "schemas/labels.h"

static void use(struct columnmap_binding *binding, size_t column, enum columnmap_use how)
{
	if (binding->uses[column] == COLUMNMAP_LEFT || how == COLUMNMAP_TAKEN)
		binding->uses[column] = how;
}

/* The column of the first name that is there. Later names are spare where the line says them: the field's own name is
 * only meant where no other is there. */
static size_t find_column(struct columnmap_binding *binding, const struct columnmap_field *field,
			  const struct label *sorted)
{
	size_t found = field->has_default ? COLUMNMAP_DEFAULT : COLUMNMAP_MISSING;
	bool is_found = false;

	for (size_t i = 0; i < field->n_names; i++) {
		const struct label *label = labels_find(sorted, binding->n_labels, field->names[i]);

		if (label == NULL || (is_found && field->has_own && i + 1 == field->n_names))
			continue;
		use(binding, label->index, is_found ? COLUMNMAP_SPARE : COLUMNMAP_TAKEN);
		for (const struct label *again = label + 1;
		     again < sorted + binding->n_labels && strcmp(again->text, label->text) == 0; again++)
			use(binding, again->index, COLUMNMAP_REPEATED);
		found = is_found ? found : label->index;
		is_found = true;
	}
	return found;
}

static void bind_field(struct columnmap_binding *binding, const struct columnmap_field *field, size_t index,
		       const struct label *sorted)
{
	if (field->position == 0) {
		binding->columns[index] = find_column(binding, field, sorted);
	} else if (field->position <= binding->n_labels) {
		binding->columns[index] = field->position - 1;
		use(binding, field->position - 1, COLUMNMAP_TAKEN);
	} else {
		binding->columns[index] = field->has_default ? COLUMNMAP_DEFAULT : COLUMNMAP_MISSING;
	}
	binding->n_missing += binding->columns[index] == COLUMNMAP_MISSING;
}

static void settle_columns(struct columnmap_binding *binding, const struct columnmap *map)
{
	for (size_t i = 0; i < binding->n_labels; i++) {
		if (binding->uses[i] == COLUMNMAP_LEFT && (map->drops_all || columnmap_drops(map, binding->labels[i])))
			binding->uses[i] = COLUMNMAP_DROPPED;
		binding->n_left += binding->uses[i] == COLUMNMAP_LEFT;
		binding->n_repeated += binding->uses[i] == COLUMNMAP_REPEATED;
	}
}

struct columnmap_binding *columnmap_bind(const struct columnmap *map, const struct cell *labels, size_t n_labels)
{
	struct columnmap_binding *binding = xcalloc(1, sizeof(*binding));
	_cleanup_free_ struct label *sorted = NULL;

	binding->labels = xcalloc(n_labels + 1, sizeof(binding->labels[0]));
	binding->uses = xcalloc(n_labels + 1, sizeof(binding->uses[0]));
	binding->columns = xcalloc(map->n_fields, sizeof(binding->columns[0]));
	binding->n_labels = n_labels;
	for (size_t i = 0; i < n_labels; i++)
		binding->labels[i] = labels != NULL ? label_copy(&labels[i]) : xstrdup("");
	sorted = labels_sort(binding->labels, n_labels);
	for (size_t i = 0; i < map->n_fields; i++)
		bind_field(binding, &map->fields[i], i, sorted);
	settle_columns(binding, map);
	return binding;
}

void columnmap_binding_free(struct columnmap_binding *binding)
{
	if (binding == NULL)
		return;
	for (size_t i = 0; i < binding->n_labels; i++)
		free(binding->labels[i]);
	free(binding->labels);
	free(binding->uses);
	free(binding->columns);
	free(binding);
}

void columnmap_binding_freep(struct columnmap_binding **binding)
{
	columnmap_binding_free(*binding);
}

bool columnmap_fits(const struct columnmap_binding *binding)
{
	return binding->n_missing == 0 && binding->n_left == 0 && binding->n_repeated == 0;
}

/* --- in words ----------------------------------------------------------------------------------------------------- */

struct words {
	char *text;
	size_t size, n;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *words, const char *format, ...)
{
	va_list arguments;
	int n;

	if (words->n >= words->size)
		return;
	va_start(arguments, format);
	n = vsnprintf(words->text + words->n, words->size - words->n, format, arguments);
	va_end(arguments);
	words->n += n > 0 ? (size_t)n : 0;
}

char *columnmap_names(const struct columnmap *map, size_t index, char *text, size_t size)
{
	const struct columnmap_field *field = &map->fields[index];
	struct words words = {text, size, 0};

	text[0] = '\0';
	if (field->position > 0)
		say(&words, "column %zu", field->position);
	for (size_t i = 0; i < field->n_names; i++)
		say(&words, "%s\"%s\"", i > 0 ? ", " : "", field->names[i]);
	return text;
}

static void say_columns(struct words *words, const struct columnmap_binding *binding, enum columnmap_use how)
{
	const char *comma = "";

	for (size_t i = 0; i < binding->n_labels; i++) {
		if (binding->uses[i] != how)
			continue;
		if (binding->labels[i][0] != '\0')
			say(words, "%s\"%.*s\"", comma, 160, binding->labels[i]);
		else
			say(words, "%scolumn %zu", comma, i + 1);
		comma = ", ";
	}
}

enum fault columnmap_judge(const struct columnmap *map, const struct columnmap_binding *binding, struct refusal *why)
{
	char text[FAULT_LINE_SIZE * 2] = "", names[FAULT_LINE_SIZE];
	struct words words = {text, sizeof(text), 0};
	const char *comma = "";

	if (columnmap_fits(binding))
		return FAULT_NONE;
	if (binding->n_missing > 0)
		say(&words, "no column gives ");
	for (size_t i = 0; i < map->n_fields; i++) {
		if (binding->columns[i] != COLUMNMAP_MISSING)
			continue;
		say(&words, "%s%s (looked for %s)", comma, map->fields[i].name,
		    columnmap_names(map, i, names, sizeof(names)));
		comma = ", ";
	}
	if (binding->n_repeated > 0) {
		say(&words, "%scolumns of one name, which a line takes: ", words.n > 0 ? "; " : "");
		say_columns(&words, binding, COLUMNMAP_REPEATED);
	}
	if (binding->n_left > 0) {
		say(&words, "%sneither taken nor dropped: ", words.n > 0 ? "; " : "");
		say_columns(&words, binding, COLUMNMAP_LEFT);
	}
	return refuse(why, FAULT_COLUMNS, "the map (FORMAT.md 23) does not fit the columns: %s", text);
}
