/* SPDX-License-Identifier: ISC
 *
 * publisher: canonical JSON is written as such, with its members in order, so that what is signed is what is printed.
 */
#include "tests/simulate/publisher.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/log.h"

#define VALIDITY (300 * 86400LL)

/* In the order of their bytes, as canonical JSON wants them. */
const char *const dataset_names[DATASETS] = {"ban", "cog", "dvf", "rna"};
static const char *const file_names[FILES] = {"datapackage.json", "a.csv", "b.csv"};
enum { KEY_ROOT, KEY_SNAPSHOT, KEY_TARGETS, KEY_TIMESTAMP, KEY_DATASET };

uint32_t random_below(struct random *random, uint32_t bound)
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15U);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (uint32_t)((z ^ (z >> 31)) % bound);
}

bool random_odds(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

/* --- text ------------------------------------------------------------------------------------------------------------ */

struct text {
	char *data;
	size_t size, room;
};

static __attribute__((format(printf, 2, 3))) void add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	if (text->room - text->size < 8192) {
		text->room = text->room * 2 + 16384;
		text->data = xrealloc(text->data, text->room, 1);
	}
	va_start(args, format);
	n = vsnprintf(text->data + text->size, text->room - text->size, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= text->room - text->size)
		die("a text of %d bytes", n);
	text->size += (size_t)n;
}

static const char *hex_of(const struct sha256 *sha256)
{
	static char hex[8][SHA256_HEX_SIZE];
	static unsigned next;

	sha256_to_hex(sha256, hex[++next % 8]);
	return hex[next % 8];
}

static const char *time_of(int64_t seconds)
{
	static char text[4][NOTATION_TIME_SIZE];
	static unsigned next;

	notation_format_time(seconds, text[++next % 4]);
	return text[next % 4];
}

/* --- blobs and files ------------------------------------------------------------------------------------------------- */

static int add_blob(struct publisher *publisher, const void *data, size_t size)
{
	struct pub_blob *blob;

	publisher->blobs = xrealloc(publisher->blobs, publisher->n_blobs + 1, sizeof(*blob));
	blob = &publisher->blobs[publisher->n_blobs];
	*blob = (struct pub_blob){.data = xmalloc(size), .size = size};
	memcpy(blob->data, data, size);
	hash_bytes(data, size, &blob->sha256);
	return (int)publisher->n_blobs++;
}

int publisher_blob(const struct publisher *publisher, const struct sha256 *sha256)
{
	for (size_t i = 0; i < publisher->n_blobs; i++)
		if (sha256_equal(&publisher->blobs[i].sha256, sha256))
			return (int)i;
	return -1;
}

static size_t compress(const void *data, size_t size, uint8_t *to, size_t room)
{
	static ZSTD_CCtx *context;
	size_t n;

	if (context == NULL) {
		context = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
		ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	}
	n = ZSTD_compress2(context, to, room, data, size);
	if (ZSTD_isError(n))
		die("zstd: %s", ZSTD_getErrorName(n));
	return n;
}

/* Takes TEXT over. */
static void encode_whole(struct publisher *publisher, struct pub_file *file, char *text)
{
	uint8_t frame[4096];

	free(file->text);
	*file = (struct pub_file){.text = text, .size = strlen(text)};
	hash_bytes(text, file->size, &file->sha256);
	file->part = add_blob(publisher, frame, compress(text, file->size, frame, sizeof(frame)));
}

static void put_number(uint8_t *to, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(number >> (8 * i));
}

static size_t put_leb128(uint8_t *to, uint64_t number)
{
	size_t n = 0;

	do {
		to[n] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
		number >>= 7;
	} while (to[n++] >= 0x80);
	return n;
}

