/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_DEADLINES_H
#define SPOOL_DEADLINES_H

/*
 * deadlines - what is due when, and how much of it will be too late
 *
 *	deadlines_init(&d, max_age_s);
 *	deadlines_add(&d, batch.newest_s, events);	a batch came to ready/
 *	deadlines_take(&d, batch.newest_s, events);	it left, whatever way
 *	deadlines_forecast(&d, rate, now_s, &forecast);
 *
 * All events of a batch are due with its newest one, max_age after that: until
 * then the batch is sent as it is.
 *
 * A table of at most DEADLINES_BINS bins, sorted by time.  A bin counts the
 * events of the seconds from "first" to "last", both included; bins never
 * overlap.  A time within a bin is counted there, any other begins a bin of
 * one second.  When the table is full the two neighbours that together span
 * the least become one.  So a bin only ever grows, until it is empty and goes:
 * a time that was added is in the bin that has it in its span, however much was
 * added, merged or taken in between, and however the clock was set.  That makes
 * take the exact inverse of add; nothing depends on "now" or on max_age.
 *
 * Few moments are kept to the second; a span S of evenly spread ones in bins no
 * wider than 2 S / (DEADLINES_BINS - 1), which is 8.6 minutes for a day.  A
 * stray time (1970, 2106) costs one bin and makes no other coarser.
 *
 * Values: no clock, no allocation, no errors.  One thread at a time.
 */

#include <stdint.h>

enum { DEADLINES_BINS = 336 }; /* 8 KiB in all */

struct deadlines_bin {
	int64_t first_s, last_s; /* of the batches' newest events */
	uint64_t events;	 /* never 0 */
};

struct deadlines {
	int64_t max_age_s;
	uint32_t count; /* of bins in use */
	struct deadlines_bin bins[DEADLINES_BINS];
};

/*
 * Nothing waits.  max_age_s 0: there are no deadlines; what waits is counted
 * all the same, so that a reload may bring one, but nothing ever expires.
 */
void deadlines_init(struct deadlines *d, int64_t max_age_s);

/* Another max_age after a reload; what waits stays. */
void deadlines_set_max_age(struct deadlines *d, int64_t max_age_s);

void deadlines_add(struct deadlines *d, int64_t newest_s, uint64_t events);

/* What was not added is not taken: the bin gives what it has, or nothing. */
void deadlines_take(struct deadlines *d, int64_t newest_s, uint64_t events);

/* All that wait. */
uint64_t deadlines_events(const struct deadlines *d);

struct forecast {
	double rate;		  /* the one it was made for */
	uint64_t expiring_events; /* 0: all can make it */
	int64_t first_s, last_s;  /* when they do; 0 when there are none */
};

/*
 * What becomes of all that wait now, when "rate" events a second are delivered
 * from now on and the ones due first always go first: as of a fluid, in which
 * a bin's events are spread evenly from its first to its last second.  The
 * service delivers what is not yet due; what comes due before its turn expires
 * and takes none of its time.  Right to rate times the width of a bin (above).
 *
 * Events that have yet to be read are no part of it.  They are due later than
 * those that wait, so they come after them and delay none of these (rows read
 * late, by backfill or after a gap, may be due earlier: they count from then).
 *
 * Rate 0: all expire, from the first deadline to the last.  A negative rate is
 * one that is not known: nothing is foretold.  A deadline that has passed is
 * now_s.
 */
void deadlines_forecast(const struct deadlines *d, double rate, int64_t now_s,
			struct forecast *out);

#endif /* SPOOL_DEADLINES_H */
