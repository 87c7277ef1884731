/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SPOOL_FIXTURE_H
#define UNIT_SPOOL_FIXTURE_H

/*
 * spool_fixture - an intake in small, around a spool in a temporary directory
 *
 * There is one source, and each of its bytes makes one event.  So one number
 * ties everything together: what was read is what was made is what waits and
 * what has left.  fixture_agrees() asserts it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool_view.h"

struct fixture {
	char directory[64];
	struct spool_settings settings;
	struct spool *spool;
	struct spool_found found;
	struct ledger ledger;
	uint64_t departures;
	int64_t offset; /* read, made and sealed so far */
	int64_t now_s;
	int64_t span_s; /* how much older than a minute events may be */
};

/* Make the directory; the spool in it is not open yet.  Syncs are skipped. */
void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);

/* spool_open(), and take over what it found.  Must succeed. */
void fixture_open(struct fixture *f);

/* Let go of the spool as a crash does: nothing is saved. */
void fixture_crash(struct fixture *f);

/* Crash, and open again. */
void fixture_reopen(struct fixture *f);

/* Seal the next "events" events; the state moves only on success. */
int fixture_seal(struct fixture *f, uint32_t events);

/* The same in a commit of "count" batches; they are told, if they are wanted.
 */
int fixture_seal_group(struct fixture *f, uint32_t events, uint32_t count,
		       struct batch *batches_out);

/* Departures into the ledger, saved, settled. */
int fixture_save(struct fixture *f);

/* Take the oldest and let it leave.  -1 also when there is none. */
int fixture_depart(struct fixture *f, enum batch_departure why,
		   uint32_t refused);

/*
 * The ledger's equation, here and in a view; and what stands in ready/ is
 * whole.
 */
void fixture_agrees(struct fixture *f);

/* After an open: no rubbish, and no half of a commit. */
void fixture_clean(struct fixture *f);

/* The bytes of a batch; their length goes into its name. */
struct slice fixture_gz(const struct batch *batch, struct buf *out);

/* The checkpoint as it would be with "events" more. */
int fixture_text(const struct fixture *f, uint64_t seq, uint32_t events,
		 struct buf *out);

void fixture_next(const struct fixture *f, uint32_t events,
		  struct batch *batch_out);

/* How many entries there are in a room ("" is the spool itself). */
unsigned int fixture_count(const struct fixture *f, const char *room);
bool fixture_has(const struct fixture *f, const char *name);

/* So many together, if there are, sent and refused in turn; 0, or -1 and they
 * are back. */
int fixture_depart_all(struct fixture *f, size_t count);

/* Note one acceptance: spool_note_accepted(). */
int fixture_note(struct fixture *f, const struct batch *batch, uint32_t first,
		 uint32_t count, const char *id, int64_t now_s);

/* A file below the directory. */
void fixture_write(const struct fixture *f, const char *name, const char *text);
void fixture_read(const struct fixture *f, const char *name, struct buf *out);

/* What the view says. */
void fixture_view(const struct fixture *f, struct spool_view *view_out);
uint64_t fixture_left(const struct ledger *ledger);

#endif /* UNIT_SPOOL_FIXTURE_H */