/* FORMAT.md 15: one segment, one copy (what both begin with), then literals. */
static void encode_patch(struct publisher *publisher, struct pub_dataset *dataset, struct pub_file *file, char *text)
{
	uint8_t patch[4096], copies[32];
	size_t size = strlen(text), same = 0, n = 0, at = 63 + 8, frame;

	free(file->text);
	*file = (struct pub_file){.text = text, .size = size, .is_patch = true};
	hash_bytes(text, size, &file->sha256);
	file->base = dataset->keyframe_sha256;
	file->base_size = dataset->keyframe_size;
	file->base_part = dataset->keyframe_part;
	while (same < size && same < dataset->keyframe_size && text[same] == dataset->keyframe[same])
		same++;
	memcpy(patch, "clapet patch 1\n", 15);
	memcpy(patch + 15, file->base.bytes, SHA256_SIZE);
	put_number(patch + 47, file->base_size, 8);
	put_number(patch + 55, size, 8);
	copies[n++] = 1;
	copies[n++] = 0;
	n += put_leb128(copies + n, same);
	copies[n++] = 0;
	frame = compress(copies, n, patch + at, sizeof(patch) - at);
	put_number(patch + 63, frame, 4);
	at += frame;
	frame = compress(text + same, size - same, patch + at, sizeof(patch) - at);
	put_number(patch + 67, frame, 4);
	file->part = add_blob(publisher, patch, at + frame);
}

/* --- metadata -------------------------------------------------------------------------------------------------------- */

/* Signs what TEXT holds, which is canonical, with KEY. TEXT is consumed. */
static int add_metadata(struct publisher *publisher, const char *name, int key, struct text *text)
{
	uint8_t signature[crypto_sign_BYTES];
	char hex[2 * crypto_sign_BYTES + 1];
	struct pub_metadata *metadata;
	struct text file = {0};

	crypto_sign_detached(signature, NULL, (const uint8_t *)text->data, text->size, publisher->secrets[key]);
	notation_hex(signature, sizeof(signature), hex);
	add(&file, "{\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}],\"signed\":", publisher->keyids[key], hex);
	file.data = xrealloc(file.data, file.size + text->size + 8, 1);
	memcpy(file.data + file.size, text->data, text->size);
	file.size += text->size;
	file.data[file.size++] = '}';
	free(text->data);
	publisher->metadata = xrealloc(publisher->metadata, publisher->n_metadata + 1, sizeof(*metadata));
	metadata = &publisher->metadata[publisher->n_metadata];
	*metadata = (struct pub_metadata){.data = (uint8_t *)file.data, .size = file.size};
	snprintf(metadata->name, sizeof(metadata->name), "%s", name);
	hash_bytes(metadata->data, metadata->size, &metadata->sha256);
	return (int)publisher->n_metadata++;
}

static void add_keys(const struct publisher *publisher, struct text *text, int first, int n)
{
	const char *last = "";

	add(text, "{");
	for (int i = 0; i < n; i++) {
		int least = -1;

		for (int k = first; k < first + n; k++)
			if (strcmp(publisher->keyids[k], last) > 0 &&
			    (least < 0 || strcmp(publisher->keyids[k], publisher->keyids[least]) < 0))
				least = k;
		last = publisher->keyids[least];
		add(text, "%s\"%s\":{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"%s\"},\"scheme\":\"ed25519\"}",
		    i == 0 ? "" : ",", last, publisher->publics[least]);
	}
	add(text, "}");
}

void publisher_root(struct publisher *publisher)
{
	static const char *const roles[] = {"root", "snapshot", "targets", "timestamp"};
	struct text text = {0};
	char name[40];

	publisher->state.root++;
	add(&text, "{\"_type\":\"root\",\"consistent_snapshot\":true,\"expires\":\"%s\",\"keys\":",
	    time_of(publisher->now + VALIDITY));
	add_keys(publisher, &text, KEY_ROOT, 4);
	add(&text, ",\"roles\":{");
	for (int i = 0; i < 4; i++)
		add(&text, "%s\"%s\":{\"keyids\":[\"%s\"],\"threshold\":1}", i == 0 ? "" : ",", roles[i],
		    publisher->keyids[i]);
	add(&text, "},\"spec_version\":\"1.0.34\",\"version\":%ju}", (uintmax_t)publisher->state.root);
	snprintf(name, sizeof(name), "%ju.root.json", (uintmax_t)publisher->state.root);
	publisher->roots[publisher->state.root - 1] = add_metadata(publisher, name, KEY_ROOT, &text);
}

