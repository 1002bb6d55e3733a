/* SPDX-License-Identifier: ISC
 *
 * exportslip: see exportslip.h. Text and page say the same, in the same order.
 */
#include "outside/exportslip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/html.h"
#include "bundle/json.h"
#include "keys/words.h"

#define LINE_SIZE 1024

void exportslip_clear(struct exportslip *slip)
{
	for (size_t i = 0; i < slip->n_datasets; i++) {
		free(slip->datasets[i].title);
		free(slip->datasets[i].licences);
	}
	free(slip->datasets);
	free(slip->volumes);
	memset(slip, 0, sizeof *slip);
}

void exportslip_sums(FILE *file, const struct exportslip *slip)
{
	char hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < slip->n_volumes; i++) {
		if (slip->volumes[i].place != EXPORTSLIP_HERE)
			continue;
		sha256_to_hex(&slip->volumes[i].sha256, hex);
		fprintf(file, "# %" PRIu64 " bytes\n%s  %s\n", slip->volumes[i].size, hex, slip->volumes[i].name);
	}
}

/* --- what is said ---------------------------------------------------------------------------------------------------- */

/* One item of the head: name and value. */
struct item {
	const char *name;
	char value[LINE_SIZE];
};
enum { ITEM_TO, ITEM_HOLDS, ITEM_MADE, ITEM_UNTIL, ITEM_FROM, ITEM_VOLUMES, ITEM_READ_OUT, N_ITEMS };

/* A digest's first digits and the same as words. */
static void short_digest(const struct sha256 *sha256, char *text, size_t size)
{
	char hex[SHA256_HEX_SIZE], words[WORDS_NAME_SIZE];

	sha256_to_hex(sha256, hex);
	words_name(hex, words);
	snprintf(text, size, "%s (%.8s)", words, hex);
}

static void say_holds(const struct exportslip *slip, char *text, size_t size)
{
	if (strcmp(slip->since, "all") == 0)
		snprintf(text, size, "everything, as of timestamp %" PRIu64, slip->timestamp);
	else
		snprintf(text, size, "what was published since %s%s, as of timestamp %" PRIu64,
			 strchr(slip->since, '-') == NULL ? "timestamp " : "", slip->since, slip->timestamp);
}

static void say_volumes(const struct exportslip *slip, char *text, size_t size)
{
	uint64_t total = 0;
	size_t n_here = 0, n_to_come = 0;
	char sum[32];

	for (size_t i = 0; i < slip->n_volumes; i++) {
		total += slip->volumes[i].size;
		n_here += slip->volumes[i].place == EXPORTSLIP_HERE;
		n_to_come += slip->volumes[i].place == EXPORTSLIP_TO_COME;
	}
	notation_format_size(total, sum, sizeof sum);
	if (n_to_come > 0)
		snprintf(text, size, "%zu, %s in all; %zu here, %zu still to be written", slip->n_volumes, sum, n_here,
			 n_to_come);
	else
		snprintf(text, size, "%zu, %s in all; %zu here", slip->n_volumes, sum, n_here);
}

static void say_items(const struct exportslip *slip, struct item items[N_ITEMS])
{
	static const char *const names[N_ITEMS] = {"To",   "Holds",   "Made",       "Importable until",
						   "From", "Volumes", "To read out"};
	char hex[SHA256_HEX_SIZE], text[256];

	for (size_t i = 0; i < N_ITEMS; i++)
		items[i].name = names[i];
	snprintf(items[ITEM_TO].value, LINE_SIZE, "%s", slip->to != NULL ? slip->to : "______________________");
	say_holds(slip, items[ITEM_HOLDS].value, LINE_SIZE);
	notation_format_local(slip->made, items[ITEM_MADE].value, LINE_SIZE);
	notation_format_local(slip->until, items[ITEM_UNTIL].value, LINE_SIZE);
	sha256_to_hex(&slip->root, hex);
	short_digest(&slip->root, text, sizeof text);
	snprintf(items[ITEM_FROM].value, LINE_SIZE,
		 "the outside whose 1.root.json has SHA-256 %s, in words %s; its root is version %" PRIu64, hex, text,
		 slip->root_version);
	say_volumes(slip, items[ITEM_VOLUMES].value, LINE_SIZE);
	short_digest(&slip->sums_sha256, text, sizeof text);
	snprintf(items[ITEM_READ_OUT].value, LINE_SIZE, "%s, which `sha256sum " EXPORTSLIP_SUMS "` begins with", text);
}

static void say_place(const struct exportslip_volume *volume, char *text, size_t size)
{
	char at[64], folder[200];

	if (volume->place == EXPORTSLIP_TO_COME) {
		snprintf(text, size, "not written yet");
		return;
	}
	notation_format_local(volume->written, at, sizeof at);
	text_escape(volume->folder, strlen(volume->folder), folder, sizeof folder);
	if (volume->place == EXPORTSLIP_HERE)
		snprintf(text, size, "here, written %s", at);
	else
		snprintf(text, size, "on another medium, which was %s at %s", folder, at);
}

