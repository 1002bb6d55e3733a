/* SPDX-License-Identifier: ISC
 *
 * receive_calibrate: hears the probes of `clapet-send calibrate`, which come faster from step to step, and says what the link bears.
 */
#ifndef INSIDE_RECEIVE_CALIBRATE_H
#define INSIDE_RECEIVE_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/limits.h"
#include "bundle/link_message.h"

/* What was heard of one step. */
struct receive_step {
	uint64_t rate;      /* bytes a second on the wire that it aimed at; 0: not heard of */
	uint32_t count;     /* packets that it has */
	uint32_t n_heard;   /* of which came */
	uint32_t next;      /* one past the highest index that came */
	uint32_t longest;   /* packets that lacked one after the other, at most */
	uint64_t n_dropped; /* buffers that the kernel dropped meanwhile */
	/* Of its second half, for a sender starts slowly: milliseconds of its first and last packet, and bytes on the wire behind the first. */
	int64_t half_at, last_at;
	uint64_t half_bytes;
};

struct receive_calibration {
	struct receive_step steps[LIMIT_LINK_STEPS];
	uint16_t n_steps; /* 0: no probe yet */
	bool is_over;     /* the last packet of the last step came */
};

/* What to do. Zeros where nothing can be advised: even the slowest step lost more than repair makes up for. */
struct receive_advice {
	uint64_t rate;    /* bytes a second */
	unsigned percent; /* of repair symbols */
	uint64_t buffer;  /* bytes for --buffer; 0: it was enough */
	uint32_t longest; /* gap, of the steps that it is taken from */
};

/* Counts one probe of WIRE_SIZE bytes on the wire, which came at NOW (monotonic milliseconds). One of another number of steps begins anew: somebody
 * started again. N_DROPPED is the kernel's count so far. */
void receive_calibration_add(struct receive_calibration *calibration, const struct link_probe *probe, size_t wire_size,
			     int64_t now, uint64_t n_dropped);
/* Packets that did not come, of those before the last that did, or of all where a later step was heard. */
uint32_t receive_step_lost(const struct receive_calibration *calibration, size_t step);
/* Bytes a second at which a step arrived; what it aimed at where it was too short to tell. A link that holds back what is too fast loses nothing
 * of it, and shows here. */
uint64_t receive_step_rate(const struct receive_step *step);
void receive_calibration_advise(const struct receive_calibration *calibration, uint64_t buffer,
				struct receive_advice *ret_advice);

/* The command: waits SECONDS (0: for ever) for the first probe, and prints. An exit status: 1 where nothing was heard, or nothing can be
 * advised. */
int receive_calibrate(const char *bind, const char *key, uint64_t buffer, uint64_t seconds, bool as_json);

#endif
