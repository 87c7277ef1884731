/* SPDX-License-Identifier: GPL-2.0-only */
#include "acct/csv.h"

#include <assert.h>

#include "acct/csv_stops.h"
#include "acct/kind.h"
#include "base/mem.h"

/*
 * All decisions look at the window only: the row's first max_row bytes, or all
 * there is when nothing follows.  While the window may still grow, running
 * into its end means CSV_MORE.
 */

struct csv_scan {
	struct slice window;
	bool whole; /* the window will not grow */
	bool ends;  /* its end is the end of the file, not of max_row */
	size_t at;
	size_t fault; /* where the quoting is broken */
	struct csv_stops stops;
};

/* As many as there is room for at first: more than usual rows have, and a block
 * of commas. */
enum { CSV_FIELDS = 256 };

/* What ended a field. */
enum csv_end { CSV_COMMA = 0, CSV_LINE, CSV_FAULT, CSV_WINDOW };

void csv_init(struct csv *csv, size_t max_row)
{
	*csv = (struct csv){.max_row = max_row};
	buf_init(&csv->text, max_row);
}

void csv_release(struct csv *csv)
{
	mem_free(csv->fields);
	buf_release(&csv->text);
	csv_init(csv, csv->max_row);
}

/* One more than the most is kept, so that too many can be told. */
static void csv_grow(struct csv *csv)
{
	csv->cap = csv->cap ? csv->cap * 2 : CSV_FIELDS;
	if (csv->cap > CSV_FIELDS_MAX)
		csv->cap = CSV_FIELDS_MAX + 1;
	csv->fields =
		mem_resize_array(csv->fields, csv->cap, sizeof(*csv->fields));
}

static inline void csv_add(struct csv *csv, struct slice field)
{
	if (csv->count == csv->cap) {
		if (csv->cap > CSV_FIELDS_MAX)
			return;
		csv_grow(csv);
	}
	csv->fields[csv->count++] = field;
}

/*
 * The field's text with each doubled quote made one.  "room" is the same for
 * all fields of a row and holds them all, so that the text does not move.
 */
static struct slice csv_undouble(struct csv *csv, struct slice field,
				 size_t room)
{
	size_t from = csv->text.len;

	buf_reserve(&csv->text, room - from);
	while (field.len) {
		size_t quote = slice_find(field, '"');
		size_t n = quote < field.len ? quote + 1 : quote;

		buf_add(&csv->text, field.p, n);
		field = slice_skip(field, quote < field.len ? n + 1 : n);
	}
	return slice_of(csv->text.p + from, csv->text.len - from);
}

/* What stands behind a closing quote at scan->at. */
static enum csv_end csv_after_quote(struct csv_scan *scan)
{
	struct slice w = scan->window;

	if (scan->at < w.len && w.p[scan->at] == '\r')
		scan->at++;
	if (scan->at >= w.len)
		return CSV_WINDOW;
	if (w.p[scan->at] == '\n') {
		scan->at++;
		return CSV_LINE;
	}
	if (w.p[scan->at] == ',' && w.p[scan->at - 1] == '"') {
		scan->at++;
		return CSV_COMMA;
	}
	scan->fault = scan->at;
	return CSV_FAULT;
}

/* A field whose opening quote is at scan->at. */
static enum csv_end csv_quoted(struct csv *csv, struct csv_scan *scan,
			       bool *closed_out)
{
	struct slice w = scan->window;
	size_t from = scan->at + 1, at = from;
	struct slice field;
	bool doubled = false;

	*closed_out = false;
	for (;;) {
		at = csv_stops_quote(&scan->stops, w, at);
		if (at >= w.len) {
			scan->at = scan->fault = w.len;
			return CSV_WINDOW;
		}
		if (at + 1 >= w.len || w.p[at + 1] != '"')
			break;
		doubled = true;
		at += 2;
	}
	*closed_out = true;
	scan->at = at + 1;
	field = slice_of(w.p + from, at - from);
	if (doubled)
		csv_add(csv, csv_undouble(csv, field, w.len));
	else
		csv_add(csv, field);
	return csv_after_quote(scan);
}

/* The last field of a row, or one with a quote inside: it ends at "stop". */
static enum csv_end csv_last(struct csv *csv, struct csv_scan *scan,
			     size_t stop)
{
	struct slice w = scan->window;
	size_t from = scan->at, end = stop;

	scan->at = stop;
	if (stop < w.len && w.p[stop] == '"') {
		scan->fault = stop;
		return CSV_FAULT;
	}
	if (end > from && w.p[end - 1] == '\r')
		end--;
	csv_add(csv, slice_of(w.p + from, end - from));
	if (stop == w.len)
		return CSV_WINDOW;
	scan->at++;
	return CSV_LINE;
}

/* The fields from "at" on that these commas of a block end.  Where the next one
 * begins. */
