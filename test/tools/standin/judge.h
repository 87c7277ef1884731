/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_JUDGE_H
#define STANDIN_JUDGE_H

/*
 * judge - what the service makes of a batch after it has answered
 *
 *	judge_unpack(body, &raw)	without the lock
 *	judge_take(judge, ...)		with it
 *
 * Events are told apart by event_id, batches by the digest of their lines.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/idmap.h"
#include "tools/standin/books.h"
#include "tools/standin/plan.h"
#include "tools/standin/shelf.h"

struct judge {
	struct books *books;
	struct shelf *shelf;
	int64_t max_age_s;
	bool fast; /* count all lines, check one in a thousand, keep none */
	unsigned int sample; /* unpack one batch of so many; the others are
				counted, and taken for good */
	atomic_uint posts;
	struct idmap events;
	struct idmap batches;
	struct buf accepted; /* lines of the batch at hand */
};

/* A batch as it came. */
struct judge_batch {
	struct slice body; /* gzip */
	struct slice raw;  /* its lines */
	bool damaged;	   /* it could not be unpacked */
	bool unread;	   /* it was not tried */
	int64_t came_us;   /* when the last byte of it was there */
};

void judge_init(struct judge *judge, struct books *books, struct shelf *shelf);

/* Is the next batch one that is to be unpacked?  No lock is needed. */
bool judge_samples(struct judge *judge);

/* Append the unpacked bytes to "raw".  0, or -1 when they are damaged. */
int judge_unpack(struct slice body, struct buf *raw);

/* Take a batch: NULL never.  "fault" may decide the verdict. */
const struct shelf_batch *judge_take(struct judge *judge,
				     const struct judge_batch *batch,
				     const struct fault *fault);

/* Remember the events of an earlier run's accepted file. */
void judge_remember(struct judge *judge, struct slice lines);

#endif /* STANDIN_JUDGE_H */
