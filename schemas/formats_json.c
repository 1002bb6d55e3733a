/* SPDX-License-Identifier: ISC
 *
 * formats: cells that hold JSON: objects, arrays, points, GeoJSON, TopoJSON. Through jansson, whose parser bounds the
 * depth.
 */
#include "schemas/formats.h"

#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "schemas/value.h"

static void json_release(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_release)

/* An object or an array; NULL for anything else. */
static json_t *load(const char *text, size_t size)
{
	return json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

bool format_is_object(const char *text, size_t size, size_t *ret_n_items)
{
	_cleanup_json_ json_t *json = load(text, size);

	if (!json_is_object(json))
		return false;
	if (ret_n_items != NULL)
		*ret_n_items = json_object_size(json);
	return true;
}

bool format_is_array(const char *text, size_t size, size_t *ret_n_items)
{
	_cleanup_json_ json_t *json = load(text, size);

	if (!json_is_array(json))
		return false;
	if (ret_n_items != NULL)
		*ret_n_items = json_array_size(json);
	return true;
}

static bool is_degrees(const char *text, size_t size, const char *maximum)
{
	struct value_scratch scratch;
	struct value value, bound;

	if (!number_parse(&number_form_plain, text, size, &scratch, &value) || value.kind != VALUE_DECIMAL)
		return false;
	number_parse(&number_form_plain, maximum, strlen(maximum), NULL, &bound);
	value.negative = false;
	return value_compare(&value, &bound) <= 0;
}

bool format_is_geopoint(const char *text, size_t size)
{
	const char *comma = memchr(text, ',', size);

	return comma != NULL && is_degrees(text, (size_t)(comma - text), "180") &&
	       is_degrees(comma + 1, size - (size_t)(comma - text) - 1, "90");
}

static bool is_json_degrees(const json_t *json, double maximum)
{
	return json_is_number(json) && json_number_value(json) >= -maximum && json_number_value(json) <= maximum;
}

bool format_is_geopoint_array(const char *text, size_t size)
{
	_cleanup_json_ json_t *json = load(text, size);

	return json_array_size(json) == 2 && is_json_degrees(json_array_get(json, 0), 180) &&
	       is_json_degrees(json_array_get(json, 1), 90);
}

bool format_is_geopoint_object(const char *text, size_t size)
{
	_cleanup_json_ json_t *json = load(text, size);

	return json_object_size(json) == 2 && is_json_degrees(json_object_get(json, "lon"), 180) &&
	       is_json_degrees(json_object_get(json, "lat"), 90);
}

/* DEPTH arrays around positions of two or more numbers (RFC 7946, 3.1). */
static bool is_coordinates(const json_t *json, int depth)
{
	size_t i;
	json_t *item;

	if (!json_is_array(json))
		return false;
	if (depth == 0 && json_array_size(json) < 2)
		return false;
	json_array_foreach(json, i, item)
	{
		if (depth == 0 ? !json_is_number(item) : !is_coordinates(item, depth - 1))
			return false;
	}
	return true;
}

static int geometry_depth(const char *type)
{
	static const struct {
		const char *name;
		int depth;
	} TYPES[] = {{"Point", 0},           {"MultiPoint", 1}, {"LineString", 1},
		     {"MultiLineString", 2}, {"Polygon", 2},    {"MultiPolygon", 3}};

	for (size_t i = 0; type != NULL && i < ARRAY_SIZE(TYPES); i++) {
		if (strcmp(type, TYPES[i].name) == 0)
			return TYPES[i].depth;
	}
	return -1;
}

static bool is_geometry(const json_t *json)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *geometries = json_object_get(json, "geometries");
	size_t i;
	json_t *item;

	if (geometry_depth(type) >= 0)
		return is_coordinates(json_object_get(json, "coordinates"), geometry_depth(type));
	if (type == NULL || strcmp(type, "GeometryCollection") != 0 || !json_is_array(geometries))
		return false;
	json_array_foreach(geometries, i, item)
	{
		if (!is_geometry(item))
			return false;
	}
	return true;
}

static bool is_feature(const json_t *json)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *geometry = json_object_get(json, "geometry");
	const json_t *properties = json_object_get(json, "properties");

	return type != NULL && strcmp(type, "Feature") == 0 && (json_is_null(geometry) || is_geometry(geometry)) &&
	       (json_is_null(properties) || json_is_object(properties));
}

bool format_is_geojson(const char *text, size_t size)
{
	_cleanup_json_ json_t *json = load(text, size);
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *features = json_object_get(json, "features");
	size_t i;
	json_t *item;

	if (type == NULL || strcmp(type, "FeatureCollection") != 0)
		return is_feature(json) || is_geometry(json);
	if (!json_is_array(features))
		return false;
	json_array_foreach(features, i, item)
	{
		if (!is_feature(item))
			return false;
	}
	return true;
}

bool format_is_topojson(const char *text, size_t size)
{
	_cleanup_json_ json_t *json = load(text, size);
	const char *type = json_string_value(json_object_get(json, "type"));

	if (type == NULL)
		return false;
	if (strcmp(type, "Topology") == 0)
		return json_is_object(json_object_get(json, "objects")) && json_is_array(json_object_get(json, "arcs"));
	if (strcmp(type, "GeometryCollection") == 0)
		return json_is_array(json_object_get(json, "geometries"));
	return geometry_depth(type) >= 0 &&
	       (json_is_array(json_object_get(json, "arcs")) || json_is_array(json_object_get(json, "coordinates")));
}
