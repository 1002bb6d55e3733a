/* SPDX-License-Identifier: ISC
 *
 * serve_encode, bodies in memory: a table of rows of WAYS places each, a digest's row given by its first digits. In a full row the place goes that
 * was not asked for the longest; past the bound in bytes, the next ones that a hand finds going round.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "inside/serve_encode.h"

#define ROWS 512
#define WAYS 4

struct place {
	char digest[SHA256_HEX_SIZE];
	enum serve_coding coding;
	struct serve_body *body; /* NULL: free */
	uint64_t used;
	struct MHD_Response *answer; /* NULL: none yet */
	struct serve_answer_key key;
};

struct serve_cache {
	pthread_mutex_t lock;
	uint64_t now; /* counts what was asked */
	size_t size;
	size_t hand;
	struct place places[ROWS * WAYS];
};

void serve_body_unref(void *shared)
{
	struct serve_body *body = shared;

	if (body != NULL && atomic_fetch_sub(&body->refs, 1) == 1)
		free(body);
}

static struct serve_body *new_body(const void *data, size_t size)
{
	struct serve_body *body = xmalloc(sizeof(*body) + size);

	atomic_init(&body->refs, 1);
	body->digest[0] = '\0';
	body->size = size;
	memcpy(body->data, data, size);
	return body;
}

struct serve_body *serve_body_new(const char *text, size_t size)
{
	struct serve_body *body = new_body(text, size);
	struct sha256 sha256;

	hash_bytes(text, size, &sha256);
	sha256_to_hex(&sha256, body->digest);
	return body;
}

struct serve_cache *serve_cache_new(void)
{
	struct serve_cache *cache = xcalloc(1, sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void empty(struct serve_cache *cache, struct place *place)
{
	if (place->body == NULL)
		return;
	cache->size -= place->body->size;
	if (place->answer != NULL)
		MHD_destroy_response(place->answer);
	place->answer = NULL;
	serve_body_unref(place->body);
	place->body = NULL;
}

void serve_cache_free(struct serve_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < ROWS * WAYS; i++)
		empty(cache, &cache->places[i]);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static struct place *row_of(struct serve_cache *cache, const char *digest)
{
	char first[9];

	memcpy(first, digest, 8);
	first[8] = '\0';
	return &cache->places[strtoul(first, NULL, 16) % ROWS * WAYS];
}

static struct place *find(struct serve_cache *cache, const char *digest, enum serve_coding coding)
{
	struct place *row = row_of(cache, digest);

	for (size_t i = 0; i < WAYS; i++)
		if (row[i].body != NULL && row[i].coding == coding && strcmp(row[i].digest, digest) == 0)
			return &row[i];
	return NULL;
}

struct serve_body *serve_cache_get(struct serve_cache *cache, const char *digest, enum serve_coding coding)
{
	struct serve_body *body = NULL;
	struct place *place;

	if (strlen(digest) != SHA256_HEX_SIZE - 1)
		return NULL;
	pthread_mutex_lock(&cache->lock);
	place = find(cache, digest, coding);
	if (place != NULL) {
		place->used = ++cache->now;
		body = place->body;
		atomic_fetch_add(&body->refs, 1);
	}
	pthread_mutex_unlock(&cache->lock);
	return body;
}

bool serve_cache_send(struct serve_cache *cache, const char *digest, enum serve_coding coding,
		      const struct serve_answer_key *key, struct MHD_Connection *connection, size_t *ret_size)
{
	struct place *place;
	bool is_sent = false;

	if (strlen(digest) != SHA256_HEX_SIZE - 1)
		return false;
	pthread_mutex_lock(&cache->lock);
	place = find(cache, digest, coding);
	if (place != NULL && place->answer != NULL && memcmp(&place->key, key, sizeof(*key)) == 0) {
		place->used = ++cache->now;
		*ret_size = place->body->size;
		is_sent = MHD_queue_response(connection, MHD_HTTP_OK, place->answer) == MHD_YES;
	}
	pthread_mutex_unlock(&cache->lock);
	return is_sent;
}

void serve_cache_keep(struct serve_cache *cache, const char *digest, enum serve_coding coding,
		      const struct serve_answer_key *key, struct MHD_Response *response)
{
	struct MHD_Response *old = response;
	struct place *place;

	pthread_mutex_lock(&cache->lock);
	place = strlen(digest) == SHA256_HEX_SIZE - 1 ? find(cache, digest, coding) : NULL;
	if (place != NULL) {
		old = place->answer;
		place->answer = response;
		memcpy(&place->key, key, sizeof(*key));
	}
	pthread_mutex_unlock(&cache->lock);
	if (old != NULL)
		MHD_destroy_response(old);
}

static void make_room(struct serve_cache *cache, size_t size)
{
	for (size_t i = 0; i < (size_t)ROWS * WAYS && cache->size + size > LIMIT_SERVE_CACHE; i++) {
		cache->hand = (cache->hand + 1) % ((size_t)ROWS * WAYS);
		empty(cache, &cache->places[cache->hand]);
	}
}

struct serve_body *serve_cache_put(struct serve_cache *cache, const char *digest, enum serve_coding coding,
				   const void *data, size_t size)
{
	struct serve_body *body = new_body(data, size);
	struct place *row, *place;

	if (strlen(digest) != SHA256_HEX_SIZE - 1 || size > LIMIT_SERVE_CACHED_FILE)
		return body;
	pthread_mutex_lock(&cache->lock);
	row = row_of(cache, digest);
	place = find(cache, digest, coding);
	for (size_t i = 0; place == NULL && i < WAYS; i++)
		place = row[i].body == NULL ? &row[i] : NULL;
	if (place == NULL) {
		place = row;
		for (size_t i = 1; i < WAYS; i++)
			if (row[i].used < place->used)
				place = &row[i];
	}
	empty(cache, place);
	make_room(cache, size);
	memcpy(place->digest, digest, SHA256_HEX_SIZE);
	place->coding = coding;
	place->used = ++cache->now;
	place->body = body;
	cache->size += size;
	atomic_fetch_add(&body->refs, 1);
	pthread_mutex_unlock(&cache->lock);
	return body;
}
