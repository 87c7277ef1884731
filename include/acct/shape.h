/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_SHAPE_H
#define ACCT_SHAPE_H

/*
 * shape - a block of rows in, the events of a batch and its account out
 *
 *	struct shape *shape = shape_new(&settings);
 *	shape_begin(shape, &file, sealed_s);
 *	do {
 *		... have bytes of the file from "offset" on ...
 *		status = shape_feed(shape, bytes, offset, final, &consumed);
 *		... the first "consumed" bytes are done with ...
 *	} while (status == SHAPE_MORE and there is more);
 *	batch = shape_end(shape);
 *
 * Pure: no clock (the time of sealing is an argument), no disk, no network.
 * What comes out depends on the settings, "file", the bytes and their offset,
 * and sealed_s, and on nothing else: not on how the bytes were cut into calls.
 * No state outlives a block but struct shape_file, which the caller keeps with
 * the offset.  One thread for each struct shape; settings are shared.
 *
 * Memory is kept from block to block; no allocation for each row.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "acct/account.h"
#include "acct/attribute.h"
#include "acct/mask.h"
#include "acct/settings.h"
#include "base/buf.h"

struct shape;

/* What a block inherits from the bytes of the file that stand before it. */
struct shape_file {
	struct buf header;     /* the header in force, a row without its line
				  end; empty: none yet */
	int64_t header_offset; /* where it stands; -1: from the configuration,
				  or none */
	bool skipping;	       /* bytes up to the next line end belong to an
				  over-long row that was counted already */
	bool said_no_from;     /* a note was made once for this file: filters */
	bool said_expired;     /* work without From; events were too old */
};

enum { SHAPE_HEADER_MAX = 1 << 20 };

void shape_file_init(struct shape_file *file);
void shape_file_release(struct shape_file *file);
void shape_file_copy(struct shape_file *to, const struct shape_file *from);

/* Do the same bytes mean the same to both?  What was said is not compared. */
bool shape_file_same(const struct shape_file *a, const struct shape_file *b);

/*
 * Use the configuration's sources[].columns (names, comma-separated, without
 * "type" unless it is given) as the header of a file that has none.
 */
void shape_file_columns(struct shape_file *file, const char *columns);

enum shape_status {
	SHAPE_MORE = 0,	 /* all whole rows are taken; wants more bytes */
	SHAPE_FULL,	 /* the batch has reached a limit: end it */
	SHAPE_PIECE,	 /* take the JSON (shape_set_piece()), and go on with
			    the rest of the same bytes */
	SHAPE_NO_HEADER, /* a row, but no header: nothing was consumed for it;
			    set the file aside */
};

/* Something to tell the operator once; text holds no address. */
struct shape_note {
	enum {
		SHAPE_NOTE_UNKNOWN_TYPE = 0, /* text: the code */
		SHAPE_NOTE_NO_FROM,	     /* mapping.md 5 */
		SHAPE_NOTE_EXPIRED	     /* mapping.md 2.3 */
	} kind;
	int64_t offset;
	char text[64];
};

enum { SHAPE_NOTES = 16 };

/* Belongs to the shape, good until its next shape_begin() or shape_free(). */
struct shape_batch {
	struct slice json; /* NDJSON, each line ended by LF; without what was
			      taken before */
	size_t json_bytes; /* with it */
	int64_t from, to;  /* the block: bytes [from, to) of the file */
	int64_t oldest_s;  /* timestamp of the oldest event; 0 without one */
	int64_t newest_s;
	uint64_t repeats; /* injections of which the batch has one already
			     (shape_repeat()) */
	struct account account;
	struct shape_file file; /* for the block that begins at "to" */
	/* Malformed rows as lines for refused/rows.csv: offset, reason, the
	 * row's text as one quoted field; addresses masked with privacy.
	 * At most 1 MiB; malformed_left_out counts what did not fit. */
	struct buf malformed;
	uint64_t malformed_left_out;
	struct shape_note notes[SHAPE_NOTES];
	size_t notes_count;
};

