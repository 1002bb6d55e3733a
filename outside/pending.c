/* SPDX-License-Identifier: ISC
 *
 * pending: what waits for a person, since when, for whose keys, and what it would change: as much as a second person must
 * know before they sign.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/run.h"
#include "outside/travel.h"

static json_t *hash_json(const struct sha256 *sha256)
{
	return sha256_is_zero(sha256) ? json_null() : json_named_hash(sha256);
}

/* "new", "changed" or "same". */
static const char *change_word(const struct state_version *before, const struct state_file *file)
{
	const struct state_file *old = before->exists ? state_version_file(before, file->name) : NULL;

	if (old == NULL)
		return "new";
	return sha256_equal(&old->sha256, &file->sha256) ? "same" : "changed";
}

static void print_file(const struct state_version *before, const struct state_file *file)
{
	const struct state_file *old = before->exists ? state_version_file(before, file->name) : NULL;
	char stored[SHA256_HEX_SIZE], published[SHA256_HEX_SIZE], size[32], share[32];

	sha256_to_hex(&file->sha256, stored);
	sha256_to_hex(&file->published_sha256, published);
	notation_format_size(file->length, size, sizeof size);
	printf("    %s (%s): %s", file->name, change_word(before, file), size);
	if (file->rows > 0)
		printf(", %" PRIu64 " rows", file->rows);
	if (old != NULL && old->rows != file->rows)
		printf(" (%" PRIu64 " before)", old->rows);
	printf("\n");
	if (!sha256_is_zero(&file->published_sha256))
		printf("        as published sha256:%s\n", published);
	printf("        as stored    sha256:%s\n", stored);
	if (!state_file_is_patch(file))
		return;
	sha256_to_hex(&file->base.sha256, stored);
	notation_format_size(travel_size(file), size, sizeof size);
	printf("        travels as a patch of %s (%s) against sha256:%s\n", size, travel_format_share(file, share),
	       stored);
}

static void print_version(const struct source_state *state)
{
	const struct state_version *version = &state->pending;
	char hex[SHA256_HEX_SIZE];

	if (!version->exists)
		return;
	sha256_to_hex(&version->version, hex);
	if (version->withdrawn)
		printf("  the dataset's end, of %.10s\n", version->created);
	else
		printf("  data version %.16s of %.10s\n", hex, version->created);
	for (size_t i = 0; i < version->n_files; i++)
		print_file(&state->published, &version->files[i]);
	for (size_t i = 0; state->published.exists && i < state->published.n_files; i++)
		if (state_version_file(version, state->published.files[i].name) == NULL)
			printf("    %s: left out\n", state->published.files[i].name);
}

static void print_item(const struct run *run, const struct waiting_item *item)
{
	const struct run_dataset *dataset = run_find(run, item->record.role);
	char text[FAULT_LINE_SIZE + 64], expires[40];
	struct refusal why;

	waiting_explain(item, &why);
	fault_format(&why, text, sizeof text);
	printf("%s\n", text);
	if (item->record.waits == OUTSIDE_WAITS_COSIGN) {
		notation_format_local(item->record.expires, expires, sizeof expires);
		printf("  valid until %s, signed or not\n", expires);
	}
	if (dataset != NULL && !item->record.is_renewal)
		print_version(dataset->state);
	printf("  next: %s\n", fault_next(why.fault));
}

static json_t *files_json(const struct source_state *state)
{
	json_t *files = json_array();

	for (size_t i = 0; state->pending.exists && i < state->pending.n_files; i++) {
		const struct state_file *file = &state->pending.files[i];

		json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o}", "file", file->name, "change",
						       change_word(&state->published, file), "bytes",
						       (json_int_t)file->length, "rows", (json_int_t)file->rows,
						       "asPublished", hash_json(&file->published_sha256), "asStored",
						       hash_json(&file->sha256)));
	}
	return files;
}

static json_t *item_json(const struct run *run, const struct waiting_item *item)
{
	const struct outside_waiting *record = &item->record;
	const struct run_dataset *dataset = run_find(run, record->role);
	bool has_data = dataset != NULL && !record->is_renewal && dataset->state->pending.exists;
	char since[NOTATION_TIME_SIZE], expires[NOTATION_TIME_SIZE], code[16];
	json_t *keys = json_array();
	struct refusal why;

	notation_format_time(item->since, since);
	notation_format_time(record->expires, expires);
	snprintf(code, sizeof code, "E%04u", (unsigned)waiting_explain(item, &why));
	for (uint32_t i = 0; i < record->n_keyids; i++)
		json_array_append_new(keys, json_string(record->keyids[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:i, s:i, s:o, s:b, s:o, s:o}", "dataset", record->role,
			 "code", code, "why", why.line, "since", since, "version", (json_int_t)record->version,
			 "expires", record->expires > 0 ? expires : NULL, "signatures", (int)record->valid, "threshold",
			 (int)record->threshold, "keys", keys, "renewal", (int)record->is_renewal, "dataVersion",
			 has_data ? hash_json(&dataset->state->pending.version) : json_null(), "files",
			 has_data ? files_json(dataset->state) : json_array());
}

static void print_json(const struct run *run)
{
	json_t *array = json_array(), *document;

	for (size_t i = 0; i < run->waiting.n_items; i++)
		json_array_append_new(array, item_json(run, &run->waiting.items[i]));
	document = json_pack("{s:s, s:o}", "format", "clapet pending 1", "pending", array);
	if (document == NULL)
		die("out of memory");
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

int pending_run(const struct config *config, bool json)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status = 0;

	if (run_open(config, false, &run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (json)
		print_json(&run);
	else if (run.waiting.n_items == 0)
		printf("nothing waits for a person\n");
	for (size_t i = 0; i < run.waiting.n_items; i++) {
		status = fault_exit_worse(status, fault_exit(waiting_explain(&run.waiting.items[i], &why)));
		if (!json)
			print_item(&run, &run.waiting.items[i]);
	}
	status = fault_exit_worse(run.exit_status, status);
	run_close(&run);
	return status;
}
