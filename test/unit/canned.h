/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_CANNED_H
#define UNIT_CANNED_H

/*
 * canned - a server on a loopback port that answers from a list
 *
 *	struct canned *c = canned_start(replies, NROF(replies));
 *	... requests to 127.0.0.1, port canned_port(c) ...
 *	canned_head(c, 0, &buf)		the first request's header and body
 *	canned_stop(&c);
 *
 * The n-th request, over all connections, gets the n-th reply, and the last
 * one is used for all that follow.  The list must stay until canned_stop().
 */

#include <stddef.h>

#include "base/buf.h"

enum canned_manner {
	CANNED_PLAIN = 0, /* read the request, reply, keep the connection */
	CANNED_CLOSE,	  /* read the request, reply, close */
	CANNED_RESET,	  /* read the request, reply, reset the connection */
	CANNED_EARLY,	  /* read the header, reply, read the body, close */
	CANNED_TORN,	  /* read the header, reset in the middle of the body */
	CANNED_STALL	  /* read the request, reply, then say nothing more */
};

struct canned_reply {
	enum canned_manner manner;
	const char *text; /* the whole reply, header included */
	size_t padding;	  /* bytes of "x" after it */
};

struct canned;

struct canned *canned_start(const struct canned_reply *replies, size_t count);
void canned_stop(struct canned **canned);

unsigned int canned_port(const struct canned *canned);

/* How many requests (complete ones), connections, and connections at once. */
unsigned int canned_requests(struct canned *canned);
unsigned int canned_connections(struct canned *canned);
unsigned int canned_most(struct canned *canned);

/* Append a request's header, its body.  -1: no such request. */
int canned_head(struct canned *canned, unsigned int n, struct buf *out);
int canned_body(struct canned *canned, unsigned int n, struct buf *out);

#endif /* UNIT_CANNED_H */
