/* SPDX-License-Identifier: GPL-2.0-only */
#include "follow/ident.h"

#include <sys/stat.h>

#include "base/fs.h"

enum { IDENT_BLOCK = 16384 };

/* The digest of [from, from + n): 1, 0 when the file ends before, or -1. */
static int ident_digest(int fd, int64_t from, uint32_t n, uint64_t *out)
{
	char bytes[POSITION_HEAD > POSITION_TAIL ? POSITION_HEAD
						 : POSITION_TAIL];
	ssize_t got;

	if (n > sizeof(bytes))
		return 0;
	got = fs_pread(fd, bytes, n, from);
	if (got < 0)
		return -1;
	if ((size_t)got < n)
		return 0;
	*out = digest_of(slice_of(bytes, n)).lo;
	return 1;
}

static int ident_equals(int fd, int64_t from, uint32_t n, uint64_t want)
{
	uint64_t digest;
	int found = n ? ident_digest(fd, from, n, &digest) : 1;

	return found > 0 && n ? digest == want : found;
}

int ident_begins(int fd, const struct position_id *id)
{
	return ident_equals(fd, 0, id->head_len, id->head);
}

enum ident_verdict ident_check(int fd, const struct position *position)
{
	struct stat st;
	int same;

	if (fstat(fd, &st) < 0)
		return IDENT_ERROR;
	if (st.st_size < position->offset)
		return IDENT_SHORTER;
	same = ident_equals(fd, position->offset - position->tail_len,
			    position->tail_len, position->tail);
	if (same > 0 && position->tail_len < position->offset)
		same = ident_begins(fd, &position->id);
	if (same < 0)
		return IDENT_ERROR;
	return same ? IDENT_SAME : IDENT_OTHER;
}

int ident_grow(int fd, int64_t size, struct position_id *id)
{
	uint32_t n = size < POSITION_HEAD ? (uint32_t)size : POSITION_HEAD;
	uint64_t digest;
	int found;

	if (!n || (n == id->head_len && ident_begins(fd, id) > 0))
		return 0;
	found = ident_digest(fd, 0, n, &digest);
	if (found > 0) {
		id->head_len = n;
		id->head = digest;
	}
	return found < 0 ? -1 : 0;
}

int ident_tail(int fd, struct position *position)
{
	uint32_t n = position->offset < POSITION_TAIL
			     ? (uint32_t)position->offset
			     : POSITION_TAIL;
	int found = ident_digest(fd, position->offset - n, n, &position->tail);

	position->tail_len = found > 0 ? n : 0;
	return found < 0 ? -1 : 0;
}

int64_t ident_last_line(int fd, int64_t size)
{
	char block[IDENT_BLOCK];

	while (size > 0) {
		int64_t from = size > IDENT_BLOCK ? size - IDENT_BLOCK : 0;
		ssize_t got = fs_pread(fd, block, (size_t)(size - from), from);
		const char *end;

		if (got < 0)
			return -1;
		end = memrchr(block, '\n', (size_t)got);
		if (end)
			return from + (end - block) + 1;
		size = from;
	}
	return 0;
}

int ident_has_line(int fd, int64_t from, int64_t to)
{
	char block[IDENT_BLOCK];

	while (from < to) {
		size_t n = to - from < IDENT_BLOCK ? (size_t)(to - from)
						   : IDENT_BLOCK;
		ssize_t got = fs_pread(fd, block, n, from);

		if (got <= 0)
			return (int)got;
		if (memchr(block, '\n', (size_t)got))
			return 1;
		from += got;
	}
	return 0;
}

/* Append the line at "offset" without its end; 1, 0: no end in sight, -1. */
static int ident_line(int fd, int64_t offset, struct buf *out)
{
	char block[IDENT_BLOCK];

	for (;;) {
		ssize_t got = fs_pread(fd, block, sizeof(block), offset);
		const char *end;

		if (got <= 0)
			return (int)got;
		end = memchr(block, '\n', (size_t)got);
		if (buf_add(out, block,
			    end ? (size_t)(end - block) : (size_t)got) < 0)
			return 0;
		if (end)
			return 1;
		offset += got;
	}
}

static struct slice ident_trim(struct slice line)
{
	if (slice_starts(line, SLICE("\xef\xbb\xbf")))
		line = slice_skip(line, 3);
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

int ident_header(int fd, int64_t offset, bool only_named,
		 struct shape_file *file)
{
	struct buf line;
	struct slice trimmed, rest;
	int found;

	buf_init(&line, SHAPE_HEADER_MAX);
	found = ident_line(fd, offset, &line);
	trimmed = ident_trim(buf_slice(&line));
	if (found > 0 && only_named &&
	    !slice_eq(slice_cut(trimmed, ',', &rest), SLICE("type")))
		found = 0;
	if (found > 0) {
		buf_reset(&file->header);
		buf_add_slice(&file->header, trimmed);
		file->header_offset = offset;
	}
	buf_release(&line);
	return found;
}

int ident_agree(int a, int b, int64_t from, int64_t to)
{
	uint32_t n = to - from < POSITION_TAIL ? (uint32_t)(to - from)
					       : POSITION_TAIL;
	uint64_t of_a;
	int found = n ? ident_digest(a, to - n, n, &of_a) : 1;

	return found > 0 && n ? ident_equals(b, to - n, n, of_a) : found;
}
