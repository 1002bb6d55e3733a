/* SPDX-License-Identifier: ISC
 *
 * check: the judgement of one version of a dataset, in the worker inside-check. Request (what came over the socket), read (one file:
 * decoded or re-hashed), table (rows into validation and contracts), contract (what applications were promised),
 * answer (records and the report); resolve (keys that lead to another dataset's version) is a question of its own. inside/check.c is the worker's main; check_run is all behind its sandbox.
 */
#ifndef INSIDE_CHECK_H
#define INSIDE_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/blob.h"
#include "bundle/notation.h"
#include "inside/records.h"
#include "schemas/compat.h"
#include "schemas/contract.h"
#include "schemas/copiedrows.h"
#include "schemas/package.h"
#include "schemas/validation.h"

/* --- request ---------------------------------------------------------------------------------------------------- */

/* One file of the version. */
struct check_file {
	struct record_target target;
	bool is_object; /* a plain file of the store; otherwise it is to be decoded */
	int fd;         /* the object, or the output */
	struct blob_part *parts;
	int *part_fds;
	uint32_t n_parts; /* received so far */
	/* Of a patch. */
	bool base_is_output; /* it is to be decoded first; otherwise a plain file of the store */
	int base_fd;         /* -1: none; where the base is another file's, too, it is that one's output */
	bool base_is_others; /* of a file before, which frees what is shared */
	bool *base_is_here;  /* shared: it was decoded; NULL where it is no output */
	bool base_is_good;   /* as a table, in every row, by what BASE_GOOD_BY says */
	struct sha256 base_good_by;
	struct blob_part *base_parts;
	int *base_part_fds;
	uint32_t n_base_parts; /* received so far */
};

struct check_contract_file {
	char application[NOTATION_NAME_SIZE]; /* as configured */
	int fd;
};

struct check_request {
	struct record_version version;
	/* Whether its keys fit another dataset is asked: then FILES are plain tables of both, by their resources' names. */
	bool is_resolve;
	bool is_rebuild; /* only the bytes of FILES are asked for */
	struct record_version reference;
	int package_fd, reference_fd; /* the two datapackage.json */
	struct check_file *files;
	size_t n_files;
	struct check_contract_file *contracts;
	size_t n_contracts;
	int in_force_fd; /* -1: no version is in force */
	int report_fd;   /* -1: no report is wanted */
	int spill_fd;
	uint64_t key_memory;
	size_t n_fds;
};

/* Everything up to RECORD_GO, or death: the supervisor is ours. */
void check_request_receive(int sock, struct check_request *ret_request);
void check_request_clear(struct check_request *request);
const struct check_file *check_request_file(const struct check_request *request, const char *name);
/* Of two datasets: the table of DATASET that is called NAME, or NULL. */
const struct check_file *check_request_table(const struct check_request *request, const char *dataset,
					     const char *name);

/* --- read ------------------------------------------------------------------------------------------------------- */

/* The plain bytes of FILE into SINK: a target is decoded (its base before it, where that is no object yet) and written to its output on
 * the way, an object is read; both are hashed. FAULT_NONE: the bytes were the signed ones, to the last. FAULT_BASE_DAMAGED: not the
 * version's fault. */
enum fault check_read(const struct check_file *file, blob_sink *sink, void *ctx, struct refusal *why);
/* The same; where it is decoded from a patch COPIED is told what it has of its base. */
enum fault check_read_copied(const struct check_file *file, struct copied_rows *copied, blob_sink *sink, void *ctx,
			     struct refusal *why);
/* All of it, at most LIMIT bytes, in a new buffer. */
enum fault check_load(const struct check_file *file, size_t limit, uint8_t **ret_data, size_t *ret_size,
		      struct refusal *why);

/* --- answer ----------------------------------------------------------------------------------------------------- */

struct check_answer {
	int sock;
	json_t *breaks; /* of the report */
	size_t n_breaks;
};

/* One reason to hold; all kinds that this worker sends can be approved. APPLICATION "" where it is no contract's. FAULT_ROWS past
 * LIMIT_BREAKS: a person cannot waive what was not listed. */
