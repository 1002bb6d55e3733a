/* SPDX-License-Identifier: ISC
 *
 * serve_console: see serve_console.h. The list; one dataset is serve_console_dataset.c's, the pages for operators serve_console_operators.c's.
 */
#include "inside/serve_console.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/serve_console_private.h"

/* --- what all pages have ------------------------------------------------------------------------------------------------ */

/* The query without lang, and without what was not given. New text. */
static char *query_of(const struct serve_request *request)
{
	char *query = NULL;
	size_t size;
	FILE *file = open_memstream(&query, &size);

	if (file == NULL)
		die("out of memory");
	for (size_t i = 0; i < request->n_params; i++) {
		const struct serve_param *param = &request->params[i];

		if (strcmp(param->name, "lang") == 0 || param->value[0] == '\0')
			continue;
		if (ftell(file) > 0)
			putc('&', file);
		console_url(file, param->name);
		putc('=', file);
		console_url(file, param->value);
	}
	if (fclose(file) != 0)
		die("out of memory");
	return query;
}

const char *serve_console_param(const struct serve_request *request, const char *name)
{
	const char *value = serve_param(request, name);

	return value == NULL ? "" : value;
}

void serve_console_begin(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			 const char *path, struct serve_console_call *ret_call)
{
	const struct serve_config *config = &serve->config->serve;
	const char *lang = serve_param(request, "lang");
	struct console_page page = {.is_operator = request->is_operator,
				    .site = config->title == NULL ? "" : config->title,
				    .base = request->base,
				    .view = request->view == NULL ? "" : request->view,
				    .generation = request->generation,
				    .current = set->generation,
				    .path = path,
				    .now = serve_now()};
	struct serve_console_call *call = ret_call;

	*call = (struct serve_console_call){.page = page};
	call->page.language = console_language_choose(lang, request->accept_language);
	call->page.is_chosen = lang != NULL && strcmp(lang, console_language_tag(call->page.language)) == 0;
	call->query = query_of(request);
	call->page.query = call->query;
	call->page.file = open_memstream(&call->text, &call->size);
	if (call->page.file == NULL)
		die("out of memory");
}

void serve_console_end(struct serve_console_call *call, struct serve_reply *reply)
{
	if (fclose(call->page.file) != 0)
		die("out of memory");
	/* Ages go on while nothing changes, and the language is negotiated. */
	serve_reply_volatile(reply);
	serve_reply_header(reply, "Content-Language", console_language_tag(call->page.language));
	serve_reply_text(reply, 200, "text/html; charset=utf-8", call->text, call->size);
	free(call->query);
}

/* --- searching ---------------------------------------------------------------------------------------------------------- */

/* The letter that the Latin-1 letter U+00C0 + INDEX is looked for as; 0: itself. */
static char plain_letter(unsigned index)
{
	static const char letters[] = "aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0\0aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0y";

	return letters[index];
}

/* TEXT in small letters without accents: "Région" is found by "region". New text. */
static char *fold(const char *text)
{
	char *folded = xmalloc(strlen(text) + 1), *to = folded;

	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		if (at[0] == 0xc3 && at[1] >= 0x80 && at[1] <= 0xbf && plain_letter(at[1] - 0x80U) != '\0') {
			*to++ = plain_letter(at[1] - 0x80U);
			at++;
		} else {
			*to++ = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
		}
	}
	*to = '\0';
	return folded;
}

static bool contains(const char *text, const char *folded_search)
{
	_cleanup_free_ char *folded = folded_search[0] == '\0' ? NULL : fold(text);

	return folded == NULL || strstr(folded, folded_search) != NULL;
}

