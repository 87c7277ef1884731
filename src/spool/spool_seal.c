/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"

/*
 * The commit, step by step, for a group of batches on a checkpoint without
 * them.  Mostly it is a group of one, the block of one busy file; but where
 * many files have a few rows each, their blocks share the syncs.
 *
 *	1 tmp/N.. written and synced,	a crash leaves rubbish in tmp/
 *	  and tmp/ if they are many
 *	2 checkpoint.next written,	... and one that waits for batches
 *	  synced, and its directory	that are not there: removed at start
 *	3 tmp/N.. renamed to ready/N..	some are there: at start the others
 *					follow, and all are adopted
 *	4 ready/ synced			from here on they are committed
 *	5 checkpoint.next renamed to	either name holds the same truth
 *	  checkpoint.json, and synced
 *
 * The directory is synced in 2 so that no crash can keep a rename of 3 and
 * forget checkpoint.next: the batch would move its source forward, but the
 * ledger would not know its rows.  And tmp/ is synced in 1 so that none can
 * keep the rename of one and forget another: it is under one of both names.
 *
 * A failure up to 4 undoes what was done, in an order in which a crash always
 * finds either all of the group or nothing to adopt: first what is in ready/
 * goes back to tmp/, and ready/ is synced; then checkpoint.next goes, and the
 * files in tmp/.  (One alone is whole in itself: it is removed at once, for
 * which a full disk has room.)  What of this fails is remembered ("undo",
 * "unsynced", the group itself; checkpoint.next stays) and done first by
 * whatever stages or saves next, which fails until it succeeds.  So nothing
 * durable ever follows a batch of which it is not known whether it will be
 * there after a crash: either it is gone, or a start finds the group with its
 * checkpoint.next and finishes the commit, and then nobody has read the same
 * rows into another batch.  Meanwhile delivery does not see it, for its number
 * is not committed.
 *
 * A failure in 5 is not the commit's: the batches are durable and so is
 * checkpoint.next, which recovery and view prefer.  The commit succeeds, and
 * the rename is due ("uninstalled") before checkpoint.next may be written
 * again; if it fails then, the next stage or save fails.  When only the last
 * sync fails, nothing needs to be remembered: old and new name lead to a
 * checkpoint that holds, and step 2 of the next commit syncs the same
 * directory.
 *
 * The numbers of a failed group are used again, since nothing of it is left.
 */

/* --- Taking back --- */

static void group_close(struct spool *spool)
{
	for (size_t i = 0; i < spool->group_count; i++)
		fs_close(&spool->group_fds[i]);
}

static int take_back(const struct spool *spool, const struct batch *batch)
{
	const struct spool_rooms *rooms = &spool->rooms;
	char name[BATCH_NAME];
	int status;

	batch_name(batch, name);
	if (spool->group_count == 1)
		status = unlinkat(rooms->ready, name, 0);
	else
		status = renameat(rooms->ready, name, rooms->tmp, name);
	return status < 0 && errno != ENOENT ? -1 : 0;
}

/* Out of ready/, durably. */
static int undo_placed(struct spool *spool)
{
	if (spool->undo) {
		for (size_t i = 0; i < spool->group_count; i++) {
			if (take_back(spool, &spool->group[i]) < 0)
				return -1;
		}
		spool->undo = false;
		spool->unsynced = true;
	}
	if (spool->unsynced && fs_sync_dir(spool->rooms.ready) < 0)
		return -1;
	spool->unsynced = false;
	return 0;
}

/* A file that stayed would be taken for one of a later group. */
static int undo_written(struct spool *spool)
{
	char name[BATCH_NAME];

	while (spool->group_count) {
		batch_name(&spool->group[spool->group_count - 1], name);
		if (unlinkat(spool->rooms.tmp, name, 0) < 0 && errno != ENOENT)
			return -1;
		spool->group_count--;
	}
	return 0;
}

/* Do first what an earlier failure left. */
static int seal_mend(struct spool *spool)
{
	const struct spool_rooms *rooms = &spool->rooms;

	if (undo_placed(spool) < 0 || undo_written(spool) < 0)
		return -1;
	if (spool->uninstalled) {
		if (renameat(rooms->dir, SPOOL_NEXT, rooms->dir,
			     SPOOL_CHECKPOINT) < 0)
			return -1;
		spool->uninstalled = false;
	}
	return 0;
}

/* Of a group that began with seal_mend(), so nothing else is to be taken back.
 * "placed": there is something in ready/. */
