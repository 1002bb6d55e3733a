/* SPDX-License-Identifier: ISC
 *
 * config_serve: see config_serve.h.
 */
#include "inside/config_serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/address.h"

#define MONTHS_MAX 1200

void config_serve_default(struct serve_config *config)
{
	*config = (struct serve_config){.keep_access_log = 12, .threads = 2, .connections = 1024, .per_address = 256};
}

void config_serve_clear(struct serve_config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		free(config->listen[i]);
	free(config->listen);
	free(config->access_log);
	free(config->title);
	free(config->public_url);
	free(config->publisher);
	free(config->operators);
	config_serve_default(config);
}

/* A relative path is relative to the configuration's folder, also one behind "unix:". */
static char *resolve(const char *where, const char *text)
{
	const char *slash = strrchr(where, '/'), *prefix = "";

	if (strncmp(text, "unix:", 5) == 0) {
		prefix = "unix:";
		text += 5;
	}
	if (text[0] == '/' || slash == NULL)
		return xasprintf("%s%s", prefix, text);
	return xasprintf("%s%.*s/%s", prefix, (int)(slash - where), where, text);
}

/* The port is not checked to be free, nor the address to be of this machine: that is seen when it is opened. All addresses are named as such. */
static bool is_listen(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] != '\0' && strlen(text) < 100;
	return text[0] != ':' && address_parse(text, &address, &size);
}

static enum fault get_listen(const json_t *section, const char *where, struct serve_config *config, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = json_get_array(section, where, "listen", true, &array, why);

	if (fault != FAULT_NONE)
		return fault;
	if (json_array_size(array) == 0 || json_array_size(array) > LIMIT_SERVE_LISTEN)
		return refuse(why, FAULT_CONFIGURATION, "%s: \"serve\": \"listen\" names 1 to %d addresses", where,
			      LIMIT_SERVE_LISTEN);
	config->listen = xcalloc(json_array_size(array), sizeof(*config->listen));
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (text == NULL || !is_listen(text))
			return refuse(
				why, FAULT_CONFIGURATION,
				"%s: \"serve\": \"listen\": \"%s\" is not \"ADDRESS:PORT\" in numbers or \"unix:PATH\"",
				where, text == NULL ? "" : text);
		config->listen[config->n_listen++] = strncmp(text, "unix:", 5) == 0 ? resolve(where, text)
										    : xstrdup(text);
	}
	return FAULT_NONE;
}

static enum fault get_copy(const json_t *section, const char *where, const char *key, bool is_path, char **ret,
			   struct refusal *why)
{
	const char *text = NULL;
	enum fault fault = json_get_text(section, where, key, false, &text, why);

	if (fault != FAULT_NONE || text == NULL)
		return fault;
	if (text[0] == '\0')
		return refuse(why, FAULT_CONFIGURATION, "%s: \"serve\": \"%s\" is empty", where, key);
	*ret = is_path ? resolve(where, text) : xstrdup(text);
	return FAULT_NONE;
}

static enum fault get_texts(const json_t *section, const char *where, struct serve_config *config, struct refusal *why)
{
	enum fault fault;
	size_t length;

	if ((fault = get_copy(section, where, "accessLog", true, &config->access_log, why)) != FAULT_NONE ||
	    (fault = get_copy(section, where, "title", false, &config->title, why)) != FAULT_NONE ||
	    (fault = get_copy(section, where, "publisher", false, &config->publisher, why)) != FAULT_NONE ||
	    (fault = get_copy(section, where, "publicUrl", false, &config->public_url, why)) != FAULT_NONE)
		return fault;
	if (!json_is_null(json_object_get(section, "operators")) &&
	    (fault = get_copy(section, where, "operators", true, &config->operators, why)) != FAULT_NONE)
		return fault;
	if (config->operators != NULL && strncmp(config->operators, "unix:", 5) != 0)
		return refuse(why, FAULT_CONFIGURATION, "%s: \"serve\": \"operators\" is null or \"unix:PATH\"", where);
	if (config->public_url == NULL)
		return FAULT_NONE;
	if (strncmp(config->public_url, "https://", 8) != 0 && strncmp(config->public_url, "http://", 7) != 0)
		return refuse(why, FAULT_CONFIGURATION, "%s: \"serve\": \"publicUrl\" begins with https:// or http://",
			      where);
	length = strlen(config->public_url);
	while (length > 0 && config->public_url[length - 1] == '/')
		config->public_url[--length] = '\0';
	return FAULT_NONE;
}

enum fault config_serve_parse(const json_t *root, const char *where, struct serve_config *config, struct refusal *why)
{
	static const char *const allowed[] = {"listen",     "accessLog", "keepAccessLog", "threads",   "connections",
					      "perAddress", "title",     "publicUrl",     "publisher", "operators",
					      NULL};
	json_t *section = NULL;
	enum fault fault = json_get_object(root, where, "serve", false, &section, why);

	if (fault != FAULT_NONE || section == NULL)
		return fault;
	if ((fault = json_only(section, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_listen(section, where, config, why)) != FAULT_NONE ||
	    (fault = get_texts(section, where, config, why)) != FAULT_NONE ||
	    (fault = json_get_integer(section, where, "keepAccessLog", false, 1, MONTHS_MAX, &config->keep_access_log,
				      why)) != FAULT_NONE ||
	    (fault = json_get_integer(section, where, "threads", false, 1, LIMIT_SERVE_THREADS, &config->threads,
				      why)) != FAULT_NONE ||
	    (fault = json_get_integer(section, where, "connections", false, 1, LIMIT_SERVE_CONNECTIONS,
				      &config->connections, why)) != FAULT_NONE)
		return fault;
	fault = json_get_integer(section, where, "perAddress", false, 1, LIMIT_SERVE_CONNECTIONS, &config->per_address,
				 why);
	config->is_on = fault == FAULT_NONE;
	return fault;
}
