/* SPDX-License-Identifier: ISC
 *
 * audit_compare: two logs side by side: what the outside says that it sent, what the inside says that arrived. A bundle is known
 * by its digest, which both write.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "bundle/progress.h"
#include "inside/audit.h"
#include "inside/audit_words.h"

/* One bundle in one log: 56 bytes, so a million bundles are 56 MB. */
struct sighting {
	struct sha256 sha256;
	uint64_t entry;
	int64_t time;
	uint32_t code;
	uint32_t n_times; /* how often it was sent, or came */
};

struct sightings {
	struct sighting *items;
	size_t n_items, room;
};

enum match { MATCH_ARRIVED, MATCH_REFUSED, MATCH_IN_FLIGHT, MATCH_LOST, MATCH_NEVER_SENT, MATCH_CUT, MATCH_N };

struct comparison {
	struct trail outside, inside;
	struct sightings sent, arrived;
	struct findings findings;
	uint64_t counts[MATCH_N];
	uint64_t newest_arrived; /* the highest entry of the outside's log of which something arrived */
	bool any_arrived;
	int64_t shortest, longest;
	int64_t from, to; /* of sending; of arriving, for what was never sent */
};

/* --- gathering ------------------------------------------------------------------------------------------------------- */

static void add(struct sightings *list, uint64_t index, const struct log_entry *entry)
{
	struct sighting item = {.entry = index, .time = entry->time, .code = entry->code, .n_times = 1};

	if (!sha256_from_hex(entry->sha256, &item.sha256))
		return;
	if (list->n_items == list->room) {
		list->room = list->room == 0 ? 64 : 2 * list->room;
		list->items = xrealloc(list->items, list->room, sizeof(*list->items));
	}
	list->items[list->n_items++] = item;
}

static bool gather_sent(void *ctx, uint64_t index, const struct log_entry *entry)
{
	if (audit_is_sending(entry))
		add(ctx, index, entry);
	return true;
}

static bool gather_arrived(void *ctx, uint64_t index, const struct log_entry *entry)
{
	if (audit_is_arrival(entry))
		add(ctx, index, entry);
	return true;
}

