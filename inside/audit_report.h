/* SPDX-License-Identifier: ISC
 *
 * audit_report: what one report is made of, for its two forms: a page for people and JSON.
 */
#ifndef INSIDE_AUDIT_REPORT_H
#define INSIDE_AUDIT_REPORT_H

#include <inttypes.h>
#include <stdio.h>

#include "inside/audit_trail.h"
#include "inside/audit_words.h"
#include "inside/storeverify_private.h"

struct report {
	FILE *file;
	const char *store; /* its path, as it was written */
	int64_t from, to, made;
	struct trail trail;
	struct storeverify verify; /* the store's metadata, and all findings */
	uint64_t first, end;       /* entries of the period */
	uint64_t counts[AUDIT_CHAPTER_N];
	uint64_t n_bundles, n_in_force;
	struct checkpoint old; /* of --since */
	bool has_old, old_signed;
	bool is_told; /* descriptions were gone through: what is wrong with them is known */
};

/* One file of a version, as it was signed, and as it was published where the version's datapackage.json is still here. Texts are
 * "" where nobody says. */
struct report_file {
	const struct signed_file *file;
	bool is_here;
	bool is_attested; /* an attestation that is here: signed by the dataset's key, about these files */
	char title[256], url[1024], published[80], fetched[64];
};

/* Calls EACH for every file of VERSION of DATASET. False where no signed metadata describe it. */
bool report_each_file(struct report *report, const char *dataset, const char *version,
		      void (*each)(struct report *report, const struct report_file *file, void *ctx), void *ctx);

/* What the person's name is, beside the log; "" where nobody says (any more). */
const char *report_person(const struct report *report, const char *person);

void report_write_html(struct report *report);
void report_write_json(struct report *report);

#endif
