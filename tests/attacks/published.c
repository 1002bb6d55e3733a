/* SPDX-License-Identifier: ISC
 *
 * Published advisories against other TUF clients, each repeated against ours.
 */
#include "tests/attacks/attack.h"

/* CVE-2021-41131 (python-tuf before 0.19): a role's name was a path, and its metadata were written there. */
static void escape_by_role(struct scene *scene)
{
	tree_delegate(scene, "targets", "../../../escaped", "*", false);
	tree_target(scene, "../../../escaped", "evil");
	tree_publish(scene);
}

/* CVE-2022-29173 (go-tuf before 0.3.0), first half: after a restart nothing was known of what had been trusted. */
static void forgotten_timestamp(struct scene *scene)
{
	scene_publish_next(scene, R_COG);
	scene_publish_next(scene, R_SIRENE);
	scene_trust(scene);
	scene->repo->version[R_TIMESTAMP] = 2;
	scene->repo->version[R_SNAPSHOT] = 2;
	scene->repo->version[R_SIRENE] = 1;
	repo_publish(scene->repo);
	scene_send(scene);
}

static void forgotten_snapshot(struct scene *scene)
{
	scene_publish_next(scene, R_COG);
	scene_trust(scene);
	scene->repo->version[R_COG] = 1;
	scene->repo->version[R_SNAPSHOT]++;
	scene->repo->version[R_TIMESTAMP]++;
	repo_publish(scene->repo);
	scene_send(scene);
}

/* Second half: a file was saved as trusted before its version was compared with the one that is named. */
static void saved_too_early(struct scene *scene)
{
	struct repo *repo = scene->repo;

	scene_trust(scene);
	repo->has_no_hashes = true;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	repo->version[R_SNAPSHOT] = 9;
	repo_write_snapshot(repo);
	scene_exchange(scene, "2.snapshot.json", "9.snapshot.json");
	repo->version[R_SNAPSHOT] = 2;
}

/* CVE-2024-47534 (go-tuf 2.0.0): "a" and then "b", which delegates to "c"; they were asked in the order b, c, a. */
static void order_of_search(struct scene *scene)
{
	tree_delegate(scene, "targets", "a", "*", false);
	tree_delegate(scene, "targets", "b", "*", false);
	tree_delegate(scene, "b", "c", "*", false);
	tree_target(scene, "a", "both");
	tree_target(scene, "c", "both");
	tree_target(scene, "c", "last");
	tree_publish(scene);
}

static void sign_twice(struct scene *scene, int role, json_t *file)
{
	json_t *signatures = json_object_get(file, "signatures");

	(void)scene;
	if (role == R_ROOT)
		json_array_append(signatures, json_array_get(signatures, 0));
}

/* CVE-2020-15093 (tough before 0.7.1; CVE-2020-6174 in python-tuf): one signature twice made a threshold of two. */
static void one_signature_twice(struct scene *scene)
{
	struct repo *repo = scene->repo;

	repo_add_key(repo, R_ROOT, 140, NULL);
	repo->threshold[R_ROOT] = 2;
	scene_next_root(scene);
	files_put(&repo->trust, "root.json", files_find(&repo->out, "2.root.json")->data,
		  files_find(&repo->out, "2.root.json")->size);
	repo_publish(repo);
	scene_trust(scene);
	repo->signers[R_ROOT][0] = &repo->keys[R_ROOT][0];
	repo->n_signers[R_ROOT] = 1;
	scene->edit_file = sign_twice;
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

/* GHSA-3633-5h82-39pq (go-tuf before 0.3.2): one public key under two keyids made a threshold of two. */
static void one_key_twice(struct scene *scene)
{
	struct repo *repo = scene->repo;

	scene_trust(scene);
	repo_add_key(repo, R_TARGETS, 10 + R_TARGETS, "under another keyid");
	repo->threshold[R_TARGETS] = 2;
	scene_next_root(scene);
	scene_publish_next(scene, R_TARGETS);
	scene_send(scene);
}

static int64_t threshold;

static void set_threshold(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_TARGETS)
		json_object_set_new(
			json_array_get(json_object_get(json_object_get(signed_, "delegations"), "roles"), 0),
			"threshold", json_integer(threshold));
}

