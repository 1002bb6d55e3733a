/* SPDX-License-Identifier: ISC
 *
 * audit_attest: the attestations that one bundle brings, for clapet-audit.
 */
#ifndef INSIDE_AUDIT_ATTEST_H
#define INSIDE_AUDIT_ATTEST_H

#include "bundle/bundle.h"
#include "inside/trustset.h"

/* Reads the bundle a second time, for the blobs of the attestations that SET names; what does not hold goes to FINDINGS. MEMORY_FD is an
 * empty memory file from before the sandbox. The number that hold. */
size_t audit_attest(int bundle_fd, const struct ustar_bounds *bounds, const struct trustset *set, int memory_fd,
		    struct findings *findings);

#endif