static size_t csv_split(struct csv *csv, const struct csv_scan *scan,
			uint64_t commas, size_t at)
{
	const char *p = scan->window.p;
	bool roomy = csv->cap - csv->count >= CSV_BLOCK;
	size_t n = csv->count;

	for (; commas; commas &= commas - 1) {
		size_t stop =
			scan->stops.from + (size_t)__builtin_ctzll(commas);
		struct slice field = slice_of(p + at, stop - at);

		if (roomy)
			csv->fields[n++] = field;
		else
			csv_add(csv, field);
		at = stop + 1;
	}
	if (roomy)
		csv->count = n;
	return at;
}

/* Fields without quotes, as many as stand together. */
static enum csv_end csv_plain(struct csv *csv, struct csv_scan *scan)
{
	struct csv_stops *stops = &scan->stops;
	struct slice w = scan->window;

	csv_stops_seek(stops, w, scan->at);
	for (;;) {
		uint64_t others = stops->others, first = others & (0 - others);
		size_t stop;

		/* All of them, or those before the first of the others. */
		scan->at = csv_split(csv, scan, stops->commas & (first - 1),
				     scan->at);
		if (!others && stops->end < w.len) {
			csv_stops_look(stops, w, stops->end);
			continue;
		}
		stop = others ? stops->from + (size_t)__builtin_ctzll(others)
			      : w.len;
		if (stop < w.len && stop == scan->at && w.p[stop] == '"')
			return CSV_COMMA;
		return csv_last(csv, scan, stop);
	}
}

/* The fields of one row; closed_out: not inside a quoted one. */
static enum csv_end csv_fields(struct csv *csv, struct csv_scan *scan,
			       bool *closed_out)
{
	enum csv_end end;

	do {
		*closed_out = true;
		if (scan->at < scan->window.len &&
		    scan->window.p[scan->at] == '"')
			end = csv_quoted(csv, scan, closed_out);
		else
			end = csv_plain(csv, scan);
	} while (end == CSV_COMMA);
	return end;
}

size_t csv_mark(struct slice s)
{
	return slice_starts(s, SLICE("\xef\xbb\xbf")) ? CSV_MARK : 0;
}

/*
 * Where reading resumes: the first line behind "at" that begins with a known
 * type.  Without one, all is passed over that is certain to be no such line.
 */
static bool csv_resume(const struct csv_scan *scan, size_t at, size_t *at_out)
{
	size_t size = scan->window.len, last = at;

	while (at < size) {
		struct slice line = slice_skip(scan->window, at);

		last = at;
		if (kind_begins(slice_skip(line, csv_mark(line)))) {
			*at_out = at;
			return true;
		}
		at += slice_find(line, '\n') + 1;
	}
	*at_out = scan->ends ? size : at == size ? size : last;
	return scan->whole;
}

/* The quoting is broken at scan->fault, or the row outgrew the window. */
static enum csv_status csv_broken(const struct csv_scan *scan,
				  struct csv_row *row)
{
	size_t size = scan->window.len;
	size_t line_end = slice_find(scan->window, '\n');

	row->consumed = size;
	if (line_end == size) {
		if (!scan->whole)
			return CSV_MORE;
		return scan->ends ? CSV_BROKEN : CSV_LONG;
	}
	row->consumed = line_end + 1;
	if (scan->fault > line_end &&
	    !csv_resume(scan, line_end + 1, &row->consumed))
		return CSV_MORE;
	return CSV_BROKEN;
}

static enum csv_status csv_row(struct csv *csv, struct csv_scan *scan,
			       struct csv_row *row)
{
	bool closed;

	switch (csv_fields(csv, scan, &closed)) {
	case CSV_WINDOW:
		if (!scan->whole)
			return CSV_MORE;
		if (scan->ends && closed)
			break;
		scan->fault = scan->window.len;
		return csv_broken(scan, row);
	case CSV_FAULT:
		return csv_broken(scan, row);
	default:
		break;
	}
	row->consumed = scan->at;
	return csv->count > CSV_FIELDS_MAX ? CSV_TOO_MANY : CSV_ROW;
}

static struct slice csv_strip(struct slice row)
{
	if (row.len && row.p[row.len - 1] == '\n')
		row.len--;
	if (row.len && row.p[row.len - 1] == '\r')
		row.len--;
	return row;
}

enum csv_status csv_next(struct csv *csv, struct slice bytes, bool final,
			 struct csv_row *row_out)
{
	struct csv_scan scan = {
		.window = bytes,
		.whole = final || bytes.len >= csv->max_row,
		.ends = final && bytes.len < csv->max_row,
	};
	enum csv_status status;

	if (bytes.len > csv->max_row)
		scan.window.len = csv->max_row;
	*row_out = (struct csv_row){.lead = csv_mark(scan.window)};
	scan.at = row_out->lead;
	csv->count = 0;
	buf_reset(&csv->text);
	if (!scan.window.len)
		return CSV_MORE;
	status = csv_row(csv, &scan, row_out);
	if (status == CSV_MORE)
		return status;
	row_out->ascii = csv_stops_ascii(&scan.stops);
	row_out->bytes = csv_strip(slice_skip(
		slice_of(bytes.p, row_out->consumed), row_out->lead));
	if (status == CSV_ROW && !row_out->bytes.len)
		return CSV_EMPTY;
	return status;
}
