/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_BOOKS_H
#define STANDIN_BOOKS_H

/*
 * books - what the stand-in has seen: counters, log, accepted events
 *
 * The caller holds the stand-in's one lock.  A file that cannot be written
 * ends the program: a test must not go on with half its evidence.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tools/standin/schema.h"

enum verdict {
	VERDICT_SUCCESS = 0,
	VERDICT_VALIDATION,
	VERDICT_SYSTEM,
	VERDICT_DECOMPRESS,
	VERDICT_DUPLICATE_BATCH,
	VERDICT_EMPTY_BATCH,
	VERDICTS
};

struct books {
	int log_fd, accepted_fd, times_fd; /* -1: not wanted */
	uint64_t requests;		   /* of any kind */
	uint64_t posts;			   /* to the ingest address */
	uint64_t bytes;			   /* of their bodies */
	uint64_t statuses[600];
	uint64_t faults;	  /* POSTs that met a fault of the plan */
	uint64_t batches, unread; /* of them, these were not unpacked */
	uint64_t verdicts[VERDICTS];
	uint64_t received; /* lines in the batches taken */
	uint64_t accepted[SCHEMA_TYPES + 1];
	uint64_t duplicate[SCHEMA_TYPES + 1];
	uint64_t rejected[SCHEMA_TYPES + 1];
	uint64_t changed; /* duplicates with other bytes than the first */
};

/* For the log; strings may be NULL. */
struct books_line {
	const char *method, *path, *batch_id, *error;
	unsigned int status; /* 0: no answer */
	uint64_t bytes, events, accepted;
};

const char *books_verdict(enum verdict verdict);

/* The verdict of that name, or VERDICTS. */
enum verdict books_verdict_of(const char *name);

/* Open the files (NULL: none).  0, or -1 after a word on standard error. */
int books_open(struct books *books, const char *log, const char *accepted,
	       const char *times);

void books_log(struct books *books, const struct books_line *line);
void books_accept(struct books *books, struct slice lines);

/*
 * When a batch was there, and for whom: "time_us recipient" for its first and
 * each 50th event.  The clock is the monotonic one.
 */
void books_times(struct books *books, int64_t time_us, struct slice lines);

/* Everything as one line of JSON. */
void books_summary(const struct books *books, struct buf *out);

#endif /* STANDIN_BOOKS_H */
