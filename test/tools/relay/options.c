/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/relay/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct relay relay = {.log = -1, .capture = -1, .random = 1};

void relay_die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static const struct option names[] = {{"to", 1, NULL, 't'},
				      {"port", 1, NULL, 'p'},
				      {"port-file", 1, NULL, 'P'},
				      {"connect", 0, NULL, 'c'},
				      {"delay-ms", 1, NULL, 'd'},
				      {"jitter", 0, NULL, 'j'},
				      {"cut-after", 1, NULL, 'x'},
				      {"stall", 0, NULL, 's'},
				      {"refuse", 0, NULL, 'r'},
				      {"trickle", 0, NULL, 'b'},
				      {"reset-rate", 1, NULL, 'R'},
				      {"seed", 1, NULL, 'S'},
				      {"log", 1, NULL, 'L'},
				      {"capture", 1, NULL, 'C'},
				      {NULL, 0, NULL, 0}};

static void set_to(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		relay_die(text);
	*colon = '\0';
	relay.to.sin_family = AF_INET;
	relay.to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, text, &relay.to.sin_addr) != 1)
		relay_die(text);
}

static int open_log(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		relay_die(name);
	return fd;
}

static bool flag(int c)
{
	relay.connect |= c == 'c';
	relay.jitter |= c == 'j';
	relay.stall |= c == 's';
	relay.refuse |= c == 'r';
	relay.trickle |= c == 'b';
	return strchr("cjsrb", c) != NULL;
}

static void take_option(int c)
{
	switch (c) {
	case 't':
		set_to(optarg);
		break;
	case 'P':
		relay.port_file = optarg;
		break;
	case 'R':
		relay.reset_rate = strtod(optarg, NULL);
		break;
	case 'S':
		relay.random = strtoull(optarg, NULL, 10) * 2 + 1;
		break;
	case 'L':
		relay.log = open_log(optarg);
		break;
	case 'C':
		relay.capture = open_log(optarg);
		break;
	case 'd':
		relay.delay_ms = (int64_t)strtoull(optarg, NULL, 10);
		break;
	case 'x':
		relay.cut_after = strtoull(optarg, NULL, 10);
		break;
	default:
		relay.port = (uint16_t)strtoul(optarg, NULL, 10);
		break;
	}
}

int relay_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?')
			return -1;
		if (!flag(c))
			take_option(c);
	}
	if (relay.to.sin_port && relay.port_file)
		return 0;
	fputs("usage: relay --to ADDRESS:PORT --port-file FILE\n", stderr);
	return -1;
}
