/* SPDX-License-Identifier: GPL-2.0-only */
#include "ingest/delivery_private.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/gzip.h"

/*
 * The batch is unpacked block by block.  Of each block, what belongs to the
 * wanted lines is one run of bytes, which goes straight into the new member.
 */

enum { PART_BLOCK = 64 << 10 };

struct part_reader {
	uint64_t line; /* the one that the next byte belongs to */
	bool inside;   /* that line has bytes already */
	uint64_t first, end;
};

/* The run of wanted lines in "block"; the lines are counted on. */
static struct slice part_run(struct part_reader *r, struct slice block)
{
	struct slice rest = block;
	const char *from = NULL;
	const char *to = block.p;

	while (rest.len && r->line < r->end) {
		size_t n = slice_find(rest, '\n');
		bool ends = n < rest.len;

		n += ends;
		if (r->line >= r->first) {
			if (!from)
				from = rest.p;
			to = rest.p + n;
		}
		r->line += ends;
		r->inside = !ends;
		rest = slice_skip(rest, n);
	}
	return from ? slice_of(from, (size_t)(to - from)) : slice_of(NULL, 0);
}

static int64_t part_lines(const struct part_reader *r)
{
	uint64_t end = r->line + r->inside;

	if (end > r->end)
		end = r->end;
	return end > r->first ? (int64_t)(end - r->first) : 0;
}

static int part_copy(struct part_reader *r, struct gzip_reader *in,
		     struct gzip_writer *out, struct buf *gz_out,
		     struct buf *line_out)
{
	char block[PART_BLOCK];

	while (r->line < r->end) {
		ptrdiff_t n = gzip_read(in, block, sizeof(block));
		struct slice run;

		if (n <= 0)
			return (int)n;
		run = part_run(r, slice_of(block, (size_t)n));
		if (run.len && gzip_write(out, run, gz_out) < 0) {
			errno = EFBIG;
			return -1;
		}
		if (line_out)
			buf_add_slice(line_out, run);
	}
	return 0;
}

int64_t delivery_part_pack(int fd, const struct delivery_part *part, int level,
			   struct buf *gz_out, struct buf *line_out)
{
	struct part_reader r = {.first = part->first,
				.end = (uint64_t)part->first + part->count};
	struct gzip_reader *in = gzip_reader_new(fd);
	struct gzip_writer *out = gzip_writer_new(level);
	int64_t lines = -1;

	if (part_copy(&r, in, out, gz_out, line_out) == 0 &&
	    gzip_write_end(out, gz_out) == 0)
		lines = part_lines(&r);
	gzip_reader_free(&in);
	gzip_writer_free(&out);
	return lines;
}

int delivery_part_file(struct slice bytes)
{
	int fd = memfd_create("part", MFD_CLOEXEC);

	if (fd >= 0 && fs_write_all(fd, bytes.p, bytes.len) < 0)
		fs_close(&fd);
	return fd;
}
