/* SPDX-License-Identifier: ISC
 *
 * sendrun: the work of a sender: takes files in, hashes them, packs the small ones, and gives the line one generation after another of whatever the
 * carousel says. One thread; each step is short, so that nothing that waits waits long.
 */
#ifndef OUTSIDE_SENDRUN_H
#define OUTSIDE_SENDRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outside/sendencode.h"
#include "outside/sendobject.h"
#include "outside/sendqueue.h"
#include "outside/sendranges.h"
#include "outside/sendsession.h"

/* Generations that are sent before all else, as somebody asked for them. */
struct send_urgent {
	struct send_object *object;
	struct link_ranges ranges;
	uint64_t rounds, round; /* that are to be sent, and were */
	uint32_t next;
};

struct send_run {
	struct send_session *session;
	struct sendencode *encode;
	struct sendqueue queue;
	int folder_fd;        /* of a spool: files are opened for their turn alone; -1: they stay open */
	bool may_trust_names; /* for the first cycle, in which the bytes are hashed on their way */
	bool may_pack;
	bool is_queued; /* what is ready joins the carousel; otherwise only what is urged is sent */
	struct send_object **objects;
	size_t n_objects;
	struct send_source *waiting, *small; /* to be hashed; hashed, and to be packed */
	size_t n_waiting, n_small;
	/* Of a spool, closed: refused, or (these are proved) the same bytes as another. They are looked at again when they change. */
	struct send_source *aside;
	size_t n_aside;
	struct send_urgent *urgent;
	size_t n_urgent;
	struct send_object *current;
	uint64_t turn;      /* bytes of its turn so far */
	uint64_t inherited; /* cycles of a pack that was dissolved: its members are no longer new */
	uint64_t next_id;
	int exit_status;
	/* Told of what an object's cycle came to, and of one that is given up. May be NULL. */
	void (*on_cycle)(void *ctx, const struct send_object *object);
	void (*on_drop)(void *ctx, const struct send_object *object, const struct refusal *why);
	void *ctx;
};

void sendrun_init(struct send_run *run, struct send_session *session, const struct sendqueue_rules *rules);
void sendrun_clear(struct send_run *run);

/* Takes in SOURCE, which is emptied. */
void sendrun_add(struct send_run *run, struct send_source *source);
/* How many objects, and files not yet of one, there are. */
size_t sendrun_count(const struct send_run *run);
struct send_object *sendrun_find(const struct send_run *run, const struct sha256 *sha256);

/* Sends these of its generations before all else, as many rounds. FAULT_SEND_RANGES, FAULT_NO_SUCH. */
enum fault sendrun_urge(struct send_run *run, const struct send_only *only, uint64_t rounds, struct refusal *why);

/* Sends objects that are shorter than a burst (one generation of fewer than LIMIT_LINK_STRIPES blocks) once more, with other repair symbols. */
void sendrun_urge_short(struct send_run *run);

/* Sends no more of OBJECT and frees it. */
void sendrun_drop(struct send_run *run, struct send_object *object);

/* Asks KEEP of every file that is here, and forgets those that it does not want: an object goes with its file; what is left of a pack is packed
 * anew. (sendsift.c) */
typedef bool sendrun_keep(void *ctx, const struct send_source *source);
void sendrun_sift(struct send_run *run, sendrun_keep *keep, void *ctx);
/* Remembers SOURCE, which is emptied and not sent. */
void sendrun_put_aside(struct send_run *run, struct send_source *source);

/* A little of the work; waits up to so many milliseconds for the line where there is more. False where there is nothing to do (for now). */
bool sendrun_step(struct send_run *run, int64_t milliseconds);

/* Ends the line (AT_ONCE: without what is queued), with a last word on each object, and counts what it did. */
void sendrun_finish(struct send_run *run, bool at_once, struct sendline_totals *ret_totals);

#endif
