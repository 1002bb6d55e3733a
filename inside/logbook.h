/* SPDX-License-Identifier: ISC
 *
 * logbook: what stands beside the audit log's tree, and is not proved by it: whose the pseudonyms are, and what the log said last of
 * configuration and rules, so that a change is told once (closed world):
 *
 *     log/people.json   {"format": "clapet log people 1", "next": 3, "people": [{"id": "p1", "name": "jeanne"}, …]}
 *     log/memory.json   {"format": "clapet log memory 1", "began": "…", "taken": null | "…", "takenSize": 0, "inForce": {"cog": "<version>"},
 *                        "program": "0.1.0 <hex>", "configuration": hex, "policy": hex, "access": hex, "contracts": {"paie for cog": hex}}
 *
 * The supervisor composes both, inside-log puts them as bytes. A row of people.json may go (`forget-person`): the tree never held it.
 */
#ifndef INSIDE_LOGBOOK_H
#define INSIDE_LOGBOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "inside/records.h"

struct inside;
struct generation;

/* NULL: not read yet. */
struct logbook {
	json_t *people;
	json_t *memory;
	bool people_changed;
	bool memory_changed;
	int64_t clock_offset; /* wall clock less the time since boot, in seconds, as it was last; 0: not asked yet */
};

void logbook_clear(struct logbook *logbook);

/* Puts the pseudonym of the person of NAME into EVENT; a new one where the name has none. */
void logbook_set_person(struct inside *inside, struct record_event *event, const char *name);
/* The name behind a pseudonym; NULL where it is unknown or was erased. Borrowed. */
const char *logbook_name(struct inside *inside, const char *person);
/* Erases the name. FAULT_NO_SUCH. */
enum fault logbook_forget(struct inside *inside, const char *person, struct refusal *why);

/* Notes an event for each change of configuration, policy, contracts, program, for what came in force in a run that was cut off
 * before it could tell, and for a clock that jumped since this process
 * asked last or that is behind the log's last entry. Asks nothing where the rules are not loaded. */
void logbook_compare(struct inside *inside);

/* The log will have told of all that came in force, and left, up to GENERATION. */
void logbook_note_generation(struct inside *inside, const struct generation *generation);

/* When a checkpoint was taken out last, and of how many entries; 0: never. Since when the log is there; 0: it is not. */
int64_t logbook_taken(struct inside *inside);
int64_t logbook_began(struct inside *inside);
/* What `status` says of the log: a log that cannot be believed, or FAULT_LOG_CHECKPOINT_DUE. FAULT_NONE also where there is none yet,
 * or this account may not look. RET_SIZE: its entries. */
enum fault logbook_judge(struct inside *inside, uint64_t *ret_size, struct refusal *why);
void logbook_note_taken(struct inside *inside, uint64_t size);

#endif
