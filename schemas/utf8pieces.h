/* SPDX-License-Identifier: ISC
 *
 * utf8pieces: hands on text that arrives in pieces so that no piece ends within a character. It checks nothing: whether the
 * bytes are UTF-8 is for who takes them to say.
 */
#ifndef SCHEMAS_UTF8PIECES_H
#define SCHEMAS_UTF8PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* Zeroed before its first use. What is left in it at the end of the text is the start of a character that was cut. */
struct utf8_pieces {
	uint8_t carry[4];
	size_t carry_size;
};

/* Takes DATA; its first fault ends the feed. SIZE may be 0. */
typedef enum fault utf8_taker(void *ctx, const uint8_t *data, size_t size, struct refusal *why);

/* Passes DATA on, after what the last piece left, but for the start of a character at its end. A byte that begins no
 * character passes by itself. */
enum fault utf8_pieces_feed(struct utf8_pieces *pieces, const void *data, size_t size, utf8_taker *take, void *ctx,
			    struct refusal *why);

#endif
