/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INGEST_REPLY_H
#define INGEST_REPLY_H

/*
 * reply - what has arrived of an HTTP reply
 *
 *	reply_init(&reply, max);
 *	reply_header(&reply, line)	for each header line, the status line
 *					and the empty one included
 *	reply_body(&reply, p, n)	for each piece of the body
 *	reply_complete(&reply)		has all of it come?
 *	reply_release(&reply);
 *
 * A status line begins anew, so that of "100 Continue" and what follows only
 * the last counts.  Of the body the first "max" bytes are kept and all are
 * counted.  Pure; one thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { REPLY_RETRY_AFTER = 64, REPLY_RETRY_MAX_S = 86400 };

struct reply {
	int status;		   /* 0: no status line yet */
	bool begun;		   /* a final reply's header is complete */
	int64_t expected, arrived; /* bytes of the body; -1: not said */
	struct buf body;
	char retry_after[REPLY_RETRY_AFTER]; /* as it came; "" = none */
	char date[REPLY_RETRY_AFTER];	     /* likewise */
};

void reply_init(struct reply *reply, size_t max);
void reply_release(struct reply *reply);

/* Forget what came, keep the memory. */
void reply_reset(struct reply *reply);

void reply_header(struct reply *reply, struct slice line);
void reply_body(struct reply *reply, const char *p, size_t n);

/* Did all of it come, by its own Content-Length?  Without one: false. */
bool reply_complete(const struct reply *reply);

/*
 * Retry-After as seconds from now: a number, or a date in one of the three
 * forms of HTTP.  -1: none, or neither.  0 for a date in the past; at most
 * REPLY_RETRY_MAX_S.  A date is one of the service's clock: it is compared with
 * the reply's own Date, and with now_s only when there is none.
 */
int64_t reply_retry_after(const struct reply *reply, int64_t now_s);

/*
 * Overwrite each "secret" in the body: a gateway that shows the request it
 * got would show the key.
 */
void reply_hide(struct reply *reply, const char *secret);

/*
 * Why there is no reply: curl's words of this transfer, or those for its code
 * alone.  When a kept connection turns out to be dead curl makes another and
 * keeps its words about the first; of a certificate (tls) they say nothing.
 */
struct slice reply_error(const char *words, const char *code_words, bool tls);

#endif /* INGEST_REPLY_H */
