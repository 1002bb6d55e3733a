/* SPDX-License-Identifier: ISC
 *
 * serve_dcat: see serve_dcat.h. What a version does not say is left out rather than made up.
 */
#include "inside/serve_dcat.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"

#define MEDIA_TYPES "https://www.iana.org/assignments/media-types/"
#define FILE_TYPES "http://publications.europa.eu/resource/authority/file-type/"
#define ACCESS_RIGHTS "http://publications.europa.eu/resource/authority/access-right/"
#define SHA256_NAME "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"

static json_t *node(const char *id)
{
	return json_or_die(json_pack("{ss}", "@id", id));
}

static json_t *typed(const char *type, const char *value)
{
	return json_or_die(json_pack("{ss ss}", "@type", type, "@value", value));
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(object, key, json_or_die(json_string(text)));
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_web(const char *text)
{
	return text != NULL && (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0);
}

/* The address before our paths: what the configuration says, or what the reader called us. */
static char *base_of(const struct serve *serve, const struct serve_request *request)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
	const char *host = request->host;

	if (serve->config->serve.public_url != NULL)
		return xasprintf("%s%s", serve->config->serve.public_url, request->base);
	if (host[0] == '\0' || strlen(host) > 255 || strspn(host, allowed) != strlen(host))
		host = "localhost";
	return xasprintf("http://%s%s", host, request->base);
}

/* Dates with their day alone are xsd:date. */
static void set_date(json_t *object, const char *key, const char *text)
{
	int64_t moment;

	if (text == NULL || text[0] == '\0')
		return;
	if (notation_parse_time(text, &moment))
		json_object_set_new(object, key, typed("xsd:dateTime", text));
	else if (strlen(text) == 10)
		json_object_set_new(object, key, typed("xsd:date", text));
}

/* --- licences ---------------------------------------------------------------------------------------------------------- */

/* By the names that French administrations use; others are told by name. */
static const char *licence_address(const char *name)
{
	static const struct {
		const char *name, *address;
	} known[] = {
		{"etalab-2.0", "https://spdx.org/licenses/etalab-2.0"},
		{"LOV2", "https://spdx.org/licenses/etalab-2.0"},
		{"lov2", "https://spdx.org/licenses/etalab-2.0"},
		{"fr-lo", "https://spdx.org/licenses/etalab-2.0"},
		{"ODbL-1.0", "https://spdx.org/licenses/ODbL-1.0"},
		{"odc-odbl", "https://spdx.org/licenses/ODbL-1.0"},
		{"CC0-1.0", "http://publications.europa.eu/resource/authority/licence/CC0"},
		{"CC-BY-4.0", "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0"},
		{"PDDL-1.0", "https://spdx.org/licenses/PDDL-1.0"},
	};

	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].address;
	return NULL;
}

static json_t *licence_of(const json_t *package)
{
	const json_t *licence = json_array_get(json_object_get(package, "licenses"), 0);
	const char *name = text_of(licence, "name"), *path = text_of(licence, "path"),
		   *title = text_of(licence, "title");
	json_t *object;

	if (licence == NULL)
		return NULL;
	if (is_web(path) || licence_address(name) != NULL)
		return node(is_web(path) ? path : licence_address(name));
	object = json_or_die(json_pack("{ss}", "@type", "dct:LicenseDocument"));
	set_text(object, "rdfs:label", title != NULL ? title : name);
	return object;
}

/* --- distributions ----------------------------------------------------------------------------------------------------- */

static void set_types(json_t *object, const struct serve_file *file)
{
	static const char *const formats[][2] = {{".csv", "CSV"}, {".json", "JSON"}, {".geojson", "GEOJSON"},
						 {".zip", "ZIP"}, {".xml", "XML"},   {".pdf", "PDF"},
						 {".txt", "TXT"}, {".gz", "GZIP"}};
	const char *ending = strrchr(file->name, '.');
	_cleanup_free_ char *media = xasprintf(MEDIA_TYPES "%.*s", (int)strcspn(file->type, ";"), file->type);

	json_object_set_new(object, "dcat:mediaType", node(media));
	for (size_t i = 0; ending != NULL && i < ARRAY_SIZE(formats); i++) {
		if (strcmp(formats[i][0], ending) == 0) {
			_cleanup_free_ char *format = xasprintf(FILE_TYPES "%s", formats[i][1]);

			json_object_set_new(object, "dct:format", node(format));
		}
	}
}

/* The file of a resource; where a view gives some rows alone, the rows. */
static json_t *distribution(const struct serve_dataset *dataset, const struct serve_file *file, const char *base,
			    bool is_filtered, json_t *licence)
{
	const char *resource = text_of(file->resource, "name"), *title = text_of(file->resource, "title");
	_cleanup_free_ char *url = xasprintf("%s/datasets/%s/%s", base, dataset->name,
					     is_filtered ? resource : file->name);
	char modified[NOTATION_TIME_SIZE], hex[SHA256_HEX_SIZE], size[32];
	json_t *object = json_or_die(
		json_pack("{ss ss so}", "@id", url, "@type", "dcat:Distribution", "dcat:accessURL", node(url)));

	set_text(object, "dct:title", title != NULL ? title : resource);
	set_types(object, file);
	if (licence != NULL)
		json_object_set(object, "dct:license", licence);
	notation_format_time(file->modified, modified);
	json_object_set_new(object, "dct:modified", typed("xsd:dateTime", modified));
	if (is_filtered)
		return object;
	json_object_set_new(object, "dcat:downloadURL", node(url));
	snprintf(size, sizeof(size), "%llu", (unsigned long long)file->size);
	json_object_set_new(object, "dcat:byteSize", typed("xsd:nonNegativeInteger", size));
	if (serve_file_hash(dataset, file, hex))
		json_object_set_new(
			object, "spdx:checksum",
			json_or_die(json_pack("{ss so so}", "@type", "spdx:Checksum", "spdx:algorithm",
					      node(SHA256_NAME), "spdx:checksumValue", typed("xsd:hexBinary", hex))));
	return object;
}

