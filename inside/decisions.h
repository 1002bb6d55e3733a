/* SPDX-License-Identifier: ISC
 *
 * decisions: what people decided: waivers (a break that is let in, with who and why) and pins (a dataset that stays where it
 * is). Two documents of the supervisor's own in the store, closed world:
 *
 *     {"format": "clapet waivers 1", "waivers": [{"id": "w1", "application", "dataset", "resource", "field", "rule", "contract",
 *      "version", "fault", "reason", "operator", "date", "until": null, "withdrawn": null}]}
 *     {"format": "clapet pins 1", "pins": [{"dataset", "version", "reason", "operator", "date", "until": null}]}
 *
 * Waivers are never removed: the auditor reads who let what in. `contract` is the SHA-256 of the contract that it was given
 * for ("" for the schema in force and the policy): another contract ends it.
 */
#ifndef INSIDE_DECISIONS_H
#define INSIDE_DECISIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "inside/records.h"
#include "inside/store.h"

#define DECISION_REASON_SIZE 512
#define DECISION_OPERATOR_SIZE 64
#define WAIVER_ID_SIZE 16

struct waiver {
	char id[WAIVER_ID_SIZE];
	struct record_break of; /* application, resource, field, rule, fault */
	char dataset[NOTATION_NAME_SIZE];
	char contract[SHA256_HEX_SIZE];
	char version[STORE_VERSION_SIZE];
	char reason[DECISION_REASON_SIZE];
	char operator[DECISION_OPERATOR_SIZE];
	int64_t date;
	int64_t until;     /* 0: no end */
	int64_t withdrawn; /* 0: not */
};

struct pin {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
	char reason[DECISION_REASON_SIZE];
	char operator[DECISION_OPERATOR_SIZE];
	int64_t date;
	int64_t until; /* 0: no end */
};

struct decisions {
	struct waiver *waivers;
	size_t n_waivers;
	struct pin *pins;
	size_t n_pins;
};

void decisions_clear(struct decisions *decisions);

enum fault decisions_parse_waivers(const void *data, size_t size, struct decisions *decisions, struct refusal *why);
enum fault decisions_parse_pins(const void *data, size_t size, struct decisions *decisions, struct refusal *why);
/* Both documents of the store; a missing one is empty. FAULT_STORE_DAMAGED where one is out of form. */
enum fault decisions_load(int store_fd, struct decisions *decisions, struct refusal *why);
json_t *decisions_waivers_to_json(const struct decisions *decisions);
json_t *decisions_pins_to_json(const struct decisions *decisions);

/* Whether a waiver counts at NOW. */
bool waiver_is_live(const struct waiver *waiver, int64_t now);
/* The live waiver for a break of DATASET under the contract whose hash is CONTRACT ("" for none), or NULL. */
const struct waiver *decisions_waiver_for(const struct decisions *decisions, const char *dataset,
					  const struct record_break *item, const char *contract, int64_t now);
/* Adds a waiver; its id is made here. FAULT_QUOTA past LIMIT_WAIVERS. */
enum fault decisions_add_waiver(struct decisions *decisions, const struct waiver *waiver, const char **ret_id,
				struct refusal *why);
struct waiver *decisions_waiver_by_id(struct decisions *decisions, const char *id);

/* The pin that holds DATASET at NOW, or NULL. */
const struct pin *decisions_pin_for(const struct decisions *decisions, const char *dataset, int64_t now);
/* Puts PIN in the place of any older one of its dataset. */
void decisions_set_pin(struct decisions *decisions, const struct pin *pin);
/* False where there is none. */
bool decisions_remove_pin(struct decisions *decisions, const char *dataset);

#endif