void publisher_targets(struct publisher *publisher)
{
	struct text text = {0};
	char name[40];

	publisher->state.targets++;
	publisher->delegated = publisher->state.targets == 1 ? DATASETS - 1 : DATASETS;
	add(&text, "{\"_type\":\"targets\",\"delegations\":{\"keys\":");
	add_keys(publisher, &text, KEY_DATASET, publisher->delegated);
	add(&text, ",\"roles\":[");
	for (int i = 0; i < publisher->delegated; i++)
		add(&text,
		    "%s{\"keyids\":[\"%s\"],\"name\":\"%s\",\"paths\":[\"%s/*\"],\"terminating\":true,\"threshold\":1}",
		    i == 0 ? "" : ",", publisher->keyids[KEY_DATASET + i], dataset_names[i], dataset_names[i]);
	add(&text, "]},\"expires\":\"%s\",\"spec_version\":\"1.0.34\",\"targets\":{},\"version\":%ju}",
	    time_of(publisher->now + VALIDITY), (uintmax_t)publisher->state.targets);
	snprintf(name, sizeof(name), "%ju.targets.json", (uintmax_t)publisher->state.targets);
	publisher->targets = add_metadata(publisher, name, KEY_TARGETS, &text);
	publisher->snapshot = -1;
}

static void add_meta(const struct publisher *publisher, struct text *text, int metadata, uint64_t version)
{
	const struct pub_metadata *file = &publisher->metadata[metadata];

	add(text, "{\"hashes\":{\"sha256\":\"%s\"},\"length\":%zu,\"version\":%ju}", hex_of(&file->sha256), file->size,
	    (uintmax_t)version);
}

static void sign_snapshot(struct publisher *publisher)
{
	struct text text = {0};
	char name[40];

	publisher->state.snapshot++;
	add(&text, "{\"_type\":\"snapshot\",\"expires\":\"%s\",\"meta\":{", time_of(publisher->now + VALIDITY));
	for (int i = 0; i < DATASETS; i++) {
		const struct pub_release *release = publisher->state.releases[i] < 0
							    ? NULL
							    : &publisher->releases[publisher->state.releases[i]];

		if (release == NULL)
			continue;
		add(&text, "\"%s.json\":", dataset_names[i]);
		add_meta(publisher, &text, release->metadata, release->role_version);
		add(&text, ",");
	}
	add(&text, "\"targets.json\":");
	add_meta(publisher, &text, publisher->targets, publisher->state.targets);
	add(&text, "},\"spec_version\":\"1.0.34\",\"version\":%ju}", (uintmax_t)publisher->state.snapshot);
	snprintf(name, sizeof(name), "%ju.snapshot.json", (uintmax_t)publisher->state.snapshot);
	publisher->snapshot = add_metadata(publisher, name, KEY_SNAPSHOT, &text);
}

void publisher_sign_timestamp(struct publisher *publisher)
{
	struct text text = {0};

	if (publisher->snapshot < 0)
		sign_snapshot(publisher);
	publisher->state.timestamp++;
	add(&text, "{\"_type\":\"timestamp\",\"expires\":\"%s\",\"issued\":\"%s\",\"meta\":{\"snapshot.json\":",
	    time_of(publisher->now + VALIDITY), time_of(publisher->now));
	add_meta(publisher, &text, publisher->snapshot, publisher->state.snapshot);
	add(&text, "},\"spec_version\":\"1.0.34\",\"version\":%ju}", (uintmax_t)publisher->state.timestamp);
	publisher->timestamp = add_metadata(publisher, "timestamp.json", KEY_TIMESTAMP, &text);
}

/* --- releases -------------------------------------------------------------------------------------------------------- */

static void add_part(const struct publisher *publisher, struct text *text, int part)
{
	add(text, "\"parts\":[{\"length\":%zu,\"sha256\":\"%s\"}]", publisher->blobs[part].size,
	    hex_of(&publisher->blobs[part].sha256));
}

