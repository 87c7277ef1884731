/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_CSV_H
#define ACCT_CSV_H

/*
 * csv - cuts bytes into rows and fields, and finds its way back after a fault
 *
 *	struct csv csv;
 *	csv_init(&csv, max_row);
 *	status = csv_next(&csv, bytes, final, &row);	row.consumed are done
 *	... csv.fields[0..csv.count) ...
 *	csv_release(&csv);
 *
 * Fields are separated by commas, rows by LF or CRLF.  A field that begins
 * with a quote may hold commas, doubled quotes and line breaks, and ends with a
 * quote before a comma or a line end; anything else about quotes is a fault.
 * A byte order mark before a row is skipped.  Nothing is refused for the bytes
 * it is made of, NUL included.
 *
 * After a fault the opening line alone is lost (mapping.md 1.4).  Where the
 * fault stands in that line, reading goes on with the next line; else with
 * the next line that begins with a known type.  A row has to end, line end and
 * all, within max_row bytes; a last line has to be shorter.  All this is
 * decided within max_row bytes from the row's first, and never by how many are
 * at hand: csv_next() answers CSV_MORE until it can know.
 *
 * Cost: a fault is found at most max_row bytes ahead.  A line that was passed
 * inside an open quote has an even number of quotes in each run, so that it
 * cannot open one itself; so no byte is passed more than a few times, whatever
 * the input.
 */

#include <stdbool.h>

#include "base/buf.h"

enum { CSV_FIELDS_MAX = 16384, CSV_MARK = 3 };

enum csv_status {
	CSV_ROW = 0,
	CSV_EMPTY,   /* a line without a byte: no row */
	CSV_MORE,    /* not a whole row: nothing is consumed */
	CSV_BROKEN,  /* quoting; bytes are the line and what was passed over */
	CSV_LONG,    /* no line end in max_row bytes; what follows up to the
			next line end is the same row, which the caller skips */
	CSV_TOO_MANY /* more than CSV_FIELDS_MAX fields */
};

struct csv {
	struct slice *fields; /* good until the next csv_next() */
	size_t count;
	size_t cap;
	struct buf text; /* fields that had doubled quotes */
	size_t max_row;
};

struct csv_row {
	struct slice bytes; /* without byte order mark and line end */
	size_t lead;	    /* where they begin: 3 after such a mark, or 0 */
	size_t consumed;
	bool ascii; /* of CSV_ROW: no byte has its high bit set, for certain */
};

void csv_init(struct csv *csv, size_t max_row);
void csv_release(struct csv *csv);

/* final: nothing follows "bytes", a last line without line end is a row. */
enum csv_status csv_next(struct csv *csv, struct slice bytes, bool final,
			 struct csv_row *row_out);

/* How many bytes of a byte order mark "s" begins with: CSV_MARK or 0. */
size_t csv_mark(struct slice s);

#endif /* ACCT_CSV_H */
