/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_INTAKE_PRIVATE_H
#define APP_INTAKE_PRIVATE_H

/*
 * intake_private - what the files of intake share
 *
 * intake.c is its life and its steps, intake_ahead.c makes a block or has it
 * made before its turn, intake_seal.c puts it into a group, intake_group.c
 * makes the group durable, intake_gaps.c reads again what was evicted,
 * intake_outlook.c looks whether what waits can be sent in time, intake_say.c
 * tells the operator.
 */

#include "app/alarm.h"
#include "app/block.h"
#include "app/books.h"
#include "app/crew.h"
#include "app/intake.h"
#include "app/lost.h"
#include "app/pace.h"

/* What the disk may refuse. */
enum intake_work { INTAKE_SAVE = 0, INTAKE_SEAL, INTAKE_ROOM };

/* Blocks that become durable together: four full batches of usual rows, which
 * are a step's. */
enum { INTAKE_GROUP_BYTES = 4 << 20 };

struct intake_member {
	struct source *source;
	struct position before;
	int64_t block_bytes; /* before */
	struct batch batch;
	uint64_t rows;
};

struct intake_group {
	struct intake_member members[SPOOL_GROUP];
	size_t count;
	uint64_t bytes;
	struct account account; /* of all of them */
};

/* The blocks whose malformed rows were kept, and that are not durable: when
 * they are read again the rows are not kept again. */
struct intake_kept {
	struct {
		uint64_t ino;
		int64_t from, to;
	} blocks[4 * SPOOL_GROUP];
	size_t count;
};

struct intake {
	const struct config *config;
	struct spool *spool;
	struct sources *sources;
	struct block *own;   /* read in this thread */
	struct crew *crew;   /* NULL: no other threads */
	struct block *block; /* the one to be sealed: own, or of the crew */
	struct books books;
	struct lost *lost; /* rows of refused events, to be found */

	bool dirty; /* something is in memory that no checkpoint says */
	int64_t dirty_ms;
	bool stuck;	    /* the disk refused the last commit */
	bool refused;	    /* a block waits for again_ms ... */
	int64_t again_ms;   /* ... and until then the disk does not work */
	unsigned int alone; /* so many blocks are tried each by itself */
	enum intake_work stuck_at;
	bool paused;		   /* the spool is full, and on_full is pause */
	int64_t room_ms, clean_ms; /* looked at next */
	bool evicted;		   /* since gaps were looked at */
	bool healing;	     /* a gap is being read, and goes on at once */
	int64_t heal_ms;     /* not before */
	int64_t evicting_ms; /* until then status says so */
	struct pace pace;
	struct alarm alarm;
	struct forecast forecast;
	int64_t outlook_ms; /* its rate is not saved before */
	uint64_t scans;
	struct buf lines;   /* for rows.csv */
	struct tally codes; /* unknown row types that were said */
	struct intake_kept kept;
	struct intake_group group; /* empty between steps */
};

/* Something is in memory that no checkpoint says. */
void intake_dirty(struct intake *in, int64_t now_ms);

/* --- intake_ahead.c --- */

/* Make the next block of the source whose turn it is: in->block. */
enum block_status intake_make(struct intake *in, struct source *source,
			      int64_t now_s);

/* --- intake_seal.c --- */

/* Read one block of a source and put it into the group. */
void intake_block(struct intake *in, struct source *source, int64_t now_ms,
		  int64_t now_s);

struct batch_edge intake_edge(const struct shape_file *file);

/* All of a batch that the block itself tells. */
void intake_fill(const struct intake *in, const struct shape_batch *shaped,
		 struct batch *batch, int64_t now_s);

/* Make what is staged in the spool (maybe nothing) and the draft durable; both
 * are used up.  0, or -1: nothing has changed. */
int intake_commit(struct intake *in, struct books_draft *draft, int64_t now_s);

/* What has left, for good; a new gap is worth a look before an end. */
void intake_settle(struct intake *in);

/* Keep the spool within its limits with "bytes" more in it. */
int intake_make_room(struct intake *in, uint64_t bytes, int64_t now_s);

/* --- intake_group.c --- */

/*
 * The block that was just read becomes a member, and its file moves on.  When
 * that fails all members are read again, and this one.  The group is committed
 * when it is full.
 */
void intake_group_add(struct intake *in, struct source *source, int64_t now_ms,
		      int64_t now_s);

/* Make the group (maybe empty) durable.  0, or -1: all members are read again.
 */
int intake_group_commit(struct intake *in, int64_t now_ms, int64_t now_s);

/*
 * What comes of the block is not for a group, so the file's blocks before it
 * have to be durable.  false: they are not, the file went back, and what was
 * made behind them is to be forgotten.
 */
bool intake_group_settle(struct intake *in, const struct source *source,
			 int64_t now_ms, int64_t now_s);

/* Has the file a block in the group? */
bool intake_group_has(const struct intake *in, const struct source *source);

/* Of which blocks that are not durable the malformed rows were kept. */
bool intake_kept_has(const struct intake *in, uint64_t ino, int64_t from,
		     int64_t to);
void intake_kept_add(struct intake *in, uint64_t ino, int64_t from, int64_t to);
void intake_kept_drop(struct intake *in, uint64_t ino, int64_t from);

/* --- intake_gaps.c --- */

/* Read one block of a gap again, if there is room.  The milliseconds until
 * it wants to be called again. */
int64_t intake_heal(struct intake *in, int64_t now_ms, int64_t now_s);

/* --- intake_outlook.c --- */

void intake_outlook(struct intake *in, bool waiting, int64_t now_ms,
		    int64_t now_s);

/* --- intake_say.c --- */

/* What the sources met, and that it belongs into a checkpoint. */
void intake_say_events(struct intake *in, int64_t now_ms);

/* What the shape noted about the block of "path". */
void intake_say_notes(struct intake *in, const char *path,
		      const struct shape_batch *batch);

void intake_say_evicted(const struct spool_evicted *gone);

/* With log.verbose: a line for each batch. */
void intake_say_sealed(const struct intake *in,
		       const struct intake_member *member);

/* Reading pauses for lack of room, or goes on. */
void intake_set_paused(struct intake *in, bool paused);

/* The disk refused a commit, or took one again.  Keeps errno. */
void intake_set_stuck(struct intake *in, enum intake_work work, bool stuck);

#endif /* APP_INTAKE_PRIVATE_H */
