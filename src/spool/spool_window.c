/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * Batches in ready/ are in flight, in the window, or behind it.  The window
 * holds those whose deadlines come first and that are not in flight; what lies
 * behind it is not remembered but for its oldest event, and is read again from
 * the directory when the window is used up. Reading takes up to twice a window,
 * and cuts it back to the older half each time it is full.
 *
 * A name counts only up to the last committed number: spool_seal() makes a
 * batch visible in ready/ before it knows that it stays there.
 */

/* --- Flight --- */

static struct batch *flight_find(struct spool *spool, uint64_t seq)
{
	for (size_t i = 0; i < spool->flight_count; i++) {
		if (spool->flight[i].seq == seq)
			return &spool->flight[i];
	}
	return NULL;
}

bool spool_window_flies(struct spool *spool, uint64_t seq)
{
	return flight_find(spool, seq) != NULL;
}

void spool_window_forget(struct spool *spool, uint64_t seq)
{
	struct batch *batch = flight_find(spool, seq);

	if (batch)
		*batch = spool->flight[--spool->flight_count];
}

/* --- Reading the directory --- */

struct fill {
	struct spool *spool;
	struct batch *found; /* room for two windows */
	size_t count;
	struct batch limit; /* what is behind it does not get in any more */
	bool limited;
	uint64_t batches, events, bytes;
	struct deadlines deadlines;
	int64_t rest_oldest;
	bool rest;
	spool_visit *also; /* NULL: nobody else looks */
	void *ctx;
};

/*
 * Which goes first.  The age of a batch is that of its newest event: it grows
 * from batch to batch of a file, so these stay in order, while the oldest is
 * any injection that waited for hours.  And until then the batch is of use.
 */
