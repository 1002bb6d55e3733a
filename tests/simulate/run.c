/* SPDX-License-Identifier: ISC
 *
 * run: one seed. All odds are here.
 */
#include "tests/simulate/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tests/simulate/oneprocess.h"
#include "tests/simulate/site.h"

/* 2040-01-01T00:00:00Z: past every file's mtime, so that nothing is too young to be deleted. */
#define START 2208988800LL
/* Between two bundles: 200 of them pass within every validity. */
#define STEP 600

/* Of so many seeds one has the real log, and one imports everything twice more, in other orders. */
#define LOG_EVERY 10
#define ORDER_EVERY 16
/* Of so many one keeps one generation alone and so many older versions as blobs: what is rolled back is rebuilt then. */
#define HISTORY_EVERY 3
#define HISTORY 4

/* In percent, of each bundle on each link. */
#define ODDS_LOST 15
#define ODDS_REPEATED 10
#define ODDS_DELAYED 25
#define ODDS_TRUNCATED 6
#define DELAY_MOST 20
/* Of a step, that the inside imports where bundles came in, and where none did. */
#define ODDS_IMPORT 60
#define ODDS_IMPORT_NOTHING 5

struct delivery {
	int bundle;
	unsigned due;
	size_t size;
};

struct link {
	struct delivery *items;
	size_t n, room;
};

#define SITES 3
struct world {
	struct random random;
	struct publisher publisher;
	struct site sites[SITES];
	struct link links[SITES];
	bool waits[SITES]; /* bundles, in incoming */
	size_t n_sites;
	unsigned step;
	bool has_log, is_wrong;
	unsigned history;
	const char *dir;
	struct run_counts *counts;
};

/* --- links ----------------------------------------------------------------------------------------------------------- */

static void carry(struct link *link, int bundle, unsigned due, size_t size)
{
	if (link->n == link->room) {
		link->room = link->room * 2 + 16;
		link->items = xrealloc(link->items, link->room, sizeof(link->items[0]));
	}
	link->items[link->n++] = (struct delivery){bundle, due, size};
}

static void send(struct world *world, size_t index, int bundle)
{
	struct random *random = &world->random;
	struct link *link = &world->links[index];
	size_t size = world->publisher.bundles[bundle].size;
	unsigned due = world->step;

	if (random_odds(random, ODDS_LOST)) {
		trace("%s: bundle %d is lost", world->sites[index].name, bundle);
		world->counts->n_lost++;
		return;
	}
	if (random_odds(random, ODDS_DELAYED)) {
		due += 1 + random_below(random, DELAY_MOST);
		world->counts->n_delayed++;
	}
	if (random_odds(random, ODDS_TRUNCATED)) {
		carry(link, bundle, due, 1 + random_below(random, (uint32_t)size - 1));
		world->counts->n_truncated++;
		/* The rest comes later, or never. */
		if (random_odds(random, 50))
			return;
		due += 1 + random_below(random, DELAY_MOST);
	}
	carry(link, bundle, due, size);
	if (random_odds(random, ODDS_REPEATED)) {
		carry(link, bundle, due + random_below(random, DELAY_MOST), size);
		world->counts->n_repeated++;
	}
}

/* Whatever is due, in any order; what stays on the link is moved up. How many. */
static size_t deliver(struct world *world, size_t index, bool all)
{
	struct link *link = &world->links[index];
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < link->n; i++) {
		if (!all && link->items[i].due > world->step) {
			link->items[kept++] = link->items[i];
			continue;
		}
		site_deliver(&world->sites[index], link->items[i].bundle, link->items[i].size);
		n++;
	}
	link->n = kept;
	return n;
}

static void import(struct world *world, size_t index)
{
	site_import(&world->sites[index]);
	site_check(&world->sites[index]);
	world->counts->n_imports++;
}

/* --- the outside ----------------------------------------------------------------------------------------------------- */

static void release_some(struct world *world)
{
	struct publisher *publisher = &world->publisher;
	int dataset = (int)random_below(&world->random, (uint32_t)publisher->delegated);
	bool breaks = dataset >= DATASETS_FREE && publisher->state.releases[dataset] >= 0 &&
		      random_odds(&world->random, 15);

	publisher_release(publisher, dataset, breaks);
	trace("outside: %s release %d%s", dataset_names[dataset], publisher->state.releases[dataset],
	      breaks ? ", which breaks its contract" : "");
}

static void withdraw_some(struct world *world)
{
	struct publisher *publisher = &world->publisher;
	int dataset = (int)random_below(&world->random, DATASETS_FREE);
	int release = publisher->state.releases[dataset];

	if (release < 0 || publisher->releases[release].version[0] == '\0')
		return;
	publisher_withdraw(publisher, dataset);
	trace("outside: %s is withdrawn, release %d", dataset_names[dataset], publisher->state.releases[dataset]);
}

