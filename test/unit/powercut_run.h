/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_POWERCUT_RUN_H
#define UNIT_POWERCUT_RUN_H

/*
 * powercut_run - every moment of a recording, and every disk it may leave
 *
 *	powercut_places();			as a checked fixture
 *	p = powercut_begin(powercut_live());
 *	... the code under test, in powercut_live() ...
 *	powercut_end(p);
 *	powercut_run(&run);			calls run.visit for each image
 *	powercut_clear();
 *
 * The visitor finds the image in powercut_image() and may leave there what it
 * likes.  It may record that, and run again: a cut of a recovery.  An image
 * that was seen under the same promises is not made again.
 *
 * In the environment: LONG=1 more seeds, and every moment; POWERCUT_SAY=1 says
 * each image on stderr, POWERCUT_COUNT=1 how many.
 */

#include "unit/powercut.h"

void powercut_places(void);
void powercut_clear(void);
const char *powercut_root(void); /* where both of these are */
const char *powercut_live(void);
const char *powercut_image(void);

/* Remove all that is in a directory. */
void powercut_empty(const char *directory);

/* Which image it is, for messages. */
const char *powercut_where(void);

bool powercut_is_long(void);

struct powercut_run {
	struct powercut *log;
	size_t from, to; /* moments, both included */
	size_t step;	 /* every so many; LONG: each */
	unsigned int seeds;
	bool only_some; /* one image a moment, seeded by its number */
	bool both;	/* also where a rename leaves both names */
	uint64_t (*promised)(void *ctx, size_t at);
	void (*visit)(void *ctx, size_t at);
	void *ctx;
};
void powercut_run(const struct powercut_run *run);

#endif /* UNIT_POWERCUT_RUN_H */
