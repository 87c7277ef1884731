/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_SOURCES_PRIVATE_H
#define FOLLOW_SOURCES_PRIVATE_H

/*
 * sources_private - the collection, as the source*.c and sources*.c share it
 *
 *	sources.c	add, find, drop, tell
 *	sources_places.c  directories to look into and to watch; notices
 *	sources_scan.c	which name is which file
 *	sources_facts.c	batches found at start that move a position forward
 *	sources_turn.c	whose turn it is
 */

#include "follow/news.h"
#include "follow/odds.h"
#include "follow/pattern.h"
#include "follow/source_private.h"
#include "follow/sources.h"
#include "follow/table.h"

enum {
	SOURCES_MAX = 200000,
	SOURCES_KEEP_GONE_S = 2 * 86400,
	SOURCES_LOST_MS = 1000,	 /* a moved file turns up again by then */
	SOURCES_AGAIN_MS = 2000, /* what fails may be a moment's trouble */
	SOURCES_TICK_MS = 100	 /* deadlines are looked at no more often */
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
	struct table by_number;
	uint64_t numbers;  /* the last one given */
	uint64_t next_seq; /* of the next batch */

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
	struct position_credit *debts; /* credits of numbers not known yet */
	size_t debts_count;

	struct source *current; /* whose turn it is */
	uint64_t turns, scan;
	bool newest_next; /* the last turn was an older file's */
	int64_t now_ms, now_s;
	int64_t unix_ms;	    /* add to now_ms: Unix time */
	int64_t tick_ms, ticked_ms; /* next and last look at deadlines */
	int64_t scanned_ms;
	int64_t again_ms; /* a file could not be read: look by then */
	bool scan_wanted;
	bool crowded; /* SOURCES_MAX, and none of them is gone */
};

/* --- sources.c --- */

/* Both clocks; the monotonic one alone. */
void sources_clock(struct sources *sources, int64_t now_ms, int64_t now_s);
void sources_clock_ms(struct sources *sources, int64_t now_ms);
void sources_say(struct source *source, enum sources_event_kind kind,
		 const char *detail, int64_t bytes);

/* A new one, of that number or (0) the next; NULL when there are too many. */
struct source *sources_add(struct sources *sources, const char *path,
			   uint64_t number, uint64_t dev, uint64_t ino);
void sources_set_number(struct source *source, uint64_t number);
void sources_drop(struct source *source);

/* Only free it: the collection it is of goes too. */
void sources_discard(struct source *source);

/* As one of sources_adopt(); NULL when there are too many. */
struct source *sources_adopt_one(struct sources *sources,
				 const struct position *from);
void sources_drop_gone(struct sources *sources, int64_t before_s);

/* The source that the path leads to, as far as is known. */
struct source *sources_at(const struct sources *sources, const char *path);

void sources_set_id(struct source *source, uint64_t dev, uint64_t ino);
void sources_set_path(struct source *source, const char *path);
uint64_t sources_id_key(uint64_t dev, uint64_t ino);

/* --- sources_facts.c --- */

/* What was credited to its number before it was met. */
void sources_pay(struct source *source);

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

#endif /* FOLLOW_SOURCES_PRIVATE_H */
