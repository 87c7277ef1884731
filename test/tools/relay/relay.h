/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

/* relay - what its options say; main.c has its manual */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct relay {
	struct sockaddr_in to;
	uint16_t port;
	const char *port_file;
	bool connect, stall, refuse, trickle, jitter;
	int64_t delay_ms;
	uint64_t cut_after; /* 0: never */
	double reset_rate;
	uint64_t random;
	int log, capture; /* -1: none */
};

extern struct relay relay;

/* 0, or -1: a usage error, which was said. */
int relay_options(int argc, char **argv);

/* With strerror(errno). */
void relay_die(const char *what);

#endif /* RELAY_RELAY_H */
