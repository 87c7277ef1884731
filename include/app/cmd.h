/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_CMD_H
#define APP_CMD_H

/*
 * cmd - the commands: each takes the options and returns a status of sysexits
 *
 * main.c has read what stands before the command's name; argv[0..argc) are the
 * command's own arguments, without its name, and argv[argc] is NULL.  A command
 * that takes none calls cmd_no_arguments() first.
 */

#include <stdbool.h>

#include "app/config.h"

struct options {
	const char *config_path; /* -c, or the default */
	bool config_given;	 /* -c stood there */
	int verbosity;		 /* the number of -v less the number of -q */
	int argc;
	char **argv;
};

int cmd_run(const struct options *options);
int cmd_once(const struct options *options);
int cmd_check(const struct options *options);
int cmd_status(const struct options *options);
int cmd_convert(const struct options *options);
int cmd_explain(const struct options *options);
int cmd_safe_job_id(const struct options *options);
int cmd_help(const struct options *options);
int cmd_version(const struct options *options);

/* 0, or EX_USAGE after a message when there are arguments. */
int cmd_no_arguments(const struct options *options, const char *name);

/* For a command whose arguments are files: 0, or EX_USAGE after a message when
 * one looks like an option. */
int cmd_only_files(const struct options *options, const char *name);

/* The configuration; NULL when there are mistakes, which are on standard error
 * then, and the status is EX_CONFIG. */
struct config *cmd_config(const struct options *options, enum config_need need);

/* Flush standard output: EX_OK, or EX_IOERR after a message. */
int cmd_flush(void);

#endif /* APP_CMD_H */
