/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_WORLD_H
#define UNIT_WORLD_H

/*
 * world - a directory of accounting files, a clock, and a reader
 *
 *	world_begin();				a temporary directory
 *	world_put("a.csv", "type,x\nd,1\n");	somebody appends
 *	world_open("*.csv");			a struct sources on it
 *	world_rescan();
 *	world_pass(5000);			the clock goes on
 *	world_read();				all that is due
 *	world_rows("d,1\n");			what was read since, and forget
 *	world_said("found a.csv\n");		the events since, and forget
 *	world_end();
 *
 * The reader takes whole lines and a last line of a final file, as shape does;
 * a line that begins with "type," becomes the header.  Names are relative to
 * the directory.  Anything that should not happen fails the test.
 */

#include "follow/sources.h"
#include "unit/check_all.h"

struct world {
	char root[64];
	struct sources *s;
	int64_t ms, unix_s;
	size_t block; /* the reader takes this much at a time */
	struct buf got;
	size_t blocks;	  /* blocks read since the last world_rows() */
	struct buf order; /* the files they came from, a line each */
};

extern struct world world;

void world_begin(void);
void world_end(void);

const char *world_path(const char *name); /* good for eight calls */
void world_put(const char *name, const char *text);
void world_cut(const char *name, int64_t size);
void world_move(const char *from, const char *to);
void world_remove(const char *name);
void world_age(const char *name, int64_t seconds);
uint64_t world_inode(const char *name);

struct sources_limits world_limits(void);
void world_open(const char *glob);
void world_open_with(const char *const *globs, size_t count,
		     const struct sources_limits *limits, bool first_start);
/* Stop and start: positions go through copies, as through a checkpoint. */
void world_restart(void);
/* Another configuration: likewise, but open files stay open. */
void world_reload(void);

void world_pass(int64_t ms);
void world_rescan(void);
void world_notice(const char *name);
size_t world_read(void);
/* The next that is due, read to its end; false: none. */
bool world_read_one(void);
void world_rows(const char *want);
void world_rows_any_order(const char *want);
void world_said(const char *want);
struct source *world_source(const char *name);
void world_state(const char *name, enum position_state state);
int world_open_files(void);

#endif /* UNIT_WORLD_H */
