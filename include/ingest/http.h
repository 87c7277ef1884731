/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef INGEST_HTTP_H
#define INGEST_HTTP_H

/*
 * http - POSTs to one destination, several at once (libcurl multi)
 *
 *	struct http *http = http_new(&settings, &why);
 *	http_post(http, token, fd, offset, size);  body straight from a file
 *	while (http_wait(http, timeout_ms), http_reap(http, &reply)) ...
 *	http_free(&http);
 *
 * Connections are kept and reused, certificates and host names always
 * verified, redirects never followed, the key sent to nobody else.  HTTP/2
 * where offered: uploads then share a connection.  A body goes from its file
 * into curl's buffer, HTTP_BUFFER bytes at a time, and from there to the kernel
 * or to TLS; nothing copies it between.  Plain http only to a loopback address
 * (checked by the configuration).  Answers are capped at HTTP_REPLY bytes; the
 * rest is read and dropped.  One thread, but http_wake() from any.
 *
 * The process must ignore SIGPIPE: curl is told to leave signals alone.
 *
 * The API key goes into a header list that curl holds and into nothing else;
 * no message of this module contains it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum {
	HTTP_REPLY = 64 << 10,
	HTTP_BUFFER =
		256 << 10, /* an ordinary batch in one read and one write */
	HTTP_CONNECTIONS_MAX = 16
};

struct http;

struct http_settings {
	char *url;
	char *api_key;	 /* secret */
	char *ca_file;	 /* NULL: the system's */
	char *proxy;	 /* NULL: none, the environment is not asked */
	char *interface; /* NULL: any */
	unsigned int connections;
	int64_t timeout_ms, connect_timeout_ms;
};

/* Copied.  NULL and why: curl refuses a setting (ca_file unreadable, ...). */
struct http *http_new(const struct http_settings *settings, struct buf *why);

/* Cancels what is in flight. */
void http_free(struct http **http);

/*
 * Start a POST of "size" bytes of "fd" from "offset" (application/x-ndjson,
 * gzip).  The descriptor is the http's from now on, also after a failure, and
 * closed when done.  "token" comes back with the reply.  0 or -1 when nothing
 * is free (http_busy() == connections) or curl fails.
 */
int http_post(struct http *http, uint64_t token, int fd, off_t offset,
	      off_t size);

unsigned int http_busy(const struct http *http);

/* Drive transfers; wait up to timeout_ms for progress or http_wake(). */
void http_wait(struct http *http, int64_t timeout_ms);
void http_wake(struct http *http);

struct http_reply {
	uint64_t token;
	int status;	       /* HTTP status; 0: no complete answer came */
	int64_t retry_after_s; /* seconds from now, or -1: none; a date in the
				  past is 0; at most 86400 */
	struct slice body;     /* good until the next http_reap() */
	struct slice error;    /* curl's words when status is 0 */
	bool tls;	       /* the fault is the peer's certificate */
};

/* The next finished POST; false when there is none.  "now_s" is for
 * Retry-After dates. */
bool http_reap(struct http *http, struct http_reply *reply_out, int64_t now_s);

#endif /* INGEST_HTTP_H */
