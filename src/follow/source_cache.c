/* SPDX-License-Identifier: GPL-2.0-only */
#include <fcntl.h>

#include "follow/sources_private.h"

/*
 * Rows are read once.  What a backlog brought into the page cache would push
 * out pages that others need, so it goes again, a MiB or more at a time, when
 * the block behind it is advanced over: the last block stays, for it may have
 * to be read again when its seal fails.
 *
 * What was written lately is in the cache because somebody wrote it: it is not
 * ours to drop, and dropping what is not on the disk yet would start writing
 * it, in the writer's way.
 *
 * The kernel keeps part of a folio, and those of a file that is read in order
 * may be 2 MiB: so each drop begins that much before the last one's end.  The
 * first MiB stays, for the beginning is looked at again and again.
 */

enum { CACHE_STEP = 1 << 20, CACHE_FOLIO = 2 << 20, CACHE_LATELY = 16 << 20 };

static bool cache_is_ours(const struct source *source)
{
	const struct sources *s = source->all;

	return source->at.size - source->at.offset >= CACHE_LATELY ||
	       s->now_ms - source->grown_ms >= s->limits.close_after_ms;
}

void source_cache_begin(struct source *source)
{
	source->cached = source->at.offset;
	posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

void source_cache_drop(struct source *source, bool all)
{
	int64_t to = source->at.offset & ~((int64_t)CACHE_STEP - 1);
	int64_t from = source->cached - CACHE_FOLIO;

	if (source->fd < 0)
		return;
	if (all)
		to = source->at.offset;
	if (to < source->cached)
		source->cached = source->at.offset; /* begun anew */
	if (to <= source->cached)
		return;
	if (from < CACHE_STEP)
		from = CACHE_STEP;
	if (cache_is_ours(source) && from < to)
		posix_fadvise(source->fd, from, to - from, POSIX_FADV_DONTNEED);
	source->cached = to;
}
