/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_CHECKPOINT_H
#define SPOOL_CHECKPOINT_H

/*
 * checkpoint - where reading stopped, and the ledger, as JSON text
 *
 * struct checkpoint is all that outlives the process besides the batches
 * themselves.  This module turns it into text and back; spool.h makes the text
 * durable.  The text is versioned: an unknown version is CHECKPOINT_NEWER, and
 * unknown members are ignored.
 *
 * The whole is capped (CHECKPOINT_MAX bytes, CHECKPOINT_SOURCES sources).
 * Headers are stored once each and referred to by number.  Pure; any thread.
 */

#include <stdint.h>

#include "acct/account.h"
#include "base/buf.h"
#include "follow/position.h"

enum {
	CHECKPOINT_VERSION = 1,
	CHECKPOINT_SOURCES = 200000,
	CHECKPOINT_MAX = 256 << 20
};

/*
 * What became of events, over all runs.  At all times
 *
 *	sum(account.events) == waiting (in ready/) + sent_events
 *	                       + refused_events + evicted_events
 *	                       + expired_events
 */
struct ledger {
	struct account account; /* rows and events made, all files together */
	uint64_t sent_batches, sent_events, sent_bytes;
	uint64_t refused_batches, refused_events;
	uint64_t evicted_batches, evicted_events;
	uint64_t expired_batches, expired_events; /* in ready/, never sent */
	uint64_t healed_events;
	uint64_t failures; /* uploads that did not succeed */
	int64_t last_success_s;
};

/* How the shipper was when it saved, for status alone. */
struct checkpoint_process {
	int64_t since_s;    /* when it started */
	char phase[16];	    /* of delivery: "idle", "sending", ... */
	char error[320];    /* the last failure, "" after a success */
	int64_t next_try_s; /* 0: now */
};

struct checkpoint {
	struct checkpoint_process process;
	int64_t saved_s;
	uint64_t seq;	     /* the last batch that was sealed */
	uint64_t departures; /* the last departure that is in the ledger */
	struct ledger ledger;
	struct position *positions;
	size_t positions_count;
};

enum checkpoint_status {
	CHECKPOINT_OK = 0,
	CHECKPOINT_DAMAGED, /* not ours, or cut: set it aside, rebuild */
	CHECKPOINT_NEWER    /* written by a later version: leave it alone */
};

void checkpoint_release(struct checkpoint *checkpoint);

/*
 * Append the text.  Positions are given apart from the struct, one by one,
 * because their owner keeps them: checkpoint_begin() with everything but
 * positions, checkpoint_position() for each, checkpoint_end().
 * -1 when "out" overflows.
 */
struct checkpoint_writer;
struct checkpoint_writer *checkpoint_begin(const struct checkpoint *checkpoint,
					   struct buf *out);
void checkpoint_position(struct checkpoint_writer *writer,
			 const struct position *position);
int checkpoint_end(struct checkpoint_writer **writer);

/* "out" is empty (all zero) before; after a fault it is released again. */
enum checkpoint_status checkpoint_parse(struct slice text,
					struct checkpoint *out);

#endif /* SPOOL_CHECKPOINT_H */
