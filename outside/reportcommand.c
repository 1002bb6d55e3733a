/* SPDX-License-Identifier: ISC
 *
 * reportcommand: see reportcommand.h.
 */
#include "outside/reportcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/html.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "schemas/report_html.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void print_faults(FILE *file, const char *name, const json_t *faults)
{
	for (size_t i = 0; i < json_array_size(faults); i++) {
		const json_t *fault = json_array_get(faults, i);
		json_int_t row = json_integer_value(json_object_get(fault, "rowNumber"));
		bool is_warning = strcmp(text_of(fault, "level"), "warning") == 0;

		fprintf(file, "%s:", name);
		if (row > 0)
			fprintf(file, "%" JSON_INTEGER_FORMAT ":", row);
		fprintf(file, "%s %s\n", is_warning ? " warning:" : "", text_of(fault, "message"));
	}
}

static void print_task(FILE *file, const json_t *task)
{
	const json_t *stats = json_object_get(task, "stats");
	const char *name = text_of(task, "name");

	print_faults(file, name, json_object_get(task, "errors"));
	print_faults(file, name, json_object_get(task, "warnings"));
	fprintf(file,
		"%s: %" JSON_INTEGER_FORMAT " errors, %" JSON_INTEGER_FORMAT " warnings in %" JSON_INTEGER_FORMAT
		" rows\n",
		name, json_integer_value(json_object_get(stats, "errors")),
		json_integer_value(json_object_get(stats, "warnings")),
		json_integer_value(json_object_get(stats, "rows")));
}

void report_lines(FILE *file, const json_t *report)
{
	const json_t *tasks = json_object_get(report, "tasks");

	for (size_t i = 0; i < json_array_size(tasks); i++)
		print_task(file, json_array_get(tasks, i));
}

int report_page(FILE *file, const json_t *report, const char *title, int64_t when)
{
	int error;

	report_html(file, report, title, when);
	error = ferror(file) != 0 ? EIO : 0;
	if (fclose(file) != 0)
		error = errno;
	return error;
}

/* What is opened before the sandbox. */
struct input {
	uint8_t *data;
	size_t size;
	int64_t when;
	FILE *page; /* NULL: none is wanted */
};

static enum fault open_report(const struct config *config, const char *dataset, struct input *input,
			      struct refusal *why)
{
	_cleanup_close_ int folder_fd = open(config->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[NOTATION_NAME_SIZE + sizeof("/report.json")];
	struct stat st;
	int r;

	if (folder_fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", config->state, strerror(errno));
	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: is no dataset's name", dataset);
	snprintf(path, sizeof(path), "%s/report.json", dataset);
	r = fd_load_file(folder_fd, path, LIMIT_JSON_SIZE, &input->data, &input->size);
	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "%s: no check left a report (%s/%s)", dataset, config->state, path);
	if (r < 0 || fstatat(folder_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(why, FAULT_FILE, "%s/%s: %s", config->state, path, strerror(r < 0 ? -r : errno));
	input->when = st.st_mtime;
	return FAULT_NONE;
}

static enum fault open_page(const char *html, struct input *input, struct refusal *why)
{
	if (html == NULL)
		return FAULT_NONE;
	input->page = strcmp(html, "-") == 0 ? stdout : fopen(html, "we");
	return input->page != NULL ? FAULT_NONE : refuse(why, FAULT_FILE, "%s: %s", html, strerror(errno));
}

static enum fault show(const char *dataset, bool json, const char *html, struct input *input, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *report = NULL;
	int error;

	if (json_parse(input->data, input->size, LIMIT_JSON_SIZE, &report, why) != FAULT_NONE)
		return refuse_within(why, "%s: report.json", dataset);
	if (html != NULL) {
		error = report_page(input->page, report, dataset, input->when);
		return error == 0 ? FAULT_NONE : refuse(why, FAULT_FILE, "%s: %s", html, strerror(error));
	}
	if (json) {
		json_dumpf(report, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		report_lines(stdout, report);
	}
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? FAULT_NONE
							  : refuse(why, FAULT_FILE, "stdout: %s", strerror(errno));
}

int report_run(const struct config *config, const char *dataset, bool json, const char *html)
{
	struct input input = {0};
	struct refusal why = {FAULT_NONE, ""};
	enum fault fault = open_report(config, dataset, &input, &why);

	if (fault == FAULT_NONE)
		fault = open_page(html, &input, &why);
	if (fault == FAULT_NONE) {
		sandbox_enter(SANDBOX_VALIDATE, NULL, 0);
		fault = show(dataset, json, html, &input, &why);
	}
	free(input.data);
	if (fault != FAULT_NONE)
		log_refusal(&why);
	return fault_exit(fault);
}
