/* SPDX-License-Identifier: ISC
 *
 * sendencode: one generation of an object as the payloads of its packets: source symbols read straight into them, repair symbols computed beside.
 */
#ifndef OUTSIDE_SENDENCODE_H
#define OUTSIDE_SENDENCODE_H

#include "base/fault.h"
#include "outside/sendline.h"
#include "outside/sendobject.h"

/* Room and tables that are used again: one a thread. */
struct sendencode;
struct sendencode *sendencode_new(void);
void sendencode_free(struct sendencode *encode);

/* Fills JOB with generation NUMBER of OBJECT, at PERCENT of repair, with the repair symbols of CYCLE. The object is open. Where its file was not
 * proved yet (sendsource.h) its bytes are hashed on the way. FAULT_SEND_CHANGED, FAULT_FILE: the job has nothing to send. */
enum fault sendencode_fill(struct sendencode *encode, struct send_object *object, uint32_t number, unsigned percent,
			   uint32_t cycle, struct sendline_job *job, struct refusal *why);

#endif
