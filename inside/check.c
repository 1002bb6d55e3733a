/* SPDX-License-Identifier: ISC
 *
 * inside-check: judges one version of one dataset. Reads and writes nothing but the descriptors that its supervisor sends, and what
 * it writes is read by nobody before it is dead.
 */
#include "inside/check.h"

#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/json.h"

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-check");

	hash_init();
	json_init();
	sandbox_enter(SANDBOX_INSIDE_CHECK, NULL, 0);
	check_run(sock);
	return 0;
}
