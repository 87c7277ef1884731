/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_GAPS_H
#define SPOOL_GAPS_H

/*
 * gaps - byte ranges whose events were evicted, to be read again
 *
 *	gaps_add(&gaps, &gap)		a batch was evicted
 *	i = gaps_next(&gaps, now_ms)	which is due, the oldest event first
 *	... read [from, from + n) again, seal what it makes ...
 *	gaps_move(&gaps, i, to, &edge, made)
 *	gaps_drop(&gaps, i)		nothing can be done about it any more
 *
 * Gaps of one source that touch become one, so that a long outage leaves one
 * for each file and not one for each batch.  Sorted by source number and
 * offset, at most GAPS_MAX.  All but the last two is kept in the checkpoint.
 * All zero is empty.  No clock, no disk; one thread.
 */

#include "spool/batch.h"

enum { GAPS_MAX = 10000 };

struct gap {
	uint64_t number; /* of the source, never 0 */
	struct position_id source;
	int64_t from, to;
	struct batch_edge before;
	uint64_t seq;	  /* the lowest of the batches that were evicted */
	uint64_t events;  /* evicted and not made again yet */
	uint64_t repeats; /* injections that were made once more (below) */
	uint64_t bytes;	  /* what they took in ready/ */
	int64_t oldest_s, newest_s;
	int64_t retry_ms; /* it could not be read: not before */
	bool gone;	  /* because its file is gone */
};

struct gaps {
	struct gap *items;
	size_t count, cap;
};

void gaps_release(struct gaps *gaps);
void gaps_copy(struct gaps *to, const struct gaps *from);

/* The gap that an evicted batch leaves. */
void gaps_of_batch(const struct batch *batch, struct gap *gap_out);

/* How many events found no place, because there are too many gaps. */
uint64_t gaps_add(struct gaps *gaps, const struct gap *gap);

/* The due one with the oldest event, -1 when there is none. */
long gaps_next(const struct gaps *gaps, int64_t now_ms);

/* When one will be due, INT64_MAX: none. */
int64_t gaps_due_ms(const struct gaps *gaps);

/*
 * Bytes up to "to" were read again.  Of what they made, as many as are missing
 * are healed, and the others repeated: an injection is made once for a message
 * in a batch, and batches are not cut where they were.  "repeats" of those made
 * are such; they may stand for others that were evicted, but only at the end of
 * the gap, when all that was not repeated has been seen.  "expired" were too
 * old to be made.  A gap that was read to its end is gone; what is still
 * missing has lapsed.  repeated may be less than nothing: what earlier parts
 * repeated is found to have healed.
 */
struct gaps_read {
	uint64_t made, repeats, expired;
};
struct gaps_outcome {
	uint64_t healed, lapsed;
	int64_t repeated;
};
struct gaps_outcome gaps_move(struct gaps *gaps, size_t i, int64_t to,
			      const struct batch_edge *before,
			      const struct gaps_read *read);

/* Forget it.  How many events are given up. */
uint64_t gaps_drop(struct gaps *gaps, size_t i);

/* Forget what is older than "oldest_s" as a whole: its newest event, too.
 * How many events are given up; those whose file is gone apart. */
uint64_t gaps_drop_older(struct gaps *gaps, int64_t oldest_s,
			 uint64_t *gone_out);

uint64_t gaps_events(const struct gaps *gaps);

#endif /* SPOOL_GAPS_H */
