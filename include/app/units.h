/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef APP_UNITS_H
#define APP_UNITS_H

/*
 * units - sizes and times as people write them
 *
 * Sizes: a whole number, and b, k, m, g or t, or KiB, MiB, GiB or TiB; letter
 * case does not matter, a blank may stand between.  k is 1024.  KB and MB are
 * turned down, because half of their readers take them for 1000 and 1000000.
 *
 * Times: 100ms, 10s, 5m, 24h, 7d, and PowerMTA's compound form, 1d12h, larger
 * units first.  A number without unit is no time, but for 0.
 */

#include <stdint.h>

#include "base/slice.h"

enum units_status {
	UNITS_OK = 0,
	UNITS_BARE, /* a time without unit */
	UNITS_BAD,  /* no size, no time */
	UNITS_LARGE /* more than can be counted */
};

enum units_status units_size(struct slice text, uint64_t *bytes_out);
enum units_status units_time(struct slice text, int64_t *ms_out);

/* The shortest exact form, for messages: "64K", "5,000,000"; "100ms", "7d". */
enum { UNITS_TEXT = 32 };
void units_show_size(uint64_t bytes, char out[UNITS_TEXT]);
void units_show_time(int64_t ms, char out[UNITS_TEXT]);

/* Digits in groups of three: "1,000,000". */
void units_show_count(uint64_t count, char out[UNITS_TEXT]);

#endif /* APP_UNITS_H */
