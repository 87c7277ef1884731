/* SPDX-License-Identifier: GPL-2.0-only */
#include "spool/spool_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fs.h"
#include "base/mem.h"

/*
 * What a crash left is settled in an order that may itself be cut short
 * anywhere: a checkpoint that cannot be read is set aside, what is missing of a
 * commit follows from tmp/, checkpoint.next takes its place or goes, tmp/ is
 * emptied, and only then is counted what no checkpoint knows.
 * Counting changes nothing on disk; the caller's next save makes it durable,
 * and until then another start counts the same.
 */

struct wipe {
	int tmp;
	uint64_t removed;
};

/* A directory is none of ours, and no harm. */
static int wipe_visit(void *ctx, const char *name)
{
	struct wipe *wipe = ctx;

	if (unlinkat(wipe->tmp, name, 0) == 0) {
		wipe->removed++;
		crash_point("recover.wiped");
	} else if (errno != EISDIR && errno != EPERM && errno != ENOENT)
		return -1;
	return 0;
}

static enum spool_open_status
empty_tmp(struct spool *spool, struct spool_found *found, struct buf *why)
{
	struct wipe wipe = {.tmp = spool->rooms.tmp};

	if (spool_each_name(wipe.tmp, wipe_visit, &wipe) < 0)
		return spool_failed(spool, "empty", "tmp", why);
	found->tmp_removed = wipe.removed;
	return SPOOL_OPEN_OK;
}

enum spool_open_status spool_read_pair(struct spool *spool,
				       struct spool_pair *pair, struct buf *why)
{
	bool newer;

	if (spool_read_saved(spool->rooms.dir, SPOOL_CHECKPOINT, &pair->saved) <
	    0)
		return spool_failed(spool, "read", SPOOL_CHECKPOINT, why);
	if (spool_read_saved(spool->rooms.dir, SPOOL_NEXT, &pair->next) < 0)
		return spool_failed(spool, "read", SPOOL_NEXT, why);
	newer = (pair->saved.there && pair->saved.status == CHECKPOINT_NEWER) ||
		(pair->next.there && pair->next.status == CHECKPOINT_NEWER);
	if (!newer)
		return SPOOL_OPEN_OK;
	buf_addf(why,
		 "%s/%s was written by a later version of sparktail; install "
		 "that, or let it empty this spool first",
		 spool->settings.directory, SPOOL_CHECKPOINT);
	return SPOOL_OPEN_NEWER;
}

/* --- The commit that was cut short --- */

/* Which of its batches have been in ready/, where some still are? */
static int next_look(struct spool *spool, struct spool_group *group)
{
	if (group->first > group->last)
		return 0;
	if (spool_group_look(spool->rooms.ready, group) < 0)
		return -1;
	return spool_group_look(spool->rooms.sent, group);
}

struct finish {
	struct spool *spool;
	struct spool_group *group;
};

static int finish_visit(void *ctx, const struct batch *batch, const char *name)
{
	const struct spool_rooms *rooms;
	struct finish *finish = ctx;

	if (batch->seq < finish->group->first ||
	    batch->seq > finish->group->last ||
	    spool_group_has(finish->group, batch->seq))
		return 0;
	rooms = &finish->spool->rooms;
	if (renameat(rooms->tmp, name, rooms->ready, name) < 0)
		return -1;
	spool_group_meet(finish->group, batch->seq);
	crash_point("recover.placed");
	return 0;
}

/* The rest of the group follows: it was synced before the first of it was
 * renamed.  One that somebody removed is not waited for. */
static int next_finish(struct spool *spool, struct spool_group *group)
{
	struct finish finish = {spool, group};

	if (!spool_group_whole(group) &&
	    spool_each(spool->rooms.tmp, finish_visit, &finish) < 0)
		return -1;
	return fs_sync_dir(spool->rooms.ready);
}

/* Rename within the directory, durably. */
static int move(struct spool *spool, const char *from, const char *to)
{
	int dir = spool->rooms.dir;

	if (renameat(dir, from, dir, to) < 0)
		return -1;
	crash_point("recover.moved");
	return fs_sync_dir(dir);
}

static enum spool_open_status settle_pair(struct spool *spool,
					  struct spool_pair *pair,
					  struct spool_found *found,
					  struct buf *why)
{
	struct spool_group group = spool_group_of(&pair->next);
	struct spool_saved *use = &pair->saved;

	if (next_look(spool, &group) < 0)
		return spool_failed(spool, "read", "ready", why);
	found->damaged =
		pair->saved.there && pair->saved.status == CHECKPOINT_DAMAGED;
	if (found->damaged && move(spool, SPOOL_CHECKPOINT, SPOOL_DAMAGED) < 0)
		return spool_failed(spool, "set aside", SPOOL_CHECKPOINT, why);
	crash_point("recover.aside");
	if (spool_next_counts(&pair->saved, &pair->next, group.met != 0)) {
		if (next_finish(spool, &group) < 0)
			return spool_failed(spool, "finish a commit in",
					    "ready", why);
		if (move(spool, SPOOL_NEXT, SPOOL_CHECKPOINT) < 0)
			return spool_failed(spool, "rename", SPOOL_NEXT, why);
		crash_point("recover.renamed");
		use = &pair->next;
	} else if (pair->next.there &&
		   unlinkat(spool->rooms.dir, SPOOL_NEXT, 0) < 0) {
		return spool_failed(spool, "remove", SPOOL_NEXT, why);
	}
	crash_point("recover.settled");
	found->fresh = !use->there;
	found->checkpoint = use->checkpoint;
	use->checkpoint = (struct checkpoint){0};
	return SPOOL_OPEN_OK;
}

