/* SPDX-License-Identifier: ISC
 *
 * serve_encode: content codings gzip (RFC 1952) and zstd (RFC 8878, a window of at most 8 MiB as RFC 9659 has it), of whole texts and of streams; and
 * the small bodies that are kept in memory, plain and encoded.
 */
#ifndef INSIDE_SERVE_ENCODE_H
#define INSIDE_SERVE_ENCODE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bundle/hash.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/store.h"

/* "identity", "gzip", "zstd". */
const char *serve_coding_name(enum serve_coding coding);
/* Whether a body of that media type becomes smaller. */
bool serve_is_compressible(const char *type);

/* The encoded bytes, from malloc; NULL where they are not fewer, or CODING is SERVE_IDENTITY. */
char *serve_encode(enum serve_coding coding, const void *data, size_t size, size_t *ret_size);

/* A stream that encodes what another one gives: serve_encoder_more is its MORE, serve_encoder_free its DONE, which calls the inner DONE. The inner
 * MORE must not say SERVE_STREAM_LATER. */
struct serve_encoder;
struct serve_encoder *serve_encoder_new(enum serve_coding coding, serve_more *more, void (*done)(void *ctx), void *ctx);
ssize_t serve_encoder_more(void *encoder, char *to, size_t size);
void serve_encoder_free(void *encoder);

/* The whole of a file as a stream: FD is taken. */
struct serve_file_source;
struct serve_file_source *serve_file_source_new(int fd);
ssize_t serve_file_source_more(void *source, char *to, size_t size);
void serve_file_source_free(void *source);

/* A body that answers share. */
struct serve_body {
	_Atomic(unsigned) refs;
	char digest[SHA256_HEX_SIZE]; /* of DATA where it is a text that was made here; "" */
	size_t size;
	char data[];
};
/* A copy of TEXT with its digest; one reference. */
struct serve_body *serve_body_new(const char *text, size_t size);
void serve_body_unref(void *body);

/* Bodies by the digest of their plain bytes and by coding: whoever may read the bytes shares them with all others. */
struct serve_cache;
struct serve_cache *serve_cache_new(void);
void serve_cache_free(struct serve_cache *cache);
/* A reference; NULL: not there. */
struct serve_body *serve_cache_get(struct serve_cache *cache, const char *digest, enum serve_coding coding);
/* A whole answer with its headers, which is sent again as it is to whoever asks under the same KEY: what its headers were made of. Zeroed before
 * it is filled. */
struct serve_answer_key {
	uint64_t generation;
	int64_t modified;
	const char *type;
	char version[STORE_VERSION_SIZE];
	bool is_pinned, is_private, negotiates, names_generation;
};
/* Queues the answer that is kept; false: none is. *RET_SIZE: of its body. */
bool serve_cache_send(struct serve_cache *cache, const char *digest, enum serve_coding coding,
		      const struct serve_answer_key *key, struct MHD_Connection *connection, size_t *ret_size);
/* Keeps RESPONSE, which is taken, beside the body that it sends; where that is not kept it is let go. */
void serve_cache_keep(struct serve_cache *cache, const char *digest, enum serve_coding coding,
		      const struct serve_answer_key *key, struct MHD_Response *response);
/* Keeps a copy of DATA, and returns a reference. */
struct serve_body *serve_cache_put(struct serve_cache *cache, const char *digest, enum serve_coding coding,
				   const void *data, size_t size);

#endif
