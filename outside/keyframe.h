/* SPDX-License-Identifier: ISC
 *
 * keyframe: when a file travels whole, and when as a patch against the last time that it did. A patch costs the inside nothing if others
 * before it were lost, but for the keyframe itself; so a keyframe is made anew before patches grow long, and offered again while there is
 * nothing else to send.
 */
#ifndef OUTSIDE_KEYFRAME_H
#define OUTSIDE_KEYFRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "outside/config.h"
#include "outside/publish.h"
#include "outside/state.h"

/* Whether a patch against BEFORE's keyframe is worth trying at NOW: patches are asked for, the keyframe is not too old, and not so small that
 * a patch would save nothing. A clock that went back makes nothing old. */
bool keyframe_serves(const struct keyframe_policy *policy, const struct state_file *before, int64_t now);
/* Bytes that a patch against KEYFRAME may have: its share of that one as it travels, and no more than one part holds. */
uint64_t keyframe_patch_bound(const struct keyframe_policy *policy, const struct state_keyframe *keyframe);

/* Bytes of the keyframe as it travels. */
uint64_t keyframe_size(const struct state_keyframe *keyframe);

/* The keyframes of what is published that no bundle carried for EVERY seconds before NOW, those offered longest ago first, until one more would
 * pass BYTES; one there is in any case, unless BYTES is 0. Marks them as offered at NOW, in STATES, which the caller saves once the bundle is
 * there. Appends to BLOBS, whose items it may leave more than once. Returns how many. */
size_t keyframe_choose_offers(struct source_state *const *states, size_t n_states, int64_t now, int64_t every,
			      uint64_t bytes, struct publish_blobs *blobs);

#endif
