/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_INSIDE_H
#define FOLLOW_INSIDE_H

/*
 * inside - what the source*.c files share; nobody else includes it
 *
 *	sources.c	the collection: add, find, drop, tell
 *	sources_places.c  directories to look into and to watch; notices
 *	sources_scan.c	which name is which file
 *	sources_facts.c	batches found at start that move a position forward
 *	sources_turn.c	whose turn it is
 *	source_file.c	one file: open it, check it, begin it again
 *	source_life.c	one file: grows, is final, finished, lost, gone
 *	source.c	one file: read it, move on
 *
 * A source is "named" while its path leads to it, "bound" once it was met in
 * this run, and "active" while it has a turn or a deadline to wait for: ten
 * thousand finished files are not.
 */

#include <sys/stat.h>

#include "follow/news.h"
#include "follow/odds.h"
#include "follow/pattern.h"
#include "follow/sources.h"
#include "follow/table.h"

#define SOURCE_NEVER INT64_MAX

enum {
	SOURCES_MAX = 200000,
	SOURCES_KEEP_GONE_S = 2 * 86400,
	SOURCES_LOST_MS = 1000, /* a moved file turns up again by then */
	SOURCES_TICK_MS = 100	/* deadlines are looked at no more often */
};

struct source {
	struct sources *all;
	struct position at;
	size_t setting;		   /* the glob that found it */
	size_t index;		   /* in all->list */
	size_t active;		   /* its place in all->active + 1, 0: none */
	int fd;			   /* -1: closed */
	bool named, bound;	   /* see above */
	bool unchecked;		   /* bound, but not opened yet */
	uint64_t was_dev, was_ino; /* its id until it was bound */
	bool final;		   /* a last line without end is a row */
	bool stalled_final;	   /* final, and still nothing could be taken */
	int64_t mtime_ns;
	uint64_t scan; /* the round that met it last */
	int64_t lost_ms, grown_ms;
	int64_t since_ms;  /* its oldest unread byte was seen */
	int64_t since_s;   /* the same in Unix seconds, 0: none unread */
	int64_t stalled;   /* half a row up to here; -1: none */
	int64_t read_end;  /* how far the reader has seen in this turn */
	int64_t skip;	   /* start: end, and the size at the start */
	int64_t turn_size; /* the size when its turn began */
	int64_t flush;	   /* due at once up to here */
	int64_t retry_ms;  /* not due before */
	int64_t due_ms;	   /* when it becomes due */
	uint64_t turn;	   /* its last turn */
	int error;	   /* errno that was told; 0: readable */
	char *why;
};

struct sources_glob {
	struct source_settings set; /* owned copies */
	struct pattern pattern;
	struct source *newest; /* of those that are named */
	bool newest_lost;      /* look for it again */
};

struct sources_fact;

struct sources {
	struct sources_glob *globs;
	size_t globs_count;
	struct sources_limits limits;
	bool first_start, first_scan;
	struct source **list;
	size_t count, cap;
	struct table by_id, by_path; /* every source, gone ones too */

	struct source **active; /* oldest first; NULL: a hole */
	size_t active_count, active_cap, holes;
	size_t active_first; /* before it there are holes only */
	bool unsorted;
	struct source **opened;
	size_t opened_count;

	struct pattern_places places;
	char **directories; /* borrowed from places */
	size_t directories_count;
	struct odds odds;
	struct news news;
	struct sources_fact **facts;
	size_t facts_count;
	struct table facts_by_id;

	struct source *current; /* whose turn it is */
	uint64_t turns, scan;
	bool newest_next; /* the last turn was an older file's */
	int64_t now_ms, now_s;
	int64_t unix_ms;	    /* add to now_ms: Unix time */
	int64_t tick_ms, ticked_ms; /* next and last look at deadlines */
	int64_t scanned_ms;
	bool scan_wanted;
	bool crowded; /* SOURCES_MAX, and none of them is gone */
};

/* --- sources.c --- */

/* Both clocks; the monotonic one alone. */
void sources_clock(struct sources *sources, int64_t now_ms, int64_t now_s);
void sources_clock_ms(struct sources *sources, int64_t now_ms);
void sources_say(struct source *source, enum sources_event_kind kind,
		 const char *detail, int64_t bytes);

/* A new one; NULL when there are too many. */
struct source *sources_add(struct sources *sources, const char *path,
			   uint64_t dev, uint64_t ino);
void sources_drop(struct source *source);
void sources_drop_gone(struct sources *sources, int64_t before_s);

/* The source that the path leads to, as far as is known. */
struct source *sources_at(const struct sources *sources, const char *path);

void sources_set_id(struct source *source, uint64_t dev, uint64_t ino);
void sources_set_path(struct source *source, const char *path);
uint64_t sources_id_key(uint64_t dev, uint64_t ino);

static inline bool source_is(const struct source *source, const struct stat *st)
{
	return source->at.id.dev == st->st_dev &&
	       source->at.id.ino == st->st_ino;
}

static inline int64_t source_mtime(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* --- sources_facts.c --- */

/* Apply what is known of the file "dev", "ino" to an open source. */
void sources_apply(struct source *source, uint64_t dev, uint64_t ino);
void sources_facts_free(struct sources *sources);

/* --- sources_places.c --- */

/* Which directories there are, and which of them to watch. */
void sources_find_places(struct sources *sources);

/* --- sources_scan.c --- */

/* A name was met at a place; "dir" is its descriptor, or AT_FDCWD. */
void sources_meet(struct sources *sources, const struct pattern_place *place,
		  int dir, const char *name);

/* --- sources_turn.c --- */

void sources_activate(struct source *source);
void sources_deactivate(struct source *source);

/* Look at deadlines at "ms", or before. */
void sources_tick_by(struct sources *sources, int64_t ms);

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
void source_close(struct source *source);

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

/* Open to read, with no surprise from fifos and terminals. */
int source_open_path(const char *path, struct stat *st_out);

#endif /* FOLLOW_INSIDE_H */
