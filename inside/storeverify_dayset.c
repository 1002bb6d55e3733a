/* SPDX-License-Identifier: ISC
 *
 * storeverify_dayset: the set that was in force on a past day, from the log or from the generations that are still here; and
 * the day as text and as JSON.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/storeverify_private.h"

/* --- the set -------------------------------------------------------------------------------------------------------- */

/* When generation NUMBER was made, by its clapet.json. */
static bool generation_created(struct storeverify *verify, uint64_t number, int64_t *ret_created)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	const char *created = NULL;
	struct refusal why;
	size_t size;
	int r = store_load_generation(verify->store_fd, number, &data, &size);

	if (r == 0 && json_parse(data, size, LIMIT_JSON_SIZE, &json, &why) == FAULT_NONE &&
	    json_get_text(json, "clapet.json", "created", true, &created, &why) == FAULT_NONE &&
	    notation_parse_time(created, ret_created))
		return true;
	findings_fault(&verify->findings, FAULT_STORE_DAMAGED, "generations/%" PRIu64 "/clapet.json: says no date",
		       number);
	return false;
}

/* Without a log: the newest generation that was made by then, if no other one was between it and the next that is here. */
static void find_generation(struct storeverify *verify, struct storeverify_day *day)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	size_t n = 0;
	uint64_t next = 0;

	if (store_generations(verify->store_fd, &numbers, &n) < 0) {
		findings_fault(&verify->findings, FAULT_STORE_DAMAGED, "generations: cannot be listed");
		return;
	}
	for (size_t i = n; i-- > 0 && day->generation == 0;) {
		int64_t created;

		if (!generation_created(verify, numbers[i], &created))
			return;
		if (created > day->at) {
			next = numbers[i];
			continue;
		}
		day->generation = numbers[i];
		day->generation_time = created;
	}
	if (next == 0 || next == day->generation + 1)
		return;
	findings_fault(&verify->findings, FAULT_DAY_UNKNOWN,
		       "generations %" PRIu64 " to %" PRIu64
		       " are gone, and there is no log that says when they were in "
		       "force",
		       day->generation + 1, next - 1);
	day->generation = 0;
}

static int add_version(void *ctx, const char *dataset, const char *version)
{
	struct storeverify_day *day = ctx;
	struct history set = {.in_force = day->in_force};

	history_set(&set, dataset, version, 0, day->generation_time);
	day->in_force = set.in_force;
	return 0;
}

/* A link of a generation that is still here, against what the log says. */
static int compare_version(void *ctx, const char *dataset, const char *version)
{
	const struct storeverify_day *day = ctx;

	for (size_t i = 0; i < day->in_force.n_items; i++)
		if (strcmp(day->in_force.items[i].dataset, dataset) == 0)
			return strcmp(day->in_force.items[i].version, version) != 0;
	return 1;
}

/* A generation that the log does not tell of, though it was made by then. */
static void check_untold(struct storeverify *verify, const struct storeverify_day *day, uint64_t number)
{
	int64_t created;

	if (generation_created(verify, number, &created) && created <= day->at)
		findings_fault(&verify->findings, FAULT_DAY_UNTOLD,
			       "generations/%" PRIu64 ": was made by then, and no entry of the log tells of it",
			       number);
}

static void check_generations(struct storeverify *verify, struct storeverify_day *day)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	size_t n = 0;

	if (store_generations(verify->store_fd, &numbers, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (numbers[i] > day->generation)
			check_untold(verify, day, numbers[i]);
		else if (numbers[i] == day->generation &&
			 store_generation_each(verify->store_fd, day->generation, compare_version, day) != 0)
			findings_fault(&verify->findings, FAULT_STORE_DAMAGED,
				       "generations/%" PRIu64 ": shows another set than the log says", day->generation);
	}
}