static void add_target(const struct publisher *publisher, struct text *text, const char *dataset, const char *name,
		       const struct pub_file *file)
{
	add(text, "\"%s/%s\":{\"custom\":{\"encodings\":[{", dataset, name);
	if (file->is_patch) {
		add(text, "\"base\":{\"length\":%zu,", file->base_size);
		add_part(publisher, text, file->base_part);
		add(text, ",\"sha256\":\"%s\"},", hex_of(&file->base));
	}
	add_part(publisher, text, file->part);
	add(text, ",\"type\":\"%s\"}],\"format\":\"clapet target %d\"},\"hashes\":{\"sha256\":\"%s\"},\"length\":%zu}",
	    file->is_patch ? "patch" : "zstd", file->is_patch ? 2 : 1, hex_of(&file->sha256), file->size);
}

static struct pub_release *new_release(struct publisher *publisher, int dataset)
{
	struct pub_release *release;
	int before = publisher->state.releases[dataset];

	publisher->releases = xrealloc(publisher->releases, publisher->n_releases + 1, sizeof(*release));
	release = &publisher->releases[publisher->n_releases];
	*release = (struct pub_release){.dataset = dataset};
	release->role_version = before < 0 ? 1 : publisher->releases[before].role_version + 1;
	publisher->state.releases[dataset] = (int)publisher->n_releases++;
	publisher->snapshot = -1;
	return release;
}

static void need(struct pub_release *release, const struct pub_file *file)
{
	release->blobs[release->n_blobs++] = file->part;
	if (file->is_patch)
		release->blobs[release->n_blobs++] = file->base_part;
}

static void sign_role(struct publisher *publisher, struct pub_release *release, struct text *targets)
{
	struct text text = {0};
	char name[80];

	add(&text,
	    "{\"_type\":\"targets\",\"expires\":\"%s\",\"spec_version\":\"1.0.34\",\"targets\":{%s},\"version\":%ju}",
	    time_of(publisher->now + VALIDITY), targets->data, (uintmax_t)release->role_version);
	free(targets->data);
	snprintf(name, sizeof(name), "%ju.%s.json", (uintmax_t)release->role_version, dataset_names[release->dataset]);
	release->metadata = add_metadata(publisher, name, KEY_DATASET + release->dataset, &text);
}

/* "a" is a keyframe, or goes against the last one; what no contract lets in is shorter than both. */
static void make_a(struct publisher *publisher, struct pub_dataset *dataset, bool breaks)
{
	unsigned n = ++publisher->counter;

	if (dataset->keyframe == NULL || (!breaks && dataset->since_keyframe > 6) ||
	    (!breaks && random_odds(publisher->random, 15))) {
		encode_whole(publisher, &dataset->files[1],
			     xasprintf("code,nom\n1,Lyon %u\n2,Nice %u\n3,Brest %u\n", n, n * 7, n * 13));
		free(dataset->keyframe);
		dataset->keyframe = xstrdup(dataset->files[1].text);
		dataset->keyframe_size = dataset->files[1].size;
		dataset->keyframe_sha256 = dataset->files[1].sha256;
		dataset->keyframe_part = dataset->files[1].part;
		dataset->since_keyframe = 0;
		return;
	}
	dataset->since_keyframe++;
	encode_patch(publisher, dataset, &dataset->files[1],
		     breaks ? xasprintf("code,nom\n%u,Lille\n", n) : xasprintf("%s4,Metz %u\n", dataset->keyframe, n));
}

static void make_package(struct publisher *publisher, int dataset)
{
	struct pub_file *files = publisher->datasets[dataset].files;
	struct text text = {0};

	add(&text, "{\"name\":\"%s\",\"title\":\"number %u\",\"created\":\"%s\",\"resources\":[",
	    dataset_names[dataset], ++publisher->counter, time_of(publisher->now));
	for (int i = 1; i < FILES; i++)
		add(&text,
		    "%s{\"name\":\"%c\",\"path\":\"%s\",\"format\":\"csv\",\"bytes\":%zu,\"hash\":\"sha256:%s\","
		    "\"schema\":"
		    "{\"fields\":[{\"name\":\"code\",\"type\":\"integer\"},{\"name\":\"nom\",\"type\":\"string\"}]}}",
		    i == 1 ? "" : ",", file_names[i][0], file_names[i], files[i].size, hex_of(&files[i].sha256));
	add(&text, "]}");
	encode_whole(publisher, &files[0], text.data);
}