struct shape *shape_new(const struct settings *settings);
void shape_free(struct shape **shape);

/* "file" is copied. */
void shape_begin(struct shape *shape, const struct shape_file *file,
		 int64_t sealed_s);

/*
 * Take whole rows from the front of "bytes", which stand at "offset" of the
 * (uncompressed) file.  final: nothing will follow these bytes, so a last line
 * without line end is a row.  A row that has not ended yet is left: give it
 * again with more bytes behind it.  When settings.max_row bytes are given, at
 * least one is consumed.
 */
enum shape_status shape_feed(struct shape *shape, struct slice bytes,
			     int64_t offset, bool final, size_t *consumed_out);

/*
 * So that a batch need not be in memory as a whole: shape_feed() says so behind
 * each row with which the JSON has this many bytes, and shape_json_take() gives
 * them, good until the next shape_feed().  0, as in the beginning: never.
 */
void shape_set_piece(struct shape *shape, size_t bytes);
struct slice shape_json_take(struct shape *shape);

struct shape_batch *shape_end(struct shape *shape);

/*
 * A batch of the caller's own, to keep one beyond the next shape_begin().
 * shape_take() exchanges it with what shape_end() returned: all of it but the
 * JSON, which stays the shape's.
 */
void shape_batch_init(struct shape_batch *batch);
void shape_batch_release(struct shape_batch *batch);
void shape_take(struct shape *shape, struct shape_batch *batch);

/*
 * For a batch that was begun before what stands in front of
 * it was known: the notes that were made for its file by then, as "file" says,
 * are taken out.
 */
void shape_batch_said(struct shape_batch *batch, const struct shape_file *file);

/* How many events and rows are in the batch so far. */
size_t shape_events(const struct shape *shape);

/*
 * Lower the limit of events for the next block (0: back to the settings), for
 * a block that came out larger than batch.max_bytes and is shaped again.
 */
void shape_limit(struct shape *shape, size_t max_events);

/*
 * Make each injection that rows ask for, although one with its id is in the
 * batch already, until told otherwise.  For rows that are read again: they
 * make no fewer events than in the smaller batches they were in first.
 */
void shape_repeat(struct shape *shape, bool repeat);

/* --- Looking inside, for explain and to find the row of an event --- */

struct shape_attribute {
	const char *name;
	struct slice value;
	enum {
		SHAPE_STRING = 0,
		SHAPE_INTEGER, /* written without quotes */
		SHAPE_TRUE     /* JSON true; value is "true" */
	} kind;
	const char *origin; /* "column rcpt", "mapping vmta:mta1", "default",
			       "rule 4.1 bounceCat", ... */
	enum attribute attribute;
};

struct shape_event {
	enum event_type type;
	const struct shape_attribute *attributes;
	size_t attributes_count;
	bool expired;	/* too old: made, but not put into the batch */
	bool duplicate; /* already in the batch (an injection) */
};

struct shape_trace {
	int64_t offset;
	struct slice row; /* its bytes without line end */
	enum {
		SHAPE_ROW_SHIPPED = 0,
		SHAPE_ROW_SKIPPED,
		SHAPE_ROW_NOT_SHIPPED,
		SHAPE_ROW_MALFORMED,
		SHAPE_ROW_EXPIRED,
		SHAPE_ROW_HEADER
	} verdict;
	const char *reason; /* skip reason, mapping entry, what is malformed */
	const struct shape_event *events;
	size_t events_count;
	const struct mask *recipient; /* of a row with events; else NULL */
};

/* Call "visit" for each row, in order; slices are good for the call only. */
void shape_set_trace(struct shape *shape,
		     void (*visit)(void *ctx, const struct shape_trace *trace),
		     void *ctx);

#endif /* ACCT_SHAPE_H */
