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

#include "base/buf.h"
#include "follow/position.h"
#include "spool/ledger.h"

enum {
	CHECKPOINT_VERSION = 1,
	CHECKPOINT_SOURCES = 200000,
	CHECKPOINT_MAX = 256 << 20
};

/* How the shipper was when it saved, for status alone. */
struct checkpoint_process {
	int64_t since_s;    /* when it started */
	char phase[16];	    /* of delivery: "idle", "sending", ... */
	char error[320];    /* the last failure, "" after a success */
	int64_t next_try_s; /* 0: now */
	uint32_t window;    /* so many uploads at once; 0: not known */
	char room[16];	    /* "ok", "evicting", "paused", "full" */
	double rate; /* events a second that are delivered; -1: not known */
};

struct checkpoint {
	struct checkpoint_process process;
	int64_t saved_s;
	uint64_t seq;	     /* the last batch that was sealed */
	uint64_t group;	     /* so many were committed with it; 0 is 1 */
	uint64_t departures; /* the last departure that is in the ledger */
	uint64_t numbers;    /* the last number that a source was given */
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
 * Add what the ledger has for single files (struct position_credit) to the
 * positions that have their numbers; the others' stay in it.
 */
void checkpoint_credit(struct checkpoint *checkpoint);

/*
 * Make the text.  Positions are given apart from the struct, one by one,
 * because their owner keeps them: checkpoint_begin() with everything but
 * positions, checkpoint_position() for each, checkpoint_end().
 *
 * The writer remembers the text it made last.  A position with the number and
 * the mark that it had at the same place then has the same line, which is
 * kept: the caller changes the mark when the position changes.  Mark 0 is
 * always made anew.  Memory: the text.
 *
 * checkpoint_end(): the text, good until the next checkpoint_begin(), or -1
 * and EFBIG when it is too large.
 */
struct checkpoint_writer;
struct checkpoint_writer *checkpoint_writer_new(void);
void checkpoint_writer_free(struct checkpoint_writer **writer);
void checkpoint_begin(struct checkpoint_writer *writer,
		      const struct checkpoint *checkpoint);
void checkpoint_position(struct checkpoint_writer *writer,
			 const struct position *position, uint64_t mark);
int checkpoint_end(struct checkpoint_writer *writer, struct slice *text_out);

/* "out" is empty (all zero) before; after a fault it is released again. */
enum checkpoint_status checkpoint_parse(struct slice text,
					struct checkpoint *out);

#endif /* SPOOL_CHECKPOINT_H */
