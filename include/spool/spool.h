/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

/*
 * spool - sealed batches on disk, between intake and delivery
 *
 *	lock             held while a shipper runs; its text is the pid
 *	checkpoint.json  replaced whole; checkpoint.next while it is written
 *	tmp/             being written; emptied by spool_open()
 *	ready/           sealed batches, exact HTTP bodies
 *	sent/            batches that have left ready/, until the ledger knows
 *	                 (and as long as keep_sent_s says); accepted.ndjson
 *	refused/         events the service turned down; rows.csv
 *
 * Intake (one thread, which also saves the checkpoint):
 *
 *	spool_seal(spool, &batch, gz, text)	a batch and the checkpoint that
 *						covers it, in one commit
 *	spool_save(spool, text)			the checkpoint alone
 *	spool_settle(spool, ledger)		departures into the ledger
 *
 * Delivery (one thread):
 *
 *	spool_take(spool, &batch)		the oldest one not in flight
 *	spool_open_batch(spool, &batch)		its bytes
 *	spool_depart(spool, &batch, ...)	accepted
 *	spool_put_back(spool, &batch)		not now
 *
 * The order of a commit.  The batch is written to tmp/ and synced; the next
 * checkpoint, which covers it, to checkpoint.next and synced; then the batch is
 * renamed into ready/ and ready/ synced; then checkpoint.next is renamed to
 * checkpoint.json and the directory synced.  A crash before the first rename
 * leaves nothing; between the renames it leaves a batch whose number is the one
 * checkpoint.next waits for, and spool_open() finishes the commit.
 *
 * Departures.  A batch leaves ready/ by a rename into sent/ under a name with
 * a growing number of departure, and the checkpoint says up to which number
 * departures are in its ledger: what lies beyond is counted at start, so no
 * crash counts one twice or not at all.  After the checkpoint is durable
 * the file is removed (or kept for keep_sent_s).
 *
 * Memory holds totals and a window of SPOOL_WINDOW batches, read again from
 * the directory when it is used up: a backlog of any size costs the same.
 * Names that are not ours are left alone.
 *
 * Errors: 0 or a count, or -1 with errno.  The two threads may call at the
 * same time; the spool locks itself.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "spool/batch.h"
#include "spool/checkpoint.h"

enum { SPOOL_WINDOW = 1024 };

struct spool;

struct spool_settings {
	char *directory;
	uint64_t min_free_bytes; /* 20 MiB; 0 = off */
	uint64_t max_bytes;	 /* of ready/; 0 = off */
	int64_t keep_sent_s;	 /* 0 = remove at once */
	int64_t max_age_s;	 /* events.max_age: older ones have expired */
};

enum spool_open_status {
	SPOOL_OPEN_OK = 0,
	SPOOL_OPEN_TAKEN,  /* another process holds the lock (exit 75) */
	SPOOL_OPEN_FAILED, /* why says what and where (exit 73 or 74) */
	SPOOL_OPEN_NEWER   /* its checkpoint is a later version's (exit 78) */
};

/* What spool_open() found; release with spool_found_release(). */
struct spool_found {
	bool fresh; /* no checkpoint, no batch: a first start */
	struct checkpoint checkpoint; /* with departures already settled and
					 seq the highest ever seen */
	bool damaged; /* it was set aside as checkpoint.damaged */
	/* Batches in ready/ and sent/ beyond the checkpoint, of each source
	 * identity the furthest: it moves its source forward
	 * (sources_advance_to).  Only where the checkpoint was missing, damaged
	 * or older than the spool.  Their events are in the ledger's account
	 * already; of their rows nothing is known. */
	struct batch *beyond;
	size_t beyond_count;
	uint64_t tmp_removed; /* files removed from tmp/ */
};

/*
 * Make the directories (but not the one above), take the lock, finish or undo
 * a commit that was cut short, empty tmp/, read the checkpoint, count
 * departures.  After anything but SPOOL_OPEN_OK there is no spool, and "why" is
 * one line that names the path and the remedy.
 */
enum spool_open_status spool_open(const struct spool_settings *settings,
				  struct spool **spool_out,
				  struct spool_found *found_out,
				  struct buf *why);
void spool_found_release(struct spool_found *found);

/* Give the lock back.  Files stay. */
void spool_close(struct spool **spool);

/* New limits after a reload; any thread.  The directory stays the same. */
void spool_configure(struct spool *spool,
		     const struct spool_settings *settings);

/* The number the next batch will have. */
uint64_t spool_next_seq(const struct spool *spool);

/*
 * Commit a batch whose fields are filled (seq from spool_next_seq(), bytes =
 * gz.len) together with the checkpoint text that covers it.  After a failure
 * nothing has changed: not in ready/, not in the checkpoint.  ENOSPC and EDQUOT
 * are worth another try after spool_make_room().  EINVAL: the batch cannot be
 * named so, or its number or size is not what it must be.
 *
 * What a failure could not undo is undone by the next seal or save, which
 * fails until that works; should the process die first, the next start finds
 * the commit either undone or finished, never half.
 */
