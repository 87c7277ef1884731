/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FOLLOW_SOURCES_H
#define FOLLOW_SOURCES_H

/*
 * sources - which accounting files there are, and which has a block to read
 *
 *	struct sources *s = sources_new(settings, count, &limits);
 *	sources_adopt(s, positions, n);		what the checkpoint knows
 *	sources_rescan(s, now_ms, now_s);	globs; digests settle identity
 *	while ((src = sources_due(s, now_ms))) {
 *		read with source_read(), shape, seal ...
 *		source_advance(src, to, &file, &account, now_s);
 *	}
 *	wait sources_next_ms(s, now_ms), then sources_notice(), and
 *	sources_rescan() when sources_rescan_due()
 *	sources_free(&s);
 *
 * No clock: each call that needs the time takes it (monotonic milliseconds
 * as now_ms, Unix seconds as now_s).  No threads.  Logs nothing: what an
 * operator should hear is fetched with sources_event().
 *
 * A source becomes due when its unread bytes reach limits.block_bytes, or
 * limits.max_delay_ms after its first unread byte was seen, or when it is
 * final.  Several that are due take turns, oldest first; the newest file gets
 * every other turn, so that a backlog does not hold up the live file.
 * A file once opened stays open until it is read to its end, so that neither a
 * move nor a deletion takes unread rows away; at most limits.max_open files are
 * open at once.
 *
 * Roll-over by new name, rename, move into another watched directory,
 * copy-and-truncate, truncation, deletion, replacement and inode reuse are told
 * apart as position.h says.  A file is final when another file of the same
 * glob is newer and it has not grown for limits.close_after_ms, or when all
 * its names are gone and it has not grown for that long: it is read through
 * its descriptor meanwhile, since who writes it may not know yet.
 * Directories, devices, sockets and fifos are never opened.
 * A file that cannot be read (EACCES, EIO) is WAITING, is tried again at each
 * rescan and each notice, and shows why.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "follow/position.h"
#include "follow/sources_event.h"

struct source;

struct source_settings {
	char *path;	/* sources[].path: a glob */
	char *columns;	/* sources[].columns joined by ",", or NULL */
	char *pmta_log; /* sources[].pmta_log, or NULL; not sources' business */
	bool start_end; /* sources[].start: end */
};

struct sources_limits {
	int64_t max_delay_ms;	/* batch.max_delay */
	int64_t close_after_ms; /* 60000 */
	int64_t rescan_ms;	/* 60000 */
	int64_t block_bytes;	/* unread bytes that make a block at once */
	size_t max_open;	/* 64 */
};

/* Settings are copied.  first_start: no checkpoint was found, so that
 * start: end applies to the files that are there now. */
struct sources *sources_new(const struct source_settings *settings,
			    size_t count, const struct sources_limits *limits,
			    bool first_start);
void sources_free(struct sources **sources);

/*
 * Take over positions from the checkpoint (copied); before the first rescan.
 * "numbers": the last number a source was given, so that new ones get others.
 */
void sources_adopt(struct sources *sources, const struct position *positions,
		   size_t count, uint64_t numbers);

/*
 * Instead of sources_adopt(): take over all that "from" has, which is to be
 * freed next.  Open files stay open, for one that has lost its name can be read
 * through its descriptor alone, unless no glob matches their names now.
 */
void sources_inherit(struct sources *sources, struct sources *from);
uint64_t sources_numbers(const struct sources *sources);

/*
 * Batches in the spool, found at start, cover bytes up to "to" of the file
 * "id": move its position forward if it lies before.  The header in force is
 * read again from header_offset (-1: none), skipping is as given.  The file's
 * position must be known or the file be found by a rescan; else the fact is
 * kept for a file that may turn up.  It gets "number", if that is not 0.
 */
struct sources_beyond {
	struct position_id id;
	uint64_t number;
	int64_t to, header_offset;
	bool skipping;
};
void sources_advance_to(struct sources *sources,
			const struct sources_beyond *beyond);

/* Add to what is known of events of the source with that number.  One that
 * is not known yet may be met later (sources_advance_to()). */
void sources_credit(struct sources *sources,
		    const struct position_credit *credit);

/*
 * Open the file of a source to read bytes before "to" once more; "file" (it is
 * initialized) becomes what is in force where they begin.  A descriptor of the
 * caller's own, or -1: ENOENT the file is gone, ESTALE other bytes stand there,
 * anything else may pass.
 */
