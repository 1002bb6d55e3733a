/* SPDX-License-Identifier: ISC
 *
 * sendrun: an object is worked on in turns, so that a small new one overtakes a large one within a second; its cycle goes on where it stood.
 */
#include "outside/sendrun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Of one object before others are looked at: half a second of a gigabit. */
#define TURN_BYTES (64 * MIB)
/* Hashed between two generations: 10 ms. */
#define SLICE_BYTES (16 * MIB)
/* Objects of which the last words are said again at the end: a receiver that missed the first learns what it lacks. */
#define LAST_WORDS 256

void sendrun_init(struct send_run *run, struct send_session *session, const struct sendqueue_rules *rules)
{
	*run = (struct send_run){.session = session,
				 .encode = sendencode_new(),
				 .folder_fd = -1,
				 .may_pack = true,
				 .is_queued = true,
				 .next_id = 1};
	sendqueue_init(&run->queue, rules);
}

static void clear_sources(struct send_source *sources, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sendsource_clear(&sources[i]);
	free(sources);
}

void sendrun_clear(struct send_run *run)
{
	for (size_t i = 0; i < run->n_objects; i++)
		sendobject_free(run->objects[i]);
	free(run->objects);
	clear_sources(run->waiting, run->n_waiting);
	clear_sources(run->small, run->n_small);
	clear_sources(run->aside, run->n_aside);
	free(run->urgent);
	sendqueue_clear(&run->queue);
	sendencode_free(run->encode);
}

/* Appends *SOURCE, which is emptied. */
static void append(struct send_source **list, size_t *n, struct send_source *source)
{
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = *source;
	*source = (struct send_source){.fd = -1};
}

size_t sendrun_count(const struct send_run *run)
{
	size_t n = run->n_waiting + run->n_small + run->n_aside;

	for (size_t i = 0; i < run->n_objects; i++)
		n += run->objects[i]->n_sources;
	return n;
}

struct send_object *sendrun_find(const struct send_run *run, const struct sha256 *sha256)
{
	for (size_t i = 0; i < run->n_objects; i++)
		if (sha256_equal(&run->objects[i]->sha256, sha256))
			return run->objects[i];
	return NULL;
}

static struct send_object *find_id(const struct send_run *run, uint64_t id)
{
	for (size_t i = 0; i < run->n_objects; i++)
		if (run->objects[i]->id == id)
			return run->objects[i];
	return NULL;
}

static void fail(struct send_run *run, const struct refusal *why)
{
	log_refusal(why);
	run->exit_status = fault_exit_worse(run->exit_status, fault_exit(why->fault));
}

/* --- what comes in --- */

static void add_object(struct send_run *run, struct send_object *object)
{
	object->id = run->next_id++;
	object->came = time(NULL);
	run->objects = xrealloc(run->objects, run->n_objects + 1, sizeof(*run->objects));
	run->objects[run->n_objects++] = object;
	if (run->is_queued) {
		sendqueue_add(&run->queue, object->id, object->size, object->came);
		sendqueue_find(&run->queue, object->id)->cycles = run->inherited;
	}
	if (run->folder_fd >= 0)
		sendobject_close(object, false);
}

static void add_file(struct send_run *run, struct send_source *source)
{
	struct refusal why = {FAULT_NONE, ""};
	struct send_object *object;

	if (sendobject_new_file(source, run->session->symbol_size, &object, &why) == FAULT_NONE) {
		add_object(run, object);
		return;
	}
	fail(run, &why);
	sendrun_put_aside(run, source);
}

void sendrun_put_aside(struct send_run *run, struct send_source *source)
{
	sendsource_close(source);
	append(&run->aside, &run->n_aside, source);
}

void sendrun_add(struct send_run *run, struct send_source *source)
{
	if (run->may_trust_names && !sha256_is_zero(&source->sha256) && source->size > LIMIT_LINK_PACK_MEMBER_SIZE &&
	    sendrun_find(run, &source->sha256) == NULL)
		add_file(run, source);
	else
		append(&run->waiting, &run->n_waiting, source);
}

/* The same bytes under two names cross once. */
static bool is_known(const struct send_run *run, const struct send_source *source)
{
	for (size_t i = 0; i < run->n_small; i++)
		if (sha256_equal(&run->small[i].sha256, &source->sha256))
			return true;
	for (size_t i = 0; i < run->n_objects; i++)
		for (size_t k = 0; k < run->objects[i]->n_sources; k++)
			if (sha256_equal(&run->objects[i]->sources[k].sha256, &source->sha256))
				return true;
	return false;
}

