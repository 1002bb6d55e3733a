/* SPDX-License-Identifier: ISC
 *
 * receive_status: one picture of the counts and the table, told three times. Written by hand: this process links no JSON, and the only text
 * from outside in it is a test message.
 */
#include "inside/receive_status.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/link_ranges.h"
#include "bundle/notation.h"

/* Objects that the text names one by one. */
#define TEXT_OBJECTS 20
/* Milliseconds without a packet: it does not arrive any more. */
#define STALLED 5000

/* What is told, taken at one moment. */
struct picture {
	struct receiver *receiver;
	int64_t now; /* monotonic milliseconds */
	struct receive_link link;
	enum receive_link_state state;
	enum receive_news news;
	struct receive_sample recent;
};

static const char *object_state(const struct picture *picture, const struct receive_object *object)
{
	if (object->n_stored == object->geometry.n_generations)
		return object->info.is_announced ? "verifying" : "unannounced";
	return picture->now - object->heard > STALLED ? "stalled" : "arriving";
}

/* The digest where it is known, else its beginning. */
static void object_name(const struct receive_object *object, char name[SHA256_HEX_SIZE])
{
	if (object->info.is_announced)
		sha256_to_hex(&object->info.sha256, name);
	else
		receive_id_text(object->info.id, name);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

static void json_link(FILE *file, const struct picture *picture)
{
	const struct receive_link *link = &picture->link;
	char at[NOTATION_TIME_SIZE] = "";

	fprintf(file, "\"link\": {\"id\": \"%02x%02x%02x%02x\", \"state\": \"%s\", \"news\": \"%s\"",
		picture->receiver->link_id[0], picture->receiver->link_id[1], picture->receiver->link_id[2],
		picture->receiver->link_id[3], receive_link_state_name(picture->state),
		receive_news_name(picture->news));
	if (link->beacon_at > 0) {
		static const char *const senders[] = {"idle", "sending", "ending"};

		notation_format_time(link->beacon_clock, at);
		fprintf(file,
			", \"beacon\": {\"at\": \"%s\", \"secondsAgo\": %.1f, \"count\": %" PRIu64
			", \"sender\": \"%s\", \"bytes\": %" PRIu64 ", \"objects\": %" PRIu32 ", \"queued\": %" PRIu32
			", \"version\": %" PRIu64 "}",
			at, (double)(picture->now - link->beacon_at) / 1000, link->n_beacons,
			senders[link->beacon.state], link->beacon.bytes, link->beacon.n_objects, link->beacon.n_queued,
			link->beacon.version);
	}
	if (link->test_clock > 0) {
		notation_format_time(link->test_clock, at);
		fprintf(file, ", \"test\": {\"at\": \"%s\", \"number\": %" PRIu64 ", \"text\": ", at,
			link->test.number);
		notation_json_string(file, link->test.text);
		fputc('}', file);
	}
	fprintf(file,
		", \"recent\": {\"packets\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"failed\": %" PRIu64
		", \"kernelDrops\": %" PRIu64 "}}",
		picture->recent.packets, picture->recent.lost, picture->recent.failed, picture->recent.dropped);
}

static void json_margin(FILE *file, const struct receive_counts *counts)
{
	fputs(", \"margin\": [", file);
	for (size_t i = 0; i < RECEIVE_MARGIN_N; i++) {
		fprintf(file, "%s{\"upTo\": ", i > 0 ? ", " : "");
		if (receive_margin_bounds[i] == INT_MAX)
			fputs("null", file);
		else
			fprintf(file, "%d", receive_margin_bounds[i]);
		fprintf(file, ", \"generations\": %" PRIu64 "}", atomic_load(&counts->margins[i]));
	}
	fputc(']', file);
}

static void json_objects(FILE *file, const struct picture *picture)
{
	const struct receive_objects *objects = &picture->receiver->objects;

	fputs(", \"objects\": [", file);
	for (size_t i = 0; i < objects->n_items; i++) {
		const struct receive_object *object = objects->items[i];
		char name[SHA256_HEX_SIZE];

		object_name(object, name);
		fprintf(file,
			"%s{\"object\": \"%s\", \"size\": %" PRIu64 ", \"state\": \"%s\", \"generations\": %" PRIu32
			", \"stored\": %" PRIu32 "}",
			i > 0 ? ", " : "", name, object->info.size, object_state(picture, object),
			object->geometry.n_generations, object->n_stored);
	}
	fputc(']', file);
}

static void write_json(FILE *file, const struct picture *picture)
{
	const struct receiver *receiver = picture->receiver;
	char since[NOTATION_TIME_SIZE], now[NOTATION_TIME_SIZE];

	notation_format_time(receiver->started / 1000, since);
	notation_format_time(receive_wall_clock() / 1000, now);
	fprintf(file, "{\"format\": \"clapet link status 1\", \"at\": \"%s\", \"since\": \"%s\", ", now, since);
	json_link(file, picture);
	fputs(", \"counts\": {", file);
	for (int i = 0; i < RECEIVE_COUNT_N; i++)
		fprintf(file, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", receive_count_key((enum receive_count)i),
			receive_read(&receiver->counts, (enum receive_count)i));
	fputc('}', file);
	json_margin(file, &receiver->counts);
	json_objects(file, picture);
	fprintf(file, ", \"socket\": {\"buffer\": %d, \"joins\": %s, \"countsDrops\": %s}}\n",
		receiver->socket.buffer_size, receiver->socket.joins ? "true" : "false",
		receiver->socket.counts_drops ? "true" : "false");
}

/* --- Prometheus ------------------------------------------------------------------------------------------------------ */

/* "badMac" as "clapet_receive_bad_mac". */
static void metric_name(const char *key, char *name, size_t size)
{
	size_t n = (size_t)snprintf(name, size, "clapet_receive_");

	for (; *key != '\0' && n + 3 < size; key++) {
		if (*key >= 'A' && *key <= 'Z') {
			name[n++] = '_';
			name[n++] = (char)(*key - 'A' + 'a');
		} else {
			name[n++] = *key;
		}
	}
	name[n] = '\0';
}

static void gauge(FILE *file, const char *name, const char *help, double value)
{
	fprintf(file, "# HELP clapet_receive_%s %s\n# TYPE clapet_receive_%s gauge\nclapet_receive_%s %.15g\n", name,
		help, name, name, value);
}

static void write_prometheus(FILE *file, const struct picture *picture)
{
	const struct receive_counts *counts = &picture->receiver->counts;
	uint64_t below = 0;

	for (int i = 0; i < RECEIVE_COUNT_N; i++) {
		/* What was taken for lost may come yet: that count goes back. */
		bool is_gauge = i == RECEIVE_LOST;
		char name[96];

		metric_name(receive_count_key((enum receive_count)i), name, sizeof(name));
		fprintf(file, "# HELP %s%s %s\n# TYPE %s%s %s\n%s%s %" PRIu64 "\n", name, is_gauge ? "" : "_total",
			receive_count_help((enum receive_count)i), name, is_gauge ? "" : "_total",
			is_gauge ? "gauge" : "counter", name, is_gauge ? "" : "_total",
			receive_read(counts, (enum receive_count)i));
	}
	fputs("# HELP clapet_receive_margin repair symbols left unused in a generation's poorest block\n"
	      "# TYPE clapet_receive_margin histogram\n",
	      file);
	for (size_t i = 0; i < RECEIVE_MARGIN_N; i++) {
		below += atomic_load(&counts->margins[i]);
		if (receive_margin_bounds[i] == INT_MAX)
			fprintf(file, "clapet_receive_margin_bucket{le=\"+Inf\"} %" PRIu64 "\n", below);
		else
			fprintf(file, "clapet_receive_margin_bucket{le=\"%d\"} %" PRIu64 "\n", receive_margin_bounds[i],
				below);
	}
	fprintf(file, "clapet_receive_margin_sum %" PRIu64 "\nclapet_receive_margin_count %" PRIu64 "\n",
		atomic_load(&counts->margin_sum), below);
	gauge(file, "up", "1 where the link is up or degraded",
	      picture->state == RECEIVE_LINK_UP || picture->state == RECEIVE_LINK_DEGRADED);
	gauge(file, "degraded", "1 where packets are lost", picture->state == RECEIVE_LINK_DEGRADED);
	gauge(file, "missed", "1 where the sender tells of more than arrived", picture->news == RECEIVE_NEWS_MISSED);
	if (picture->link.beacon_at > 0)
		gauge(file, "beacon_age_seconds", "time since the last beacon",
		      (double)(picture->now - picture->link.beacon_at) / 1000);
	gauge(file, "objects_arriving", "objects that are not whole", (double)picture->receiver->objects.n_items);
	gauge(file, "time_seconds", "when this was written", (double)receive_wall_clock() / 1000);
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

static void text_link(FILE *file, const struct picture *picture)
{
	const struct receive_link *link = &picture->link;
	char age[32];

	fprintf(file, "link      %s, %s\n", receive_link_state_name(picture->state), receive_news_name(picture->news));
	if (link->beacon_at > 0) {
		notation_format_age((picture->now - link->beacon_at) / 1000, age, sizeof(age));
		fprintf(file,
			"beacon    %s ago; the sender has announced %" PRIu32 " objects, %" PRIu32 " are queued\n", age,
			link->beacon.n_objects, link->beacon.n_queued);
	} else {
		fputs("beacon    none yet\n", file);
	}
	if (link->test_clock > 0) {
		notation_format_age(receive_wall_clock() / 1000 - link->test_clock, age, sizeof(age));
		fprintf(file, "test      message %" PRIu64 ", %s ago: %s\n", link->test.number, age, link->test.text);
	}
}

static void text_counts(FILE *file, const struct receive_counts *counts)
{
	char size[32];

	notation_format_size(receive_read(counts, RECEIVE_BYTES), size, sizeof(size));
	fprintf(file, "packets   %" PRIu64 " (%s), %" PRIu64 " lost, %" PRIu64 " twice, %" PRIu64 " out of order\n",
		receive_read(counts, RECEIVE_PACKETS), size, receive_read(counts, RECEIVE_LOST),
		receive_read(counts, RECEIVE_DUPLICATE), receive_read(counts, RECEIVE_REORDERED));
	fprintf(file,
		"refused   %" PRIu64 " stray, %" PRIu64 " with a wrong MAC, %" PRIu64 " out of form, %" PRIu64
		" replayed; %" PRIu64 " dropped by the kernel\n",
		receive_read(counts, RECEIVE_STRAY), receive_read(counts, RECEIVE_BAD_MAC),
		receive_read(counts, RECEIVE_BAD_FORM), receive_read(counts, RECEIVE_REPLAYED),
		receive_read(counts, RECEIVE_DROPPED));
	fprintf(file, "repair    %" PRIu64 " generations whole, %" PRIu64 " repaired, %" PRIu64 " failed\n",
		receive_read(counts, RECEIVE_WHOLE), receive_read(counts, RECEIVE_REPAIRED),
		receive_read(counts, RECEIVE_FAILED));
	fputs("margin   ", file);
	for (size_t i = 0; i < RECEIVE_MARGIN_N; i++) {
		if (receive_margin_bounds[i] == INT_MAX)
			fputs(" more:", file);
		else if (i == 0)
			fputs(" failed:", file);
		else
			fprintf(file, " %d:", receive_margin_bounds[i]);
		fprintf(file, "%" PRIu64, atomic_load(&counts->margins[i]));
	}
	fputs(" generations by repair symbols left unused\n", file);
	notation_format_size(receive_read(counts, RECEIVE_FILE_BYTES), size, sizeof(size));
	fprintf(file, "files     %" PRIu64 " delivered (%s), %" PRIu64 " objects whose bytes were wrong\n",
		receive_read(counts, RECEIVE_FILES), size, receive_read(counts, RECEIVE_MISMATCHES));
}

static void write_text(FILE *file, const struct picture *picture)
{
	const struct receive_objects *objects = &picture->receiver->objects;

	text_link(file, picture);
	text_counts(file, &picture->receiver->counts);
	for (size_t i = 0; i < objects->n_items && i < TEXT_OBJECTS; i++) {
		const struct receive_object *object = objects->items[i];
		char name[SHA256_HEX_SIZE], size[32];

		object_name(object, name);
		notation_format_size(object->info.size, size, sizeof(size));
		fprintf(file, "object    %s (%s): %s, %" PRIu32 " of %" PRIu32 " generations\n", name, size,
			object_state(picture, object), object->n_stored, object->geometry.n_generations);
	}
	if (objects->n_items > TEXT_OBJECTS)
		fprintf(file, "          and %zu more\n", objects->n_items - TEXT_OBJECTS);
}

/* --- for a request (inside/linkparts.h) --------------------------------------------------------------------------------- */

/* Bundles that stand still; what still arrives is not missing. A pack's digest says nothing to anybody. */
static void write_missing(FILE *file, const struct picture *picture)
{
	const struct receive_objects *objects = &picture->receiver->objects;
	bool ends = atomic_load(&picture->receiver->stop);
	size_t n = 0;

	fputs("clapet link missing 1\n", file);
	for (size_t i = 0; i < objects->n_items && n < LIMIT_REQUEST_PARTS; i++) {
		const struct receive_object *object = objects->items[i];
		char name[SHA256_HEX_SIZE], text[LINK_RANGES_TEXT_SIZE];
		struct link_ranges ranges;

		link_ranges_missing(object->stored, object->geometry.n_generations, &ranges);
		if (!object->info.is_announced || object->info.content != LINK_CONTENT_FILE || ranges.n_items == 0 ||
		    (!ends && picture->now - object->heard <= STALLED))
			continue;
		object_name(object, name);
		link_ranges_format(&ranges, text);
		fprintf(file, "%s:%s\n", name, text);
		n++;
	}
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

/* Not synced: after a crash the next second writes it again. */
static int put(int folder_fd, const char *name, const char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	char temporary[64];
	int r;

	snprintf(temporary, sizeof(temporary), ".%s.tmp", name);
	fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, size);
	if (r == 0 && renameat(folder_fd, temporary, folder_fd, name) < 0)
		r = -errno;
	return r;
}

static void write_form(const struct picture *picture, const char *name, void (*form)(FILE *, const struct picture *))
{
	struct receive_objects *objects = &picture->receiver->objects;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (file == NULL)
		die("out of memory");
	receive_objects_lock(objects);
	form(file, picture);
	receive_objects_unlock(objects);
	if (fclose(file) != 0)
		die("out of memory");
	r = put(picture->receiver->state_fd, name, text, size);
	if (r < 0 && !picture->receiver->told_status)
		log_warning("%s: %s", name, strerror(-r));
	picture->receiver->told_status = r < 0;
}

void receive_status_write(struct receiver *receiver)
{
	struct picture picture = {.receiver = receiver, .now = receive_ticks()};

	pthread_mutex_lock(&receiver->link.lock);
	picture.link = receiver->link;
	pthread_mutex_unlock(&receiver->link.lock);
	picture.state = receive_link_state(&picture.link, picture.now);
	picture.news = receive_link_news(&picture.link, picture.now);
	picture.recent = receive_link_recent(&picture.link);
	write_form(&picture, RECEIVE_STATUS_JSON, write_json);
	write_form(&picture, RECEIVE_STATUS_PROMETHEUS, write_prometheus);
	write_form(&picture, RECEIVE_STATUS_TEXT, write_text);
	write_form(&picture, RECEIVE_STATUS_MISSING, write_missing);
}

int receive_status_print(int folder_fd, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct stat st;
	size_t size;
	int r = fd_load_file(folder_fd, name, LIMIT_JSON_SIZE, &data, &size);

	if (r < 0 || fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		die("%s: %s (does clapet-receive run there?)", name, strerror(r < 0 ? -r : errno));
	fwrite(data, 1, size, stdout);
	if (fflush(stdout) != 0)
		die_errno("stdout");
	if (time(NULL) - st.st_mtim.tv_sec <= RECEIVE_STATUS_OLD)
		return 0;
	log_warning("this is %lld s old: clapet-receive does not run", (long long)(time(NULL) - st.st_mtim.tv_sec));
	return 4;
}
