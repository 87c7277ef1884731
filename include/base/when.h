/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

/*
 * when - times in text (mapping.md 4)
 *
 * Seconds count from 1970-01-01 UTC.  Forms that are read, whole text only:
 *
 *	YYYY-MM-DD HH:MM:SS+hhmm	also -hhmm, +hh:mm, Z, or no zone
 *	MM/DD/YYYY HH:MM:SS+hhmm	likewise
 *	1178807903			digits alone: the seconds themselves
 *
 * Without a zone the host's local time is meant; only that form asks the C
 * library.  Of an hour that comes twice, when the clock is put back, the first
 * is taken.  A "T" may stand for the blank, and blanks around the text or
 * before the zone are no fault.  Days and hours that no calendar has are.
 */

#include <stdint.h>

#include "base/slice.h"

/* Returns 0, or -1 when the text is no such time. */
int when_parse(struct slice text, int64_t *seconds_out);

/* "YYYY-MM-DDTHH:MM:SSZ" and a NUL; "?" outside the years 1000 to 9999. */
enum { WHEN_TEXT = 24 };
void when_format(int64_t seconds, char out[WHEN_TEXT]);

#endif /* BASE_WHEN_H */
