/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/block.h"

#include <errno.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "base/mem.h"

enum {
	BLOCK_TAIL = 1024,
	/* Read and shaped at a time, and packed at a time: so much stays in
	 * the processor's cache. */
	BLOCK_PIECE = 256 << 10,
	BLOCK_JSON = 512 << 10
};

struct block {
	const struct config *config;
	struct shape *shape; /* NULL: it keeps what others make */
	struct gzip_packer *packer;
	struct buf window; /* bytes read and not shaped yet */
	int64_t taken;	   /* bytes that were shaped before them */
	struct buf gz;
	struct shape_batch *batch; /* NULL: nothing was made */
	struct shape_batch kept;
	bool full; /* before the bytes that make a block were taken */
	char edge[BLOCK_TAIL]; /* the last bytes of the first piece */
	size_t edge_len;
	int64_t edge_to;
	char tail[BLOCK_TAIL]; /* the last bytes that were taken */
	size_t tail_len;
	size_t raw_len; /* of the JSON */
};

int64_t block_bytes(const struct config *config)
{
	int64_t bytes = (int64_t)config->events.max_events * BLOCK_ROW;

	if (bytes < BLOCK_MIN)
		return BLOCK_MIN;
	return bytes < BLOCK_MAX ? bytes : BLOCK_MAX;
}

/* Would twice as much have fit? */
static bool block_is_roomy(const struct block *block)
{
	const struct config *config = block->config;

	return account_events(&block->batch->account) <
		       config->events.max_events / 2 &&
	       block->raw_len < config->events.max_raw_bytes / 2 &&
	       block->gz.len < config->batch_max_bytes / 2;
}

/* An eighth less than was full, as rows differ; and twice as much again when
 * they have become longer. */
void block_measure(const struct block *block, struct source *source)
{
	int64_t bytes = block->batch->to - block->batch->from;
	int64_t now = source_block_bytes(source);
	int64_t most = block_bytes(block->config);

	if (!block->full) {
		if (now < most && bytes > now / 2 && block_is_roomy(block))
			source_set_block_bytes(source,
					       now < most / 2 ? now * 2 : most);
		return;
	}
	if (bytes <= BLOCK_MIN)
		return;
	bytes -= bytes / 8;
	source_set_block_bytes(source, bytes > BLOCK_MIN ? bytes : BLOCK_MIN);
}

struct block *block_new_shelf(const struct config *config)
{
	struct block *block = mem_zero(1, sizeof(*block));

	block->config = config;
	buf_init(&block->gz, config->batch_max_bytes);
	shape_batch_init(&block->kept);
	return block;
}

struct block *block_new(const struct config *config)
{
	struct block *block = block_new_shelf(config);

	block->shape = shape_new(&config->events);
	shape_set_piece(block->shape, BLOCK_JSON);
	block->packer = gzip_packer_new(config->batch_compression);
	buf_init(&block->window, config->events.max_row + BLOCK_PIECE);
	return block;
}

void block_free(struct block **block)
{
	if (!*block)
		return;
	shape_batch_release(&(*block)->kept);
	shape_free(&(*block)->shape);
	gzip_packer_free(&(*block)->packer);
	buf_release(&(*block)->window);
	buf_release(&(*block)->gz);
	mem_free(*block);
	*block = NULL;
}

/* Where the bytes come from: a source as far as it goes, or a part. */
struct block_input {
	struct source *source;
	const struct block_part *part; /* NULL: the source */
	const struct shape_file *file;
	int64_t from, bytes;
};

static int64_t block_input_read(const struct block_input *in, void *p, size_t n,
				int64_t offset)
{
	ssize_t got;

	if (!in->part)
		return source_read(in->source, p, n, offset);
	if (offset >= in->part->to)
		return 0;
	if ((int64_t)n > in->part->to - offset)
		n = (size_t)(in->part->to - offset);
	got = fs_pread(in->part->fd, p, n, offset);
	if (got < 0 || (size_t)got == n)
		return got;
	/* It was cut: half a row must not become an event. */
	errno = ESTALE;
	return -1;
}

/*
 * A piece more into the window, whose end is at "offset", but nothing from
 * "end" on.  1 when there is more, 0 at the end of the file, or -1.
 */
static int block_fill(struct block *block, const struct block_input *in,
		      int64_t offset, int64_t end)
{
	struct buf *window = &block->window;
	size_t room = BLOCK_PIECE;
	int64_t n;

	if (end - offset < BLOCK_PIECE)
		room = (size_t)(end - offset);
	if (!room || buf_reserve(window, room) < 0)
		return 0;
	n = block_input_read(in, window->p + window->len, room, offset);
	if (n < 0)
		return -1;
	window->len += (size_t)n;
	return (size_t)n == room;
}

static void block_note_edge(struct block *block, const struct block_input *in)
{
	const struct buf *window = &block->window;

	if (block->edge_len)
		return;
	block->edge_len = window->len < BLOCK_TAIL ? window->len : BLOCK_TAIL;
	block->edge_to = in->from + (int64_t)window->len;
	if (block->edge_len)
		memcpy(block->edge, window->p + window->len - block->edge_len,
		       block->edge_len);
}

/*
 * A file that was cut and written anew while it was read has given bytes of
 * both: a row of the two must not become an event.  Then other bytes stand now
 * before the first place where they may have been joined.  (Not the file's
 * first ones, which may be one long header in both.)  0, or -1.
 */
static int block_verify(const struct block *block, const struct block_input *in)
{
	char bytes[BLOCK_TAIL];
	int64_t from = block->edge_to - (int64_t)block->edge_len;
	int64_t n;

	if (!block->edge_len)
		return 0;
	n = block_input_read(in, bytes, block->edge_len, from);
	if (n < 0)
		return -1;
	if (n == (int64_t)block->edge_len &&
	    memcmp(bytes, block->edge, block->edge_len) == 0)
		return 0;
	errno = ESTALE;
	return -1;
}

