/* SPDX-License-Identifier: ISC
 *
 * cmd_serve: becomes inside-serve, the program that answers readers: this one links nothing that listens.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/cmd.h"

int cmd_serve(int argc, char **argv)
{
	/* Installed and built; beside us. */
	static const char *const places[] = {"../libexec/clapet/inside-serve", "inside-serve"};
	char self[PATH_MAX], path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)argv;
	if (argc > 0)
		die_usage("serve takes no argument: the configuration says where to listen");
	if (n < 0)
		die_errno("/proc/self/exe");
	self[n] = '\0';
	*(strrchr(self, '/') + 1) = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s%s", self, places[i]);
		execl(path, "inside-serve", "--config", cmd_config_path(), (char *)NULL);
		if (errno != ENOENT)
			die_errno("%s", path);
	}
	die("inside-serve is not installed beside clapet-inside");
}
