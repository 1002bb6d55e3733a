/* SPDX-License-Identifier: ISC
 *
 * Attacks by names: roles and targets that would leave their folder, or pass for another.
 */
#include "tests/attacks/attack.h"

static const char *evil;

static void name_the_role(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_TARGETS)
		json_object_set_new(
			json_array_get(json_object_get(json_object_get(signed_, "delegations"), "roles"), 0), "name",
			json_string(evil));
}

static void role_named(struct scene *scene, const char *name)
{
	evil = name;
	scene_trust(scene);
	scene->edit = name_the_role;
	scene_publish_next(scene, R_TARGETS);
}

static void delegation_named_root(struct scene *scene)
{
	role_named(scene, "root");
	scene_send(scene);
}

static void delegation_named_snapshot(struct scene *scene)
{
	role_named(scene, "snapshot");
	scene_send(scene);
}

static void role_dotdot(struct scene *scene)
{
	role_named(scene, "../../trust/root");
	scene_send(scene);
}

static void role_absolute(struct scene *scene)
{
	role_named(scene, "/etc/clapet");
	scene_send(scene);
}

static void role_percent(struct scene *scene)
{
	role_named(scene, "..%2f..%2ftrust%2froot");
	scene_send(scene);
}

static void role_backslash(struct scene *scene)
{
	role_named(scene, "..\\..\\trust\\root");
	scene_send(scene);
}

/* The snapshot has to name the file that holds the NUL. */
static void role_nul(struct scene *scene)
{
	role_named(scene, "cog@NUL@x");
	scene_resign(scene, R_TARGETS, "@NUL@", "", 1, "\\u0000");
	repo_write_snapshot(scene->repo);
	repo_write_timestamp(scene->repo);
	scene_send(scene);
}

static void name_the_target(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_COG)
		json_object_set_new(json_object_get(signed_, "targets"), evil, repo_target("evil", 1));
}

static void target_named(struct scene *scene, const char *path)
{
	evil = path;
	scene_trust(scene);
	scene->edit = name_the_target;
	scene_publish_next(scene, R_COG);
}

static void target_dotdot(struct scene *scene)
{
	target_named(scene, "cog/../../trust/root.json");
	scene_send(scene);
}

static void target_absolute(struct scene *scene)
{
	target_named(scene, "/etc/passwd");
	scene_send(scene);
}

static void target_percent(struct scene *scene)
{
	target_named(scene, "cog/%2e%2e%2froot.json");
	scene_send(scene);
}

static void target_backslash(struct scene *scene)
{
	target_named(scene, "cog/..\\root.json");
	scene_send(scene);
}

static void target_nul(struct scene *scene)
{
	target_named(scene, "cog/a.csv@NUL@.exe");
	scene_resign(scene, R_COG, "@NUL@", "", 1, "\\u0000");
	repo_write_snapshot(scene->repo);
	repo_write_timestamp(scene->repo);
	scene_send(scene);
}

#define NUL_TOO "a NUL is a character like any other to it; here the whole file is refused"
#define CARELESS "a path is a text to it: what an application does with it is the application's"

const struct attack attacks_names[] = {
	{"delegation-named-root",
	 "Targets delegate to a role \"root\"",
	 "4.5",
	 delegation_named_root,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"delegation-named-snapshot",
	 "Targets delegate to a role \"snapshot\"",
	 "4.5",
	 delegation_named_snapshot,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-role-dotdot",
	 "A role whose name climbs out of the metadata folder",
	 "4.5",
	 role_dotdot,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-role-absolute",
	 "A role whose name is an absolute path",
	 "4.5",
	 role_absolute,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-role-percent",
	 "A role whose name climbs out once somebody decodes it",
	 "4.5",
	 role_percent,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-role-backslash",
	 "A role whose name climbs out on other systems",
	 "4.5",
	 role_backslash,
	 "TUF_DELEGATION",
	 "2.targets.json: signed.delegations: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-role-nul",
	 "A role whose name ends in the middle for programs in C",
	 "4.5",
	 role_nul,
	 "TUF_FORM",
	 "2.targets.json: ",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-target-dotdot",
	 "A target whose path climbs out of the dataset's folder",
	 "4.5",
	 target_dotdot,
	 "NONE",
	 "2.cog.json: target \"cog/../../trust/root.json\"",
	 NO_COG("TUF_DELEGATION"),
	 {1, 2, 2, 1},
	 "{\"cog/../../trust/root.json\": null}",
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-target-absolute",
	 "A target whose path is absolute",
	 "4.5",
	 target_absolute,
	 "NONE",
	 "2.cog.json: target \"/etc/passwd\"",
	 NO_COG("TUF_DELEGATION"),
	 {1, 2, 2, 1},
	 "{\"/etc/passwd\": null}",
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-target-percent",
	 "A target whose path climbs out once somebody decodes it",
	 "4.5",
	 target_percent,
	 "NONE",
	 "2.cog.json: target \"cog/%2e%2e%2froot.json\"",
	 NO_COG("TUF_DELEGATION"),
	 {1, 2, 2, 1},
	 "{\"cog/%2e%2e%2froot.json\": null}",
	 NULL,
	 CARELESS,
	 CLOSED},
	{"path-escape-target-backslash",
	 "A target whose path climbs out on other systems",
	 "4.5",
	 target_backslash,
	 "NONE",
	 "2.cog.json: target \"cog/..\\root.json\"",
	 NO_COG("TUF_DELEGATION"),
	 {1, 2, 2, 1},
	 "{\"cog/..\\\\root.json\": null}",
	 NULL,
	 NULL,
	 CLOSED},
	{"path-escape-target-nul",
	 "A target whose path ends in the middle for programs in C",
	 "4.5",
	 target_nul,
	 "NONE",
	 "2.cog.json: ",
	 NO_COG("TUF_FORM"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NUL_TOO,
	 CLOSED},
	{.name = NULL},
};