enum fault check_answer_break(struct check_answer *answer, enum fault fault, const char *application,
			      const char *resource, const char *field, const char *rule, const char *line,
			      struct refusal *why);
/* The same with what the reader's team asks next. */
struct check_detail {
	const char *was, *is; /* what was promised, what is; "" where there is nothing */
	uint64_t row;         /* the first at fault; 0: none */
	const char *value;    /* its cell, escaped; "" */
};
enum fault check_answer_break_detailed(struct check_answer *answer, enum fault fault, const char *application,
				       const char *resource, const char *field, const char *rule, const char *line,
				       const struct check_detail *detail, struct refusal *why);
void check_answer_plain(struct check_answer *answer, const struct check_file *file);
/* The plain file of that digest is a table in which BY finds no fault and nothing to warn of. */
void check_answer_good(struct check_answer *answer, const struct sha256 *sha256, const struct sha256 *by);

/* A document that says TEXT; where TEXT is not UTF-8 its bytes are escaped. New reference. */
json_t *check_json_text(const char *text);

/* --- contract --------------------------------------------------------------------------------------------------- */

/* One contract's word on one table of the new version: the fields that only the data decide, run on the same rows. */
struct contract_run {
	const char *application; /* "*": the schema in force */
	const char *resource;
	enum contract_match match;
	bool is_target;            /* only what another run's references lead to */
	struct schema *schema;     /* owned: those fields alone */
	size_t *positions;         /* in the reader's own schema, for match by position */
	char *name;                /* owned: "paie: communes", for the report */
	struct rule_levels levels; /* owned: of "*" alone, what the version in force let through */
	struct validation_table *table;
};

/* What all applications were promised of this dataset. */
struct check_contracts {
	struct contract **contracts; /* of this dataset */
	size_t n_contracts;
	struct package *in_force; /* NULL: none */
	struct contract_run *runs;
	size_t n_runs;
	struct validation *validation; /* of the runs */
	struct spill *spill;           /* borrowed: where their keys go past a bound; NULL: no bound */
};

/* Parses contracts (FAULT_CONTRACT) and the package in force (FAULT_STORE_DAMAGED). */
enum fault check_contracts_load(const struct check_request *request, struct check_contracts *contracts,
				struct refusal *why);
/* Compares schemas: sends what is broken already, prepares the runs for what the rows decide. */
enum fault check_contracts_compare(struct check_contracts *contracts, const struct package *package,
				   struct check_answer *answer, struct refusal *why);
/* What one resource was promised against what is there now (NULL: gone). */
void check_contract_compare(const struct contract_resource *promised, const struct resource *now,
			    const struct compat_reader *reader, struct compat_result *ret_result);
/* Whether its rows are known to break its own schema, which its publisher let through. */
bool check_resource_is_let_through(const struct resource *resource);
/* One run of what the data decide in RESULT: SCHEMA, a reader's, cut down to those fields. The texts must outlive it. */
void check_contracts_add_run(struct check_contracts *contracts, const char *application, const char *resource,
			     enum contract_match match, const struct schema *schema,
			     const struct compat_result *result);
/* Makes the tables of the runs: after the last was added, before the first row. */
void check_contracts_begin(struct check_contracts *contracts);
/* The rows of one run: the header first. */
void contract_run_header(struct contract_run *run, const struct cell *cells, size_t n_cells);
void contract_run_row(struct contract_run *run, const struct cell *cells, size_t n_cells,
		      const struct row_position *position);
/* After the last row of every table: breaks of the runs, and of the guard rails. ROWS(ctx, name) tells a resource's rows, -1 where it is
 * no table. */
enum fault check_contracts_end(struct check_contracts *contracts, int64_t (*rows)(void *ctx, const char *resource),
			       void *ctx, struct check_answer *answer, struct refusal *why);
void check_contracts_clear(struct check_contracts *contracts);

/* The breaks of one validated table: one for each kind of fault and field. */
enum fault check_table_breaks(const struct validation_table *table, enum fault fault, const char *application,
			      const char *resource, struct check_answer *answer, struct refusal *why);

/* --- tolerated -------------------------------------------------------------------------------------------------- */

