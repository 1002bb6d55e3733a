/* SPDX-License-Identifier: ISC
 *
 * inside: opens what a run needs, in the order in which it may fail harmlessly: words first, then folders, then the lock.
 */
#include "inside/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/store.h"
#include "schemas/contract.h"

void inside_close(struct inside *inside)
{
	inside_unlock(inside);
	for (size_t i = 0; i < inside->n_contracts; i++)
		free(inside->contracts[i].data);
	free(inside->contracts);
	policy_free(inside->policy);
	config_free(inside->config);
	decisions_clear(&inside->decisions);
	free(inside->events);
	logbook_clear(&inside->logbook);
	json_decref(inside->hook_facts);
	cleanup_close(&inside->store_fd);
	*inside = (struct inside)INSIDE_NEW;
}

enum fault inside_configure(const char *path, struct inside *inside, struct refusal *why)
{
	inside->now = time(NULL);
	return config_load(path, &inside->config, why);
}

/* --- rules ----------------------------------------------------------------------------------------------------------- */

static int compare_contracts(const void *a, const void *b)
{
	const struct contract_file *x = a, *y = b;
	int order = strcmp(x->application, y->application);

	return order != 0 ? order : strcmp(x->dataset, y->dataset);
}

static enum fault load_contract(int folder_fd, const char *name, const char *folder, struct inside *inside,
				struct refusal *why)
{
	_cleanup_(contract_freep) struct contract *contract = NULL;
	_cleanup_free_ char *where = xasprintf("%s/%s", folder, name);
	struct contract_file *file;
	uint8_t *data;
	size_t size;
	enum fault fault;
	int r;

	if (inside->n_contracts >= LIMIT_CONTRACTS)
		return refuse(why, FAULT_CONTRACT, "%s: more than %d contracts", folder, LIMIT_CONTRACTS);
	r = fd_load_file(folder_fd, name, LIMIT_CONFIGURATION_SIZE, &data, &size);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(-r));
	if ((fault = contract_parse(data, size, where, &contract, why)) != FAULT_NONE) {
		free(data);
		return fault;
	}
	inside->contracts = xrealloc(inside->contracts, inside->n_contracts + 1, sizeof(*inside->contracts));
	file = &inside->contracts[inside->n_contracts++];
	memset(file, 0, sizeof(*file));
	file->data = data;
	file->size = size;
	memcpy(file->application, contract->application, sizeof(file->application));
	memcpy(file->dataset, contract->dataset, sizeof(file->dataset));
	hash_bytes(data, size, &file->sha256);
	return FAULT_NONE;
}

/* With TELL every fault is told and the last one returned; without it the first ends the work. */
static enum fault load_contracts(struct inside *inside, inside_tell *tell, void *ctx, struct refusal *why)
{
	const char *folder = inside->config->contracts;
	_cleanup_closedir_ DIR *dir = opendir(folder);
	enum fault fault = FAULT_NONE, one;

	if (dir == NULL)
		return refuse(why, FAULT_FILE, "%s: %s", folder, strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL && (fault == FAULT_NONE || tell != NULL);) {
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] == '.' || length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		one = load_contract(dirfd(dir), entry->d_name, folder, inside, why);
		if (one != FAULT_NONE && tell != NULL)
			tell(ctx, why);
		fault = one != FAULT_NONE ? one : fault;
	}
	if (inside->n_contracts > 1)
		qsort(inside->contracts, inside->n_contracts, sizeof(*inside->contracts), compare_contracts);
	for (size_t i = 1; i < inside->n_contracts && (fault == FAULT_NONE || tell != NULL); i++) {
		if (compare_contracts(&inside->contracts[i - 1], &inside->contracts[i]) != 0)
			continue;
		fault = refuse(why, FAULT_CONTRACT, "%s: two contracts of %s for %s", folder,
			       inside->contracts[i].application, inside->contracts[i].dataset);
		if (tell != NULL)
			tell(ctx, why);
	}
	return fault;
}

static enum fault load_policy(struct inside *inside, struct refusal *why)
{
	if (inside->config->policy != NULL)
		return policy_load(inside->config->policy, &inside->policy, why);
	inside->policy = policy_new();
	return FAULT_NONE;
}

/* An import goes on whatever access.json says: it is inside-serve's, which says what is wrong with it, and `check`. */
static void load_access(struct inside *inside)
{
	const char *path = inside->config->access;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = path == NULL ? -ENOENT : fd_load_file(AT_FDCWD, path, LIMIT_JSON_SIZE, &data, &size);

	inside->has_access = r == 0;
	if (r == 0)
		hash_bytes(data, size, &inside->access_sha256);
	else if (path != NULL)
		log_warning("%s: %s", path, strerror(-r));
}

enum fault inside_load_rules(struct inside *inside, struct refusal *why)
{
	enum fault fault = load_policy(inside, why);

	load_access(inside);

	if (fault == FAULT_NONE && inside->config->contracts != NULL)
		fault = load_contracts(inside, NULL, NULL, why);
	return fault;
}

enum fault inside_check_rules(struct inside *inside, inside_tell *tell, void *ctx)
{
	struct refusal why = {0};
	enum fault fault = load_policy(inside, &why), contracts = FAULT_NONE;

	if (fault != FAULT_NONE)
		tell(ctx, &why);
	if (inside->config->contracts != NULL)
		contracts = load_contracts(inside, tell, ctx, &why);
	return fault != FAULT_NONE ? fault : contracts;
}

