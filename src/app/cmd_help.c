/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <sysexits.h>

#include "app/commands.h"
#include "base/log.h"

static void help_all(void)
{
	const struct command *command;

	printf("usage: sparktail [-c FILE] [-v] [-q] COMMAND [ARG ...]\n\n"
	       "  -c FILE  the configuration, instead of %s\n"
	       "  -v       say more\n"
	       "  -q       say less\n\n",
	       SYSCONFDIR "/sparktail/sparktail.yaml");
	for (size_t i = 0; (command = commands_get(i)); i++)
		printf("  %-12s %s%s\n", command->name, command->help,
		       command->run ? "" : " (not yet in this version)");
	printf("\nManual pages: sparktail(8), sparktail.yaml(5), "
	       "sparktail-events(7)\n");
}

int cmd_help(const struct options *options)
{
	const struct command *command;

	if (!options->argc) {
		help_all();
		return cmd_flush();
	}
	command = commands_find(options->argv[0]);
	if (!command) {
		log_errorx("help: there is no command \"%s\"; \"sparktail "
			   "help\" names them all",
			   options->argv[0]);
		return EX_USAGE;
	}
	printf("usage: sparktail [-c FILE] [-v] [-q] %s%s%s\n\n%s%s\n",
	       command->name, *command->arguments ? " " : "",
	       command->arguments, command->help,
	       command->run ? "" : " (not yet in this version)");
	return cmd_flush();
}
