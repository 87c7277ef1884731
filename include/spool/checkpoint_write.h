/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_CHECKPOINT_WRITE_H
#define SPOOL_CHECKPOINT_WRITE_H

/*
 * checkpoint_write - the checkpoint's parts as text, for its writer alone
 *
 * Appended to "out", whose overflow says that they did not fit.
 */

#include "spool/checkpoint.h"
#include "spool/checkpoint_headers.h"

/* From the first brace to the bracket of the positions. */
void checkpoint_write_head(struct buf *out,
			   const struct checkpoint *checkpoint);

/* A line of its own; its header goes to "headers". */
void checkpoint_write_position(struct buf *out, const struct position *position,
			       struct checkpoint_headers *headers);

#endif /* SPOOL_CHECKPOINT_WRITE_H */
