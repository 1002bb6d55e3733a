/* SPDX-License-Identifier: ISC
 *
 * site: commands through their own options' tables, as a person gives them; status.json is read as any program may.
 */
#include "tests/simulate/site.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/cmd.h"
#include "inside/store.h"

static const char *config_path;

const char *cmd_config_path(void)
{
	return config_path;
}

bool cmd_wants_json(void)
{
	return false;
}

static void set_option(const struct option *options, const char *name, const char *value)
{
	for (; options->name != NULL; options++)
		if (strcmp(options->name, name) == 0) {
			*(const char **)options->target = value;
			return;
		}
	die("no option --%s", name);
}

static int command(struct site *site, int (*run)(int argc, char **argv), const char *argument)
{
	char *argv[] = {(char *)argument, NULL};

	config_path = site->config;
	return run(argument == NULL ? 0 : 1, argv);
}

/* --- birth ----------------------------------------------------------------------------------------------------------- */

static void put_file(const char *dir, const char *name, const void *data, size_t size)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(data, size, 1, file) != 1 || fclose(file) != 0)
		die_errno("%s", path);
}

static void put_text(const char *dir, const char *name, const char *text)
{
	put_file(dir, name, text, strlen(text));
}

void site_configure(struct site *site, unsigned keep, unsigned history)
{
	_cleanup_free_ char *kept = history == 0 ? xstrdup("")
						 : xasprintf("\"history\": {\"versions\": %u}, ", history);
	_cleanup_free_ char *text = xasprintf(
		"{\"format\": \"clapet inside configuration 1\", \"store\": \"store\", \"incoming\": \"incoming\","
		"\"spool\": \"spool\", \"contracts\": \"contracts\", \"policy\": \"policy.json\", \"reserve\": 0,"
		"%s\"keepGenerations\": %u, \"keepAtLeast\": \"1s\", \"testBench\": \"this machine is a test bench\"}",
		kept, keep);

	put_text(site->dir, "inside.json", text);
}

static void write_rules(const struct site *site)
{
	char text[1024];
	size_t n = (size_t)snprintf(
		text, sizeof(text),
		"{\"format\": \"clapet policy 1\", \"attestations\": \"optional\", \"datasets\": [");

	for (int i = 0; i < DATASETS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s{\"name\": \"%s\", \"threshold\": 1, \"opaque\": false}", i == 0 ? "" : ", ",
				      dataset_names[i]);
	snprintf(text + n, sizeof(text) - n, "]}");
	put_text(site->dir, "policy.json", text);
	for (int i = DATASETS_FREE; i < DATASETS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "contracts/paie-%s.json", dataset_names[i]);
		snprintf(text, sizeof(text),
			 "{\"format\": \"clapet contract 1\", \"application\": \"paie\", \"dataset\": \"%s\", "
			 "\"resources\": "
			 "[{\"name\": \"a\", \"fields\": [{\"name\": \"code\", \"type\": \"integer\"}], \"minRows\": "
			 "%d}]}",
			 dataset_names[i], PROMISED_ROWS);
		put_text(site->dir, name, text);
	}
}

void site_open(struct site *site, const char *name, const char *dir, const struct publisher *publisher,
	       unsigned history)
{
	static const char *const folders[] = {"", "/contracts"};
	const struct pub_metadata *root = &publisher->metadata[publisher->roots[0]];
	char path[300];

	memset(site, 0, sizeof(*site));
	site->name = name;
	site->publisher = publisher;
	site->newest = NOTHING;
	for (int i = 0; i < DATASETS; i++)
		site->in_force[i] = site->highest[i] = NOTHING;
	snprintf(site->dir, sizeof(site->dir), "%s", dir);
	snprintf(site->config, sizeof(site->config), "%.255s/inside.json", dir);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%.255s%s", dir, folders[i]);
		if (mkdir(path, 0750) < 0)
			die_errno("%s", path);
	}
	site_configure(site, history > 0 ? 1 : 3, history);
	write_rules(site);
	snprintf(path, sizeof(path), "%.255s/root.json", dir);
	put_file(dir, "root.json", root->data, root->size);
	set_option(cmd_init_options, "root", path);
	if (command(site, cmd_init, NULL) != 0)
		fail("%s: init failed", name);
}