/* Things happen, and a bundle is made of them. */
static int publish(struct world *world)
{
	struct publisher *publisher = &world->publisher;
	uint32_t what = random_below(&world->random, 100);
	enum pub_selection selection = what < 8 ? PUB_CATALOGUE : what < 10 ? PUB_ALL : PUB_NEW;

	publisher->now += STEP;
	oneprocess_set_time(publisher->now);
	if (publisher->delegated < DATASETS && world->step > 30)
		publisher_targets(publisher);
	if (what >= 98 && publisher->state.root < 5)
		publisher_root(publisher);
	if (what >= 10 && what < 20)
		return publisher_bundle(publisher, PUB_NEW); /* a heartbeat */
	do
		release_some(world);
	while (random_odds(&world->random, 30));
	if (random_odds(&world->random, 6))
		withdraw_some(world);
	return publisher_bundle(publisher, selection);
}

/* Somebody carries the site's request out, and the answer to it back. */
static int resend(struct world *world, const struct site *site)
{
	trace("%s: asks for %zu blobs, roles %#x", site->name, site->n_missing, site->roles_missing);
	world->counts->n_resends++;
	return publisher_resend(&world->publisher, site->roles_missing, site->missing, site->n_missing);
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

static bool may_pin(const struct site *site, int dataset)
{
	return site->in_force[dataset] != NOTHING && !site->pinned[dataset];
}

static bool decide(struct world *world, struct site *site)
{
	int dataset = (int)random_below(&world->random, DATASETS);
	uint32_t what = random_below(&world->random, 100);

	if (what < 3 && may_pin(site, dataset))
		site_pin(site, dataset);
	else if (what < 5 && may_pin(site, dataset))
		site_rollback(site, dataset);
	else if (what >= 5 && what < 25 && site->pinned[dataset])
		site_release(site, dataset);
	else if (what >= 25 && what < 45 && site->is_held_by_contract[dataset] && !site->pinned[dataset])
		site_approve(site, dataset);
	else if (what >= 45 && what < 50 && site->waived[dataset])
		site_withdraw_waiver(site, dataset);
	else
		return false;
	site_check(site);
	world->counts->n_decisions++;
	return true;
}

/* --- the end --------------------------------------------------------------------------------------------------------- */

/* Everything that is on its way arrives; what is missing is asked for until nothing is; every pin ends, and what waits is let in. */
static void complete(struct world *world, size_t index)
{
	struct site *site = &world->sites[index];

	while (deliver(world, index, true) > 0)
		import(world, index);
	/* One bundle at the least: the newest timestamp may have been lost. */
	site_deliver(site, publisher_bundle(&world->publisher, PUB_NEW), SIZE_MAX);
	import(world, index);
	for (unsigned n = 0; site->is_missing; n++) {
		if (n > 2)
			fail("%s: asked three times, and got all that it asked for: something is missing still",
			     site->name);
		site_deliver(site, resend(world, site), SIZE_MAX);
		import(world, index);
	}
	for (int i = 0; i < DATASETS; i++) {
		if (site->pinned[i]) {
			site_release(site, i);
			site_check(site);
		}
		if (site->is_held_by_contract[i]) {
			site_approve(site, i);
			site_check(site);
		}
	}
	/* Older generations go, and with them what only they showed, and all history. */
	site_configure(site, 1, 0);
	import(world, index);
}

/* A new version of everything, for all of them: each then has that in force, and holds nothing else. */
static void renew(struct world *world)
{
	int bundle;

	for (int i = 0; i < world->publisher.delegated; i++)
		publisher_release(&world->publisher, i, false);
	bundle = publisher_bundle(&world->publisher, PUB_ALL);
	for (size_t i = 0; i < world->n_sites; i++) {
		site_deliver(&world->sites[i], bundle, SIZE_MAX);
		import(world, i);
		if (world->sites[i].is_missing)
			fail("%s: it got everything, and something is missing", world->sites[i].name);
	}
}

static void compare(const char *what, const char *a, const char *b)
{
	size_t line = 0, start = 0, i = 0;

	if (strcmp(a, b) == 0)
		return;
	for (; a[i] == b[i]; i++)
		if (a[i] == '\n') {
			line++;
			start = i + 1;
		}
	fail("%s: line %zu of what they hold is \"%.*s\" and \"%.*s\"", what, line + 1, (int)strcspn(a + start, "\n"),
	     a + start, (int)strcspn(b + start, "\n"), b + start);
}

/* All bundles that INDEX ever got whole, in any order, in heaps of up to ten. */
static void import_again(struct world *world, size_t index, const bool *got, size_t n_got)
{
	_cleanup_free_ int *order = xcalloc(n_got + 1, sizeof(int));
	size_t n = 0;

	for (size_t i = 0; i < n_got; i++)
		if (got[i])
			order[n++] = (int)i;
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below(&world->random, (uint32_t)i);
		int swap = order[i - 1];

		order[i - 1] = order[k];
		order[k] = swap;
	}
	for (size_t i = 0; i < n;) {
		size_t heap = 1 + random_below(&world->random, 10);

		for (; i < n && heap > 0; i++, heap--)
			site_deliver(&world->sites[index], order[i], SIZE_MAX);
		import(world, index);
	}
}

