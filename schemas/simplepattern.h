/* SPDX-License-Identifier: ISC
 *
 * simplepattern: patterns that are nothing but so many characters of such kinds ("^\d{2}\.\d{2}[A-Z]$"), as those of most codes are. It
 * only ever says that a text matches for certain; of every other text, and of every other pattern, PCRE2 decides.
 */
#ifndef SCHEMAS_SIMPLEPATTERN_H
#define SCHEMAS_SIMPLEPATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ASCII characters, a bit each. */
struct character_set {
	uint64_t bits[2];
};

/* NULL where PATTERN has more than ASCII characters, classes of them, \d, {n}, and one level of groups with alternatives; anchors
 * at its ends may stand or not, for patterns match whole cells. */
struct simple_pattern;
struct simple_pattern *simple_pattern_new(const char *pattern, size_t size);
void simple_pattern_free(struct simple_pattern *pattern);

/* True only if PCRE2 would say so, with the options of field_constraints.c. */
bool simple_pattern_matches(const struct simple_pattern *pattern, const char *text, size_t size);

/* Its texts, as sequences of characters of sets: how many, and the length and the sets of one. */
size_t simple_pattern_n_sequences(const struct simple_pattern *pattern);
size_t simple_pattern_sequence(const struct simple_pattern *pattern, size_t i, const struct character_set **ret_sets);

#endif
