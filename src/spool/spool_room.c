/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>

#include "base/fs.h"

/*
 * How much is missing is measured once, and then counted down by the sizes of
 * what goes: some file systems give blocks back to statvfs(2) only after a
 * while, and asking again would take the whole spool for one batch's worth.
 *
 * Beside a batch there must be room on the disk for the next checkpoint, which
 * is about as large as the last; max_bytes is of batches alone.
 */

enum { ROOM_AT_ONCE = 256 };

struct room {
	struct spool_settings settings;
	uint64_t bytes; /* in ready/ */
	int64_t now_s;
};

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static int room_missing(struct spool *spool, const struct room *room,
			uint64_t wanted, uint64_t *missing_out)
{
	uint64_t size = sum(room->bytes, wanted);
	uint64_t least = sum(room->settings.min_free_bytes,
			     wanted ? sum(wanted, spool->text_bytes) : 0);
	uint64_t max = room->settings.max_bytes;
	uint64_t free_bytes;

	*missing_out = max && size > max ? size - max : 0;
	if (!room->settings.min_free_bytes)
		return 0;
	if (fs_free_bytes(spool->rooms.dir, &free_bytes) < 0)
		return -1;
	if (free_bytes < least && least - free_bytes > *missing_out)
		*missing_out = least - free_bytes;
	return 0;
}

/* Which goes next: one that has expired, else the oldest. */
static int room_victim(struct spool *spool, const struct room *room,
		       struct batch *batch_out)
{
	int64_t max_age_s = room->settings.max_age_s;
	int status = 0;

	pthread_mutex_lock(&spool->mutex);
	if (max_age_s > 0)
		status = spool_window_expired(spool, room->now_s - max_age_s,
					      batch_out);
	batch_out->departure = BATCH_EXPIRED;
	if (status == 0 && !room->settings.pause) {
		status = spool_window_next(spool, batch_out);
		batch_out->departure = BATCH_EVICTED;
	}
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

static void room_note(struct spool_evicted *evicted, const struct batch *batch)
{
	bool first = evicted->batches == 0;

	evicted->batches++;
	evicted->events += batch_events(batch);
	evicted->bytes += batch->bytes;
	evicted->oldest_s = spool_older(evicted->oldest_s, batch->oldest_s);
	evicted->expired = (first || evicted->expired) &&
			   batch->departure == BATCH_EXPIRED;
}

/* Evict one batch: 1, 0 when there is none, or -1. */
static int room_evict(struct spool *spool, const struct room *room,
		      struct spool_evicted *evicted)
{
	struct batch batch;
	int status = room_victim(spool, room, &batch);
	int saved;

	if (status <= 0)
		return status;
	if (spool_evict(spool, &batch) < 0) {
		saved = errno;
		if (saved == ENOENT) {
			/* Somebody removed it. */
			pthread_mutex_lock(&spool->mutex);
			spool_window_forget(spool, batch.seq);
			spool_window_uncount(spool, &batch);
			pthread_mutex_unlock(&spool->mutex);
			evicted->bytes += batch.bytes;
			return 1;
		}
		/* Whoever sends found nothing meanwhile. */
		spool_put_back(spool, &batch);
		spool_tell(spool);
		errno = saved;
		return -1;
	}
	room_note(evicted, &batch);
	return 1;
}

int spool_make_room(struct spool *spool, uint64_t room, int64_t now_s,
		    struct spool_evicted *evicted_out)
{
	struct room r = {.now_s = now_s};
	uint64_t missing;

	*evicted_out = (struct spool_evicted){0};
	pthread_mutex_lock(&spool->mutex);
	r.settings = spool->settings;
	r.bytes = spool->bytes;
	pthread_mutex_unlock(&spool->mutex);
	if (room_missing(spool, &r, room, &missing) < 0)
		return -1;
	while (evicted_out->bytes < missing) {
		/* Each takes two syncs, and others wait meanwhile. */
		if (evicted_out->batches >= ROOM_AT_ONCE) {
			errno = EAGAIN;
			return -1;
		}
		int status = room_evict(spool, &r, evicted_out);

		if (status > 0)
			continue;
		if (evicted_out->batches)
			break;
		if (status == 0)
			errno = ENOSPC;
		return -1;
	}
	return (int)evicted_out->batches;
}

static bool room_for(struct spool *spool, uint64_t bytes, uint64_t spare_parts)
{
	struct room r = {0};
	uint64_t missing;

	pthread_mutex_lock(&spool->mutex);
	r.settings = spool->settings;
	r.bytes = spool->bytes;
	/* Of an empty spool there is no more to be had. */
	if (!spool->batches)
		spare_parts = 0;
	pthread_mutex_unlock(&spool->mutex);
	if (spare_parts) {
		r.settings.min_free_bytes +=
			r.settings.min_free_bytes / spare_parts;
		r.settings.max_bytes -= r.settings.max_bytes / spare_parts;
	}
	return room_missing(spool, &r, bytes, &missing) == 0 && !missing;
}

bool spool_has_room(struct spool *spool, uint64_t bytes)
{
	return room_for(spool, bytes, 0);
}

bool spool_is_roomy(struct spool *spool, uint64_t bytes)
{
	return room_for(spool, bytes, 5);
}

void spool_forecast(struct spool *spool, double rate, int64_t now_s,
		    struct forecast *out)
{
	pthread_mutex_lock(&spool->mutex);
	deadlines_forecast(&spool->deadlines, rate, now_s, out);
	pthread_mutex_unlock(&spool->mutex);
}

static int64_t room_oldest(const struct spool *spool)
{
	int64_t oldest = spool->window_whole ? 0 : spool->rest_oldest;

	for (size_t i = 0; i < spool->window_count; i++)
		oldest = spool_older(
			oldest, spool->window[spool->window_at + i].oldest_s);
	for (size_t i = 0; i < spool->flight_count; i++)
		oldest = spool_older(oldest, spool->flight[i].oldest_s);
	return oldest;
}

void spool_totals(struct spool *spool, struct spool_totals *totals_out)
{
	*totals_out = (struct spool_totals){0};
	pthread_mutex_lock(&spool->mutex);
	totals_out->batches = spool->batches;
	totals_out->events = spool->events;
	totals_out->bytes = spool->bytes;
	totals_out->oldest_event_s = room_oldest(spool);
	pthread_mutex_unlock(&spool->mutex);
	fs_free_bytes(spool->rooms.dir, &totals_out->free_bytes);
}
