/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

/*
 * backoff - how long to wait after the n-th failure in a row
 *
 * Exponential with full jitter: a random time from zero up to a ceiling that
 * begins at min_ms and doubles with each failure until max_ms, so that a
 * thousand shippers do not come back in step; but never less than a tenth of
 * the ceiling, so that a failure is never answered at once.  Randomness is an
 * argument: no clock, no global state.
 */

#include <stdint.h>

struct backoff {
	int64_t min_ms, max_ms;
	unsigned int failures; /* in a row */
};

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms);

/* Count a failure; the milliseconds to wait.  "random": any 64 bits. */
int64_t backoff_fail(struct backoff *backoff, uint64_t random);

/* A success: the next failure begins at min_ms again. */
void backoff_reset(struct backoff *backoff);

#endif /* BASE_BACKOFF_H */
