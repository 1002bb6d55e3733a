/* SPDX-License-Identifier: ISC
 *
 * accessrate: buckets in sets of eight; the one of a set that was asked for longest ago makes room.
 */
#include "inside/accessrate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "bundle/limits.h"

#define WAYS 8
#define N_SETS (LIMIT_ACCESS_BUCKETS / WAYS)
#define N_LOCKS 64

struct bucket {
	uint64_t hash; /* 0: free */
	int64_t at;    /* when it was asked for last */
	double tokens; /* then */
};

struct accessrate {
	uint64_t seed; /* nobody outside can choose names that share a set */
	pthread_mutex_t locks[N_LOCKS];
	struct bucket buckets[LIMIT_ACCESS_BUCKETS];
};

struct accessrate *accessrate_new(void)
{
	struct accessrate *table = xcalloc(1, sizeof(*table));

	if (getrandom(&table->seed, sizeof(table->seed), 0) != sizeof(table->seed))
		die_errno("getrandom");
	for (size_t i = 0; i < N_LOCKS; i++)
		pthread_mutex_init(&table->locks[i], NULL);
	return table;
}

void accessrate_free(struct accessrate *table)
{
	for (size_t i = 0; table != NULL && i < N_LOCKS; i++)
		pthread_mutex_destroy(&table->locks[i]);
	free(table);
}

static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ (hash >> 32)) * 0xd6e8feb86659fd93ULL;
	return hash ^ (hash >> 32);
}

static uint64_t hash_of(const struct accessrate *table, const char *who)
{
	uint64_t hash = table->seed;

	for (; *who != '\0'; who++)
		hash = mix(hash ^ (unsigned char)*who);
	return hash == 0 ? 1 : hash;
}

/* The bucket of HASH in its set; a full one, in the place of the oldest, where there is none. */
static struct bucket *find(struct bucket *set, uint64_t hash, const struct access_rate *rate, int64_t now)
{
	struct bucket *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (oldest->hash != 0 && (set[i].hash == 0 || set[i].at < oldest->at))
			oldest = &set[i];
	}
	*oldest = (struct bucket){hash, now, (double)rate->burst};
	return oldest;
}

bool accessrate_take(struct accessrate *table, const char *who, const struct access_rate *rate, int64_t now,
		     unsigned *ret_seconds)
{
	const double per_microsecond = (double)rate->per_minute / 60e6;
	uint64_t hash = hash_of(table, who);
	size_t set = hash % N_SETS;
	struct bucket *bucket;
	bool taken;

	if (rate->per_minute == 0 || who[0] == '\0')
		return true;
	pthread_mutex_lock(&table->locks[set % N_LOCKS]);
	bucket = find(&table->buckets[set * WAYS], hash, rate, now);
	if (now > bucket->at) {
		bucket->tokens += (double)(now - bucket->at) * per_microsecond;
		bucket->at = now;
	}
	if (bucket->tokens > (double)rate->burst)
		bucket->tokens = (double)rate->burst;
	taken = bucket->tokens >= 1;
	if (taken)
		bucket->tokens -= 1;
	else
		*ret_seconds = 1 + (unsigned)((1 - bucket->tokens) / per_microsecond / 1e6);
	pthread_mutex_unlock(&table->locks[set % N_LOCKS]);
	return taken;
}

void accessrate_who(const char *peer, char who[ACCESSRATE_WHO_SIZE])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	struct in6_addr address;

	who[0] = '\0';
	if (strcmp(peer, "unix") == 0)
		return;
	if (inet_pton(AF_INET6, peer, &address) != 1)
		snprintf(who, ACCESSRATE_WHO_SIZE, "%.40s", peer);
	else if (memcmp(&address, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, address.s6_addr + sizeof(mapped), who, ACCESSRATE_WHO_SIZE);
	else {
		memset(address.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &address, who, ACCESSRATE_WHO_SIZE);
	}
}
