/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a request to a sender, as what is asked for in its spool, and as a status that is shown.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/json.h"
#include "bundle/link_message.h"
#include "outside/sendrequest.h"
#include "outside/sendspool.h"
#include "outside/sendstatus.h"

#define DIGEST "4aaacc36754674fc2525d50709cbc863d35bc5e46802d5b122a223b09004e618"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_status(const uint8_t *data, size_t size, bool prometheus)
{
	const struct send_arguments arguments = {.prometheus = prometheus};
	FILE *out = fopen("/dev/null", "w");
	struct refusal why;
	int status;

	if (out == NULL)
		return;
	sendstatus_show(data, size, &arguments, 1795608000, out, &status, &why);
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sendrequest request;
	struct send_only only;
	struct refusal why;

	if (sendrequest_parse(data, size, &request, &why) == FAULT_NONE) {
		if (request.kind == SENDREQUEST_TEST && !link_test_is_text(request.text, strlen(request.text)))
			abort();
		if (request.kind == SENDREQUEST_ONLY && sendranges_parse(request.only, &only, &why) != FAULT_NONE)
			abort();
	}
	if (sendspool_parse_ask(DIGEST, data, size, &only, &why) == FAULT_NONE && only.ranges.n_items == 0)
		abort();
	as_status(data, size, false);
	as_status(data, size, true);
	return 0;
}
