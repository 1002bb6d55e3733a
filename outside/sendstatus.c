/* SPDX-License-Identifier: ISC
 *
 * sendstatus: what an operator asks first comes first: does it run, does the machine take its packets, what was not yet sent.
 */
#include "outside/sendstatus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/sendreport.h"

/* Seconds: three times that between two of its files. */
#define SILENT 15

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, json_or_die(value)) < 0)
		die("out of memory");
}

static json_t *object_json(const struct send_run *run, const struct send_object *object, int64_t now)
{
	struct sendqueue_item *item = sendqueue_find((struct sendqueue *)&run->queue, object->id);
	json_t *json = sendreport_object(object);

	set(json, "class",
	    item == NULL ? json_null() : json_string(sendqueue_class_name(sendqueue_class_of(&run->queue, item, now))));
	set(json, "nextGeneration", json_integer(object->next));
	return json;
}

char *sendstatus_compose(const struct send_run *run, const struct sendline_totals *totals, bool has_ended)
{
	json_t *objects = json_or_die(json_array()), *json;
	uint64_t version = 0;

	for (size_t i = 0; i < run->n_objects; i++) {
		json_array_append_new(objects, object_json(run, run->objects[i], time(NULL)));
		if (run->objects[i]->version > version)
			version = run->objects[i]->version;
	}
	json = sendreport_new(run->session, objects);
	set(json, "format", json_string("clapet send status 1"));
	set(json, "ended", json_boolean(has_ended));
	sendreport_set_counts(json, &totals->counts);
	set(json, "beacons", json_integer((json_int_t)totals->beacons));
	set(json, "announced", json_integer(totals->n_objects));
	set(json, "version", json_integer((json_int_t)version));
	set(json, "unsent", json_integer((json_int_t)sendqueue_unsent(&run->queue)));
	set(json, "hashing", json_integer((json_int_t)run->n_waiting));
	set(json, "aside", json_integer((json_int_t)run->n_aside));
	set(json, "calls", json_string(sendsocket_mode_name(totals->mode)));
	set(json, "lastError", totals->last_errno == 0 ? json_null() : json_string(strerror(totals->last_errno)));
	return sendreport_text(json);
}

/* --- pruning --- */

struct aged {
	char *name;
	int64_t at;
};

static int compare_ages(const void *a, const void *b)
{
	const struct aged *left = a, *right = b;

	return (left->at > right->at) - (left->at < right->at);
}

int sendstatus_prune(int dir_fd, size_t limit)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct aged *files = NULL;
	size_t n = 0;
	struct stat st;

	if (dir == NULL)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.' || fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		files = xrealloc(files, n + 1, sizeof(*files));
		files[n++] = (struct aged){xstrdup(entry->d_name), st.st_mtim.tv_sec};
	}
	if (n > 0)
		qsort(files, n, sizeof(*files), compare_ages);
	for (size_t i = 0; i < n; i++) {
		if (n - i > limit && unlinkat(dir_fd, files[i].name, 0) < 0)
			r = -errno;
		free(files[i].name);
	}
	free(files);
	return r;
}

/* --- what is shown --- */

/* What is read of a status for people and for Prometheus. */
struct seen {
	const char *to, *link, *calls, *error, *written;
	int64_t packets, bytes, wire_bytes, lost, beacons, announced, version, unsent, hashing, aside, rate, age;
	bool has_ended;
	json_t *objects;
};

static enum fault read_texts(const json_t *json, struct seen *seen, struct refusal *why)
{
	if (json_get_text(json, "status", "to", true, &seen->to, why) != FAULT_NONE ||
	    json_get_text(json, "status", "link", true, &seen->link, why) != FAULT_NONE ||
	    json_get_text(json, "status", "calls", true, &seen->calls, why) != FAULT_NONE ||
	    json_get_text(json, "status", "written", true, &seen->written, why) != FAULT_NONE ||
	    json_get_bool(json, "status", "ended", true, &seen->has_ended, why) != FAULT_NONE)
		return why->fault;
	seen->error = json_string_value(json_object_get(json, "lastError"));
	return json_get_array(json, "status", "objects", true, &seen->objects, why);
}

static enum fault read_status(const json_t *json, int64_t now, struct seen *seen, struct refusal *why)
{
	const struct {
		const char *key;
		int64_t *target;
	} numbers[] = {
		{"packets", &seen->packets}, {"bytes", &seen->bytes},     {"wireBytes", &seen->wire_bytes},
		{"lost", &seen->lost},       {"beacons", &seen->beacons}, {"announced", &seen->announced},
		{"version", &seen->version}, {"unsent", &seen->unsent},   {"hashing", &seen->hashing},
		{"aside", &seen->aside},     {"rate", &seen->rate},
	};
	int64_t written = 0;