void storeverify_day_in_force(struct storeverify *verify, struct storeverify_day *day)
{
	const struct history *history = day->history;

	if (history == NULL) {
		find_generation(verify, day);
		if (day->generation != 0)
			store_generation_each(verify->store_fd, day->generation, add_version, day);
		return;
	}
	day->generation = history->generation;
	day->generation_time = history->generation_time;
	for (size_t i = 0; i < history->in_force.n_items; i++)
		add_version(day, history->in_force.items[i].dataset, history->in_force.items[i].version);
	check_generations(verify, day);
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

static void print_line(const char *what, uint64_t version, int64_t expires, int64_t at)
{
	char text[64];

	notation_format_local(expires, text, sizeof(text));
	printf("%-12s version %" PRIu64 ", rightly signed, valid until %s%s\n", what, version, text,
	       expires < at ? ", which had passed" : "");
}

static void print_trust(const struct storeverify_day *day)
{
	size_t n_here = 0;
	char issued[64];

	if (day->timestamp == NULL) {
		puts("trust        no timestamp by then");
		return;
	}
	notation_format_local(day->timestamp->issued, issued, sizeof(issued));
	if (day->root != NULL)
		print_line("root", day->root->header.version, day->root->header.expires, day->at);
	print_line("timestamp", day->timestamp->header.version, day->timestamp->header.expires, day->at);
	printf("             issued %s\n", issued);
	if (day->snapshot != NULL)
		print_line("snapshot", day->snapshot->header.version, day->snapshot->header.expires, day->at);
	if (day->targets != NULL)
		print_line("targets", day->targets->header.version, day->targets->header.expires, day->at);
	for (size_t i = 0; i < day->n_roles; i++)
		n_here += day->roles[i].is_here;
	printf("roles        %zu of %zu here and rightly signed\n", n_here, day->n_roles);
}

static void print_file(const struct day_file *judged)
{
	static const char *const fates[] = {"here, its bytes are the signed ones", "deleted by rule", "GONE"};
	char hex[SHA256_HEX_SIZE], size[32], when[64];

	sha256_to_hex(&judged->file->blob.plain_sha256, hex);
	notation_format_size(judged->file->blob.plain_length, size, sizeof(size));
	printf("             %s, %s, sha256:%s: %s", judged->file->file, size, hex, fates[judged->fate]);
	if (judged->fate == DAY_DELETED) {
		notation_format_local(judged->deleted, when, sizeof(when));
		printf(" on %s (entry %" PRIu64 " of the log), digest proven", when, judged->entry);
	}
	putchar('\n');
}

static void print_people(const struct storeverify *verify, const struct storeverify_day *day, const char *path)
{
	const char *dataset = "";
	char text[64], utc[NOTATION_TIME_SIZE];

	notation_format_local(day->at, text, sizeof(text));
	notation_format_time(day->at, utc);
	printf("store        %s\nday          %s (%s), by %s\n", path, text, utc,
	       day->history != NULL ? "the log" : "signed dates and the generations that are here: there is no log");
	print_trust(day);
	notation_format_local(day->generation_time, text, sizeof(text));
	if (day->generation != 0)
		printf("in force     generation %" PRIu64 ", since %s\n", day->generation, text);
	else
		puts("in force     nothing that is known");
	for (size_t i = 0, v = 0; i < day->n_files; i++) {
		if (strcmp(day->files[i].file->dataset, dataset) != 0) {
			dataset = day->files[i].file->dataset;
			while (v < day->in_force.n_items && strcmp(day->in_force.items[v].dataset, dataset) != 0)
				v++;
			printf("dataset      %s, version %s, role version %" PRIu64 "\n", dataset,
			       v < day->in_force.n_items ? day->in_force.items[v].version : "?",
			       day->files[i].file->role_version);
		}
		print_file(&day->files[i]);
	}
	findings_print(&verify->findings, stdout);
	puts(verify->findings.n_faults == 0 ? "What was in force on that day holds." : "That day does not hold.");
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

static void print_json_metadata(const char *what, uint64_t version, int64_t expires, int64_t at)
{
	char time[NOTATION_TIME_SIZE];

	notation_format_time(expires, time);
	printf("\n \"%s\": {\"version\": %" PRIu64 ", \"expires\": \"%s\", \"expired\": %s},", what, version, time,
	       expires < at ? "true" : "false");
}

static void print_json_file(const struct day_file *judged)
{
	static const char *const fates[] = {"here", "deleted", "gone"};
	char hex[SHA256_HEX_SIZE], time[NOTATION_TIME_SIZE];

	sha256_to_hex(&judged->file->blob.plain_sha256, hex);
	printf("{\"file\": ");
	notation_json_string(stdout, judged->file->file);
	printf(", \"bytes\": %" PRIu64 ", \"hash\": \"sha256:%s\", \"fate\": \"%s\"", judged->file->blob.plain_length,
	       hex, fates[judged->fate]);
	if (judged->fate == DAY_DELETED) {
		notation_format_time(judged->deleted, time);
		printf(", \"deleted\": \"%s\", \"entry\": %" PRIu64, time, judged->entry);
	}
	putchar('}');
}

static void print_json_versions(const struct storeverify_day *day)
{
	size_t f = 0;

	for (size_t i = 0; i < day->in_force.n_items; i++) {
		const struct history_version *version = &day->in_force.items[i];
		const char *comma = "";

		printf("%s\n  {\"dataset\": \"%s\", \"version\": \"%s\", \"files\": [", i == 0 ? "" : ",",
		       version->dataset, version->version);
		for (; f < day->n_files && strcmp(day->files[f].file->dataset, version->dataset) == 0; f++) {
			printf("%s\n   ", comma);
			print_json_file(&day->files[f]);
			comma = ",";
		}
		fputs("]}", stdout);
	}
}

static void print_json(const struct storeverify *verify, const struct storeverify_day *day, const char *path)
{
	char at[NOTATION_TIME_SIZE];

	notation_format_time(day->at, at);
	fputs("{\"format\": \"clapet day 1\", \"store\": ", stdout);
	notation_json_string(stdout, path);
	printf(", \"at\": \"%s\", \"by\": \"%s\", \"valid\": %s,", at, day->history != NULL ? "log" : "dates",
	       verify->findings.n_faults == 0 ? "true" : "false");
	if (day->root != NULL)
		print_json_metadata("root", day->root->header.version, day->root->header.expires, day->at);
	if (day->timestamp != NULL)
		print_json_metadata("timestamp", day->timestamp->header.version, day->timestamp->header.expires,
				    day->at);
	if (day->snapshot != NULL)
		print_json_metadata("snapshot", day->snapshot->header.version, day->snapshot->header.expires, day->at);
	if (day->targets != NULL)
		print_json_metadata("targets", day->targets->header.version, day->targets->header.expires, day->at);
	printf("\n \"generation\": %" PRIu64 ", \"datasets\": [", day->generation);
	print_json_versions(day);
	fputs("],\n ", stdout);
	findings_print_json(&verify->findings, stdout);
	fputs("}\n", stdout);
}

void storeverify_day_print(const struct storeverify *verify, const struct storeverify_day *day, const char *path,
			   bool json)
{
	if (json)
		print_json(verify, day, path);
	else
		print_people(verify, day, path);
}