static int compare_sightings(const void *a, const void *b)
{
	const struct sighting *left = a, *right = b;
	int order = sha256_compare(&left->sha256, &right->sha256);

	if (order != 0)
		return order;
	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

static int compare_entries(const void *a, const void *b)
{
	const struct sighting *left = a, *right = b;

	return left->entry < right->entry ? -1 : left->entry > right->entry;
}

/* One a digest: when it was first seen, and what became of it last. */
static void merge(struct sightings *list)
{
	size_t n = 0;

	if (list->n_items > 1)
		qsort(list->items, list->n_items, sizeof(*list->items), compare_sightings);
	for (size_t i = 0; i < list->n_items; i++) {
		if (n > 0 && sha256_equal(&list->items[n - 1].sha256, &list->items[i].sha256)) {
			list->items[n - 1].code = list->items[i].code;
			list->items[n - 1].n_times++;
		} else {
			list->items[n++] = list->items[i];
		}
	}
	list->n_items = n;
}

static const struct sighting *find(const struct sightings *list, const struct sha256 *sha256)
{
	for (size_t low = 0, high = list->n_items; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = sha256_compare(&list->items[middle].sha256, sha256);

		if (order == 0)
			return &list->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* --- matching -------------------------------------------------------------------------------------------------------- */

static enum fault_kind kind_of(const struct sighting *sighting)
{
	return fault_is_known(sighting->code) ? fault_kind((enum fault)sighting->code) : FAULT_KIND_DONE;
}

static enum match match_sent(const struct comparison *comparison, const struct sighting *sent,
			     const struct sighting *arrived)
{
	if (arrived != NULL)
		return kind_of(arrived) == FAULT_KIND_REFUSED ? MATCH_REFUSED : MATCH_ARRIVED;
	return !comparison->any_arrived || sent->entry > comparison->newest_arrived ? MATCH_IN_FLIGHT : MATCH_LOST;
}

/* A file that ended early is no bundle: its digest is that of a beginning. */
static enum match match_arrived(const struct sighting *arrived)
{
	return kind_of(arrived) == FAULT_KIND_MISSING ? MATCH_CUT : MATCH_NEVER_SENT;
}

static const char *const match_words[MATCH_N] = {"arrived",     "refused inside", "in flight",
						 "not arrived", "never sent",     "cut short"};
static const char *const match_names[MATCH_N] = {"arrived", "refused", "in-flight", "not-arrived", "never-sent", "cut"};

static void reason_of(const struct sighting *sighting, char *text, size_t size)
{
	text[0] = '\0';
	if (sighting != NULL && sighting->code != 0)
		snprintf(text, size, "E%04u%s%s", sighting->code, fault_is_known(sighting->code) ? ", " : "",
			 fault_is_known(sighting->code) ? fault_title((enum fault)sighting->code) : "");
}

static void print_people(enum match match, const struct sighting *sent, const struct sighting *arrived)
{
	char hex[SHA256_HEX_SIZE], when[64], lag[32], reason[200];

	if (match == MATCH_ARRIVED)
		return; /* counted: an auditor reads what is not as it should be */
	sha256_to_hex(sent != NULL ? &sent->sha256 : &arrived->sha256, hex);
	reason_of(arrived, reason, sizeof(reason));
	printf("%-15s sha256:%s\n", match_words[match], hex);
	if (sent != NULL) {
		notation_format_local(sent->time, when, sizeof(when));
		printf("                sent %s, entry %" PRIu64 " outside\n", when, sent->entry);
	}
	if (arrived == NULL)
		return;
	notation_format_local(arrived->time, when, sizeof(when));
	notation_format_age(sent == NULL ? 0 : llabs(arrived->time - sent->time), lag, sizeof(lag));
	printf("                came %s, entry %" PRIu64 " inside%s%s%s%s%s\n", when, arrived->entry,
	       sent == NULL ? "" : ", after ", sent == NULL ? "" : lag, reason[0] == '\0' ? "" : ": ", reason,
	       arrived->n_times > 1 ? " (more than once)" : "");
}

static void print_json_sighting(const char *name, const struct sighting *sighting)
{
	char time[NOTATION_TIME_SIZE];

	if (sighting == NULL)
		return;
	notation_format_time(sighting->time, time);
	printf(", \"%s\": {\"entry\": %" PRIu64 ", \"time\": \"%s\", \"times\": %" PRIu32, name, sighting->entry, time,
	       sighting->n_times);
	if (sighting->code != 0)
		printf(", \"code\": \"E%04u\"", sighting->code);
	putchar('}');
}

static void print_json(enum match match, const struct sighting *sent, const struct sighting *arrived)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sent != NULL ? &sent->sha256 : &arrived->sha256, hex);
	printf("{\"bundle\": \"%s\", \"match\": \"%s\"", hex, match_names[match]);
	print_json_sighting("sent", sent);
	print_json_sighting("arrived", arrived);
	if (sent != NULL && arrived != NULL)
		printf(", \"lag\": %" PRId64, arrived->time - sent->time);
	fputs("}\n", stdout);
}

static void tell(struct comparison *comparison, enum match match, const struct sighting *sent,
		 const struct sighting *arrived)
{
	int64_t time = sent != NULL ? sent->time : arrived->time;
	char hex[SHA256_HEX_SIZE];

	if (time < comparison->from || time > comparison->to)
		return;
	comparison->counts[match]++;
	sha256_to_hex(sent != NULL ? &sent->sha256 : &arrived->sha256, hex);
	if (match == MATCH_LOST)
		findings_fault(&comparison->findings, FAULT_NOT_ARRIVED,
			       "sha256:%s: entry %" PRIu64 " outside says that it was sent", hex, sent->entry);
	if (match == MATCH_NEVER_SENT)
		findings_fault(&comparison->findings, FAULT_NEVER_SENT,
			       "sha256:%s: entry %" PRIu64 " inside says that it arrived", hex, arrived->entry);
	if (audit_wants_json())
		print_json(match, sent, arrived);
	else
		print_people(match, sent, arrived);
}

static void measure(struct comparison *comparison, const struct sighting *sent, const struct sighting *arrived)
{
	int64_t lag = arrived->time - sent->time;

	if (!comparison->any_arrived || lag < comparison->shortest)
		comparison->shortest = lag;
	if (!comparison->any_arrived || lag > comparison->longest)
		comparison->longest = lag;
	if (!comparison->any_arrived || sent->entry > comparison->newest_arrived)
		comparison->newest_arrived = sent->entry;
	comparison->any_arrived = true;
}

static void match_all(struct comparison *comparison)
{
	_cleanup_free_ struct sighting *in_order = NULL;
	struct sightings *sent = &comparison->sent, *arrived = &comparison->arrived;

	for (size_t i = 0; i < sent->n_items; i++) {
		const struct sighting *found = find(arrived, &sent->items[i].sha256);

		if (found != NULL)
			measure(comparison, &sent->items[i], found);
	}
	in_order = xcalloc(sent->n_items + 1, sizeof(*in_order));
	memcpy(in_order, sent->items == NULL ? in_order : sent->items, sent->n_items * sizeof(*in_order));
	qsort(in_order, sent->n_items, sizeof(*in_order), compare_entries);
	for (size_t i = 0; i < sent->n_items; i++) {
		const struct sighting *found = find(arrived, &in_order[i].sha256);

		tell(comparison, match_sent(comparison, &in_order[i], found), &in_order[i], found);
	}
	for (size_t i = 0; i < arrived->n_items; i++)
		if (find(sent, &arrived->items[i].sha256) == NULL)
			tell(comparison, match_arrived(&arrived->items[i]), NULL, &arrived->items[i]);
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

static bool open_both(struct comparison *comparison, const struct trail_keys *keys)
{
	struct findings *findings = &comparison->findings;

	if (!trail_open(&comparison->outside, keys, findings) || !trail_open(&comparison->inside, keys, findings))
		return false;
	return trail_verify(&comparison->outside, findings) && trail_verify(&comparison->inside, findings);
}

static void gather_all(struct comparison *comparison)
{
	struct findings *findings = &comparison->findings;

	trail_each(&comparison->outside, 0, log_reader_head(comparison->outside.reader)->size, gather_sent,
		   &comparison->sent, findings);
	trail_each(&comparison->inside, 0, log_reader_head(comparison->inside.reader)->size, gather_arrived,
		   &comparison->arrived, findings);
	progress_end();
	merge(&comparison->sent);
	merge(&comparison->arrived);
}

static void print_end(struct comparison *comparison)
{
	const uint64_t *counts = comparison->counts;
	char shortest[32], longest[32];

	if (audit_wants_json()) {
		fputs("{\"format\": \"clapet log comparison 1\"", stdout);
		for (size_t i = 0; i < MATCH_N; i++)
			printf(", \"%s\": %" PRIu64, match_names[i], counts[i]);
		printf(", \"valid\": %s, \"nFaults\": %zu, \"nNotes\": %zu}\n",
		       comparison->findings.n_faults == 0 ? "true" : "false", comparison->findings.n_faults,
		       comparison->findings.n_notes);
		audit_print_findings(&comparison->findings);
		return;
	}
	printf("sent            %" PRIu64 " bundles: %" PRIu64 " arrived, %" PRIu64 " refused inside, %" PRIu64
	       " in flight, %" PRIu64 " not arrived\n",
	       counts[MATCH_ARRIVED] + counts[MATCH_REFUSED] + counts[MATCH_IN_FLIGHT] + counts[MATCH_LOST],
	       counts[MATCH_ARRIVED], counts[MATCH_REFUSED], counts[MATCH_IN_FLIGHT], counts[MATCH_LOST]);
	printf("never sent      %" PRIu64 " bundles that arrived; %" PRIu64 " that were cut short on the way\n",
	       counts[MATCH_NEVER_SENT], counts[MATCH_CUT]);
	if (comparison->any_arrived) {
		notation_format_age(llabs(comparison->shortest), shortest, sizeof(shortest));
		notation_format_age(llabs(comparison->longest), longest, sizeof(longest));
		printf("on the way      %s to %s%s\n", shortest, longest,
		       comparison->shortest < 0 ? "; some came before they were sent: the clocks differ" : "");
	}
	findings_print(&comparison->findings, stdout);
	puts(comparison->findings.n_faults == 0 ? "Both logs agree." : "These logs do not agree.");
}

int audit_run_compare(int argc, char **argv)
{
	struct comparison comparison = {.outside = TRAIL_NONE, .inside = TRAIL_NONE};
	struct sandbox_folder folders[] = {{-1, SANDBOX_READ}, {-1, SANDBOX_READ}};
	struct audit_keys texts = {.n_texts = 0};
	struct trail_keys keys;
	int status;

	if (argc != 2)
		die_usage("two logs: OUTSIDE-LOG INSIDE-LOG");
	audit_load_keys(&texts);
	audit_demand_range(&comparison.from, &comparison.to);
	trail_find(argv[0], &comparison.outside);
	trail_find(argv[1], &comparison.inside);
	folders[0].fd = comparison.outside.folder_fd;
	folders[1].fd = comparison.inside.folder_fd;
	audit_enter_sandbox(folders, 2);
	audit_parse_keys(&texts, &keys);
	if (open_both(&comparison, &keys)) {
		gather_all(&comparison);
		match_all(&comparison);
	}
	print_end(&comparison);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	status = findings_exit(&comparison.findings);
	findings_clear(&comparison.findings);
	free(comparison.sent.items);
	free(comparison.arrived.items);
	trail_clear(&comparison.outside);
	trail_clear(&comparison.inside);
	return status;
}
