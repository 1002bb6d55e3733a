/* SPDX-License-Identifier: ISC
 *
 * Attacks on the order of things: other data, data without end, old data for new, new for old, two moments mixed.
 */
#include "tests/attacks/attack.h"

#define FAR ((uint64_t)1 << 50)

static void arbitrary_data(struct scene *scene)
{
	scene_trust(scene);
	for (int role = R_TIMESTAMP; role < R_N; role++)
		repo_rotate(scene->repo, role, (uint8_t)(200 + role));
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void arbitrary_data_role(struct scene *scene)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	repo_rotate(scene->repo, R_COG, 200);
	repo_write_role(scene->repo, R_COG);
	scene_exchange(scene, scene_name(scene, R_COG, name), name);
}

static void arbitrary_data_target(struct scene *scene)
{
	scene_send(scene);
	scene_target(scene, "cog/data.csv", 1, BYTES_FLIPPED);
}

static void endless_data_root(struct scene *scene)
{
	scene_trust(scene);
	scene_next_root(scene);
	scene_send(scene);
	scene_pad(scene, "2.root.json", LIMIT_ROOT_SIZE + 1);
}

static void endless_data_timestamp(struct scene *scene)
{
	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	scene_pad(scene, "timestamp.json", LIMIT_TIMESTAMP_SIZE + 1);
}

static void endless_data_snapshot(struct scene *scene)
{
	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	scene_pad(scene, "2.snapshot.json", 8192);
}

static void endless_data_role(struct scene *scene)
{
	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	scene_pad(scene, "2.cog.json", 8192);
}

static void endless_data_target(struct scene *scene)
{
	scene_send(scene);
	scene_target(scene, "cog/data.csv", 1, BYTES_LONGER);
}

static void fast_forward(struct scene *scene)
{
	struct repo *repo = scene->repo;

	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = repo->version[R_COG] = FAR;
	repo->issued = NOW + 2 * DAY;
	repo_publish(repo);
	scene_trust(scene);
	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = repo->version[R_COG] = 2;
	repo->issued = NOW - 60;
	repo_publish(repo);
	scene_send(scene);
}

static void fast_forward_recovery(struct scene *scene)
{
	fast_forward(scene);
	repo_rotate(scene->repo, R_TIMESTAMP, 120);
	repo_rotate(scene->repo, R_SNAPSHOT, 121);
	scene_next_root(scene);
	repo_publish(scene->repo);
	scene_send(scene);
}

/* Two keys, one of them stolen: what it drove up is also signed by the one that stays. */
static void fast_forward_recovery_one_key(struct scene *scene)
{
	struct repo *repo = scene->repo;

	repo_add_key(repo, R_TIMESTAMP, 150, NULL);
	scene_next_root(scene);
	files_put(&repo->trust, "root.json", files_find(&repo->out, "2.root.json")->data,
		  files_find(&repo->out, "2.root.json")->size);
	repo->version[R_TIMESTAMP] = FAR;
	repo_publish(repo);
	scene_trust(scene);
	repo_rotate(repo, R_TIMESTAMP, 150);
	scene_next_root(scene);
	repo->version[R_TIMESTAMP] = 2;
	repo_publish(repo);
	scene_send(scene);
}

