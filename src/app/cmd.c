/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"

enum { CMD_ERRORS_MAX = 1 << 20 };

int cmd_no_arguments(const struct options *options, const char *name)
{
	if (!options->argc)
		return EX_OK;
	log_errorx("%s: takes no arguments, but there is \"%s\"; options stand "
		   "before the command",
		   name, options->argv[0]);
	return EX_USAGE;
}

int cmd_only_files(const struct options *options, const char *name)
{
	for (int i = 0; i < options->argc; i++) {
		const char *file = options->argv[i];

		if (file[0] != '-' || !file[1])
			continue;
		log_errorx("%s: there is no option \"%s\" here; options stand "
			   "before the command, and a file of that name is "
			   "\"./%s\"",
			   name, file, file);
		return EX_USAGE;
	}
	return EX_OK;
}

struct config *cmd_config(const struct options *options, enum config_need need)
{
	struct config *config;
	struct buf errors;

	/* What only looks can do without a file, unless one was named. */
	if (need == CONFIG_FOR_READING && !options->config_given &&
	    access(options->config_path, F_OK) < 0 && errno == ENOENT)
		return config_default();
	buf_init(&errors, CMD_ERRORS_MAX);
	config = config_load(options->config_path, need, &errors);
	if (!config)
		fputs(buf_str(&errors), stderr);
	buf_release(&errors);
	return config;
}

int cmd_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	log_error("standard output");
	return EX_IOERR;
}
