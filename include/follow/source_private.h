/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_SOURCE_PRIVATE_H
#define FOLLOW_SOURCE_PRIVATE_H

/*
 * source_private - one file, as the source*.c and sources*.c share it
 *
 *	source_file.c	open it, check it, begin it again
 *	source_life.c	it grows, is final, finished, lost, gone
 *	source.c	read it, move on
 *	source_cache.c	leave the page cache to others
 *
 * A source is "named" while its path leads to it, "bound" once it was met in
 * this run, and "active" while it has a turn or a deadline to wait for: ten
 * thousand finished files are not.
 */

#include <sys/stat.h>

#include "follow/sources.h"

#define SOURCE_NEVER INT64_MAX

struct source {
	struct sources *all;
	union {
		const struct position at;  /* to read */
		struct position to_change; /* by source_change() alone */
	};
	uint64_t changes;	   /* of "at", counted */
	size_t setting;		   /* the glob that found it */
	size_t index;		   /* in all->list */
	size_t active;		   /* its place in all->active + 1, 0: none */
	int fd;			   /* -1: closed */
	bool named, bound;	   /* see above */
	bool pending;		   /* source_pend() */
	bool unchecked;		   /* bound, but not opened yet */
	uint64_t was_dev, was_ino; /* its id until it was bound */
	bool final;		   /* a last line without end is a row */
	bool stalled_final;	   /* final, and still nothing could be taken */
	int64_t mtime_ns;
	uint64_t scan; /* the round that met it last */
	int64_t lost_ms, grown_ms;
	int64_t since_ms;    /* its oldest unread byte was seen */
	int64_t since_s;     /* the same in Unix seconds, 0: none unread */
	int64_t stalled;     /* half a row up to here; -1: none */
	int64_t read_end;    /* how far the reader has seen in this turn */
	int64_t skip;	     /* start: end, and the size at the start */
	int64_t turn_size;   /* the size when its turn began */
	int64_t flush;	     /* due at once up to here */
	int64_t block_bytes; /* 0: as the limits say */
	int64_t cached;	     /* from here to the offset, pages are cached */
	int64_t retry_ms;    /* not due before */
	int64_t due_ms;	     /* when it becomes due */
	uint64_t turn;	     /* its last turn */
	int error;	     /* errno that was told; 0: readable */
	char *why;
};

/*
 * The only way to write to "at".  Who remembers what was made of a position
 * (books.h) sees by the number of changes that it has to be made anew, so the
 * pointer is not kept for later.
 */
static inline struct position *source_change(struct source *source)
{
	source->changes++;
	return &source->to_change;
}

static inline bool source_is(const struct source *source, const struct stat *st)
{
	return source->at.id.dev == st->st_dev &&
	       source->at.id.ino == st->st_ino;
}

static inline int64_t source_mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* --- source_life.c --- */

/* Find out anew when it is due. */
void source_schedule(struct source *source);

/* The file is "size" long now: more than before, or less. */
void source_grew(struct source *source, int64_t size);

/* Its time of change is known (again): who is the newest of its glob? */
void source_dated(struct source *source, int64_t mtime_ns);

/* Is "a" younger: changed later, or with the greater name? */
bool source_younger(const struct source *a, const struct source *b);

/* Its path leads to it no longer, or never will again. */
void source_lose(struct source *source);
void source_gone(struct source *source);

/* See what the time has made of it; when is the next deadline? */
int64_t source_look(struct source *source);

/* --- source_file.c --- */

/* 0, or -1: it waits, has lost its name, or there is no descriptor free. */
int source_open(struct source *source);
void source_close(struct source *source); /* and drop its header */

/* Give back a header that can be read again from the file. */
void source_drop_header(struct source *source);

/* Open it if that closes no other: rows that come may be moved away at once. */
void source_hold(struct source *source);

/* Keep what was opened elsewhere. */
void source_keep(struct source *source, int fd);

/* The open file: start over if it is not what was read; -1: unreadable. */
int source_verify(struct source *source);
void source_start_over(struct source *source, enum sources_event_kind kind);

/* It cannot be read; it can be read. */
void source_fails(struct source *source, int error);
void source_works(struct source *source);

/* Met for the first time in this run, or again. */
void source_bind(struct source *source, const struct stat *st);
void source_touch(struct source *source, const struct stat *st);

/* Ready for its turn? */
bool source_prepare(struct source *source);

/* --- source_cache.c --- */

/* It was opened: tell the kernel how it will be read. */
void source_cache_begin(struct source *source);

/* Drop what lies before the offset, by the MiB or all. */
void source_cache_drop(struct source *source, bool all);

/* --- source_file.c --- */

/* Open to read, with no surprise from fifos and terminals. */
int source_open_path(const char *path, struct stat *st_out);

#endif /* FOLLOW_SOURCE_PRIVATE_H */
