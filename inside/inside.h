/* SPDX-License-Identifier: ISC
 *
 * inside: what one run of clapet-inside holds open: configuration, contracts, policy, folders, the lock, the people's
 * decisions, and the events that are still to be logged.
 */
#ifndef INSIDE_INSIDE_H
#define INSIDE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/worker.h"
#include "bundle/notation.h"
#include "inside/config.h"
#include "inside/decisions.h"
#include "inside/logbook.h"
#include "inside/policy.h"
#include "inside/records.h"

/* One contract, as bytes: parsed once for its two names, handed to inside-check as it was read. */
struct contract_file {
	char application[NOTATION_NAME_SIZE];
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 sha256;
	uint8_t *data;
	size_t size;
};

struct inside {
	struct inside_config *config;
	struct policy *policy;
	struct contract_file *contracts; /* sorted by application, then dataset */
	size_t n_contracts;
	int store_fd;
	int incoming_fd; /* -1 until inside_open_work */
	int spool_fd;
	int lock_fd;
	int64_t now;
	struct decisions decisions;
	bool has_access;             /* access.json is named, and could be read */
	struct sha256 access_sha256; /* of its bytes, for the log: an import does not depend on what they say */
	struct record_event *events;
	size_t n_events;
	struct logbook logbook;
	json_t *hook_facts; /* of generations that hooks are still to be told of (hooks.h); NULL: none */
	/* How many versions are to be checked after the next one; the worker that was started ahead for it, and when (crew_start_check). */
	size_t n_checks_ahead;
	struct worker spare_check;
	int64_t spare_since;
};

#define INSIDE_NEW                                                                                                     \
	{                                                                                                              \
		.store_fd = -1, .incoming_fd = -1, .spool_fd = -1, .lock_fd = -1, .spare_check = WORKER_NONE           \
	}

void inside_close(struct inside *inside);

/* The configuration alone. */
enum fault inside_configure(const char *path, struct inside *inside, struct refusal *why);
/* Policy and contracts: before the first bundle is opened. */
enum fault inside_load_rules(struct inside *inside, struct refusal *why);
/* The same, but every fault is told, a file each, and the good contracts are there in the end. */
typedef void inside_tell(void *ctx, const struct refusal *why);
enum fault inside_check_rules(struct inside *inside, inside_tell *tell, void *ctx);
/* The store, for reading. */
enum fault inside_open_store(struct inside *inside, struct refusal *why);
/* Takes the lock, waiting up to WAIT seconds (FAULT_LOCKED), opens incoming/ and spool/, empties spool/. */
enum fault inside_open_folders(struct inside *inside, int64_t wait, struct refusal *why);
/* The same, and reads the decisions of the open store. */
enum fault inside_open_work(struct inside *inside, int64_t wait, struct refusal *why);
void inside_unlock(struct inside *inside);

/* The SHA-256 of the contract of APPLICATION for DATASET in hex, "" where there is none. */
void inside_contract_hash(const struct inside *inside, const char *application, const char *dataset,
			  char hex[SHA256_HEX_SIZE]);

/* Notes an event for the log; DATASET "" where it is of none. What is returned is good until the next one is noted. */
struct record_event *inside_event(struct inside *inside, const char *event, const char *dataset, enum fault fault,
				  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same for what a person decided, who appears by a pseudonym. */
struct record_event *inside_event_by(struct inside *inside, const char *event, const char *dataset, const char *person,
				     enum fault fault, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Who gives the command: NAME if given, the account behind sudo, or our own. */
void inside_operator(const char *name, char operator[DECISION_OPERATOR_SIZE]);

#endif
