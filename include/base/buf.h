/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * buf - growing bytes with a hard cap
 *
 *	struct buf b;
 *	buf_init(&b, max);		no memory is taken yet
 *	buf_add(&b, p, n); ...		b.p[0..b.len) are the bytes
 *	buf_reset(&b);			empty, memory kept for the next round
 *	buf_release(&b);		memory given back
 *
 * Every buffer is born with a maximum, so that no input can become a lack of
 * memory.  An addition that would pass the maximum adds nothing, sets
 * "overflow" until the next reset, and returns -1; a caller may therefore add
 * many pieces and look at "overflow" once.  Running out of memory itself ends
 * the program (mem.h).  The bytes move when the buffer grows: a slice of them
 * is good only until the next addition.  One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct buf {
	char *p;       /* the bytes; NULL until the first addition */
	size_t len;    /* how many there are */
	size_t cap;    /* how many fit without growing */
	size_t max;    /* how many there may ever be */
	bool overflow; /* something did not fit since the last reset */
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);

/* Forget the bytes, keep the memory. */
static inline void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
}

/* Cut back to "len" bytes; overflow is forgotten.  len <= buf->len. */
void buf_truncate(struct buf *buf, size_t len);

/* Remove "n" bytes from the front, moving the rest.  n <= buf->len. */
void buf_consume(struct buf *buf, size_t n);

/* Room for "n" more bytes after p + len.  0, or -1 past the maximum. */
int buf_reserve(struct buf *buf, size_t n);

/* Append.  Each returns 0, or -1 past the maximum (and sets overflow). */
static inline int buf_add(struct buf *buf, const void *p, size_t n);
static inline int buf_add_slice(struct buf *buf, struct slice s);
int buf_add_str(struct buf *buf, const char *string);
int buf_add_char(struct buf *buf, char c);
int buf_addf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The bytes as a slice, good until the next change. */
static inline struct slice buf_slice(const struct buf *buf)
{
	return slice_of(buf->p, buf->len);
}

/*
 * The bytes as a C string, good until the next change; never NULL.  A NUL
 * among them ends the string early.
 */
const char *buf_str(struct buf *buf);

/* --- Inline: JSON is written in short runs by the million --- */

/* buf_add() where it may have to grow, or does not fit. */
int buf_add_more(struct buf *buf, const void *p, size_t n);

static inline int buf_add(struct buf *buf, const void *p, size_t n)
{
	if (!n || n > buf->cap - buf->len || n > buf->max - buf->len)
		return buf_add_more(buf, p, n);
	memcpy(buf->p + buf->len, p, n);
	buf->len += n;
	return 0;
}

static inline int buf_add_slice(struct buf *buf, struct slice s)
{
	return buf_add(buf, s.p, s.len);
}

#endif /* BASE_BUF_H */
