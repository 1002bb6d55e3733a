/* SPDX-License-Identifier: ISC
 *
 * sendreport: what was sent, as JSON (FORMAT.md 31.4): a report file of a run or of an object's crossing, and what a status says of each object.
 */
#ifndef OUTSIDE_SENDREPORT_H
#define OUTSIDE_SENDREPORT_H

#include <jansson.h>
#include <stdint.h>

#include "outside/sendobject.h"
#include "outside/sendsession.h"

/* Name or names, digest, size, generations, cycles, counts, times. New. */
json_t *sendreport_object(const struct send_object *object);

/* "packets", "bytes", "wireBytes", "lost" into OBJECT. */
void sendreport_set_counts(json_t *object, const struct sendline_counts *counts);

/* A report with OBJECTS (taken): link, session, and what SESSION's profile says. New. */
json_t *sendreport_new(const struct send_session *session, json_t *objects);

/* JSON as text with an LF at its end; taken. Owned by the caller. */
char *sendreport_text(json_t *object);

#endif
