/* SPDX-License-Identifier: ISC
 *
 * serve_encode: see serve_encode.h.
 */
#include "inside/serve_encode.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"

/* Of what is kept and sent often, and of what is encoded while it is sent. */
#define ZSTD_LEVEL_KEPT 6
#define ZSTD_LEVEL_STREAM 1
#define GZIP_LEVEL_KEPT 6
#define GZIP_LEVEL_STREAM 1
/* RFC 9659: 8 MiB at most. One of 1 MiB keeps the memory of many streams small. */
#define ZSTD_WINDOW_LOG 20
#define GZIP_WINDOW (15 + 16) /* zlib's sign for gzip's head and trailer */
#define INPUT_SIZE ((size_t)64 << 10)

const char *serve_coding_name(enum serve_coding coding)
{
	static const char *const names[SERVE_N_CODINGS] = {"identity", "gzip", "zstd"};

	return names[coding];
}

bool serve_is_compressible(const char *type)
{
	/* A stream of events is flushed as it comes. */
	if (strncmp(type, "text/event-stream", 17) == 0)
		return false;
	return strncmp(type, "text/", 5) == 0 || strstr(type, "json") != NULL || strstr(type, "xml") != NULL ||
	       strstr(type, "javascript") != NULL;
}

/* --- whole ------------------------------------------------------------------------------------------------------------- */

static size_t gzip_whole(const void *data, size_t size, char *to, size_t room)
{
	z_stream stream = {.next_in = (z_const Bytef *)data,
			   .avail_in = (uInt)size,
			   .next_out = (Bytef *)to,
			   .avail_out = (uInt)room};
	int r;

	if (deflateInit2(&stream, GZIP_LEVEL_KEPT, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die("zlib: out of memory");
	r = deflate(&stream, Z_FINISH);
	deflateEnd(&stream);
	return r == Z_STREAM_END ? room - stream.avail_out : 0;
}

char *serve_encode(enum serve_coding coding, const void *data, size_t size, size_t *ret_size)
{
	_cleanup_free_ char *to = NULL;
	size_t n;

	if (coding == SERVE_IDENTITY || size < 64 || size > UINT32_MAX / 2)
		return NULL;
	/* There is room for what is smaller, and for nothing else. */
	to = xmalloc(size);
	if (coding == SERVE_GZIP) {
		n = gzip_whole(data, size, to, size - 1);
	} else {
		n = ZSTD_compress(to, size - 1, data, size, size > INPUT_SIZE ? ZSTD_LEVEL_STREAM : ZSTD_LEVEL_KEPT);
		n = ZSTD_isError(n) ? 0 : n;
	}
	if (n == 0)
		return NULL;
	*ret_size = n;
	return steal_pointer(&to);
}

/* --- streams ----------------------------------------------------------------------------------------------------------- */

struct serve_encoder {
	enum serve_coding coding;
	serve_more *more;
	void (*done)(void *ctx);
	void *ctx;
	z_stream gzip;
	ZSTD_CCtx *zstd;
	size_t n_in, at_in; /* what of INPUT is not encoded yet: from AT_IN to N_IN */
	bool is_last;       /* the inner stream ended */
	bool is_over;
	char input[INPUT_SIZE];
};

struct serve_encoder *serve_encoder_new(enum serve_coding coding, serve_more *more, void (*done)(void *ctx), void *ctx)
{
	struct serve_encoder *encoder = xmalloc(sizeof(*encoder));

	memset(encoder, 0, offsetof(struct serve_encoder, input));
	encoder->coding = coding;
	encoder->more = more;
	encoder->done = done;
	encoder->ctx = ctx;
	if (coding == SERVE_GZIP) {
		if (deflateInit2(&encoder->gzip, GZIP_LEVEL_STREAM, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK)
			die("zlib: out of memory");
		return encoder;
	}
	encoder->zstd = ZSTD_createCCtx();
	if (encoder->zstd == NULL)
		die("zstd: out of memory");
	ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL_STREAM);
	ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_windowLog, ZSTD_WINDOW_LOG);
	ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_checksumFlag, 1);
	return encoder;
}

void serve_encoder_free(void *ctx)
{
	struct serve_encoder *encoder = ctx;

	if (encoder->done != NULL)
		encoder->done(encoder->ctx);
	if (encoder->coding == SERVE_GZIP)
		deflateEnd(&encoder->gzip);
	ZSTD_freeCCtx(encoder->zstd);
	free(encoder);
}

/* Encodes from INPUT to TO; the bytes written, or -1. */
static ssize_t encode_some(struct serve_encoder *encoder, char *to, size_t size)
{
	ZSTD_inBuffer in = {encoder->input, encoder->n_in, encoder->at_in};
	ZSTD_outBuffer out = {to, size, 0};
	size_t left;
	int r;

	if (encoder->coding == SERVE_GZIP) {
		encoder->gzip.next_in = (Bytef *)encoder->input + encoder->at_in;
		encoder->gzip.avail_in = (uInt)(encoder->n_in - encoder->at_in);
		encoder->gzip.next_out = (Bytef *)to;
		encoder->gzip.avail_out = (uInt)size;
		r = deflate(&encoder->gzip, encoder->is_last ? Z_FINISH : Z_NO_FLUSH);
		encoder->at_in = encoder->n_in - encoder->gzip.avail_in;
		encoder->is_over = r == Z_STREAM_END;
		return r == Z_STREAM_ERROR ? -1 : (ssize_t)(size - encoder->gzip.avail_out);
	}
	left = ZSTD_compressStream2(encoder->zstd, &out, &in, encoder->is_last ? ZSTD_e_end : ZSTD_e_continue);
	encoder->at_in = in.pos;
	if (ZSTD_isError(left))
		return -1;
	encoder->is_over = encoder->is_last && left == 0;
	return (ssize_t)out.pos;
}

ssize_t serve_encoder_more(void *ctx, char *to, size_t size)
{
	struct serve_encoder *encoder = ctx;

	while (!encoder->is_over) {
		ssize_t n;

		if (encoder->at_in == encoder->n_in && !encoder->is_last) {
			n = encoder->more(encoder->ctx, encoder->input, sizeof(encoder->input));
			if (n < 0)
				return SERVE_STREAM_ERROR;
			encoder->is_last = n == 0;
			encoder->n_in = (size_t)n;
			encoder->at_in = 0;
		}
		n = encode_some(encoder, to, size);
		if (n != 0)
			return n < 0 ? SERVE_STREAM_ERROR : n;
	}
	return 0;
}

struct serve_file_source {
	int fd;
	uint64_t at;
};

struct serve_file_source *serve_file_source_new(int fd)
{
	struct serve_file_source *source = xmalloc(sizeof(*source));

	*source = (struct serve_file_source){fd, 0};
	return source;
}

ssize_t serve_file_source_more(void *ctx, char *to, size_t size)
{
	struct serve_file_source *source = ctx;
	ssize_t n = fd_read_at(source->fd, to, size, source->at);

	if (n < 0)
		return SERVE_STREAM_ERROR;
	source->at += (uint64_t)n;
	return n;
}

void serve_file_source_free(void *ctx)
{
	struct serve_file_source *source = ctx;

	close(source->fd);
	free(source);
}
