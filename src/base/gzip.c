/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/gzip.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "base/mem.h"

enum { GZIP_WINDOW = 15, GZIP_WRAPPER = 16, GZIP_BLOCK = 32768 };

struct gzip_packer {
	int level;
	z_stream zlib;
#ifdef HAVE_ISAL
	struct isal_zstream isal;
	unsigned char *isal_memory;
	uint32_t isal_bytes;
#endif
};

#ifdef HAVE_ISAL

static const uint32_t gzip_isal_bytes[] = {
	ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
	ISAL_DEF_LVL3_DEFAULT};

static int gzip_isal_level(int level)
{
	return level <= 3 ? level : 0;
}

static void gzip_isal_init(struct gzip_packer *packer)
{
	int level = gzip_isal_level(packer->level);

	if (!level)
		return;
	packer->isal_bytes = gzip_isal_bytes[level];
	packer->isal_memory = mem_zero(1, packer->isal_bytes);
}

static void gzip_begin_isal(struct gzip_packer *packer)
{
	struct isal_zstream *z = &packer->isal;

	isal_deflate_init(z);
	z->level = (uint32_t)gzip_isal_level(packer->level);
	z->level_buf = packer->isal_memory;
	z->level_buf_size = packer->isal_bytes;
	z->gzip_flag = IGZIP_GZIP;
	z->flush = NO_FLUSH;
}

/* As much of "in" as "room" has room for what comes of it.  1 when that was
 * all, 0 when there is more, or -1. */
static int gzip_step_isal(struct gzip_packer *packer, struct slice *in,
			  bool last, char *p, size_t *room)
{
	struct isal_zstream *z = &packer->isal;

	z->end_of_stream = last;
	z->next_in = (uint8_t *)(uintptr_t)in->p;
	z->avail_in = (uint32_t)in->len;
	z->next_out = (uint8_t *)p;
	z->avail_out = (uint32_t)*room;
	if (isal_deflate(z) != COMP_OK)
		return -1;
	*in = slice_skip(*in, in->len - z->avail_in);
	*room = z->avail_out;
	return last ? z->internal_state.state == ZSTATE_END : !z->avail_in;
}

#endif

/* zlib's memory comes from mem.h, so that a lack of it has the one answer. */
static void *gzip_alloc(void *opaque, unsigned int items, unsigned int size)
{
	(void)opaque;
	return mem_zero(items, size);
}

static void gzip_free(void *opaque, void *p)
{
	(void)opaque;
	mem_free(p);
}

/* What is left to go wrong is a zlib of another age than its header. */
static void gzip_must(int status)
{
	assert(status == Z_OK);
	(void)status;
}

static void gzip_init(z_stream *z, int level)
{
	z->zalloc = gzip_alloc;
	z->zfree = gzip_free;
	gzip_must(deflateInit2(z, level, Z_DEFLATED, GZIP_WINDOW + GZIP_WRAPPER,
			       8, Z_DEFAULT_STRATEGY));
}

struct gzip_packer *gzip_packer_new(int level)
{
	struct gzip_packer *packer = mem_zero(1, sizeof(*packer));

	assert(level >= 1 && level <= 9);
	packer->level = level;
#ifdef HAVE_ISAL
	gzip_isal_init(packer);
	if (packer->isal_memory)
		return packer;
#endif
	gzip_init(&packer->zlib, level);
	return packer;
}

void gzip_packer_free(struct gzip_packer **packer)
{
	if (!*packer)
		return;
#ifdef HAVE_ISAL
	mem_free((*packer)->isal_memory);
#endif
	if ((*packer)->zlib.state)
		deflateEnd(&(*packer)->zlib);
	mem_free(*packer);
	*packer = NULL;
}

static int gzip_step_zlib(struct gzip_packer *packer, struct slice *in,
			  bool last, char *p, size_t *room)
{
	z_stream *z = &packer->zlib;
	int status;

	z->next_in = (Bytef *)(uintptr_t)in->p;
	z->avail_in = (uInt)in->len;
	z->next_out = (Bytef *)p;
	z->avail_out = (uInt)*room;
	status = deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
	if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
		return -1;
	*in = slice_skip(*in, in->len - z->avail_in);
	*room = z->avail_out;
	return last ? status == Z_STREAM_END : !z->avail_in;
}

static int gzip_step(struct gzip_packer *packer, struct slice *in, bool last,
		     char *p, size_t *room)
{
#ifdef HAVE_ISAL
	if (packer->isal_memory)
		return gzip_step_isal(packer, in, last, p, room);
#endif
	return gzip_step_zlib(packer, in, last, p, room);
}

void gzip_pack_begin(struct gzip_packer *packer)
{
#ifdef HAVE_ISAL
	if (packer->isal_memory) {
		gzip_begin_isal(packer);
		return;
	}
#endif
	deflateReset(&packer->zlib);
}

/*
 * Each step has room for a fourth of the piece, which nearly always does: the
 * same bytes meet the same room, whatever is left in the buffer.
 */
int gzip_pack_piece(struct gzip_packer *packer, struct slice in, bool last,
		    struct buf *out)
{
	const size_t step = in.len / 4 + 1024;
	int done = 0;

