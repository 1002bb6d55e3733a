/* SPDX-License-Identifier: ISC
 *
 * Codings there and back, whole and as streams in pieces of any size; and the bodies that are kept, within their bound.
 */
#include "inside/serve_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"

#define SIZE 300000

static char *make_text(void)
{
	char *text = xmalloc(SIZE + 1);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + (i * i / 7) % 23);
	text[SIZE] = '\0';
	return text;
}

/* What DATA decodes to is TEXT. */
static void check_coded(enum serve_coding coding, const char *data, size_t size, const char *text)
{
	_cleanup_free_ char *plain = xmalloc(SIZE + 1);
	z_stream stream = {.next_in = (z_const Bytef *)data,
			   .avail_in = (uInt)size,
			   .next_out = (Bytef *)plain,
			   .avail_out = SIZE + 1};
	size_t n = 0;

	if (coding == SERVE_ZSTD) {
		ZSTD_DCtx *dctx = ZSTD_createDCtx();
		ZSTD_inBuffer in = {data, size, 0};
		ZSTD_outBuffer out = {plain, SIZE + 1, 0};

		/* RFC 9659. */
		ZSTD_DCtx_setParameter(dctx, ZSTD_d_windowLogMax, 23);
		assert_int_equal(ZSTD_decompressStream(dctx, &out, &in), 0);
		assert_int_equal(in.pos, size);
		n = out.pos;
		ZSTD_freeDCtx(dctx);
	} else {
		assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
		assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
		assert_int_equal(stream.avail_in, 0);
		n = SIZE + 1 - stream.avail_out;
		inflateEnd(&stream);
	}
	assert_int_equal(n, SIZE);
	assert_memory_equal(plain, text, SIZE);
}

static void test_whole(void **state)
{
	_cleanup_free_ char *text = make_text();
	uint8_t noise[64 * SHA256_SIZE];

	(void)state;
	for (int coding = SERVE_GZIP; coding < SERVE_N_CODINGS; coding++) {
		size_t size = 0;
		_cleanup_free_ char *data = serve_encode((enum serve_coding)coding, text, SIZE, &size);

		assert_non_null(data);
		assert_true(size < SIZE);
		check_coded((enum serve_coding)coding, data, size, text);
	}
	assert_null(serve_encode(SERVE_IDENTITY, text, SIZE, &(size_t){0}));
	/* What does not become smaller is left as it is. */
	for (size_t i = 0; i < sizeof(noise) / SHA256_SIZE; i++)
		hash_bytes(&i, sizeof(i), (struct sha256 *)(noise + i * SHA256_SIZE));
	assert_null(serve_encode(SERVE_GZIP, noise, sizeof(noise), &(size_t){0}));
	assert_null(serve_encode(SERVE_ZSTD, noise, sizeof(noise), &(size_t){0}));
}

struct source {
	const char *text;
	size_t at, step;
	unsigned n_done;
	bool breaks;
};

static ssize_t give(void *ctx, char *to, size_t size)
{
	struct source *source = ctx;
	size_t n = SIZE - source->at < source->step ? SIZE - source->at : source->step;

	if (source->breaks && source->at > SIZE / 2)
		return SERVE_STREAM_ERROR;
	n = n < size ? n : size;
	memcpy(to, source->text + source->at, n);
	source->at += n;
	return (ssize_t)n;
}

static void count_done(void *ctx)
{
	((struct source *)ctx)->n_done++;
}

static void test_streams(void **state)
{
	static const size_t steps[] = {777, SIZE};
	_cleanup_free_ char *text = make_text(), *data = xmalloc(2 * SIZE);

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(steps); i++) {
		enum serve_coding coding = i % 2 == 0 ? SERVE_GZIP : SERVE_ZSTD;
		struct source source = {.text = text, .step = steps[i / 2]};
		struct serve_encoder *encoder = serve_encoder_new(coding, give, count_done, &source);
		size_t size = 0;
		ssize_t n;

		while ((n = serve_encoder_more(encoder, data + size, i / 2 == 0 ? 100 : 32768)) > 0)
			size += (size_t)n;
		assert_int_equal(n, 0);
		assert_int_equal(serve_encoder_more(encoder, data + size, 100), 0);
		serve_encoder_free(encoder);
		assert_int_equal(source.n_done, 1);
		check_coded(coding, data, size, text);
	}
}

static void test_broken(void **state)
{
	_cleanup_free_ char *text = make_text(), *data = xmalloc(2 * SIZE);
	struct source source = {.text = text, .step = 5000, .breaks = true};
	struct serve_encoder *encoder = serve_encoder_new(SERVE_ZSTD, give, count_done, &source);
	ssize_t n;

	(void)state;
	while ((n = serve_encoder_more(encoder, data, SIZE)) > 0)
		;
	assert_int_equal(n, SERVE_STREAM_ERROR);
	serve_encoder_free(encoder);
	assert_int_equal(source.n_done, 1);
}

static void test_cache(void **state)
{
	struct serve_cache *cache = serve_cache_new();
	_cleanup_free_ char *data = xcalloc(1, LIMIT_SERVE_CACHED_FILE + 1);
	char first[SHA256_HEX_SIZE] = "", digest[SHA256_HEX_SIZE];
	size_t n_kept = 0, n = 2 * LIMIT_SERVE_CACHE / LIMIT_SERVE_CACHED_FILE;

	(void)state;
	assert_null(serve_cache_get(cache, "short", SERVE_IDENTITY));
	for (size_t i = 0; i < n; i++) {
		struct sha256 sha256;

		hash_bytes(&i, sizeof(i), &sha256);
		sha256_to_hex(&sha256, digest);
		if (i == 0)
			memcpy(first, digest, sizeof(first));
		serve_body_unref(serve_cache_put(cache, digest, SERVE_IDENTITY, data, LIMIT_SERVE_CACHED_FILE));
	}
	for (size_t i = 0; i < n; i++) {
		struct serve_body *body;
		struct sha256 sha256;

		hash_bytes(&i, sizeof(i), &sha256);
		sha256_to_hex(&sha256, digest);
		body = serve_cache_get(cache, digest, SERVE_IDENTITY);
		n_kept += body != NULL;
		serve_body_unref(body);
		assert_null(serve_cache_get(cache, digest, SERVE_GZIP));
	}
	assert_true(n_kept > 0 && n_kept <= LIMIT_SERVE_CACHE / LIMIT_SERVE_CACHED_FILE);
	/* What is too large is given out, and not kept. */
	serve_body_unref(serve_cache_put(cache, first, SERVE_ZSTD, data, LIMIT_SERVE_CACHED_FILE + 1));
	assert_null(serve_cache_get(cache, first, SERVE_ZSTD));
	serve_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_cache),
	};

	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
