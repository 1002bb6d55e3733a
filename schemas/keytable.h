/* SPDX-License-Identifier: ISC
 *
 * keytable: one table read for its keys alone: of a reference into another package either the table that refers or the one
 * that is referred to. Only the cells of the key's columns reach the validation, as their fields' types and missing values
 * make them; constraints and every other rule are somebody else's question.
 *
 *     cog/communes:  keytable_new_target(v, "cog/communes", communes, keys, n, &dialect_plain, &t, &why); feed; finish
 *     villes:        keytable_new_source(v, villes, keys, n, &dialect_plain, &t, &why); feed; finish
 *     validation_end(v): what of villes leads nowhere in cog are the faults of keytable_table(t)
 */
#ifndef SCHEMAS_KEYTABLE_H
#define SCHEMAS_KEYTABLE_H

#include <stddef.h>

#include "base/fault.h"
#include "schemas/package.h"
#include "schemas/validation.h"

struct keytable;

/* TABLE of another package, under the NAME that keys give it ("cog/communes"), for those KEYS of VALIDATION's tables that lead to
 * it. Make it, and read it to its end, before the tables that refer to it, and declare these before (validation_declare). NAME,
 * TABLE and KEYS must outlive it. FAULT_FOREIGN_FIELD where the table lacks a field. */
enum fault keytable_new_target(struct validation *validation, const char *name, const struct resource *table,
			       const struct table_key *const *keys, size_t n_keys, const struct dialect *dialect,
			       struct keytable **ret_keytable, struct refusal *why);
/* RESOURCE, for those KEYS of its schema. It must outlive the keytable. */
enum fault keytable_new_source(struct validation *validation, const struct resource *resource,
			       const struct table_key *const *keys, size_t n_keys, const struct dialect *dialect,
			       struct keytable **ret_keytable, struct refusal *why);
/* The keytable before the validation. */
void keytable_free(struct keytable *keytable);
void keytable_freep(struct keytable **keytable);

/* The table's bytes, in pieces of any size. A fault says that they are no table, or lack a column of the key: then nothing is known
 * of the keys, and that is the caller's to tell. */
enum fault keytable_feed(struct keytable *keytable, const void *data, size_t size, struct refusal *why);
enum fault keytable_finish(struct keytable *keytable, struct refusal *why);

const struct validation_table *keytable_table(const struct keytable *keytable);
const char *keytable_name(const struct keytable *keytable);

#endif
