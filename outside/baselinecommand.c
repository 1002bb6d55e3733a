/* SPDX-License-Identifier: ISC
 *
 * baselinecommand: see baselinecommand.h. What is recorded comes from the report of the last check, which has every tally: nothing is fetched.
 */
#include "outside/baselinecommand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "outside/source.h"
#include "outside/sourcerules.h"
#include "schemas/tolerated.h"

#define MAX_REASON 400

struct command {
	const struct config *config;
	const struct baseline_options *options;
	const char *dataset;
	int folder_fd; /* sources/<dataset>/ */
	struct source *source;
	json_t *report;
	struct baseline *fresh;
	json_t *changes; /* of the JSON output */
	size_t n_refused;
};

static void clear(struct command *command)
{
	cleanup_close(&command->folder_fd);
	source_free(command->source);
	json_decref(command->report);
	json_decref(command->changes);
	baseline_free(command->fresh);
}

static enum fault open_all(struct command *command, struct refusal *why)
{
	const struct config *config = command->config;
	_cleanup_close_ int sources_fd = open(config->sources, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (sources_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", config->sources, strerror(errno));
	if (!notation_is_name(command->dataset) ||
	    (command->folder_fd = openat(sources_fd, command->dataset, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return refuse(why, FAULT_NO_SUCH, "there is no %s/%s", config->sources, command->dataset);
	return source_load(sources_fd, command->dataset, config, &command->source, why);
}

static enum fault load_report(struct command *command, struct refusal *why)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/report.json", command->config->state, command->dataset);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "%s: no check left a report: run `clapet-outside sync %s` first",
			      command->dataset, command->dataset);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	if (json_parse(data, size, LIMIT_JSON_SIZE, &command->report, why) != FAULT_NONE)
		return refuse_within(why, "%s", path);
	return FAULT_NONE;
}

/* --- what there is to know
 * -------------------------------------------------------------------------------------------- */

static const struct rule_level *old_item(const struct command *command, const char *resource, const char *rule,
					 const char *field)
{
	const struct baseline_resource *old = command->source->baseline != NULL
						      ? baseline_resource(command->source->baseline, resource)
						      : NULL;
	const struct rule_level *item = old != NULL ? rule_levels_find(&old->known, rule, field) : NULL;

	/* The look-up falls back to the rule alone. */
	return item != NULL && (item->field == NULL) == (field == NULL) ? item : NULL;
}

static void tell(struct command *command, const char *resource, const char *rule, const char *field, uint64_t count)
{
	const struct rule_level *old = old_item(command, resource, rule, field);
	char words[256], was[48] = "new";
	json_t *item = json_or_die(json_pack("{s:s, s:s, s:s?, s:I, s:o}", "resource", resource, "rule", rule, "field",
					     field, "count", (json_int_t)count, "was",
					     old != NULL ? json_integer((json_int_t)old->most) : json_null()));

	json_array_append_new(command->changes, item);
	if (command->options->json)
		return;
	if (old != NULL)
		snprintf(was, sizeof(was), "was %" PRIu64, old->most);
	printf("%s: %s: %s, %" PRIu64 " (%s)\n", command->dataset, resource,
	       tolerated_words(rule, field, words, sizeof(words)), count, was);
}

static void tell_refused(struct command *command, const char *resource, const char *rule, const char *field,
			 const char *why)
{
	char words[256];

	command->n_refused++;
	log_error("%s: %s: %s: %s", command->dataset, resource, tolerated_words(rule, field, words, sizeof(words)),
		  why);
}

static void take_tally(struct command *command, const char *name, const struct source_rules *rules,
		       struct baseline_resource *resource, const json_t *tally)
{
	const char *rule = json_string_value(json_object_get(tally, "rule"));
	const char *field = json_string_value(json_object_get(tally, "fieldName"));
	json_int_t count = json_integer_value(json_object_get(tally, "count"));
	const struct rule_level *level;

	if (rule == NULL || count < 1 || !rule_is_of_data(rule) || rule_is_personal(rule))
		return;
	level = rule_levels_find(&rules->levels, rule, field);
	if (!rule_may_warn(rule)) {
		tell_refused(command, name, rule, field, "no baseline lets this pass");
	} else if (level != NULL && level->most == UINT64_MAX && level->level == LEVEL_ERROR) {
		tell_refused(command, name, rule, field, "`rules` says that it is an error");
	} else if (level != NULL && level->most == UINT64_MAX) {
		return; /* `rules` lets it pass, whatever their number */
	} else if (!rule_levels_add(&resource->known, rule, field, LEVEL_WARNING, (uint64_t)count)) {
		for (size_t i = 0; i < resource->known.n_items; i++) {
			struct rule_level *item = &resource->known.items[i];

			if (strcmp(item->rule, rule) == 0 && (item->field == NULL) == (field == NULL) &&
			    (field == NULL || strcmp(item->field, field) == 0))
				item->most += (uint64_t)count;
		}
	}
}

static enum fault take_task(struct command *command, const json_t *task, struct refusal *why)
{
	const json_t *tallies = json_object_get(task, "tallies"), *stats = json_object_get(task, "stats");
	const char *name = json_string_value(json_object_get(task, "name"));
	const struct resource *resource = name != NULL ? package_resource(command->source->package, name) : NULL;
	_cleanup_(source_rules_clear) struct source_rules rules = {.min_rows = -1};
	struct baseline_resource *fresh;

	if (resource == NULL)
		return refuse(why, FAULT_NO_SUCH,
			      "the report is of other resources: run `clapet-outside sync %s` first", command->dataset);
	if (source_rules_parse(command->source->package, resource, &rules, why) != FAULT_NONE)
		return why->fault;
	fresh = baseline_add(command->fresh, name);
	fresh->rows = (uint64_t)json_integer_value(json_object_get(stats, "rows"));
	for (size_t i = 0; i < json_array_size(tallies); i++)
		take_tally(command, name, &rules, fresh, json_array_get(tallies, i));
	if (json_integer_value(json_object_get(stats, "untallied")) > 0 || fresh->known.n_items > LIMIT_TOLERATED)
		return refuse(why, FAULT_BASELINE_REFUSED,
			      "%s: more kinds of faults than %d: no known faults, but a wrong schema", name,
			      LIMIT_TOLERATED);
	return FAULT_NONE;
}

/* Kinds that were known and are gone. */
static void tell_gone(struct command *command)
{
	const struct baseline *old = command->source->baseline;

	for (size_t i = 0; old != NULL && i < old->n_resources; i++) {
		const struct baseline_resource *resource = &old->resources[i];
		const struct baseline_resource *now = baseline_resource(command->fresh, resource->name);

		for (size_t k = 0; k < resource->known.n_items; k++) {
			const struct rule_level *item = &resource->known.items[k];
			bool is_there = false;

			for (size_t m = 0; now != NULL && m < now->known.n_items; m++)
				is_there |= strcmp(now->known.items[m].rule, item->rule) == 0 &&
					    (now->known.items[m].field == NULL) == (item->field == NULL) &&
					    (item->field == NULL ||
					     strcmp(now->known.items[m].field, item->field) == 0);
			if (!is_there)
				tell(command, resource->name, item->rule, item->field, 0);
		}
	}
}

static enum fault collect(struct command *command, struct refusal *why)
{
	const json_t *tasks = json_object_get(command->report, "tasks");
	size_t n = 0;

	command->fresh = baseline_new(command->dataset);
	if (command->source->baseline != NULL) {
		command->fresh->percent = command->source->baseline->percent;
		command->fresh->rows = command->source->baseline->rows;
	}
	for (size_t i = 0; i < json_array_size(tasks); i++)
		if (take_task(command, json_array_get(tasks, i), why) != FAULT_NONE)
			return why->fault;
	if (command->n_refused > 0)
		return refuse(why, FAULT_BASELINE_REFUSED, "%s: nothing was recorded", command->dataset);
	for (size_t i = 0; i < command->fresh->n_resources; i++) {
		const struct baseline_resource *resource = &command->fresh->resources[i];

		for (size_t k = 0; k < resource->known.n_items; k++)
			tell(command, resource->name, resource->known.items[k].rule, resource->known.items[k].field,
			     resource->known.items[k].most);
		n += resource->known.n_items;
	}
	tell_gone(command);
	if (n > LIMIT_TOLERATED)
		return refuse(why, FAULT_BASELINE_REFUSED, "%zu kinds of faults, at most %d can be let through", n,
			      LIMIT_TOLERATED);
	return FAULT_NONE;
}

/* --- recording
 * -------------------------------------------------------------------------------------------------------- */

static enum fault check_line(const char *what, const char *text, struct refusal *why)
{
	if (text[0] == '\0' || strlen(text) > MAX_REASON || !text_is_utf8(text, strlen(text), NULL))
		return refuse(why, FAULT_BASELINE_REFUSED, "%s must have 1 to %d bytes of UTF-8", what, MAX_REASON);
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse(why, FAULT_BASELINE_REFUSED, "%s must be one line", what);
	return FAULT_NONE;
}

static const char *account(const char *given)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *entry = getpwuid(getuid());

	if (given != NULL)
		return given;
	return sudo != NULL && getuid() == 0 ? sudo : entry != NULL ? entry->pw_name : "?";
}

static enum fault record(struct command *command, struct refusal *why)
{
	_cleanup_free_ char *text = NULL;
	int r;

	command->fresh->person = xstrdup(account(command->options->person));
	command->fresh->reason = xstrdup(command->options->reason);
	command->fresh->date = (int64_t)time(NULL);
	if (check_line("--reason", command->fresh->reason, why) != FAULT_NONE ||
	    check_line("--person", command->fresh->person, why) != FAULT_NONE)
		return why->fault;
	text = baseline_write(command->fresh);
	r = fd_put_durable(command->folder_fd, BASELINE_FILE, text, strlen(text), 0644);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s/%s/" BASELINE_FILE ": %s", command->config->sources,
			      command->dataset, strerror(-r));
	return FAULT_NONE;
}

static void print_json(json_t *document)
{
	json_dumpf(json_or_die(document), stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

static enum fault run_record(struct command *command, struct refusal *why)
{
	bool is_dry = command->options->check;

	if (load_report(command, why) != FAULT_NONE || collect(command, why) != FAULT_NONE)
		return why->fault;
	/* An empty baseline would say that faults are known where none are. */
	is_dry |= json_array_size(command->changes) == 0 && command->source->baseline == NULL;
	if (!is_dry && record(command, why) != FAULT_NONE)
		return why->fault;
	if (command->options->json)
		print_json(json_pack("{s:s, s:s, s:b, s:O}", "format", "clapet baseline changes 1", "dataset",
				     command->dataset, "recorded", !is_dry, "kinds", command->changes));
	else if (json_array_size(command->changes) == 0)
		printf("%s: no fault that a baseline must know\n", command->dataset);
	else
		printf("%s: %s\n", command->dataset,
		       is_dry ? "nothing was recorded (--check)" : "recorded in " BASELINE_FILE);
	return FAULT_NONE;
}

static enum fault run_show(const struct command *command, struct refusal *why)
{
	const struct baseline *baseline = command->source->baseline;
	_cleanup_free_ char *text = NULL;
	char words[256], day[NOTATION_TIME_SIZE], reason[MAX_REASON * 4], person[MAX_REASON * 4];

	if (baseline == NULL)
		return refuse(why, FAULT_NO_SUCH, "%s has no baseline", command->dataset);
	if (command->options->json) {
		text = baseline_write(baseline);
		fputs(text, stdout);
		return FAULT_NONE;
	}
	notation_format_time(baseline->date, day);
	printf("%s: recorded on %.10s by %s: %s\n", command->dataset, day,
	       text_escape(baseline->person, strlen(baseline->person), person, sizeof(person)),
	       text_escape(baseline->reason, strlen(baseline->reason), reason, sizeof(reason)));
	for (size_t i = 0; i < baseline->n_resources; i++) {
		const struct baseline_resource *resource = &baseline->resources[i];

		for (size_t k = 0; k < resource->known.n_items; k++)
			printf("%s: %s: %s, %" PRIu64 ", up to %" PRIu64 " pass\n", command->dataset, resource->name,
			       tolerated_words(resource->known.items[k].rule, resource->known.items[k].field, words,
					       sizeof(words)),
			       resource->known.items[k].most, baseline_most(baseline, &resource->known.items[k]));
	}
	return FAULT_NONE;
}

int baseline_run(const struct config *config, const char *dataset, const struct baseline_options *options)
{
	_cleanup_(clear) struct command command = {.config = config,
						   .options = options,
						   .dataset = dataset,
						   .folder_fd = -1,
						   .changes = json_or_die(json_array())};
	struct refusal why = {FAULT_NONE, ""};

	if (open_all(&command, &why) == FAULT_NONE) {
		if (options->show)
			run_show(&command, &why);
		else
			run_record(&command, &why);
	}
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit(why.fault);
}
