/* SPDX-License-Identifier: ISC
 *
 * A session as this code has always sent it: tests/data/link/session must come out byte by byte, or what others read from FORMAT.md 29 is no longer
 * what we send. tests/e2e/linkreader.sh reads the same file with a reader that is not ours.
 *
 *     bundle_link_recorded --write     writes it anew: for a new version of the format, and for nothing else
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/fec.h"
#include "bundle/link_bytes.h"
#include "bundle/link_message.h"
#include "bundle/link_pack.h"
#include "tests/random.h"

#define FOLDER "tests/data/link"
#define STARTED 1795600000123ULL
#define SYMBOL 16
#define OBJECT_SIZE (300 * SYMBOL - 5)
#define PERCENT 10
#define PACKET_MAX (LINK_OVERHEAD + 512)
#define RECORDING_MAX (128 * KIB)

struct recorder {
	struct link_key *key;
	uint8_t id[LINK_ID_SIZE];
	uint8_t session[LINK_SESSION_SIZE];
	struct link_session *seal;
	uint64_t sequence;
	uint8_t *recording;
	size_t size;
	uint8_t packet[PACKET_MAX]; /* the last one recorded */
	size_t packet_size;
};

struct object {
	uint8_t *bytes; /* with zeros behind it */
	struct sha256 sha256;
	struct link_geometry geometry;
	enum link_content content;
	uint64_t version;
};

/* The key of this folder; its mode there is whatever a checkout made of it. */
static struct link_key *load_key(void)
{
	_cleanup_close_ int fd = memfd_create("key", MFD_CLOEXEC);
	_cleanup_free_ uint8_t *text = NULL;
	struct link_key *key = NULL;
	struct refusal why;
	size_t size;

	if (fd_load_file(AT_FDCWD, FOLDER "/key", LIMIT_LINK_KEY_FILE_SIZE, &text, &size) < 0 ||
	    fd_write_all(fd, text, size) < 0 || fchmod(fd, 0600) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		die("no key in %s", FOLDER);
	if (link_key_load(fd, FOLDER "/key", &key, &why) != FAULT_NONE)
		die("%s", why.line);
	return key;
}

static void record(struct recorder *recorder, const uint8_t *packet, size_t size)
{
	if (recorder->size + 2 + size > RECORDING_MAX)
		die("a recording of more than %llu bytes", RECORDING_MAX);
	put16(recorder->recording + recorder->size, (uint16_t)size);
	memcpy(recorder->recording + recorder->size + 2, packet, size);
	recorder->size += 2 + size;
}

/* Begins session NUMBER, which sends from sequence FROM. */
static void begin(struct recorder *recorder, uint8_t number, uint64_t from)
{
	link_session_free(recorder->seal);
	memset(recorder->session, number, sizeof(recorder->session));
	recorder->seal = link_session_new(recorder->key, recorder->session);
	recorder->sequence = from;
}

/* Seals HEADER and PAYLOAD as the session's next packet; records it unless it is LOST. */
static void send_packet(struct recorder *recorder, struct link_header *header, const uint8_t *payload, size_t size,
			bool is_lost)
{
	memcpy(header->session, recorder->session, LINK_SESSION_SIZE);
	header->sequence = recorder->sequence++;
	link_packet_put(recorder->packet, header, recorder->id);
	memcpy(recorder->packet + LINK_HEADER_SIZE, payload, size);
	link_seal(recorder->seal, header->sequence, recorder->packet, LINK_HEADER_SIZE + size);
	recorder->packet_size = LINK_OVERHEAD + size;
	if (!is_lost)
		record(recorder, recorder->packet, recorder->packet_size);
}

static struct link_header header_of(const struct object *object, enum link_kind kind)
{
	struct link_header header = {
		.kind = kind,
		.symbol_size = object->geometry.symbol_size,
		.object_size = object->geometry.object_size,
	};

