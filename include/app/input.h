/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_INPUT_H
#define APP_INPUT_H

/*
 * input - files named on the command line, shaped whole, for people to look at
 *
 * What convert and explain share: each file (or "-", standard input) is read to
 * its end with the configuration's mapping and no check of age, so that an old
 * file can be looked at too.  Nothing but standard output is written.
 */

#include "acct/shape.h"
#include "app/cmd.h"
#include "app/config.h"

struct input_hooks {
	/* Both may be NULL. */
	void (*row)(void *ctx, const struct shape_trace *trace);
	int (*json)(void *ctx, struct slice json); /* 0, or -1 to stop */
	void (*file)(void *ctx, const char *path); /* a file begins */
	void *ctx;
};

/* Shape all files of options->argv (none: standard input).  An exit status;
 * what went wrong was said.  "total" gets the account of all. */
int input_shape(const struct options *options, const struct config *config,
		const struct input_hooks *hooks, struct account *total);

#endif /* APP_INPUT_H */
