/* SPDX-License-Identifier: ISC
 *
 * storeverify_attest: the attestations that lie in the store, whichever version brought them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "inside/attestcheck.h"
#include "inside/storeverify_private.h"

void storeverify_attestations(struct storeverify *verify)
{
	const struct signed_file **files;
	size_t n = 0;

	if (verify->set == NULL)
		return;
	files = attestcheck_list(verify->set, &n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_close_ int fd = store_open_object(verify->store_fd, files[i]->dataset,
							   &files[i]->blob.plain_sha256);
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why;
		size_t size;
		int r;

		/* Not here any more, or not yet: judged with its version. */
		if (fd < 0)
			continue;
		r = fd_load(fd, LIMIT_ENVELOPE_SIZE, &data, &size);
		if (r < 0)
			findings_fault(&verify->findings, FAULT_STORE_DAMAGED, "%s/%s: %s", files[i]->dataset,
				       files[i]->file, strerror(-r));
		else if (attestcheck_envelope(verify->set, files[i], data, size, &why) != FAULT_NONE)
			findings_add(&verify->findings, &why);
		else
			verify->n_attestations++;
	}
	free(files);
}
