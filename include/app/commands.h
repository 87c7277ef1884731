/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

/*
 * commands - the table of commands: name, arguments, one line of help
 */

#include <stddef.h>

#include "app/cmd.h"

struct command {
	const char *name;
	const char *arguments; /* for people: "[FILE ...]" */
	const char *help;
	int (*run)(const struct options *options); /* NULL: not yet */
};

/* The i-th, NULL after the last. */
const struct command *commands_get(size_t i);

/* By its exact name, or NULL. */
const struct command *commands_find(const char *name);

/* The name that was probably meant, or NULL. */
const char *commands_nearest(const char *name);

#endif /* APP_COMMANDS_H */
