/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_LOST_H
#define APP_LOST_H

/*
 * lost - refused events whose rows are still to be found
 *
 * Delivery meets a refused event on its own thread; the row is looked up on
 * intake's, which knows the files.  At most LOST_MAX wait in between: what is
 * beyond has its event in refused/ all the same, only no row beside it.
 * lost_add() from any thread, the rest from one.
 */

#include "app/config.h"
#include "follow/sources.h"
#include "spool/spool.h"

enum { LOST_MAX = 1024 };

struct lost;

struct lost *lost_new(void);
void lost_free(struct lost **lost);

/* "json" is the event's line. */
void lost_add(struct lost *lost, const struct batch *batch, struct slice json);

/* Look up what waits and append the rows to refused/rows.csv. */
void lost_find(struct lost *lost, const struct config *config,
	       struct sources *sources, struct spool *spool);

#endif /* APP_LOST_H */