void inside_contract_hash(const struct inside *inside, const char *application, const char *dataset,
			  char hex[SHA256_HEX_SIZE])
{
	hex[0] = '\0';
	for (size_t i = 0; i < inside->n_contracts; i++)
		if (strcmp(inside->contracts[i].application, application) == 0 &&
		    strcmp(inside->contracts[i].dataset, dataset) == 0)
			sha256_to_hex(&inside->contracts[i].sha256, hex);
}

/* --- folders and the lock -------------------------------------------------------------------------------------------- */

enum fault inside_open_store(struct inside *inside, struct refusal *why)
{
	return store_open(inside->config->store, &inside->store_fd, why);
}

static enum fault take_lock(struct inside *inside, int64_t wait, struct refusal *why)
{
	_cleanup_free_ char *path = xasprintf("%s.lock", inside->config->incoming);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int64_t until = time(NULL) + wait;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		struct timespec pause = {.tv_nsec = 100000000};

		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || time(NULL) >= until) {
			int error = errno;

			close(fd);
			return refuse(why, FAULT_LOCKED, "%s: %s", path,
				      error == EWOULDBLOCK ? "another run of clapet-inside holds it" : strerror(error));
		}
		nanosleep(&pause, NULL);
	}
	inside->lock_fd = fd;
	return FAULT_NONE;
}

static enum fault open_folder(const char *path, int *ret_fd, struct refusal *why)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	*ret_fd = fd;
	return FAULT_NONE;
}

/* What an earlier run left behind is of no use: its bundles are still in incoming/. */
static enum fault empty_spool(const struct inside *inside, struct refusal *why)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int copy = openat(inside->spool_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL)
		return refuse(why, FAULT_FILE, "%s: %s", inside->config->spool, strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = fd_remove_tree(inside->spool_fd, entry->d_name);
		if (r < 0)
			return refuse(why, FAULT_FILE, "%s/%s: %s", inside->config->spool, entry->d_name, strerror(-r));
	}
	return FAULT_NONE;
}

enum fault inside_open_folders(struct inside *inside, int64_t wait, struct refusal *why)
{
	enum fault fault;

	inside->now = time(NULL);
	/* Another run may have changed what stands beside the log. */
	logbook_clear(&inside->logbook);
	if ((fault = take_lock(inside, wait, why)) != FAULT_NONE ||
	    (fault = open_folder(inside->config->incoming, &inside->incoming_fd, why)) != FAULT_NONE ||
	    (fault = open_folder(inside->config->spool, &inside->spool_fd, why)) != FAULT_NONE ||
	    (fault = empty_spool(inside, why)) != FAULT_NONE)
		return fault;
	return FAULT_NONE;
}

enum fault inside_open_work(struct inside *inside, int64_t wait, struct refusal *why)
{
	enum fault fault = inside_open_folders(inside, wait, why);

	if (fault != FAULT_NONE)
		return fault;
	decisions_clear(&inside->decisions);
	if ((fault = decisions_load(inside->store_fd, &inside->decisions, why)) != FAULT_NONE)
		return fault;
	logbook_compare(inside);
	return FAULT_NONE;
}

void inside_unlock(struct inside *inside)
{
	cleanup_close(&inside->incoming_fd);
	cleanup_close(&inside->spool_fd);
	cleanup_close(&inside->lock_fd);
	inside->incoming_fd = inside->spool_fd = inside->lock_fd = -1;
}

/* --- events ---------------------------------------------------------------------------------------------------------- */

static __attribute__((format(printf, 5, 0))) struct record_event *note_event(struct inside *inside, const char *event,
									     const char *dataset, enum fault fault,
									     const char *format, va_list args)
{
	struct record_event *item;
	char line[RECORD_LINE_SIZE];

	vsnprintf(line, sizeof(line), format, args);
	inside->events = xrealloc(inside->events, inside->n_events + 1, sizeof(*inside->events));
	item = &inside->events[inside->n_events++];
	memset(item, 0, sizeof(*item));
	item->time = inside->now;
	item->fault = fault;
	snprintf(item->event, sizeof(item->event), "%s", event);
	snprintf(item->dataset, sizeof(item->dataset), "%s", dataset);
	text_escape(line, strlen(line), item->line, sizeof(item->line));
	return item;
}

struct record_event *inside_event(struct inside *inside, const char *event, const char *dataset, enum fault fault,
				  const char *format, ...)
{
	struct record_event *item;
	va_list args;

	va_start(args, format);
	item = note_event(inside, event, dataset, fault, format, args);
	va_end(args);
	return item;
}

struct record_event *inside_event_by(struct inside *inside, const char *event, const char *dataset, const char *person,
				     enum fault fault, const char *format, ...)
{
	struct record_event *item;
	va_list args;

	va_start(args, format);
	item = note_event(inside, event, dataset, fault, format, args);
	va_end(args);
	logbook_set_person(inside, item, person);
	return item;
}

void inside_operator(const char *name, char operator[DECISION_OPERATOR_SIZE])
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *account = getpwuid(getuid());

	if (name == NULL)
		name = sudo != NULL && getuid() == 0 ? sudo : account != NULL ? account->pw_name : "?";
	text_escape(name, strlen(name), operator, DECISION_OPERATOR_SIZE);
}
