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
 * order of their numbers, or some of them together: "leaving" is held over
 * renames and syncs.  Until then no checkpoint may know the number, so a crash
 * finds each batch either in ready/, waiting, or in sent/ with a number beyond
 * the checkpoint's, left.  (Of some that left together a crash may keep any: a
 * number that is missed is no batch's.)
 *
 * When a sync fails, the batches go back under their old names and the numbers
 * are used again.  What the disk remembers of the failed renames does no harm:
 * both ends of them are covered by the next departure's syncs, and before those
 * no checkpoint knows the number.  When the way back fails too, a batch is
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

	while (spool->stuck_count) {
		struct spool_stuck *last =
			&spool->stuck[spool->stuck_count - 1];

		depart_names(&last->batch, ready, sent);
		if (renameat(spool->rooms.sent, sent, spool->rooms.ready,
			     ready) < 0 &&
		    errno != ENOENT)
			return -1;
		pthread_mutex_lock(&spool->mutex);
		if (last->back)
			spool_window_return(spool, last->batch.seq);
		spool->stuck_count--;
		pthread_mutex_unlock(&spool->mutex);
	}
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

static void depart_back(struct spool *spool, const struct batch *batch)
{
	char ready[BATCH_NAME], sent[BATCH_NAME];
	int saved = errno;

	depart_names(batch, ready, sent);
	if (renameat(spool->rooms.sent, sent, spool->rooms.ready, ready) < 0) {
		pthread_mutex_lock(&spool->mutex);
		spool->stuck[spool->stuck_count++] =
			(struct spool_stuck){.batch = *batch};
		pthread_mutex_unlock(&spool->mutex);
	}
	errno = saved;
}

/* Their numbers, if all of them are in flight. */
static int leave_number(struct spool *spool, struct batch *batches,
			size_t count)
{
	bool fly = true;

	pthread_mutex_lock(&spool->mutex);
	for (size_t i = 0; i < count; i++) {
		batches[i].departed = spool->departures + 1 + i;
		fly = fly && spool_window_flies(spool, batches[i].seq);
	}
	pthread_mutex_unlock(&spool->mutex);
	if (fly)
		return 0;
	errno = EINVAL;
	return -1;
}

/* Into sent/; how many of them have a name there, whatever comes. */
static int leave_rename(struct spool *spool, const struct batch *batches,
			size_t count, size_t *renamed_out)
{
	char ready[BATCH_NAME], sent[BATCH_NAME];

	for (size_t i = 0; i < count; i++) {
		depart_names(&batches[i], ready, sent);
		if (renameat(spool->rooms.ready, ready, spool->rooms.sent,
			     sent) < 0)
			return -1;
		*renamed_out = i + 1;
		crash_point("depart.renamed");
	}
	if (fs_sync_dir(spool->rooms.sent) < 0)
		return -1;
	crash_point("depart.sent");
	if (fs_sync_dir(spool->rooms.ready) < 0)
		return -1;
	crash_point("depart.synced");
	return 0;
}

static int leave(struct spool *spool, struct batch *batches, size_t count)
{
	size_t renamed = 0;

	if (unstick(spool) < 0 || leave_number(spool, batches, count) < 0)
		return -1;
	if (leave_rename(spool, batches, count, &renamed) < 0) {
		while (renamed)
			depart_back(spool, &batches[--renamed]);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		depart_count(spool, &batches[i]);
	return 0;
}

int spool_unstick(struct spool *spool)
{
	int status = 0;
	bool stuck;

	pthread_mutex_lock(&spool->mutex);
	stuck = spool->stuck_count > 0;
	pthread_mutex_unlock(&spool->mutex);
	if (stuck) {
		pthread_mutex_lock(&spool->leaving);
		status = unstick(spool);
		pthread_mutex_unlock(&spool->leaving);
	}
	return status;
}

static int leave_all(struct spool *spool, struct batch *batches, size_t count)
{
	int status;

	pthread_mutex_lock(&spool->leaving);
	status = leave(spool, batches, count);
	pthread_mutex_unlock(&spool->leaving);
	return status;
}

int spool_leave(struct spool *spool, struct batch *batch)
{
	return leave_all(spool, batch, 1);
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

static struct batch depart_as(const struct spool_departure *departure)
{
	struct batch batch = *departure->batch;
	uint32_t events = (uint32_t)batch_events(&batch);

	batch.departure = departure->why;
	batch.refused = 0;
	if (departure->why == BATCH_REFUSED)
		batch.refused = events;
	else if (departure->why == BATCH_SENT)
		batch.refused = departure->refused < events ? departure->refused
							    : events;
	return batch;
}

static int depart_tell(const struct spool *spool, int status)
{
	if (status == 0 && spool->on_depart)
		spool->on_depart(spool->on_depart_ctx);
	return status;
}

int spool_depart(struct spool *spool, const struct batch *batch,
		 enum batch_departure why, uint32_t refused)
{
	const struct spool_departure departure = {batch, why, refused};
	struct batch b = depart_as(&departure);

	if (why == BATCH_READY) {
		errno = EINVAL;
		return -1;
	}
	if (why == BATCH_EVICTED || why == BATCH_EXPIRED)
		return depart_tell(spool, spool_evict(spool, &b));
	return depart_tell(spool, spool_leave(spool, &b));
}

int spool_depart_all(struct spool *spool,
		     const struct spool_departure *departures, size_t count)
{
	struct batch batches[SPOOL_DEPARTURES];

	if (count > SPOOL_DEPARTURES) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		batches[i] = depart_as(&departures[i]);
		if (batches[i].departure != BATCH_SENT &&
		    batches[i].departure != BATCH_REFUSED) {
			errno = EINVAL;
			return -1;
		}
	}
	return depart_tell(spool, leave_all(spool, batches, count));
}