	if (json_format(json, "status", "clapet send status", 1, why) != FAULT_NONE ||
	    read_texts(json, seen, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (json_get_integer(json, "status", numbers[i].key, true, 0, INT64_MAX, numbers[i].target, why) !=
		    FAULT_NONE)
			return why->fault;
	if (!notation_parse_time(seen->written, &written))
		return refuse(why, FAULT_JSON_MEMBER, "status: \"written\" is no time");
	seen->age = now > written ? now - written : 0;
	return FAULT_NONE;
}

static void show_objects(const struct seen *seen, FILE *out)
{
	static const char *const headings[] = {"object", "class", "size", "cycles", "came"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	const json_t *object;
	size_t i;

	json_array_foreach(seen->objects, i, object)
	{
		const json_t *files = json_object_get(object, "files");
		const char *class = json_string_value(json_object_get(object, "class"));
		const char *name = json_string_value(json_array_get(files, 0));
		const char *came = json_string_value(json_object_get(object, "came"));
		char size[32], cycles[32], label[160];

		notation_format_size((uint64_t)json_integer_value(json_object_get(object, "size")), size, sizeof(size));
		snprintf(cycles, sizeof(cycles), "%lld",
			 (long long)json_integer_value(json_object_get(object, "cycles")));
		if (json_array_size(files) == 1)
			snprintf(label, sizeof(label), "%.150s", name == NULL ? "?" : name);
		else
			snprintf(label, sizeof(label), "a pack of %zu files", json_array_size(files));
		columns_row(table, (const char *const[]){label, class == NULL ? "-" : class, size, cycles,
							 came == NULL ? "-" : came});
	}
	if (json_array_size(seen->objects) > 0)
		columns_print(table, out);
	columns_free(table);
}

static void show_people(const struct seen *seen, FILE *out)
{
	char age[40], sent[32];

	notation_format_age(seen->age, age, sizeof(age));
	notation_format_size((uint64_t)seen->wire_bytes, sent, sizeof(sent));
	if (seen->has_ended)
		fprintf(out, "to %s (link %s): ENDED %s ago\n", seen->to, seen->link, age);
	else if (seen->age > SILENT)
		fprintf(out, "to %s (link %s): SILENT: it wrote its status %s ago\n", seen->to, seen->link, age);
	else
		fprintf(out, "to %s (link %s): sending at %.1f Mbit/s\n", seen->to, seen->link,
			(double)seen->rate / 1e6);
	fprintf(out,
		"%" PRId64 " packets, %s on the cable, by %s; %" PRId64 " objects, the newest of version %" PRId64 "\n",
		seen->packets, sent, seen->calls, seen->announced, seen->version);
	if (seen->lost > 0)
		fprintf(out, "LOST on this machine: %" PRId64 " packets: %s\n", seen->lost,
			seen->error == NULL ? "?" : seen->error);
	if (seen->unsent + seen->hashing > 0)
		fprintf(out, "not yet sent once: %" PRId64 ", being read: %" PRId64 "\n", seen->unsent, seen->hashing);
	if (seen->aside > 0)
		fprintf(out, "not sent: %" PRId64 " (refused, or the same bytes as another)\n", seen->aside);
	show_objects(seen, out);
}

static void show_metric(FILE *out, const char *name, const char *type, const char *help, int64_t value)
{
	fprintf(out, "# HELP clapet_send_%s %s\n# TYPE clapet_send_%s %s\nclapet_send_%s %" PRId64 "\n", name, help,
		name, type, name, value);
}

static void show_prometheus(const struct seen *seen, FILE *out)
{
	show_metric(out, "up", "gauge", "Whether the sender runs and wrote its status lately.",
		    !seen->has_ended && seen->age <= SILENT);
	show_metric(out, "status_age_seconds", "gauge", "Since the sender wrote its status.", seen->age);
	show_metric(out, "rate_bits_per_second", "gauge", "What the link may carry on its cable.", seen->rate);
	show_metric(out, "packets_total", "counter", "Packets of this session.", seen->packets);
	show_metric(out, "bytes_total", "counter", "Bytes of its packets as UDP carries them.", seen->bytes);
	show_metric(out, "wire_bytes_total", "counter", "Bytes on the cable.", seen->wire_bytes);
	show_metric(out, "lost_packets_total", "counter", "Packets that this machine did not take.", seen->lost);
	show_metric(out, "beacons_total", "counter", "Beacons of this session.", seen->beacons);
	show_metric(out, "objects_announced", "gauge", "Objects announced in this session.", seen->announced);
	show_metric(out, "objects", "gauge", "Objects of the carousel.", (int64_t)json_array_size(seen->objects));
	show_metric(out, "objects_unsent", "gauge", "Objects that were not yet sent once.", seen->unsent);
	show_metric(out, "files_aside", "gauge", "Files that are refused, or the same as another.", seen->aside);
	show_metric(out, "newest_version", "gauge", "Newest timestamp version among its bundles.", seen->version);
}

enum fault sendstatus_show(const void *data, size_t size, const struct send_arguments *arguments, int64_t now,
			   FILE *out, int *ret_status, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal inner = {FAULT_NONE, ""};
	struct seen seen = {0};

	if (json_parse(data, size, LIMIT_SEND_STATUS_SIZE, &json, &inner) != FAULT_NONE ||
	    read_status(json, now, &seen, &inner) != FAULT_NONE)
		return refuse(why, FAULT_FILE, "%s (bundle/FORMAT.md 31.3)", inner.line);
	if (arguments->json)
		fwrite(data, 1, size, out);
	else if (arguments->prometheus)
		show_prometheus(&seen, out);
	else
		show_people(&seen, out);
	*ret_status = seen.has_ended || seen.age > SILENT ? fault_exit(FAULT_SEND_SILENT) : 0;
	return FAULT_NONE;
}

int sendstatus_run(const struct send_profile *profile, const struct send_arguments *arguments)
{
	_cleanup_free_ char *path = xasprintf("%s/" SENDSTATUS_NAME, profile->state);
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t size = 0;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_SEND_STATUS_SIZE, &data, &size), status = 0;

	if (r == -ENOENT)
		refuse(&why, FAULT_SEND_SILENT, "there is no %s", path);
	else if (r < 0)
		refuse(&why, FAULT_FILE, "%s: %s", path, strerror(-r));
	else if (sendstatus_show(data, size, arguments, time(NULL), stdout, &status, &why) != FAULT_NONE)
		refuse_within(&why, "%s", path);
	if (why.fault == FAULT_NONE)
		return status;
	log_refusal(&why);
	return fault_exit(why.fault);
}
