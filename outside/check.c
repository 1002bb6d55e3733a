/* SPDX-License-Identifier: ISC
 *
 * outside-check: brings what was fetched to the plain form and judges its rows. Reads and writes nothing but the descriptors that
 * its supervisor sends; holds no key and no network.
 */
#include "base/cleanup.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/check_run.h"

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "outside-check");
	_cleanup_(charsets_freep) struct charsets *charsets = NULL;

	hash_init();
	json_init();
	charsets = charsets_open();
	sandbox_enter(SANDBOX_OUTSIDE_CHECK, NULL, 0);
	check_run(sock, charsets);
	return 0;
}
