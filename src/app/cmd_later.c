/* SPDX-License-Identifier: GPL-2.0-only */
#include <sysexits.h>

#include "app/cmd.h"
#include "base/log.h"

/* Commands whose files are still to come. */

#define LATER(function, name)                                                  \
	int function(const struct options *options)                            \
	{                                                                      \
		(void)options;                                                 \
		log_errorx("%s: not yet in this version", name);               \
		return EX_USAGE;                                               \
	}

LATER(cmd_run, "run")
LATER(cmd_once, "once")
LATER(cmd_status, "status")
LATER(cmd_convert, "convert")
LATER(cmd_explain, "explain")
