/* SPDX-License-Identifier: ISC
 *
 * resendpart: bundles that crossed the link in part: the generations that a request names are sent again from the outbox, by clapet-send, and the
 * blobs that those bundles hold are not put into another one.
 */
#ifndef OUTSIDE_RESENDPART_H
#define OUTSIDE_RESENDPART_H

#include "outside/resendask.h"

/* What clapet-send looks for in its spool: this and 64 digits of a bundle's hash, with a line of ranges (bundle/FORMAT.md 18.15). */
#define RESENDPART_PREFIX ".ask-"

/* Finds the bundles in the outbox, and marks the blobs among ASK's items that one of them holds. What is not there is said (log,
 * FAULT_RESEND_ABSENT). FAULT_STORAGE. */
enum fault resendpart_find(struct resendask *ask, const struct agent *agent, struct refusal *why);

/* How many of them are there. */
size_t resendpart_count(const struct resendask *ask);

/* Tells clapet-send, durably. FAULT_STORAGE. */
enum fault resendpart_hand_over(const struct resendask *ask, const struct agent *agent, struct refusal *why);

#endif
