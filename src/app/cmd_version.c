/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <sysexits.h>

#include "app/cmd.h"

#ifdef HAVE_ISAL
#define VERSION_DEFLATE "igzip+zlib"
#else
#define VERSION_DEFLATE "zlib"
#endif

int cmd_version(const struct options *options)
{
	int status = cmd_no_arguments(options, "version");

	if (status != EX_OK)
		return status;
	printf("sparktail %s\ndeflate: %s\n", VERSION, VERSION_DEFLATE);
	return cmd_flush();
}
