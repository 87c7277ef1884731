/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_STATUS_H
#define APP_STATUS_H

/*
 * status - the state of a shipper as JSON or text, from its spool directory
 *
 * Works on a view of the directory (spool.h), whether a shipper is running
 * or not.  The keys of the JSON are an interface (sparktail(8)).  It is a
 * ledger: status_agrees() says whether every row and every event has its one
 * account. Pure but for looking at the size of the accounting files.
 */

#include <stdbool.h>
#include <stdint.h>

#include "app/config.h"
#include "base/buf.h"
#include "spool/spool_view.h"

/* Do the sums agree, for the whole and for each file?  Else "why" says which
 * do not. */
bool status_agrees(const struct spool_view *view, struct buf *why);

void status_json(const struct spool_view *view, const struct config *config,
		 int64_t now_s, struct buf *out);
void status_text(const struct spool_view *view, const struct config *config,
		 int64_t now_s, struct buf *out);

/* What of all that waits will be too old before it is sent. */
void status_forecast(const struct spool_view *view, const struct config *config,
		     int64_t now_s, struct forecast *out);

/* One source as it stands now. */
struct status_source {
	int64_t size;	   /* on disk now, or as seen last */
	int64_t lag_bytes; /* not read yet */
	int64_t lag_s;	   /* since it was read last, 0 without lag */
};
void status_source(const struct position *position, int64_t now_s,
		   struct status_source *out);

#endif /* APP_STATUS_H */
