/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_INTAKE_H
#define APP_INTAKE_H

/*
 * intake - from accounting files to sealed batches
 *
 *	struct intake *in = intake_new(config, spool, &found, now_ms, now_s);
 *	for (;;) {
 *		wait_ms = intake_step(in, now_ms, now_s);
 *		wait, at most that long; hand notices to intake_notice()
 *	}
 *	intake_flush(in);  intake_step() until intake_done();
 *	intake_save(in, now_s);
 *	intake_free(&in);
 *
 * A step seals at most INTAKE_TURN groups of the blocks that are due, or one
 * more block of one file, and saves the checkpoint when something changed that
 * no seal carried.  The order of a seal is the spool's (spool.h); what makes a
 * block, sources.h's.
 *
 * It owns the ledger, and is the only one that writes the checkpoint.  What
 * delivery did reaches the ledger through the spool's departures, what delivery
 * says about itself through intake_uploads().
 *
 * When the disk fails or is full nothing is lost: the block is read again.
 * It is said once, and once when it is over.
 *
 * One thread, but intake_refused() from any.
 */

#include <stdbool.h>
#include <stdint.h>

#include "app/config.h"
#include "ingest/delivery.h"
#include "spool/spool.h"

enum { INTAKE_TURN = 4, INTAKE_SAVE_MS = 1000, INTAKE_RETRY_MS = 2000 };

struct intake;

/* "config" stays the caller's and must outlive the intake or its next
 * intake_configure(); "found" is only read. */
struct intake *intake_new(const struct config *config, struct spool *spool,
			  const struct spool_found *found, int64_t now_ms,
			  int64_t now_s);
void intake_free(struct intake **intake);

/* Another configuration: sources, mapping and limits change, positions stay. */
void intake_configure(struct intake *intake, const struct config *config,
		      int64_t now_ms, int64_t now_s);

/* The milliseconds until it wants to be called again without any event. */
int64_t intake_step(struct intake *intake, int64_t now_ms, int64_t now_s);

/* A watcher's hint; and "look at everything", after an overflow. */
void intake_notice(struct intake *intake, const char *directory,
		   const char *name, int64_t now_ms, int64_t now_s);
void intake_rescan(struct intake *intake, int64_t now_ms, int64_t now_s);

/* A number that grows with each rescan: the directories may be others. */
uint64_t intake_scans(const struct intake *intake);

/* The i-th directory to watch, NULL after the last. */
const char *intake_directory(const struct intake *intake, size_t i);

/* Rows were seen that are not sealed yet: wait without reading notices. */
bool intake_pending(const struct intake *intake);

/* Seal what is there now, without waiting for batch.max_delay. */
void intake_flush(struct intake *intake);

/* After intake_flush(): is everything sealed that can be?  A block that could
 * not be made durable counts as not done. */
bool intake_done(struct intake *intake, int64_t now_ms);

/* Is all that left the spool in the ledger?  If not, intake_save() puts it
 * there; an eviction among it may be healed at once. */
bool intake_settled(const struct intake *intake);

/* Evicted events are being read again; once waits for it. */
bool intake_healing(const struct intake *intake);

/* Reading pauses because the spool is full (spool.on_full). */
bool intake_paused(const struct intake *intake);

/* The disk refuses; the last block is waiting for another try. */
bool intake_stuck(const struct intake *intake);

/* What delivery says of itself, for the checkpoint and status. */
void intake_uploads(struct intake *intake, const struct delivery_state *state,
		    int64_t now_ms);

/* Save the checkpoint now if anything changed.  0, or -1 (said in the log). */
int intake_save(struct intake *intake, int64_t now_s);

/*
 * An event of "batch" was refused by the service: find its row in the
 * accounting file and keep it in refused/rows.csv.  Thread-safe; the row is
 * looked up by a later step.  "json" is the event's line.
 */
void intake_refused(struct intake *intake, const struct batch *batch,
		    struct slice json);

/* One line for the log (SIGUSR1) and the supervisor's STATUS. */
void intake_summary(struct intake *intake, struct buf *out);

#endif /* APP_INTAKE_H */
