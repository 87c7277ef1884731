/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_ROWS_H
#define APP_ROWS_H

/*
 * rows - rows that went wrong, kept verbatim in refused/rows.csv
 *
 * A malformed row comes from the shape that met it.  A row whose event the
 * service refused is found again: a batch's name says which bytes of which
 * file it was made from, shaping them again gives the same events with the
 * same ids (DESIGN.md 3), and so the row.
 *
 * Lines are "source,offset,reason,row".  One thread for each call.
 */

#include "acct/shape.h"
#include "app/config.h"
#include "base/buf.h"
#include "spool/batch.h"

/*
 * Put "path," before each line of "lines" ("offset,reason,row", as shape makes
 * them; a quoted row may hold line breaks).
 */
void rows_name(struct slice lines, const char *path, struct buf *out);

/*
 * Append the line of the row that made the event with this id.  "fd" is the
 * accounting file at "path"; "columns" is its header where the configuration
 * gave it (the batch's header_offset is -1).  1 when found, 0 when not, -1 when
 * the file cannot be read.
 */
struct rows_query {
	const struct batch *batch;
	struct slice event_id;
	struct slice columns;
	const char *path;
	int fd;
};
int rows_find(const struct config *config, const struct rows_query *query,
	      struct buf *out);

/* The event_id in an event's line, empty when there is none; good as long as
 * "out" is. */
struct slice rows_event_id(struct slice json, struct buf *out);

#endif /* APP_ROWS_H */
