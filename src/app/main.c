/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/commands.h"
#include "base/log.h"

/*
 * A standard descriptor that is closed would be given to the next file, and a
 * line for the operator would end in the spool.  It is opened the wrong way
 * round, so that using it stays an error.
 */
static void main_hold_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(EX_OSERR);
	}
}

/* What holds for every command, before anything is read. */
static void main_prepare(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	main_hold_descriptors();
	/* A write to a pipe that nobody reads is an error we report. */
	sigaction(SIGPIPE, &ignore, NULL);
	umask(027);
	/* The API key is in no core dump, and no other process of the same
	 * user may look into our memory. */
	prctl(PR_SET_DUMPABLE, 0);
}

static int main_usage(void)
{
	fputs("usage: sparktail [-c FILE] [-v] [-q] COMMAND [ARG ...]\n"
	      "\"sparktail help\" names the commands\n",
	      stderr);
	return EX_USAGE;
}

/* The command's name, or NULL after a mistake. */
static const char *main_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0}};
	const char *name = NULL;
	int c;

	/* "+": what follows the command's name is its own. */
	while ((c = getopt_long(argc, argv, "+c:vqh", longs, NULL)) != -1) {
		if (c == 'c') {
			options->config_path = optarg;
			options->config_given = true;
		} else if (c == 'v') {
			options->verbosity++;
		} else if (c == 'q') {
			options->verbosity--;
		} else if (c == 'h') {
			name = "help";
		} else if (c == 'V') {
			name = "version";
		} else {
			return NULL;
		}
	}
	if (!name && optind < argc)
		name = argv[optind++];
	options->argc = argc - optind;
	options->argv = argv + optind;
	return name;
}

static int main_command(const char *name, const struct options *options)
{
	const struct command *command = commands_find(name);
	const char *near = commands_nearest(name);

	if (command && command->run)
		return command->run(options);
	if (command)
		log_errorx("%s: not yet in this version", name);
	else if (near)
		log_errorx("there is no command \"%s\"; did you mean \"%s\"?",
			   name, near);
	else
		log_errorx("there is no command \"%s\"; \"sparktail help\" "
			   "names them all",
			   name);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = {.config_path = SYSCONFDIR
				  "/sparktail/sparktail.yaml"};
	const char *name;

	main_prepare();
	name = main_options(argc, argv, &options);
	if (!name)
		return main_usage();
	if (options.verbosity)
		log_set_level(options.verbosity > 0 ? LOG_LEVEL_DEBUG
						    : LOG_LEVEL_QUIET);
	return main_command(name, &options);
}
