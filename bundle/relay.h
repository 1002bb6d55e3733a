/* SPDX-License-Identifier: ISC
 *
 * relay: two steps of a pipe by two threads. The first gives plain bytes, in order, as to any blob_sink; the second takes them while the
 * first goes on. What is between them is bounded.
 */
#ifndef BUNDLE_RELAY_H
#define BUNDLE_RELAY_H

#include "bundle/blob.h"

/* What is handed over at a time: enough that handing it over costs nothing, little enough for a core's cache. So many are under way. */
#define RELAY_SLOT_SIZE ((size_t)256 << 10)
#define RELAY_SLOTS 8

/* The first step: gives all bytes to SINK, and returns what is wrong with them, or what SINK returned. */
typedef enum fault relay_work(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why);

/* Runs WORK in a thread of its own and SINK in this one. The fault, and the bytes that SINK has seen by then, are those of
 * WORK(work_ctx, SINK, ctx, why), which is also what is done where no thread can be had; only the pieces may be cut otherwise. WORK may have
 * gone on past the bytes that SINK refused. A worker whose sandbox knows no threads must not call it. */
enum fault relay_run(relay_work *work, void *work_ctx, blob_sink *sink, void *ctx, struct refusal *why);

#endif
