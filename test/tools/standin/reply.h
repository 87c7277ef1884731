/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_REPLY_H
#define STANDIN_REPLY_H

/*
 * reply - answers, whole and broken, to one request
 *
 * Each returns what the handler of libmicrohttpd must return.  Bodies are
 * copied.  The caller does not hold the lock: some answers take their time.
 */

#include <microhttpd.h>

#include "base/slice.h"

#define REPLY_JSON "application/json"
#define REPLY_GZIP "application/gzip"

enum MHD_Result reply_body(struct MHD_Connection *connection,
			   unsigned int status, const char *type,
			   struct slice body);

/*
 * The service's way to say no.  "why" may be NULL: the status's own words.
 * retry_after is NULL, seconds, or "date+N".
 */
enum MHD_Result reply_error(struct MHD_Connection *connection,
			    unsigned int status, const char *why,
			    const char *retry_after);

/* A good answer that takes "ms" to arrive, byte by byte. */
enum MHD_Result reply_trickle(struct MHD_Connection *connection,
			      struct slice body, unsigned int ms);

/* Ends before its Content-Length. */
enum MHD_Result reply_short(struct MHD_Connection *connection,
			    struct slice body);

/* The head of a good answer, "ms" of silence, and the end. */
enum MHD_Result reply_head(struct MHD_Connection *connection, size_t len,
			   unsigned int ms);

/* 200 and so many bytes that mean nothing. */
enum MHD_Result reply_huge(struct MHD_Connection *connection, size_t bytes);

/* 307 to "url", which a client may not follow with its key. */
enum MHD_Result reply_redirect(struct MHD_Connection *connection,
			       const char *url);

/* What comes is no HTTP, and then the end. */
enum MHD_Result reply_garbage(struct MHD_Connection *connection);

/* No answer: the connection is reset. */
enum MHD_Result reply_reset(struct MHD_Connection *connection);

void reply_sleep(unsigned int ms);

#endif /* STANDIN_REPLY_H */
