/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>

#include "base/fs.h"
#include "base/mem.h"
#include "follow/ident.h"
#include "follow/sources_private.h"

/*
 * A file is opened when it is met, to see which it is, and before it is read;
 * it is closed when it is finished, or when another needs its descriptor.  Each
 * time before it is read, the bytes before the offset are compared with what
 * they were, so that whatever happened to it meanwhile is noticed.
 *
 * The header goes with the descriptor, for it stands in the file: it may be
 * long, and ten thousand files that are not read would each keep one.
 */

int source_open_path(const char *path, struct stat *st_out)
{
	int fd = openat(AT_FDCWD, path,
			O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int saved;

	if (fd < 0)
		return -1;
	if (fstat(fd, st_out) == 0) {
		if (S_ISREG(st_out->st_mode))
			return fd;
		errno = ENOENT;
	}
	saved = errno;
	fs_close(&fd);
	errno = saved;
	return -1;
}

void source_close(struct source *source)
{
	struct sources *s = source->all;

	if (source->fd < 0)
		return;
	source_cache_drop(source, true);
	source_drop_header(source);
	fs_close(&source->fd);
	for (size_t i = 0; i < s->opened_count; i++) {
		if (s->opened[i] == source) {
			s->opened[i] = s->opened[--s->opened_count];
			return;
		}
	}
}

/* How well can it do without its descriptor?  0: not at all. */
static int source_spare(const struct source *source)
{
	const struct sources *s = source->all;
	bool unread = source->at.size > source->at.offset;

	if (source == s->current)
		return 0;
	if (!source->named)
		return unread || source->pending ? 0 : 1;
	/* Its name may go before its commit does. */
	if (source->pending)
		return 2;
	if (unread)
		return 3;
	return s->globs[source->setting].newest == source ? 2 : 4;
}

/* Make room for one more descriptor.  0, or -1. */
static int source_room(struct sources *s)
{
	struct source *best = NULL;
	int most = 0;

	if (s->opened_count < s->limits.max_open)
		return 0;
	for (size_t i = 0; i < s->opened_count; i++) {
		struct source *one = s->opened[i];
		int spare = source_spare(one);

		if (!spare || spare < most)
			continue;
		if (spare > most || source_younger(one, best))
			best = one;
		most = spare;
	}
	if (!best)
		return -1;
	source_close(best);
	if (!best->named)
		source_gone(best);
	return 0;
}

void source_keep(struct source *source, int fd)
{
	struct sources *s = source->all;

	source_close(source);
	if (source_room(s) < 0) {
		fs_close(&fd);
		return;
	}
	source->fd = fd;
	s->opened[s->opened_count++] = source;
	source_cache_begin(source);
}

int source_open(struct source *source)
{
	struct sources *s = source->all;
	struct stat st;
	int fd;

	if (source->fd >= 0)
		return 0;
	if (!source->named || source_room(s) < 0) {
		source->retry_ms = s->now_ms + SOURCES_LOST_MS;
		source_schedule(source);
		return -1;
	}
	fd = source_open_path(source->at.path, &st);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
		source_fails(source, errno);
		return -1;
	}
	if (fd < 0 || !source_is(source, &st)) {
		/* The name went to another file, or nowhere: look again. */
		fs_close(&fd);
		source_lose(source);
		s->scan_wanted = true;
		return -1;
	}
	source->fd = fd;
	s->opened[s->opened_count++] = source;
	source_cache_begin(source);
	return 0;
}

void source_hold(struct source *source)
{
	const struct sources *s = source->all;

	if (source->fd < 0 && s->opened_count + 1 < s->limits.max_open)
		source_open(source);
}

static void source_say_why(struct source *source, const char *why)
{
	mem_free(source->why);
	source->why = why ? mem_str(why) : NULL;
}

void source_fails(struct source *source, int error)
{
	char text[128];
	const char *why = strerror_r(error, text, sizeof(text));

	if (!source->named) {
		/* Its descriptor is all there is. */
		source->retry_ms =
			source->all->now_ms + source->all->limits.rescan_ms;
	} else if (source->at.state != POSITION_SET_ASIDE) {
		source_close(source);
		source_change(source)->state = POSITION_WAITING;
		source_say_why(source, why);
	}
	/* Once; if it goes on, the ordinary rescans are often enough. */
	if (!source->error &&
	    source->all->now_ms + SOURCES_AGAIN_MS < source->all->again_ms)
		source->all->again_ms = source->all->now_ms + SOURCES_AGAIN_MS;
	if (source->error != error)
		sources_say(source, SOURCES_UNREADABLE, why, source->at.offset);
	source->error = error;
	source_schedule(source);
}

void source_works(struct source *source)
{
	if (source->error)
		sources_say(source, SOURCES_READABLE, NULL, source->at.offset);
	source->error = 0;
	if (source->at.state == POSITION_WAITING) {
		source_change(source)->state = POSITION_FOLLOWING;
		source_say_why(source, NULL);
		sources_activate(source);
	}
}

void source_start_over(struct source *source, enum sources_event_kind kind)
{
	const char *columns = source->all->globs[source->setting].set.columns;
	struct position *at = source_change(source);

	sources_say(source, kind, NULL, at->offset);
	at->offset = 0;
	at->tail_len = 0;
	at->id.head_len = 0;
	at->anew_seq = source->all->next_seq;
	/* The account goes on, over what was in it before. */
	if (at->account.rows)
		at->pmta_rows = POSITION_PMTA_NEVER;
	shape_file_release(&at->file);
	if (columns)
		shape_file_columns(&at->file, columns);
	source->stalled = -1;
	source->stalled_final = false;
	source_say_why(source, NULL);
	at->state = POSITION_FOLLOWING;
	sources_activate(source);
}

