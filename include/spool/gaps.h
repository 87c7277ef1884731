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
 * offset, at most GAPS_MAX.  All but retry_ms is kept in the checkpoint.
 * All zero is empty.  No clock, no disk; one thread.
 */

#include "spool/batch.h"

enum { GAPS_MAX = 10000 };

struct gap {
	uint64_t number; /* of the source, never 0 */
	struct position_id source;
	int64_t from, to;
	struct batch_edge before;
	uint64_t events; /* evicted and not made again yet */
	uint64_t bytes;	 /* what they took in ready/ */
	int64_t oldest_s, newest_s;
	int64_t retry_ms; /* it could not be read: not before */
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
 * Bytes up to "to" were read again and made "made" events, of which at most
 * those that are missing count as healed: returned.  A gap that was read to its
 * end is gone; what was still missing of it is added to *lapsed_out.
 */
uint64_t gaps_move(struct gaps *gaps, size_t i, int64_t to,
		   const struct batch_edge *before, uint64_t made,
		   uint64_t *lapsed_out);

/* Forget it.  How many events are given up. */
uint64_t gaps_drop(struct gaps *gaps, size_t i);

/* Forget what is older than "oldest_s" as a whole: its newest event, too.
 * How many events are given up. */
uint64_t gaps_drop_older(struct gaps *gaps, int64_t oldest_s);

/* Forget those of a source: other bytes stand there now. */
uint64_t gaps_drop_source(struct gaps *gaps, uint64_t number);

uint64_t gaps_events(const struct gaps *gaps);

#endif /* SPOOL_GAPS_H */
