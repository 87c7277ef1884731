/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_KEPT_H
#define ACCT_KEPT_H

/*
 * kept - what was read from a text before
 *
 *	struct kept kept[KEPT];
 *	kept_init(kept, most);
 *	k = kept_place(kept, text);
 *	if (kept_is(k, text)) ...	what k says is of that text
 *	kept_release(kept);
 *
 * For encoded subjects and senders' headers, which mail of one campaign shares
 * and which take long to read.  Where a text is kept depends on a few of its
 * bytes; what comes to the same place replaces what was there.
 */

#include <stdbool.h>

#include "base/buf.h"

enum {
	KEPT = 16,
	KEPT_MAX = 1000 /* a longer text is read anew each time */
};

struct kept {
	struct buf from;
	struct buf text; /* decoded */
	size_t at, len;	 /* of the address */
};

/* "text_max" is that of the decoded one. */
void kept_init(struct kept kept[KEPT], size_t text_max);
void kept_release(struct kept kept[KEPT]);

/* The place for a text, which may hold another one. */
struct kept *kept_place(struct kept kept[KEPT], struct slice text);

static inline bool kept_is(const struct kept *kept, struct slice text)
{
	return text.len && slice_eq(text, buf_slice(&kept->from));
}

#endif /* ACCT_KEPT_H */
