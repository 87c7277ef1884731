/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_REFUSED_H
#define ACCT_REFUSED_H

/*
 * refused - lines of refused/rows.csv
 *
 *	offset,reason,"the row's text, its quotes doubled"LF
 *
 * A line break inside of the row stays a line break, as CSV allows.  The text
 * is cut at REFUSED_TEXT bytes and made UTF-8.
 */

#include <stdint.h>

#include "acct/mask.h"

enum { REFUSED_TEXT = 64 << 10, REFUSED_MAX = 1 << 20 };

struct refused_row {
	int64_t offset;
	const char *reason;
	struct slice text;
	bool hide;		 /* mask addresses (events.privacy: sha1) */
	const struct mask *mask; /* the recipient's, if it is known */
};

/* Memory to work in. */
struct refused {
	struct buf text, spare, spare2;
};

void refused_init(struct refused *refused);
void refused_release(struct refused *refused);

/* Append a line.  0, or -1 when it does not fit; then nothing is appended. */
int refused_add(struct refused *refused, const struct refused_row *row,
		struct buf *lines);

#endif /* ACCT_REFUSED_H */
