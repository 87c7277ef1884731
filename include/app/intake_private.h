/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_INTAKE_PRIVATE_H
#define APP_INTAKE_PRIVATE_H

/*
 * intake_private - what the files of intake share
 *
 * intake.c is its life and its steps, intake_seal.c makes a block durable,
 * intake_say.c tells the operator.
 */

#include "app/block.h"
#include "app/books.h"
#include "app/intake.h"
#include "app/lost.h"

struct intake {
	const struct config *config;
	struct spool *spool;
	struct sources *sources;
	struct block *block;
	struct books books;
	struct lost *lost; /* rows of refused events, to be found */

	bool dirty; /* something is in memory that no checkpoint says */
	int64_t dirty_ms;
	bool stuck; /* the disk refused the last commit */
	int64_t room_ms;
	uint64_t scans;
	struct buf lines;   /* for rows.csv */
	struct tally codes; /* unknown row types that were said */
	/* The block whose malformed rows were kept last, so that a commit that
	 * is tried again does not keep them again. */
	uint64_t kept_ino;
	int64_t kept_from;
};

/* Something is in memory that no checkpoint says. */
void intake_dirty(struct intake *in, int64_t now_ms);

/* --- intake_seal.c --- */

/* Read one block of a source and make it durable. */
void intake_block(struct intake *in, struct source *source, int64_t now_ms,
		  int64_t now_s);

/* Keep the spool within its limits with "bytes" more in it. */
int intake_make_room(struct intake *in, uint64_t bytes, int64_t now_s);

/* --- intake_say.c --- */

/* What the sources met, and that it belongs into a checkpoint. */
void intake_say_events(struct intake *in, int64_t now_ms);

/* What the shape noted about the block of "path". */
void intake_say_notes(struct intake *in, const char *path,
		      const struct shape_batch *batch);

void intake_say_evicted(const struct spool_evicted *gone);

/* With log.verbose: a line for each batch. */
void intake_say_sealed(const struct intake *in, const struct source *source);

/* The disk refused a commit, or took one again.  Keeps errno. */
void intake_set_stuck(struct intake *in, bool stuck, const char *what);

#endif /* APP_INTAKE_PRIVATE_H */
