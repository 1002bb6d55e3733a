/* SPDX-License-Identifier: ISC
 *
 * sendencode: symbol n of a generation is packet n, in the order of the file; then come the repair symbols, row by row over the stripes. So what
 * is lost in one burst is of many blocks.
 */
#include "outside/sendencode.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/fec.h"

/* Tables of one k and one run of rows: a file's full generations, its last one, and those of the object after it. */
#define ENCODERS 4

struct tables {
	unsigned k, first_row, repair;
	struct fec_encoder *encoder; /* NULL: free */
};

struct sendencode {
	struct tables tables[ENCODERS];
	size_t oldest;
	struct iovec iov[LIMIT_LINK_SYMBOLS];
};

struct sendencode *sendencode_new(void)
{
	return xcalloc(1, sizeof(struct sendencode));
}

void sendencode_free(struct sendencode *encode)
{
	if (encode == NULL)
		return;
	for (size_t i = 0; i < ENCODERS; i++)
		fec_encoder_free(encode->tables[i].encoder);
	free(encode);
}

static const struct fec_encoder *find_encoder(struct sendencode *encode, unsigned k, unsigned first_row,
					      unsigned repair)
{
	struct tables *tables;

	for (size_t i = 0; i < ENCODERS; i++) {
		tables = &encode->tables[i];
		if (tables->encoder != NULL && tables->k == k && tables->first_row == first_row &&
		    tables->repair == repair)
			return tables->encoder;
	}
	tables = &encode->tables[encode->oldest];
	encode->oldest = (encode->oldest + 1) % ENCODERS;
	fec_encoder_free(tables->encoder);
	*tables = (struct tables){k, first_row, repair, fec_encoder_new(FEC_ENGINE_BEST, k, first_row, repair)};
	return tables->encoder;
}

static uint8_t *payload(const struct sendline_job *job, size_t i)
{
	return job->packets + i * (LINK_OVERHEAD + job->symbol_size) + LINK_HEADER_SIZE;
}

/* Reads the source symbols; what the last one lacks is zeros. */
static enum fault read_symbols(struct sendencode *encode, const struct send_object *object,
			       const struct sendline_job *job, struct refusal *why)
{
	const struct link_generation_shape *shape = &job->shape;
	size_t L = job->symbol_size, last = shape->size - (size_t)(shape->n_symbols - 1) * L;

	for (size_t i = 0; i < shape->n_symbols; i++)
		encode->iov[i] = (struct iovec){payload(job, i), i == shape->n_symbols - 1 ? last : L};
	memset(payload(job, shape->n_symbols - 1) + last, 0, L - last);
	return sendobject_read(object, shape->offset, encode->iov, shape->n_symbols, why);
}

static void hash_symbols(struct send_source *source, const struct sendline_job *job)
{
	uint32_t left = job->shape.size;

	for (size_t i = 0; left > 0; i++) {
		uint32_t now = left < job->symbol_size ? left : job->symbol_size;

		sendsource_hash_bytes(source, payload(job, i), now);
		left -= now;
	}
}

static void make_repair(struct sendencode *encode, const struct sendline_job *job)
{
	const struct link_generation_shape *shape = &job->shape;
	const struct fec_encoder *encoder = find_encoder(encode, shape->k, job->first_row, job->repair);
	const uint8_t *source[LIMIT_LINK_K];
	uint8_t *repair[FEC_ROWS];

	for (unsigned stripe = 0; stripe < shape->stripes; stripe++) {
		for (unsigned i = 0; i < shape->k; i++) {
			size_t n = (size_t)i * shape->stripes + stripe;

			source[i] = n < shape->n_symbols ? payload(job, n) : NULL;
		}
		for (unsigned i = 0; i < job->repair; i++)
			repair[i] = payload(job, shape->n_symbols + (size_t)i * shape->stripes + stripe);
		fec_encode(encoder, job->symbol_size, source, repair);
	}
}

enum fault sendencode_fill(struct sendencode *encode, struct send_object *object, uint32_t number, unsigned percent,
			   uint32_t cycle, struct sendline_job *job, struct refusal *why)
{
	struct send_source *source = &object->sources[0];

	job->kind = LINK_SYMBOL;
	job->n_packets = 0;
	job->object_size = object->size;
	job->symbol_size = object->geometry.symbol_size;
	link_geometry_shape(&object->geometry, number, &job->shape);
	if (job->shape.n_symbols == 0)
		return FAULT_NONE;
	job->repair = link_repair_count(job->shape.k, percent);
	job->first_row = link_repair_first_row(job->shape.k, job->repair, cycle);
	job->n_packets = job->shape.n_symbols + (size_t)job->repair * job->shape.stripes;
	sendline_room(job, job->n_packets, job->symbol_size);
	if (read_symbols(encode, object, job, why) != FAULT_NONE)
		return why->fault;
	if (!source->is_proved && source->hashed == job->shape.offset)
		hash_symbols(source, job);
	if (job->repair > 0)
		make_repair(encode, job);
	return FAULT_NONE;
}
