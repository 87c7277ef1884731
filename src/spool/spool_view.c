/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "spool/spool_private.h"

/*
 * How a view agrees with itself although nobody waits for it.  In this order
 * are read: both checkpoints, ready/, sent/, and the checkpoints again.
 *
 * The view speaks of the moment of its first checkpoint.  A batch that was
 * sealed later is beyond it and counted as made and waiting, as a start would
 * do; it does not matter whether it was seen.  A batch that the checkpoint
 * covers stands in ready/ or, since ready/ is read first, in sent/ by the time
 * that is read; seen in both, it has left.  The one thing that can be missed is
 * a batch that left, was settled by a later checkpoint, and was removed.  Then
 * that checkpoint's number of departures, read last, is larger than the first,
 * and one of the numbers between was not seen: read it all again.  (One may be
 * no batch's, after a crash; but while no checkpoint changes, nothing goes.)
 *
 * So sealing never makes a view start over, only settling can.
 */

struct waiting {
	uint64_t seq, number, events, bytes;
	int64_t oldest_s, newest_s;
	uint32_t counts[EVENT_TYPES];
};

struct look {
	struct spool_pair pair;
	struct waiting *ready;
	size_t ready_count, ready_cap;
	struct batch *left; /* departures beyond the older checkpoint */
	size_t left_count, left_cap;
	uint64_t seq, departures; /* of checkpoint.json */
	struct spool_group next;  /* the commit of checkpoint.next */
	uint64_t kept;
};

static void look_release(struct look *look)
{
	spool_saved_release(&look->pair.saved);
	spool_saved_release(&look->pair.next);
	mem_free(look->ready);
	mem_free(look->left);
	*look = (struct look){0};
}

/* --- Reading --- */

static int look_ready(void *ctx, const struct batch *batch, const char *name)
{
	struct look *look = ctx;
	struct waiting *w;

	(void)name;
	if (batch->departure != BATCH_READY)
		return 0;
	spool_group_meet(&look->next, batch->seq);
	if (look->ready_count == look->ready_cap) {
		look->ready_cap = look->ready_cap ? look->ready_cap * 2 : 64;
		look->ready = mem_resize_array(look->ready, look->ready_cap,
					       sizeof(*look->ready));
	}
	w = &look->ready[look->ready_count++];
	w->seq = batch->seq;
	w->number = batch->number;
	w->events = batch_events(batch);
	w->bytes = batch->bytes;
	w->oldest_s = batch->oldest_s;
	w->newest_s = batch->newest_s;
	memcpy(w->counts, batch->events, sizeof(w->counts));
	return 0;
}

static int look_sent(void *ctx, const struct batch *batch, const char *name)
{
	struct look *look = ctx;

	(void)name;
	if (batch->departure == BATCH_READY)
		return 0;
	look->kept++;
	spool_group_meet(&look->next, batch->seq);
	if (batch->departed <= look->departures && batch->seq <= look->seq)
		return 0;
	if (look->left_count == look->left_cap) {
		look->left_cap = look->left_cap ? look->left_cap * 2 : 64;
		look->left = mem_resize_array(look->left, look->left_cap,
					      sizeof(*look->left));
	}
	look->left[look->left_count++] = *batch;
	return 0;
}

static int read_both(int dir, struct spool_pair *pair)
{
	if (spool_read_saved(dir, SPOOL_CHECKPOINT, &pair->saved) < 0)
		return -1;
	return spool_read_saved(dir, SPOOL_NEXT, &pair->next);
}

static int look_at(const struct spool_rooms *rooms, struct look *look)
{
	if (read_both(rooms->dir, &look->pair) < 0)
		return -1;
	look->next = spool_group_of(&look->pair.next);
	look->seq = look->pair.saved.checkpoint.seq;
	look->departures = look->pair.saved.checkpoint.departures;
	if (spool_each(rooms->ready, look_ready, look) < 0)
		return -1;
	return spool_each(rooms->sent, look_sent, look);
}

/* --- Agreement --- */

static int by_departure(const void *a, const void *b)
{
	const struct batch *x = a, *y = b;

	return (x->departed > y->departed) - (x->departed < y->departed);
}