/* The first bytes of the window are done with: the last of them are the tail.
 */
static void block_take(struct block *block, size_t taken)
{
	size_t more = taken < BLOCK_TAIL ? taken : BLOCK_TAIL;
	size_t kept = block->tail_len;

	if (kept > BLOCK_TAIL - more)
		kept = BLOCK_TAIL - more;
	if (kept)
		memmove(block->tail, block->tail + block->tail_len - kept,
			kept);
	if (more)
		memcpy(block->tail + kept, block->window.p + taken - more,
		       more);
	block->tail_len = kept + more;
	buf_consume(&block->window, taken);
}

/* Shape what is in the window, and pack it piece by piece. */
static enum shape_status block_window(struct block *block,
				      const struct block_input *in, bool final)
{
	struct slice window = buf_slice(&block->window);
	enum shape_status status;
	size_t at = 0, consumed;

	do {
		status = shape_feed(block->shape, slice_skip(window, at),
				    in->from + block->taken + (int64_t)at,
				    final, &consumed);
		at += consumed;
		if (status == SHAPE_PIECE &&
		    gzip_pack_piece(block->packer,
				    shape_json_take(block->shape), false,
				    &block->gz) < 0)
			status = SHAPE_FULL;
	} while (status == SHAPE_PIECE);
	block_take(block, at);
	block->taken += (int64_t)at;
	return status;
}

/* The same for all up to "end" of the file. */
static enum shape_status block_pieces(struct block *block,
				      const struct block_input *in, int64_t end,
				      int *more)
{
	enum shape_status status;
	int64_t at;

	do {
		at = in->from + block->taken + (int64_t)block->window.len;
		*more = block_fill(block, in, at, end);
		if (*more < 0)
			return SHAPE_MORE;
		block_note_edge(block, in);
		status = block_window(
			block, in,
			!*more && (in->part || source_final(in->source)));
	} while (status == SHAPE_MORE && *more && at + BLOCK_PIECE < end);
	return status;
}

/* Until something is taken, which max_row bytes are always enough for. */
static enum block_status
block_shape(struct block *block, const struct block_input *in, int64_t now_s)
{
	int64_t end = in->from;
	enum shape_status status = SHAPE_MORE;
	int more = 1;

	buf_reset(&block->window);
	buf_reset(&block->gz);
	gzip_pack_begin(block->packer);
	block->taken = 0;
	block->edge_len = block->tail_len = 0;
	shape_begin(block->shape, in->file, now_s);
	while (status == SHAPE_MORE && more && !block->taken) {
		end += in->bytes;
		status = block_pieces(block, in, end, &more);
		if (more < 0)
			return BLOCK_UNREADABLE;
	}
	if (block_verify(block, in) < 0)
		return BLOCK_UNREADABLE;
	block->full = status == SHAPE_FULL;
	block->batch = shape_end(block->shape);
	block->raw_len = block->batch->json_bytes;
	if (status == SHAPE_NO_HEADER && block->batch->to == in->from)
		return BLOCK_NO_HEADER;
	return BLOCK_MADE;
}

static enum block_status block_make(struct block *block,
				    const struct block_input *in, int64_t now_s)
{
	enum block_status status;
	size_t limit = 0;

	shape_repeat(block->shape, in->part && in->part->repeat);
	for (;;) {
		shape_limit(block->shape, limit);
		status = block_shape(block, in, now_s);
		if (status != BLOCK_MADE || !block->raw_len)
			return status;
		if (!block->gz.overflow &&
		    gzip_pack_piece(block->packer, block->batch->json, true,
				    &block->gz) == 0)
			return BLOCK_MADE;
		/* A row may have two events. */
		if (limit == 1 || shape_events(block->shape) < 2)
			return BLOCK_TOO_LARGE;
		limit = shape_events(block->shape) / 2;
	}
}

enum block_status block_read(struct block *block, struct source *source,
			     int64_t now_s)
{
	const struct position *at = source_position(source);
	struct block_input in = {.source = source,
				 .file = &at->file,
				 .from = at->offset,
				 .bytes = source_block_bytes(source)};

	return block_make(block, &in, now_s);
}

enum block_status block_read_part(struct block *block,
				  const struct block_part *part, int64_t now_s)
{
	struct block_input in = {.part = part,
				 .file = part->file,
				 .from = part->from,
				 .bytes = part->bytes};

	return block_make(block, &in, now_s);
}

bool block_stands(const struct block *block, struct source *source)
{
	char bytes[BLOCK_TAIL];
	int64_t from = block->batch->to - (int64_t)block->tail_len;

	return source_read(source, bytes, block->tail_len, from) ==
		       (int64_t)block->tail_len &&
	       memcmp(bytes, block->tail, block->tail_len) == 0;
}

void block_join(struct block *block, const struct shape_file *before)
{
	shape_batch_said(block->batch, before);
}

void block_move(struct block *to, struct block *from)
{
	struct buf gz = to->gz;

	shape_take(from->shape, &to->kept);
	to->batch = &to->kept;
	to->gz = from->gz;
	to->full = from->full;
	to->tail_len = from->tail_len;
	memcpy(to->tail, from->tail, from->tail_len);
	to->raw_len = from->raw_len;
	from->gz = gz;
	from->batch = NULL;
}

const struct shape_batch *block_batch(const struct block *block)
{
	return block->batch;
}

struct slice block_gz(const struct block *block)
{
	return buf_slice(&block->gz);
}