void publisher_release(struct publisher *publisher, int dataset, bool breaks)
{
	static const int order[] = {1, 2, 0};
	struct pub_dataset *current = &publisher->datasets[dataset];
	struct pub_release *release;
	struct text targets = {0};

	make_a(publisher, current, breaks);
	if (current->files[2].text == NULL || random_odds(publisher->random, 50))
		encode_whole(publisher, &current->files[2], xasprintf("code,nom\n%u,Paris\n", ++publisher->counter));
	make_package(publisher, dataset);
	release = new_release(publisher, dataset);
	release->breaks = breaks;
	snprintf(release->version, sizeof(release->version), "%s", hex_of(&current->files[0].sha256));
	for (int i = 0; i < FILES; i++) {
		need(release, &current->files[i]);
		release->files[i] = current->files[i].sha256;
		add(&targets, "%s", i == 0 ? "" : ",");
		add_target(publisher, &targets, dataset_names[dataset], file_names[order[i]],
			   &current->files[order[i]]);
	}
	sign_role(publisher, release, &targets);
}

static void forget_files(struct pub_dataset *dataset)
{
	for (int i = 0; i < FILES; i++)
		free(dataset->files[i].text);
	memset(dataset->files, 0, sizeof(dataset->files));
	free(dataset->keyframe);
	dataset->keyframe = NULL;
}

/* What comes after it has other bytes: a publisher that brings back old ones sends them again. */
void publisher_withdraw(struct publisher *publisher, int dataset)
{
	struct pub_file file = {0};
	struct pub_release *release;
	struct text targets = {0};

	encode_whole(publisher, &file,
		     xasprintf("{\"format\":\"clapet withdrawal 1\",\"reason\":\"number %u\",\"date\":\"2040-01-01\","
			       "\"replacedBy\":null}",
			       ++publisher->counter));
	release = new_release(publisher, dataset);
	need(release, &file);
	add_target(publisher, &targets, dataset_names[dataset], "withdrawn.json", &file);
	sign_role(publisher, release, &targets);
	free(file.text);
	forget_files(&publisher->datasets[dataset]);
}

/* --- birth and death ------------------------------------------------------------------------------------------------- */

static void make_key(struct publisher *publisher, int key)
{
	uint8_t seed[crypto_sign_SEEDBYTES], public[crypto_sign_PUBLICKEYBYTES];
	char object[256];
	struct sha256 keyid;

	memset(seed, 17 + key, sizeof(seed));
	crypto_sign_seed_keypair(public, publisher->secrets[key], seed);
	notation_hex(public, sizeof(public), publisher->publics[key]);
	snprintf(object, sizeof(object),
		 "{\"keytype\":\"ed25519\",\"keyval\":{\"public\":\"%s\"},\"scheme\":\"ed25519\"}",
		 publisher->publics[key]);
	hash_bytes(object, strlen(object), &keyid);
	sha256_to_hex(&keyid, publisher->keyids[key]);
}

void publisher_init(struct publisher *publisher, struct random *random, int64_t now)
{
	memset(publisher, 0, sizeof(*publisher));
	publisher->random = random;
	publisher->now = now;
	for (int i = 0; i < 4 + DATASETS; i++)
		make_key(publisher, i);
	for (int i = 0; i < DATASETS; i++)
		publisher->state.releases[i] = -1;
	publisher_root(publisher);
	publisher_targets(publisher);
}

void publisher_clear(struct publisher *publisher)
{
	for (int i = 0; i < DATASETS; i++)
		forget_files(&publisher->datasets[i]);
	for (size_t i = 0; i < publisher->n_blobs; i++)
		free(publisher->blobs[i].data);
	for (size_t i = 0; i < publisher->n_metadata; i++)
		free(publisher->metadata[i].data);
	for (size_t i = 0; i < publisher->n_bundles; i++) {
		free(publisher->bundles[i].data);
		free(publisher->bundles[i].metadata);
		free(publisher->bundles[i].blobs);
	}
	free(publisher->blobs);
	free(publisher->metadata);
	free(publisher->releases);
	free(publisher->bundles);
}
