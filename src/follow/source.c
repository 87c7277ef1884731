/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "base/fs.h"
#include "base/mem.h"
#include "follow/ident.h"
#include "follow/sources_private.h"

enum { SOURCE_HALF_ROW = 65536 }; /* more than this is not half a row */

const struct position *source_position(const struct source *source)
{
	return &source->at;
}

uint64_t source_changes(const struct source *source)
{
	return source->changes;
}

bool source_final(const struct source *source)
{
	return source->final;
}

const char *source_why(const struct source *source)
{
	return source->why ? source->why : "";
}

int64_t source_unread_since_s(const struct source *source)
{
	return source->at.size > source->at.offset ? source->since_s : 0;
}

int64_t source_read(struct source *source, void *p, size_t n, int64_t offset)
{
	int64_t got;

	if (n > SSIZE_MAX)
		n = SSIZE_MAX;
	/* What failed in this turn is looked at by the next one: the header
	 * went with the descriptor. */
	if (source->fd < 0) {
		errno = source->error ? source->error : ENOENT;
		return -1;
	}
	got = fs_pread(source->fd, p, n, offset);
	if (got < 0) {
		int saved = errno;

		source_fails(source, saved);
		errno = saved;
		return -1;
	}
	if (got && offset + got > source->read_end)
		source->read_end = offset + got;
	return got;
}

int64_t source_block_bytes(const struct source *source)
{
	return source->block_bytes ? source->block_bytes
				   : source->all->limits.block_bytes;
}

void source_set_block_bytes(struct source *source, int64_t bytes)
{
	source->block_bytes = bytes;
}

int source_share(const struct source *source)
{
	return source->fd < 0 ? -1 : fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
}

/*
 * Something is left behind the block.  Half a row waits for its end; rows that
 * were there when the turn began are overdue; what came since has its own time.
 */
static void source_leave(struct source *source)
{
	const struct position *at = &source->at;

	if (!source->final && source->fd >= 0 &&
	    at->size - at->offset <= SOURCE_HALF_ROW &&
	    ident_has_line(source->fd, at->offset, at->size) == 0)
		source->stalled = at->size;
	if (source->stalled >= 0 || at->offset >= source->turn_size)
		source->since_ms = source->all->now_ms;
	if (at->offset >= source->turn_size)
		source->since_s = source->all->now_s;
}

static void source_move(struct source *source, int64_t to,
			const struct shape_file *file)
{
	struct position *at = source_change(source);
	bool other = false;

	/* Was it cut and written anew while it was read? */
	if (source->fd >= 0 && ident_check(source->fd, at) == IDENT_OTHER)
		other = true;
	source_cache_drop(source, false);
	shape_file_copy(&at->file, file);
	at->offset = to;
	if (source->read_end > at->size)
		source_grew(source, source->read_end);
	if (at->size < to)
		source_grew(source, to);
	at->tail_len = 0;
	if (source->fd >= 0)
		ident_tail(source->fd, at);
	source->stalled = -1;
	source->stalled_final = false;
	if (other) {
		source_start_over(source, SOURCES_REWRITTEN);
		/* The batch that is to be sealed is of the old bytes. */
		at->anew_seq++;
	} else if (at->size > to)
		source_leave(source);
	source_grew(source, at->size);
}

void source_advance(struct source *source, int64_t to,
		    const struct shape_file *file,
		    const struct account *account, int64_t now_s)
{
	struct position *at = source_change(source);

	account_merge(&at->account, account);
	if (to > at->offset) {
		source_move(source, to, file);
		at->last_read_s = now_s;
	} else {
		source_grew(source, source->read_end > at->size
					    ? source->read_end
					    : at->size);
		source->stalled = at->size;
		source->stalled_final = source->final;
	}
	source_schedule(source);
}

void source_restore(struct source *source, const struct position *position,
		    int64_t now_ms, int64_t retry_ms)
{
	struct position *at = source_change(source);
	struct position_id id = at->id;
	int64_t size = at->size;
	char *path = mem_str(at->path);

	source->all->now_ms = now_ms;
	/* Ahead of us it can only be of a file that has begun anew since. */
	if (position->offset <= at->offset) {
		position_copy(at, position);
		if (at->anew_seq > source->all->next_seq)
			at->anew_seq = source->all->next_seq;
		mem_free(at->path);
		at->path = path;
		at->id = id;
		at->size = size;
	} else {
		mem_free(path);
		account_release(&at->account);
		account_merge(&at->account, &position->account);
	}
	source->stalled = -1;
	source->stalled_final = false;
	source->retry_ms = now_ms + retry_ms;
	sources_activate(source);
	source_grew(source, size);
	/* Its rows have waited long enough: only the retry is waited for. */
	source->since_ms = now_ms - source->all->limits.max_delay_ms;
	source_schedule(source);
}

enum { SOURCE_LINE_MORE = 4 };

/* Can it be read again as it was?  ident_header() takes a line, of which the
 * mark before it and a CR behind it are a part; a quoted column may be more. */
static bool source_header_is_line(struct slice header)
{
	return slice_find(header, '\n') == header.len &&
	       header.len + SOURCE_LINE_MORE < SHAPE_HEADER_MAX;
}

void source_drop_header(struct source *source)
{
	const struct shape_file *file = &source->at.file;

	if (file->header_offset >= 0 && file->header.p &&
	    source_header_is_line(buf_slice(&file->header)))
		buf_release(&source_change(source)->file.header);
}

void source_pend(struct source *source)
{
	source->pending = true;
}

void source_settle(struct source *source)
{
	if (!source->pending)
		return;
	source->pending = false;
	sources_tick_by(source->all, source_look(source));
}

void source_set_pmta_rows(struct source *source, int64_t rows)
{
	source_change(source)->pmta_rows = rows;
}

void source_set_aside(struct source *source, const char *why)
{
	mem_free(source->why);
	source->why = mem_str(why);
	source_change(source)->state = POSITION_SET_ASIDE;
	source_schedule(source);
}
