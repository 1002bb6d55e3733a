/* SPDX-License-Identifier: ISC
 *
 * sandbox, limits: a file of its own, for programs that hold keys and have no sandbox link no libseccomp.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sandbox.h"

bool sandbox_limit(int resource, uint64_t value)
{
	struct rlimit old, new = {value, value};

	/* A unit that set a limit as strict as ours has taken setrlimit and prlimit64 away: ask with the old call. */
	return (syscall(SYS_getrlimit, resource, &old) == 0 && old.rlim_max <= value) || setrlimit(resource, &new) == 0;
}
