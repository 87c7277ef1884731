/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_COUNTED_H
#define APP_COUNTED_H

/*
 * counted - finished files against what PowerMTA counted in them
 *
 *	struct counted *c = counted_new(config);
 *	wait_ms = counted_step(c, intake, now_ms, now_s);  before intake_step()
 *	counted_configure(c, config);
 *	counted_free(&c);
 *
 * When a file is finished or gone, its rows are compared with the records that
 * sources[].pmta_log gives for it (pmta_log.h), once: a difference is logged,
 * agreement only with log.verbose, and either is kept in the position, for
 * status and the checkpoint.
 *
 * PowerMTA writes its line when it moves the file, which may be later.  So the
 * logs are read again every COUNTED_EVERY_MS as long as a file that was read
 * within COUNTED_PATIENCE_S waits for its line, and not at all otherwise.  A
 * step reads COUNTED_TURN bytes, and wants to be called again at once when
 * there is more.
 *
 * The log is that of the entry whose path matches the file's.  Where that has
 * none (the directory of move-to), any log counts whose entries would have the
 * file's name.  Files that began with start: end, were truncated, or whose
 * account was lost with a checkpoint, are not compared: not all of their rows
 * are in the account (POSITION_PMTA_NEVER).
 *
 * The intake's thread.
 */

#include <stdint.h>

#include "app/config.h"
#include "app/intake.h"

enum {
	COUNTED_EVERY_MS = 60000,
	COUNTED_PATIENCE_S = 8 * 86400, /* PowerMTA's delete-after */
	COUNTED_TURN = 4 << 20
};

struct counted;

/* "config" stays the caller's and must outlive it, or the next configure. */
struct counted *counted_new(const struct config *config);
void counted_free(struct counted **counted);

/* Another configuration; logs begin anew. */
void counted_configure(struct counted *counted, const struct config *config);

/* The milliseconds until it wants to be called again; INT64_MAX: not before
 * something happens. */
int64_t counted_step(struct counted *counted, struct intake *intake,
		     int64_t now_ms, int64_t now_s);

#endif /* APP_COUNTED_H */