	assert(in.len < INT_MAX);
	while (!done) {
		size_t left = out->max - out->len;
		size_t room = step < left ? step : left, used = room;

		if (!room || buf_reserve(out, room) < 0)
			break;
		done = gzip_step(packer, &in, last, out->p + out->len, &room);
		if (done < 0)
			break;
		out->len += used - room;
	}
	if (done > 0)
		return 0;
	out->overflow = true;
	return -1;
}

int gzip_pack(struct gzip_packer *packer, struct slice in, struct buf *out)
{
	size_t before = out->len;

	gzip_pack_begin(packer);
	if (gzip_pack_piece(packer, in, true, out) == 0)
		return 0;
	out->len = before;
	return -1;
}

struct gzip_writer {
	z_stream zlib;
};

struct gzip_writer *gzip_writer_new(int level)
{
	struct gzip_writer *writer = mem_zero(1, sizeof(*writer));

	assert(level >= 1 && level <= 9);
	gzip_init(&writer->zlib, level);
	return writer;
}

void gzip_writer_free(struct gzip_writer **writer)
{
	if (!*writer)
		return;
	deflateEnd(&(*writer)->zlib);
	mem_free(*writer);
	*writer = NULL;
}

static int gzip_deflate(struct gzip_writer *writer, struct slice in, int flush,
			struct buf *out)
{
	z_stream *z = &writer->zlib;
	int status;

	assert(in.len < INT_MAX);
	z->next_in = (Bytef *)(uintptr_t)in.p;
	z->avail_in = (uInt)in.len;
	do {
		size_t room = out->max - out->len;

		if (room > GZIP_BLOCK)
			room = GZIP_BLOCK;
		/* No room at all is asked for too, and then overflows. */
		if (buf_reserve(out, room ? room : 1) < 0)
			return -1;
		z->next_out = (Bytef *)out->p + out->len;
		z->avail_out = (uInt)room;
		status = deflate(z, flush);
		out->len += room - z->avail_out;
	} while (z->avail_out == 0 && status != Z_STREAM_END);
	return 0;
}

int gzip_write(struct gzip_writer *writer, struct slice in, struct buf *out)
{
	return gzip_deflate(writer, in, Z_NO_FLUSH, out);
}

int gzip_write_end(struct gzip_writer *writer, struct buf *out)
{
	int status = gzip_deflate(writer, SLICE(""), Z_FINISH, out);

	deflateReset(&writer->zlib);
	return status;
}

struct gzip_reader {
	int fd;
	bool inside; /* within a member, or before the first one */
	z_stream zlib;
	unsigned char block[GZIP_BLOCK];
};

struct gzip_reader *gzip_reader_new(int fd)
{
	struct gzip_reader *reader = mem_zero(1, sizeof(*reader));

	reader->fd = fd;
	reader->inside = true;
	reader->zlib.zalloc = gzip_alloc;
	reader->zlib.zfree = gzip_free;
	gzip_must(inflateInit2(&reader->zlib, GZIP_WINDOW + GZIP_WRAPPER));
	return reader;
}

void gzip_reader_free(struct gzip_reader **reader)
{
	if (!*reader)
		return;
	inflateEnd(&(*reader)->zlib);
	mem_free(*reader);
	*reader = NULL;
}

/* 1 when there is input, 0 at the end of the file, or -1. */
static int gzip_fill(struct gzip_reader *reader)
{
	ssize_t n;

	if (reader->zlib.avail_in)
		return 1;
	do {
		n = read(reader->fd, reader->block, sizeof(reader->block));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	reader->zlib.next_in = reader->block;
	reader->zlib.avail_in = (uInt)n;
	return 1;
}

/*
 * Between members: 1 when another one begins, 0 at the end, or -1.  Zeros may
 * stand there (files copied from tape or by blocks), as for gzip(1).
 */
static int gzip_between(struct gzip_reader *reader)
{
	z_stream *z = &reader->zlib;
	int status;

	while ((status = gzip_fill(reader)) > 0) {
		while (z->avail_in && *z->next_in == 0) {
			z->next_in++;
			z->avail_in--;
		}
		if (z->avail_in)
			break;
	}
	return status;
}

static int gzip_damaged(void)
{
	errno = EBADMSG;
	return -1;
}

ptrdiff_t gzip_read(struct gzip_reader *reader, void *p, size_t n)
{
	z_stream *z = &reader->zlib;

	assert(n > 0);
	z->next_out = p;
	z->avail_out = n < INT_MAX ? (uInt)n : INT_MAX;
	n = z->avail_out;
	while (z->avail_out == n) {
		int status = reader->inside ? gzip_fill(reader)
					    : gzip_between(reader);

		if (status < 0)
			return -1;
		if (status == 0)
			return reader->inside ? gzip_damaged() : 0;
		reader->inside = true;
		status = inflate(z, Z_NO_FLUSH);
		if (status == Z_STREAM_END) {
			reader->inside = false;
			inflateReset(z);
		} else if (status != Z_OK) {
			return gzip_damaged();
		}
	}
	return (ptrdiff_t)(n - z->avail_out);
}