static bool has_state(const struct console_row *row, const char *state)
{
	if (state[0] == '\0')
		return true;
	if (strcmp(state, "stale") == 0)
		return row->is_stale;
	if (strcmp(state, "inforce") == 0)
		return row->version[0] != '\0';
	if (strcmp(state, "refused") == 0)
		return strcmp(row->state, "refused") == 0 || strcmp(row->state, "trouble") == 0;
	return strcmp(row->state, state) == 0;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

/* The first licence that its generation's clapet.json names. */
static const char *licence_of(const json_t *entry)
{
	const char *licence = json_string_value(json_array_get(json_object_get(entry, "licences"), 0));

	return licence == NULL ? "" : licence;
}

static uint64_t rows_of(const json_t *entry)
{
	const json_t *resources = json_object_get(entry, "resources");
	uint64_t rows = 0;

	if (!json_is_array(resources))
		return CONSOLE_UNKNOWN;
	for (size_t i = 0; i < json_array_size(resources); i++)
		rows += (uint64_t)json_integer_value(json_object_get(json_array_get(resources, i), "rows"));
	return rows;
}

static void describe(const struct serve_console_call *call, const struct serve_reader *reader,
		     const struct serve_dataset *dataset, const json_t *status, struct console_row *row)
{
	*row = (struct console_row){.name = "",
				    .rows = CONSOLE_UNKNOWN,
				    .bytes = CONSOLE_UNKNOWN,
				    .state = "in force",
				    .title = "",
				    .version = "",
				    .date = "",
				    .licence = ""};
	if (status != NULL) {
		row->name = console_member(status, "name");
		row->title = console_member(status, "title");
		row->state = console_member(status, "state");
		row->is_stale = console_is_stale(status, call->page.now);
		row->is_pinned = json_is_object(json_object_get(status, "pin"));
		row->is_watched = json_integer_value(json_object_get(status, "maxAge")) > 0;
		row->checked = console_time_of(status, "lastChecked");
	}
	if (dataset == NULL)
		return;
	row->name = dataset->name;
	row->title = dataset->title;
	row->version = dataset->version;
	row->date = dataset->date;
	row->licence = licence_of(dataset->entry);
	if (serve_access_row_filter(reader, dataset->name, NULL, &(const char *){NULL}) == NULL)
		row->rows = rows_of(dataset->entry);
}

/* Status entries by name, for one walk beside the set's datasets. */
static int compare_entries(const void *a, const void *b)
{
	return strcmp(console_member(*(const json_t *const *)a, "name"),
		      console_member(*(const json_t *const *)b, "name"));
}

/* Every dataset that the reader may see, by name: those of the set, and, where it is the one in force, those of which nothing is. New array. */
static struct console_row *gather(const struct serve_console_call *call, const struct serve_set *set,
				  const struct serve_reader *reader, const json_t *status, size_t *ret_n)
{
	const json_t *datasets = json_object_get(status, "datasets");
	size_t n_entries = json_array_size(datasets), n = 0, i = 0, j = 0;
	bool is_sorted = true;
	_cleanup_free_ const json_t **entries = xcalloc(n_entries + 1, sizeof(*entries));
	struct console_row *rows = xcalloc(set->n_datasets + n_entries + 1, sizeof(*rows));

	for (size_t k = 0; k < n_entries; k++) {
		entries[k] = json_array_get(datasets, k);
		is_sorted = is_sorted && (k == 0 || compare_entries(&entries[k - 1], &entries[k]) <= 0);
	}
	if (!is_sorted)
		qsort(entries, n_entries, sizeof(*entries), compare_entries);
	while (i < set->n_datasets || j < n_entries) {
		const char *name = j < n_entries ? console_member(entries[j], "name") : "";
		int order = i == set->n_datasets ? 1 : j == n_entries ? -1 : strcmp(set->datasets[i]->name, name);
		const struct serve_dataset *dataset = order <= 0 ? set->datasets[i++] : NULL;
		const json_t *entry = order >= 0 ? entries[j++] : NULL;

		describe(call, reader, dataset, entry, &rows[n]);
		n += rows[n].name[0] != '\0' && serve_access_may_see(reader, rows[n].name);
	}
	*ret_n = n;
	return rows;
}

static void count(struct console_list *list, const struct console_row *row)
{
	list->n_all++;
	list->n_in_force += row->version[0] != '\0';
	list->n_held += strcmp(row->state, "held") == 0;
	list->n_missing += strcmp(row->state, "missing") == 0;
	list->n_refused += strcmp(row->state, "refused") == 0 || strcmp(row->state, "trouble") == 0;
	list->n_stale += row->is_stale;
}

static int compare_dates(const void *a, const void *b)
{
	const struct console_row *left = a, *right = b;
	int order = strcmp(right->date, left->date);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static int compare_rows(const void *a, const void *b)
{
	const struct console_row *left = a, *right = b;
	uint64_t left_rows = left->rows == CONSOLE_UNKNOWN ? 0 : left->rows,
		 right_rows = right->rows == CONSOLE_UNKNOWN ? 0 : right->rows;

	if (left_rows != right_rows)
		return left_rows < right_rows ? 1 : -1;
	return strcmp(left->name, right->name);
}

static size_t page_number(const char *text, size_t n_pages)
{
	size_t number = 0;

	for (; *text >= '0' && *text <= '9' && number <= n_pages; text++)
		number = number * 10 + (size_t)(*text - '0');
	return number < 1 ? 1 : number > n_pages ? n_pages : number;
}

/* What fits the search, in its order; the page that was asked for of it. ROWS is sorted in its place. */
static void choose(const struct serve_request *request, struct console_row *rows, size_t n, struct console_list *list)
{
	_cleanup_free_ char *search = fold(list->search);
	size_t n_matching = 0, first;

	for (size_t i = 0; i < n; i++) {
		count(list, &rows[i]);
		if (has_state(&rows[i], list->state) &&
		    (contains(rows[i].name, search) || contains(rows[i].title, search) ||
		     contains(rows[i].licence, search)))
			rows[n_matching++] = rows[i];
	}
	if (n_matching > 1 && strcmp(list->sort, "date") == 0)
		qsort(rows, n_matching, sizeof(*rows), compare_dates);
	if (n_matching > 1 && strcmp(list->sort, "rows") == 0)
		qsort(rows, n_matching, sizeof(*rows), compare_rows);
	list->n_matching = n_matching;
	list->n_pages = n_matching == 0 ? 1 : (n_matching + CONSOLE_PAGE_ROWS - 1) / CONSOLE_PAGE_ROWS;
	list->page = page_number(serve_console_param(request, "page"), list->n_pages);
	first = (list->page - 1) * CONSOLE_PAGE_ROWS;
	list->rows = rows + first;
	list->n_rows = n_matching - first > CONSOLE_PAGE_ROWS ? CONSOLE_PAGE_ROWS : n_matching - first;
}

/* Of those that are shown alone: it opens each version's folder. */
static void measure(const struct serve_set *set, struct console_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct serve_dataset *dataset = serve_set_dataset(set, rows[i].name);
		const struct serve_file *files;
		size_t n_files;

		if (dataset == NULL || rows[i].rows == CONSOLE_UNKNOWN)
			continue;
		files = serve_dataset_files(dataset, &n_files);
		rows[i].bytes = 0;
		for (size_t j = 0; j < n_files; j++)
			rows[i].bytes += files[j].size;
	}
}

void serve_console(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader, struct serve_reply *reply)
{
	_cleanup_(json_decrefp) json_t *status = request->generation == 0 ? serve_kept_status(serve) : NULL;
	struct console_list list = {.search = serve_console_param(request, "q"),
				    .state = serve_console_param(request, "state"),
				    .sort = serve_console_param(request, "sort"),
				    .created = set->created};
	_cleanup_free_ struct console_row *rows = NULL;
	struct serve_console_call call;
	size_t n;

	serve_console_begin(serve, request, set, "/", &call);
	console_judge(status, serve->config->heartbeat, serve->config->clock_skew, call.page.now, &list.health);
	rows = gather(&call, set, reader, status, &n);
	choose(request, rows, n, &list);
	measure(set, rows + (list.rows - rows), list.n_rows);
	console_write_list(&call.page, &list);
	serve_console_end(&call, reply);
}