/* What is to be done with it; a command is what stands behind the colon. */
static const char *const steps[] = {
	"On the media station, in this folder: sha256sum -c " EXPORTSLIP_SUMS,
	"On the inside host: clapet-inside import FOLDER",
	"Volumes may come in any order, some of them later; one that comes twice is superseded. What is still missing "
	"is named by: "
	"clapet-inside missing",
	"Nothing on this slip is believed by the inside: it verifies signatures and every byte. The slip is for "
	"people.",
};

/* --- text ------------------------------------------------------------------------------------------------------------ */

static void print_escaped(FILE *file, const char *text)
{
	char shown[LINE_SIZE];

	fputs(text_escape(text, strlen(text), shown, sizeof shown), file);
}

static void print_volumes(FILE *file, const struct exportslip *slip)
{
	char hex[SHA256_HEX_SIZE], place[400], words[128], size[32];

	fputs("\nVolumes\n", file);
	for (size_t i = 0; i < slip->n_volumes; i++) {
		const struct exportslip_volume *volume = &slip->volumes[i];

		say_place(volume, place, sizeof place);
		notation_format_size(volume->size, size, sizeof size);
		fprintf(file, "  %zu of %zu: %s, %" PRIu64 " bytes; %s\n", i + 1, slip->n_volumes, size, volume->size,
			place);
		if (volume->place == EXPORTSLIP_TO_COME)
			continue;
		sha256_to_hex(&volume->sha256, hex);
		short_digest(&volume->sha256, words, sizeof words);
		fprintf(file, "    file     %s\n    SHA-256  %s\n    in words %s\n", volume->name, hex, words);
	}
}

static void print_datasets(FILE *file, const struct exportslip *slip)
{
	char size[32];

	fputs("\nDatasets\n", file);
	if (slip->n_datasets == 0)
		fputs("  none: metadata alone, which say that nothing is newer\n", file);
	for (size_t i = 0; i < slip->n_datasets; i++) {
		const struct exportslip_dataset *dataset = &slip->datasets[i];

		notation_format_size(dataset->size, size, sizeof size);
		if (dataset->version[0] == '\0')
			fprintf(file, "  %s: withdrawn\n", dataset->name);
		else
			fprintf(file, "  %s: version %s of %.10s, %s\n", dataset->name, dataset->version,
				dataset->created, size);
		if (dataset->title[0] != '\0') {
			fputs("    ", file);
			print_escaped(file, dataset->title);
			putc('\n', file);
		}
		if (dataset->licences[0] != '\0') {
			fputs("    licences: ", file);
			print_escaped(file, dataset->licences);
			putc('\n', file);
		}
	}
}

void exportslip_text(FILE *file, const struct exportslip *slip)
{
	struct item items[N_ITEMS];

	say_items(slip, items);
	fputs("Clapet transfer slip\n\n", file);
	for (size_t i = 0; i < N_ITEMS; i++) {
		fprintf(file, "%-17s ", items[i].name);
		print_escaped(file, items[i].value);
		putc('\n', file);
	}
	print_volumes(file, slip);
	print_datasets(file, slip);
	fputs("\nTo import\n", file);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		fprintf(file, "  %s\n", steps[i]);
	fputs("\nHanded over by ______________________ on ____________\n\n"
	      "Received by    ______________________ on ____________\n",
	      file);
}

/* --- page ------------------------------------------------------------------------------------------------------------ */

static void html_code(FILE *file, const char *text)
{
	fputs("<code>", file);
	html_text(file, text);
	fputs("</code>", file);
}

static void html_volumes(FILE *file, const struct exportslip *slip)
{
	char hex[SHA256_HEX_SIZE], place[400], words[128];

	fputs("<h2>Volumes</h2>\n<table>\n<thead><tr><th>Volume</th><th>File and SHA-256</th><th class=\"n\">Bytes</th>"
	      "<th>In words</th><th>Where</th></tr></thead>\n<tbody>\n",
	      file);
	for (size_t i = 0; i < slip->n_volumes; i++) {
		const struct exportslip_volume *volume = &slip->volumes[i];
		bool is_written = volume->place != EXPORTSLIP_TO_COME;

		sha256_to_hex(&volume->sha256, hex);
		short_digest(&volume->sha256, words, sizeof words);
		say_place(volume, place, sizeof place);
		fprintf(file, "<tr><td>%zu of %zu</td><td>", i + 1, slip->n_volumes);
		if (is_written) {
			html_code(file, volume->name);
			fputs("<br/>", file);
			html_code(file, hex);
		}
		fprintf(file, "</td><td class=\"n\">%" PRIu64 "</td><td>", volume->size);
		html_text(file, is_written ? words : "");
		fputs("</td><td>", file);
		html_text(file, place);
		fputs("</td></tr>\n", file);
	}
	fputs("</tbody>\n</table>\n", file);
}

