/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_PACE_H
#define APP_PACE_H

/*
 * pace - how many events a second are delivered, as of the last five minutes
 *
 *	struct pace pace = {0};
 *	pace_note(&pace, clock_ms(), sent_in_all);	now and then
 *	pace_idle(&pace);				nothing waits
 *	rate = pace_rate(&pace);
 *
 * The mean since the newest note that is at least five minutes older than the
 * last one; before there is such a note, since the first, when that is ten
 * seconds ago or more.  Notes may come at any intervals; of those within ten
 * seconds one is kept.  After a long silence it is the mean over the silence.
 *
 * What a service that has little to do delivers says nothing about what it
 * could: a million rows after a quiet night would seem to take a week.  So
 * whoever notes says when nothing waits, and measuring begins again with the
 * next note.
 *
 * Values: no clock, no allocation, no errors.  One thread at a time.
 */

#include <stdint.h>

enum {
	PACE_STEP_MS = 10000,
	PACE_SPAN_MS = 300000,
	PACE_NOTES = PACE_SPAN_MS / PACE_STEP_MS + 2
};

struct pace_note {
	int64_t ms;
	uint64_t sent;
};

struct pace {
	struct pace_note kept[PACE_NOTES]; /* a ring, a step or more apart */
	uint32_t first, count;
	struct pace_note last;
};

/*
 * "sent": events delivered in all, on a clock that does not go back.  Should
 * either go back all the same, measuring begins again.
 */
void pace_note(struct pace *pace, int64_t now_ms, uint64_t sent);

/* Nothing waits: what was measured does not count any more. */
void pace_idle(struct pace *pace);

/* Events a second, or -1: not known yet. */
double pace_rate(const struct pace *pace);

#endif /* APP_PACE_H */
