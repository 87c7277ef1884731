/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_MISTAKES_H
#define APP_MISTAKES_H

/*
 * mistakes - what is wrong with a text, and where
 *
 *	struct mistakes m = {0};
 *	mistakes_add(&m, line, column, "%s: what is wrong; what to do", key);
 *	if (m.count) mistakes_write(&m, "x.yaml", &out);
 *	mistakes_release(&m);
 *
 * Lines and columns count from 1, columns in characters.  A mistake is one
 * line of printable text: control characters become "?".  They come out sorted
 * by place, at most MISTAKES_MAX of them.
 */

#include "base/buf.h"

enum { MISTAKES_MAX = 1000, MISTAKES_TEXT = 512 };

struct mistake {
	unsigned int line, column;
	size_t number; /* order of discovery, where places are equal */
	char *text;
};

struct mistakes {
	struct mistake *list;
	size_t count, cap;
	size_t left_out; /* beyond MISTAKES_MAX */
};

void mistakes_add(struct mistakes *mistakes, unsigned int line,
		  unsigned int column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Append "file:line:column: text" for each; what "out" cannot hold is lost. */
void mistakes_write(struct mistakes *mistakes, const char *file,
		    struct buf *out);

void mistakes_release(struct mistakes *mistakes);

#endif /* APP_MISTAKES_H */