/* How far what is let through may grow past what is in force where nobody declared what they read: what an outside's baseline has by default. */
#define TOLERATED_GROWTH_PERCENT 10
#define TOLERATED_GROWTH_ROWS 10

/* The resource's clapet.tolerated as levels; none where there is none. FAULT_VERSION_FORM. */
enum fault check_tolerated_load(const struct resource *resource, struct rule_levels *ret_levels, struct refusal *why);
/* A break for each of LEVELS of which TABLE has more; WHO says how many pass. */
enum fault check_tolerated_breaks(const struct validation_table *table, const struct rule_levels *levels,
				  enum fault fault, const char *application, const char *resource, const char *who,
				  struct check_answer *answer, struct refusal *why);
/* RECORD_TOLERATED for each kind that was let through; of columns that look personal (rule_is_personal), which are no matter of rows, what LEVELS claims. */
void check_tolerated_answer(const struct validation_table *table, const struct rule_levels *levels,
			    const char *resource, struct check_answer *answer);
/* Whether the package says that rows of the resource break its schema. */
bool check_tolerated_is_of_rows(const struct resource *resource);
/* What the same resource of the version in force (may be NULL) let through, as levels with room to grow. */
void check_tolerated_in_force(const struct resource *in_force, struct rule_levels *ret_levels);

/* --- table ------------------------------------------------------------------------------------------------------ */

/* One resource of the version. */
struct check_resource {
	const struct resource *resource;
	const struct check_file *file;
	struct validation_table *table; /* NULL: no table */
	struct check_contracts *contracts;
	bool is_checked;              /* a table or JSON; otherwise it counts as opaque */
	uint64_t spared;              /* bytes among which rows were not judged again */
	struct rule_levels tolerated; /* owned: what the package says that it let through */
};

/* Whether the bytes can be judged here: a table in UTF-8, or JSON. */
bool check_resource_is_table(const struct resource *resource);
bool check_resource_is_json(const struct resource *resource);
/* What its rows are judged by, but for keys and custom checks: this program and the schema. False: that does not say all. */
bool check_resource_judged_by(const struct check_resource *resource, struct sha256 *ret_by);
/* After it was read: tells what of its plain file, and of its base, the next version need not look at again. */
void check_resource_answer_good(const struct check_resource *resource, struct check_answer *answer);
/* Reads the file through whatever fits the resource. A fault is final: bytes, form, never rows. */
enum fault check_resource_read(struct check_resource *resource, struct refusal *why);

/* Columns that contracts forbid in a table that was read: a break for each. */
enum fault check_personal(const struct check_contracts *contracts, const struct check_resource *checked,
			  struct check_answer *answer, struct refusal *why);

/* --- attestations ------------------------------------------------------------------------------------------------- */

/* Both attestations of the version, or none of them: FAULT_ENVELOPE_FORM, FAULT_ATTESTATION_FORM, _SUBJECT, _FAILED. Whether none is
 * enough is the policy's question. */
enum fault check_attestations(const struct check_request *request, const struct package *package,
			      struct check_answer *answer, struct refusal *why);

/* --- documents of ours, and the whole ---------------------------------------------------------------------------- */

/* The signed status.json: RECORD_FACTS, a RECORD_SOURCE each. Closed world. */
enum fault check_status(const struct check_request *request, struct check_answer *answer, struct refusal *why);
/* withdrawn.json: RECORD_FACTS with the reason as title. Closed world. */
enum fault check_withdrawal(const struct check_request *request, struct check_answer *answer, struct refusal *why);
/* A version with its datapackage.json. */
enum fault check_version(const struct check_request *request, struct check_answer *answer, struct refusal *why);

/* Whether the keys of the version lead somewhere in the other: a break of FAULT_FOREIGN_KEY for each field of which some do not. */
enum fault check_resolve(const struct check_request *request, struct check_answer *answer, struct refusal *why);

/* The files of an older version, and nothing said of them but that their bytes are the signed ones. */
enum fault check_rebuild(const struct check_request *request, struct check_answer *answer, struct refusal *why);

/* Receives the request, judges, answers. What the worker does behind its sandbox. */
void check_run(int sock);

#endif
