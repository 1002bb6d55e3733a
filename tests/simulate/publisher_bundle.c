/* SPDX-License-Identifier: ISC
 *
 * publisher, bundles: which files go into one, and its bytes by bundle/FORMAT.md 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/simulate/publisher.h"

/* FORMAT.md 3.2. */
static void add_member(uint8_t **at, const char *name, const void *data, size_t size)
{
	uint8_t *header = *at;
	unsigned sum = 0;

	memset(header, 0, 512);
	snprintf((char *)header, 100, "%s", name);
	memcpy(header + 100, "000444 ", 8);
	memcpy(header + 108, "000000 ", 8);
	memcpy(header + 116, "000000 ", 8);
	snprintf((char *)header + 124, 12, "%011zo", size);
	header[135] = ' ';
	memcpy(header + 136, "00000000000 ", 12);
	memcpy(header + 148, "        ", 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	memcpy(header + 329, "000000 ", 8);
	memcpy(header + 337, "000000 ", 8);
	for (int i = 0; i < 512; i++)
		sum += header[i];
	snprintf((char *)header + 148, 8, "%06o", sum);
	header[155] = ' ';
	memcpy(header + 512, data, size);
	memset(header + 512 + size, 0, (512 - size % 512) % 512);
	*at += 512 + (size + 511) / 512 * 512;
}

static const struct publisher *sorted_of; /* qsort has no context */

static int compare_metadata(const void *a, const void *b)
{
	return strcmp(sorted_of->metadata[*(const int *)a].name, sorted_of->metadata[*(const int *)b].name);
}

static int compare_blobs(const void *a, const void *b)
{
	return sha256_compare(&sorted_of->blobs[*(const int *)a].sha256, &sorted_of->blobs[*(const int *)b].sha256);
}

static void write_bundle(const struct publisher *publisher, struct pub_bundle *bundle)
{
	size_t room = 2 * 512 + 1024;
	char name[160], hex[SHA256_HEX_SIZE];
	struct sha256 sha256;
	uint8_t *at;

	sorted_of = publisher;
	qsort(bundle->metadata, bundle->n_metadata, sizeof(int), compare_metadata);
	if (bundle->n_blobs > 0)
		qsort(bundle->blobs, bundle->n_blobs, sizeof(int), compare_blobs);
	for (size_t i = 0; i < bundle->n_metadata; i++)
		room += publisher->metadata[bundle->metadata[i]].size + 1024;
	for (size_t i = 0; i < bundle->n_blobs; i++)
		room += publisher->blobs[bundle->blobs[i]].size + 1024;
	at = bundle->data = xmalloc(room);
	add_member(&at, "format", "clapet bundle 1\n", 16);
	for (size_t i = 0; i < bundle->n_metadata; i++) {
		const struct pub_metadata *file = &publisher->metadata[bundle->metadata[i]];

		snprintf(name, sizeof(name), "metadata/%s", file->name);
		add_member(&at, name, file->data, file->size);
	}
	for (size_t i = 0; i < bundle->n_blobs; i++) {
		const struct pub_blob *blob = &publisher->blobs[bundle->blobs[i]];

		sha256_to_hex(&blob->sha256, hex);
		snprintf(name, sizeof(name), "blobs/%s", hex);
		add_member(&at, name, blob->data, blob->size);
	}
	memset(at, 0, 1024);
	bundle->size = (size_t)(at + 1024 - bundle->data);
	hash_bytes(bundle->data, bundle->size, &sha256);
	sha256_to_hex(&sha256, hex);
	snprintf(bundle->name, sizeof(bundle->name), "%010ju-%s.tar", (uintmax_t)bundle->state.timestamp, hex);
}

static void add_int(int **items, size_t *n, int item)
{
	for (size_t i = 0; i < *n; i++)
		if ((*items)[i] == item)
			return;
	*items = xrealloc(*items, *n + 1, sizeof(int));
	(*items)[(*n)++] = item;
}

static void add_top(const struct publisher *publisher, struct pub_bundle *bundle)
{
	bundle->state = publisher->state;
	for (uint64_t i = 0; i < publisher->state.root; i++)
		add_int(&bundle->metadata, &bundle->n_metadata, publisher->roots[i]);
	add_int(&bundle->metadata, &bundle->n_metadata, publisher->timestamp);
	add_int(&bundle->metadata, &bundle->n_metadata, publisher->snapshot);
	add_int(&bundle->metadata, &bundle->n_metadata, publisher->targets);
}

static int keep_bundle(struct publisher *publisher, struct pub_bundle *bundle)
{
	write_bundle(publisher, bundle);
	publisher->bundles = xrealloc(publisher->bundles, publisher->n_bundles + 1, sizeof(*bundle));
	publisher->bundles[publisher->n_bundles] = *bundle;
	return (int)publisher->n_bundles++;
}

int publisher_bundle(struct publisher *publisher, enum pub_selection selection)
{
	struct pub_bundle bundle = {0};

	publisher_sign_timestamp(publisher);
	add_top(publisher, &bundle);
	for (int i = 0; i < DATASETS; i++) {
		const struct pub_release *release = publisher->state.releases[i] < 0
							    ? NULL
							    : &publisher->releases[publisher->state.releases[i]];

		if (release == NULL)
			continue;
		if (selection != PUB_NEW || release->role_version > publisher->datasets[i].sent_role)
			add_int(&bundle.metadata, &bundle.n_metadata, release->metadata);
		publisher->datasets[i].sent_role = release->role_version;
		for (size_t k = 0; k < release->n_blobs; k++)
			if (selection == PUB_ALL || !publisher->blobs[release->blobs[k]].was_sent)
				add_int(&bundle.blobs, &bundle.n_blobs, release->blobs[k]);
	}
	for (size_t i = 0; i < bundle.n_blobs; i++)
		publisher->blobs[bundle.blobs[i]].was_sent = true;
	return keep_bundle(publisher, &bundle);
}

int publisher_resend(struct publisher *publisher, unsigned datasets_wanted, const struct sha256 *blobs, size_t n_blobs)
{
	struct pub_bundle bundle = {0};

	add_top(publisher, &bundle);
	for (int i = 0; i < DATASETS; i++)
		if (((datasets_wanted >> i) & 1) != 0 && publisher->state.releases[i] >= 0)
			add_int(&bundle.metadata, &bundle.n_metadata,
				publisher->releases[publisher->state.releases[i]].metadata);
	for (size_t i = 0; i < n_blobs; i++) {
		int blob = publisher_blob(publisher, &blobs[i]);

		if (blob < 0)
			die("a blob that nobody published is said to be missing");
		add_int(&bundle.blobs, &bundle.n_blobs, blob);
	}
	return keep_bundle(publisher, &bundle);
}
