/* SPDX-License-Identifier: ISC
 *
 * link_message: fixed forms; unused bytes are zero, and every number has its bound.
 */
#include "bundle/link_message.h"

#include <string.h>

#include "base/text.h"
#include "bundle/link_bytes.h"

/* How far ahead of the receiver's clock a session may have started. */
#define AHEAD_MAX (24 * 3600 * 1000ULL)

size_t link_announcement_put(const struct link_announcement *announcement, uint8_t *payload)
{
	memset(payload, 0, LINK_ANNOUNCEMENT_SIZE);
	memcpy(payload, announcement->sha256.bytes, SHA256_SIZE);
	put64(payload + 32, announcement->started);
	put64(payload + 40, announcement->version);
	put32(payload + 48, announcement->cycle);
	payload[52] = (uint8_t)announcement->content;
	payload[53] = (uint8_t)announcement->moment;
	payload[54] = announcement->percent;
	return LINK_ANNOUNCEMENT_SIZE;
}

bool link_announcement_read(const struct link_header *header, const uint8_t *payload,
			    struct link_announcement *ret_announcement)
{
	struct link_announcement announcement = {
		.started = get64(payload + 32),
		.version = get64(payload + 40),
		.cycle = get32(payload + 48),
		.percent = payload[54],
	};

	memcpy(announcement.sha256.bytes, payload, SHA256_SIZE);
	if (memcmp(payload, header->object, LINK_OBJECT_ID_SIZE) != 0 || announcement.started > LIMIT_LINK_TIME ||
	    announcement.version > LIMIT_REQUEST_VERSION || announcement.cycle > LIMIT_LINK_CYCLE ||
	    payload[52] > LINK_CONTENT_PACK || payload[53] > LINK_MOMENT_END ||
	    announcement.percent > LIMIT_LINK_PERCENT || !all_zero(payload + 55, LINK_ANNOUNCEMENT_SIZE - 55))
		return false;
	announcement.content = (enum link_content)payload[52];
	announcement.moment = (enum link_moment)payload[53];
	if (announcement.content == LINK_CONTENT_PACK &&
	    (header->object_size > LIMIT_LINK_PACK_SIZE || announcement.version != 0))
		return false;
	*ret_announcement = announcement;
	return true;
}

size_t link_beacon_put(const struct link_beacon *beacon, uint8_t *payload)
{
	memset(payload, 0, LINK_BEACON_PAYLOAD_SIZE);
	put64(payload, beacon->started);
	put64(payload + 8, beacon->sent);
	put64(payload + 16, beacon->bytes);
	put64(payload + 24, beacon->version);
	memcpy(payload + 32, beacon->newest, sizeof(beacon->newest));
	put32(payload + 40, beacon->n_objects);
	put32(payload + 44, beacon->n_queued);
	payload[48] = (uint8_t)beacon->state;
	return LINK_BEACON_PAYLOAD_SIZE;
}

bool link_beacon_read(const uint8_t *payload, size_t size, struct link_beacon *ret_beacon)
{
	struct link_beacon beacon;

	if (size != LINK_BEACON_PAYLOAD_SIZE || payload[48] > LINK_SENDER_ENDING ||
	    !all_zero(payload + 49, LINK_BEACON_PAYLOAD_SIZE - 49))
		return false;
	beacon = (struct link_beacon){
		.started = get64(payload),
		.sent = get64(payload + 8),
		.bytes = get64(payload + 16),
		.version = get64(payload + 24),
		.n_objects = get32(payload + 40),
		.n_queued = get32(payload + 44),
		.state = (enum link_sender_state)payload[48],
	};
	memcpy(beacon.newest, payload + 32, sizeof(beacon.newest));
	if (beacon.started > LIMIT_LINK_TIME || beacon.sent > LIMIT_LINK_TIME ||
	    beacon.version > LIMIT_REQUEST_VERSION || beacon.n_objects > LIMIT_LINK_CYCLE ||
	    beacon.n_queued > LIMIT_LINK_CYCLE)
		return false;
	*ret_beacon = beacon;
	return true;
}

bool link_test_is_text(const char *text, size_t size)
{
	char copy[LIMIT_LINK_TEXT_SIZE + 1];

	if (size > LIMIT_LINK_TEXT_SIZE || !text_is_utf8(text, size, NULL))
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	for (size_t i = 0; i < size; i++) {
		const uint8_t byte = (uint8_t)copy[i];
		const uint8_t next = (uint8_t)copy[i + 1];

		/* Control characters are below U+0020, U+007F, and U+0080 to U+009F. */
		if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && next < 0xa0) || text_is_invisible(copy + i))
			return false;
	}
	return true;
}

size_t link_test_put(const struct link_test *test, uint8_t *payload)
{
	const size_t size = strlen(test->text);

	put64(payload, test->started);
	put64(payload + 8, test->number);
	memcpy(payload + LINK_TEST_HEAD_SIZE, test->text, size);
	return LINK_TEST_HEAD_SIZE + size;
}

bool link_test_read(const uint8_t *payload, size_t size, struct link_test *ret_test)
{
	const char *text = (const char *)payload + LINK_TEST_HEAD_SIZE;
	struct link_test test;

	if (size < LINK_TEST_HEAD_SIZE || size > LINK_TEST_HEAD_SIZE + LIMIT_LINK_TEXT_SIZE ||
	    !link_test_is_text(text, size - LINK_TEST_HEAD_SIZE))
		return false;
	test.started = get64(payload);
	test.number = get64(payload + 8);
	if (test.started > LIMIT_LINK_TIME)
		return false;
	memcpy(test.text, text, size - LINK_TEST_HEAD_SIZE);
	test.text[size - LINK_TEST_HEAD_SIZE] = '\0';
	*ret_test = test;
	return true;
}

size_t link_probe_put(const struct link_probe *probe, uint8_t *payload)
{
	put64(payload, probe->started);
	put64(payload + 8, probe->rate);
	put32(payload + 16, probe->index);
	put32(payload + 20, probe->count);
	put16(payload + 24, probe->step);
	put16(payload + 26, probe->n_steps);
	put32(payload + 28, 0);
	return LINK_PROBE_HEAD_SIZE;
}

bool link_probe_read(const uint8_t *payload, size_t size, struct link_probe *ret_probe)
{
	struct link_probe probe;

	if (size < LINK_PROBE_HEAD_SIZE || !all_zero(payload + 28, 4))
		return false;
	probe = (struct link_probe){
		.started = get64(payload),
		.rate = get64(payload + 8),
		.index = get32(payload + 16),
		.count = get32(payload + 20),
		.step = get16(payload + 24),
		.n_steps = get16(payload + 26),
	};
	if (probe.started > LIMIT_LINK_TIME || probe.rate > LIMIT_LINK_RATE || probe.count > LIMIT_LINK_PROBES ||
	    probe.index >= probe.count || probe.n_steps > LIMIT_LINK_STEPS || probe.step >= probe.n_steps)
		return false;
	*ret_probe = probe;
	return true;
}

bool link_newer(struct link_newest *newest, const struct link_header *header, uint64_t started, uint64_t now)
{
	const bool is_same = memcmp(newest->session, header->session, LINK_SESSION_SIZE) == 0 &&
			     newest->started == started;

	if (is_same ? header->sequence <= newest->sequence : started <= newest->started)
		return false;
	if (now != 0 && started > now + AHEAD_MAX)
		return false;
	newest->started = started;
	newest->sequence = header->sequence;
	memcpy(newest->session, header->session, LINK_SESSION_SIZE);
	return true;
}
