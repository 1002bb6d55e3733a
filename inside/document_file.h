/* SPDX-License-Identifier: ISC
 *
 * document_file: a schema, a package or a contract that somebody names by its path, and the folder beside it, in which a package may
 * name its schemas. Opened before power is dropped, parsed after.
 */
#ifndef INSIDE_DOCUMENT_FILE_H
#define INSIDE_DOCUMENT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/json.h"
#include "schemas/warnings.h"

struct document_file {
	uint8_t *data; /* owned */
	size_t size;
	int folder_fd; /* -1: none */
};

#define DOCUMENT_FILE_NONE                                                                                             \
	{                                                                                                              \
		NULL, 0, -1                                                                                            \
	}

/* At most LIMIT_PACKAGE_SIZE bytes; FAULT_FILE with what the machine says. FILE is cleared by the caller in any case. */
enum fault document_file_open(const char *path, struct document_file *file, struct refusal *why);
void document_file_clear(struct document_file *file);

/* A schema that a package names by path, read beneath the folder of CTX, a struct document_file: package_parse's `load_schema`. */
enum fault document_file_load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
				     struct refusal *why);

#endif
