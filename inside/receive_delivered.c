/* SPDX-License-Identifier: ISC
 *
 * receive_delivered: a file of entries of one size that grows at its end, and is written anew when half of it is old.
 */
#include "inside/receive_delivered.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/receive_partial.h"

#define FILE_NAME "delivered"
#define ENTRY_MAGIC "CLrd0001"
/* Entries of the file when it is written anew. */
#define FILE_ENTRIES (2 * LIMIT_RECEIVE_DELIVERED)

struct receive_delivered {
	int folder_fd;
	struct receive_delivery items[LIMIT_RECEIVE_DELIVERED]; /* the oldest first */
	size_t n_items, n_in_file;
};

void receive_delivery_put(const struct receive_delivery *delivery, uint8_t *bytes)
{
	uint64_t started = htole64(delivery->started), at = htole64((uint64_t)delivery->at), sum;

	memcpy(bytes, ENTRY_MAGIC, 8);
	memcpy(bytes + 8, delivery->sha256.bytes, SHA256_SIZE);
	memcpy(bytes + 40, &started, 8);
	memcpy(bytes + 48, &at, 8);
	sum = htole64(receive_sum(0, bytes, 56));
	memcpy(bytes + 56, &sum, 8);
}

static bool read_entry(const uint8_t *bytes, struct receive_delivery *ret)
{
	struct receive_delivery delivery = {.is_counted = false};
	uint64_t sum, at;

	memcpy(&sum, bytes + 56, 8);
	if (memcmp(bytes, ENTRY_MAGIC, 8) != 0 || le64toh(sum) != receive_sum(0, bytes, 56))
		return false;
	memcpy(delivery.sha256.bytes, bytes + 8, SHA256_SIZE);
	memcpy(&delivery.started, bytes + 40, 8);
	memcpy(&at, bytes + 48, 8);
	delivery.started = le64toh(delivery.started);
	at = le64toh(at);
	if (delivery.started > LIMIT_LINK_TIME || at > LIMIT_LINK_TIME / 1000)
		return false;
	delivery.at = (int64_t)at;
	*ret = delivery;
	return true;
}

size_t receive_deliveries_read(const uint8_t *bytes, size_t size, struct receive_delivery *ret_items, size_t n)
{
	size_t n_items = 0;

	for (size_t at = 0; at + RECEIVE_DELIVERY_SIZE <= size && n_items < n; at += RECEIVE_DELIVERY_SIZE)
		if (read_entry(bytes + at, &ret_items[n_items]))
			n_items++;
	return n_items;
}

struct receive_delivered *receive_delivered_load(int folder_fd)
{
	struct receive_delivered *delivered = xcalloc(1, sizeof(*delivered));
	_cleanup_free_ struct receive_delivery *items = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size, n;

	delivered->folder_fd = folder_fd;
	if (fd_load_file(folder_fd, FILE_NAME, 2ULL * FILE_ENTRIES * RECEIVE_DELIVERY_SIZE, &data, &size) < 0)
		return delivered;
	delivered->n_in_file = size / RECEIVE_DELIVERY_SIZE;
	items = xcalloc(delivered->n_in_file + 1, sizeof(*items));
	n = receive_deliveries_read(data, size, items, delivered->n_in_file);
	for (size_t i = n > LIMIT_RECEIVE_DELIVERED ? n - LIMIT_RECEIVE_DELIVERED : 0; i < n; i++) {
		receive_delivered_forget(delivered, items[i].sha256.bytes);
		delivered->items[delivered->n_items++] = items[i];
	}
	return delivered;
}

void receive_delivered_free(struct receive_delivered *delivered)
{
	free(delivered);
}

void receive_delivered_freep(struct receive_delivered **delivered)
{
	receive_delivered_free(*delivered);
}

struct receive_delivery *receive_delivered_find(struct receive_delivered *delivered,
						const uint8_t id[LINK_OBJECT_ID_SIZE])
{
	/* The newest is what packets still come of. */
	for (size_t i = delivered->n_items; i-- > 0;)
		if (memcmp(delivered->items[i].sha256.bytes, id, LINK_OBJECT_ID_SIZE) == 0)
			return &delivered->items[i];
	return NULL;
}

void receive_delivered_forget(struct receive_delivered *delivered, const uint8_t id[LINK_OBJECT_ID_SIZE])
{
	struct receive_delivery *delivery = receive_delivered_find(delivered, id);

	if (delivery == NULL)
		return;
	memmove(delivery, delivery + 1,
		(size_t)(&delivered->items[--delivered->n_items] - delivery) * sizeof(*delivery));
}

uint64_t receive_delivered_count(const struct receive_delivered *delivered, uint64_t started)
{
	uint64_t n = 0;

	for (size_t i = 0; i < delivered->n_items; i++)
		n += delivered->items[i].started == started;
	return n;
}

bool receive_delivered_has(const struct receive_delivered *delivered, const uint8_t newest[8])
{
	for (size_t i = delivered->n_items; i-- > 0;)
		if (memcmp(delivered->items[i].sha256.bytes, newest, 8) == 0)
			return true;
	return false;
}

static int write_all_anew(struct receive_delivered *delivered)
{
	size_t size = delivered->n_items * RECEIVE_DELIVERY_SIZE;
	_cleanup_free_ uint8_t *data = xmalloc(size);
	int r;

	for (size_t i = 0; i < delivered->n_items; i++)
		receive_delivery_put(&delivered->items[i], data + i * RECEIVE_DELIVERY_SIZE);
	r = fd_put_durable(delivered->folder_fd, FILE_NAME, data, size, 0600);
	if (r == 0)
		delivered->n_in_file = delivered->n_items;
	return r;
}

static int append(struct receive_delivered *delivered, const struct receive_delivery *delivery)
{
	_cleanup_close_ int fd = openat(delivered->folder_fd, FILE_NAME,
					O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	uint8_t bytes[RECEIVE_DELIVERY_SIZE];
	int64_t size = fd < 0 ? -errno : fd_size(fd);
	int r;

	if (size < 0)
		return (int)size;
	/* An entry that a crash cut off would shift all that follow. */
	if (size % RECEIVE_DELIVERY_SIZE != 0)
		return write_all_anew(delivered);
	receive_delivery_put(delivery, bytes);
	r = fd_write_all(fd, bytes, sizeof(bytes));
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	delivered->n_in_file++;
	return r;
}

int receive_delivered_add(struct receive_delivered *delivered, const struct receive_delivery *delivery)
{
	receive_delivered_forget(delivered, delivery->sha256.bytes);
	if (delivered->n_items == LIMIT_RECEIVE_DELIVERED)
		receive_delivered_forget(delivered, delivered->items[0].sha256.bytes);
	delivered->items[delivered->n_items++] = *delivery;
	return delivered->n_in_file >= FILE_ENTRIES ? write_all_anew(delivered) : append(delivered, delivery);
}
