/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/status.h"
#include "base/fs.h"
#include "base/log.h"

enum { STATUS_DISAGREES = 1 };

/* What a spool that is not as usual means for the numbers. */
static int status_say(const struct spool_view *view,
		      const struct config *config)
{
	if (view->newer) {
		log_errorx("status: the checkpoint in %s was written by a "
			   "later version of sparktail; ask that one",
			   config->spool.directory);
		return EX_CONFIG;
	}
	if (view->damaged)
		log_warnx("status: the checkpoint in %s is damaged: what is "
			  "shown comes from the batches; the next start sets "
			  "it aside",
			  config->spool.directory);
	return EX_OK;
}

static int status_print(const struct spool_view *view,
			const struct config *config, bool json)
{
	struct buf out, why;
	int status = EX_OK;

	buf_init(&out, 512 << 20);
	buf_init(&why, 8192);
	if (json)
		status_json(view, config, clock_s(), &out);
	else
		status_text(view, config, clock_s(), &out);
	if (fs_write_all(STDOUT_FILENO, out.p, out.len) < 0) {
		log_error("status: cannot write");
		status = EX_IOERR;
	} else if (!status_agrees(view, &why)) {
		log_errorx("status: the ledger does not agree: %s",
			   buf_str(&why));
		status = STATUS_DISAGREES;
	}
	buf_release(&out);
	buf_release(&why);
	return status;
}

int cmd_status(const struct options *options)
{
	struct config *config;
	struct spool_view view = {0};
	struct buf why;
	bool json =
		options->argc == 1 && strcmp(options->argv[0], "--json") == 0;
	int status;

	if (options->argc > (json ? 1 : 0)) {
		log_errorx("usage: sparktail status [--json]");
		return EX_USAGE;
	}
	config = cmd_config(options, CONFIG_FOR_READING);
	if (!config)
		return EX_CONFIG;
	buf_init(&why, 4096);
	if (spool_view(config->spool.directory, &view, &why) < 0) {
		log_errorx("status: %s%s", buf_str(&why),
			   errno == ENOENT ? "; nothing has run on it yet"
					   : "");
		status = EX_IOERR;
	} else {
		status = status_say(&view, config);
		if (status == EX_OK)
			status = status_print(&view, config, json);
	}
	spool_view_release(&view);
	buf_release(&why);
	config_free(&config);
	return status;
}