/* A header that was given back with the descriptor. */
static int source_reread_header(struct source *source)
{
	struct shape_file *file;

	if (source->at.file.header.len || source->at.file.header_offset < 0)
		return 0;
	file = &source_change(source)->file;
	return ident_header(source->fd, file->header_offset, false, file) < 0
		       ? -1
		       : 0;
}

/* sources[].start: end: begin behind the last line there was at the start. */
static int source_skip(struct source *source)
{
	struct position *at = source_change(source);
	int64_t end = ident_last_line(source->fd, source->skip);

	if (end < 0)
		return -1;
	source->skip = 0;
	if (end == 0)
		return 0;
	at->offset = end;
	at->pmta_rows = POSITION_PMTA_NEVER;
	if (ident_header(source->fd, 0, true, &at->file) < 0)
		return -1;
	return ident_tail(source->fd, at);
}

/* Opened for the first time: do batches lie beyond the position? */
static void source_catch_up(struct source *source)
{
	const struct position_id *id = &source->at.id;

	source->unchecked = false;
	sources_apply(source, source->was_dev, source->was_ino);
	if (source->was_dev != id->dev || source->was_ino != id->ino)
		sources_apply(source, id->dev, id->ino);
}

static int source_grow_head(struct source *source, int64_t size)
{
	struct position_id id = source->at.id;

	if (ident_grow(source->fd, size, &id) < 0)
		return -1;
	if (id.head_len != source->at.id.head_len ||
	    id.head != source->at.id.head)
		source_change(source)->id = id;
	return 0;
}

int source_verify(struct source *source)
{
	enum ident_verdict verdict;
	struct stat st;

	if (source->unchecked)
		source_catch_up(source);
	verdict = ident_check(source->fd, &source->at);
	if (verdict == IDENT_SHORTER)
		source_start_over(source, SOURCES_TRUNCATED);
	else if (verdict == IDENT_OTHER)
		source_start_over(source, SOURCES_REWRITTEN);
	if (verdict == IDENT_ERROR || fstat(source->fd, &st) < 0 ||
	    source_grow_head(source, st.st_size) < 0 ||
	    source_reread_header(source) < 0 ||
	    (source->skip && source_skip(source) < 0)) {
		source_fails(source, errno);
		return -1;
	}
	source_grew(source, st.st_size);
	return 0;
}

bool source_prepare(struct source *source)
{
	if (source_open(source) < 0 || source_verify(source) < 0)
		return false;
	source_works(source);
	source_schedule(source);
	source->turn_size = source->at.size;
	source->read_end = 0;
	return source->due_ms <= source->all->now_ms;
}

/*
 * A finished file that has not changed since it was read needs no opening,
 * so that ten thousand of them cost a start ten thousand stats and no more.
 */
static bool source_is_done(const struct source *source, const struct stat *st)
{
	const struct position *at = &source->at;

	return at->state == POSITION_FINISHED && source_is(source, st) &&
	       st->st_size == at->size && at->offset >= at->size &&
	       st->st_mtim.tv_sec <= at->last_read_s;
}

/* Columns may have been configured since it was set aside. */
static void source_reconsider(struct source *source)
{
	const char *columns = source->all->globs[source->setting].set.columns;

	if (source->at.state == POSITION_GONE)
		source_change(source)->state = POSITION_FOLLOWING;
	if (source->at.state == POSITION_SET_ASIDE && columns &&
	    !source->at.file.header.len && source->at.file.header_offset < 0) {
		shape_file_columns(&source_change(source)->file, columns);
		source_say_why(source, NULL);
		source_change(source)->state = POSITION_FOLLOWING;
	}
}

void source_bind(struct source *source, const struct stat *st)
{
	bool done = source_is_done(source, st);
	int64_t age_ms = source->all->now_s * 1000 -
			 ((int64_t)st->st_mtim.tv_sec * 1000 +
			  st->st_mtim.tv_nsec / 1000000);

	source->unchecked = true;
	source->was_dev = source->at.id.dev;
	source->was_ino = source->at.id.ino;
	source->bound = true;
	source->named = true;
	source->scan = source->all->scan;
	source->grown_ms = source->all->now_ms - (age_ms > 0 ? age_ms : 0);
	sources_set_id(source, st->st_dev, st->st_ino);
	source_dated(source, source_mtime(st));
	source_reconsider(source);
	if (done)
		return;
	source_change(source)->size = st->st_size;
	sources_activate(source);
	if (source_open(source) == 0 && source_verify(source) == 0)
		source_works(source);
	source_schedule(source);
	sources_tick_by(source->all, source->all->now_ms);
	/* The last descriptor is for looking into what turns up next. */
	if (source->all->opened_count == source->all->limits.max_open ||
	    source->at.state == POSITION_SET_ASIDE)
		source_close(source);
}

void source_touch(struct source *source, const struct stat *st)
{
	bool dated = source->mtime_ns != source_mtime(st);
	const struct position *at = &source->at;

	source->scan = source->all->scan;
	if (!dated && at->size == st->st_size && !source->error)
		return;
	source->grown_ms = source->all->now_ms;
	source_dated(source, source_mtime(st));
	if (st->st_size < at->offset)
		source_start_over(source, SOURCES_TRUNCATED);
	/* Bytes behind the offset are looked at when their turn comes. */
	if (st->st_size > at->size && at->state != POSITION_SET_ASIDE &&
	    !source->error) {
		source_grew(source, st->st_size);
		source_hold(source);
	} else if (source_open(source) == 0 && source_verify(source) == 0) {
		source_works(source);
	}
	if (at->state != POSITION_FOLLOWING)
		source_close(source);
	source_schedule(source);
	sources_tick_by(source->all,
			source->grown_ms + source->all->limits.close_after_ms);
}