static void settle_source(struct send_run *run, struct send_source *source)
{
	if (is_known(run, source)) {
		log_info("%s: the same bytes as another file; they are sent once", source->name);
		sendrun_put_aside(run, source);
	} else if (run->may_pack && source->size <= LIMIT_LINK_PACK_MEMBER_SIZE) {
		append(&run->small, &run->n_small, source);
	} else {
		add_file(run, source);
	}
}

/* A slice of the first file that waits. */
static void hash_some(struct send_run *run)
{
	struct send_source source = run->waiting[0];
	struct refusal why = {FAULT_NONE, ""};
	bool done = false;

	if (sendsource_hash(&source, SLICE_BYTES, &done, &why) == FAULT_NONE && !done) {
		run->waiting[0] = source;
		return;
	}
	run->n_waiting--;
	memmove(run->waiting, run->waiting + 1, run->n_waiting * sizeof(*run->waiting));
	if (why.fault == FAULT_NONE) {
		settle_source(run, &source);
		return;
	}
	/* What changes in a spool is still being written: it is taken in again. */
	if (run->folder_fd >= 0 && why.fault == FAULT_SEND_CHANGED) {
		sendsource_clear(&source);
		return;
	}
	fail(run, &why);
	sendrun_put_aside(run, &source);
}

/* The small files that came together as one object, or as many as it takes. */
static void pack_some(struct send_run *run)
{
	struct send_object *object;
	uint64_t bytes = 0;
	size_t n = 0;

	while (n < run->n_small && sendobject_fits(n, bytes, run->small[n].size))
		bytes += run->small[n++].size;
	if (n <= 1) {
		n = 1;
		add_file(run, &run->small[0]);
	} else {
		object = sendobject_new_pack(run->small, n, run->session->symbol_size);
		if (object != NULL)
			add_object(run, object);
		else
			run->exit_status = fault_exit_worse(run->exit_status, fault_exit(FAULT_SEND_CHANGED));
	}
	run->n_small -= n;
	memmove(run->small, run->small + n, run->n_small * sizeof(*run->small));
	if (run->n_small == 0)
		run->inherited = 0;
}

/* --- what goes --- */

enum fault sendrun_urge(struct send_run *run, const struct send_only *only, uint64_t rounds, struct refusal *why)
{
	struct send_object *object = sendrun_find(run, &only->object);
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&only->object, hex);
	if (object == NULL)
		return refuse(why, FAULT_NO_SUCH, "no object %s is here to be sent", hex);
	if (sendranges_check(only, hex, object->geometry.n_generations, why) != FAULT_NONE)
		return why->fault;
	run->urgent = xrealloc(run->urgent, run->n_urgent + 1, sizeof(*run->urgent));
	run->urgent[run->n_urgent++] = (struct send_urgent){object, only->ranges, rounds, 0, 0};
	return FAULT_NONE;
}

void sendrun_urge_short(struct send_run *run)
{
	for (size_t i = 0; i < run->n_objects; i++) {
		struct send_only only = {.object = run->objects[i]->sha256,
					 .ranges = {.items = {{0, 0}}, .n_items = 1}};
		struct link_generation_shape shape;
		struct refusal why;

		link_geometry_shape(&run->objects[i]->geometry, 0, &shape);
		if (run->objects[i]->geometry.n_generations == 1 && shape.stripes < LIMIT_LINK_STRIPES)
			sendrun_urge(run, &only, 1, &why);
	}
}

static void drop_urgent(struct send_run *run, size_t i)
{
	run->n_urgent--;
	memmove(&run->urgent[i], &run->urgent[i + 1], (run->n_urgent - i) * sizeof(*run->urgent));
}

void sendrun_drop(struct send_run *run, struct send_object *object)
{
	for (size_t i = run->n_urgent; i > 0; i--)
		if (run->urgent[i - 1].object == object)
			drop_urgent(run, i - 1);
	if (run->current == object)
		run->current = NULL;
	sendqueue_remove(&run->queue, object->id);
	for (size_t i = 0; i < run->n_objects; i++)
		if (run->objects[i] == object) {
			run->n_objects--;
			memmove(&run->objects[i], &run->objects[i + 1], (run->n_objects - i) * sizeof(*run->objects));
			break;
		}
	sendobject_free(object);
}