int spool_seal(struct spool *spool, const struct batch *batch, struct slice gz,
	       struct slice checkpoint);

/* Make the checkpoint durable alone; its seq is that of the last seal. */
int spool_save(struct spool *spool, struct slice checkpoint);

/*
 * Departures not in the ledger yet: add them to "ledger", and return the
 * number to store as checkpoint.departures.  When a checkpoint that says so is
 * durable (spool_save, spool_seal), call spool_settled() with that number:
 * then the files may go.
 */
uint64_t spool_settle(struct spool *spool, struct ledger *ledger);
void spool_settled(struct spool *spool, uint64_t departures);

/* Are there departures that no durable checkpoint knows? */
bool spool_unsettled(struct spool *spool);

/*
 * Keep min_free_bytes free and ready/ within max_bytes: remove batches whose
 * events have all expired, then the oldest, never one in flight.
 * How many went (what is still missing then, the next call tells), or -1: with
 * ENOSPC when there is too little room and nothing left to remove.  "room":
 * bytes about to be written.  A batch counts as expired when even an event of
 * the moment of its sealing would be too old.
 */
struct spool_evicted {
	uint64_t batches, events, bytes;
	int64_t oldest_s, newest_s; /* the oldest event, the last sealing */
	bool expired;		    /* all of them were past max_age */
};
int spool_make_room(struct spool *spool, uint64_t room, int64_t now_s,
		    struct spool_evicted *evicted_out);

/* Remove from sent/ what was kept longer than keep_sent_s. */
void spool_clean(struct spool *spool, int64_t now_s);

/*
 * 1 and the oldest batch that is not in flight, 0 when none (or 64 are in
 * flight), or -1.  One that somebody removed is passed over; one without bytes
 * is an eviction that a crash cut short, and departs as that.
 */
int spool_take(struct spool *spool, struct batch *batch_out);
void spool_put_back(struct spool *spool, const struct batch *batch);

/* A descriptor for reading, or -1; EBADMSG when its size is not the one in its
 * name, so that it is not what was sealed. */
int spool_open_batch(struct spool *spool, const struct batch *batch);

/*
 * It has left: BATCH_SENT with "refused" events refused, BATCH_REFUSED, or
 * BATCH_EXPIRED (then its bytes are given back).  Renamed and both directories
 * synced when this returns 0; after a failure it is in flight as before, to be
 * tried again or put back.  EINVAL: it is not in flight.
 */
int spool_depart(struct spool *spool, const struct batch *batch,
		 enum batch_departure why, uint32_t refused);

/*
 * Note in sent/accepted.ndjson that the service took events [first, first +
 * count) of the batch under this id: a line with id, batch, first, count and
 * time.  Durable when this returns 0.  Kept up to 8 MiB twice
 * (accepted.1.ndjson is the older).
 */
int spool_note_accepted(struct spool *spool, const struct batch *batch,
			uint32_t first, uint32_t count, const char *id,
			int64_t now_s);

/*
 * Keep events the service refused: NAME-<first>.ndjson.gz and beside it
 * NAME-<first>.json with batch, first, count, status, words and time, where
 * NAME is the batch's without its suffix.  The same
 * events again replace the same files, so a repeat after a crash is harmless.
 * "words" is the reply's text, capped and repaired by the caller.
 */
int spool_refuse(struct spool *spool, const struct batch *batch, uint32_t first,
		 uint32_t count, struct slice gz, int status,
		 struct slice words, int64_t now_s);

/*
 * Append lines "source,offset,reason,row" to refused/rows.csv; its size is
 * capped at 16 MiB, the older half goes first.
 */
int spool_add_rows(struct spool *spool, struct slice csv_lines);

struct spool_totals {
	uint64_t batches, events, bytes; /* in ready/ */
	int64_t oldest_event_s;		 /* 0 = none */
	uint64_t free_bytes;
	uint64_t refused_files; /* batches kept in refused/ */
};
void spool_totals(struct spool *spool, struct spool_totals *totals_out);

/* Both are set before there is a second thread.
 * Called (from the sealing thread) after each seal; for waking delivery. */
void spool_on_seal(struct spool *spool, void (*wake)(void *ctx), void *ctx);

/* Called (from delivery's thread) after each departure; for waking intake. */
void spool_on_depart(struct spool *spool, void (*wake)(void *ctx), void *ctx);

/* --- Reading a spool that somebody else may hold (status) --- */

struct spool_view {
	bool running;
	int64_t pid;			     /* of the holder, 0 = none */
	struct checkpoint checkpoint;	     /* departures settled */
	bool has_checkpoint, damaged, newer; /* damaged: the next start sets
						aside and rebuilds */
	struct spool_totals totals;
	uint64_t batches_kept; /* in sent/ */
};

/*
 * A view of the directory that agrees with itself even while a shipper works,
 * without a lock: what it missed it reads again (spool_view.c says how it
 * knows).  Nothing is changed.  0 or -1 and why.  Release with
 * spool_view_release().
 */
int spool_view(const char *directory, struct spool_view *view_out,
	       struct buf *why);
void spool_view_release(struct spool_view *view);

#endif /* SPOOL_SPOOL_H */