static void freeze_old_timestamp(struct scene *scene)
{
	scene_trust(scene);
	scene->repo->issued = NOW - 5 * DAY;
	scene->repo->expires[R_TIMESTAMP] = NOW - 2 * DAY;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void freeze_first_contact(struct scene *scene)
{
	scene->repo->issued = NOW - 5 * DAY;
	scene->repo->expires[R_TIMESTAMP] = NOW - 2 * DAY;
	repo_publish(scene->repo);
	scene_send(scene);
}

static void freeze_clock_set_back(struct scene *scene)
{
	freeze_old_timestamp(scene);
	scene->now = NOW - 3 * DAY;
}

static void mix_and_match(struct scene *scene)
{
	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_publish_next(scene, R_SIRENE);
	scene_send(scene);
	scene_exchange(scene, "3.snapshot.json", "2.snapshot.json");
}

/* Where the snapshot names versions alone, the version is what keeps the moments apart. */
static void mix_and_match_role(struct scene *scene)
{
	scene->repo->has_no_hashes = true;
	repo_publish(scene->repo);
	scene_trust(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	scene_exchange(scene, "2.cog.json", "1.cog.json");
}

static void rollback_timestamp(struct scene *scene)
{
	struct repo *repo = scene->repo;
	char name[LIMIT_METADATA_NAME_SIZE];
	struct files old = {.n = 0};

	files_copy(&old, &repo->out);
	scene_publish_next(scene, R_COG);
	scene_trust(scene);
	for (int role = R_ROOT; role < R_N; role++)
		repo->version[role] = 1;
	for (int role = R_ROOT; role < R_N; role++) {
		const struct file *file = files_find(&old, scene_name(scene, role, name));

		files_put(&scene->remote, name, file->data, file->size);
	}
	files_clear(&old);
}

/* The newer timestamp is right, and names an older snapshot: who has the timestamp's key alone can do that. */
static void rollback_snapshot(struct scene *scene)
{
	scene_publish_next(scene, R_COG);
	scene_trust(scene);
	scene->repo->version[R_SNAPSHOT] = 1;
	scene->repo->version[R_COG] = 1;
	scene->repo->version[R_TIMESTAMP]++;
	repo_publish(scene->repo);
	scene_send(scene);
}

static void rollback_targets(struct scene *scene)
{
	scene_publish_next(scene, R_TARGETS);
	scene_trust(scene);
	scene->repo->version[R_TARGETS] = 1;
	scene->repo->version[R_SNAPSHOT]++;
	scene->repo->version[R_TIMESTAMP]++;
	repo_publish(scene->repo);
	scene_send(scene);
}

static void rollback_delegated(struct scene *scene)
{
	scene_publish_next(scene, R_COG);
	scene_trust(scene);
	scene->repo->version[R_COG] = 1;
	scene->repo->version[R_SNAPSHOT]++;
	scene->repo->version[R_TIMESTAMP]++;
	repo_publish(scene->repo);
	scene_send(scene);
}

static void expire(struct scene *scene, int role)
{
	scene_trust(scene);
	scene->repo->expires[role] = NOW - 1;
	scene_publish_next(scene, role == R_TIMESTAMP || role == R_SNAPSHOT ? R_COG : role);
	scene_send(scene);
}

static void expired_timestamp(struct scene *scene)
{
	expire(scene, R_TIMESTAMP);
}

static void expired_snapshot(struct scene *scene)
{
	expire(scene, R_SNAPSHOT);
}

static void expired_targets(struct scene *scene)
{
	expire(scene, R_TARGETS);
}

static void expired_delegated(struct scene *scene)
{
	expire(scene, R_COG);
}

static void drop_sirene(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_SNAPSHOT)
		json_object_del(json_object_get(signed_, "meta"), "sirene.json");
}

static void role_removed_from_snapshot(struct scene *scene)
{
	scene_trust(scene);
	scene->edit = drop_sirene;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

const struct attack attacks_workflow[] = {
	{"arbitrary-data",
	 "All metadata but the root come from somebody who has none of the keys",
	 "5.4.2",
	 arbitrary_data,
	 "TUF_SIGNATURE",
	 "timestamp.json: 0 good signatures",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"arbitrary-data-role",
	 "One role's file is exchanged for one that somebody else signed",
	 "5.6.2",
	 arbitrary_data_role,
	 "NONE",
	 "2.cog.json: SHA-256",
	 NO_COG("TUF_HASH"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"arbitrary-data-target",
	 "The metadata are good; one bit of the target's bytes is another",
	 "5.7.2",
	 arbitrary_data_target,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 "refused",
	 NULL,
	 CLOSED},
	{"endless-data-root",
	 "A root that does not end",
	 "5.3.3",
	 endless_data_root,
	 "TUF_FORM",
	 "2.root.json: more than 524288 bytes",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"endless-data-timestamp",
	 "A timestamp that does not end",
	 "5.4.1",
	 endless_data_timestamp,
	 "TUF_FORM",
	 "timestamp.json: more than 16384 bytes",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"endless-data-snapshot",
	 "A snapshot longer than the timestamp says",
	 "5.5.1",
	 endless_data_snapshot,
	 "TUF_FORM",
	 "2.snapshot.json: more than",
	 ALL,
	 {1, 2, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"endless-data-role",
	 "A role's file longer than the snapshot says",
	 "5.6.1",
	 endless_data_role,
	 "NONE",
	 "2.cog.json: more than",
	 NO_COG("TUF_FORM"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"endless-data-target",
	 "A target longer than its role says",
	 "5.7.2",
	 endless_data_target,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 "refused",
	 NULL,
	 CLOSED},
	{"fast-forward",
	 "A thief of two keys drove the versions up; without new keys nothing lower is taken",
	 "5.4.3",
	 fast_forward,
	 "TUF_SUPERSEDED",
	 "timestamp.json: version 2",
	 ALL,
	 {1, FAR, FAR, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"fast-forward-recovery",
	 "New keys of timestamp and snapshot make the lower versions good again",
	 "5.3.11",
	 fast_forward_recovery,
	 "NONE",
	 NULL,
	 ALL,
	 {2, 2, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"fast-forward-recovery-one-key",
	 "One of the timestamp's two keys is taken away: that is enough to forget",
	 "5.3.11",
	 fast_forward_recovery_one_key,
	 "NONE",
	 NULL,
	 ALL,
	 {3, 2, 1, 1},
	 FOUND,
	 NULL,
	 "it forgets nothing by itself: what the key that stays has signed too is still trusted, so it refuses "
	 "recovery",
	 CLOSED},
	{"freeze-old-timestamp",
	 "A timestamp newer than the trusted one, but expired when it comes",
	 "5.4.4",
	 freeze_old_timestamp,
	 "TUF_EXPIRED",
	 "timestamp.json: expired",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"freeze-first-contact",
	 "The same for a client that trusts nothing yet but the root",
	 "5.4.4",
	 freeze_first_contact,
	 "TUF_EXPIRED",
	 "timestamp.json: expired",
	 NULL,
	 {1, 0, 0, 0},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"freeze-clock-set-back",
	 "The same, and the client's clock was set back before its expiry",
	 "5.4.4",
	 freeze_clock_set_back,
	 "TUF_EXPIRED",
	 "timestamp.json: expired",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 "it believes the wall clock; `issued`, the floor under ours, is a member of our own",
	 CLOSED},
	{"mix-and-match",
	 "The timestamp of one moment, the snapshot of another",
	 "5.5.2",
	 mix_and_match,
	 "TUF_HASH",
	 "3.snapshot.json: ",
	 ALL,
	 {1, 3, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"mix-and-match-role",
	 "The snapshot of one moment, a role of another, and no hashes to tell them apart",
	 "5.6.4",
	 mix_and_match_role,
	 "NONE",
	 "2.cog.json: version 1, 2 is named",
	 NO_COG("TUF_HASH"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"rollback-timestamp",
	 "Everything of yesterday, rightly signed",
	 "5.4.3.1",
	 rollback_timestamp,
	 "TUF_SUPERSEDED",
	 "timestamp.json: version 1, 2 is trusted",
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"rollback-snapshot",
	 "A newer timestamp names an older snapshot",
	 "5.4.3.2",
	 rollback_snapshot,
	 "TUF_ROLLBACK",
	 "names snapshot 1, 2 is trusted",
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"rollback-targets",
	 "A newer snapshot names older targets",
	 "5.5.5",
	 rollback_targets,
	 "TUF_ROLLBACK",
	 "names targets.json 1, 2 is trusted",
	 ALL,
	 {1, 3, 2, 2},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"rollback-delegated",
	 "A newer snapshot names an older delegated role",
	 "5.5.5",
	 rollback_delegated,
	 "TUF_ROLLBACK",
	 "names cog.json 1, 2 is trusted",
	 ALL,
	 {1, 3, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"expired-timestamp",
	 "A timestamp that expired a second ago",
	 "5.4.4",
	 expired_timestamp,
	 "TUF_EXPIRED",
	 "timestamp.json: expired",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"expired-snapshot",
	 "A snapshot that expired a second ago",
	 "5.5.6",
	 expired_snapshot,
	 "TUF_EXPIRED",
	 "2.snapshot.json: expired",
	 ALL,
	 {1, 2, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"expired-targets",
	 "Targets that expired a second ago",
	 "5.6.5",
	 expired_targets,
	 "TUF_EXPIRED",
	 "2.targets.json: expired",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"expired-delegated",
	 "A delegated role that expired a second ago",
	 "5.6.5",
	 expired_delegated,
	 "NONE",
	 "2.cog.json: expired",
	 NO_COG("TUF_EXPIRED"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"role-removed-from-snapshot",
	 "A role that was trusted is gone from the newer snapshot",
	 "5.5.5",
	 role_removed_from_snapshot,
	 "TUF_ROLLBACK",
	 "sirene.json is gone, version 1 is trusted",
	 ALL,
	 {1, 2, 1, 1},
	 "{\"sirene/data.csv\": \"sirene\"}",
	 NULL,
	 NULL,
	 CLOSED},
	{"replay-with-a-newer-mtime",
	 "An old delivery again, copied today: a file's date says nothing",
	 "5.4.3.1",
	 rollback_timestamp,
	 "TUF_SUPERSEDED",
	 "timestamp.json: version 1, 2 is trusted",
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{.name = NULL},
};
