/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_SPOOL_VIEW_H
#define SPOOL_SPOOL_VIEW_H

/*
 * spool_view - a spool that somebody else may hold, for status
 *
 * A view agrees with itself even while a shipper works: the ledger's equation
 * (ledger.h) holds in it.  It takes no lock and changes nothing; what it
 * missed it reads again, and spool_view.c says how it knows.
 */

#include "spool/spool.h"

/* Events in ready/ of one source. */
struct spool_waiting {
	uint64_t number, events;
};

struct spool_view {
	bool running;
	int64_t pid;			     /* of the holder, 0 = none */
	struct checkpoint checkpoint;	     /* departures settled */
	bool has_checkpoint, damaged, newer; /* damaged: the next start sets
						aside and rebuilds */
	struct spool_totals totals;
	uint64_t batches_kept;	       /* in sent/ */
	struct spool_waiting *waiting; /* sorted by number */
	size_t waiting_count;
	struct deadlines deadlines; /* of all that wait; set its max_age */
};

/* 0, or -1 and why.  Release with spool_view_release(). */
int spool_view(const char *directory, struct spool_view *view_out,
	       struct buf *why);
void spool_view_release(struct spool_view *view);

/* How many events of that source wait in ready/. */
uint64_t spool_view_waiting(const struct spool_view *view, uint64_t number);

#endif /* SPOOL_SPOOL_VIEW_H */