/* --- Counting what is there --- */

struct count {
	struct spool *spool;
	struct spool_found *found;
	uint64_t seq, departures; /* of the checkpoint, as it was read */
	size_t cap;
};

static int source_order(const struct position_id *x,
			const struct position_id *y)
{
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->head_len != y->head_len)
		return x->head_len < y->head_len ? -1 : 1;
	return (x->head > y->head) - (x->head < y->head);
}

static int beyond_order(const void *a, const void *b)
{
	const struct batch *x = a, *y = b;
	int order = source_order(&x->source, &y->source);

	return order ? order : (x->to > y->to) - (x->to < y->to);
}

/* Of each source only the furthest matters: memory is for sources, not for
 * a backlog. */
static void beyond_shrink(struct spool_found *found)
{
	struct batch *all = found->beyond;
	size_t kept = 0;

	if (!found->beyond_count)
		return;
	qsort(all, found->beyond_count, sizeof(*all), beyond_order);
	for (size_t i = 1; i < found->beyond_count; i++) {
		if (source_order(&all[kept].source, &all[i].source))
			kept++;
		all[kept] = all[i];
	}
	found->beyond_count = kept + 1;
}

static void count_beyond(struct count *count, const struct batch *batch)
{
	struct spool_found *found = count->found;

	ledger_made(&found->checkpoint.ledger, batch);
	if (batch->number > found->checkpoint.numbers)
		found->checkpoint.numbers = batch->number;
	if (found->beyond_count == count->cap) {
		beyond_shrink(found);
		if (found->beyond_count >= count->cap / 2) {
			count->cap = count->cap ? count->cap * 2 : 64;
			found->beyond =
				mem_resize_array(found->beyond, count->cap,
						 sizeof(*found->beyond));
		}
	}
	found->beyond[found->beyond_count++] = *batch;
}

static void count_seq(struct count *count, const struct batch *batch)
{
	struct checkpoint *checkpoint = &count->found->checkpoint;

	count->found->fresh = false;
	if (batch->seq > checkpoint->seq)
		checkpoint->seq = batch->seq;
	if (batch->seq > count->seq)
		count_beyond(count, batch);
}

static int count_ready(void *ctx, const struct batch *batch, const char *name)
{
	(void)name;
	if (batch->departure == BATCH_READY)
		count_seq(ctx, batch);
	return 0;
}

/* Without a journal a crash may leave a batch under both names of its rename
 * out of ready/: it has left. */
static int count_left(struct count *count, const struct batch *batch)
{
	char name[BATCH_NAME];

	spool_ready_name(batch, name);
	if (unlinkat(count->spool->rooms.ready, name, 0) < 0)
		return errno == ENOENT ? 0 : -1;
	return fs_sync_dir(count->spool->rooms.ready);
}

static int count_sent(void *ctx, const struct batch *batch, const char *name)
{
	struct count *count = ctx;
	struct checkpoint *checkpoint = &count->found->checkpoint;

	(void)name;
	if (batch->departure == BATCH_READY)
		return 0;
	if (batch->departed > count->departures && count_left(count, batch) < 0)
		return -1;
	count_seq(count, batch);
	if (batch->departed > checkpoint->departures)
		checkpoint->departures = batch->departed;
	if (batch->departed > count->departures || batch->seq > count->seq)
		ledger_depart(&checkpoint->ledger, batch);
	if ((batch->departure == BATCH_EVICTED ||
	     batch->departure == BATCH_EXPIRED) &&
	    batch->departed > count->spool->emptied)
		count->spool->emptied = batch->departed;
	return 0;
}

static enum spool_open_status
count_all(struct spool *spool, struct spool_found *found, struct buf *why)
{
	struct count count = {.spool = spool,
			      .found = found,
			      .seq = found->checkpoint.seq,
			      .departures = found->checkpoint.departures};

	if (spool_each(spool->rooms.sent, count_sent, &count) < 0)
		return spool_failed(spool, "read", "sent", why);
	/* Whatever is there was committed. */
	spool->seq = UINT64_MAX;
	if (spool_window_fill(spool, count_ready, &count) < 0)
		return spool_failed(spool, "read", "ready", why);
	beyond_shrink(found);
	checkpoint_credit(&found->checkpoint);
	spool->seq = found->checkpoint.seq;
	spool->departures = found->checkpoint.departures;
	/* Left over from a crash after the checkpoint that knows them. */
	spool_settled(spool, count.departures);
	return SPOOL_OPEN_OK;
}

enum spool_open_status spool_recover(struct spool *spool,
				     struct spool_pair *pair,
				     struct spool_found *found, struct buf *why)
{
	enum spool_open_status status = settle_pair(spool, pair, found, why);

	if (status == SPOOL_OPEN_OK)
		status = empty_tmp(spool, found, why);
	if (status == SPOOL_OPEN_OK)
		status = count_all(spool, found, why);
	return status;
}