static void seal_undo(struct spool *spool, bool placed)
{
	int saved = errno;

	group_close(spool);
	spool->staged = 0;
	spool->undo = placed;
	/* A start that finds a batch wants its checkpoint as well. */
	if (undo_placed(spool) == 0) {
		unlinkat(spool->rooms.dir, SPOOL_NEXT, 0);
		undo_written(spool);
	}
	errno = saved;
}

/* --- The checkpoint's text --- */

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
	if (fs_sync_dir(spool->rooms.dir) < 0)
		return -1;
	crash_point("seal.next");
	return 0;
}

/* --- Staging --- */

/* As the directory will tell it, and nothing that it cannot tell. */
static int stage_named(const struct spool *spool, const struct batch *batch,
		       struct slice gz, struct batch *named)
{
	char name[BATCH_NAME];

	batch_name(batch, name);
	if (batch_parse(slice_str(name), named) == 0 &&
	    named->departure == BATCH_READY && named->from == batch->from &&
	    named->to == batch->to && named->number == batch->number &&
	    named->seq == spool_next_seq(spool) && named->bytes == gz.len &&
	    spool->staged < SPOOL_GROUP)
		return 0;
	errno = EINVAL;
	return -1;
}

size_t spool_staged(const struct spool *spool)
{
	return spool->staged;
}

void spool_unstage(struct spool *spool)
{
	if (spool->staged)
		seal_undo(spool, false);
}

int spool_stage(struct spool *spool, const struct batch *batch, struct slice gz)
{
	char name[BATCH_NAME];
	struct batch named;
	int fd;

	if (stage_named(spool, batch, gz, &named) < 0) {
		spool_unstage(spool);
		return -1;
	}
	if (!spool->staged && seal_mend(spool) < 0)
		return -1;
	batch_name(&named, name);
	fd = fs_store_begin(spool->rooms.tmp, name, gz.p, gz.len);
	spool->group[spool->group_count] = named;
	spool->group_fds[spool->group_count++] = fd;
	if (fd < 0) {
		seal_undo(spool, false);
		return -1;
	}
	crash_point("seal.staged");
	spool->staged++;
	return 0;
}

/* --- The commit --- */

static int group_sync(struct spool *spool)
{
	for (size_t i = 0; i < spool->group_count; i++) {
		if (fs_store_end(&spool->group_fds[i]) < 0)
			return -1;
		crash_point("seal.written");
	}
	if (spool->group_count == 1)
		return 0;
	return fs_sync_dir(spool->rooms.tmp);
}

static int group_place(struct spool *spool, bool *placed)
{
	const struct spool_rooms *rooms = &spool->rooms;
	char name[BATCH_NAME];

	for (size_t i = 0; i < spool->group_count; i++) {
		batch_name(&spool->group[i], name);
		if (renameat(rooms->tmp, name, rooms->ready, name) < 0)
			return -1;
		*placed = true;
		crash_point("seal.placed");
	}
	return fs_sync_dir(rooms->ready);
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

static void seal_publish(struct spool *spool)
{
	pthread_mutex_lock(&spool->mutex);
	spool->seq += spool->group_count;
	for (size_t i = 0; i < spool->group_count; i++)
		spool_window_append(spool, &spool->group[i]);
	pthread_mutex_unlock(&spool->mutex);
	spool->group_count = spool->staged = 0;
	spool_tell(spool);
}

int spool_commit(struct spool *spool, struct slice checkpoint)
{
	bool placed = false;

	if (!spool->staged) {
		errno = EINVAL;
		return -1;
	}
	if (group_sync(spool) < 0 || store_next(spool, checkpoint) < 0 ||
	    group_place(spool, &placed) < 0) {
		seal_undo(spool, placed);
		return -1;
	}
	crash_point("seal.committed");
	seal_install(spool);
	crash_point("seal.installed");
	seal_publish(spool);
	spool_reserve_keep(spool);
	return 0;
}

int spool_seal(struct spool *spool, const struct batch *batch, struct slice gz,
	       struct slice checkpoint)
{
	if (spool_stage(spool, batch, gz) < 0)
		return -1;
	return spool_commit(spool, checkpoint);
}

int spool_save(struct spool *spool, struct slice checkpoint)
{
	int dir = spool->rooms.dir;
	int saved;

	if (spool->staged) {
		errno = EINVAL;
		return -1;
	}
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
	return spool->seq + spool->staged + 1;
}

void spool_tell(struct spool *spool)
{
	if (spool->on_seal)
		spool->on_seal(spool->on_seal_ctx);
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
