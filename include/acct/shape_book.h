/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_SHAPE_BOOK_H
#define ACCT_SHAPE_BOOK_H

/*
 * shape_book - the inside of a shape, and the booking of its rows
 *
 * For shape.c and shape_book.c only.  shape.c cuts bytes into rows and knows
 * the header in force; here each row gets its account: JSON, counts, notes,
 * malformed lines, trace.
 */

#include "acct/csv.h"
#include "acct/idset.h"
#include "acct/refused.h"
#include "acct/verdict.h"

struct shape {
	const struct settings *settings;
	struct csv csv;
	struct row_header columns;
	struct buf columns_text; /* the header "columns" was read from */
	struct record_tools tools;
	struct verdict verdict;
	struct buf json_text;
	size_t taken; /* bytes of JSON before json_text */
	size_t piece; /* that are to be taken; 0: all at the end */
	struct json *json;
	struct idset receptions;
	bool repeat; /* send what is there already */
	struct refused refused;
	struct shape_batch batch;
	size_t events; /* in the batch */
	size_t limit;  /* of events; 0: that of the settings */
	int64_t sealed_s;
	bool begun;
	void (*visit)(void *ctx, const struct shape_trace *trace);
	void *visit_ctx;
};

/* A row on its way into the books. */
struct shape_row {
	struct slice bytes;
	int64_t offset;
	bool ascii; /* is known to be */
	bool sent[VERDICT_EVENTS];
	bool expired[VERDICT_EVENTS];
	bool duplicate[VERDICT_EVENTS];
	size_t sent_count;
};

/* The row whose fields are in shape->csv.  False: the batch is full without. */
bool shape_book_fields(struct shape *shape, struct shape_row *row);

/* "mask": the recipient's, where the row could be read that far; or NULL. */
void shape_book_malformed(struct shape *shape, const struct shape_row *row,
			  const char *reason, const struct mask *mask);

/* Show a row to the caller's visitor. */
void shape_book_show(struct shape *shape, const struct shape_row *row,
		     int verdict, const char *reason);

/* The same, if there is one. */
static inline void shape_book_trace(struct shape *shape,
				    const struct shape_row *row, int verdict,
				    const char *reason)
{
	if (shape->visit)
		shape_book_show(shape, row, verdict, reason);
}

static inline size_t shape_book_most(const struct shape *shape)
{
	return shape->limit ? shape->limit : shape->settings->max_events;
}

static inline size_t shape_book_bytes(const struct shape *shape)
{
	return shape->taken + shape->json_text.len;
}

/* Has the batch reached a limit? */
static inline bool shape_book_full(const struct shape *shape)
{
	return shape->events &&
	       (shape->events >= shape_book_most(shape) ||
		shape_book_bytes(shape) >= shape->settings->max_raw_bytes);
}

#endif /* ACCT_SHAPE_BOOK_H */
