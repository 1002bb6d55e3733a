/* SPDX-License-Identifier: ISC
 *
 * check_run: the conversation of inside-check with its supervisor.
 */
#include <string.h>

#include "base/log.h"
#include "inside/check.h"

void check_run(int sock)
{
	struct check_answer answer = {sock, json_array(), 0};
	struct refusal why = {FAULT_NONE, ""};
	struct check_request request;
	struct record end;

	check_request_receive(sock, &request);
	if (request.is_rebuild)
		check_rebuild(&request, &answer, &why);
	else if (request.is_resolve)
		check_resolve(&request, &answer, &why);
	else if (strcmp(request.version.dataset, "status") == 0)
		check_status(&request, &answer, &why);
	else if (check_request_file(&request, "withdrawn.json") != NULL)
		check_withdrawal(&request, &answer, &why);
	else
		check_version(&request, &answer, &why);
	end = record_end(&why);
	record_send(sock, &end, -1);
	check_request_clear(&request);
	json_decref(answer.breaks);
}
