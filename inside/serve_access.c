/* SPDX-License-Identifier: ISC
 *
 * serve_access: where no access.json is, all is open to everybody, and nothing is logged.
 */
#include "inside/serve_access.h"

#include "inside/serve_reply.h"
#include "inside/serve_request.h"

enum fault serve_access_open(struct serve *serve, struct refusal *why)
{
	(void)serve, (void)why;
	return FAULT_NONE;
}

void serve_access_close(struct serve *serve)
{
	(void)serve;
}

size_t serve_access_folders(const struct serve *serve, struct sandbox_folder *folders, size_t room)
{
	(void)serve, (void)folders, (void)room;
	return 0;
}

void serve_access_tick(struct serve *serve)
{
	(void)serve;
}

enum serve_verdict serve_access_admit(struct serve *serve, const struct serve_request *request,
				      struct serve_reader *ret_reader, struct serve_reply *reply)
{
	(void)serve;
	*ret_reader = (struct serve_reader){.key_id = "", .owner = ""};
	if (request->view == NULL)
		return SERVE_ADMITTED;
	serve_reply_problem(reply, 404, FAULT_SERVE_PATH, "there is no view of this name");
	return SERVE_TURNED_AWAY;
}

void serve_access_release(struct serve *serve, struct serve_reader *reader)
{
	(void)serve, (void)reader;
}

bool serve_access_may_see(const struct serve_reader *reader, const char *dataset)
{
	(void)reader, (void)dataset;
	return true;
}

void serve_access_refuse(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
			 const char *dataset, struct serve_reply *reply)
{
	(void)serve, (void)request, (void)reader;
	serve_reply_problem(reply, 404, FAULT_SERVE_NO_DATASET, "there is no dataset %s here for this reader", dataset);
}

bool serve_access_is_open(const struct serve *serve, const char *dataset)
{
	(void)serve, (void)dataset;
	return true;
}

const char *serve_access_row_filter(const struct serve_reader *reader, const char *dataset, const char *resource,
				    const char **ret_value)
{
	(void)reader, (void)dataset, (void)resource, (void)ret_value;
	return NULL;
}

void serve_access_log(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
		      const struct serve_outcome *outcome)
{
	(void)serve, (void)request, (void)reader, (void)outcome;
}
