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
 * Intake, one thread: spool_settle(), spool_stage() for each batch and then
 * spool_commit(), or spool_save() alone, spool_settled(); spool_make_room().
 * Delivery, one thread: spool_take(), spool_open_batch(), spool_depart() or
 * spool_put_back().
 *
 * A commit: its batches go to tmp/, the checkpoint that covers them to
 * checkpoint.next, then by rename the ones into ready/, the other to its name;
 * each is synced before the next.  spool_open() finishes a commit of which a
 * batch is in ready/, and undoes any other (spool_seal.c).
 *
 * Departures: a batch leaves ready/ by a rename into sent/ under a name with a
 * growing number of departure.  The checkpoint says up to which number they are
 * in its ledger, what lies beyond is counted at start: no crash counts one
 * twice or not at all.  Then the file goes (or is kept for keep_sent_s).
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
#include "spool/deadlines.h"

enum {
	SPOOL_WINDOW = 1024,
	SPOOL_GROUP = 64,     /* batches in a commit */
	SPOOL_DEPARTURES = 16 /* that leave together */
};

struct spool;

struct spool_settings {
	char *directory;
	uint64_t min_free_bytes; /* 20 MiB; 0 = off */
	uint64_t max_bytes;	 /* of ready/; 0 = off */
	bool pause;		 /* on_full: stop reading, evict nothing */
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
	/* Batches beyond a checkpoint that was missing, damaged or older than
	 * the spool; of each source the furthest, which moves it forward
	 * (sources_advance_to).  Their events are in the ledger's account
	 * already, of their rows nothing is known. */
	struct batch *beyond;
	size_t beyond_count;
	uint64_t tmp_removed; /* files removed from tmp/ */
};

/*
 * Make the directories (but not the one above), take the lock, finish or undo
 * a commit that was cut short, empty tmp/, read the checkpoint, count
 * departures.  "why" is one line with the path and the remedy.
 */
enum spool_open_status spool_open(const struct spool_settings *settings,
				  struct spool **spool_out,
				  struct spool_found *found_out,
				  struct buf *why);
void spool_found_release(struct spool_found *found);

void spool_close(struct spool **spool);

/* New limits after a reload; any thread.  The directory stays the same. */
void spool_configure(struct spool *spool,
		     const struct spool_settings *settings);

/* The number the next batch will have; it grows with each that is staged. */
uint64_t spool_next_seq(const struct spool *spool);

/*
 * Put a batch whose fields are filled (seq from spool_next_seq(), bytes =
 * gz.len) into the next commit, which holds up to SPOOL_GROUP of them, those of
 * a source in their order.  Then commit them, together with the checkpoint text
 * that covers them all: its seq is the last one's number, its group
 * spool_staged().
 *
 * After a failure of either nothing has changed and nothing is staged: no batch
 * is in ready/, nor in the checkpoint.  ENOSPC and EDQUOT are worth another try
 * after spool_make_room().  EINVAL: number, size or range are wrong, or there
 * are too many or none.  What a failure could not undo, the next stage or
 * save undoes, and fails until it can; after a crash it is undone or finished,
 * never half.
 */
int spool_stage(struct spool *spool, const struct batch *batch,
		struct slice gz);
int spool_commit(struct spool *spool, struct slice checkpoint);

/* How many are staged; and let go of them. */
size_t spool_staged(const struct spool *spool);
void spool_unstage(struct spool *spool);

/* A commit of one. */
int spool_seal(struct spool *spool, const struct batch *batch, struct slice gz,
	       struct slice checkpoint);

/* The checkpoint alone, while nothing is staged; its seq is that of the last
 * commit. */
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
 * How many went, or -1: ENOSPC when room is short and nothing left to remove,
 * EAGAIN when a good number went and it is still short: call again.
 * "room": bytes about to be written.  Expired is a batch whose newest event is
 * too old.  With "pause" only expired ones go.
 */
struct spool_evicted {
	uint64_t batches, events, bytes;
	int64_t oldest_s; /* the oldest event */
	bool expired;	  /* all of them were past max_age */
};
int spool_make_room(struct spool *spool, uint64_t room, int64_t now_s,
		    struct spool_evicted *evicted_out);

/* Would "bytes" more stay within the limits, without removing anything?  And
 * with a good part of them to spare? */
bool spool_has_room(struct spool *spool, uint64_t bytes);
bool spool_is_roomy(struct spool *spool, uint64_t bytes);

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
 * The same of several, BATCH_SENT and BATCH_REFUSED alone, which share the
 * syncs.  All of them have left, or none.
 */
struct spool_departure {
	const struct batch *batch;
	enum batch_departure why;
	uint32_t refused;
};
int spool_depart_all(struct spool *spool,
		     const struct spool_departure *departures, size_t count);

/*
 * Note in sent/accepted.ndjson that the service took events [first, first +
 * count) of the batch under this id; durable.  At 8 MiB it becomes
 * accepted.1.ndjson.  A line has id, batch, first, count and time.
 */
struct spool_accepted {
	const struct batch *batch;
	uint32_t first, count;
	const char *id;
};
int spool_note_accepted(struct spool *spool, const struct spool_accepted *notes,
			size_t count, int64_t now_s);

/*
 * Keep events the service refused: NAME-<first>.ndjson.gz and beside it
 * NAME-<first>.json with batch, first, count, status, words and time.  The same
 * events again replace the same files, so a repeat after a crash is harmless.
 * "words": the reply's text, at most 64 KiB of it are kept.
 */
int spool_refuse(struct spool *spool, const struct batch *batch, uint32_t first,
		 uint32_t count, struct slice gz, int status,
		 struct slice words, int64_t now_s);

/* Append lines "source,offset,reason,row" to refused/rows.csv; durable.  At
 * 16 MiB the older half goes. */
int spool_add_rows(struct spool *spool, struct slice csv_lines);

/* What of all that waits will be too old before it can be sent. */
void spool_forecast(struct spool *spool, double rate, int64_t now_s,
		    struct forecast *out);

struct spool_totals {
	uint64_t batches, events, bytes; /* in ready/ */
	int64_t oldest_event_s;		 /* 0 = none */
	uint64_t free_bytes;
	uint64_t refused_files; /* batches kept in refused/; a view's alone */
};
void spool_totals(struct spool *spool, struct spool_totals *totals_out);

/* Call "wake" after each commit (from the sealing thread), and after each of
 * delivery's departures (from its thread).  Set before the second thread. */
void spool_on_seal(struct spool *spool, void (*wake)(void *ctx), void *ctx);
void spool_on_depart(struct spool *spool, void (*wake)(void *ctx), void *ctx);

#endif /* SPOOL_SPOOL_H */