static int window_order(const struct batch *x, const struct batch *y)
{
	if (x->newest_s != y->newest_s)
		return x->newest_s < y->newest_s ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int fill_order(const void *a, const void *b)
{
	return window_order(a, b);
}

static void fill_behind(struct fill *fill, const struct batch *batch)
{
	fill->rest = true;
	fill->rest_oldest = spool_older(fill->rest_oldest, batch->oldest_s);
}

static void fill_cut(struct fill *fill)
{
	qsort(fill->found, fill->count, sizeof(*fill->found), fill_order);
	while (fill->count > SPOOL_WINDOW)
		fill_behind(fill, &fill->found[--fill->count]);
	fill->limited = fill->count == SPOOL_WINDOW;
	if (fill->limited)
		fill->limit = fill->found[fill->count - 1];
}

static int fill_visit(void *ctx, const struct batch *batch, const char *name)
{
	struct fill *fill = ctx;

	if (fill->also && fill->also(fill->ctx, batch, name) < 0)
		return -1;
	if (batch->departure != BATCH_READY || batch->seq > fill->spool->seq ||
	    flight_find(fill->spool, batch->seq))
		return 0;
	fill->batches++;
	fill->events += batch_events(batch);
	fill->bytes += batch->bytes;
	deadlines_add(&fill->deadlines, batch->newest_s, batch_events(batch));
	if (fill->limited && window_order(batch, &fill->limit) > 0) {
		fill_behind(fill, batch);
		return 0;
	}
	fill->found[fill->count++] = *batch;
	if (fill->count == (size_t)SPOOL_WINDOW * 2)
		fill_cut(fill);
	return 0;
}

static void window_count(struct spool *spool, const struct batch *batch)
{
	spool->batches++;
	spool->events += batch_events(batch);
	spool->bytes += batch->bytes;
	deadlines_add(&spool->deadlines, batch->newest_s, batch_events(batch));
}

void spool_window_uncount(struct spool *spool, const struct batch *batch)
{
	spool->batches--;
	spool->events -= batch_events(batch);
	spool->bytes -= batch->bytes;
	deadlines_take(&spool->deadlines, batch->newest_s, batch_events(batch));
}

static void fill_done(struct spool *spool, const struct fill *fill)
{
	memcpy(spool->window, fill->found, fill->count * sizeof(*fill->found));
	spool->window_at = 0;
	spool->window_count = fill->count;
	spool->window_whole = !fill->rest;
	spool->rest_oldest = fill->rest_oldest;
	spool->batches = fill->batches;
	spool->events = fill->events;
	spool->bytes = fill->bytes;
	spool->deadlines = fill->deadlines;
	for (size_t i = 0; i < spool->flight_count; i++)
		window_count(spool, &spool->flight[i]);
}

int spool_window_fill(struct spool *spool, spool_visit *also, void *ctx)
{
	struct fill fill = {.spool = spool, .also = also, .ctx = ctx};
	int status;

	deadlines_init(&fill.deadlines, spool->settings.max_age_s);
	fill.found = mem_alloc((size_t)SPOOL_WINDOW * 2 * sizeof(*fill.found));
	status = spool_each(spool->rooms.ready, fill_visit, &fill);
	if (status == 0) {
		fill_cut(&fill);
		fill_done(spool, &fill);
	}
	mem_free(fill.found);
	return status;
}

/* --- The window --- */

/* Make room at the end by moving what is there to the front. */
static void window_pack(struct spool *spool)
{
	if (!spool->window_at)
		return;
	memmove(spool->window, spool->window + spool->window_at,
		spool->window_count * sizeof(*spool->window));
	spool->window_at = 0;
}

static void window_behind(struct spool *spool, const struct batch *batch)
{
	spool->window_whole = false;
	spool->rest_oldest = spool_older(spool->rest_oldest, batch->oldest_s);
}

static void window_insert(struct spool *spool, const struct batch *batch)
{
	size_t at = spool->window_count;

	window_pack(spool);
	while (at > 0 && window_order(batch, &spool->window[at - 1]) < 0)
		at--;
	/* At the end there may be older ones behind the window. */
	if (at == SPOOL_WINDOW ||
	    (at == spool->window_count && !spool->window_whole)) {
		window_behind(spool, batch);
		return;
	}
	if (spool->window_count == SPOOL_WINDOW)
		window_behind(spool, &spool->window[--spool->window_count]);
	memmove(spool->window + at + 1, spool->window + at,
		(spool->window_count - at) * sizeof(*spool->window));
	spool->window[at] = *batch;
	spool->window_count++;
}

void spool_window_append(struct spool *spool, const struct batch *batch)
{
	window_count(spool, batch);
	window_insert(spool, batch);
}

void spool_window_return(struct spool *spool, uint64_t seq)
{
	struct batch *batch = flight_find(spool, seq);

	if (!batch)
		return;
	window_insert(spool, batch);
	spool_window_forget(spool, seq);
}

static int window_ready(struct spool *spool)
{
	if (!spool->window_count && !spool->window_whole &&
	    spool_window_fill(spool, NULL, NULL) < 0)
		return -1;
	return spool->window_count > 0;
}

static void window_fly(struct spool *spool, size_t i, struct batch *batch_out)
{
	struct batch *batch = &spool->window[spool->window_at + i];

	assert(spool->flight_count <= SPOOL_IN_FLIGHT);
	*batch_out = *batch;
	spool->flight[spool->flight_count++] = *batch;
	spool->window_count--;
	if (i == 0)
		spool->window_at++;
	else
		memmove(batch, batch + 1,
			(spool->window_count - i) * sizeof(*batch));
}

int spool_window_next(struct spool *spool, struct batch *batch_out)
{
	int status = window_ready(spool);

	if (status > 0)
		window_fly(spool, 0, batch_out);
	return status;
}

int spool_window_expired(struct spool *spool, int64_t before_s,
			 struct batch *batch_out)
{
	int status = window_ready(spool);

	if (status <= 0)
		return status;
	for (size_t i = 0; i < spool->window_count; i++) {
		if (spool->window[spool->window_at + i].newest_s < before_s) {
			window_fly(spool, i, batch_out);
			return 1;
		}
	}
	return 0;
}

/* --- Delivery's side --- */

static int take_next(struct spool *spool, struct batch *batch_out)
{
	int status = 0;

	pthread_mutex_lock(&spool->mutex);
	if (spool->flight_count < SPOOL_IN_FLIGHT)
		status = spool_window_next(spool, batch_out);
	pthread_mutex_unlock(&spool->mutex);
	return status;
}

/* A file that somebody removed: it is not ours to deliver any more. */
static void drop_missing(struct spool *spool, const struct batch *batch)
{
	pthread_mutex_lock(&spool->mutex);
	spool_window_forget(spool, batch->seq);
	spool_window_uncount(spool, batch);
	pthread_mutex_unlock(&spool->mutex);
}

/*
 * 1: it is there, 0: it was dealt with, take another, -1.  A file without
 * bytes is an eviction that a crash cut short (spool_evict()).
 */
static int take_check(struct spool *spool, struct batch *batch)
{
	char name[BATCH_NAME];
	struct stat st;

	batch_name(batch, name);
	if (fstatat(spool->rooms.ready, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT) {
			drop_missing(spool, batch);
			return 0;
		}
		spool_put_back(spool, batch);
		return -1;
	}
	if (st.st_size || !batch->bytes)
		return 1;
	batch->departure = BATCH_EVICTED;
	if (spool_leave(spool, batch) == 0)
		return 0;
	spool_put_back(spool, batch);
	return -1;
}

int spool_take(struct spool *spool, struct batch *batch_out)
{
	spool_unstick(spool);
	for (;;) {
		int status = take_next(spool, batch_out);

		if (status <= 0)
			return status;
		status = take_check(spool, batch_out);
		if (status)
			return status;
	}
}

void spool_put_back(struct spool *spool, const struct batch *batch)
{
	size_t i = 0;

	pthread_mutex_lock(&spool->mutex);
	while (i < spool->stuck_count &&
	       spool->stuck[i].batch.seq != batch->seq)
		i++;
	if (i < spool->stuck_count)
		spool->stuck[i].back = true;
	else
		spool_window_return(spool, batch->seq);
	pthread_mutex_unlock(&spool->mutex);
}

int spool_open_batch(struct spool *spool, const struct batch *batch)
{
	char name[BATCH_NAME];
	struct stat st;
	int fd, saved;

	batch_name(batch, name);
	fd = openat(spool->rooms.ready, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode) && (uint64_t)st.st_size == batch->bytes)
			return fd;
		errno = EBADMSG;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
