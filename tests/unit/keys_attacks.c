/* SPDX-License-Identifier: ISC
 *
 * Every attack of tests/evil/tuf, one test each: a client that trusts what the folder says was trusted meets what arrives,
 * and must answer as case.json says. README.md there describes the files.
 */
#include "keys/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/pubkey.h"

#define FOLDER "tests/evil/tuf"
#define CASES_MAX 256
#define ACCEPTED_MAX 512

/* --- one case -------------------------------------------------------------------------------------------------------
 */

/* One file that was accepted, as the next run finds it. */
struct accepted {
	char role[LIMIT_METADATA_NAME_SIZE];
	uint64_t version;
};

struct attack_case {
	const char *name;
	json_t *json;
	int folder_fd, local_fd, remote_fd; /* local: -1 where nothing was trusted before */
	struct tuf_client *client;
	struct accepted accepted[ACCEPTED_MAX];
	size_t n_accepted;
};

static const char *text_of(const struct attack_case *attack, const char *key)
{
	return json_string_value(json_object_get(attack->json, key));
}

static bool is_open(const struct attack_case *attack)
{
	return strcmp(text_of(attack, "profile"), "open") == 0;
}

static void case_load(const char *name, struct attack_case *ret)
{
	static const char *const members[] = {"format", "title", "clause",  "now",     "profile",      "fault", "says",
					      "roles",  "bytes", "lookups", "trusted", "stockDiffers", NULL};
	struct refusal why = {FAULT_NONE, ""};
	char path[256];

	snprintf(path, sizeof(path), FOLDER "/%s/case.json", name);
	if (json_load_path(path, 65536, &ret->json, &why) != FAULT_NONE ||
	    json_format(ret->json, path, "clapet attack", 1, &why) != FAULT_NONE ||
	    json_only(ret->json, path, members, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	snprintf(path, sizeof(path), FOLDER "/%s", name);
	ret->name = name;
	ret->folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(ret->folder_fd >= 0);
	ret->local_fd = openat(ret->folder_fd, "local", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret->remote_fd = openat(ret->folder_fd, "remote", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(ret->remote_fd >= 0);
}

static void case_clear(struct attack_case *attack)
{
	json_decref(attack->json);
	tuf_client_free(attack->client);
	close(attack->folder_fd);
	close(attack->remote_fd);
	if (attack->local_fd >= 0)
		close(attack->local_fd);
}

/* --- sources --------------------------------------------------------------------------------------------------------
 */

static enum fault load(int dir_fd, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
		       struct refusal *why)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	if (fd_load(fd, limit, ret_data, ret_size) < 0)
		return refuse(why, FAULT_TUF_FORM, "more than %zu bytes (TUF 1.0.34, 5.1)", limit);
	return FAULT_NONE;
}

/* Whatever a role is called, its file is a file of the folder. */
static enum fault fetch(void *ctx, const char *name, const struct sha256 *expected, size_t limit, uint8_t **ret_data,
			size_t *ret_size, struct refusal *why)
{
	const int *dir_fd = ctx;

	(void)expected;
	assert_null(strchr(name, '/'));
	return load(*dir_fd, name, limit, ret_data, ret_size, why);
}

static void accept_file(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
			size_t size)
{
	struct attack_case *attack = ctx;

	(void)data;
	(void)size;
	assert_null(strchr(name, '/'));
	assert_true(attack->n_accepted < ACCEPTED_MAX);
	snprintf(attack->accepted[attack->n_accepted].role, sizeof(attack->accepted[0].role), "%s", role);
	attack->accepted[attack->n_accepted++].version = version;
}

/* --- what must be said ----------------------------------------------------------------------------------------------
 */

static enum fault fault_by_name(const char *name)
{
	static const struct {
		const char *name;
		enum fault fault;
	} names[] = {
		{"NONE", FAULT_NONE},
#define FAULT(number, code, ...) {#code, FAULT_##code},
#include "base/codes.def"
#undef FAULT
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].fault;
	fail_msg("no fault is called %s", name);
	return FAULT_NONE;
}

static void check_fault(const struct attack_case *attack, const char *who, const char *expected,
			const struct refusal *why)
{
	const char *says = text_of(attack, "says");

	if (why->fault != fault_by_name(expected))
		fail_msg("%s: E%d %s\n# expected %s", who, why->fault, why->line, expected);
	if (why->fault != FAULT_NONE && why->fault != FAULT_TUF_ABSENT && why->fault != FAULT_TUF_TARGET &&
	    says != NULL && strstr(why->line, says) == NULL)
		fail_msg("%s: E%d %s\n# expected it to say %s", who, why->fault, why->line, says);
}

static void check_trusted(const struct attack_case *attack)
{
	const json_t *trusted = json_object_get(attack->json, "trusted");
	struct tuf_summary summary;

	tuf_client_summary(attack->client, &summary);
#define VERSION(role) json_integer_value(json_object_get(trusted, #role))
	assert_int_equal(summary.root_version, VERSION(root));
	assert_int_equal(summary.timestamp_version, VERSION(timestamp));
	assert_int_equal(summary.snapshot_version, VERSION(snapshot));
	assert_int_equal(summary.targets_version, VERSION(targets));
#undef VERSION
}

/* Exactly the roles of the case, each as it says. */
static void check_roles(const struct attack_case *attack)
{
	json_t *roles = json_object_get(attack->json, "roles");
	const struct tuf_role *role;
	size_t n = 0;

	for (; (role = tuf_client_role(attack->client, n)) != NULL; n++) {
		const char *expected = json_string_value(json_object_get(roles, role->name));

		if (expected == NULL)
			fail_msg("a role %s that nobody expects", role->name);
		assert_int_equal(role->is_trusted, strcmp(expected, "NONE") == 0);
		check_fault(attack, role->name, expected, &role->refusal);
	}
	assert_int_equal(n, json_object_size(roles));
}

/* --- what is found --------------------------------------------------------------------------------------------------
 */

/* The role that names PATH, and what it says of it; else NULL, and the fault. */
static const char *find_open(struct attack_case *attack, const char *path, struct tuf_target *ret_target,
			     struct refusal *why)
{
	const struct tuf_source local = {&attack->local_fd, fetch}, remote = {&attack->remote_fd, fetch};
	const char *role = NULL;

	why->fault = tuf_client_find_target(attack->client, attack->local_fd >= 0 ? &local : NULL, &remote, path,
					    accept_file, attack, ret_target, &role, why);
	return why->fault == FAULT_NONE ? role : NULL;
}

/* The closed profile has no search: a target is its role's. */
static const char *find_closed(const struct attack_case *attack, const char *path, struct tuf_target *ret_target,
			       struct refusal *why)
{
	const struct tuf_role *role;

	for (size_t i = 0; (role = tuf_client_role(attack->client, i)) != NULL; i++)
		for (size_t j = 0; tuf_client_target(attack->client, i, j, ret_target); j++)
			if (strcmp(ret_target->path, path) == 0)
				return role->name;
	refuse(why, FAULT_TUF_TARGET, "no role");
	return NULL;
}

/* The target's bytes as a mirror keeps them: targets/cog/<sha256>.data.csv. */
static void check_bytes(const struct attack_case *attack, const struct tuf_target *target)
{
	const char *bytes = text_of(attack, "bytes"), *slash = strrchr(target->path, '/');
	_cleanup_free_ uint8_t *data = NULL;
	char path[1024], hex[SHA256_HEX_SIZE];
	struct refusal why = {FAULT_NONE, ""};
	size_t size;

	if (bytes == NULL)
		return;
	sha256_to_hex(&target->sha256, hex);
	snprintf(path, sizeof(path), "targets/%.*s%s.%s", slash != NULL ? (int)(slash + 1 - target->path) : 0,
		 target->path, hex, slash != NULL ? slash + 1 : target->path);
	assert_int_equal(fd_load_file(attack->folder_fd, path, 65536, &data, &size), 0);
	assert_int_equal(tuf_target_check(target, data, size, &why),
			 strcmp(bytes, "good") == 0 ? FAULT_NONE : FAULT_TUF_HASH);
}

/* One path: the role that EXPECTED names, or for null none; a text in capitals is the fault that ends the search. */
static void check_lookup(struct attack_case *attack, const char *path, const char *expected)
{
	struct refusal why = {FAULT_NONE, ""};
	struct tuf_target target;
	const char *found = is_open(attack) ? find_open(attack, path, &target, &why)
					    : find_closed(attack, path, &target, &why);

	if (expected == NULL || strncmp(expected, "TUF_", 4) == 0) {
		check_fault(attack, path, expected != NULL ? expected : "TUF_TARGET", &why);
		return;
	}
	if (found == NULL || strcmp(expected, found) != 0)
		fail_msg("%s: found in %s, expected %s; E%d %s", path, found != NULL ? found : "no role", expected,
			 why.fault, why.line);
	check_bytes(attack, &target);
}

static void check_lookups(struct attack_case *attack)
{
	json_t *lookups = json_object_get(attack->json, "lookups"), *expected;
	const char *path;

	assert_true(json_object_size(lookups) > 0);
	json_object_foreach(lookups, path, expected) check_lookup(attack, path, json_string_value(expected));
}

/* --- the tests ------------------------------------------------------------------------------------------------------
 */

static void refresh(struct attack_case *attack, struct refusal *why)
{
	const struct tuf_source local = {&attack->local_fd, fetch}, remote = {&attack->remote_fd, fetch};
	struct tuf_profile profile = {0};
	_cleanup_free_ uint8_t *root = NULL;
	size_t size;
	int64_t now;

	assert_true(notation_parse_time(text_of(attack, "now"), &now));
	profile.is_general = is_open(attack);
	attack->client = tuf_client_new(&profile, now);
	assert_int_equal(load(attack->folder_fd, "root.json", LIMIT_ROOT_SIZE, &root, &size, why), FAULT_NONE);
	assert_int_equal(tuf_client_anchor(attack->client, root, size, why), FAULT_NONE);
	why->fault = tuf_client_refresh(attack->client, attack->local_fd >= 0 ? &local : NULL, &remote, accept_file,
					attack, why);
}

static void test_attack(void **state)
{
	struct attack_case attack = {.name = NULL};
	struct refusal why = {FAULT_NONE, ""};

	case_load(*state, &attack);
	refresh(&attack, &why);
	check_fault(&attack, "refresh", text_of(&attack, "fault"), &why);
	check_trusted(&attack);
	check_roles(&attack);
	check_lookups(&attack);
	case_clear(&attack);
}

static int compare_tests(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

/* One test a folder. */
static size_t list_tests(struct CMUnitTest tests[CASES_MAX])
{
	DIR *folder = opendir(FOLDER);
	const struct dirent *entry;
	size_t n = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char path[512];

		snprintf(path, sizeof(path), FOLDER "/%s/case.json", entry->d_name);
		if (n == CASES_MAX || entry->d_name[0] == '.' || access(path, R_OK) < 0)
			continue;
		tests[n] = (struct CMUnitTest){strdup(entry->d_name), test_attack, NULL, NULL, NULL};
		tests[n].initial_state = (void *)tests[n].name;
		n++;
	}
	if (folder != NULL)
		closedir(folder);
	qsort(tests, n, sizeof(*tests), compare_tests);
	return n;
}

int main(void)
{
	static struct CMUnitTest tests[CASES_MAX];
	size_t n = list_tests(tests);
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	if (n == 0)
		return 1;
	failed = _cmocka_run_group_tests("attacks", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)tests[i].name);
	return failed;
}