void site_close(struct site *site)
{
	free(site->has_metadata);
	free(site->has_blob);
	free(site->has_bundle);
	free(site->missing);
}

/* --- bundles --------------------------------------------------------------------------------------------------------- */

void site_deliver(struct site *site, int index, size_t size)
{
	const struct pub_bundle *bundle = &site->publisher->bundles[index];
	char path[512], temporary[512];
	int fd;

	size = size > bundle->size ? bundle->size : size;
	site->n_delivered++;
	trace("%s <- bundle %d (%.10s: timestamp %ju, %zu metadata, %zu blobs)%s", site->name, index, bundle->name,
	      (uintmax_t)bundle->state.timestamp, bundle->n_metadata, bundle->n_blobs,
	      size < bundle->size ? ", truncated" : "");
	snprintf(path, sizeof(path), "%s/incoming/%s", site->dir, bundle->name);
	snprintf(temporary, sizeof(temporary), "%s/incoming/.new", site->dir);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, bundle->data, size) < 0 || close(fd) < 0 || rename(temporary, path) < 0)
		die_errno("%s", path);
	if (size == bundle->size || site->is_wrong)
		site_receive(site, index);
}

void site_import(struct site *site)
{
	int status = command(site, cmd_import, NULL);

	if (status == 1 || status == 2)
		fail("%s: import ended with %d", site->name, status);
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

static void demand(const struct site *site, int status, const char *what, int dataset)
{
	if (status != 0 && status != 3 && status != 4)
		fail("%s: %s %s ended with %d", site->name, what, dataset_names[dataset], status);
}

void site_pin(struct site *site, int dataset)
{
	trace("%s: pin %s", site->name, dataset_names[dataset]);
	set_option(cmd_pin_options, "reason", "pay is being closed");
	demand(site, command(site, cmd_pin, dataset_names[dataset]), "pin", dataset);
	site->pinned[dataset] = true;
}

void site_release(struct site *site, int dataset)
{
	trace("%s: release %s", site->name, dataset_names[dataset]);
	demand(site, command(site, cmd_release, dataset_names[dataset]), "release", dataset);
	site->pinned[dataset] = false;
}

void site_rollback(struct site *site, int dataset)
{
	char version[17];
	int status;

	set_option(cmd_rollback_options, "reason", "the new one is wrong");
	status = command(site, cmd_rollback, dataset_names[dataset]);
	trace("%s: rollback %s: %d", site->name, dataset_names[dataset], status);
	/* Nothing that is older is here any more. */
	if (status == 2)
		return;
	demand(site, status, "rollback", dataset);
	site->pinned[dataset] = true;
	site_read_in_force(site, dataset, version);
	if (site_find_release(site, dataset, version) >= site->in_force[dataset])
		fail("%s: %s was rolled back, and nothing older is in force", site->name, dataset_names[dataset]);
	site->in_force[dataset] = site->highest[dataset] = site_find_release(site, dataset, version);
}

void site_approve(struct site *site, int dataset)
{
	trace("%s: approve %s", site->name, dataset_names[dataset]);
	set_option(cmd_approve_options, "reason", "we know of it");
	demand(site, command(site, cmd_approve, dataset_names[dataset]), "approve", dataset);
	site->waived[dataset] = true;
	site->waiver[dataset] = ++site->n_waivers;
}

void site_withdraw_waiver(struct site *site, int dataset)
{
	char id[16];

	trace("%s: withdraw the waiver for %s", site->name, dataset_names[dataset]);
	snprintf(id, sizeof(id), "w%u", site->waiver[dataset]);
	demand(site, command(site, cmd_withdraw_waiver, id), "withdraw-waiver", dataset);
	site->waived[dataset] = false;
}