/* It cannot be sent any more. In a spool that is no fault: it was taken away. */
static void give_up(struct send_run *run, struct send_object *object, const struct refusal *why)
{
	if (run->folder_fd < 0 || why->fault != FAULT_SEND_CHANGED)
		fail(run, why);
	if (run->on_drop != NULL)
		run->on_drop(run->ctx, object, why);
	sendrun_drop(run, object);
}

static void announce(const struct send_run *run, struct send_object *object, enum link_moment moment,
		     struct sendline_job *job)
{
	job->owner = object->id;
	job->rate = 0;
	job->announces = true;
	job->is_first = !object->was_announced;
	job->announcement = (struct link_announcement){
		.sha256 = object->sha256,
		.started = run->session->started,
		/* A pack's members have their own. */
		.version = object->content == LINK_CONTENT_PACK ? 0 : object->version,
		.cycle = object->cycle,
		.content = object->content,
		.moment = moment,
		.percent = (uint8_t)run->session->profile->repair,
	};
	object->was_announced = true;
}

/* An announcement alone. */
static void fill_end(const struct send_run *run, struct send_object *object, struct sendline_job *job)
{
	announce(run, object, LINK_MOMENT_END, job);
	job->kind = LINK_SYMBOL;
	job->object_size = object->size;
	job->symbol_size = object->geometry.symbol_size;
	job->n_packets = 0;
}

static enum fault fill_generation(struct send_run *run, struct send_object *object, uint32_t number, uint32_t cycle,
				  bool announces, struct sendline_job *job, struct refusal *why)
{
	bool is_first = !object->was_announced;

	if (sendobject_open(object, run->folder_fd, why) != FAULT_NONE ||
	    sendencode_fill(run->encode, object, number, (unsigned)run->session->profile->repair, cycle, job, why) !=
		    FAULT_NONE)
		return why->fault;
	announce(run, object, announces && number == 0 ? LINK_MOMENT_START : LINK_MOMENT_AGAIN, job);
	/* Between generations of one turn the line says it again when it is time. */
	job->announces = announces || is_first;
	job->is_first = is_first;
	return FAULT_NONE;
}

static uint32_t rows_of(const struct send_run *run, const struct send_object *object)
{
	return run->session->first_cycle + object->cycle;
}

/* One generation that was asked for. */
static void send_urgent(struct send_run *run, struct sendline_job *job)
{
	struct send_urgent *urgent = &run->urgent[0];
	struct send_object *object = urgent->object;
	struct refusal why = {FAULT_NONE, ""};
	uint32_t number = urgent->next;
	bool announces = urgent->next == 0;

	while (number < object->geometry.n_generations && !link_ranges_has(&urgent->ranges, number))
		number++;
	if (number < object->geometry.n_generations) {
		urgent->next = number + 1;
		if (fill_generation(run, object, number, rows_of(run, object), announces, job, &why) == FAULT_NONE) {
			sendline_put(run->session->line, job);
			return;
		}
		sendline_untake(run->session->line, job);
		give_up(run, object, &why);
		return;
	}
	fill_end(run, object, job);
	object->cycle++;
	urgent->next = 0;
	if (++urgent->round == urgent->rounds)
		drop_urgent(run, 0);
	sendline_put(run->session->line, job);
	sendobject_close(object, run->folder_fd < 0);
}

/* The cycle is through: what was hashed on the way must be what was announced. */
static enum fault prove(struct send_object *object, struct refusal *why)
{
	struct send_source *source = &object->sources[0];

	if (object->content == LINK_CONTENT_PACK)
		return FAULT_NONE;
	if (source->is_proved)
		return sendsource_check(source, why);
	return sendsource_prove(source, why);
}

static void end_turn(struct send_run *run, bool ends_cycle)
{
	struct sendqueue_item *item = sendqueue_find(&run->queue, run->current->id);

	sendqueue_spent(&run->queue, item, run->turn, ends_cycle, time(NULL));
	sendobject_close(run->current, run->folder_fd < 0);
	run->current = NULL;
}

