/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STANDIN_OUTCOMES_H
#define STANDIN_OUTCOMES_H

/*
 * outcomes - the list that tells what became of batches
 *
 * Understands batch_ids, events, error_types, retryable, from, to, per_page
 * and cursor.  "to" is not one minute ago when it is left out: a test would
 * have to wait for it.
 */

#include "tools/standin/serve.h"

/* Append the JSON.  0, or -1 for a parameter that is none.  Lock held. */
int outcomes_write(struct serve *serve, struct MHD_Connection *connection,
		   struct buf *out);

#endif /* STANDIN_OUTCOMES_H */
