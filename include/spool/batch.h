/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_BATCH_H
#define SPOOL_BATCH_H

/*
 * batch - what a batch's file name says
 *
 * The name alone is enough to recover from: it carries the source, the byte
 * range, the counts of events by type and the times of the oldest and the
 * newest one.
 *
 *	000000000000002a_801.1a2b.3ff.0123456789abcdef.7_0-8d3f_h-.0
 *	_e12.980.3.5.0.0_t6553f100.1e_s6553f160_b1f400.ndjson.gz
 *
 * (one line) is: number of sealing; device, inode, length and digest of the
 * head, and number of the source (position.h); bytes from-to; offsets of the
 * header in force before and after the block ("-" none, and "x" added when the
 * block begins or ends inside an over-long row); events reception, delivery,
 * inband, tempfail, outofband, feedback; oldest event, and how much later the
 * newest is; time of sealing; bytes of the file.  All hexadecimal but the six
 * counts.  Names sort in order of sealing.  Where one block makes more than
 * one batch, each carries its own part of the byte range.
 *
 * A batch that has left ready/ gets "_d<departure><why><refused>" before the
 * suffix: its number of departure, a letter for why, and how many of its
 * events were refused.  (No letter is a hexadecimal digit.)  Pure; any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "acct/account.h"
#include "follow/position.h"

enum { BATCH_NAME = 256 };

#define BATCH_SUFFIX ".ndjson.gz"

/*
 * What fits into a name.  Counts of one type, times and sizes beyond are cut
 * to these: no batch has ten million events or 4 GiB, and times lie two
 * thousand years around 1970.  Numbers and offsets beyond do not occur: they
 * are cut as well, and then the name is not what was asked for, which
 * spool_seal() sees.  from, to and the header's offsets are not negative (but
 * -1 for none), and source.head_len is at most POSITION_HEAD.
 */
#define BATCH_COUNT_MAX	   9999999
#define BATCH_TIME_MAX	   ((INT64_C(1) << 36) - 1)
#define BATCH_SPAN_MAX	   ((INT64_C(1) << 32) - 1)
#define BATCH_BYTES_MAX	   ((UINT64_C(1) << 32) - 1)
#define BATCH_DEPARTED_MAX ((UINT64_C(1) << 48) - 1)
#define BATCH_DEV_MAX	   ((UINT64_C(1) << 48) - 1)
#define BATCH_OFFSET_MAX   ((INT64_C(1) << 48) - 1)
#define BATCH_NUMBER_MAX   ((UINT64_C(1) << 36) - 1)

enum batch_departure {
	BATCH_READY = 0, /* has not left */
	BATCH_SENT,	 /* 's' accepted (its refused events are in refused/) */
	BATCH_REFUSED,	 /* 'r' every event of it was refused */
	BATCH_EVICTED,	 /* 'v' removed for lack of room */
	BATCH_EXPIRED	 /* 'x' removed, all its events were too old */
};

/* What shape needs to know at a place of a file. */
struct batch_edge {
	int64_t header_offset; /* of the header in force; -1: none */
	bool skipping;	       /* inside an over-long row */
};

struct batch {
	uint64_t seq; /* number of sealing, from 1 */
	struct position_id source;
	uint64_t number; /* of the source; 0: not known */
	int64_t from, to;
	struct batch_edge before, after;
	uint32_t events[EVENT_TYPES];
	int64_t oldest_s, newest_s; /* of the events; at most BATCH_SPAN_MAX */
	int64_t sealed_s;
	uint64_t bytes; /* of the file, gzip */

	enum batch_departure departure;
	uint64_t departed; /* number of departure, from 1 */
	uint32_t refused;  /* events of it in refused/ */
};

/* Write the name.  Never fails: every batch has one that fits. */
void batch_name(const struct batch *batch, char out[BATCH_NAME]);

/* 0, or -1 when this is not the name of a batch. */
int batch_parse(struct slice name, struct batch *batch_out);

uint64_t batch_events(const struct batch *batch);

#endif /* SPOOL_BATCH_H */
