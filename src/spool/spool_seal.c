/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"

/*
 * The commit, step by step, for batch N on a checkpoint of N-1:
 *
 *	1 tmp/N written and synced	a crash leaves rubbish in tmp/
 *	2 checkpoint.next written,	... and one that waits for a batch
 *	  synced, and its directory	that is not there: removed at start
 *	3 tmp/N renamed to ready/N	both are there: adopted at start
 *	4 ready/ synced			from here on N is committed
 *	5 checkpoint.next renamed to	either name holds the same truth
 *	  checkpoint.json, and synced
 *
 * The directory is synced in 2 so that no crash can keep the rename of 3 and
 * forget checkpoint.next: the batch would move its source forward, but the
 * ledger would not know its rows.
 *
 * A failure up to 4 undoes what was done, in the order in which a crash
 * between the two finds nothing to adopt: first ready/N, then
 * checkpoint.next.  When ready/N cannot be removed, or its removal not synced,
 * this is remembered ("undo", "unsynced"; checkpoint.next stays) and done first
 * by whatever seals or saves next, which fails until it succeeds.  So nothing
 *durable ever follows a batch of which it is not known whether it will be there
 *after a crash: either it is gone, or a start finds it with its checkpoint.next
 *and finishes the commit, and then nobody has read the same rows into another
 *batch. Meanwhile delivery does not see it, for its number is not committed.
 *
 * A failure in 5 is not the seal's: the batch is durable and so is
 * checkpoint.next, which recovery and view prefer.  The seal succeeds, and the
 * rename is due ("uninstalled") before checkpoint.next may be written again; if
 * it fails then, the next seal or save fails.  When only the last sync fails,
 * nothing needs to be remembered: old and new name lead to a checkpoint that
 * holds, and step 2 of the next commit syncs the same directory.
 *
 * The number of a failed seal is used again, since nothing of it is left.
 */

/* Do first what an earlier failure left. */
static int seal_mend(struct spool *spool)
{
	const struct spool_rooms *rooms = &spool->rooms;

	if (spool->undo) {
		if (unlinkat(rooms->ready, spool->undo_name, 0) < 0 &&
		    errno != ENOENT)
			return -1;
		spool->undo = false;
		spool->unsynced = true;
	}
	if (spool->unsynced) {
		if (fs_sync_dir(rooms->ready) < 0)
			return -1;
		spool->unsynced = false;
	}
	if (spool->uninstalled) {
		if (renameat(rooms->dir, SPOOL_NEXT, rooms->dir,
			     SPOOL_CHECKPOINT) < 0)
			return -1;
		spool->uninstalled = false;
	}
	return 0;
}

static int store_text(struct spool *spool, struct slice text)
{
	int dir = spool->rooms.dir;

	spool->text_bytes = text.len;
	if (fs_store(dir, SPOOL_NEXT, text.p, text.len) == 0)
		return 0;
	if (!spool_reserve_give(spool))
		return -1;
	return fs_store(dir, SPOOL_NEXT, text.p, text.len);
}

static int store_next(struct spool *spool, struct slice text)
{
	if (store_text(spool, text) < 0)
		return -1;
	crash_point("seal.stored");
	return fs_sync_dir(spool->rooms.dir);
}

/* Steps 2 to 4.  "placed": there is something to take out of ready/. */
static int seal_commit(struct spool *spool, const char *name,
		       struct slice checkpoint, bool *placed)
{
	if (store_next(spool, checkpoint) < 0)
		return -1;
	crash_point("seal.next");
	if (renameat(spool->rooms.tmp, name, spool->rooms.ready, name) < 0)
		return -1;
	*placed = true;
	crash_point("seal.placed");
	return fs_sync_dir(spool->rooms.ready);
}

static void seal_undo(struct spool *spool, const char *name, bool placed)
{
	int saved = errno;

	if (placed) {
		spool->undo = true;
		snprintf(spool->undo_name, sizeof(spool->undo_name), "%s",
			 name);
		seal_mend(spool);
	} else {
		unlinkat(spool->rooms.tmp, name, 0);
	}
	/* A start that finds the batch wants its checkpoint as well. */
	if (!spool->undo && !spool->unsynced)
		unlinkat(spool->rooms.dir, SPOOL_NEXT, 0);
	errno = saved;
}

static void seal_install(struct spool *spool)
{
	int dir = spool->rooms.dir;

	if (renameat(dir, SPOOL_NEXT, dir, SPOOL_CHECKPOINT) < 0) {
		spool->uninstalled = true;
		return;
	}
	crash_point("seal.renamed");
	fs_sync_dir(dir);
}

static void seal_publish(struct spool *spool, const struct batch *batch)
{
	pthread_mutex_lock(&spool->mutex);
	spool->seq = batch->seq;
	spool_window_append(spool, batch);
	pthread_mutex_unlock(&spool->mutex);
	if (spool->on_seal)
		spool->on_seal(spool->on_seal_ctx);
}

int spool_seal(struct spool *spool, const struct batch *batch, struct slice gz,
	       struct slice checkpoint)
{
	char name[BATCH_NAME];
	struct batch named;
	bool placed = false;

	batch_name(batch, name);
	/* As the directory will tell it, and nothing that it cannot tell. */
	if (batch_parse(slice_str(name), &named) < 0 ||
	    named.departure != BATCH_READY || named.from != batch->from ||
	    named.to != batch->to || named.number != batch->number ||
	    named.seq != spool_next_seq(spool) || named.bytes != gz.len) {
		errno = EINVAL;
		return -1;
	}
	if (seal_mend(spool) < 0)
		return -1;
	if (fs_store(spool->rooms.tmp, name, gz.p, gz.len) < 0)
		return -1;
	crash_point("seal.written");
	if (seal_commit(spool, name, checkpoint, &placed) < 0) {
		seal_undo(spool, name, placed);
		return -1;
	}
	crash_point("seal.committed");
	seal_install(spool);
	crash_point("seal.installed");
	seal_publish(spool, &named);
	spool_reserve_keep(spool);
	return 0;
}

int spool_save(struct spool *spool, struct slice checkpoint)
{
	int dir = spool->rooms.dir;
	int saved;

	if (seal_mend(spool) < 0)
		return -1;
	if (store_text(spool, checkpoint) == 0) {
		crash_point("save.stored");
		if (renameat(dir, SPOOL_NEXT, dir, SPOOL_CHECKPOINT) == 0) {
			crash_point("save.renamed");
			spool_reserve_keep(spool);
			return fs_sync_dir(dir);
		}
	}
	saved = errno;
	unlinkat(dir, SPOOL_NEXT, 0);
	errno = saved;
	return -1;
}

uint64_t spool_next_seq(const struct spool *spool)
{
	return spool->seq + 1;
}

void spool_on_seal(struct spool *spool, void (*wake)(void *ctx), void *ctx)
{
	spool->on_seal = wake;
	spool->on_seal_ctx = ctx;
}

void spool_on_depart(struct spool *spool, void (*wake)(void *ctx), void *ctx)
{
	spool->on_depart = wake;
	spool->on_depart_ctx = ctx;
}
