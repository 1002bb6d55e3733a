/* SPDX-License-Identifier: ISC
 *
 * cmd_missing: what has not arrived, as a request that a person carries out of the building: as text, as a QR code on a terminal, as a
 * picture. Nothing else leaves, and what it discloses is said.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/newfile.h"
#include "bundle/notation.h"
#include "bundle/request.h"
#include "inside/cmd.h"
#include "inside/missing.h"
#include "keys/qr.h"
#include "keys/qr_png.h"

static bool opt_no_qr;
static const char *opt_png;

const struct option cmd_missing_options[] = {
	{"png", 'p', OPTION_TEXT, &opt_png, "FILE", "the QR code as a picture, in a new file"},
	{"no-qr", 0, OPTION_FLAG, &opt_no_qr, NULL, "no QR code on the terminal"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* On stderr, as disclose() is: `clapet-inside missing > FILE` is the request and nothing else. */
static void tell(const struct missing *missing)
{
	char size[32];

	fflush(stdout);
	fputc('\n', stderr);
	for (size_t i = 0; i < missing->n_datasets; i++) {
		const struct missing_dataset *dataset = &missing->datasets[i];

		fprintf(stderr, "%s misses %zu blob%s and %zu metadata file%s%s", dataset->name, dataset->n_blobs,
			plural(dataset->n_blobs), dataset->n_metadata, plural(dataset->n_metadata),
			dataset->by_since ? "" : "\n");
		if (dataset->by_since && dataset->since == 0)
			fputs(": all of it is asked for\n", stderr);
		else if (dataset->by_since)
			fprintf(stderr, ": asked for since timestamp %" PRIu64 ", when nothing was missing\n",
				dataset->since);
	}
	for (size_t i = 0; i < missing->request.n_parts; i++)
		fprintf(stderr, "bundle %s… crossed the link in part: generations %s of it are asked for\n",
			missing->request.parts[i].digest, missing->request.parts[i].ranges);
	notation_format_size(missing->bytes, size, sizeof(size));
	fprintf(stderr,
		"%s in all, as far as it is known. The lines above are for the outside's operator (`clapet-outside "
		"resend`); a person\n"
		"carries them out. They disclose the newest versions that arrived here, and which public files did "
		"not.\n",
		size);
}

static json_t *missing_json(const struct missing *missing)
{
	json_t *datasets = json_array(), *parts = json_array();

	for (size_t i = 0; i < missing->n_datasets; i++) {
		const struct missing_dataset *dataset = &missing->datasets[i];

		json_array_append_new(
			datasets, json_pack("{ss so sO}", "dataset", dataset->name, "since",
					    dataset->by_since ? json_integer((json_int_t)dataset->since) : json_null(),
					    "missing", dataset->items));
	}
	for (size_t i = 0; i < missing->request.n_parts; i++)
		json_array_append_new(parts, json_pack("{ss ss}", "bundle", missing->request.parts[i].digest,
						       "generations", missing->request.parts[i].ranges));
	return json_pack("{ss sI sI sI sI sI so so ss}", "format", "clapet missing 1", "root",
			 (json_int_t)missing->request.root, "timestamp", (json_int_t)missing->request.timestamp,
			 "snapshot", (json_int_t)missing->request.snapshot, "targets",
			 (json_int_t)missing->request.targets, "bytes", (json_int_t)missing->bytes, "datasets",
			 datasets, "parts", parts, "text", missing->text);
}

static int write_png(void *ctx, int fd)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	size_t size;
	int r;

	if (qr_encode(ctx, &qr, &why) != FAULT_NONE)
		return cmd_fail(&why);
	data = qr_png(&qr, &size);
	r = fd_write_all(fd, data, size);
	if (r == 0)
		return 0;
	refuse(&why, FAULT_STORAGE, "%s: %s", opt_png, strerror(-r));
	return cmd_fail(&why);
}

static int show(const struct missing *missing)
{
	int status = fault_exit(FAULT_BLOB_ABSENT), written = 0;
	struct refusal why = {0};

	if (cmd_wants_json()) {
		status = cmd_print_json(missing_json(missing), status);
	} else {
		fputs(missing->text, stdout);
		if (isatty(STDOUT_FILENO) && !opt_no_qr) {
			putchar('\n');
			if (qr_print(stdout, missing->text, false, &why) != FAULT_NONE)
				return cmd_fail(&why);
		}
		tell(missing);
		status = cmd_end(status);
	}
	if (opt_png != NULL)
		written = newfile_make(opt_png, write_png, missing->text);
	return written != 0 ? written : status;
}

int cmd_missing(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(missing_clear) struct missing missing = {.n_datasets = 0};
	_cleanup_(json_decrefp) json_t *document = NULL;
	struct linkparts parts;
	struct refusal why = {0};
	int status;

	(void)argc, (void)argv;
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (status_load(&inside, &document, &why) != FAULT_NONE ||
	    linkparts_load(inside.config->link_folder != NULL ? inside.config->link_folder : inside.config->incoming,
			   &parts, &why) != FAULT_NONE)
		return cmd_fail(&why);
	missing_compose(document, &parts, &missing);
	if (request_can_name((const uint64_t[]){missing.request.root, missing.request.timestamp,
						missing.request.snapshot, missing.request.targets},
			     4, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (missing.n_datasets > 0 || missing.request.n_parts > 0)
		return show(&missing);
	if (cmd_wants_json())
		return cmd_print_json(missing_json(&missing), 0);
	printf("nothing is missing\n");
	return cmd_end(0);
}
