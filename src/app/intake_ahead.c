/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>

#include "acct/csv.h"
#include "app/intake_private.h"
#include "base/fs.h"
#include "follow/ident.h"

/*
 * With more than one thread, the blocks of the next turns are begun while this
 * one is made and sealed.  Whose turns those are is known well enough, and
 * where a block will end is guessed: behind the last line end in it.  Quotes
 * with a line end in them, a batch that is full before, or another header make
 * the guess wrong.  Then the block that was begun behind it is not asked for by
 * its turn: it is dropped, and the right one is made.
 *
 * What is sealed is thus what one thread would have read: the block at the
 * position, under the header in force there.  That the file before it is what
 * was read is checked for each turn (source_prepare()), and that its own last
 * bytes still stand, here.
 */

enum { AHEAD_LOOK = 64 << 10 }; /* how far back a line end is looked for */

struct ahead_turn {
	struct source *source;
	struct crew_order order;
	struct crew_job *job; /* NULL: none, or not begun yet */
	int fd;		      /* to begin it with, or -1 */
	/* Where the source stands after it; no file: not known. */
	int64_t after;
	const struct shape_file *file;
	struct shape_file begun; /* with the header that the file begins with */
};

/* Behind the last line end before "end", or -1. */
static int64_t ahead_guess(int fd, int64_t end)
{
	char bytes[AHEAD_LOOK];
	const char *found;

	if (fs_pread(fd, bytes, sizeof(bytes), end - AHEAD_LOOK) != AHEAD_LOOK)
		return -1;
	found = memrchr(bytes, '\n', sizeof(bytes));
	return found ? end - AHEAD_LOOK + (found - bytes) + 1 : -1;
}

/* How long is the byte order mark that the file begins with? */
static int64_t ahead_mark(int fd)
{
	char bytes[CSV_MARK];

	return fs_pread(fd, bytes, sizeof(bytes), 0) == CSV_MARK
		       ? (int64_t)csv_mark(slice_of(bytes, sizeof(bytes)))
		       : 0;
}

/* What will be in force behind the block, most likely; NULL: no idea.  At its
 * beginning a file has no header yet: its first line is one. */
static const struct shape_file *ahead_header(struct ahead_turn *turn)
{
	const struct crew_order *order = &turn->order;

	if (order->file->header.len)
		return order->file;
	if (order->from || ident_header(turn->fd, 0, true, &turn->begun) <= 0)
		return NULL;
	turn->begun.header_offset = ahead_mark(turn->fd);
	return &turn->begun;
}

/* Is a whole block there for the turn, and which? */
static bool ahead_order(const struct ahead_turn *turns, size_t i, int64_t now_s,
			struct crew_order *order)
{
	const struct position *at = source_position(turns[i].source);
	size_t last = i;

	*order = (struct crew_order){
		.number = at->number,
		.from = at->offset,
		.bytes = source_block_bytes(turns[i].source),
		.next = -1,
		.file = &at->file,
		.now_s = now_s};
	while (last > 0 && turns[last - 1].source != turns[i].source)
		last--;
	if (last > 0) {
		if (!turns[last - 1].file)
			return false;
		order->from = turns[last - 1].after;
		order->file = turns[last - 1].file;
	}
	/* A header that was given back is read again by its turn. */
	if (!order->file->header.len && order->file->header_offset >= 0)
		return false;
	return at->size - order->from >= order->bytes;
}

static void ahead_look(struct intake *in, struct ahead_turn *turns, size_t i,
		       int64_t now_s)
{
	struct ahead_turn *turn = &turns[i];
	struct crew_order *order = &turn->order;

	if (!ahead_order(turns, i, now_s, order))
		return;
	turn->job = crew_find(in->crew, order);
	if (turn->job) {
		if (!crew_after(in->crew, turn->job, &turn->after, &turn->file))
			turn->file = NULL;
		return;
	}
	turn->fd = source_share(turn->source);
	if (turn->fd < 0)
		return;
	order->next = ahead_guess(turn->fd, order->from + order->bytes);
	turn->after = order->next;
	assert(order->file);
	if (order->next >= 0)
		order->after = turn->file = ahead_header(turn);
}

/* See to it that the blocks of this turn and the next ones are being made, and
 * no others.  That of this turn, or NULL: there is none. */
static struct crew_job *ahead_begin(struct intake *in, struct source *source,
				    int64_t now_s)
{
	struct source *sources[CREW_AHEAD_MAX + 1] = {source};
	struct ahead_turn turns[CREW_AHEAD_MAX + 1];
	struct crew_job *jobs[CREW_AHEAD_MAX + 1];
	size_t count = 1 + sources_ahead(in->sources, sources + 1,
					 crew_ahead(in->crew));

	for (size_t i = 0; i < count; i++) {
		turns[i] = (struct ahead_turn){.source = sources[i], .fd = -1};
		shape_file_init(&turns[i].begun);
		ahead_look(in, turns, i, now_s);
		jobs[i] = turns[i].job;
	}
	crew_keep(in->crew, jobs, count);
	for (size_t i = 0; i < count; i++) {
		if (turns[i].fd >= 0)
			jobs[i] = crew_begin(in->crew, &turns[i].order,
					     turns[i].fd);
	}
	for (size_t i = 0; i < count; i++)
		shape_file_release(&turns[i].begun);
	return jobs[0];
}

/* The block of the turn as the crew has it, or NULL: it is to be read. */
static struct block *ahead_take(struct intake *in, struct source *source,
				int64_t now_s)
{
	const struct position *at = source_position(source);
	struct crew_job *job = ahead_begin(in, source, now_s);
	struct block *block;

	if (!job || crew_wait(in->crew, job) != BLOCK_MADE)
		return NULL;
	block = crew_block(job);
	if (block_batch(block)->to <= at->offset ||
	    !block_stands(block, source))
		return NULL;
	block_join(block, &at->file);
	return block;
}

enum block_status intake_make(struct intake *in, struct source *source,
			      int64_t now_s)
{
	struct block *block = in->crew ? ahead_take(in, source, now_s) : NULL;

	in->block = block ? block : in->own;
	return block ? BLOCK_MADE : block_read(in->own, source, now_s);
}
