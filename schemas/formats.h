/* SPDX-License-Identifier: ISC
 *
 * formats: yes or no for cells that are texts of a form of their own: addresses, identifiers, JSON, geography.
 */
#ifndef SCHEMAS_FORMATS_H
#define SCHEMAS_FORMATS_H

#include <stdbool.h>
#include <stddef.h>

/* Table Schema v2, string formats. An e-mail address has a dotted domain; a URI (RFC 3986, non-ASCII letters let pass
 * as in an IRI) has a scheme and no blanks; binary is base64 with its padding (RFC 4648). */
bool format_is_email(const char *text, size_t size);
bool format_is_uri(const char *text, size_t size);
bool format_is_uuid(const char *text, size_t size);
bool format_is_binary(const char *text, size_t size);
/* Well-known text (OGC 06-103r4), which Frictionless knows as a string format: balanced, known geometries, numbers. */
bool format_is_wkt(const char *text, size_t size);

/* A JSON object; an array. RET_N_ITEMS (may be NULL) gets the number of members or items. */
bool format_is_object(const char *text, size_t size, size_t *ret_n_items);
bool format_is_array(const char *text, size_t size, size_t *ret_n_items);

/* Table Schema v2, geopoint: "lon, lat"; [lon, lat]; {"lon": …, "lat": …}. Degrees within their ranges. */
bool format_is_geopoint(const char *text, size_t size);
bool format_is_geopoint_array(const char *text, size_t size);
bool format_is_geopoint_object(const char *text, size_t size);

/* GeoJSON (RFC 7946): any of its objects with its members; TopoJSON: an object of one of its types with arcs or
 * coordinates. */
bool format_is_geojson(const char *text, size_t size);
bool format_is_topojson(const char *text, size_t size);

#endif