static void end_cycle(struct send_run *run, struct sendline_job *job)
{
	struct send_object *object = run->current;
	struct refusal why = {FAULT_NONE, ""};

	if (prove(object, &why) != FAULT_NONE) {
		sendline_untake(run->session->line, job);
		give_up(run, object, &why);
		return;
	}
	fill_end(run, object, job);
	job->ends_cycle = true;
	object->next = 0;
	object->cycle++;
	end_turn(run, true);
	sendline_put(run->session->line, job);
}

/* The next generation of the carousel. */
static void send_current(struct send_run *run, struct sendline_job *job)
{
	struct send_object *object = run->current;
	struct refusal why = {FAULT_NONE, ""};
	uint32_t number = object->next;

	if (number == object->geometry.n_generations) {
		end_cycle(run, job);
		return;
	}
	if (fill_generation(run, object, number, rows_of(run, object), run->turn == 0, job, &why) != FAULT_NONE) {
		sendline_untake(run->session->line, job);
		give_up(run, object, &why);
		return;
	}
	object->next++;
	run->turn += object->geometry.generation_size;
	if (run->turn >= TURN_BYTES && object->next < object->geometry.n_generations)
		end_turn(run, false);
	sendline_put(run->session->line, job);
}

static bool choose(struct send_run *run)
{
	struct sendqueue_item *item;

	if (run->current != NULL)
		return true;
	item = sendqueue_next(&run->queue, time(NULL));
	if (item == NULL)
		return false;
	run->current = find_id(run, item->id);
	run->turn = 0;
	return true;
}

/* Counts what the line did with JOB before. */
static void account(void *ctx, struct sendline_job *job)
{
	struct send_run *run = ctx;
	struct send_object *object = job->owner == 0 ? NULL : find_id(run, job->owner);

	job->owner = 0;
	if (object == NULL)
		return;
	object->counts.packets += job->went.packets;
	object->counts.bytes += job->went.bytes;
	object->counts.wire_bytes += job->went.wire_bytes;
	object->counts.lost += job->went.lost;
	object->last_sent = time(NULL);
	if (object->first_sent == 0)
		object->first_sent = object->last_sent;
	if (job->ends_cycle && run->on_cycle != NULL)
		run->on_cycle(run->ctx, object);
	job->ends_cycle = false;
}

/* What the beacon says. */
static void set_facts(struct send_run *run, bool is_idle)
{
	struct sendline_facts facts = {.is_idle = is_idle};

	facts.n_queued = (uint32_t)(sendqueue_unsent(&run->queue) + run->n_waiting + run->n_small + run->n_urgent);
	for (size_t i = 0; i < run->n_objects; i++)
		if (run->objects[i]->version > facts.version)
			facts.version = run->objects[i]->version;
	sendline_set_facts(run->session->line, &facts);
}

bool sendrun_step(struct send_run *run, int64_t milliseconds)
{
	struct sendline_job *job;
	bool has_more;

	if (run->n_waiting > 0)
		hash_some(run);
	else if (run->n_small > 0)
		pack_some(run);
	has_more = run->n_waiting > 0 || run->n_small > 0;
	job = sendline_take(run->session->line, has_more ? 0 : milliseconds);
	if (job == NULL)
		return true;
	account(run, job);
	if (run->n_urgent > 0 || choose(run)) {
		set_facts(run, false);
		if (run->n_urgent > 0)
			send_urgent(run, job);
		else
			send_current(run, job);
		return true;
	}
	sendline_untake(run->session->line, job);
	set_facts(run, !has_more && sendline_is_idle(run->session->line));
	return has_more;
}

/* Each object's end is told once more. */
static void say_last_words(struct send_run *run)
{
	size_t first = run->n_objects > LAST_WORDS ? run->n_objects - LAST_WORDS : 0;

	for (size_t i = first; i < run->n_objects; i++) {
		struct send_object *object = run->objects[i];
		struct sendline_job *job;

		if (!object->was_announced)
			continue;
		while ((job = sendline_take(run->session->line, 1000)) == NULL)
			if (sendsession_is_stopping())
				return;
		account(run, job);
		fill_end(run, object, job);
		job->announcement.cycle = object->cycle > 0 ? object->cycle - 1 : 0;
		sendline_put(run->session->line, job);
	}
}

void sendrun_finish(struct send_run *run, bool at_once, struct sendline_totals *ret_totals)
{
	if (!at_once)
		say_last_words(run);
	sendline_finish(run->session->line, at_once, account, run, ret_totals);
	run->session->line = NULL;
}
