/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ACCT_SCRATCH_H
#define ACCT_SCRATCH_H

/*
 * scratch - memory for the texts that one row makes
 *
 *	scratch_reset(&s);		before each row: all of it is free
 *	p = scratch_take(&s, n);	stays where it is until the next reset
 *	text = scratch_copy(&s, slice);
 *
 * The usual row fits the first piece, which is kept, so that rows take no
 * memory.  A row is bounded by max_row, and so is what is made of it.
 */

#include "base/slice.h"

struct scratch_piece;

struct scratch {
	struct scratch_piece *pieces; /* the newest first */
	size_t used;		      /* of the newest */
};

void scratch_init(struct scratch *scratch);
void scratch_release(struct scratch *scratch);
void scratch_reset(struct scratch *scratch);

char *scratch_take(struct scratch *scratch, size_t size)
	__attribute__((returns_nonnull));
struct slice scratch_copy(struct scratch *scratch, struct slice text);

#endif /* ACCT_SCRATCH_H */