	memcpy(header.object, object->sha256.bytes, LINK_OBJECT_ID_SIZE);
	return header;
}

static void announce(struct recorder *recorder, const struct object *object, uint32_t cycle, enum link_moment moment)
{
	const struct link_announcement announcement = {
		.sha256 = object->sha256,
		.started = STARTED,
		.version = object->version,
		.cycle = cycle,
		.content = object->content,
		.moment = moment,
		.percent = PERCENT,
	};
	struct link_header header = header_of(object, LINK_ANNOUNCEMENT);
	uint8_t payload[LINK_ANNOUNCEMENT_SIZE];

	send_packet(recorder, &header, payload, link_announcement_put(&announcement, payload), false);
}

static void send_symbol(struct recorder *recorder, const struct object *object,
			const struct link_generation_shape *shape, unsigned stripe, unsigned index,
			const uint8_t *bytes, bool is_lost)
{
	struct link_header header = header_of(object, LINK_SYMBOL);

	header.stripe = (uint8_t)stripe;
	header.index = (uint8_t)index;
	header.k = shape->k;
	header.stripes = shape->stripes;
	header.repair = (uint8_t)link_repair_count(shape->k, PERCENT);
	send_packet(recorder, &header, bytes, header.symbol_size, is_lost);
}

/* A cycle of the only generation of OBJECT, of which every KEPT-th source symbol comes: the same in each cycle, so that repair symbols of
 * both are needed. */
static void send_cycle(struct recorder *recorder, const struct object *object, uint32_t cycle, unsigned kept)
{
	const size_t size = object->geometry.symbol_size;
	struct link_generation_shape shape;
	unsigned n_repair, first;

	link_geometry_shape(&object->geometry, 0, &shape);
	announce(recorder, object, cycle, LINK_MOMENT_START);
	for (unsigned n = 0; n < shape.n_symbols; n++)
		send_symbol(recorder, object, &shape, n % shape.stripes, n / shape.stripes, object->bytes + n * size,
			    n % kept != 0);
	n_repair = link_repair_count(shape.k, PERCENT);
	first = link_repair_first_row(shape.k, n_repair, cycle);
	for (unsigned s = 0; s < shape.stripes; s++) {
		_cleanup_(fec_encoder_freep) struct fec_encoder *encoder = fec_encoder_new(FEC_ENGINE_BEST, shape.k,
											   first, n_repair);
		_cleanup_free_ uint8_t *repair = xmalloc(n_repair * size);
		const uint8_t *source[FEC_ROWS] = {NULL};
		uint8_t *rows[FEC_ROWS];

		for (unsigned i = 0; i < link_shape_sources(&shape, s); i++)
			source[i] = object->bytes + (i * shape.stripes + s) * size;
		for (unsigned j = 0; j < n_repair; j++)
			rows[j] = repair + j * size;
		fec_encode(encoder, size, source, rows);
		for (unsigned j = 0; j < n_repair; j++)
			send_symbol(recorder, object, &shape, s, shape.k + (first - shape.k + j) % (FEC_ROWS - shape.k),
				    rows[j], false);
	}
	announce(recorder, object, cycle, LINK_MOMENT_END);
}

static void make_object(struct object *object, const uint8_t *bytes, size_t size, uint16_t symbol_size)
{
	object->bytes = xcalloc(1, size + symbol_size);
	if (size > 0)
		memcpy(object->bytes, bytes, size);
	hash_bytes(bytes, size, &object->sha256);
	link_geometry_make(size, symbol_size, &object->geometry);
}

static void make_pack(struct object *object)
{
	static const char *const files[] = {"", "one\n", "the second\n"};
	struct link_pack_member members[ARRAY_SIZE(files)] = {0};
	uint8_t pack[512] = {0};
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		members[i].size = (uint32_t)strlen(files[i]);
		members[i].version = i;
		hash_bytes(files[i], strlen(files[i]), &members[i].sha256);
	}
	size = link_pack_list(members, ARRAY_SIZE(files), pack);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		memcpy(pack + members[i].offset, files[members[i].version], members[i].size);
	object->content = LINK_CONTENT_PACK;
	make_object(object, pack, size, 64);
}