static struct site *add_site(struct world *world, const char *name)
{
	struct site *site = &world->sites[world->n_sites++];
	char dir[256];

	snprintf(dir, sizeof(dir), "%.200s/%s", world->dir, name);
	oneprocess_set_log(true);
	site_open(site, name, dir, &world->publisher, world->history);
	oneprocess_set_log(world->has_log);
	site->is_wrong = world->is_wrong;
	return site;
}

/* The first gets all that it ever got again, in any order. Another one gets the same in an order of its own. */
static void check_order(struct world *world)
{
	_cleanup_free_ char *first = site_list(&world->sites[0]), *again = NULL, *twin = NULL;
	size_t n = world->publisher.n_bundles, last = world->n_sites;
	_cleanup_free_ bool *got = xcalloc(n, sizeof(bool));

	memcpy(got, world->sites[0].has_bundle, world->sites[0].n_bundles * sizeof(bool));
	trace("all again, in any order");
	import_again(world, 0, got, n);
	again = site_list(&world->sites[0]);
	compare("what it held, and what it holds after all bundles again", first, again);
	trace("the same bundles for another inside");
	add_site(world, "twin");
	import_again(world, last, got, n);
	site_configure(&world->sites[last], 1, 0);
	import(world, last);
	renew(world);
	free(first);
	first = site_list(&world->sites[0]);
	twin = site_list(&world->sites[last]);
	compare("the first and its twin", first, twin);
}

/* --- one seed -------------------------------------------------------------------------------------------------------- */

static void step(struct world *world)
{
	int bundle = publish(world);

	for (size_t i = 0; i < world->n_sites; i++) {
		struct site *site = &world->sites[i];

		send(world, i, bundle);
		if (site->is_missing && random_odds(&world->random, 6))
			send(world, i, resend(world, site));
		/* What came waits for the next run, as with a timer; and a run may find nothing. */
		if (deliver(world, i, false) > 0)
			world->waits[i] = true;
		if (random_odds(&world->random, world->waits[i] ? ODDS_IMPORT : ODDS_IMPORT_NOTHING)) {
			import(world, i);
			world->waits[i] = false;
		}
		/* The model knows of what waits: it is held against the store when that is imported. */
		if (site->newest != NOTHING && !world->waits[i])
			decide(world, site);
	}
}

void run_seed(uint64_t seed, unsigned n_bundles, bool is_wrong, const char *dir, struct run_counts *counts)
{
	struct world *world = xcalloc(1, sizeof(*world));
	uint64_t syncs = oneprocess_syncs();
	unsigned joins;

	world->random.state = seed * 0x2545f4914f6cdd1dU + 1;
	world->dir = dir;
	world->has_log = seed % LOG_EVERY == 0;
	world->history = seed % HISTORY_EVERY == 0 ? HISTORY : 0;
	world->is_wrong = is_wrong;
	world->counts = counts;
	oneprocess_set_time(START);
	publisher_init(&world->publisher, &world->random, START);
	add_site(world, "first");
	joins = random_odds(&world->random, 50) ? n_bundles / 2 + random_below(&world->random, n_bundles / 2)
						: n_bundles;
	for (world->step = 0; world->step < n_bundles; world->step++) {
		if (world->step == joins)
			add_site(world, "late");
		step(world);
	}
	for (size_t i = 0; i < world->n_sites; i++)
		complete(world, i);
	renew(world);
	if (world->n_sites > 1) {
		_cleanup_free_ char *first = site_list(&world->sites[0]), *late = site_list(&world->sites[1]);

		compare("the first and the late one", first, late);
	}
	if (seed % ORDER_EVERY == 0)
		check_order(world);
	counts->n_seeds++;
	counts->n_bundles += world->publisher.n_bundles;
	counts->n_syncs += oneprocess_syncs() - syncs;
	for (size_t i = 0; i < world->n_sites; i++) {
		counts->n_delivered += world->sites[i].n_delivered;
		free(world->links[i].items);
		site_close(&world->sites[i]);
	}
	publisher_clear(&world->publisher);
	free(world);
}
