/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: what a request says of itself: its key, and the columns that it asks for, as the access log names them.
 */
#include "inside/serve_access_private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "inside/serve_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *key = NULL, room[LIMIT_SERVE_TARGET_SIZE];
	struct serve_request *request = xcalloc(1, sizeof(*request));
	const char *columns[LIMIT_ACCESSLOG_COLUMNS];
	size_t n;

	if (text == NULL)
		abort();
	if ((serve_access_key_sent(text, &key, NULL) == FAULT_NONE) != (key != NULL || text[0] == '\0'))
		abort();
	free(key);
	if (serve_request_parse(text, request, NULL) == FAULT_NONE) {
		n = serve_access_columns(request, room, columns, LIMIT_ACCESSLOG_COLUMNS);
		if (n > LIMIT_ACCESSLOG_COLUMNS)
			abort();
		for (size_t i = 0; i < n; i++)
			if (columns[i] < room || columns[i] + strlen(columns[i]) >= room + sizeof(room))
				abort();
	}
	free(request);
	free(text);
	return 0;
}