struct sources_part {
	uint64_t number;
	uint64_t seq;	       /* of the first batch they were in */
	struct position_id id; /* when they were read first */
	int64_t to, header_offset;
	bool skipping;
};
int sources_reopen(const struct sources *sources,
		   const struct sources_part *part, struct shape_file *file);

/* The number of the next batch, so that a file that is written anew knows
 * which batches are of what stood there before.  A smaller one than before:
 * those between were not made. */
void sources_set_seq(struct sources *sources, uint64_t next_seq);

/* The source with that number, or NULL. */
struct source *sources_numbered(const struct sources *sources, uint64_t number);

/*
 * Look at every glob and every file: one readdir and a stat for each, and no
 * open unless something changed.  Cheap enough for once a minute.
 */
void sources_rescan(struct sources *sources, int64_t now_ms, int64_t now_s);

/* Is it time: limits.rescan_ms since the last one, or a directory came or
 * went? */
bool sources_rescan_due(const struct sources *sources, int64_t now_ms);

/* A hint from the watcher; names that no glob matches are ignored.  name "":
 * the directory itself came or went. */
void sources_notice(struct sources *sources, const char *directory,
		    const char *name, int64_t now_ms, int64_t now_s);

/* The i-th directory to watch, NULL after the last.  Good until the next
 * rescan, which may find others. */
const char *sources_directory(const struct sources *sources, size_t i);

/* The source whose turn it is, or NULL when none is due. */
struct source *sources_due(struct sources *sources, int64_t now_ms);

/*
 * Whose turns come after that one, as things stand now: a guess, and none of
 * them is opened or looked at.  How many; at most SOURCES_AHEAD.
 */
enum { SOURCES_AHEAD = 128 };
size_t sources_ahead(struct sources *sources, struct source **out, size_t max);

/* Make everything that has unread bytes due now (once, SIGTERM); a last line
 * without line end still waits unless the file is final. */
void sources_flush(struct sources *sources);

/* Milliseconds until something may become due or a rescan is, at least 0. */
int64_t sources_next_ms(const struct sources *sources, int64_t now_ms);

/* Is anything unread (whole rows may or may not be among it)? */
bool sources_unread(const struct sources *sources);

/* Will something become due by itself?  Half a row will not. */
bool sources_pending(const struct sources *sources);

size_t sources_count(const struct sources *sources);
struct source *sources_get(struct sources *sources, size_t i);

/* Where it stands.  Good until the next call that takes the sources. */
const struct position *source_position(const struct source *source);

/* Another number whenever the position may be another one; never 0. */
uint64_t source_changes(const struct source *source);

/* Is a last line without line end a row (mapping.md 1.5)? */
bool source_final(const struct source *source);

/* In its turn, up to "n" bytes at "offset".  How many, 0 at the end, -1 with
 * errno: then the turn is over. */
int64_t source_read(struct source *source, void *p, size_t n, int64_t offset);

/* Bytes that make a block of it: limits.block_bytes, until fewer are set. */
int64_t source_block_bytes(const struct source *source);
void source_set_block_bytes(struct source *source, int64_t bytes);

/* A descriptor of the caller's own, for another thread to read from; -1: it is
 * not open, or there is none free. */
int source_share(const struct source *source);

/*
 * A block up to "to" is sealed: remember it.  "account" is added to the
 * file's.  to == the old offset (nothing but half a row was there): the source
 * waits for more bytes.
 */
void source_advance(struct source *source, int64_t to,
		    const struct shape_file *file,
		    const struct account *account, int64_t now_s);

/*
 * Put the position back to a copy taken before source_advance(): the block
 * could not be made durable, it will be read again after "retry_ms".
 */
void source_restore(struct source *source, const struct position *position,
		    int64_t now_ms, int64_t retry_ms);

/*
 * Its block was read, but is not durable yet: until it is, the file is neither
 * finished nor given up, so that source_restore() can have it read again.
 * Between pend and settle no rescan and no notice.
 */
void source_pend(struct source *source);
void source_settle(struct source *source);

/* Rows without header: read no further; "why" is for status and log. */
void source_set_aside(struct source *source, const char *why);

/* The number of records that PowerMTA's log gives for it, in its position. */
void source_set_pmta_rows(struct source *source, int64_t rows);

/* Why it waits or was set aside; "" otherwise. */
const char *source_why(const struct source *source);

/* Unix seconds at which its oldest unread byte was seen; 0 = none unread. */
int64_t source_unread_since_s(const struct source *source);

#endif /* FOLLOW_SOURCES_H */
