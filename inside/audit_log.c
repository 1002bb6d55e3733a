/* SPDX-License-Identifier: ISC
 *
 * audit_log: verifies a log whole, holds it against an older checkpoint, and prints its history or proofs of single entries.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "bundle/progress.h"
#include "inside/audit.h"
#include "inside/audit_words.h"

#define BASE64_SHA256_SIZE 45

struct log_run {
	struct trail trail;
	struct findings findings;
	struct checkpoint old; /* of --since */
	bool has_old, old_signed;
	uint64_t first, end; /* entries to print */
};

static void base64_of(const struct sha256 *hash, char text[BASE64_SHA256_SIZE])
{
	sodium_bin2base64(text, BASE64_SHA256_SIZE, hash->bytes, SHA256_SIZE, sodium_base64_VARIANT_ORIGINAL);
}

/* --- judging --------------------------------------------------------------------------------------------------------- */

static void choose_entries(struct log_run *run)
{
	uint64_t size = log_reader_head(run->trail.reader)->size;
	const char *entry = audit_entry();
	int64_t from, to;
	char *end;

	run->end = size;
	if (entry != NULL) {
		run->first = strtoull(entry, &end, 10);
		if (*entry < '0' || *entry > '9' || *end != '\0')
			die_usage("--entry %s: a number, from 0", entry);
		if (run->first >= size)
			die("--entry %s: the log has %" PRIu64 " entries, the first is 0", entry, size);
		run->end = run->first + 1;
	} else if (audit_has_range()) {
		audit_demand_range(&from, &to);
		trail_range(&run->trail, from, to, &run->first, &run->end, &run->findings);
	}
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

static bool print_entry(void *ctx, uint64_t index, const struct log_entry *entry)
{
	const struct log_run *run = ctx;
	const char *name = trail_person(&run->trail, entry->person);
	char time[64], reason[FAULT_LINE_SIZE], shown[200], line[2 * FAULT_LINE_SIZE];

	progress_end(); /* from here on the lines show it */
	text_escape(name, strlen(name), shown, sizeof(shown));
	text_escape(entry->line, strlen(entry->line), line, sizeof(line));
	notation_format_local(entry->time, time, sizeof(time));
	audit_reason(entry, reason, sizeof(reason));
	printf("%6" PRIu64 "  %s  %-17s %s%s%s", index, time, audit_words(entry), entry->dataset,
	       entry->dataset[0] == '\0' ? "" : ": ", line);
	if (entry->person[0] != '\0')
		printf("  by %s%s%s%s", entry->person, shown[0] == '\0' ? "" : " (", shown,
		       shown[0] == '\0' ? "" : ")");
	putchar('\n');
	if (reason[0] != '\0')
		printf("        %s\n", reason);
	if (entry->sha256[0] != '\0' && strstr(entry->line, entry->sha256) == NULL)
		printf("        sha256:%s\n", entry->sha256);
	return true;
}

static void print_inclusion_line(struct log_run *run)
{
	const struct checkpoint *head = log_reader_head(run->trail.reader);
	struct tlog_source source = log_reader_source(run->trail.reader);
	struct tlog_proof proof;
	struct tile_entry bytes = {NULL, 0};
	struct sha256 leaf;
	struct refusal why;

	if (log_reader_bytes(run->trail.reader, run->first, &bytes, &why) != FAULT_NONE ||
	    tlog_prove_inclusion(&source, head->size, run->first, &proof, &why) != FAULT_NONE) {
		findings_add(&run->findings, &why);
		return;
	}
	tlog_leaf_hash(bytes.data, bytes.size, &leaf);
	if (tlog_verify_inclusion(head->size, run->first, &leaf, &proof, &head->root))
		printf("proved       entry %" PRIu64
		       " is in the tree that was signed, by %zu hashes (--proof prints them)\n",
		       run->first, proof.n_hashes);
	else
		findings_fault(&run->findings, FAULT_LOG_DISAGREES,
			       "entry %" PRIu64 ": its proof does not lead to the root", run->first);
}

static void print_people(struct log_run *run)
{
	const struct checkpoint *head = run->trail.reader == NULL ? NULL : log_reader_head(run->trail.reader);
	char root[BASE64_SHA256_SIZE];

	printf("log          %s\n", run->trail.path);
	if (head != NULL) {
		base64_of(&head->root, root);
		printf("checkpoint   %s, %" PRIu64 " entries, root %s\n", head->origin, head->size, root);
	}
	if (run->has_old)
		printf("since        it continues the checkpoint of %" PRIu64 " entries%s\n", run->old.size,
		       run->old_signed ? "" : ", which is unsigned as it was given: your own paper stands for it");
	if (run->trail.is_whole) {
		if (audit_entry() != NULL)
			print_inclusion_line(run);
		trail_each(&run->trail, run->first, run->end, print_entry, run, &run->findings);
	}
	progress_end();
	findings_print(&run->findings, stdout);
	puts(run->findings.n_faults == 0 ? "Everything holds." : "This log does not hold.");
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

static void print_hashes(const struct tlog_proof *proof)
{
	char text[BASE64_SHA256_SIZE];

	fputs("\"hashes\": [", stdout);
	for (size_t i = 0; i < proof->n_hashes; i++) {
		base64_of(&proof->hashes[i], text);
		printf("%s\"%s\"", i == 0 ? "" : ", ", text);
	}
	putchar(']');
}

static void print_inclusion_proof(struct log_run *run)
{
	const struct checkpoint *head = log_reader_head(run->trail.reader);
	struct tlog_source source = log_reader_source(run->trail.reader);
	_cleanup_free_ char *entry = NULL;
	struct tlog_proof proof;
	struct tile_entry bytes = {NULL, 0};
	struct refusal why;

	if (tlog_prove_inclusion(&source, head->size, run->first, &proof, &why) != FAULT_NONE ||
	    log_reader_bytes(run->trail.reader, run->first, &bytes, &why) != FAULT_NONE) {
		findings_add(&run->findings, &why);
		return;
	}
	entry = xmalloc(bytes.size + 1);
	memcpy(entry, bytes.data, bytes.size);
	entry[bytes.size] = '\0';
	printf("{\"format\": \"clapet log inclusion proof 1\", \"index\": %" PRIu64 ", \"entry\": ", run->first);
	notation_json_string(stdout, entry);
	fputs(",\n ", stdout);
	print_hashes(&proof);
	fputs(",\n \"checkpoint\": ", stdout);
	notation_json_string(stdout, log_reader_note(run->trail.reader));
	fputs("}\n", stdout);
}

static void print_consistency_proof(struct log_run *run)
{
	struct tlog_proof proof = {.n_hashes = 0};
	char root[BASE64_SHA256_SIZE];
	struct refusal why;

	if (log_reader_extends(run->trail.reader, &run->old, &proof, &why) != FAULT_NONE) {
		findings_add(&run->findings, &why);
		return;
	}
	base64_of(&run->old.root, root);
	printf("{\"format\": \"clapet log consistency proof 1\", \"oldSize\": %" PRIu64 ", \"oldRoot\": \"%s\",\n ",
	       run->old.size, root);
	print_hashes(&proof);
	fputs(",\n \"checkpoint\": ", stdout);
	notation_json_string(stdout, log_reader_note(run->trail.reader));
	fputs("}\n", stdout);
}

static bool print_json_entry(void *ctx, uint64_t index, const struct log_entry *entry)
{
	char text[LIMIT_LOG_ENTRY_SIZE];

	(void)ctx;
	log_entry_format(entry, text);
	printf("{\"index\": %" PRIu64 ", \"entry\": %s}\n", index, text);
	return true;
}

/* One object a line: on the log, then each fault, each note, each entry. */
static void print_json(struct log_run *run)
{
	const struct checkpoint *head = run->trail.reader == NULL ? NULL : log_reader_head(run->trail.reader);
	char root[BASE64_SHA256_SIZE] = "";

	if (head != NULL)
		base64_of(&head->root, root);
	fputs("{\"format\": \"clapet log verification 1\", \"log\": ", stdout);
	notation_json_string(stdout, run->trail.path);
	printf(", \"valid\": %s, \"origin\": ", run->findings.n_faults == 0 ? "true" : "false");
	notation_json_string(stdout, head == NULL ? "" : head->origin);
	printf(", \"size\": %" PRIu64 ", \"root\": \"%s\"", head == NULL ? 0 : head->size, root);
	if (run->has_old)
		printf(", \"since\": {\"size\": %" PRIu64 ", \"signed\": %s}", run->old.size,
		       run->old_signed ? "true" : "false");
	printf(", \"nFaults\": %zu, \"nNotes\": %zu}\n", run->findings.n_faults, run->findings.n_notes);
	audit_print_findings(&run->findings);
	if (run->trail.is_whole)
		trail_each(&run->trail, run->first, run->end, print_json_entry, run, &run->findings);
	progress_end();
}

static void print_proof(struct log_run *run)
{
	if (run->findings.n_faults == 0 && audit_entry() != NULL)
		print_inclusion_proof(run);
	if (run->findings.n_faults == 0 && run->has_old)
		print_consistency_proof(run);
	progress_end();
	findings_print(&run->findings, stderr);
}

/* --- the run --------------------------------------------------------------------------------------------------------- */

int audit_run_log(int argc, char **argv)
{
	_cleanup_free_ uint8_t *since = NULL;
	struct log_run run = {.trail = TRAIL_NONE};
	struct sandbox_folder folder = {-1, SANDBOX_READ};
	struct audit_keys texts = {.n_texts = 0};
	struct trail_keys keys;
	size_t since_size = 0;
	int status;

	if (argc != 1)
		die_usage("one LOG: a log's folder, or a store");
	if (audit_wants_proof() && audit_entry() == NULL && !audit_has_since())
		die_usage("--proof is of --entry N, or of --since FILE");
	audit_load_keys(&texts);
	since = audit_load_since(&since_size);
	trail_find(argv[0], &run.trail);
	folder.fd = run.trail.folder_fd;
	audit_enter_sandbox(&folder, 1);
	audit_parse_keys(&texts, &keys);
	if (trail_open(&run.trail, &keys, &run.findings)) {
		choose_entries(&run);
		if (since != NULL)
			run.has_old = trail_extends(&run.trail, since, since_size, &keys, &run.old, &run.old_signed,
						    &run.findings);
		trail_verify(&run.trail, &run.findings);
		trail_load_people(&run.trail, &run.findings);
	}
	if (audit_wants_proof())
		print_proof(&run);
	else if (audit_wants_json())
		print_json(&run);
	else
		print_people(&run);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	status = findings_exit(&run.findings);
	findings_clear(&run.findings);
	trail_clear(&run.trail);
	return status;
}
