/* SPDX-License-Identifier: ISC
 *
 * oneprocess: the inside with its workers in one process, at a time of the test's, without waiting for a disk.
 */
#ifndef TESTS_SIMULATE_ONEPROCESS_H
#define TESTS_SIMULATE_ONEPROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* What time(2) says from now on. */
void oneprocess_set_time(int64_t time);
/* Whether inside-log is what it is (as at the start), or one that takes everything and writes nothing: it is a quarter of an import. */
void oneprocess_set_log(bool is_real);
/* How many fsync, fdatasync and syncfs were asked for. */
uint64_t oneprocess_syncs(void);

#endif