static void html_datasets(FILE *file, const struct exportslip *slip)
{
	fputs("<h2>Datasets</h2>\n", file);
	if (slip->n_datasets == 0) {
		fputs("<p>None: metadata alone, which say that nothing is newer.</p>\n", file);
		return;
	}
	fputs("<table>\n<thead><tr><th>Dataset</th><th>Title</th><th>Version</th><th>Of</th><th class=\"n\">Bytes</th>"
	      "<th>Licences</th></tr></thead>\n<tbody>\n",
	      file);
	for (size_t i = 0; i < slip->n_datasets; i++) {
		const struct exportslip_dataset *dataset = &slip->datasets[i];
		char day[11];

		snprintf(day, sizeof day, "%.10s", dataset->created);
		fputs("<tr><td>", file);
		html_text(file, dataset->name);
		fputs("</td><td>", file);
		html_text(file, dataset->title);
		fputs("</td><td>", file);
		if (dataset->version[0] == '\0')
			fputs("withdrawn", file);
		else
			html_code(file, dataset->version);
		fprintf(file, "</td><td>%s</td><td class=\"n\">%" PRIu64 "</td><td>", day, dataset->size);
		html_text(file, dataset->licences);
		fputs("</td></tr>\n", file);
	}
	fputs("</tbody>\n</table>\n", file);
}

void exportslip_page(FILE *file, const struct exportslip *slip)
{
	struct item items[N_ITEMS];

	say_items(slip, items);
	html_begin(file, "Clapet transfer slip", false);
	fputs("<dl>\n", file);
	for (size_t i = 0; i < N_ITEMS; i++)
		html_item(file, items[i].name, items[i].value);
	fputs("</dl>\n", file);
	html_volumes(file, slip);
	html_datasets(file, slip);
	fputs("<h2>To import</h2>\n<ul>\n", file);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		fputs("<li>", file);
		html_text(file, steps[i]);
		fputs("</li>\n", file);
	}
	fputs("</ul>\n<table>\n<tbody>\n<tr><td>Handed over by<br/><br/></td><td>on<br/><br/></td></tr>\n"
	      "<tr><td>Received by<br/><br/></td><td>on<br/><br/></td></tr>\n</tbody>\n</table>\n",
	      file);
	html_end(file);
}

/* --- for machines ---------------------------------------------------------------------------------------------------- */

static json_t *volume_json(const struct exportslip_volume *volume, size_t number)
{
	static const char *const places[] = {
		[EXPORTSLIP_HERE] = "here", [EXPORTSLIP_ELSEWHERE] = "elsewhere", [EXPORTSLIP_TO_COME] = "to come"};
	bool is_written = volume->place != EXPORTSLIP_TO_COME;

	return json_pack("{s:I, s:s, s:s?, s:o, s:I, s:o, s:s?}", "number", (json_int_t)number, "place",
			 places[volume->place], "name", is_written ? volume->name : NULL, "hash",
			 is_written ? json_named_hash(&volume->sha256) : json_null(), "bytes", (json_int_t)volume->size,
			 "written", is_written ? json_time(volume->written) : json_null(), "folder",
			 is_written ? volume->folder : NULL);
}

json_t *exportslip_json(const struct exportslip *slip)
{
	json_t *volumes = json_array(), *datasets = json_array(), *root;

	for (size_t i = 0; i < slip->n_volumes; i++)
		json_array_append_new(volumes, volume_json(&slip->volumes[i], i + 1));
	for (size_t i = 0; i < slip->n_datasets; i++) {
		const struct exportslip_dataset *dataset = &slip->datasets[i];

		json_array_append_new(datasets,
				      json_pack("{s:s, s:s, s:s?, s:s, s:I, s:I, s:s}", "name", dataset->name, "title",
						dataset->title, "version",
						dataset->version[0] != '\0' ? dataset->version : NULL, "created",
						dataset->created, "bytes", (json_int_t)dataset->size, "blobs",
						(json_int_t)dataset->n_blobs, "licences", dataset->licences));
	}
	root = json_pack("{s:s, s:s?, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o}", "format", "clapet transfer 1", "to",
			 slip->to, "since", slip->since, "made", json_time(slip->made), "root",
			 json_named_hash(&slip->root), "rootVersion", (json_int_t)slip->root_version, "timestamp",
			 (json_int_t)slip->timestamp, "until", json_time(slip->until), "volumes", volumes, "datasets",
			 datasets);
	if (root == NULL)
		die("out of memory");
	return root;
}
