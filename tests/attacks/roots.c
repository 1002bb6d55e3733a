/* SPDX-License-Identifier: ISC
 *
 * Attacks on the root chain: gaps, one half of the signatures, thresholds of nothing, versions that go back.
 */
#include "tests/attacks/attack.h"

static void rollback_root(struct scene *scene)
{
	scene_trust(scene);
	scene_send(scene);
	scene_exchange(scene, "2.root.json", "1.root.json");
}

/* Root 3 has the new key of the timestamp; root 2, which leads there, does not arrive. */
static void root_gap(struct scene *scene)
{
	scene_trust(scene);
	scene_rotate_root(scene, 100, SKIP_NONE);
	repo_rotate(scene->repo, R_TIMESTAMP, 110);
	scene_rotate_root(scene, 101, SKIP_NONE);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
	files_remove(&scene->remote, "2.root.json");
}

/* The same key signs all roots, so that nothing but the version shows the step that is left out. */
static void root_gap_renamed(struct scene *scene)
{
	scene_trust(scene);
	scene_next_root(scene);
	scene_next_root(scene);
	scene_send(scene);
	files_remove(&scene->remote, "3.root.json");
	scene_exchange(scene, "2.root.json", "3.root.json");
}

static void root_signed_by_old_keys_only(struct scene *scene)
{
	scene_trust(scene);
	scene_rotate_root(scene, 100, SKIP_NEW);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void root_signed_by_new_keys_only(struct scene *scene)
{
	scene_trust(scene);
	scene_rotate_root(scene, 100, SKIP_OLD);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void expired_root(struct scene *scene)
{
	scene_trust(scene);
	scene->repo->expires[R_ROOT] = NOW - 1;
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void no_threshold(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_ROOT)
		json_object_set_new(json_object_get(json_object_get(signed_, "roles"), "timestamp"), "threshold",
				    json_integer(0));
}

/* A root that lets the timestamp be signed by nobody, and a timestamp that nobody signed. */
static void no_signatures(struct scene *scene, int role, json_t *file)
{
	(void)scene;
	if (role == R_TIMESTAMP)
		json_object_set_new(file, "signatures", json_array());
}

static void threshold_zero(struct scene *scene)
{
	scene_trust(scene);
	scene->edit = no_threshold;
	scene->edit_file = no_signatures;
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void root_of_another_type(struct scene *scene)
{
	struct repo *repo = scene->repo;

	scene_trust(scene);
	repo_rotate(repo, R_TARGETS,
		    10 + R_ROOT); /* the root's key signs targets: a file of one kind passed as another */
	repo->version[R_TARGETS] = 2;
	repo_write_targets(repo);
	scene_send(scene);
	scene_exchange(scene, "2.root.json", "2.targets.json");
}

const struct attack attacks_roots[] = {
	{"rollback-root",
	 "The trusted root again, under the next one's name",
	 "5.3.5",
	 rollback_root,
	 "TUF_ROLLBACK",
	 "2.root.json: version 1, 1 is trusted",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"root-gap",
	 "Root 3 arrives, root 2 does not",
	 "5.3.2",
	 root_gap,
	 "TUF_SIGNATURE",
	 "timestamp.json: 0 good signatures",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"root-gap-renamed",
	 "Root 3 arrives under root 2's name",
	 "5.3.5",
	 root_gap_renamed,
	 "TUF_ROOT_CHAIN",
	 "2.root.json: version 3 does not follow 1",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"root-signed-by-old-keys-only",
	 "A root with new keys, signed by the old ones alone",
	 "5.3.4",
	 root_signed_by_old_keys_only,
	 "TUF_SIGNATURE",
	 "by itself",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"root-signed-by-new-keys-only",
	 "A root with new keys, signed by them alone",
	 "5.3.4",
	 root_signed_by_new_keys_only,
	 "TUF_ROOT_CHAIN",
	 "by the trusted root",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"root-of-another-type",
	 "Targets under a root's name, signed by a key that both have",
	 "4.3",
	 root_of_another_type,
	 "TUF_FORM",
	 "2.root.json: ",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"expired-root",
	 "The last root expired a second ago: it is trusted, and nothing under it",
	 "5.3.10",
	 expired_root,
	 "TUF_EXPIRED",
	 "2.root.json: expired",
	 ALL,
	 {2, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"threshold-zero",
	 "A root that lets the timestamp be signed by nobody, and such a timestamp",
	 "4.3",
	 threshold_zero,
	 "TUF_FORM",
	 "2.root.json: signed.roles.timestamp: \"threshold\"",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{.name = NULL},
};
