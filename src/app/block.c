/* SPDX-License-Identifier: GPL-2.0-only */
#include "app/block.h"

#include <errno.h>

#include "base/fs.h"
#include "base/gzip.h"
#include "base/mem.h"

struct block {
	const struct config *config;
	struct shape *shape;
	struct gzip_packer *packer;
	struct buf window; /* bytes read and not shaped yet */
	struct buf gz;
	const struct shape_batch *batch;
};

struct block *block_new(const struct config *config)
{
	struct block *block = mem_zero(1, sizeof(*block));

	block->config = config;
	block->shape = shape_new(&config->events);
	block->packer = gzip_packer_new(config->batch_compression);
	buf_init(&block->window, config->events.max_row + BLOCK_READ);
	buf_init(&block->gz, config->batch_max_bytes);
	return block;
}

void block_free(struct block **block)
{
	if (!*block)
		return;
	shape_free(&(*block)->shape);
	gzip_packer_free(&(*block)->packer);
	buf_release(&(*block)->window);
	buf_release(&(*block)->gz);
	mem_free(*block);
	*block = NULL;
}

/* Where the bytes come from: a source as far as it goes, or a part. */
struct block_input {
	struct source *source; /* NULL: the part */
	const struct block_part *part;
	const struct shape_file *file;
	int64_t from;
};

static int64_t block_input_read(const struct block_input *in, void *p, size_t n,
				int64_t offset)
{
	ssize_t got;

	if (in->source)
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

/* Fill the window.  1 when there is more, 0 at the end, or -1. */
static int block_fill(struct block *block, const struct block_input *in,
		      int64_t offset)
{
	struct buf *window = &block->window;
	size_t room = BLOCK_READ;
	int64_t n;

	/* Less than max_row bytes are ever left over, so this has room. */
	if (buf_reserve(window, room) < 0)
		room = window->max - window->len;
	if (buf_reserve(window, room) < 0)
		return 0;
	n = block_input_read(in, window->p + window->len, room,
			     offset + (int64_t)window->len);
	if (n < 0)
		return -1;
	window->len += (size_t)n;
	return (size_t)n == room;
}

static enum block_status
block_shape(struct block *block, const struct block_input *in, int64_t now_s)
{
	int64_t from = in->from, offset = from;
	enum shape_status status = SHAPE_MORE;
	int more = 1;

	buf_reset(&block->window);
	shape_begin(block->shape, in->file, now_s);
	while (status == SHAPE_MORE && more && offset - from < BLOCK_MAX) {
		bool final;
		size_t consumed;

		more = block_fill(block, in, offset);
		if (more < 0)
			return BLOCK_UNREADABLE;
		final = !more && (!in->source || source_final(in->source));
		status = shape_feed(block->shape, buf_slice(&block->window),
				    offset, final, &consumed);
		buf_consume(&block->window, consumed);
		offset += (int64_t)consumed;
	}
	block->batch = shape_end(block->shape);
	if (status == SHAPE_NO_HEADER && block->batch->to == from)
		return BLOCK_NO_HEADER;
	return BLOCK_MADE;
}

static enum block_status block_make(struct block *block,
				    const struct block_input *in, int64_t now_s)
{
	enum block_status status;

	shape_limit(block->shape, 0);
	shape_repeat(block->shape, !in->source);
	for (;;) {
		size_t events;

		buf_reset(&block->gz);
		status = block_shape(block, in, now_s);
		if (status != BLOCK_MADE || !block->batch->json.len)
			return status;
		if (gzip_pack(block->packer, block->batch->json, &block->gz) ==
		    0)
			return BLOCK_MADE;
		events = shape_events(block->shape);
		if (events < 2)
			return BLOCK_TOO_LARGE;
		shape_limit(block->shape, events / 2);
	}
}

enum block_status block_read(struct block *block, struct source *source,
			     int64_t now_s)
{
	const struct position *at = source_position(source);
	struct block_input in = {
		.source = source, .file = &at->file, .from = at->offset};

	return block_make(block, &in, now_s);
}

enum block_status block_read_part(struct block *block,
				  const struct block_part *part, int64_t now_s)
{
	struct block_input in = {
		.part = part, .file = part->file, .from = part->from};

	return block_make(block, &in, now_s);
}

const struct shape_batch *block_batch(const struct block *block)
{
	return block->batch;
}

struct slice block_gz(const struct block *block)
{
	return buf_slice(&block->gz);
}
