/* SPDX-License-Identifier: ISC
 *
 * storeverify: reads a whole store and believes nothing in it but one root: every signature, every hash, every link,
 * every mode, and that there is nothing else. Writes nothing.
 */
#ifndef INSIDE_STOREVERIFY_H
#define INSIDE_STOREVERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Verifies the store at STORE_PATH from the root metadata ROOT (NULL: from the store's own trust/root.json) and prints
 * what it found on stdout, for people or as one JSON object. Enters SANDBOX_TOOL, so that the process can do nothing
 * else afterwards; call hash_init, json_init and sodium_init before. Returns the exit status: 0 all holds, 1 something
 * does not, 2 trouble. Metadata that have expired, blobs that nothing names and what an unfinished import left are
 * notes, no faults. */
int storeverify_run(const char *store_path, const uint8_t *root, size_t root_size, bool json);

#endif