static void sign_nothing(struct scene *scene, int role, json_t *file)
{
	(void)scene;
	if (role == R_COG)
		json_object_set_new(file, "signatures", json_array());
}

/* GHSA-fphv-w9fq-2525 (go-tuf before 2.3.1): with a threshold of 0 or less, a role that nobody signed was good. */
static void threshold_of(struct scene *scene, int64_t value)
{
	threshold = value;
	scene_trust(scene);
	scene->edit = set_threshold;
	scene->edit_file = sign_nothing;
	scene->repo->version[R_TARGETS]++;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void threshold_zero(struct scene *scene)
{
	threshold_of(scene, 0);
}

static void threshold_negative(struct scene *scene)
{
	threshold_of(scene, -1);
}

const struct attack attacks_published[] = {
	{"CVE-2021-41131",
	 "python-tuf: a role's name is a path, and its metadata are written there",
	 "4.5",
	 escape_by_role,
	 "TUF_FORM",
	 "1.snapshot.json: ",
	 NULL,
	 {1, 1, 0, 0},
	 "{\"evil\": null}",
	 NULL,
	 "it encodes the name in paths, which is safe; here such a name is no name",
	 CLOSED},
	{"CVE-2021-41131-open",
	 "The same where any role's name may be: it stays one file's name",
	 "4.5",
	 escape_by_role,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"evil\": \"../../../escaped\"}",
	 "good",
	 NULL,
	 OPEN},
	{"CVE-2022-29173-timestamp",
	 "go-tuf: after a restart an older timestamp is taken",
	 "5.4.3.1",
	 forgotten_timestamp,
	 "TUF_SUPERSEDED",
	 "timestamp.json: version 2, 3 is trusted",
	 ALL,
	 {1, 3, 3, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"CVE-2022-29173-snapshot",
	 "go-tuf: after a restart a snapshot is taken that names an older role",
	 "5.5.5",
	 forgotten_snapshot,
	 "TUF_ROLLBACK",
	 "names cog.json 1, 2 is trusted",
	 ALL,
	 {1, 3, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"CVE-2022-29173-saved-too-early",
	 "go-tuf: a snapshot is kept though its version is not the one that is named",
	 "5.5.4",
	 saved_too_early,
	 "TUF_HASH",
	 "2.snapshot.json: version 9, 2 is named",
	 ALL,
	 {1, 2, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"CVE-2024-47534",
	 "go-tuf: a role further down is asked before its elder's next brother",
	 "5.6.7",
	 order_of_search,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"both\": \"a\", \"last\": \"c\"}",
	 "good",
	 NULL,
	 OPEN},
	{"CVE-2020-15093",
	 "tough: one signature of a root, twice, makes a threshold of two",
	 "5.3.4",
	 one_signature_twice,
	 "TUF_FORM",
	 "3.root.json: signatures: keyid",
	 ALL,
	 {2, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"GHSA-3633-5h82-39pq",
	 "go-tuf: one public key under two keyids makes a threshold of two",
	 "4.2.1",
	 one_key_twice,
	 "TUF_SIGNATURE",
	 "2.targets.json: 1 good signatures, the threshold is 2",
	 NULL,
	 {2, 2, 2, 0},
	 LOST,
	 NULL,
	 "it counts keyids, not public keys",
	 CLOSED},
	{"GHSA-fphv-w9fq-2525",
	 "go-tuf: with a threshold of 0 a role that nobody signed is good",
	 "4.5",
	 threshold_zero,
	 "TUF_FORM",
	 "2.targets.json: cog: \"threshold\" must be",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"GHSA-fphv-w9fq-2525-negative",
	 "The same with a threshold of -1",
	 "4.5",
	 threshold_negative,
	 "TUF_FORM",
	 "2.targets.json: cog: \"threshold\" must be",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{.name = NULL},
};