static json_t *distributions(const struct serve_reader *reader, const struct serve_dataset *dataset, const char *base)
{
	json_t *array = json_array(), *licence = licence_of(serve_dataset_package(dataset));
	size_t n;
	const struct serve_file *files = serve_dataset_files(dataset, &n);

	for (size_t i = 0; i < n; i++) {
		const char *resource = text_of(files[i].resource, "name"), *value;

		if (resource != NULL)
			json_array_append_new(array, distribution(dataset, &files[i], base,
								  serve_access_row_filter(reader, dataset->name,
											  resource, &value) != NULL,
								  licence));
	}
	json_decref(licence);
	return array;
}

/* --- datasets ---------------------------------------------------------------------------------------------------------- */

/* Who published it, by the package's contributors; a person's address is not repeated. */
static json_t *publisher_of(const json_t *package)
{
	const json_t *contributors = json_object_get(package, "contributors");

	for (size_t i = 0; i < json_array_size(contributors); i++) {
		const json_t *contributor = json_array_get(contributors, i);
		const char *role = text_of(contributor, "role"), *title = text_of(contributor, "title");
		const char *roles = json_string_value(json_array_get(json_object_get(contributor, "roles"), 0));

		if (title != NULL && ((role != NULL && strcmp(role, "publisher") == 0) ||
				      (roles != NULL && strcmp(roles, "publisher") == 0)))
			return json_or_die(json_pack("{ss ss}", "@type", "foaf:Agent", "foaf:name", title));
	}
	return NULL;
}

/* Where its resources came from. */
static json_t *sources_of(const json_t *package)
{
	const json_t *resources = json_object_get(package, "resources");
	json_t *array = json_array();

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *source = json_array_get(json_object_get(json_array_get(resources, i), "sources"), 0);

		if (is_web(text_of(source, "path")))
			json_array_append_new(array, node(text_of(source, "path")));
	}
	return array;
}

static json_t *dataset_node(const struct serve *serve, const struct serve_reader *reader,
			    const struct serve_dataset *dataset, const char *base)
{
	const json_t *package = serve_dataset_package(dataset);
	_cleanup_free_ char *id = xasprintf("%s/datasets/%s", base, dataset->name);
	json_t *object = json_or_die(json_pack("{ss ss ss ss}", "@id", id, "@type", "dcat:Dataset", "dct:identifier",
					       dataset->name, "dcat:version", dataset->version));
	json_t *publisher = publisher_of(package), *sources = sources_of(package);
	const char *description = text_of(package, "description");

	set_text(object, "dct:title", dataset->title[0] != '\0' ? dataset->title : dataset->name);
	/* DCAT-AP wants one of each dataset. */
	set_text(object, "dct:description", description != NULL ? description : dataset->title);
	set_date(object, "dct:modified", dataset->date);
	if (json_is_array(json_object_get(package, "keywords")))
		json_object_set(object, "dcat:keyword", json_object_get(package, "keywords"));
	if (is_web(text_of(package, "homepage")))
		json_object_set_new(object, "foaf:page", node(text_of(package, "homepage")));
	if (publisher != NULL)
		json_object_set_new(object, "dct:publisher", publisher);
	if (json_array_size(sources) > 0)
		json_object_set(object, "dct:source", sources);
	json_decref(sources);
	json_object_set_new(
		object, "dct:accessRights",
		node(serve_access_is_open(serve, dataset->name) ? ACCESS_RIGHTS "PUBLIC" : ACCESS_RIGHTS "RESTRICTED"));
	json_object_set_new(object, "dcat:distribution", distributions(reader, dataset, base));
	return object;
}

static json_t *context(void)
{
	return json_or_die(json_pack("{ss ss ss ss ss ss}", "dcat", "http://www.w3.org/ns/dcat#", "dct",
				     "http://purl.org/dc/terms/", "foaf", "http://xmlns.com/foaf/0.1/", "rdfs",
				     "http://www.w3.org/2000/01/rdf-schema#", "spdx", "http://spdx.org/rdf/terms#",
				     "xsd", "http://www.w3.org/2001/XMLSchema#"));
}

json_t *serve_dcat(const struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		   const struct serve_reader *reader)
{
	const struct serve_config *config = &serve->config->serve;
	_cleanup_free_ char *base = base_of(serve, request), *id = xasprintf("%s/catalog", base);
	const char *title = config->title != NULL ? config->title : "Clapet";
	json_t *datasets = json_array();
	json_t *root = json_or_die(json_pack("{so ss ss ss ss}", "@context", context(), "@id", id, "@type",
					     "dcat:Catalog", "dct:title", title, "dct:description", title));
	char created[NOTATION_TIME_SIZE];

	if (config->publisher != NULL)
		json_object_set_new(
			root, "dct:publisher",
			json_or_die(json_pack("{ss ss}", "@type", "foaf:Agent", "foaf:name", config->publisher)));
	if (set->created != 0) {
		notation_format_time(set->created, created);
		json_object_set_new(root, "dct:modified", typed("xsd:dateTime", created));
	}
	for (size_t i = 0; i < set->n_datasets; i++)
		if (serve_access_may_see(reader, set->datasets[i]->name))
			json_array_append_new(datasets, dataset_node(serve, reader, set->datasets[i], base));
	json_object_set_new(root, "dcat:dataset", datasets);
	return root;
}
