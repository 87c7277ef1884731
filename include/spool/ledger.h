/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_LEDGER_H
#define SPOOL_LEDGER_H

/*
 * ledger - what became of rows and events, over all runs
 *
 * At all times, for the whole and (with the file's own numbers) for each file:
 *
 *	sum(account.events) + healed_events + repeated_events ==
 *		waiting (in ready/) + sent_events + refused_events
 *		+ evicted_events + expired_events
 *
 * for a healed event was made, evicted, and made again, and healing may repeat
 * some (gaps.h; a file's fate.healed has both).  And for the whole
 *
 *	evicted_events == healed_events + open (in gaps) + lapsed_events
 *			  + unreadable_events
 *
 * All zero is an empty one.  Copies and sums share nothing.  One thread.
 */

#include <stdbool.h>

#include "acct/account.h"
#include "spool/batch.h"
#include "spool/gaps.h"

struct ledger {
	struct account account; /* rows and events made, all files together */
	uint64_t sent_batches, sent_events, sent_bytes;
	uint64_t refused_batches, refused_events;
	uint64_t evicted_batches, evicted_events;
	uint64_t expired_batches, expired_events; /* in ready/, never sent */
	uint64_t expired[EVENT_TYPES];		  /* the same, by type */
	uint64_t healed_events;
	uint64_t repeated_events;   /* by healing; the service drops them */
	uint64_t lapsed_events;	    /* of gaps: too old before there was room */
	uint64_t unreadable_events; /* of gaps: the file is gone */
	uint64_t failures;	    /* uploads that did not succeed */
	int64_t last_success_s;
	struct gaps gaps;

	/* Sums by file that no position has yet; not in the checkpoint. */
	struct position_credit *files;
	size_t files_count, files_cap;
};

void ledger_release(struct ledger *ledger);

/* "to" is released before. */
void ledger_copy(struct ledger *to, const struct ledger *from);

/* total += more. */
void ledger_merge(struct ledger *total, const struct ledger *more);

/* A batch was made of which no checkpoint tells. */
void ledger_made(struct ledger *ledger, const struct batch *batch);

/* A batch has left ready/.  An evicted one leaves a gap. */
void ledger_depart(struct ledger *ledger, const struct batch *batch);

/* The sums of one file, made when there are none.  Good until the next call. */
struct position_credit *ledger_of_file(struct ledger *ledger, uint64_t number);
void ledger_forget_files(struct ledger *ledger);

/* Do the two equations hold?  "why" gets a line when not. */
bool ledger_agrees(const struct ledger *ledger, uint64_t waiting,
		   struct buf *why);

#endif /* SPOOL_LEDGER_H */
