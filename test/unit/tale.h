/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_TALE_H
#define UNIT_TALE_H

/*
 * tale - what a caller asked of the spool, what he was told, and what of that
 * must be true after a power cut
 *
 *	tale_begin(&t, false);
 *	tale_seal(&t, 10);  tale_depart(&t, BATCH_SENT, 0);  ...
 *	powercut_end(t.log);
 *	... and of each image: tale_found(&t, at, &g, &found);
 *	tale_end(&t);
 *
 * Every word is kept: what was sealed waits or has left, and the ledger says
 * which; what has left does not wait; each byte of the source is in one batch
 * or will be read; a line is there whole.  What was begun, or said to have
 * failed, may be there or not, but not half.
 */

#include "unit/powercut.h"
#include "unit/spool_fixture.h"

enum { TALE_DEEDS = 64, TALE_WAITING = 64 };

enum deed_kind { DEED_SEAL, DEED_DEPART, DEED_LINE, DEED_PAIR };

struct deed {
	enum deed_kind kind;
	size_t begin, end; /* of its operations in the log */
	bool done;	   /* that is what the caller was told */
	struct batch batch;
	int64_t from, to;	  /* of its commit */
	enum batch_departure why; /* BATCH_READY: not known any more */
	uint32_t refused;
	const char *file; /* of a line */
	char line[400];
};

struct tale {
	struct fixture f;
	struct powercut *log;
	struct deed deeds[TALE_DEEDS];
	size_t count;
	unsigned int cuts; /* how often the power went, at most */
	bool full_disk;	   /* an eviction may have met one */
	bool failed;	   /* a departure has, but may be found done */
};

/* What is in ready/. */
struct tale_found {
	struct batch waiting[TALE_WAITING];
	size_t count;
};

/* A spool below a directory; not open yet. */
void tale_place(struct fixture *f, const char *above);

/* In powercut_live(), which is empty.  "fresh": not even the spool's own
 * directory is there. */
void tale_begin(struct tale *t, bool fresh);
void tale_end(struct tale *t);

/* Each is a deed, and true when it was done. */
bool tale_seal(struct tale *t, uint32_t events);
bool tale_seal_group(struct tale *t, uint32_t events, uint32_t count);
bool tale_depart(struct tale *t, enum batch_departure why, uint32_t refused);
bool tale_depart_all(struct tale *t, uint32_t count);
bool tale_evict(struct tale *t, bool expired);
bool tale_save(struct tale *t);
void tale_note(struct tale *t);
void tale_rows(struct tale *t);
void tale_refuse(struct tale *t);

bool tale_is_started(const struct deed *deed, size_t at);
bool tale_is_promised(const struct deed *deed, size_t at);
bool tale_is_same(const struct batch *x, const struct batch *y);
bool tale_is_waiting(const struct tale_found *found, const struct batch *b);

/* Was this deed's batch made, where reading goes on at "position"? */
bool tale_is_made(const struct tale *t, size_t at, const struct deed *d,
		  int64_t position);

/* The open spool of "g" keeps every word that was given before "at". */
void tale_found(const struct tale *t, size_t at, struct fixture *g,
		struct tale_found *found);

/* What status says of it before a start agrees with itself. */
void tale_view(const struct fixture *g);

/* One number for all the promises of a moment. */
uint64_t tale_promises(const struct tale *t, size_t at);

#endif /* UNIT_TALE_H */
