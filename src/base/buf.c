/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mem.h"

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
	mem_free(buf->p);
	buf_init(buf, buf->max);
}

void buf_truncate(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	buf->len = len;
	buf->overflow = false;
}

void buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	if (!n)
		return;
	buf->len -= n;
	memmove(buf->p, buf->p + n, buf->len);
}

/* One byte more than "max" may be taken, for the NUL of buf_str(). */
static void buf_grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap < 64 ? 64 : buf->cap;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (buf->max < SIZE_MAX && cap > buf->max + 1)
		cap = buf->max + 1;
	buf->p = mem_resize(buf->p, cap);
	buf->cap = cap;
}

int buf_reserve(struct buf *buf, size_t n)
{
	if (n > buf->max - buf->len) {
		buf->overflow = true;
		return -1;
	}
	if (n > buf->cap - buf->len)
		buf_grow(buf, buf->len + n);
	return 0;
}

int buf_add_more(struct buf *buf, const void *p, size_t n)
{
	if (buf_reserve(buf, n) < 0)
		return -1;
	if (n)
		memcpy(buf->p + buf->len, p, n);
	buf->len += n;
	return 0;
}

int buf_add_str(struct buf *buf, const char *string)
{
	return buf_add(buf, string, strlen(string));
}

int buf_add_char(struct buf *buf, char c)
{
	return buf_add(buf, &c, 1);
}

int buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n >= 0 && buf_reserve(buf, (size_t)n) == 0) {
		if ((size_t)n >= buf->cap - buf->len)
			buf_grow(buf, buf->len + (size_t)n + 1);
		vsnprintf(buf->p + buf->len, (size_t)n + 1, format, again);
		buf->len += (size_t)n;
	} else {
		buf->overflow = true;
		n = -1;
	}
	va_end(again);
	return n < 0 ? -1 : 0;
}

const char *buf_str(struct buf *buf)
{
	if (buf->len >= buf->cap)
		buf_grow(buf, buf->len + 1);
	buf->p[buf->len] = '\0';
	return buf->p;
}
