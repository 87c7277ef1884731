/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_IDENT_H
#define FOLLOW_IDENT_H

/*
 * ident - is an open file the one that a position speaks of?
 *
 * By its bytes: the digest of its beginning, and of what stands just before
 * the offset.  Device and inode are compared by the caller.  Nothing is kept;
 * at most 2 KiB are read for an answer.  -1 means that reading failed, with
 * errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "follow/position.h"

enum ident_verdict {
	IDENT_SAME = 0, /* what was read is still there */
	IDENT_SHORTER,	/* the file ends before the offset */
	IDENT_OTHER,	/* other bytes stand where we read */
	IDENT_ERROR	/* errno says why it cannot be told */
};

/*
 * Are the bytes before the offset those that were read?  The beginning is
 * asked only where the tail does not reach back to it: bytes that were not
 * read yet may change.
 */
enum ident_verdict ident_check(int fd, const struct position *position);

/* Does the file begin as "id" says?  1, 0 (also when it is shorter), -1. */
int ident_begins(int fd, const struct position_id *id);

/* Let the digest of the beginning cover as much as there is; 0 or -1. */
int ident_grow(int fd, int64_t size, struct position_id *id);

/* Remember what stands before the offset; 0 or -1 (then nothing). */
int ident_tail(int fd, struct position *position);

/* Behind the last line end of the first "size" bytes, 0 without one; or -1. */
int64_t ident_last_line(int fd, int64_t size);

/* Is there a line end in [from, to)?  1, 0 or -1. */
int ident_has_line(int fd, int64_t from, int64_t to);

/*
 * The line at "offset" as the header in force, without BOM and line end.
 * only_named: only when its first field is "type".  1: done, 0: there is none
 * or it is too long, -1.
 */
int ident_header(int fd, int64_t offset, bool only_named,
		 struct shape_file *file);

/* Do two files agree on [from, to), at most the last KiB of it?  1, 0, -1. */
int ident_agree(int a, int b, int64_t from, int64_t to);

#endif /* FOLLOW_IDENT_H */