static int by_seq(const void *a, const void *b)
{
	const struct batch *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Was each departure seen that is beyond "from" and not beyond "to"? */
static bool look_saw(struct look *look, uint64_t from, uint64_t to)
{
	if (look->left_count)
		qsort(look->left, look->left_count, sizeof(*look->left),
		      by_departure);
	for (size_t i = 0; i < look->left_count && from < to; i++) {
		if (look->left[i].departed == from + 1)
			from++;
	}
	return from >= to;
}

static uint64_t newest_departures(const struct spool_pair *pair)
{
	uint64_t a = pair->saved.checkpoint.departures;
	uint64_t b = pair->next.checkpoint.departures;

	return a > b ? a : b;
}

static struct spool_saved *look_choose(struct look *look)
{
	return spool_next_counts(&look->pair.saved, &look->pair.next,
				 spool_group_whole(&look->next))
		       ? &look->pair.next
		       : &look->pair.saved;
}

/* Nothing was settled meanwhile, so nothing was removed. */
static bool look_still(const struct look *look, const struct spool_pair *now)
{
	const struct checkpoint *saved = &look->pair.saved.checkpoint;
	const struct checkpoint *next = &look->pair.next.checkpoint;

	return now->saved.checkpoint.seq == saved->seq &&
	       now->saved.checkpoint.departures == saved->departures &&
	       now->next.checkpoint.seq == next->seq &&
	       now->next.checkpoint.departures == next->departures;
}

/* 1: it agrees, 0: read again, -1. */
static int look_agrees(const struct spool_rooms *rooms, struct look *look)
{
	struct spool_pair now = {0};
	int status = read_both(rooms->dir, &now);

	if (status == 0)
		status =
			look_still(look, &now) ||
			look_saw(look, look_choose(look)->checkpoint.departures,
				 newest_departures(&now));
	spool_saved_release(&now.saved);
	spool_saved_release(&now.next);
	return status;
}

/* --- Adding up --- */

static bool look_left(const struct look *look, uint64_t seq)
{
	struct batch key = {.seq = seq};

	return look->left_count &&
	       bsearch(&key, look->left, look->left_count, sizeof(key), by_seq);
}

static void add_waiting(const struct waiting *w, uint64_t covered,
			struct spool_view *view)
{
	struct spool_totals *totals = &view->totals;
	struct batch beyond = {.number = w->number};

	deadlines_add(&view->deadlines, w->newest_s, w->events);
	totals->batches++;
	totals->events += w->events;
	totals->bytes += w->bytes;
	totals->oldest_event_s =
		spool_older(totals->oldest_event_s, w->oldest_s);
	memcpy(beyond.events, w->counts, sizeof(beyond.events));
	if (w->seq > covered)
		ledger_made(&view->checkpoint.ledger, &beyond);
	view->waiting[view->waiting_count++] =
		(struct spool_waiting){w->number, w->events};
}

static int by_number(const void *a, const void *b)
{
	const struct spool_waiting *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* One for each source. */
static void sum_waiting(struct spool_view *view)
{
	struct spool_waiting *all = view->waiting;
	size_t kept = 0;

	if (!view->waiting_count)
		return;
	qsort(all, view->waiting_count, sizeof(*all), by_number);
	for (size_t i = 1; i < view->waiting_count; i++) {
		if (all[i].number == all[kept].number)
			all[kept].events += all[i].events;
		else
			all[++kept] = all[i];
	}
	view->waiting_count = kept + 1;
}

uint64_t spool_view_waiting(const struct spool_view *view, uint64_t number)
{
	struct spool_waiting key = {.number = number};
	const struct spool_waiting *found = NULL;

	if (view->waiting_count)
		found = bsearch(&key, view->waiting, view->waiting_count,
				sizeof(key), by_number);
	return found ? found->events : 0;
}

static void add_left(const struct batch *batch, uint64_t seq,
		     uint64_t departures, struct spool_view *view)
{
	struct checkpoint *checkpoint = &view->checkpoint;

	if (batch->seq > seq)
		ledger_made(&checkpoint->ledger, batch);
	if (batch->seq > seq || batch->departed > departures)
		ledger_depart(&checkpoint->ledger, batch);
	if (batch->departed > checkpoint->departures)
		checkpoint->departures = batch->departed;
	if (batch->seq > checkpoint->seq)
		checkpoint->seq = batch->seq;
}

static void look_sum(struct look *look, struct spool_view *view)
{
	struct spool_saved *use = look_choose(look);
	uint64_t seq = use->checkpoint.seq;
	uint64_t departures = use->checkpoint.departures;

	view->has_checkpoint = use->there && use->status == CHECKPOINT_OK;
	view->damaged = look->pair.saved.there &&
			look->pair.saved.status == CHECKPOINT_DAMAGED;
	view->newer = (look->pair.saved.there &&
		       look->pair.saved.status == CHECKPOINT_NEWER) ||
		      (look->pair.next.there &&
		       look->pair.next.status == CHECKPOINT_NEWER);
	view->checkpoint = use->checkpoint;
	use->checkpoint = (struct checkpoint){0};
	view->batches_kept = look->kept;
	for (size_t i = 0; i < look->left_count; i++)
		add_left(&look->left[i], seq, departures, view);
	if (look->left_count)
		qsort(look->left, look->left_count, sizeof(*look->left),
		      by_seq);
	view->waiting = mem_zero(look->ready_count, sizeof(*view->waiting));
	for (size_t i = 0; i < look->ready_count; i++) {
		if (!look_left(look, look->ready[i].seq))
			add_waiting(&look->ready[i], seq, view);
		if (look->ready[i].seq > view->checkpoint.seq)
			view->checkpoint.seq = look->ready[i].seq;
	}
	sum_waiting(view);
	checkpoint_credit(&view->checkpoint);
}

/* --- The whole --- */

/* Asks for the lock without taking it. */
static int view_lock(int dir, struct spool_view *view)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dir, SPOOL_LOCK,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	unsigned long long pid;
	char text[24];
	ssize_t n;
	int status;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	status = fcntl(fd, F_OFD_GETLK, &lock);
	n = fs_pread(fd, text, sizeof(text), 0);
	fs_close(&fd);
	view->running = status == 0 && lock.l_type != F_UNLCK;
	if (view->running && n > 0 &&
	    slice_number(slice_trim(slice_of(text, (size_t)n)), INT64_MAX,
			 &pid) == 0)
		view->pid = (int64_t)pid;
	return status;
}

static int view_read(const struct spool_rooms *rooms, struct spool_view *view)
{
	int status = 0;

	for (int i = 0; i < SPOOL_RETRIES && status == 0; i++) {
		struct look look = {0};

		status = look_at(rooms, &look);
		if (status == 0)
			status = look_agrees(rooms, &look);
		if (status > 0)
			look_sum(&look, view);
		look_release(&look);
	}
	if (status == 0)
		errno = EAGAIN;
	return status > 0 ? 0 : -1;
}

static int view_open(const char *directory, struct spool_rooms *rooms)
{
	rooms->dir = fs_open_dir(AT_FDCWD, directory);
	if (rooms->dir < 0)
		return -1;
	rooms->ready = spool_open_room(rooms->dir, "ready");
	rooms->sent = spool_open_room(rooms->dir, "sent");
	rooms->refused = spool_open_room(rooms->dir, "refused");
	return rooms->ready < 0 || rooms->sent < 0 || rooms->refused < 0 ? -1
									 : 0;
}

int spool_view(const char *directory, struct spool_view *view_out,
	       struct buf *why)
{
	struct spool_rooms rooms;
	int saved, status;

	*view_out = (struct spool_view){0};
	spool_rooms_init(&rooms);
	status = view_open(directory, &rooms);
	if (status == 0)
		status = view_lock(rooms.dir, view_out);
	if (status == 0)
		status = view_read(&rooms, view_out);
	if (status == 0)
		status = fs_free_bytes(rooms.dir, &view_out->totals.free_bytes);
	if (status == 0)
		status = spool_count_refused(rooms.refused,
					     &view_out->totals.refused_files);
	saved = errno;
	spool_rooms_close(&rooms);
	if (status == 0)
		return 0;
	spool_view_release(view_out);
	buf_addf(why, "cannot read the spool %s: %s", directory,
		 saved == EAGAIN ? "it changes too fast" : strerror(saved));
	errno = saved;
	return -1;
}

void spool_view_release(struct spool_view *view)
{
	checkpoint_release(&view->checkpoint);
	mem_free(view->waiting);
	*view = (struct spool_view){0};
}
