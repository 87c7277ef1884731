/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"

/*
 * A departure counts when it is durable, and departures become durable in the
 * order of their numbers: "leaving" is held over rename and syncs.  Until
 * then no checkpoint may know the number, so a crash finds the batch either in
 * ready/, waiting, or in sent/ with a number beyond the checkpoint's, left.
 *
 * When a sync fails, the batch goes back under its old name and the number is
 * used again.  What the disk remembers of the failed rename does no harm: both
 * ends of it are covered by the next departure's syncs, and before those no
 * checkpoint knows the number.  When the way back fails too, the batch is
 * "stuck": it stays in flight, and nothing else leaves until it is back.
 *
 * Room is given back by truncating, not by removing, because the name is
 * what the ledger is counted from; but only after the rename is durable, so
 * that ready/ never holds an empty batch.  Except on a disk so full that even
 * the rename finds no block for the directory: then the bytes go first.
 * spool_take() knows an empty batch for what it is.
 */

static void depart_names(const struct batch *batch, char ready[BATCH_NAME],
			 char sent[BATCH_NAME])
{
	struct batch before = *batch;

	before.departure = BATCH_READY;
	batch_name(&before, ready);
	batch_name(batch, sent);
}

static int unstick(struct spool *spool)
{
	char ready[BATCH_NAME], sent[BATCH_NAME];

	if (!spool->stuck)
		return 0;
	depart_names(&spool->stuck_batch, ready, sent);
	if (renameat(spool->rooms.sent, sent, spool->rooms.ready, ready) < 0 &&
	    errno != ENOENT)
		return -1;
	pthread_mutex_lock(&spool->mutex);
	spool->stuck = false;
	if (spool->stuck_return)
		spool_window_return(spool, spool->stuck_batch.seq);
	spool->stuck_return = false;
	pthread_mutex_unlock(&spool->mutex);
	return 0;
}

static void depart_count(struct spool *spool, const struct batch *batch)
{
	pthread_mutex_lock(&spool->mutex);
	spool->departures = batch->departed;
	ledger_depart(&spool->left, batch);
	spool_window_forget(spool, batch->seq);
	spool_window_uncount(spool, batch);
	if (batch->departure == BATCH_EVICTED ||
	    batch->departure == BATCH_EXPIRED)
		spool->emptied = batch->departed;
	pthread_mutex_unlock(&spool->mutex);
}

static void depart_back(struct spool *spool, const struct batch *batch,
			const char *sent, const char *ready)
{
	int saved = errno;

	if (renameat(spool->rooms.sent, sent, spool->rooms.ready, ready) < 0) {
		pthread_mutex_lock(&spool->mutex);
		spool->stuck = true;
		spool->stuck_batch = *batch;
		pthread_mutex_unlock(&spool->mutex);
	}
	errno = saved;
}

static int leave(struct spool *spool, struct batch *batch)
{
	char ready[BATCH_NAME], sent[BATCH_NAME];
	bool flies;

	pthread_mutex_lock(&spool->mutex);
	batch->departed = spool->departures + 1;
	flies = spool_window_flies(spool, batch->seq);
	pthread_mutex_unlock(&spool->mutex);
	if (!flies) {
		errno = EINVAL;
		return -1;
	}
	depart_names(batch, ready, sent);
	if (renameat(spool->rooms.ready, ready, spool->rooms.sent, sent) < 0)
		return -1;
	crash_point("depart.renamed");
	if (fs_sync_dir(spool->rooms.sent) < 0) {
		depart_back(spool, batch, sent, ready);
		return -1;
	}
	crash_point("depart.sent");
	if (fs_sync_dir(spool->rooms.ready) < 0) {
		depart_back(spool, batch, sent, ready);
		return -1;
	}
	crash_point("depart.synced");
	depart_count(spool, batch);
	return 0;
}

int spool_unstick(struct spool *spool)
{
	int status = 0;
	bool stuck;

	pthread_mutex_lock(&spool->mutex);
	stuck = spool->stuck;
	pthread_mutex_unlock(&spool->mutex);
	if (stuck) {
		pthread_mutex_lock(&spool->leaving);
		status = unstick(spool);
		pthread_mutex_unlock(&spool->leaving);
	}
	return status;
}

int spool_leave(struct spool *spool, struct batch *batch)
{
	int status;

	pthread_mutex_lock(&spool->leaving);
	status = unstick(spool);
	if (status == 0)
		status = leave(spool, batch);
	pthread_mutex_unlock(&spool->leaving);
	return status;
}

static int empty_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int status, saved;

	if (fd < 0)
		return -1;
	status = ftruncate(fd, 0);
	saved = errno;
	fs_close(&fd);
	errno = saved;
	return status;
}

int spool_evict(struct spool *spool, struct batch *batch)
{
	char ready[BATCH_NAME], sent[BATCH_NAME];
	int status = spool_leave(spool, batch);

	depart_names(batch, ready, sent);
	if (status < 0 && (errno == ENOSPC || errno == EDQUOT) &&
	    empty_file(spool->rooms.ready, ready) == 0) {
		crash_point("evict.first");
		return spool_leave(spool, batch);
	}
	/* It has left; what keeps its bytes goes when the ledger knows. */
	if (status == 0) {
		crash_point("evict.left");
		empty_file(spool->rooms.sent, sent);
		crash_point("evict.emptied");
	}
	return status;
}

int spool_depart(struct spool *spool, const struct batch *batch,
		 enum batch_departure why, uint32_t refused)
{
	struct batch b = *batch;
	uint32_t events = (uint32_t)batch_events(batch);
	int status;

	if (why == BATCH_READY) {
		errno = EINVAL;
		return -1;
	}
	b.departure = why;
	b.refused = 0;
	if (why == BATCH_REFUSED)
		b.refused = events;
	else if (why == BATCH_SENT)
		b.refused = refused < events ? refused : events;
	if (why == BATCH_EVICTED || why == BATCH_EXPIRED)
		status = spool_evict(spool, &b);
	else
		status = spool_leave(spool, &b);
	if (status == 0 && spool->on_depart)
		spool->on_depart(spool->on_depart_ctx);
	return status;
}