/* What each kind that is no symbol looks like. */
static void send_messages(struct recorder *recorder)
{
	const struct link_beacon beacon = {STARTED, STARTED + 1000, 123456, 431, {1, 2, 3}, 2, 1, LINK_SENDER_SENDING};
	const struct link_test test = {STARTED, 17, "à l’écoute ?"};
	const struct link_probe probe = {STARTED, 112500000, 4, 5, 1, 2};
	struct link_header header = {.kind = LINK_BEACON};
	uint8_t payload[LINK_MESSAGE_SIZE_MAX] = {0};

	send_packet(recorder, &header, payload, link_beacon_put(&beacon, payload), false);
	header.kind = LINK_TEST;
	send_packet(recorder, &header, payload, link_test_put(&test, payload), false);
	header.kind = LINK_PROBE;
	link_probe_put(&probe, payload);
	send_packet(recorder, &header, payload, 100, false);
}

/* Packets that a reader must drop: a changed bit, another link's, a piece, and a genuine one that is out of form. */
static void send_wrong(struct recorder *recorder, const struct object *object)
{
	struct link_header header = header_of(object, LINK_SYMBOL);
	uint8_t copy[PACKET_MAX];

	memcpy(copy, recorder->packet, recorder->packet_size);
	copy[LINK_HEADER_SIZE] ^= 1;
	record(recorder, copy, recorder->packet_size);
	memcpy(copy, recorder->packet, recorder->packet_size);
	copy[4] ^= 1;
	record(recorder, copy, recorder->packet_size);
	record(recorder, recorder->packet, 50);
	header.k = 18;
	header.stripes = 16;
	send_packet(recorder, &header, copy, header.symbol_size, false);
}

static void record_all(struct recorder *recorder)
{
	struct object object = {.version = 431}, pack = {0}, empty = {0};
	uint8_t bytes[OBJECT_SIZE];
	uint64_t seed = 29;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random_next(&seed);
	make_object(&object, bytes, sizeof(bytes), SYMBOL);
	make_pack(&pack);
	make_object(&empty, bytes, 0, 8);
	begin(recorder, 1, 0);
	send_cycle(recorder, &object, 0, 4);
	send_messages(recorder);
	send_wrong(recorder, &object);
	/* Another session brings what this one lacked; its sequences are large, so that all of their bytes count. */
	begin(recorder, 2, 0x0123456789abcdULL);
	send_cycle(recorder, &pack, 0, 2);
	send_cycle(recorder, &object, 1, 4);
	announce(recorder, &empty, 0, LINK_MOMENT_START);
	free(object.bytes);
	free(pack.bytes);
	free(empty.bytes);
}

static void recorder_make(struct recorder *recorder)
{
	*recorder = (struct recorder){.key = load_key(), .recording = xmalloc(RECORDING_MAX)};
	link_key_id(recorder->key, recorder->id);
	record_all(recorder);
}

static void recorder_free(struct recorder *recorder)
{
	link_session_free(recorder->seal);
	link_key_free(recorder->key);
	free(recorder->recording);
}

static void test_recorded(void **state)
{
	_cleanup_free_ uint8_t *old = NULL;
	struct recorder recorder;
	size_t size = 0;

	(void)state;
	recorder_make(&recorder);
	assert_int_equal(fd_load_file(AT_FDCWD, FOLDER "/session", RECORDING_MAX, &old, &size), 0);
	assert_int_equal(size, recorder.size);
	assert_memory_equal(old, recorder.recording, size);
	recorder_free(&recorder);
}

static int write_it(void)
{
	_cleanup_close_ int fd = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct recorder recorder;
	int r;

	recorder_make(&recorder);
	r = fd_put_durable(fd, "session", recorder.recording, recorder.size, 0644);
	recorder_free(&recorder);
	return r < 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
	};

	link_key_init();
	hash_init();
	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_it();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
