/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "follow/sources_private.h"

/*
 * The life of a file: it grows, becomes final when another takes over, is
 * finished when it was read to its end, loses its name, and is gone.
 */

bool source_younger(const struct source *a, const struct source *b)
{
	return a->mtime_ns != b->mtime_ns ? a->mtime_ns > b->mtime_ns
					  : strcmp(a->at.path, b->at.path) > 0;
}

/* --- When is it due --- */

void source_schedule(struct source *source)
{
	const struct sources_limits *limits = &source->all->limits;
	const struct position *at = &source->at;
	int64_t unread = at->size - at->offset;

	source->due_ms = SOURCE_NEVER;
	if (at->state != POSITION_FOLLOWING || unread <= 0)
		return;
	if (source->stalled >= at->size &&
	    (!source->final || source->stalled_final))
		return;
	source->due_ms = source->all->now_ms;
	if (!source->final && unread < source_block_bytes(source) &&
	    at->offset >= source->flush)
		source->due_ms = source->since_ms + limits->max_delay_ms;
	if (source->due_ms < source->retry_ms)
		source->due_ms = source->retry_ms;
}

void source_grew(struct source *source, int64_t size)
{
	const struct position *at = &source->at;
	struct sources *s = source->all;

	if (size != at->size) {
		source_change(source)->size = size;
		source->grown_ms = s->now_ms;
		source->final = false;
		sources_tick_by(s, s->now_ms + s->limits.close_after_ms);
	}
	if (at->state == POSITION_FINISHED && size > at->offset) {
		source_change(source)->state = POSITION_FOLLOWING;
		if (at->pmta_rows >= 0)
			source_change(source)->pmta_rows =
				POSITION_PMTA_UNKNOWN;
		sources_activate(source);
	}
	if (source->stalled >= 0 && size != source->stalled) {
		source->stalled = -1;
		source->stalled_final = false;
		source->since_ms = s->now_ms;
	}
	if (size <= at->offset) {
		source->since_s = 0;
	} else if (!source->since_s) {
		source->since_ms = s->now_ms;
		source->since_s = s->now_s;
	}
}

/* --- Final, finished, gone --- */

void source_dated(struct source *source, int64_t mtime_ns)
{
	struct sources *s = source->all;
	struct sources_glob *glob = &s->globs[source->setting];
	struct source *newest = glob->newest;

	if (newest == source && mtime_ns < source->mtime_ns)
		glob->newest_lost = true;
	source->mtime_ns = mtime_ns;
	if (!source->named || newest == source)
		return;
	if (!newest || source_younger(source, newest)) {
		glob->newest = source;
		if (newest)
			sources_tick_by(s, newest->grown_ms +
						   s->limits.close_after_ms);
	}
}

/* What a file needs only to be read is given back. */
static void life_retire(struct source *source, enum position_state state)
{
	source_change(source)->state = state;
	source_close(source);
	sources_deactivate(source);
	source_schedule(source);
	source_drop_header(source);
}

/* It went while we were not there, and was not finished before: nobody knows
 * how long it was in the end. */
static bool life_unwatched(const struct source *source)
{
	return !source->bound && (source->at.state == POSITION_FOLLOWING ||
				  source->at.state == POSITION_WAITING);
}

void source_gone(struct source *source)
{
	const struct position *at = &source->at;
	char detail[96] = "";

	if (at->size > at->offset && at->state != POSITION_SET_ASIDE)
		snprintf(detail, sizeof(detail), "%lld bytes were not read",
			 (long long)(at->size - at->offset));
	else if (life_unwatched(source))
		snprintf(detail, sizeof(detail),
			 "while nobody looked: rows after byte %lld, if there "
			 "were any, are lost",
			 (long long)at->offset);
	life_retire(source, POSITION_GONE);
	sources_say(source, SOURCES_GONE, detail, at->offset);
}

/* Without a name, its descriptor is all there is; -1: not even that. */
static int life_read_through(struct source *source)
{
	struct stat st;

	if (source->fd < 0 || fstat(source->fd, &st) < 0)
		return -1;
	if (st.st_size < source->at.offset)
		source_start_over(source, SOURCES_TRUNCATED);
	source_grew(source, st.st_size);
	return 0;
}

void source_lose(struct source *source)
{
	struct sources *s = source->all;
	struct sources_glob *glob = &s->globs[source->setting];

	if (!source->named)
		return;
	source->named = false;
	source->final = false;
	source->lost_ms = s->now_ms;
	if (glob->newest == source) {
		glob->newest = NULL;
		glob->newest_lost = true;
	}
	life_read_through(source);
	sources_activate(source);
	source_schedule(source);
	sources_tick_by(s, s->now_ms + SOURCES_LOST_MS);
}

/* The next deadline of a file that has lost its name. */
static int64_t life_lost(struct source *source)
{
	const struct sources *s = source->all;
	int64_t quiet_ms = source->lost_ms;

	if (source->at.state != POSITION_FOLLOWING ||
	    life_read_through(source) < 0) {
		if (s->now_ms < source->lost_ms + SOURCES_LOST_MS)
			return source->lost_ms + SOURCES_LOST_MS;
		source_gone(source);
		return SOURCE_NEVER;
	}
	if (source->grown_ms > quiet_ms)
		quiet_ms = source->grown_ms;
	quiet_ms += s->limits.close_after_ms;
	source->final = s->now_ms >= quiet_ms;
	if (source->final &&
	    (source->at.offset >= source->at.size || source->stalled_final)) {
		source_gone(source);
		return SOURCE_NEVER;
	}
	source_schedule(source);
	/* Nobody tells when it grows. */
	return s->now_ms + SOURCES_LOST_MS;
}

/* Read to its end and final: is it so? */
static void life_finish(struct source *source)
{
	struct stat st;
	int got = source->fd >= 0 ? fstat(source->fd, &st)
				  : stat(source->at.path, &st);

	if (got < 0 || !source_is(source, &st)) {
		source_lose(source);
	} else if (st.st_size != source->at.size) {
		source_touch(source, &st);
	} else {
		life_retire(source, POSITION_FINISHED);
		sources_say(source, SOURCES_FINISHED, NULL, source->at.offset);
	}
}

int64_t source_look(struct source *source)
{
	struct sources *s = source->all;
	int64_t quiet_ms = source->grown_ms + s->limits.close_after_ms;

	if (source->pending)
		return SOURCE_NEVER;
	if (!source->named)
		return life_lost(source);
	if (source->at.state == POSITION_SET_ASIDE ||
	    source->at.state == POSITION_FINISHED)
		life_retire(source, source->at.state);
	if (source->at.state != POSITION_FOLLOWING || !source->bound)
		return SOURCE_NEVER;
	source->final = s->globs[source->setting].newest != source &&
			s->now_ms >= quiet_ms;
	source_schedule(source);
	if (s->globs[source->setting].newest == source) {
		source_hold(source);
		return SOURCE_NEVER;
	}
	if (source->final && source->at.offset >= source->at.size)
		life_finish(source);
	return source->final ? SOURCE_NEVER : quiet_ms;
}
