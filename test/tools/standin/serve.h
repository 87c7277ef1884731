/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_SERVE_H
#define STANDIN_SERVE_H

/*
 * serve - the addresses of the service, over HTTP or HTTPS
 *
 * Each connection has a thread of its own, so that an answer may dawdle.  One
 * lock guards plan, judge, books and shelf.
 */

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/standin/books.h"
#include "tools/standin/judge.h"
#include "tools/standin/plan.h"
#include "tools/standin/shelf.h"

enum { SERVE_KEYS = 16, SERVE_URI_MAX = 4096 };

struct serve_keys {
	const char *key[SERVE_KEYS];
	size_t count; /* 0: any key will do */
};

struct serve {
	pthread_mutex_t lock;
	struct plan *plan;
	struct judge judge;
	struct books books;
	struct shelf shelf;

	struct serve_keys keys;		/* may send */
	struct serve_keys outcome_keys; /* may read outcomes; none: keys */
	uint64_t max_bytes;		/* of a request */
	unsigned int stall_ms;		/* how long a stall lasts */
	unsigned int verdict_delay_ms;	/* until an outcome is shown */
	unsigned int outcome_status;	/* 0, or what outcome requests get */
};

/* One request, from its first line to its last byte. */
struct serve_request {
	char *path; /* for the log, without the query */
	bool uri_too_long;
	bool begun;
	uint64_t bytes;	 /* of the body */
	struct buf body; /* as far as it is within the limit */
};

/* 0, or the status that says why this key may not: 401, 403. */
unsigned int serve_auth(struct serve *serve, struct MHD_Connection *connection,
			bool outcome);

/* Callbacks for MHD_start_daemon(); cls is the struct serve. */
void *serve_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result serve_handle(void *cls, struct MHD_Connection *connection,
			     const char *url, const char *method,
			     const char *version, const char *data,
			     size_t *data_size, void **request);
void serve_completed(void *cls, struct MHD_Connection *connection,
		     void **request, enum MHD_RequestTerminationCode code);

/* Write down what a request came to, then let it be answered. */
void serve_log(struct serve *serve, const struct serve_request *request,
	       const struct books_line *line);

#endif /* STANDIN_SERVE_H */
