/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/commands.h"

#include "app/suggest.h"

static const struct command commands[] = {
	{"run", "", "ship until told to stop", cmd_run},
	{"once", "", "ship all there is and exit, for cron", cmd_once},
	{"check", "", "check the configuration", cmd_check},
	{"status", "[--json]", "lag, spool, losses, uploads", cmd_status},
	{"convert", "[FILE ...]", "rows to events on standard output",
	 cmd_convert},
	{"explain", "[FILE ...]", "rows to a table: which rule gave what",
	 cmd_explain},
	{"backfill", "FILE ...", "ship finished files once", NULL},
	{"pipe", "", "ship rows from standard input", NULL},
	{"batches", "[ID]", "what became of batches at the service", NULL},
	{"refused", "list|show|retry|drop", "batches that were turned down",
	 NULL},
	{"import-pmta", "FILE", "PowerMTA's configuration to ours", NULL},
	{"doctor", "[--pmta-config FILE] [--online]",
	 "look for what would spoil the data", NULL},
	{"safe-job-id", "[STRING ...]", "make names safe for X-Job headers",
	 cmd_safe_job_id},
	{"help", "[COMMAND]", "this text", cmd_help},
	{"version", "", "name, version and how it was built", cmd_version},
};

const struct command *commands_get(size_t i)
{
	return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

const struct command *commands_find(const char *name)
{
	const struct command *command;

	for (size_t i = 0; (command = commands_get(i)); i++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

const char *commands_nearest(const char *name)
{
	struct suggest near = suggest_for(slice_str(name));
	const struct command *command;

	for (size_t i = 0; (command = commands_get(i)); i++)
		suggest_try(&near, command->name);
	return near.best;
}
